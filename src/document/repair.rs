//! What `kubectl` reads and the parser refuses, mended without changing a value.
//!
//! Two causes are known (docs/decisions.md): a quoted scalar that is continued at or left of the
//! indentation of its key, and a line inside braces or brackets that begins with a tab.

use granit_parser::{ErrorKind, ScanError};

use super::files::narrow;

/// A text with one deviation mended.
pub(super) struct Mended {
    pub(super) text: String,
    /// Line starts before which blanks were inserted (offsets in the old text), and how many.
    pub(super) inserted: Option<(Vec<u32>, u32)>,
    pub(super) what: &'static str,
}

/// Bounds the work of one document: every repair parses it again.
pub(super) struct Budget {
    repairs: u32,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { repairs: 32, bytes: 8 << 20 }
    }

    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.repairs = self.repairs.checked_sub(1)?;
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(())
    }
}

/// Mends the deviation that `error` reports, if it is one of those that clients accept.
pub(super) fn mend(
    text: &str,
    error: &ScanError,
    in_flow: bool,
    budget: &mut Budget,
) -> Option<Mended> {
    let at = error.marker().byte_offset()?.min(text.len());
    match error.kind() {
        ErrorKind::InvalidQuotedScalarIndent => {
            budget.spend(text.len())?;
            indent_continuation(text, at)
        }
        ErrorKind::TabInBlockIndentation | ErrorKind::TabNotAllowed if in_flow => {
            budget.spend(text.len())?;
            blank_tabs(text, at)
        }
        _ => None,
    }
}

/// Indents the continuation lines of the quoted scalar around `at`. Leading blanks of such lines
/// are folded away, so the value stays the same.
fn indent_continuation(text: &str, at: usize) -> Option<Mended> {
    let bytes = text.as_bytes();
    let mut line_end = line_start(text, at).checked_sub(1)?;
    let opening = loop {
        let start = line_start(text, line_end);
        if let Some(opening) = opening_quote(bytes, start, line_end, at) {
            break opening;
        }
        line_end = start.checked_sub(1)?;
    };
    let closing = closing_quote(bytes, opening).unwrap_or(text.len());
    let own_line = text.get(line_start(text, opening)..opening)?;
    let count = own_line.len() - own_line.trim_start_matches([' ', '-']).len() + 2;
    let mut lines = Vec::new();
    let mut mended = String::with_capacity(text.len() + 64);
    mended.push_str(text.get(..opening)?);
    let mut at = opening;
    for line in text.get(opening..closing)?.split_inclusive('\n') {
        if at > opening {
            lines.push(narrow(at));
            mended.extend(std::iter::repeat_n(' ', count));
        }
        mended.push_str(line);
        at += line.len();
    }
    mended.push_str(text.get(closing..)?);
    let what = "a quoted scalar continues left of its key";
    Some(Mended { text: mended, inserted: Some((lines, narrow(count))), what })
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    memchr::memrchr(b'\n', before).map_or(0, |i| i + 1)
}

/// The quote on the line `start..end` that opens a value and is still open at `at`.
fn opening_quote(bytes: &[u8], start: usize, end: usize, at: usize) -> Option<usize> {
    let line = bytes.get(start..end)?;
    let positions = line.iter().enumerate().filter(|(_, b)| matches!(b, b'"' | b'\''));
    for (i, _) in positions {
        let before = line.get(..i)?.iter().rev().find(|b| !matches!(b, b' ' | b'\t'));
        let opens = before.is_none_or(|b| matches!(b, b':' | b'-' | b',' | b'[' | b'{' | b'?'));
        if opens && closing_quote(bytes, start + i).is_none_or(|close| close > at) {
            return Some(start + i);
        }
    }
    None
}

/// Offset behind the quote that closes the scalar opened at `opening`.
fn closing_quote(bytes: &[u8], opening: usize) -> Option<usize> {
    let quote = *bytes.get(opening)?;
    let mut at = opening + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 1,
            _ if *byte == quote => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Writes blanks for the tabs that lead the line of `at` and the lines after it.
fn blank_tabs(text: &str, at: usize) -> Option<Mended> {
    let start = line_start(text, at);
    let mut mended = text.get(..start)?.to_owned();
    let mut changed = false;
    let mut leading_tabs = true;
    for line in text.get(start..)?.split_inclusive('\n') {
        let body = line.trim_start_matches([' ', '\t']);
        let lead = line.get(..line.len() - body.len())?;
        leading_tabs &= lead.contains('\t');
        if leading_tabs {
            changed = true;
            mended.extend(lead.chars().map(|_| ' '));
        } else {
            mended.push_str(lead);
        }
        mended.push_str(body);
    }
    let what = "a line inside braces or brackets begins with a tab";
    changed.then_some(Mended { text: mended, inserted: None, what })
}

/// The parser's reason in the words of a message: lower case, no full stop.
pub(super) fn in_own_words(error: &ScanError) -> String {
    let text = error.kind().to_string();
    super::text::clean(text.trim_end_matches('.'))
}
