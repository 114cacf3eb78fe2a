//! From the text of one document to its span tree.
//!
//! granit-parser reads the syntax; this module adds what Kubernetes clients do with it: scalars of
//! the dialect, merge keys, the last of two equal keys, and refusal of what they refuse.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{
    Event, Parser, ScalarStyle, Span as ParserSpan, StrInput, StructureStyle, Tag,
};

use super::files::{FileId, Span, narrow};
use super::offset::OffsetMap;
use super::repair;
use super::scalar::{self, Plain};
use super::tree::{Entry, Role, Slot, Style, Text, Tree};
use super::{Limits, text::excerpt};

/// Comments that may be buffered: as many as a file can hold, because the file size is the limit.
const COMMENTS: usize = 1 << 20;

/// One document's text and how to read it.
pub(super) struct Input<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) file: FileId,
    pub(super) map: OffsetMap,
    pub(super) limits: &'t Limits,
    /// Whether comments are kept; only documents that may hold a waiver or expectation need them.
    pub(super) comments: bool,
    /// Whether a CustomResourceDefinition is read beyond its names.
    pub(super) crd_schemas: bool,
}

/// A comment and its place; the text is what stands behind `#`.
#[derive(Clone, Debug)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub span: Span,
    /// What stands behind `#`.
    pub text: String,
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
}

/// Why a document could not be read. Offsets are those of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reject {
    /// Not YAML, or YAML that clients refuse.
    Syntax { at: u32, reason: String },
    /// An unrendered template.
    Template { at: u32 },
    /// Aliases that multiply the document beyond the limit.
    Expansion { at: u32 },
    /// More anchors and aliases than the limit.
    Anchors { at: u32 },
}

impl Reject {
    pub(super) fn syntax(at: u32, reason: impl Into<String>) -> Self {
        Self::Syntax { at, reason: reason.into() }
    }
}

/// Reads one document. What clients read and the parser refuses is repaired first.
pub(super) fn read(mut input: Input<'_>) -> Result<Output, Reject> {
    let mut repairs = Vec::new();
    let mut budget = repair::Budget::new();
    loop {
        let stop = match build(&input) {
            Ok(mut output) => {
                output.repairs = repairs;
                return Ok(output);
            }
            Err(stop) => stop,
        };
        let (error, in_flow) = match stop {
            Stop::Reject(reject) => return Err(reject),
            Stop::Parser { error, in_flow } => (error, in_flow),
        };
        let at = error.marker().byte_offset().unwrap_or(0);
        let Some(mended) = repair::mend(&input.text, &error, in_flow, &mut budget) else {
            let reason = repair::in_own_words(&error);
            return Err(as_template(&input, at)
                .unwrap_or_else(|| Reject::syntax(input.map.start(narrow(at)), reason)));
        };
        repairs.push((input.map.start(narrow(at)), mended.what));
        input.map = match mended.inserted {
            Some((lines, count)) => input.map.with_insertions(&lines, count, input.text.len()),
            None => input.map,
        };
        input.text = Cow::Owned(mended.text);
    }
}

/// A syntax error on a line with template markers is an unrendered template, not a mistake.
fn as_template(input: &Input<'_>, at: usize) -> Option<Reject> {
    let text = input.text.as_ref();
    let at = at.min(text.len());
    let start = text.as_bytes().get(..at)?.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let end = memchr::memchr(b'\n', text.as_bytes().get(at..)?).map_or(text.len(), |i| at + i);
    let line = text.get(start..end)?;
    let marked = |s: &str| s.contains("{{") || s.contains("{%");
    // The parser may notice only one line later that a template line was no entry of the map.
    let before = text.get(..start)?.lines().next_back().unwrap_or_default();
    (marked(line) || marked(before))
        .then(|| Reject::Template { at: input.map.start(narrow(start)) })
}

/// Why no tree came out.
enum Stop {
    Reject(Reject),
    Parser { error: granit_parser::ScanError, in_flow: bool },
}

/// Why the builder takes no more events.
pub(super) enum Halt {
    Reject(Reject),
    /// Everything wanted of a CustomResourceDefinition has been read.
    Enough,
}

impl From<Reject> for Halt {
    fn from(reject: Reject) -> Self {
        Self::Reject(reject)
    }
}

