//! What `kubectl` reads and the parser refuses, mended without changing a value.
//!
//! Seven causes are known (docs/decisions.md): a quoted scalar that is continued at or left of the
//! indentation of its key, a line inside braces or brackets that begins with a tab, an escaped
//! single quote in double quotes, a line of a quoted scalar that begins with a tab, a comment right
//! behind a quote or bracket, and in JSON half a surrogate pair and the control characters behind
//! ASCII.

use granit_parser::{ErrorKind, ScanError};

use super::files::narrow;
use super::parse::Input;

/// Most bytes that mending may add to one document.
const MOST_INSERTED: usize = 4 << 20;

/// A text with one kind of deviation mended.
pub(super) struct Mended {
    pub(super) text: String,
    /// Bytes inserted into the old text: where, and how many.
    pub(super) inserted: Vec<(u32, u32)>,
    /// Whether they must lie in quoted scalars.
    pub(super) in_quotes: bool,
    pub(super) what: &'static str,
}

impl Mended {
    /// A text with something inserted into its quoted scalars.
    fn inserting(text: String, inserted: Vec<(u32, u32)>, what: &'static str) -> Self {
        Self { text, inserted, in_quotes: true, what }
    }
}

/// Bounds the work of one document: every repair parses it again, up to the next deviation.
pub(super) struct Budget {
    repairs: u32,
    bytes: usize,
    /// Whether scalars behind the one at hand are mended with it, on the assumption that what looks
    /// like one is one.
    pub(super) ahead: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { repairs: 64, bytes: 12 << 20, ahead: true }
    }

    /// The same, but for repairs one by one.
    pub(super) fn one_by_one() -> Self {
        Self { ahead: false, ..Self::new() }
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Option<()> {
        self.repairs = self.repairs.checked_sub(1)?;
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(())
    }
}

/// Mends the deviation that `error` reports, if it is one of those that clients accept.
pub(super) fn mend(
    input: &Input<'_>,
    error: &ScanError,
    in_flow: bool,
    budget: &mut Budget,
) -> Option<Mended> {
    let text = input.text.as_ref();
    let at = error.marker().byte_offset()?.min(text.len());
    match error.kind() {
        ErrorKind::InvalidQuotedScalarIndent => {
            budget.spend(at)?;
            indent_continuations(text, at, budget.ahead)
        }
        ErrorKind::TabInBlockIndentation | ErrorKind::TabNotAllowed if in_flow => {
            budget.spend(at)?;
            blank_tabs(text, at)
        }
        ErrorKind::TabInIndentation => {
            budget.spend(at)?;
            blank_quoted_tabs(text, at)
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            budget.spend(at)?;
            single_quotes(text, at)
        }
        ErrorKind::CommentNotSeparated => {
            budget.spend(at)?;
            let hash = at + memchr::memchr2(b'#', b'\n', text.as_bytes().get(at..)?)?;
            let (before, comment) = text.split_at_checked(hash)?;
            let what = "a comment begins right behind a value";
            let mended =
                Mended::inserting(format!("{before} {comment}"), vec![(narrow(hash), 1)], what);
            comment.starts_with('#').then_some(Mended { in_quotes: false, ..mended })
        }
        ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidLowSurrogateHexEscape
            if input.json =>
        {
            budget.spend(at)?;
            whole_characters(text)
        }
        ErrorKind::UnexpectedCharacter { character }
            if character.is_control() && input.json && is_json(input.original) =>
        {
            budget.spend(at)?;
            escape_controls(text)
        }
        _ => None,
    }
}

