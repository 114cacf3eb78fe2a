//! The two template languages of ApplicationSets, as far as the input decides what they give.

use std::cell::Cell;

use super::sets::Open;
use crate::document::{Content, Draft, Span};

/// Most bytes that the templates of one ApplicationSet give.
const MOST_TEXT: usize = 1 << 24;

/// How the texts of an ApplicationSet are filled in.
pub(super) struct Templates {
    /// Whether they are templates of Go; else names in double braces.
    go: bool,
    /// Bytes that may still be given.
    left: Cell<usize>,
}

impl Templates {
    pub(super) const fn new(go: bool) -> Self {
        Self { go, left: Cell::new(MOST_TEXT) }
    }

    pub(super) const fn is_go(&self) -> bool {
        self.go
    }

    /// Fills in every text of a value.
    ///
    /// # Errors
    /// Gives what the parameters leave open.
    pub(super) fn fill(&self, draft: &mut Draft, parameters: &Draft) -> Result<(), Open> {
        let at = draft.span;
        match &mut draft.value {
            Content::Str(text) => *text = self.text(text, parameters, at)?,
            Content::List(items) => {
                items.iter_mut().try_for_each(|item| self.fill(item, parameters))?;
            }
            Content::Map(fields) => {
                for field in fields {
                    if field.key.contains("{{") {
                        return Err(Open::new(at, "a template in a key"));
                    }
                    self.fill(&mut field.value, parameters)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Fills in a text.
    pub(super) fn text(&self, text: &str, parameters: &Draft, at: Span) -> Result<String, Open> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            out.push_str(before);
            let Some((tag, behind)) = behind.split_once("}}") else {
                if self.go {
                    return Err(Open::new(at, "a template that does not end"));
                }
                out.push_str("{{");
                rest = behind;
                continue;
            };
            if self.go {
                out.push_str(&action(tag, parameters, at)?);
            } else {
                // A name that no generator gives stays as it is written.
                match parameters.get(tag.trim()).and_then(Draft::as_str) {
                    Some(value) if !tag.trim().is_empty() => out.push_str(value),
                    _ => out.extend(["{{", tag, "}}"]),
                }
            }
            rest = behind;
        }
        out.push_str(rest);
        let left = self.left.get().checked_sub(out.len());
        self.left.set(left.ok_or_else(|| Open::new(at, "more text than is made"))?);
        Ok(out)
    }
}

/// What an action of a Go template gives: a value, an item of a list, and simple functions on them.
fn action(tag: &str, parameters: &Draft, at: Span) -> Result<String, Open> {
    let unknown = || Open::new(at, &format!("the template `{{{{{tag}}}}}`"));
    let mut stages = tag.split('|').map(str::trim);
    let first = stages.next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    let value = match words.as_slice() {
        [path] => plain(lookup(parameters, path)),
        ["index", path, keys @ ..] => {
            let item = |draft: &'_ Draft, key: &&str| -> Option<Draft> {
                match key.parse::<usize>() {
                    Ok(at) => draft.items().get(at).cloned(),
                    Err(_) => draft.get(key.strip_prefix('"')?.strip_suffix('"')?).cloned(),
                }
            };
            let start = lookup(parameters, path).cloned();
            let found = keys.iter().try_fold(start, |draft, key| Some(item(&draft?, key)));
            plain(found.flatten().as_ref())
        }
        [function, path] => plain(lookup(parameters, path)).and_then(|text| call(function, text)),
        _ => None,
    };
    stages
        .try_fold(value, |value, function| Some(call(function, value?)))
        .flatten()
        .ok_or_else(unknown)
}

/// The parameter of a path such as `.path.basename`.
fn lookup<'p>(parameters: &'p Draft, path: &str) -> Option<&'p Draft> {
    let names = path.strip_prefix('.')?;
    names.split('.').try_fold(parameters, |draft, name| draft.get(name))
}

fn call(function: &str, text: String) -> Option<String> {
    match function {
        "normalize" => Some(normalized(&text)),
        "lower" => Some(text.to_lowercase()),
        "trim" => Some(text.trim().to_owned()),
        "toString" => Some(text),
        _ => None,
    }
}

/// A scalar as Go prints it; none where the two languages might differ.
pub(super) fn plain(value: Option<&Draft>) -> Option<String> {
    match &value?.value {
        Content::Str(text) => Some(text.clone()),
        Content::Bool(value) => Some(value.to_string()),
        // Numbers pass through a float on their way.
        Content::Int(value) if value.unsigned_abs() < 1 << 53 => Some(value.to_string()),
        _ => None,
    }
}

/// A text as part of a name: lower case, with `-` for what no name has.
pub(super) fn normalized(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let lower = text.to_lowercase();
    let name = lower.chars().map(|c| if allowed(c) { c } else { '-' });
    let name: String = name.take(253).collect();
    name.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Draft, Templates, normalized};
    use crate::document::{FileId, Span, read_settings};

    fn parameters(text: &str) -> Draft {
        let (tree, _) = read_settings(FileId(0), text).unwrap_or_else(|_| panic!("{text} is YAML"));
        Draft::of(tree.expect("a document").root())
    }

    #[test]
    fn names_in_braces_are_replaced_and_unknown_ones_stay() {
        let given = parameters("{name: a, path.basename: b, 'path[0]': c, number: 3}");
        let cases = [
            ("x-{{name}}-{{ path.basename }}", "x-a-b"),
            ("{{path[0]}}", "c"),
            ("{{none}} {{ }} {{number}}", "{{none}} {{ }} {{number}}"),
            ("{{name", "{{name"),
        ];
        for (text, expected) in cases {
            let filled = Templates::new(false).text(text, &given, Span::start_of(FileId(0)));
            assert_eq!(filled.ok().as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn go_templates_are_filled_in_or_left_open() {
        let given = parameters("{name: A_b, count: 3, path: {path: x/y, segments: [x, blue]}}");
        let cases = [
            ("{{.name}}-{{ .path.path }}", Some("A_b-x/y")),
            ("{{ index .path.segments 1 }}", Some("blue")),
            ("{{ index .path \"path\" }}{{.count}}", Some("x/y3")),
            ("{{ .name | normalize }}{{ lower .name }}", Some("a-ba_b")),
            ("{{ .none }}", None),
            ("{{ index .path.segments 7 }}", None),
            ("{{- .name }}", None),
            ("{{ if .name }}x{{ end }}", None),
            ("{{ .path }}", None),
            ("{{ .name", None),
        ];
        for (text, expected) in cases {
            let filled = Templates::new(true).text(text, &given, Span::start_of(FileId(0)));
            assert_eq!(filled.ok().as_deref(), expected, "{text}");
        }
        assert_eq!(normalized("My_App."), "my-app");
    }
}
