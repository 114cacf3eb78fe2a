//! Reads one document: what clients read and the parser refuses is repaired, and what nobody reads
//! is refused in words that help.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::files::{FileId, Span, narrow};
use super::offset::OffsetMap;
use super::repair::{self, Budget};
use super::tree::Tree;
use super::yaml::{Comment, Stop, build};
use super::{Limits, breaks, wording};

/// One document's text and how to read it.
#[derive(Clone)]
pub(super) struct Input<'t> {
    /// The text as it is written in the file.
    pub(super) original: &'t str,
    /// Whether it begins as JSON does.
    pub(super) json: bool,
    /// The text to parse: the original one, or what mending made of it.
    pub(super) text: Cow<'t, str>,
    pub(super) file: FileId,
    pub(super) map: OffsetMap,
    pub(super) limits: &'t Limits,
    /// Whether comments are kept; only documents that may hold a waiver or expectation need them.
    pub(super) comments: bool,
    /// Whether a CustomResourceDefinition is read beyond its names.
    pub(super) crd_schemas: bool,
}

impl<'t> Input<'t> {
    /// A text as it is written in a file, without comments and with everything else.
    pub(super) fn new(text: &'t str, file: FileId, map: OffsetMap, limits: &'t Limits) -> Self {
        let json = text.trim_start().starts_with('{');
        let (original, text) = (text, Cow::Borrowed(text));
        Self { original, json, text, file, map, limits, comments: false, crd_schemas: true }
    }
}

/// What was done to a text before it is parsed.
#[derive(Default)]
pub(super) struct Edits {
    /// Line breaks that only YAML 1.1 knows, written as line feeds.
    pub(super) breaks: breaks::Unified,
    /// Places of blanks inserted on the assumption that a quoted scalar stands there.
    pub(super) assumed: Vec<u32>,
}

/// A key that occurs twice in one map.
#[derive(Clone, Debug)]
pub(super) struct Duplicate {
    pub(super) key: String,
    pub(super) first: Span,
    pub(super) second: Span,
}

/// What reading one document gave.
pub(super) struct Output {
    /// The tree, or `None` for a document without content.
    pub(super) tree: Option<Tree>,
    pub(super) comments: Vec<Comment>,
    pub(super) duplicates: Vec<Duplicate>,
    /// Deviations that were mended: place and what was done.
    pub(super) repairs: Vec<(u32, &'static str)>,
    /// Where the text begins that follows the document in its piece, which clients never see.
    pub(super) dropped: Option<u32>,
}

/// Why a document could not be read. Offsets are those of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reject {
    /// Not YAML, or YAML that clients refuse.
    Syntax { at: u32, reason: String, help: &'static str },
    /// An unrendered template.
    Template { at: u32 },
    /// Aliases that multiply the document beyond the limit.
    Expansion { at: u32 },
    /// More anchors and aliases than the limit.
    Anchors { at: u32 },
}

impl Reject {
    pub(super) fn syntax(at: u32, reason: impl Into<String>, help: &'static str) -> Self {
        Self::Syntax { at, reason: reason.into(), help }
    }
}

/// Reads one document. What clients read and the parser refuses is repaired first.
pub(super) fn read(input: Input<'_>) -> Result<Output, Reject> {
    let again = input.clone();
    match read_with(input, Budget::new()) {
        Attempt::Done(result) => result,
        // Something only looked like a quoted scalar: now one repair at a time.
        Attempt::Assumed => match read_with(again, Budget::one_by_one()) {
            Attempt::Done(result) => result,
            Attempt::Assumed => Err(Reject::syntax(
                0,
                "a quoted scalar continues left of its key",
                "indent its lines",
            )),
        },
    }
}

enum Attempt {
    Done(Result<Output, Reject>),
    /// Blanks were inserted where no quoted scalar stood.
    Assumed,
}

fn read_with(mut input: Input<'_>, mut budget: Budget) -> Attempt {
    let first_map = input.map.clone();
    let mut keep = BTreeSet::new();
    let mut repairs = Vec::new();
    let mut edits = Edits::default();
    let mut restart = breaks::has(input.original);
    loop {
        if std::mem::take(&mut restart) {
            repairs.clear();
            edits = Edits { breaks: breaks::unify(input.original, &keep), assumed: Vec::new() };
            input.map = first_map.edited(&edits.breaks.edits);
            input.text = Cow::Owned(std::mem::take(&mut edits.breaks.text));
        }
        let (error, in_flow) = match build(&input, &edits) {
            Ok((mut output, seen)) => {
                if !seen.quoted.is_empty() && budget.spend(input.text.len()).is_some() {
                    keep.extend(seen.quoted);
                    restart = true;
                    continue;
                }
                let wanted = edits.assumed.len() + edits.breaks.kept.len();
                if !seen.stopped && seen.assumed < wanted {
                    return Attempt::Assumed;
                }
                let place = seen.line_end.map(|at| (first_map.start(at), breaks::WHAT));
                output.repairs = place.into_iter().chain(repairs).collect();
                return Attempt::Done(Ok(output));
            }
            Err(Stop::Reject(reject)) => return Attempt::Done(Err(reject)),
            Err(Stop::Parser { error, in_flow }) => (error, in_flow),
        };
        let at = error.marker().byte_offset().unwrap_or(0);
        let quoted = edits.quoted_breaks(&input, at, budget.ahead);
        if !quoted.is_empty() && budget.spend(at).is_some() {
            keep.extend(quoted);
            restart = true;
            continue;
        }
        let Some(mended) = repair::mend(&input, &error, in_flow, &mut budget) else {
            return Attempt::Done(Err(as_template(&input, at).unwrap_or_else(|| {
                let wording = wording::of(&error, &input.text);
                let at = input.map.start(narrow(wording.at));
                Reject::syntax(at, wording.reason, wording.help)
            })));
        };
        repairs.push((input.map.start(narrow(at)), mended.what));
        if !mended.inserted.is_empty() {
            edits.insert(&mended.inserted, mended.in_quotes);
            input.map = input.map.edited(&behind(&mended.inserted));
        }
        input.text = Cow::Owned(mended.text);
    }
}

/// The stretches of a text into which blanks were inserted.
fn behind(inserted: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut total = 0;
    let stretches = inserted.iter().map(|(at, count)| {
        total += count;
        (at + total, *at)
    });
    std::iter::once((0, 0)).chain(stretches).collect()
}

impl Edits {
    /// Breaks inside the quoted scalar that is open at `at`, by their places in the original; in
    /// JSON also those inside later strings.
    fn quoted_breaks(&self, input: &Input<'_>, at: usize, ahead: bool) -> Vec<u32> {
        let made = &self.breaks.made;
        let opening = (!made.is_empty()).then(|| repair::opening(&input.text, at)).flatten();
        let Some(opening) = opening else { return Vec::new() };
        let closing = repair::closing_quote(input.text.as_bytes(), opening);
        let Some(closing) = closing else { return Vec::new() };
        let inside = |(new, _): &&(u32, u32)| (opening..closing).contains(&(*new as usize));
        let mut found: Vec<u32> = made.iter().filter(inside).map(|(_, old)| *old).collect();
        if ahead && !found.is_empty() && input.json {
            let last = made.iter().rfind(inside).map_or(0, |(_, old)| *old as usize);
            let rest = input.original.get(last..).and_then(|rest| rest.find('"'));
            found.extend(
                rest.map(|end| breaks::in_strings(input.original, last + end + 1))
                    .unwrap_or_default(),
            );
        }
        found
    }

