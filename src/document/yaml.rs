//! From parser events to the span tree of one document.
//!
//! granit-parser reads the syntax; this module adds what Kubernetes clients do with it: scalars of
//! the dialect, merge keys, the last of two equal keys, and refusal of what they refuse.

use std::collections::HashMap;

use granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, Span as ParserSpan, StrInput, StructureStyle, Tag,
};

use super::breaks;
use super::files::{Span, narrow};
use super::parse::{Duplicate, Edits, Input, Output, Reject, Seen};
use super::scalar::{self, Plain};
use super::tree::{Entry, Role, Slot, Style, Text, Tree};

/// Comments that may be buffered: as many as a file can hold, because the file size is the limit.
const COMMENTS: usize = 1 << 20;

/// A comment and its place; the text is what stands behind `#`.
#[derive(Clone, Debug)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub span: Span,
    /// What stands behind `#`.
    pub text: String,
}

/// Why no tree came out.
pub(super) enum Stop {
    Reject(Reject),
    Parser { error: granit_parser::ScanError, in_flow: bool },
}

/// Why the builder takes no more events.
pub(super) enum Halt {
    Reject(Reject),
    /// Another document begins here, of which clients know nothing.
    Dropped(u32),
    /// Everything wanted of a CustomResourceDefinition has been read.
    Enough,
}

impl From<Reject> for Halt {
    fn from(reject: Reject) -> Self {
        Self::Reject(reject)
    }
}

pub(super) fn build(input: &Input<'_>, edits: &Edits) -> Result<(Output, Seen), Stop> {
    let mut options = granit_parser::options! {
        emit_comments: input.comments,
        max_buffered_comment_events: COMMENTS,
    };
    options.set_emit_comments(input.comments);
    let mut parser: Parser<'_, StrInput<'_>> =
        Parser::new_from_str_with_options(input.text.as_ref(), options);
    let mut builder = Builder::new(input, edits);
    while let Some(next) = parser.next_event() {
        let (event, local) = match next {
            // The parser's spans are large: what is wanted of them is taken out at once.
            Ok((event, span)) => (event, local(&span)),
            // Clients take one document of a piece and never see what follows it.
            Err(error)
                if builder.done && matches!(error.kind(), ErrorKind::ExpectedDocumentStart) =>
            {
                builder.drop_rest(error.marker().byte_offset().map_or(0, narrow));
                break;
            }
            Err(error) => {
                return Err(Stop::Parser { error, in_flow: builder.in_flow() });
            }
        };
        match builder.take(event, local) {
            Ok(()) => {}
            Err(Halt::Enough) => {
                builder.close_all();
                break;
            }
            Err(Halt::Dropped(at)) => {
                builder.drop_rest(at);
                break;
            }
            Err(Halt::Reject(reject)) => return Err(Stop::Reject(reject)),
        }
    }
    builder.finish().map_err(Stop::Reject)
}

/// Place in the text that is parsed.
fn local(span: &ParserSpan) -> Text {
    let start = narrow(span.start.byte_offset().unwrap_or(0));
    let end = narrow(span.end.byte_offset().unwrap_or(0));
    Text { start, end: end.max(start) }
}

