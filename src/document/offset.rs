//! From the bytes that the parser saw back to the bytes of the file.
//!
//! The two differ by a shift for an ordinary document, by stripped prefixes for a fence or a
//! heredoc, by inserted blanks where a quoted scalar was repaired, and by shorter line breaks.

use std::sync::Arc;

/// Maps offsets of a parsed text to offsets of its file.
#[derive(Clone, Debug)]
pub(crate) enum OffsetMap {
    /// The text is a part of the file that begins here.
    Shift(u32),
    /// Stretches of a text, and how many bytes of that text lie before the part at hand. They are
    /// shared, because a fence may hold as many documents as lines.
    Pieces {
        /// `(offset in the text, offset in the file)`, sorted by the first.
        pieces: Arc<[(u32, u32)]>,
        /// Where the part at hand begins in the text.
        skipped: u32,
    },
}

impl OffsetMap {
    /// The map of a text that consists of these stretches.
    pub(crate) fn pieces(pieces: Vec<(u32, u32)>) -> Self {
        Self::Pieces { pieces: pieces.into(), skipped: 0 }
    }

    /// Place of the byte at `offset`.
    pub(crate) fn start(&self, offset: u32) -> u32 {
        match self {
            Self::Shift(base) => base + offset,
            Self::Pieces { pieces, skipped } => {
                let offset = offset + skipped;
                let after = pieces.partition_point(|(local, _)| *local <= offset);
                let piece = after.checked_sub(1).and_then(|i| pieces.get(i));
                piece.map_or(offset, |(local, origin)| origin + (offset - local))
            }
        }
    }

    /// Place behind the byte before `offset`: an end that touches a stripped prefix stays before it.
    pub(crate) fn end(&self, offset: u32) -> u32 {
        match self {
            Self::Shift(base) => base + offset,
            Self::Pieces { .. } if offset > 0 => self.start(offset - 1) + 1,
            Self::Pieces { .. } => self.start(0),
        }
    }

    /// The map of a part of the text that begins at `from`.
    pub(crate) fn from(&self, from: u32) -> Self {
        match self {
            Self::Shift(base) => Self::Shift(base + from),
            Self::Pieces { pieces, skipped } => {
                Self::Pieces { pieces: Arc::clone(pieces), skipped: skipped + from }
            }
        }
    }

    /// The map of a text that was made from this one: `edits` are stretches
    /// `(offset in the new text, offset in this text)`, sorted, the first of them at zero.
    pub(crate) fn edited(&self, edits: &[(u32, u32)]) -> Self {
        let Self::Pieces { pieces, skipped } = self else {
            let moved = edits.iter().map(|(new, old)| (*new, self.start(*old)));
            return Self::pieces(moved.collect());
        };
        let mut moved = Vec::with_capacity(edits.len() + pieces.len());
        for (i, (new, old)) in edits.iter().enumerate() {
            moved.push((*new, self.start(*old)));
            let length = edits.get(i + 1).map_or(u32::MAX, |(next, _)| next - new);
            let from = old + skipped;
            let first = pieces.partition_point(|(local, _)| *local <= from);
            let inside = pieces.get(first..).unwrap_or_default().iter();
            let inside = inside.take_while(|(local, _)| local - from < length);
            moved.extend(inside.map(|(local, origin)| (new + (local - from), *origin)));
        }
        Self::pieces(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::OffsetMap;

    #[test]
    fn stripped_prefixes_and_edits_are_undone() {
        // File: "> ab\n> cd", text: "ab\ncd".
        let fence = OffsetMap::pieces(vec![(0, 2), (3, 7)]);
        assert_eq!([fence.start(0), fence.start(1), fence.start(3), fence.start(4)], [2, 3, 7, 8]);
        assert_eq!(fence.end(3), 5, "the end of a line does not run into the next prefix");
        assert_eq!(fence.from(3).start(1), 8);
        assert_eq!(fence.from(1).from(2).start(1), 8, "parts of parts");

        // Two blanks inserted before "cd": "ab\n  cd".
        let repaired = fence.edited(&[(0, 0), (5, 3)]);
        assert_eq!([repaired.start(1), repaired.start(5), repaired.start(6)], [3, 7, 8]);

        // A character of three bytes behind "a" became a line break of one.
        let shorter = OffsetMap::Shift(10).edited(&[(0, 0), (2, 4)]);
        assert_eq!([shorter.start(1), shorter.start(2), shorter.end(3)], [11, 14, 15]);
    }
}
