//! Reading one map of the configuration: every key known, every value of its type, every error at
//! its place.

use crate::document::{Node, Span, Value, excerpt};

/// A mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where.
    pub at: Span,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(at: Span, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The word of `known` that a misspelt one probably means.
pub(crate) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let close =
        known.into_iter().map(|candidate| (strsim::osa_distance(word, candidate), candidate));
    let (distance, candidate) = close.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + word.len() / 4).then_some(candidate)
}

/// One map of the configuration, and the errors found so far.
pub(crate) struct Section<'n, 'e> {
    node: Node<'n>,
    name: &'static str,
    errors: &'e mut Vec<ConfigError>,
}

impl<'n, 'e> Section<'n, 'e> {
    /// Opens a map and reports every key that is not among `keys`. Null counts as an empty map.
    pub(crate) fn open(
        node: Node<'n>,
        name: &'static str,
        keys: &[&'static str],
        errors: &'e mut Vec<ConfigError>,
    ) -> Option<Self> {
        if !node.is_map() && !node.is_null() {
            errors.push(ConfigError::new(node.span(), format!("{name} must be a map")));
            return None;
        }
        for child in node.children().filter(|child| !keys.contains(&child.key())) {
            let at = child.key_span().unwrap_or(child.span());
            let message = format!("{name} has no key `{}`", excerpt(child.key()));
            let help = match nearest(child.key(), keys.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("use one of: {}", keys.join(", ")),
            };
            errors.push(ConfigError::new(at, message).help(help));
        }
        Some(Self { node, name, errors })
    }

    /// A value that is present and not null.
    pub(crate) fn get(&self, key: &str) -> Option<Node<'n>> {
        self.node.get(key).filter(|node| !node.is_null())
    }

    pub(crate) fn span(&self) -> Span {
        self.node.span()
    }

    /// Reports a mistake.
    pub(crate) fn error(&mut self, error: ConfigError) {
        self.errors.push(error);
    }

    pub(crate) fn errors(&mut self) -> &mut Vec<ConfigError> {
        self.errors
    }

    fn wrong(&mut self, node: Node<'_>, key: &str, wanted: &str) {
        let message = format!("`{key}` of {} must be {wanted}", self.name);
        self.errors.push(ConfigError::new(node.span(), message));
    }

    /// Whether a key has a value of which a mistake was reported.
    pub(crate) fn has_wrong(&self, key: &str) -> bool {
        let at = self.get(key).map(Node::span);
        at.is_some_and(|at| self.errors.iter().any(|error| at.contains(error.at)))
    }

    /// A string that says something. Numbers and dates are none: YAML would take `1.30` for 1.3.
    pub(crate) fn text(&mut self, key: &str) -> Option<(String, Span)> {
        let node = self.get(key)?;
        let message = match node.value() {
            Value::Str(text) if !text.trim().is_empty() => {
                return Some((text.to_owned(), node.span()));
            }
            Value::Str(_) => format!("`{key}` of {} is empty", self.name),
            _ => format!("`{key}` of {} must be a string", self.name),
        };
        let error = ConfigError::new(node.span(), message);
        let quote = matches!(node.value(), Value::Bool(_) | Value::Int(_) | Value::Float(_));
        self.errors.push(if quote { error.help("put quotes around it") } else { error });
        None
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        let value = node.as_bool();
        if value.is_none() {
            self.wrong(node, key, "true or false");
        }
        value
    }

    /// A number from 1 to `most`.
    pub(crate) fn count(&mut self, key: &str, most: u64) -> Option<u64> {
        let node = self.get(key)?;
        let value = node.as_int().and_then(|v| u64::try_from(v).ok());
        let value = value.filter(|value| (1..=most).contains(value));
        if value.is_none() {
            self.wrong(node, key, &format!("a number from 1 to {most}"));
        }
        value
    }

    /// A list of strings that say something.
    pub(crate) fn texts(&mut self, key: &str) -> Vec<(String, Span)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        if !node.is_list() {
            self.wrong(node, key, "a list of strings");
            return Vec::new();
        }
        let mut texts = Vec::new();
        for item in node.children() {
            match item.as_str().filter(|text| !text.trim().is_empty()) {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => {
                    let message = format!("an item of `{key}` must be a string that is not empty");
                    self.errors.push(ConfigError::new(item.span(), message));
                }
            }
        }
        texts
    }

    /// One word of a fixed set.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, words: &[(&'static str, T)]) -> Option<T> {
        let (text, at) = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("`{key}` of {} must not be `{}`", self.name, excerpt(&text));
            let help = match nearest(&text, list.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("use one of: {}", list.join(", ")),
            };
            self.errors.push(ConfigError::new(at, message).help(help));
        }
        found
    }

    /// Reports a key without a value.
    pub(crate) fn missing(&mut self, key: &str) {
        let message = format!("{} has no `{key}`", self.name);
        self.errors.push(ConfigError::new(self.node.span(), message).help("add it"));
    }

    /// A string that must be there.
    pub(crate) fn required(&mut self, key: &str) -> Option<String> {
        if self.get(key).is_none() {
            self.missing(key);
        }
        self.text(key).map(|(text, _)| text)
    }

    /// One word of a fixed set, which must be there.
    pub(crate) fn required_choice<T: Copy>(
        &mut self,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        if self.get(key).is_none() {
            self.missing(key);
        }
        self.choice(key, words)
    }
}
