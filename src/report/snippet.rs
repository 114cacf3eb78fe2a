//! Source text for miette: of a file only the lines around its labels, each cut to the width of the
//! report, with nothing in them that could steer a terminal.

use std::collections::{BTreeMap, BTreeSet};

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::layout::{columns, columns_of, wrap};
use crate::document::{File, Span};

/// A tab reaches to the next multiple of this.
const TAB: usize = 4;
/// Columns that a label has at least, even at the end of a long line.
const LABEL: usize = 36;
/// What stands before a label in a line that is cut.
const BEFORE: usize = 16;
/// What leads from a place to its label's text.
const ARM: usize = 4;

/// A place of a file and what is to be said there.
pub(super) struct Mark<'b> {
    pub(super) span: Span,
    pub(super) text: &'b str,
    pub(super) primary: bool,
}

/// The lines of a file that a block shows.
#[derive(Debug)]
pub(super) struct Excerpt<'f> {
    name: &'f str,
    text: String,
    lines: Vec<Shown>,
    labels: Vec<Label>,
}

/// A line of the excerpt.
#[derive(Debug)]
struct Shown {
    /// Its number in the file, from 0.
    number: usize,
    /// Where it begins and ends in the text of the excerpt; the end is behind the line break.
    start: usize,
    end: usize,
}

/// A label in the excerpt.
#[derive(Debug)]
struct Label {
    start: usize,
    length: usize,
    text: String,
    primary: bool,
    /// Column of the place in the file, from 0, in characters.
    column: usize,
}

/// A character as shown.
struct Glyph {
    /// Where it stands in the line.
    at: usize,
    shown: char,
    /// First column, from 0.
    column: usize,
    wide: usize,
}

/// Part of a line that is labelled: bytes of the line, ends excluded.
struct Part {
    start: usize,
    end: usize,
    texts: Vec<String>,
    primary: bool,
    column: usize,
}

impl<'f> Excerpt<'f> {
    /// The lines around the marks, as many as `width` columns can show of each.
    pub(super) fn new(file: &'f File, marks: &[Mark<'_>], width: usize) -> Self {
        let mut parts: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
        for mark in marks {
            let (number, part) = part_of(file, mark);
            parts.entry(number).or_default().push(part);
        }
        let mut numbers = BTreeSet::new();
        let last = last_line(file);
        for number in parts.keys() {
            numbers.extend(number.saturating_sub(1)..=(number + 1).min(last.max(*number)));
        }
        let digits = numbers.last().map_or(1, |number| (number + 1).to_string().len());
        // A blank, the number, and the gutter.
        let room = width.saturating_sub(digits + 4);
        let mut excerpt =
            Self { name: file.name(), text: String::new(), lines: Vec::new(), labels: Vec::new() };
        for number in numbers {
            let own = parts.remove(&number).map(apart).unwrap_or_default();
            excerpt.add(number, line_of(file, number), own, room);
        }
        excerpt
    }

    /// The labels, as miette wants them.
    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        self.labels.iter().map(|label| {
            let (text, place) = (Some(label.text.clone()), (label.start, label.length));
            match label.primary {
                true => LabeledSpan::new_primary_with_span(text, place),
                false => LabeledSpan::new_with_span(text, place),
            }
        })
    }

    /// Adds a line: the part of it that fits, with its labels.
    fn add(&mut self, number: usize, line: &str, mut parts: Vec<Part>, room: usize) {
        let near = parts.first().map_or(0, |part| part.start);
        let (skipped, line, more) = piece(line, near, room);
        for part in &mut parts {
            part.start = part.start.saturating_sub(skipped).min(line.len());
            part.end = part.end.saturating_sub(skipped).min(line.len());
        }
        let glyphs = glyphs(line);
        let total = glyphs.last().map_or(0, |glyph| glyph.column + glyph.wide);
        let from = first_column(&glyphs, total, &parts, room);
        let cut_left = skipped > 0 || from > 0;
        let cut_right = more || total - from.min(total) + usize::from(cut_left) > room;
        let last = from + room.saturating_sub(usize::from(cut_left) + usize::from(cut_right));
        let begin = self.text.len();
        if cut_left {
            self.text.push('\u{2026}');
        }
        let mut offsets: Vec<(usize, usize)> = Vec::new();
        for glyph in glyphs.iter().filter(|glyph| glyph.column >= from) {
            if glyph.column + glyph.wide > last {
                break;
            }
            offsets.push((glyph.at, self.text.len()));
            match glyph.shown {
                '\t' => self.text.extend(std::iter::repeat_n(' ', glyph.wide)),
                shown => self.text.push(shown),
            }
        }
        let behind = self.text.len();
        if cut_right {
            self.text.push('\u{2026}');
        }
        let offset_of = |at: usize| {
            let shown = offsets.partition_point(|(raw, _)| *raw < at);
            offsets.get(shown).map_or(behind, |(_, shown)| *shown)
        };
        let mut placed = Vec::with_capacity(parts.len());
        for Part { start, end, texts, primary, column } in parts {
            let start = offset_of(start);
            let length = offset_of(end).saturating_sub(start);
            let width = |from, to| columns(self.text.get(from..to).unwrap_or_default());
            let pointer = width(begin, start) + width(start, start + length) / 2;
            let text = wrapped(&texts, room.saturating_sub(pointer + ARM));
            placed.push(Label { start, length, text, primary, column });
        }
        if placed.iter().any(|label| label.length == 0 && label.start == self.text.len()) {
            self.text.push(' ');
        }
        self.labels.extend(placed);
        self.text.push('\n');
        self.lines.push(Shown { number, start: begin, end: self.text.len() });
    }
}

