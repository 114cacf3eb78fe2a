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
    /// Whether it stands under `matchLabels`, and not under `matchExpressions`.
    pub label: bool,
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
        Self::read_as(node, true)
    }

    /// Reads a selector of a custom resource, where a label with a null value is dropped.
    pub(crate) fn read_custom(node: Node<'_>) -> Self {
        Self::read_as(node, false)
    }

    fn read_as(node: Node<'_>, typed: bool) -> Self {
        let mut selector = Self::everything(node.span());
        if !node.is_map() {
            selector.broken = (!node.is_null()).then_some(node.span());
            return selector;
        }
        if let Some(labels) = field(node, "matchLabels") {
            selector.take_labels(labels, typed);
        }
        if let Some(list) = field(node, "matchExpressions").filter(|list| !list.is_list()) {
            selector.broken = Some(list.span());
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
        selector.take_labels(node, true);
        selector
    }

    fn take_labels(&mut self, labels: Node<'_>, typed: bool) {
        if !labels.is_map() {
            self.broken = Some(labels.span());
            return;
        }
        for label in labels.children() {
            // A typed API reads null as the empty string, a custom resource loses it.
            let value = match label.value() {
                Value::Str(value) => value,
                Value::Null if typed => "",
                Value::Null => continue,
                _ => {
                    self.broken = Some(label.span());
                    continue;
                }
            };
            if !(is_label_value(value) && is_label_key(label.key())) {
                self.broken = Some(label.span());
            }
            self.requirements.push(Requirement {
                key: label.key().to_owned(),
                operator: Operator::In,
                values: vec![value.to_owned()],
                span: label.span(),
                key_span: label.key_span().unwrap_or(label.span()),
                label: true,
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
        match (self.operator, label) {
            (_, Lookup::Unknown) => Truth::Unknown,
            (Operator::Exists, label) => Truth::certain(label != Lookup::Missing),
            (Operator::DoesNotExist, label) => Truth::certain(label == Lookup::Missing),
            (Operator::In, Lookup::Missing) => Truth::No,
            (Operator::NotIn, Lookup::Missing) => Truth::Yes,
            (operator, Lookup::Is(value)) => {
                let found = self.values.iter().any(|wanted| wanted == value);
                let open = is_open(value) || self.values.iter().any(|v| is_open(v));
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
    let written = items(node, "values").count();
    let key = key_node.as_str()?;
    let valid = takes_values != values.is_empty()
        && written == values.len()
        && is_label_key(key)
        && values.iter().all(|value| is_label_value(value));
    valid.then(|| Requirement {
        key: key.to_owned(),
        operator,
        values,
        span: node.span(),
        key_span: key_node.span(),
        label: false,
    })
}

/// Whether a text is left open: a variable that nobody has filled in, as templates, Flux, `envsubst`
/// and shells write it. The variables of a shell are in capitals by custom; `$x` is taken for a slip.
pub(crate) fn is_open(text: &str) -> bool {
    // Most texts have none of the characters that these forms begin with.
    if !text.bytes().any(|byte| matches!(byte, b'$' | b'{' | b'<' | b'_')) {
        return false;
    }
    let capital = |rest: &str| rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    let enclosed = |start: &str, end: &str| {
        text.strip_prefix(start).and_then(|t| t.strip_suffix(end)).is_some_and(|t| !t.is_empty())
    };
    ["${", "$(", "{{"].iter().any(|start| text.contains(start))
        || text.split('$').skip(1).any(capital)
        || enclosed("<", ">")
        || enclosed("__", "__")
}

/// Whether the API server takes a text for a label value.
///
/// Source: kubernetes/apimachinery pkg/util/validation, IsValidLabelValue.
pub(crate) fn is_label_value(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let ends = |b: Option<&u8>| b.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_open(text)
        || bytes.len() <= 63
            && bytes.iter().all(|b| inner(*b))
            && ends(bytes.first())
            && ends(bytes.last())
}

/// Whether the API server takes a text for a label key; Cilium's prefix for the source is allowed.
///
/// Source: kubernetes/apimachinery pkg/util/validation, IsQualifiedName.
fn is_label_key(text: &str) -> bool {
    let plain = text.rsplit_once(':').map_or(text, |(_, key)| key);
    let (prefix, name) = plain.rsplit_once('/').map_or((None, plain), |(p, n)| (Some(p), n));
    let part = |part: &str| {
        let end = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let inner = |b: &u8| *b == b'-' || end(Some(b));
        let bytes = part.as_bytes();
        end(bytes.first()) && end(bytes.last()) && bytes.iter().all(inner)
    };
    let subdomain = |prefix: &str| prefix.len() <= 253 && prefix.split('.').all(part);
    is_open(text) || !name.is_empty() && is_label_value(name) && prefix.is_none_or(subdomain)
}

#[cfg(test)]
mod tests {
    use super::{Lookup, Operator, Requirement, Selector, Truth, is_label_key, is_open};
    use crate::document::{FileId, Span};

    fn selector(operator: Operator, values: &[&str]) -> Selector {
        let span = Span::start_of(FileId(0));
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        let requirement =
            Requirement { key: "app".into(), operator, values, span, key_span: span, label: false };
        Selector { requirements: vec![requirement], span, broken: None }
    }

    #[test]
    fn a_text_is_open_where_somebody_has_yet_to_fill_it_in() {
        for open in ["${APP}", "web-${APP:-x}", "$(APP)", "{{ .app }}", "$APP", "<app>", "__APP__"]
        {
            assert!(is_open(open), "{open}");
        }
        for written in ["", "web", "$x", "$backend", "{x}", "a<b", "<>", "__", "web$", "$1"] {
            assert!(!is_open(written), "{written}");
        }
    }

    #[test]
    fn a_label_key_has_a_name_and_before_it_at_most_a_subdomain() {
        let long = format!("{}/x", "a".repeat(253));
        for key in ["app", "a.b-c/App_1", "k8s:app", "k8s:a.b/x", "${KEY}", "1", &long] {
            assert!(is_label_key(key), "{key}");
        }
        let long = format!("a{long}");
        let odd =
            ["", "-a", "a-", "/a", "a/", "a/b/c", "A.b/c", "a..b/c", "-a/b", "a-/b", "a.-b/c"];
        for key in odd.into_iter().chain([long.as_str()]) {
            assert!(!is_label_key(key), "{key}");
        }
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