/// Why a scalar is refused, and what to do about it.
type Refusal = (String, &'static str);

/// A collection that is not closed yet.
struct Open {
    entry: u32,
    map: bool,
    flow: bool,
    /// The key whose value comes next, and whether it is a merge key.
    key: Option<(Text, Text, bool)>,
    /// Entries under merge keys.
    merges: Vec<u32>,
}

pub(super) struct Builder<'i, 't> {
    pub(super) input: &'i Input<'t>,
    edits: &'i Edits,
    seen: Seen,
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
    /// Whether a value was met that has no JSON form.
    not_json: bool,
    /// Where text begins that clients never see.
    dropped: Option<u32>,
    done: bool,
}

impl<'i, 't> Builder<'i, 't> {
    fn new(input: &'i Input<'t>, edits: &'i Edits) -> Self {
        Self {
            input,
            edits,
            seen: Seen::default(),
            tree: Tree::new(
                Vec::with_capacity(input.text.len() / 24 + 4),
                String::with_capacity(input.text.len() / 2 + 16),
            ),
            open: Vec::new(),
            anchors: HashMap::new(),
            marks: 0,
            merged: 0,
            scratch: Vec::new(),
            comments: Vec::new(),
            duplicates: Vec::new(),
            not_json: false,
            dropped: None,
            done: false,
        }
    }

    fn in_flow(&self) -> bool {
        self.open.iter().any(|open| open.flow)
    }

    fn take(&mut self, event: Event<'_>, local: Text) -> Result<(), Halt> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), local)
            }
            Event::MappingStart(style, anchor, _) => self.start(true, style, anchor, local),
            Event::SequenceStart(style, anchor, _) => self.start(false, style, anchor, local),
            Event::MappingEnd | Event::SequenceEnd => self.end(local).map_err(Halt::Reject),
            Event::Alias(id) => self.alias(id, local).map_err(Halt::Reject),
            Event::Comment(text, _) => {
                let span = self.span(local);
                self.comments.push(Comment { span, text: text.into_owned() });
                Ok(())
            }
            Event::DocumentStart(..) if self.done => Err(Halt::Dropped(local.start)),
            _ => Ok(()),
        }
    }

    fn at(&self, local: Text) -> u32 {
        self.input.map.start(local.start)
    }

    /// Place in the file, without the line break at the end of a block scalar.
    fn range(&self, local: Text) -> Text {
        let written = super::files::slice(&self.input.text, local.start, local.end);
        let end = local.start + narrow(written.trim_end().len());
        let start = self.input.map.start(local.start);
        Text { start, end: self.input.map.end(end).max(start) }
    }

    fn span(&self, local: Text) -> Span {
        let Text { start, end } = self.range(local);
        Span { file: self.input.file, start, end }
    }

    fn keep(&mut self, text: &str) -> Text {
        let start = narrow(self.tree.strings.len());
        self.tree.strings.push_str(text);
        Text { start, end: narrow(self.tree.strings.len()) }
    }

    /// Counts anchors and aliases against the limit of the document.
    fn mark(&mut self, local: Text) -> Result<(), Reject> {
        self.marks += 1;
        if self.marks > self.input.limits.anchors {
            return Err(Reject::Anchors { at: self.at(local) });
        }
        Ok(())
    }

    fn anchor(&mut self, id: usize, entry: u32, local: Text) -> Result<(), Reject> {
        if id == 0 {
            return Ok(());
        }
        self.anchors.insert(id, entry);
        self.mark(local)
    }

    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.map && open.key.is_none())
    }

    /// Adds an entry under the pending key and returns its index.
    fn push(&mut self, slot: Slot, style: Style, span: Text) -> u32 {
        let at = narrow(self.tree.entries.len());
        let mut role = Role::Plain;
        let (mut key, mut key_span) = Default::default();
        if let Some(open) = self.open.last_mut()
            && let Some((text, place, merge)) = open.key.take()
        {
            (key, key_span) = (text, place);
            if merge {
                role = Role::Hidden;
                open.merges.push(at);
            }
        }
        let file = self.input.file;
        let entry = Entry { slot, key, key_span, span, file, next: at + 1, style, role };
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
        local: Text,
    ) -> Result<(), Halt> {
        let range = self.range(local);
        let at = range.start;
        // The parser writes an absent node as `~` with an empty span.
        let text = if range.start == range.end && style == ScalarStyle::Plain { "" } else { text };
        let quoted = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => self.quoted(text, local),
            _ => None,
        };
        let text = quoted.as_deref().unwrap_or(text);
        let refuse = |(reason, help): (String, _)| Halt::from(Reject::syntax(at, reason, help));
        if style == ScalarStyle::Plain && self.open.last().is_some_and(|open| open.flow) {
            self.check_flow(text, local)?;
        }
        let slot = self.slot(text, style, tag).map_err(refuse)?;
        if self.expects_key() {
            if matches!(slot, Slot::Float(_)) && scalar::is_unsigned(text) {
                let reason = "a key must not be an integer of more than 63 bits";
                return Err(Reject::syntax(at, reason, "quote the key").into());
            }
            let merge = text == "<<" && style == ScalarStyle::Plain && tag.is_none();
            return self.key(slot, merge, range, anchor, local);
        }
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let entry = self.push(slot, style, range);
        self.anchor(anchor, entry, local).map_err(Halt::Reject)
    }

    /// Refuses a word inside brackets or braces that clients read as something else.
    fn check_flow(&self, text: &str, local: Text) -> Result<(), Reject> {
        let Text { start, end } = local;
        if start == end {
            return Ok(());
        }
        let behind = self.input.text.get(end as usize..).unwrap_or_default();
        let behind = behind.trim_start_matches([' ', '\t']);
        let reason = if text.starts_with(':') || text.contains('?') {
            "inside brackets and braces `?` and a leading `:` are marks of keys"
        } else if behind.strip_prefix(':').is_some_and(|b| b.starts_with([',', '[', ']', '{', '}']))
        {
            "a colon directly before a comma or bracket is a part of the word to clients"
        } else {
            return Ok(());
        };
        Err(Reject::syntax(self.at(local), reason, "quote the word, or write a blank behind it"))
    }

    /// Sees which edits of the text lie in a quoted scalar, and gives its value where they change it.
    fn quoted(&mut self, text: &str, local: Text) -> Option<String> {
        let Text { start, end } = local;
        let count = |places: &[u32]| {
            let before = |limit: u32| places.partition_point(|at| *at < limit);
            before(end) - before(start)
        };
        self.seen.assumed += count(&self.edits.assumed);
        let made = &self.edits.breaks.made;
        self.pass_breaks(made.partition_point(|(at, _)| *at < start));
        let inside = made.partition_point(|(at, _)| *at < end);
        let inside = made.get(self.seen.breaks..inside).unwrap_or_default();
        self.seen.quoted.extend(inside.iter().map(|(_, original)| original));
        self.seen.breaks += inside.len();
        let kept = count(&self.edits.breaks.kept);
        self.seen.assumed += kept;
        (kept > 0 && !self.input.json).then(|| breaks::fold(text))
    }

    /// Passes line feeds that were made: the first one outside of quotes is remembered.
    fn pass_breaks(&mut self, to: usize) {
        if self.seen.breaks < to {
            let first = self.edits.breaks.made.get(self.seen.breaks).map(|(_, original)| *original);
            self.seen.line_end = self.seen.line_end.or(first);
            self.seen.breaks = to;
        }
    }

    fn slot(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Slot, Refusal> {
        let tag = tag.map(|tag| (tag.core_suffix(), tag));
        let plain = match tag {
            None if style != ScalarStyle::Plain => Plain::Str,
            Some((Some("str"), _)) => Plain::Str,
            Some((Some("bool" | "int" | "float" | "null"), _)) | None => scalar::resolve(text),
            Some((_, tag))
                if tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() == Some("binary") =>
            {
                let decoded = super::text::decode_base64(text).ok_or_else(|| {
                    let reason = "the value of `!!binary` is not base64".to_owned();
                    (reason, "encode the value, or leave the tag out")
                })?;
                return Ok(Slot::Str(self.keep(&decoded)));
            }
            Some(_) => Plain::Str,
        };
        Ok(match (plain, tag.and_then(|(suffix, _)| suffix)) {
            (Plain::Null, None | Some("null")) => Slot::Null,
            (Plain::Bool(value), None | Some("bool")) => Slot::Bool(value),
            #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
            (Plain::Int(value), Some("float")) => Slot::Float(value as f64),
            (Plain::Int(value), None | Some("int")) => Slot::Int(value),
            (Plain::Float(value), Some("int")) if scalar::is_unsigned(text) => Slot::Float(value),
            (Plain::Float(value), None | Some("float")) => Slot::Float(value),
            // Refused at the end, where it is the value of a key that no other one overrides.
            (Plain::NotJson(value), None | Some("float")) => {
                self.not_json |= !self.expects_key();
                Slot::Float(value)
            }
            // The value stays out of the message: it may be a secret.
            (_, Some(suffix @ ("bool" | "int" | "float" | "null"))) => {
                let reason =
                    format!("the value is none of the type that its tag `!!{suffix}` names");
                return Err((reason, "leave the tag out, or write a value of its type"));
            }
            _ => Slot::Str(self.keep(text)),
        })
    }

    /// Takes a scalar as key: clients turn every scalar but null into a string.
    fn key(
        &mut self,
        slot: Slot,
        merge: bool,
        range: Text,
        anchor: usize,
        local: Text,
    ) -> Result<(), Halt> {
        let key = match slot {
            Slot::Str(text) => text,
            Slot::Bool(value) => self.keep(if value { "true" } else { "false" }),
            Slot::Int(value) => self.keep(&value.to_string()),
            Slot::Float(value) => self.keep(&scalar::format_key(value)),
            _ => {
                let reason = "a key must not be null";
                return Err(Reject::syntax(range.start, reason, "name the key, or quote it").into());
            }
        };
        if anchor != 0 {
            self.anchor_key(anchor, slot, range, local)?;
        }
        let enough = !self.input.crd_schemas
            && self.open.len() == 2
            && self.tree.text(key) == "versions"
            && self.crd_is_named();
        if let Some(open) = self.open.last_mut() {
            open.key = Some((key, range, merge));
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
        slot: Slot,
        span: Text,
        local: Text,
    ) -> Result<(), Reject> {
        let index = self.push(slot, Style::Plain, span);
        if let Some(entry) = self.tree.entries.last_mut() {
            entry.role = Role::Hidden;
        }
        self.anchor(anchor, index, local)
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

    fn alias(&mut self, id: usize, local: Text) -> Result<(), Reject> {
        self.mark(local)?;
        let range = self.range(local);
        let target = self.anchors.get(&id).copied();
        let Some(target) = target else {
            let reason = "the alias refers to no anchor of this document";
            let help = "define the anchor before the alias: anchors end at `---`";
            return Err(Reject::syntax(range.start, reason, help));
        };
        if self.open.iter().any(|open| open.entry == target) {
            let reason = "the alias refers to a node that contains it";
            return Err(Reject::syntax(range.start, reason, "write the value out"));
        }
        if !self.expects_key() {
            self.push(Slot::Alias(target), Style::Plain, range);
            return Ok(());
        }
        let mut slot = self.tree.entry(target).slot;
        while let Slot::Alias(to) = slot {
            slot = self.tree.entry(to).slot;
        }
        match self.key(slot, false, range, 0, local) {
            Err(Halt::Reject(reject)) => Err(reject),
            _ => Ok(()),
        }
    }

    fn start(
        &mut self,
        map: bool,
        style: StructureStyle,
        anchor: usize,
        local: Text,
    ) -> Result<(), Halt> {
        let flow = style == StructureStyle::Flow;
        if self.expects_key() {
            let at = self.at(local);
            let braces = self.open.last().filter(|open| open.flow && map && flow);
            // `{{ .Values.x }}` parses as a map whose only key is a map.
            return Err(if let Some(outer) = braces {
                let at = self.tree.entry(outer.entry).span.start;
                Reject::Template { at }.into()
            } else {
                let reason = "a key must be a scalar, not a map or list";
                Reject::syntax(at, reason, "quote it, if it is meant as a name").into()
            });
        }
        let (slot, style) = match (map, flow) {
            (true, true) => (Slot::Map, Style::Flow),
            (true, false) => (Slot::Map, Style::Plain),
            (false, true) => (Slot::List, Style::Flow),
            (false, false) => (Slot::List, Style::Plain),
        };
        let of_map = self.open.last().is_some_and(|open| open.map);
        let dash = if of_map && !map && !flow { self.dash_before(local.start) } else { None };
        let begin = self.input.map.start(dash.unwrap_or(local.start));
        let end = if flow { self.input.map.end(local.end).max(begin) } else { begin };
        let entry = self.push(slot, style, Text { start: begin, end });
        self.open.push(Open { entry, map, flow, key: None, merges: Vec::new() });
        self.done = false;
        self.anchor(anchor, entry, local).map_err(Halt::Reject)
    }

    /// The dash behind which the parser lets a list begin that is not indented below its key.
    fn dash_before(&self, start: u32) -> Option<u32> {
        let text = self.input.text.as_ref();
        let mut at = start as usize;
        loop {
            let head = text.get(..at)?.trim_end_matches([' ', '\t', '\r', '\n']);
            let line = head.get(super::repair::line_start(head, head.len())..)?;
            let begins =
                |i: usize| i == 0 || line.get(..i).is_some_and(|l| l.ends_with([' ', '\t']));
            let comment = line.match_indices('#').map(|(i, _)| i).find(|i| begins(*i));
            match comment {
                Some(comment) => at = head.len() - line.len() + comment,
                None => {
                    let dash = line.strip_suffix('-').filter(|before| begins(before.len()))?;
                    return Some(narrow(head.len() - line.len() + dash.len()));
                }
            }
        }
    }

    fn end(&mut self, local: Text) -> Result<(), Reject> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if open.map {
            self.hide_duplicates(open.entry);
        }
        if !open.merges.is_empty() {
            self.merge(open.entry, &open.merges)?;
        }
        let behind = narrow(self.tree.entries.len());
        let own_end = open.flow.then(|| self.input.map.end(local.end));
        self.close(open.entry, behind, own_end);
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

    fn drop_rest(&mut self, at: u32) {
        self.seen.stopped = true;
        self.dropped = Some(at);
    }

    fn close_all(&mut self) {
        self.seen.stopped = true;
        while let Some(open) = self.open.pop() {
            let behind = narrow(self.tree.entries.len());
            self.close(open.entry, behind, None);
        }
        self.done = true;
    }

    fn finish(mut self) -> Result<(Output, Seen), Reject> {
        if self.marks > 0 || self.merged > 0 {
            self.check_expansion()?;
        }
        if !self.seen.stopped {
            self.pass_breaks(self.edits.breaks.made.len());
        }
        if self.not_json {
            self.check_json()?;
        }
        let tree = (!self.tree.entries.is_empty()).then(|| self.tree.finished());
        let output = Output {
            tree,
            comments: self.comments,
            duplicates: self.duplicates,
            repairs: Vec::new(),
            dropped: self.dropped.map(|at| self.input.map.start(at)),
        };
        Ok((output, self.seen))
    }
}