/// Indents the continuation lines of the quoted scalar around `at`, and of those behind it that
/// deviate in the same way. Leading blanks of such lines are folded away, so values stay the same.
fn indent_continuations(text: &str, at: usize, ahead: bool) -> Option<Mended> {
    let bytes = text.as_bytes();
    let mut opening = opening(text, at)?;
    let mut inserted = Vec::new();
    let mut total = 0;
    loop {
        // A quote that is never closed is another mistake.
        let closing = closing_quote(bytes, opening)?;
        let own_line = text.get(line_start(text, opening)..opening)?;
        let count = own_line.len() - own_line.trim_start_matches([' ', '-']).len() + 2;
        let scalar = bytes.get(opening..closing)?;
        for (i, _) in scalar.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            total += count;
            inserted.push((narrow(opening + i + 1), narrow(count)));
        }
        if total > MOST_INSERTED {
            return None;
        }
        match next_deviation(text, closing).filter(|_| ahead) {
            Some(next) => opening = next,
            None => break,
        }
    }
    let mut mended = String::with_capacity(text.len() + total);
    let mut from = 0;
    for (at, count) in &inserted {
        mended.push_str(text.get(from..*at as usize)?);
        mended.extend(std::iter::repeat_n(' ', *count as usize));
        from = *at as usize;
    }
    mended.push_str(text.get(from..)?);
    Some(Mended::inserting(mended, inserted, "a quoted scalar continues left of its key"))
}

/// The quote that opens the scalar which is still open at `at`.
pub(super) fn opening(text: &str, at: usize) -> Option<usize> {
    let mut line_end = at;
    loop {
        let start = line_start(text, line_end);
        if let Some(opening) = opening_quote(text.as_bytes(), start, line_end, at) {
            return Some(opening);
        }
        line_end = start.checked_sub(1)?;
    }
}

/// The next quote that opens a value of a block map or list and whose scalar continues at or left of
/// the indentation of its key.
fn next_deviation(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut start = from + memchr::memchr(b'\n', bytes.get(from..)?)? + 1;
    loop {
        let rest = bytes.get(start..)?;
        let end = start + memchr::memchr(b'\n', rest)?;
        let quote = opening_quote(bytes, start, end, end).filter(|quote| {
            let before = text.get(start..*quote).unwrap_or_default();
            before.trim_end().ends_with([':', '-']) && !before.contains(['#', '"', '\''])
        });
        if let Some(quote) = quote {
            let line = text.get(start..quote)?;
            let indentation = line.len() - line.trim_start_matches([' ', '-']).len();
            let next = bytes.get(end + 1..)?;
            let blanks = next.iter().take_while(|byte| **byte == b' ').count();
            let empty = matches!(next.get(blanks), None | Some(b'\n' | b'\r'));
            if !empty && blanks <= indentation && closing_quote(bytes, quote).is_some() {
                return Some(quote);
            }
        }
        start = end + 1;
    }
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    memchr::memrchr(b'\n', before).map_or(0, |i| i + 1)
}

/// What stands before a value.
const OPENERS: [u8; 6] = *b":-,[{?";

/// The quote on the line `start..end` that opens a value and is still open at `at`.
fn opening_quote(bytes: &[u8], start: usize, end: usize, at: usize) -> Option<usize> {
    let line = bytes.get(start..end)?;
    let mut i = 0;
    let mut before = None;
    while let Some(byte) = line.get(i) {
        if matches!(byte, b'&' | b'!') && before.is_none_or(|b| OPENERS.contains(&b)) {
            // An anchor or tag stands between the key and its value.
            i += line.get(i..)?.iter().take_while(|b| !b.is_ascii_whitespace()).count();
            continue;
        }
        let opens = matches!(byte, b'"' | b'\'') && before.is_none_or(|b| OPENERS.contains(&b));
        if opens {
            match closing_quote(bytes, start + i) {
                Some(close) if close <= at => {
                    i = close - start;
                    before = Some(*byte);
                    continue;
                }
                _ => return Some(start + i),
            }
        }
        if !matches!(byte, b' ' | b'\t') {
            before = Some(*byte);
        }
        i += 1;
    }
    None
}

/// Offset behind the quote that closes the scalar opened at `opening`.
pub(super) fn closing_quote(bytes: &[u8], opening: usize) -> Option<usize> {
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
    changed.then(|| Mended::inserting(mended, Vec::new(), what))
}