fn build(input: &Input<'_>) -> Result<Output, Stop> {
    let mut options = granit_parser::options! {
        emit_comments: input.comments,
        max_buffered_comment_events: COMMENTS,
    };
    options.set_emit_comments(input.comments);
    let mut parser: Parser<'_, StrInput<'_>> =
        Parser::new_from_str_with_options(input.text.as_ref(), options);
    let mut builder = Builder::new(input);
    while let Some(next) = parser.next_event() {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                return Err(Stop::Parser { error, in_flow: builder.in_flow() });
            }
        };
        match builder.take(event, span) {
            Ok(()) => {}
            Err(Halt::Enough) => {
                builder.close_all();
                break;
            }
            Err(Halt::Reject(reject)) => return Err(Stop::Reject(reject)),
        }
    }
    builder.finish().map_err(Stop::Reject)
}

/// A collection that is not closed yet.
struct Open {
    entry: u32,
    map: bool,
    flow: bool,
    /// The key whose value comes next.
    key: Option<(Text, Text)>,
    has_merge: bool,
}

pub(super) struct Builder<'i, 't> {
    pub(super) input: &'i Input<'t>,
    pub(super) tree: Tree,
    open: Vec<Open>,
    anchors: HashMap<usize, u32>,
    /// Anchors and aliases seen.
    marks: usize,
    /// Entries that merge keys brought.
    pub(super) merged: usize,
    /// Children of the map at hand; kept to spare an allocation per map.
    pub(super) scratch: Vec<u32>,
    comments: Vec<Comment>,
    pub(super) duplicates: Vec<Duplicate>,
    done: bool,
}

impl<'i, 't> Builder<'i, 't> {
    fn new(input: &'i Input<'t>) -> Self {
        Self {
            input,
            tree: Tree {
                entries: Vec::with_capacity(input.text.len() / 24 + 4),
                strings: String::with_capacity(input.text.len() / 2 + 16),
            },
            open: Vec::new(),
            anchors: HashMap::new(),
            marks: 0,
            merged: 0,
            scratch: Vec::new(),
            comments: Vec::new(),
            duplicates: Vec::new(),
            done: false,
        }
    }

    fn in_flow(&self) -> bool {
        self.open.iter().any(|open| open.flow)
    }

