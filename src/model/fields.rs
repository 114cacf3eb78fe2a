//! Reading typed values from a tree without losing where they stand, or that they are absent.

use crate::document::{Node, Span, Value};

/// A value and the place that sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

impl<T> Sourced<T> {
    pub(crate) const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A field of a policy object: missing, null and given are three things (semantics S1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence<T> {
    /// The key is not written.
    Missing,
    /// The key is written with null, which the API server takes for missing.
    Null(Span),
    /// The key has a value, an empty one included.
    Given(T),
}

impl<T> Presence<T> {
    /// The value, if one is given.
    #[must_use]
    pub const fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Missing | Self::Null(_) => None,
        }
    }

    /// Reads the field `key` with `read`.
    pub(crate) fn read<'n>(node: Node<'n>, key: &str, read: impl FnOnce(Node<'n>) -> T) -> Self {
        match node.get(key) {
            None => Self::Missing,
            Some(value) if value.is_null() => Self::Null(value.span()),
            Some(value) => Self::Given(read(value)),
        }
    }
}

/// A field that is present and not null.
pub(crate) fn field<'n>(node: Node<'n>, key: &str) -> Option<Node<'n>> {
    node.get(key).filter(|value| !value.is_null())
}

/// A boolean field. A quoted `"true"` is none: the API server refuses it.
pub(crate) fn flag(node: Node<'_>, key: &str) -> Option<Sourced<bool>> {
    let value = field(node, key)?;
    Some(Sourced::new(value.as_bool()?, value.span()))
}

/// An integer field.
pub(crate) fn integer(node: Node<'_>, key: &str) -> Option<Sourced<i64>> {
    let value = field(node, key)?;
    Some(Sourced::new(value.as_int()?, value.span()))
}

/// A string field.
pub(crate) fn text(node: Node<'_>, key: &str) -> Option<Sourced<String>> {
    let value = field(node, key)?;
    Some(Sourced::new(value.as_str()?.to_owned(), value.span()))
}

/// What stands for a text that was withheld: no setting that is allowed by its value reads like it.
pub(crate) const WITHHELD: &str = "<redacted>";

/// A string field that is judged by its value. One that was withheld as a credential is still a
/// value; taking it for absent would let it pass.
pub(crate) fn judged_text(node: Node<'_>, key: &str) -> Option<Sourced<String>> {
    let value = field(node, key)?;
    match value.value() {
        Value::Redacted(_) => Some(Sourced::new(WITHHELD.to_owned(), value.span())),
        _ => text(node, key),
    }
}

/// The items of a list whose values are judged. As for the API server, an item that is null is the
/// empty string.
pub(crate) fn judged_texts(node: Node<'_>, key: &str) -> Vec<Sourced<String>> {
    let judged = |item: Node<'_>| {
        let value = match item.value() {
            Value::Str(text) => text,
            Value::Redacted(_) => WITHHELD,
            Value::Null => "",
            _ => return None,
        };
        Some(Sourced::new(value.to_owned(), item.span()))
    };
    items(node, key).filter_map(judged).collect()
}

/// A string or a number, as text: quantities and int-or-string fields.
pub(crate) fn scalar_text(value: Node<'_>) -> Option<String> {
    match value.value() {
        Value::Str(text) => Some(text.to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The items of a list field; nothing where it is absent or no list.
pub(crate) fn items<'n>(node: Node<'n>, key: &str) -> impl Iterator<Item = Node<'n>> + use<'n> {
    field(node, key).filter(|list| list.is_list()).into_iter().flat_map(Node::children)
}

/// The strings of a list field.
pub(crate) fn texts(node: Node<'_>, key: &str) -> Vec<Sourced<String>> {
    let text = |item: Node<'_>| Some(Sourced::new(item.as_str()?.to_owned(), item.span()));
    items(node, key).filter_map(text).collect()
}

/// The place of a field's key, for what concerns the field as a whole.
pub(crate) fn key_span(node: Node<'_>) -> Span {
    node.key_span().unwrap_or_else(|| node.span())
}
