//! What several targets ask of a place.

use palisade::document::{FileId, Span};

/// Asserts that a place lies inside its text, between characters.
pub(crate) fn assert_inside(text: &str, file: FileId, span: Span, what: &str) {
    let (start, end) = (span.start as usize, span.end as usize);
    assert_eq!(span.file, file, "{what} lies in another text");
    assert!(text.get(start..end).is_some(), "{what} at {start}..{end} does not fit its text");
}