    fn take(&mut self, event: Event<'_>, span: ParserSpan) -> Result<(), Halt> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), span)
            }
            Event::MappingStart(style, anchor, _) => self.start(true, style, anchor, span),
            Event::SequenceStart(style, anchor, _) => self.start(false, style, anchor, span),
            Event::MappingEnd | Event::SequenceEnd => self.end(span).map_err(Halt::Reject),
            Event::Alias(id) => self.alias(id, span).map_err(Halt::Reject),
            Event::Comment(text, _) => {
                let span = self.span(span);
                self.comments.push(Comment { span, text: text.into_owned() });
                Ok(())
            }
            Event::DocumentStart(..) if self.done => {
                let at = self.at(span);
                Err(Reject::syntax(at, "a second document begins without a separator").into())
            }
            _ => Ok(()),
        }
    }

    fn local(span: ParserSpan) -> Text {
        let start = narrow(span.start.byte_offset().unwrap_or(0));
        let end = narrow(span.end.byte_offset().unwrap_or(0));
        Text { start, end: end.max(start) }
    }

    fn at(&self, span: ParserSpan) -> u32 {
        self.input.map.start(Self::local(span).start)
    }

    /// Place in the file, without the line break at the end of a block scalar.
    fn range(&self, span: ParserSpan) -> Text {
        let local = Self::local(span);
        let written = super::files::slice(&self.input.text, local.start, local.end);
        let end = local.start + narrow(written.trim_end().len());
        let start = self.input.map.start(local.start);
        Text { start, end: self.input.map.end(end).max(start) }
    }

    fn span(&self, span: ParserSpan) -> Span {
        let Text { start, end } = self.range(span);
        Span { file: self.input.file, start, end }
    }

    fn keep(&mut self, text: &str) -> Text {
        let start = narrow(self.tree.strings.len());
        self.tree.strings.push_str(text);
        Text { start, end: narrow(self.tree.strings.len()) }
    }

    /// Counts anchors and aliases against the limit of the document.
    fn mark(&mut self, span: ParserSpan) -> Result<(), Reject> {
        self.marks += 1;
        if self.marks > self.input.limits.anchors {
            return Err(Reject::Anchors { at: self.at(span) });
        }
        Ok(())
    }

    fn anchor(&mut self, id: usize, entry: u32, span: ParserSpan) -> Result<(), Reject> {
        if id == 0 {
            return Ok(());
        }
        self.anchors.insert(id, entry);
        self.mark(span)
    }

    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.map && open.key.is_none())
    }

    /// Adds an entry under the pending key and returns its index.
    fn push(&mut self, slot: Slot, style: Style, span: Text) -> u32 {
        let at = narrow(self.tree.entries.len());
        let (key, key_span) = self.open.last_mut().and_then(|o| o.key.take()).unwrap_or_default();
        let file = self.input.file;
        let entry =
            Entry { slot, key, key_span, span, file, next: at + 1, style, role: Role::Plain };
        self.tree.entries.push(entry);
        self.done = self.open.is_empty();
        at
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: ParserSpan,
    ) -> Result<(), Halt> {
        let range = self.range(span);
        let at = range.start;
        // The parser writes an absent node as `~` with an empty span.
        let text = if range.start == range.end && style == ScalarStyle::Plain { "" } else { text };
        let refuse = |reason: String| Halt::from(Reject::syntax(at, reason));
        let slot = self.slot(text, style, tag).map_err(refuse)?;
        if self.expects_key() {
            let merge = text == "<<" && style == ScalarStyle::Plain && tag.is_none();
            return self.key(slot, merge, range, anchor, span);
        }
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let entry = self.push(slot, style, range);
        self.anchor(anchor, entry, span).map_err(Halt::Reject)
    }

    fn slot(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Slot, String> {
        let tag = tag.map(|tag| (tag.core_suffix(), tag));
        let plain = match tag {
            None if style != ScalarStyle::Plain => Plain::Str,
            Some((Some("str"), _)) => Plain::Str,
            Some((Some("bool" | "int" | "float" | "null"), _)) | None => scalar::resolve(text),
            Some((_, tag))
                if tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() == Some("binary") =>
            {
                let decoded = super::text::decode_base64(text)
                    .ok_or("the value of `!!binary` is not base64")?;
                return Ok(Slot::Str(self.keep(&decoded)));
            }
            Some(_) => Plain::Str,
        };
        Ok(match (plain, tag.and_then(|(suffix, _)| suffix)) {
            (Plain::Null, _) => Slot::Null,
            (Plain::Bool(value), _) => Slot::Bool(value),
            #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
            (Plain::Int(value), Some("float")) => Slot::Float(value as f64),
            (Plain::Int(value), _) => Slot::Int(value),
            (Plain::Float(value), _) => Slot::Float(value),
            (Plain::NotJson, _) => return Err(format!("`{}` has no JSON form", excerpt(text))),
            (Plain::Str, Some("bool" | "int" | "float" | "null")) => {
                return Err(format!("`{}` is not of the type that its tag names", excerpt(text)));
            }
            (Plain::Str, _) => Slot::Str(self.keep(text)),
        })
    }

    /// Takes a scalar as key: clients turn every scalar but null into a string.
    fn key(
        &mut self,
        slot: Slot,
        merge: bool,
        range: Text,
        anchor: usize,
        span: ParserSpan,
    ) -> Result<(), Halt> {
        let key = match slot {
            Slot::Str(text) => text,
            Slot::Bool(value) => self.keep(if value { "true" } else { "false" }),
            Slot::Int(value) => self.keep(&value.to_string()),
            Slot::Float(value) => self.keep(&scalar::format_float(value)),
            _ => return Err(Reject::syntax(range.start, "a key must not be null").into()),
        };
        if anchor != 0 {
            self.anchor_key(anchor, key, range, span)?;
        }
        let enough = !self.input.crd_schemas
            && self.open.len() == 2
            && self.tree.text(key) == "versions"
            && self.crd_is_named();
        if let Some(open) = self.open.last_mut() {
            open.has_merge |= merge;
            open.key = Some((key, range));
        }
        if enough {
            return Err(Halt::Enough);
        }
        Ok(())
    }

    /// An anchor on a key: the key becomes a hidden entry, so that an alias has something to follow.
    fn anchor_key(
        &mut self,
        anchor: usize,
        key: Text,
        span: Text,
        at: ParserSpan,
    ) -> Result<(), Reject> {
        let index = self.push(Slot::Str(key), Style::Plain, span);
        if let Some(entry) = self.tree.entries.last_mut() {
            entry.role = Role::Hidden;
        }
        self.anchor(anchor, index, at)
    }

    /// Whether this is a CustomResourceDefinition whose group, names and scope were seen.
    fn crd_is_named(&self) -> bool {
        let has = |name: &str| self.tree.entries.iter().any(|e| self.tree.text(e.key) == name);
        let is_crd = self.tree.entries.iter().take(64).any(|entry| match entry.slot {
            Slot::Str(value) => {
                self.tree.text(entry.key) == "kind"
                    && self.tree.text(value) == "CustomResourceDefinition"
            }
            _ => false,
        });
        is_crd && ["metadata", "group", "names", "scope"].into_iter().all(has)
    }

    fn alias(&mut self, id: usize, span: ParserSpan) -> Result<(), Reject> {
        self.mark(span)?;
        let range = self.range(span);
        let target = self.anchors.get(&id).copied();
        let Some(target) = target else {
            return Err(Reject::syntax(range.start, "the alias refers to no anchor"));
        };
        if self.open.iter().any(|open| open.entry == target) {
            return Err(Reject::syntax(range.start, "the alias refers to a node that contains it"));
        }
        if !self.expects_key() {
            self.push(Slot::Alias(target), Style::Plain, range);
            return Ok(());
        }
        let mut slot = self.tree.entry(target).slot;
        while let Slot::Alias(to) = slot {
            slot = self.tree.entry(to).slot;
        }
        match self.key(slot, false, range, 0, span) {
            Err(Halt::Reject(reject)) => Err(reject),
            _ => Ok(()),
        }
    }

    fn start(
        &mut self,
        map: bool,
        style: StructureStyle,
        anchor: usize,
        span: ParserSpan,
    ) -> Result<(), Halt> {
        let flow = style == StructureStyle::Flow;
        if self.expects_key() {
            let at = self.at(span);
            let in_braces = self.open.last().is_some_and(|open| open.flow);
            // `{{ .Values.x }}` parses as a map whose only key is a map.
            return Err(if map && flow && in_braces {
                Reject::Template { at }.into()
            } else {
                Reject::syntax(at, "a key must be a scalar, not a map or list").into()
            });
        }
        let (slot, style) = match (map, flow) {
            (true, true) => (Slot::Map, Style::Flow),
            (true, false) => (Slot::Map, Style::Plain),
            (false, true) => (Slot::List, Style::Flow),
            (false, false) => (Slot::List, Style::Plain),
        };
        let local = Self::local(span);
        let begin = self.input.map.start(local.start);
        let end = if flow { self.input.map.end(local.end).max(begin) } else { begin };
        let entry = self.push(slot, style, Text { start: begin, end });
        self.open.push(Open { entry, map, flow, key: None, has_merge: false });
        self.done = false;
        self.anchor(anchor, entry, span).map_err(Halt::Reject)
    }

    fn end(&mut self, span: ParserSpan) -> Result<(), Reject> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if open.has_merge {
            self.merge(open.entry)?;
        }
        let behind = narrow(self.tree.entries.len());
        let own_end = open.flow.then(|| self.input.map.end(Self::local(span).end));
        self.close(open.entry, behind, own_end);
        if open.map {
            self.hide_duplicates(open.entry);
        }
        self.done = self.open.is_empty();
        Ok(())
    }

    /// Sets where a collection ends: at its bracket, or where its last child ends.
    fn close(&mut self, at: u32, behind: u32, own_end: Option<u32>) {
        let last = self.end_of_children(at, behind);
        let end = own_end.or(last);
        if let Some(entry) = self.tree.entries.get_mut(at as usize) {
            entry.next = behind;
            entry.span.end = end.unwrap_or(entry.span.end).max(entry.span.start);
        }
    }

    fn close_all(&mut self) {
        while let Some(open) = self.open.pop() {
            let behind = narrow(self.tree.entries.len());
            self.close(open.entry, behind, None);
        }
        self.done = true;
    }

    fn finish(self) -> Result<Output, Reject> {
        if self.marks > 0 {
            self.check_expansion()?;
        }
        let mut tree = self.tree;
        tree.entries.shrink_to_fit();
        tree.strings.shrink_to_fit();
        let tree = (!tree.entries.is_empty()).then_some(tree);
        Ok(Output {
            tree,
            comments: self.comments,
            duplicates: self.duplicates,
            repairs: Vec::new(),
        })
    }
}
