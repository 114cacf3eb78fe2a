//! Answers that may rest on what is not in the input.

use std::sync::Arc;

/// An answer, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certain<T> {
    /// The objects that decide are in the input.
    Known(T),
    /// They may not be; the reason says what is missing and what would settle it.
    Unknown(Arc<str>),
}

use self::Certain::{Known, Unknown};

impl<T> Certain<T> {
    /// The answer, where there is one.
    #[must_use]
    pub fn known(self) -> Option<T> {
        match self {
            Known(value) => Some(value),
            Unknown(_) => None,
        }
    }
}
