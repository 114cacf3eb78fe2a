//! From the bytes that the parser saw back to the bytes of the file.
//!
//! The two differ by a shift for an ordinary document, by stripped prefixes for a fence or a
//! heredoc, and by inserted blanks where a quoted scalar was repaired.

use super::files::narrow;

/// Maps offsets of a parsed text to offsets of its file.
#[derive(Clone, Debug)]
pub(crate) enum OffsetMap {
    /// The text is a part of the file that begins here.
    Shift(u32),
    /// Stretches `(offset in the text, offset in the file)`, sorted by the first.
    Pieces(Vec<(u32, u32)>),
}

impl OffsetMap {
    /// Place of the byte at `offset`.
    pub(crate) fn start(&self, offset: u32) -> u32 {
        match self {
            Self::Shift(base) => base + offset,
            Self::Pieces(pieces) => {
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
            Self::Pieces(_) if offset > 0 => self.start(offset - 1) + 1,
            Self::Pieces(_) => self.start(0),
        }
    }

    /// The map of a part of the text that begins at `from`.
    pub(crate) fn from(&self, from: u32) -> Self {
        match self {
            Self::Shift(base) => Self::Shift(base + from),
            Self::Pieces(pieces) => {
                let first = (0, self.start(from));
                let behind = pieces.iter().filter(|(local, _)| *local > from);
                Self::Pieces(
                    std::iter::once(first).chain(behind.map(|(l, o)| (l - from, *o))).collect(),
                )
            }
        }
    }

    /// The map of a text into which `count` bytes were inserted before each of `at` (sorted).
    pub(crate) fn with_insertions(&self, at: &[u32], count: u32, length: usize) -> Self {
        let mut pieces = Vec::new();
        let mut inserted = 0;
        let boundaries = std::iter::once(0).chain(at.iter().copied());
        let old = match self {
            Self::Shift(base) => vec![(0, *base)],
            Self::Pieces(pieces) => pieces.clone(),
        };
        for (i, boundary) in boundaries.enumerate() {
            if i > 0 {
                pieces.push((boundary + inserted, self.start(boundary)));
                inserted += count;
            }
            let end = at.get(i).copied().unwrap_or_else(|| narrow(length) + 1);
            pieces.push((boundary + inserted, self.start(boundary)));
            for (local, origin) in old.iter().filter(|(local, _)| *local > boundary && *local < end)
            {
                pieces.push((local + inserted, *origin));
            }
        }
        Self::Pieces(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::OffsetMap;

    #[test]
    fn stripped_prefixes_and_insertions_are_undone() {
        // File: "> ab\n> cd", text: "ab\ncd".
        let fence = OffsetMap::Pieces(vec![(0, 2), (3, 7)]);
        assert_eq!([fence.start(0), fence.start(1), fence.start(3), fence.start(4)], [2, 3, 7, 8]);
        assert_eq!(fence.end(3), 5, "the end of a line does not run into the next prefix");
        assert_eq!(fence.from(3).start(1), 8);

        // Two blanks inserted before "cd": "ab\n  cd".
        let repaired = fence.with_insertions(&[3], 2, 5);
        assert_eq!([repaired.start(1), repaired.start(5), repaired.start(6)], [3, 7, 8]);
    }
}
