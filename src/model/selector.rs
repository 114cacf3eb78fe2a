//! The only selector matcher.

use super::fields::{field, items, texts};
use crate::document::{Node, Span, Value};

/// What is known of one label of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// The object has the label.
    Is(&'a str),
    /// The object has no such label.
    Missing,
    /// It may or may not have it: the object is not in the input, or a controller adds labels.
    Unknown,
}

/// A yes or no that may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// Certainly not.
    No,
    /// It depends on what is not in the input.
    Unknown,
    /// Certainly.
    Yes,
}

impl Truth {
    /// The truth of a certain answer.
    #[must_use]
    pub const fn certain(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }
}

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The value is one of a set.
    In,
    /// The value is none of a set, or the key is missing (semantics N7).
    NotIn,
    /// The key is present.
    Exists,
    /// The key is missing.
    DoesNotExist,
}

/// One condition of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Label key.
    pub key: String,
    /// Comparison.
    pub operator: Operator,
    /// Values to compare with.
    pub values: Vec<String>,
    /// Place of the value, or of the whole expression.
    pub span: Span,
    /// Place of the key.
    pub key_span: Span,
}

/// A label selector: all requirements have to hold; without any it matches everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// `matchLabels` and `matchExpressions` together.
    pub requirements: Vec<Requirement>,
    /// The whole selector.
    pub span: Span,
    /// A part that the API server refuses; what such a selector matches is unknown.
    pub broken: Option<Span>,
}

impl Selector {
    /// The selector that matches everything.
    #[must_use]
    pub const fn everything(span: Span) -> Self {
        Self { requirements: Vec::new(), span, broken: None }
    }

    /// Reads `{matchLabels, matchExpressions}`. Null parts count as missing.
    pub(crate) fn read(node: Node<'_>) -> Self {
        let mut selector = Self::everything(node.span());
        if !node.is_map() {
            selector.broken = (!node.is_null()).then_some(node.span());
            return selector;
        }
        if let Some(labels) = field(node, "matchLabels") {
            selector.take_labels(labels);
        }
        for expression in items(node, "matchExpressions") {
            match requirement(expression) {
                Some(requirement) => selector.requirements.push(requirement),
                None => selector.broken = Some(expression.span()),
            }
        }
        selector
    }

    /// Reads a plain map of labels, as Services have it.
    pub(crate) fn of_labels(node: Node<'_>) -> Self {
        let mut selector = Self::everything(node.span());
        selector.take_labels(node);
        selector
    }

    fn take_labels(&mut self, labels: Node<'_>) {
        if !labels.is_map() {
            self.broken = Some(labels.span());
            return;
        }
        for label in labels.children() {
            let Value::Str(value) = label.value() else {
                self.broken = Some(label.span());
                continue;
            };
            self.requirements.push(Requirement {
                key: label.key().to_owned(),
                operator: Operator::In,
                values: vec![value.to_owned()],
                span: label.span(),
                key_span: label.key_span().unwrap_or(label.span()),
            });
        }
    }

    /// Whether it matches every object of its scope.
    #[must_use]
    pub fn matches_all(&self) -> bool {
        self.requirements.is_empty() && self.broken.is_none()
    }

    /// Whether it matches an object whose labels `lookup` tells.
    #[must_use]
    pub fn matches<'l>(&self, lookup: impl Fn(&str) -> Lookup<'l>) -> Truth {
        let all = self.requirements.iter().map(|r| r.holds(lookup(&r.key)));
        let known = all.fold(Truth::Yes, Truth::and);
        if self.broken.is_some() { known.min(Truth::Unknown) } else { known }
    }
}

impl Requirement {
    fn holds(&self, label: Lookup<'_>) -> Truth {
        // No label value holds a dollar sign: it is a variable that nobody has filled in.
        let unresolved = |text: &str| text.contains('$');
        match (self.operator, label) {
            (_, Lookup::Unknown) => Truth::Unknown,
            (Operator::Exists, label) => Truth::certain(label != Lookup::Missing),
            (Operator::DoesNotExist, label) => Truth::certain(label == Lookup::Missing),
            (Operator::In, Lookup::Missing) => Truth::No,
            (Operator::NotIn, Lookup::Missing) => Truth::Yes,
            (operator, Lookup::Is(value)) => {
                let found = self.values.iter().any(|wanted| wanted == value);
                let open = unresolved(value) || self.values.iter().any(|v| unresolved(v));
                if open && !found {
                    return Truth::Unknown;
                }
                Truth::certain(found == (operator == Operator::In))
            }
        }
    }
}

fn requirement(node: Node<'_>) -> Option<Requirement> {
    let key_node = field(node, "key")?;
    let operator = match field(node, "operator")?.as_str()? {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        _ => return None,
    };
    let values: Vec<String> = texts(node, "values").into_iter().map(|v| v.value).collect();
    let takes_values = matches!(operator, Operator::In | Operator::NotIn);
    (takes_values != values.is_empty()).then_some(Requirement {
        key: key_node.as_str()?.to_owned(),
        operator,
        values,
        span: node.span(),
        key_span: key_node.span(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Lookup, Operator, Requirement, Selector, Truth};
    use crate::document::{FileId, Span};

    fn selector(operator: Operator, values: &[&str]) -> Selector {
        let span = Span::start_of(FileId(0));
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        let requirement = Requirement { key: "app".into(), operator, values, span, key_span: span };
        Selector { requirements: vec![requirement], span, broken: None }
    }

    #[test]
    fn each_operator_judges_a_present_a_missing_and_an_unknown_label() {
        use Operator::{DoesNotExist, Exists, In, NotIn};
        let (yes, no, open) = (Truth::Yes, Truth::No, Truth::Unknown);
        let cases = [
            (In, vec!["web"], [yes, no, no, open]),
            (NotIn, vec!["web"], [no, yes, yes, open]),
            (Exists, vec![], [yes, yes, no, open]),
            (DoesNotExist, vec![], [no, no, yes, open]),
            (In, vec!["${APP}"], [open, open, no, open]),
        ];
        let labels = [Lookup::Is("web"), Lookup::Is("db"), Lookup::Missing, Lookup::Unknown];
        for (operator, values, expected) in cases {
            let selector = selector(operator, &values);
            let found = labels.map(|label| selector.matches(|_| label));
            assert_eq!(found, expected, "{values:?}");
        }
    }
}