    /// Notes insertions, and moves what lies behind them.
    fn insert(&mut self, inserted: &[(u32, u32)], in_quotes: bool) {
        let mut moved = self.assumed.clone();
        moved.extend(inserted.iter().filter(|_| in_quotes).map(|(at, _)| at));
        moved.sort_unstable();
        let mut lists = [&mut moved, &mut self.breaks.kept];
        for list in &mut lists {
            shift(list.iter_mut(), inserted);
        }
        shift(self.breaks.made.iter_mut().map(|(new, _)| new), inserted);
        self.assumed = moved;
    }
}

/// Moves sorted offsets behind what was inserted at or before them.
fn shift<'o>(offsets: impl Iterator<Item = &'o mut u32>, inserted: &[(u32, u32)]) {
    let mut total = 0;
    let mut next = inserted.iter().peekable();
    for offset in offsets {
        while let Some((_, count)) = next.next_if(|(at, _)| at <= offset) {
            total += count;
        }
        *offset += total;
    }
}

/// A syntax error on a line with template markers is an unrendered template, not a mistake.
fn as_template(input: &Input<'_>, at: usize) -> Option<Reject> {
    let text = input.text.as_ref();
    let at = at.min(text.len());
    let start = text.as_bytes().get(..at)?.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let end = memchr::memchr(b'\n', text.as_bytes().get(at..)?).map_or(text.len(), |i| at + i);
    // The parser may notice only one line later that a template line was no entry of the map.
    let before = repair::line_start(text, start.saturating_sub(1));
    let marker = |from: usize, to: usize| {
        let line = text.get(from..to)?;
        let found = [line.find("{{"), line.find("{%")].into_iter().flatten().min()?;
        Some(from + found)
    };
    let found = marker(start, end).or_else(|| marker(before, start))?;
    Some(Reject::Template { at: input.map.start(narrow(found)) })
}

/// What a reading tells about the edits of its text.
#[derive(Default)]
pub(super) struct Seen {
    /// Assumed places and kept breaks that do lie in quoted scalars.
    pub(super) assumed: usize,
    /// Made line feeds that were passed.
    pub(super) breaks: usize,
    /// Those of them in quoted scalars, by their places in the original text.
    pub(super) quoted: Vec<u32>,
    /// The first one outside of quotes, by its place in the original text.
    pub(super) line_end: Option<u32>,
    /// Whether the reading ended before the text did.
    pub(super) stopped: bool,
}
