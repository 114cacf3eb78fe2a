//! The texts that were read, and places in them.

use std::sync::OnceLock;

/// Index of a text in [`Files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A byte range of one text. Offsets count from the start of the text; the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// First byte after the range.
    pub end: u32,
}

impl Span {
    /// The empty range at the start of a text, for what concerns the whole of it.
    #[must_use]
    pub const fn start_of(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }

    /// Whether `other` lies inside this range.
    #[must_use]
    pub fn contains(&self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// A place for people: both numbers are 1-based, the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A text and its name as printed.
#[derive(Debug)]
pub struct File {
    name: String,
    text: String,
    lines: OnceLock<Vec<u32>>,
    /// Characters and UTF-16 units before each [`STRETCH`] of bytes.
    counts: OnceLock<Vec<Count>>,
}

/// Bytes between two places up to which characters are counted once. Lines are mostly shorter.
const STRETCH: usize = 4096;

/// How many characters begin in a part of a text, and how many UTF-16 code units they are.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    characters: u32,
    units: u32,
}

impl Count {
    fn of(bytes: &[u8]) -> Self {
        let begin = bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        // Characters of four bytes are two units, all others one.
        let pairs = bytes.iter().filter(|byte| **byte >= 0xF0).count();
        Self { characters: narrow(begin), units: narrow(begin + pairs) }
    }

    const fn plus(self, other: Self) -> Self {
        let (characters, units) = (self.characters + other.characters, self.units + other.units);
        Self { characters, units }
    }
}

impl File {
    /// Keeps a text under the name that outputs print, with `/` between its parts.
    #[must_use]
    pub fn new(name: String, text: String) -> Self {
        Self { name, text, lines: OnceLock::new(), counts: OnceLock::new() }
    }

    /// The name as printed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is what another program rendered, and no file that a person could open.
    #[must_use]
    pub fn is_rendered(&self) -> bool {
        self.name.starts_with("rendered:")
    }

    /// The kept text. Values of Secrets are overwritten in it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn line_starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let newlines = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(newlines.map(|i| narrow(i) + 1)).collect()
        })
    }

    /// Number of the line that holds `offset`, from 0.
    #[must_use]
    pub fn line_index(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Numbers of the lines that a span of this file touches, from 0.
    #[must_use]
    pub fn lines_of(&self, span: Span) -> std::ops::RangeInclusive<usize> {
        let last = span.end.saturating_sub(1).max(span.start);
        self.line_index(span.start)..=self.line_index(last)
    }

    /// Byte range of a line by its number from 0, without its line break.
    #[must_use]
    pub fn line_range(&self, index: usize) -> (u32, u32) {
        let starts = self.line_starts();
        let start = starts.get(index).copied().unwrap_or_else(|| narrow(self.text.len()));
        let end = starts.get(index + 1).map_or_else(|| narrow(self.text.len()), |next| next - 1);
        (start, end.max(start))
    }

    /// Line and column of a byte.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_index(offset);
        let (start, _) = self.line_range(line);
        Position { line: narrow(line) + 1, column: self.between(start, offset).characters + 1 }
    }

    /// Column in UTF-16 code units, from 1, as SARIF wants it.
    #[must_use]
    pub fn utf16_column(&self, offset: u32) -> u32 {
        let (start, _) = self.line_range(self.line_index(offset));
        self.between(start, offset).units + 1
    }

    /// What begins between two bytes. They may be as far apart as a file is long.
    fn between(&self, start: u32, end: u32) -> Count {
        let (start, end) = (start as usize, (end as usize).min(self.text.len()));
        if end.saturating_sub(start) <= STRETCH {
            return Count::of(self.text.as_bytes().get(start..end).unwrap_or_default());
        }
        let (before, all) = (self.before(start), self.before(end));
        let characters = all.characters.saturating_sub(before.characters);
        Count { characters, units: all.units.saturating_sub(before.units) }
    }

    fn before(&self, offset: usize) -> Count {
        let counts = self.counts.get_or_init(|| {
            let mut sum = Count::default();
            let sums = self.text.as_bytes().chunks(STRETCH).map(|stretch| {
                sum = sum.plus(Count::of(stretch));
                sum
            });
            std::iter::once(Count::default()).chain(sums).collect()
        });
        let stretch = offset / STRETCH;
        let rest = self.text.as_bytes().get(stretch * STRETCH..offset).unwrap_or_default();
        counts.get(stretch).copied().unwrap_or_default().plus(Count::of(rest))
    }
}

/// All texts of a run.
#[derive(Debug, Default)]
pub struct Files(Vec<File>);

impl Files {
    /// Takes the texts; a [`FileId`] is a place in this list.
    #[must_use]
    pub fn new(files: Vec<File>) -> Self {
        Self(files)
    }

    /// The text of an id.
    ///
    /// # Panics
    /// Never for ids of the same run: every id is made together with its text.
    #[must_use]
    pub fn get(&self, id: FileId) -> &File {
        self.0.get(id.0 as usize).expect("an id is made together with its text")
    }

    /// The source text of a span, as kept.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        slice(self.get(span.file).text(), span.start, span.end)
    }

    /// Number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The part of `text` between two bytes; empty where the range does not fit.
pub(crate) fn slice(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

/// The character that a byte belongs to; nothing where the text ends.
pub(super) fn character(file: FileId, text: &str, at: u32) -> Span {
    let start = text.floor_char_boundary(at as usize);
    let length = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Span { file, start: narrow(start), end: narrow(start + length) }
}

/// Offsets fit in 32 bits because a text is limited to far less (safety: 64 MiB).
pub(crate) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{File, Position};

    #[test]
    fn a_line_of_many_stretches_is_counted_like_a_short_one() {
        let file = File::new("a.yaml".into(), format!("a\n{}x", "\u{1f600}\u{e9}".repeat(5_000)));
        let x = 2 + 6 * 5_000;
        assert_eq!(file.position(x), Position { line: 2, column: 10_001 });
        assert_eq!(file.utf16_column(x), 15_001);
    }

    #[test]
    fn columns_count_characters_for_people_and_utf16_units_for_sarif() {
        let file = File::new("a.yaml".into(), "a: 1\nb: \u{1f600}x\r\nc".into());
        let x = 12; // behind the emoji of four bytes
        assert_eq!(file.position(x), Position { line: 2, column: 5 });
        assert_eq!(file.utf16_column(x), 6);
        assert_eq!(file.position(15), Position { line: 3, column: 1 });
        assert_eq!(file.line_range(1), (5, 14));
    }
}