/// The part of a very long line that is looked at, how many bytes stand before it, and whether some
/// stand behind it.
fn piece(line: &str, near: usize, room: usize) -> (usize, &str, bool) {
    /// Bytes of one column, at most: a character with combining ones.
    const BYTES: usize = 16;
    let most = (room + BEFORE) * BYTES;
    if line.len() <= 2 * most {
        return (0, line, false);
    }
    let from = line.floor_char_boundary(near.saturating_sub(2 * BEFORE));
    let to = line.floor_char_boundary((from + most).min(line.len()));
    (from, line.get(from..to).unwrap_or_default(), to < line.len())
}

/// The first column that is shown: as far to the left as the texts of the labels allow.
fn first_column(glyphs: &[Glyph], total: usize, parts: &[Part], room: usize) -> usize {
    let Some(first) = parts.first() else { return 0 };
    let column_at = |at: usize| {
        let glyph = glyphs.get(glyphs.partition_point(|glyph| glyph.at < at));
        glyph.map_or(total, |glyph| glyph.column)
    };
    let half = |part: &Part| column_at(part.end).saturating_sub(column_at(part.start)) / 2;
    let behind = |part: &Part| {
        let text: usize = part.texts.iter().map(|text| columns(text) + 2).sum();
        let said = column_at(part.start) + half(part) + ARM + text.min(LABEL);
        said.max(column_at(part.end))
    };
    let last = parts.iter().map(behind).max().unwrap_or(0);
    if last <= room {
        return 0;
    }
    // In narrow columns the text needs what would stand before the label.
    let spare = room.saturating_sub(1 + half(first) + ARM + narrowest(&first.texts));
    let nearest = column_at(first.start).saturating_sub(BEFORE.min(spare));
    nearest.min(last + 2 - room)
}

/// Columns that the text of a label has at least: those of its longest word, and some.
fn narrowest(texts: &[String]) -> usize {
    let words = texts.iter().flat_map(|text| text.split(' '));
    words.map(|word| columns(word) + 1).max().unwrap_or(0).clamp(LABEL - 12, LABEL)
}

/// The texts of a label, one below the other where they do not fit beside each other.
fn wrapped(texts: &[String], room: usize) -> String {
    wrap(&texts.join("; "), room.max(LABEL - 12)).join("\n")
}

