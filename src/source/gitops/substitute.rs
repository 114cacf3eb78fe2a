//! Variables of Flux: `${VAR}` in what it applies.

use std::collections::BTreeMap;

use crate::document::{Content, Draft, Style};

/// Values by name. `complete` where nothing else may define one.
#[derive(Clone, Debug, Default)]
pub(in crate::source) struct Variables {
    pub(in crate::source) values: BTreeMap<String, String>,
    /// Whether a source of values is not in the input: a name without value may have one.
    pub(in crate::source) open: bool,
}

/// Replaces the variables in every scalar of an object, as Flux does in its text: what was written
/// without quotes may become a number or a boolean. Gives the names that have no value.
pub(in crate::source) fn substitute(draft: &mut Draft, variables: &Variables) -> Vec<String> {
    let mut unresolved = Vec::new();
    walk(draft, variables, &mut unresolved);
    unresolved.sort();
    unresolved.dedup();
    unresolved
}

fn walk(draft: &mut Draft, variables: &Variables, unresolved: &mut Vec<String>) {
    let replacement = match &mut draft.value {
        Content::List(items) => {
            items.iter_mut().for_each(|item| walk(item, variables, unresolved));
            None
        }
        Content::Map(fields) => {
            fields.iter_mut().for_each(|field| walk(&mut field.value, variables, unresolved));
            None
        }
        Content::Str(text) if text.contains("${") => {
            Some(expand(text, variables, unresolved)).filter(|new| new != text)
        }
        _ => None,
    };
    if let Some(text) = replacement {
        draft.value = match draft.style {
            Style::Plain => Draft::plain(&text, draft.span).value,
            _ => Content::Str(text),
        };
    }
}

/// A text with its variables replaced. What cannot be told stays as it is written.
fn expand(text: &str, variables: &Variables, unresolved: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        // `$${VAR}` is an escaped `${VAR}`.
        if let Some(before) = before.strip_suffix('$') {
            let end = from.find('}').map_or(from.len(), |end| end + 1);
            let (kept, behind) = from.split_at(end);
            out.push_str(before);
            out.push_str(kept);
            rest = behind;
            continue;
        }
        out.push_str(before);
        let Some(end) = from.find('}') else {
            rest = from;
            break;
        };
        let (whole, behind) = from.split_at(end + 1);
        match value_of(&whole[2..end], variables) {
            Some(value) => out.push_str(&value),
            None => {
                let name = name_of(&whole[2..end]).unwrap_or_default();
                unresolved.push(name.to_owned());
                out.push_str(whole);
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The name at the start of an expression.
fn name_of(expression: &str) -> Option<&str> {
    let end = expression.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let name = expression.get(..end.unwrap_or(expression.len()))?;
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts.then_some(name)
}

/// The value of an expression; none where it has none, or where it is a function that is not known.
fn value_of(expression: &str, variables: &Variables) -> Option<String> {
    let name = name_of(expression)?;
    let known = variables.values.get(name).cloned();
    let operator = expression.get(name.len()..)?;
    let default = |text: &str| text.trim_matches('"').to_owned();
    if operator.is_empty() {
        // A name that nothing defines becomes the empty string.
        return known.or_else(|| (!variables.open).then(String::new));
    }
    for (sign, on_empty) in [(":=", true), (":-", true), ("=", false), ("-", false)] {
        if let Some(text) = operator.strip_prefix(sign) {
            return match known {
                Some(value) if !(on_empty && value.is_empty()) => Some(value),
                _ if variables.open => None,
                _ => Some(default(text)),
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Variables, expand};

    #[test]
    fn variables_are_replaced_as_flux_does() {
        let values = [("A", "one"), ("EMPTY", "")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let variables = Variables { values, open: false };
        let cases = [
            ("x-${A}-y", "x-one-y"),
            ("$A", "$A"),
            ("$${A}", "${A}"),
            ("${NONE}", ""),
            ("${NONE:=two}", "two"),
            ("${EMPTY:-two}${EMPTY-three}", "two"),
            ("${A:0:1}", "${A:0:1}"),
            ("${A", "${A"),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text, &variables, &mut Vec::new()), expected, "{text}");
        }
        let mut unresolved = Vec::new();
        let open = Variables { open: true, ..variables };
        assert_eq!(expand("${A}${NONE}", &open, &mut unresolved), "one${NONE}");
        assert_eq!(unresolved, ["NONE"]);
    }
}