/// Writes blanks for the tabs that lead the lines of the quoted scalar around `at`.
fn blank_quoted_tabs(text: &str, at: usize) -> Option<Mended> {
    let opening = opening(text, at)?;
    let closing = closing_quote(text.as_bytes(), opening).filter(|closing| *closing > at)?;
    let scalar = text.get(opening..closing)?;
    let mut mended = text.get(..opening)?.to_owned();
    for (number, line) in scalar.split_inclusive('\n').enumerate() {
        let body = if number == 0 { line } else { line.trim_start_matches([' ', '\t']) };
        mended.extend(std::iter::repeat_n(' ', line.len() - body.len()));
        mended.push_str(body);
    }
    mended.push_str(text.get(closing..)?);
    let what = "a line of a quoted scalar begins with a tab";
    (mended != text).then(|| Mended::inserting(mended, Vec::new(), what))
}

/// Writes `\x27` for every `\'` of the scalar in double quotes that opens at `opening`.
fn single_quotes(text: &str, opening: usize) -> Option<Mended> {
    const ESCAPED: &str = "\\'";
    let bytes = text.as_bytes();
    let closing = closing_quote(bytes, opening).filter(|_| bytes.get(opening) == Some(&b'"'))?;
    let mut mended = text.get(..opening)?.to_owned();
    let mut inserted = Vec::new();
    let (mut from, mut at) = (opening, opening);
    while let Some(found) = memchr::memchr(b'\\', bytes.get(at..closing)?) {
        at += found;
        if text.get(at..)?.starts_with(ESCAPED) {
            mended.push_str(text.get(from..at)?);
            mended.push_str("\\x27");
            from = at + ESCAPED.len();
            inserted.push((narrow(from), 2));
        }
        at += 2;
    }
    mended.push_str(text.get(from..)?);
    let what = "`\\'` in double quotes";
    (!inserted.is_empty()).then(|| Mended::inserting(mended, inserted, what))
}

/// Writes U+FFFD for every half of a surrogate pair, as Go's JSON reader does.
fn whole_characters(text: &str) -> Option<Mended> {
    const ESCAPE: usize = 6;
    let bytes = text.as_bytes();
    let unit = |at: usize| {
        let digits = text.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut mended = text.to_owned();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        let next = unit(at + ESCAPE);
        match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(next, Some(0xDC00..=0xDFFF)) => at += 2 * ESCAPE,
            Some(0xD800..=0xDFFF) => {
                mended.replace_range(at..at + ESCAPE, "\\ufffd");
                at += ESCAPE;
            }
            _ => at += 2,
        }
    }
    let what = "half of a surrogate pair becomes U+FFFD";
    Some(Mended::inserting(mended, Vec::new(), what))
}

/// Whether clients read a text as JSON, which they try first.
fn is_json(text: &str) -> bool {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Writes the control characters in strings of JSON as escapes: JSON allows those from U+007F on,
/// YAML none.
fn escape_controls(text: &str) -> Option<Mended> {
    let mut mended = String::with_capacity(text.len());
    let mut inserted = Vec::new();
    let mut total = 0;
    let (mut inside, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        if inside && character.is_control() && !character.is_ascii_whitespace() {
            let escape = format!("\\u{:04x}", u32::from(character));
            let (behind, count) = (at + character.len_utf8(), escape.len() - character.len_utf8());
            inserted.push((narrow(behind), narrow(count)));
            mended.push_str(&escape);
            total += count;
            continue;
        }
        mended.push(character);
        inside ^= character == '"' && !escaped;
        escaped = inside && character == '\\' && !escaped;
    }
    let what = "a control character stands unescaped in a string of JSON";
    let mends = !inserted.is_empty() && total <= MOST_INSERTED;
    mends.then(|| Mended::inserting(mended, inserted, what))
}
