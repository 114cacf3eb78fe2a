//! Labels and annotations.

use super::fields::{WITHHELD, field};
use crate::document::{Node, Span, Value};

/// One label or annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Key.
    pub key: String,
    /// Value; empty where it is no string.
    pub value: String,
    /// Place of the value.
    pub span: Span,
    /// Place of the key.
    pub key_span: Span,
}

/// The labels or annotations of one object, in the order written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<Label>);

impl Labels {
    /// Reads the map under `key` of a metadata node.
    pub(crate) fn read(metadata: Option<Node<'_>>, key: &str) -> Self {
        let map = metadata.and_then(|metadata| field(metadata, key));
        let label = |child: Node<'_>| {
            let value = match child.value() {
                Value::Str(text) => text.to_owned(),
                Value::Redacted(_) => WITHHELD.to_owned(),
                _ => String::new(),
            };
            let key_span = child.key_span().unwrap_or(child.span());
            Label { key: child.key().to_owned(), value, span: child.span(), key_span }
        };
        Self(map.into_iter().flat_map(Node::children).map(label).collect())
    }

    /// The label with a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Label> {
        self.0.iter().find(|label| label.key == key)
    }

    /// The value under a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.get(key).map(|label| label.value.as_str())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
