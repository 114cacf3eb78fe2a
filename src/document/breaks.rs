//! Line breaks of YAML 1.1 that YAML 1.2 does not know.
//!
//! For the reader of Kubernetes clients a line also ends at U+0085, U+2028 and U+2029, so that what
//! follows one of them in a comment is no comment. Most editors show nothing there. Such characters
//! become line feeds before a text is parsed, but for those in quotes, which end no line.

use std::collections::BTreeSet;

use super::files::narrow;

/// The remark on a text in which such a character ends a line.
pub(super) const WHAT: &str =
    "an invisible character (U+0085, U+2028 or U+2029) ends the line here";

const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Whether a text has such line breaks. Most have not even one of their two lead bytes.
pub(super) fn has(text: &str) -> bool {
    memchr::memchr2(0xC2, 0xE2, text.as_bytes()).is_some() && text.contains(BREAKS)
}

/// A text with its line breaks written as line feeds.
#[derive(Default)]
pub(super) struct Unified {
    pub(super) text: String,
    /// Stretches `(offset in the text, offset in the original)`.
    pub(super) edits: Vec<(u32, u32)>,
    /// Line feeds that were made: where, and where the break stood in the original.
    pub(super) made: Vec<(u32, u32)>,
    /// Breaks that were kept.
    pub(super) kept: Vec<u32>,
}

/// Rewrites a text, but for the breaks at the offsets in `keep`.
pub(super) fn unify(original: &str, keep: &BTreeSet<u32>) -> Unified {
    let mut unified = Unified { edits: vec![(0, 0)], ..Unified::default() };
    unified.text.reserve(original.len());
    let mut from = 0;
    for (at, found) in original.match_indices(BREAKS) {
        unified.text.push_str(original.get(from..at).unwrap_or_default());
        let here = narrow(unified.text.len());
        from = at + found.len();
        if keep.contains(&narrow(at)) {
            unified.kept.push(here);
            unified.text.push_str(found);
        } else {
            unified.made.push((here, narrow(at)));
            unified.text.push('\n');
            unified.edits.push((here + 1, narrow(from)));
        }
    }
    unified.text.push_str(original.get(from..).unwrap_or_default());
    unified
}

/// The value of a quoted scalar with kept breaks, as clients read it: U+0085 folds like a line
/// feed, the two separators stay and lose the blanks around them.
pub(super) fn fold(value: &str) -> String {
    let blanks = [' ', '\t'];
    let mut folded = String::with_capacity(value.len());
    for part in value.split_inclusive(BREAKS) {
        let body = part.trim_end_matches(BREAKS);
        let found = part.get(body.len()..).unwrap_or_default();
        let body = if folded.is_empty() { body } else { body.trim_start_matches(blanks) };
        folded.push_str(if found.is_empty() { body } else { body.trim_end_matches(blanks) });
        folded.push_str(if found == "\u{85}" { " " } else { found });
    }
    folded
}

/// Offsets of breaks inside the double quotes of a JSON text, from the end of a string on.
pub(super) fn in_strings(text: &str, from: usize) -> Vec<u32> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut escaped = false;
    for (at, c) in text.get(from..).unwrap_or_default().char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = inside,
            '"' => inside = !inside,
            _ if inside && BREAKS.contains(&c) => found.push(narrow(from + at)),
            _ => {}
        }
    }
    found
}