fn last_line(file: &File) -> usize {
    let text = file.text();
    let end = u32::try_from(text.strip_suffix('\n').unwrap_or(text).len()).unwrap_or(u32::MAX);
    file.line_index(end)
}

/// A line without its break and the blanks before it.
fn line_of(file: &File, number: usize) -> &str {
    let (start, end) = file.line_range(number);
    file.text().get(start as usize..end as usize).unwrap_or_default().trim_end()
}

/// The line of a mark, and what of it is marked: of a place of several lines the first one.
fn part_of(file: &File, mark: &Mark<'_>) -> (usize, Part) {
    let number = file.line_index(mark.span.start);
    let (line_start, _) = file.line_range(number);
    let line = line_of(file, number);
    let within = |offset: u32| (offset.saturating_sub(line_start) as usize).min(line.len());
    let (start, end) = (within(mark.span.start), within(mark.span.end));
    let column = file.position(mark.span.start).column.saturating_sub(1) as usize;
    let texts = vec![mark.text.to_owned()];
    (number, Part { start, end: end.max(start), texts, primary: mark.primary, column })
}

/// Marks of one line side by side: carets under the same columns would hide each other, so an outer
/// mark ends where an inner one begins, and equal ones are one.
fn apart(mut parts: Vec<Part>) -> Vec<Part> {
    parts.sort_by_key(|part| (part.start, part.end, !part.primary));
    let mut kept: Vec<Part> = Vec::new();
    for mut part in parts {
        if let Some(before) = kept.last_mut()
            && (part.start < before.end || part.start == before.start)
        {
            if part.start > before.start {
                before.end = part.start;
            } else if part.end > before.end {
                part.start = before.end;
            } else {
                before.texts.append(&mut part.texts);
                before.primary |= part.primary;
                continue;
            }
        }
        kept.push(part);
    }
    kept
}

/// The characters of a line as a terminal may show them.
fn glyphs(line: &str) -> Vec<Glyph> {
    let mut column = 0;
    line.char_indices()
        .map(|(at, c)| {
            let shown = match c {
                '\t' => c,
                c if crate::document::harmful(c) => '\u{FFFD}',
                c => c,
            };
            let wide = if c == '\t' { TAB - column % TAB } else { columns_of(shown) };
            let glyph = Glyph { at, shown, column, wide };
            column += wide;
            glyph
        })
        .collect()
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let holds =
            |at: usize| self.lines.iter().position(|line| line.start <= at && at < line.end);
        let first = holds(span.offset()).ok_or(MietteError::OutOfBounds)?;
        let last = holds(span.offset() + span.len()).ok_or(MietteError::OutOfBounds)?;
        let number = |at: usize| self.lines.get(at).map(|line| line.number);
        let follows =
            |at: usize| number(at).is_some() && number(at) == number(at - 1).map(|n| n + 1);
        // Lines that are far apart in the file do not become one snippet.
        if (first + 1..=last).any(|at| !follows(at)) {
            return Err(MietteError::OutOfBounds);
        }
        let mut from = first;
        while from > 0 && first - from < before && follows(from) {
            from -= 1;
        }
        let mut to = last;
        while to - last < after && follows(to + 1) {
            to += 1;
        }
        let (Some(head), Some(tail)) = (self.lines.get(from), self.lines.get(to)) else {
            return Err(MietteError::OutOfBounds);
        };
        let data = self.text.get(head.start..tail.end).unwrap_or_default().as_bytes();
        let label = self.labels.iter().find(|label| label.start == span.offset());
        let column = label.filter(|_| before == 0).map_or(0, |label| label.column);
        let place = SourceSpan::from((head.start, data.len()));
        let name = self.name.to_owned();
        let (line, lines) = (head.number, to - from + 1);
        Ok(Box::new(MietteSpanContents::new_named(name, data, place, line, column, lines)))
    }
}
