//! From a text to its documents: cut, parse, identify, redact.

use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::defect::{Defect, DefectKind};
use super::files::{FileId, Span, character, narrow, slice};
use super::identity::{Identified, Identity, identify};
use super::kind::Kind;
use super::offset::OffsetMap;
use super::parse::{self, Input, Output, Reject};
use super::redact::{self, Redactions};
use super::text::{Chunk, ChunkKind, excerpt, split};
use super::tree::{Node, Text, Tree};
use super::yaml::Comment;
use super::{Document, Limits, Note, Problem, State, withhold};

/// Problems of a file and defects of a document that are listed one by one; the rest is counted.
const LISTED: usize = 100;

/// How texts are read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Bounds.
    pub limits: Limits,
    /// Namespace of objects that name none.
    pub default_namespace: Option<String>,
    /// Whether CustomResourceDefinitions are read beyond their names.
    pub crd_schemas: bool,
}

/// What a text gave.
#[derive(Debug)]
pub struct Reading {
    /// Objects, in the order of the text.
    pub documents: Vec<Document>,
    /// Parts that gave none, with reasons.
    pub problems: Vec<Problem>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Defects of the text itself.
    pub defects: Vec<Defect>,
    /// Parts that are no Kubernetes objects and not meant to be.
    pub not_kubernetes: usize,
    /// The first of them that names no kind.
    pub(crate) stranger: Option<Span>,
    redact: Vec<Text>,
}

impl Reading {
    /// The worst state of the parts.
    #[must_use]
    pub fn state(&self) -> State {
        let worst = self.problems.iter().map(|problem| problem.state).min();
        let objects = (!self.documents.is_empty()).then_some(State::Analysed);
        worst.into_iter().chain(objects).min().unwrap_or(State::NotKubernetes)
    }

    /// A reading of nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            documents: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            defects: Vec::new(),
            not_kubernetes: 0,
            stranger: None,
            redact: Vec::new(),
        }
    }

    /// Adds what another part of the same file gave.
    pub fn append(&mut self, other: Self) {
        self.documents.extend(other.documents);
        self.problems.extend(other.problems);
        self.notes.extend(other.notes);
        self.defects.extend(other.defects);
        self.not_kubernetes += other.not_kubernetes;
        self.stranger = self.stranger.or(other.stranger);
        self.redact.extend(other.redact);
    }

    /// Withholds what may be a secret in a text without a tree.
    pub(crate) fn withhold(&mut self, text: &str, map: &OffsetMap) {
        self.redact.extend(withhold::of(text, |offset| map.start(offset)));
    }

    fn cap_problems(&mut self) {
        let Some(more) = self.problems.len().checked_sub(LISTED).filter(|more| *more > 0) else {
            return;
        };
        self.problems.truncate(LISTED);
        if let Some(last) = self.problems.last().cloned() {
            let message = format!("{more} more documents of this file could not be read");
            self.problems.push(Problem { message, help: None, ..last });
        }
    }
}

/// A text inside another one: a fence or a heredoc.
pub(crate) struct Extract<'t> {
    pub(crate) file: FileId,
    /// The text of the whole file.
    pub(crate) raw: &'t str,
    /// The text without the prefixes of its lines.
    pub(crate) text: &'t str,
    pub(crate) map: OffsetMap,
    /// The cluster that the command which applies it names.
    pub(crate) cluster: Option<Arc<str>>,
    /// Whether parts are left out (`# ...`).
    pub(crate) elided: bool,
}

/// Reads the documents of a file.
#[must_use]
pub fn read(file: FileId, text: &str, options: &ReadOptions) -> Reading {
    let map = OffsetMap::Shift(0);
    read_extract(&Extract { file, raw: text, text, map, cluster: None, elided: false }, options)
}

/// Reads the documents of a part of a file.
pub(crate) fn read_extract(extract: &Extract<'_>, options: &ReadOptions) -> Reading {
    let chunks = split(extract.text);
    let mut reading = Reading::empty();
    if chunks.len() > options.limits.documents {
        reading.withhold(extract.text, &extract.map);
        reading.problems.push(Problem {
            at: Span::start_of(extract.file),
            state: State::TooLarge,
            message: format!(
                "the text has {} documents, more than the limit of {}",
                chunks.len(),
                options.limits.documents
            ),
            help: Some("split it, or raise `limits.documents` in palisade.yaml"),
        });
        return reading;
    }
    let one = |chunk: &Chunk| read_chunk(extract, *chunk, options);
    if chunks.len() < 64 {
        chunks.iter().map(one).for_each(|part| reading.append(part));
    } else {
        let parts: Vec<Reading> = chunks.par_iter().map(one).collect();
        parts.into_iter().for_each(|part| reading.append(part));
    }
    reading.cap_problems();
    reading
}

/// Documents that are parts of objects and no objects themselves: of a kustomization file or a patch.
#[derive(Debug, Default)]
pub(crate) struct Parted {
    pub(crate) trees: Vec<Arc<Tree>>,
    /// Comments that may hold a waiver.
    pub(crate) comments: Vec<Comment>,
}

/// Reads the documents of a kustomization file or a patch. What could be a secret in them is
/// withheld.
#[must_use]
pub(crate) fn read_parts(file: FileId, text: &str, limits: &Limits) -> (Reading, Parted) {
    let mut reading = Reading::empty();
    let mut parts = Parted::default();
    for chunk in split(text).into_iter().filter(|chunk| matches!(chunk.kind, ChunkKind::Document)) {
        let part = slice(text, chunk.start, chunk.end);
        let map = OffsetMap::Shift(0).from(chunk.start);
        let comments = memchr::memmem::find(part.as_bytes(), b"palisade:").is_some();
        let input = Input::new(part, file, map.clone(), limits);
        match parse::read(Input { comments, ..input }) {
            Ok(Output { tree: Some(mut tree), comments, .. }) => {
                reading.redact.extend(withhold::of_parts(tree.root(), text));
                let kind = tree.root().get("kind").and_then(Node::as_str);
                let kind = kind.unwrap_or_default().to_owned();
                let Redactions { ranges, .. } = redact::object(&mut tree, 0, ("", &kind), text);
                reading.redact.extend(ranges);
                parts.trees.push(Arc::new(tree));
                parts.comments.extend(comments);
            }
            Ok(_) => {}
            Err(reject) => {
                reading.withhold(part, &map);
                reading.problems.push(rejected(file, text, reject, chunk.end));
            }
        }
        reading.not_kubernetes += 1;
    }
    (reading, parts)
}

/// The reading of a text that holds no object and is only shown: what may be a secret in it is
/// withheld.
#[must_use]
pub(crate) fn read_nothing(text: &str) -> Reading {
    let mut reading = Reading::empty();
    reading.withhold(text, &OffsetMap::Shift(0));
    reading
}

/// Reads a text that is one YAML document but no Kubernetes object, such as palisade.yaml.
///
/// Keys that are repeated come beside the tree, which holds their last values.
///
/// # Errors
/// Gives the problem at its place where the text is not YAML.
pub fn read_settings(file: FileId, text: &str) -> Result<(Option<Tree>, Vec<Problem>), Problem> {
    let limits = Limits::default();
    let map = OffsetMap::Shift(0);
    let input = Input::new(text, file, map, &limits);
    let output =
        parse::read(input).map_err(|reject| rejected(file, text, reject, narrow(text.len())))?;
    let repeated = |duplicate: parse::Duplicate| Problem {
        at: duplicate.second,
        state: State::Unparsable,
        message: format!("the key `{}` is written twice", excerpt(&duplicate.key)),
        help: Some("keep one of them"),
    };
    let repeated = output.duplicates.into_iter().map(repeated).collect();
    Ok((output.tree, repeated))
}

/// The text of a file with everything overwritten that its readings redacted.
#[must_use]
pub fn overwrite_redacted(text: String, reading: &Reading) -> String {
    redact::overwrite(text, &reading.redact)
}

fn read_chunk(extract: &Extract<'_>, chunk: Chunk, options: &ReadOptions) -> Reading {
    let mut reading = Reading::empty();
    let map = extract.map.from(chunk.start);
    let text = slice(extract.text, chunk.start, chunk.end);
    let line_end = memchr::memchr(b'\n', text.as_bytes()).unwrap_or(text.len());
    let first_line =
        Span { file: extract.file, start: map.start(0), end: map.end(narrow(line_end)) };
    let note = |text: &str| Note { at: first_line, text: text.to_owned() };
    match chunk.kind {
        ChunkKind::Document => read_document(extract, text, map, options, &mut reading),
        ChunkKind::NeverApplied => {
            reading.withhold(text, &map);
            reading.notes.push(note("clients drop what follows `...`: this part is never applied"));
        }
        ChunkKind::Directives => {
            reading.notes.push(note("kubectl refuses a file that begins with a YAML directive"));
        }
        ChunkKind::BadSeparator => {
            reading.withhold(text, &map);
            reading.problems.push(Problem {
                at: first_line,
                state: State::Unparsable,
                message: "only blanks and a comment may follow `---` on its line".to_owned(),
                help: Some("move the content to the next line"),
            });
        }
    }
    reading
}

fn read_document(
    extract: &Extract<'_>,
    text: &str,
    map: OffsetMap,
    options: &ReadOptions,
    reading: &mut Reading,
) {
    let comments = memchr::memmem::find(text.as_bytes(), b"palisade:").is_some();
    let input = Input::new(text, extract.file, map.clone(), &options.limits);
    let crd_schemas = options.crd_schemas;
    let output = match parse::read(Input { comments, crd_schemas, ..input }) {
        Ok(output) => output,
        Err(reject) => {
            reading.withhold(text, &map);
            let end = map.end(narrow(text.len()));
            reading.problems.push(rejected(extract.file, extract.raw, reject, end));
            return;
        }
    };
    let Output { tree, comments, duplicates, repairs, dropped } = output;
    let Some(mut tree) = tree else { return };
    let place = |at: u32| character(extract.file, extract.raw, at);
    if let Some(at) = dropped {
        let mut starts = text.char_indices().map(|(start, _)| start);
        let from = starts.find(|start| map.start(narrow(*start)) >= at);
        let from = from.unwrap_or(text.len());
        reading.withhold(text.get(from..).unwrap_or_default(), &map.from(narrow(from)));
        let text = "clients read one object here and drop what follows it: never applied";
        reading.notes.push(Note { at: place(at), text: text.to_owned() });
    }
    reading.notes.extend(repairs.into_iter().map(|(at, what)| Note {
        at: place(at),
        text: format!("{what}: clients read it, strict YAML readers do not"),
    }));
    let mut found = Objects { extract, options, list: Vec::new(), others: Vec::new(), reading };
    found.collect(tree.root(), None);
    let Objects { list, others, .. } = found;
    // What is no object may still be a Secret, and snippets of its neighbours show its lines.
    let secrets = memchr::memmem::find(text.as_bytes(), b"Secret").is_some();
    for node in others.into_iter().filter(|_| secrets) {
        let Redactions { ranges, .. } = redact::object(&mut tree, node, ("", ""), extract.raw);
        reading.redact.extend(ranges);
    }
    if list.is_empty() {
        return;
    }
    let parts = Parts { tree, comments: comments.into(), list, extract };
    parts.into_documents(reading);
    if let Some(first) = duplicates.get(LISTED) {
        let text = format!("{} more keys are written twice", duplicates.len() - LISTED);
        reading.notes.push(Note { at: first.second, text });
    }
    for duplicate in duplicates.into_iter().take(LISTED) {
        let holder = reading.documents.iter().find(|d| d.extent.contains(duplicate.second));
        let Some(object) = holder.or(reading.documents.first()) else {
            continue;
        };
        reading.defects.push(Defect {
            kind: DefectKind::DuplicateKey,
            object: Arc::clone(&object.id),
            at: duplicate.second,
            related: vec![duplicate.first],
            detail: duplicate.key,
        });
    }
}

/// The objects of one tree, before they become documents.
struct Objects<'r, 'e, 't> {
    extract: &'e Extract<'t>,
    options: &'e ReadOptions,
    list: Vec<(u32, Identified)>,
    /// Parts of the document that are no objects.
    others: Vec<u32>,
    reading: &'r mut Reading,
}

impl Objects<'_, '_, '_> {
    /// Lists may hold lists; how deep they nest is bounded by the parser.
    fn collect(&mut self, node: Node<'_>, item_kind: Option<(&str, &str)>) {
        let default = self.options.default_namespace.as_deref();
        match identify(node, item_kind, default) {
            Identity::Object(object) => self.list.push((node.index(), *object)),
            Identity::List { item_kind } => {
                let version = node.get("apiVersion").and_then(Node::as_str).unwrap_or_default();
                let stamp = item_kind.as_deref().map(|kind| (version, kind));
                self.others.extend(node.get("metadata").map(Node::index));
                let items = node.get("items");
                for item in items.into_iter().flat_map(Node::children) {
                    self.collect(item, stamp);
                }
                if items.is_some_and(|items| items.children().next().is_none()) {
                    self.reading.not_kubernetes += 1;
                }
            }
            Identity::NotKubernetes => {
                self.others.push(node.index());
                self.reading.not_kubernetes += 1;
                if node.get("kind").is_none() && !node.is_null() {
                    self.reading.stranger.get_or_insert(node.span());
                }
            }
            Identity::Refused { at, state, message, help } => {
                self.others.push(node.index());
                let at = if at.end > at.start { at } else { Span::start_of(self.extract.file) };
                self.reading.problems.push(Problem { at, state, message, help });
            }
        }
    }
}

struct Parts<'e, 't> {
    tree: Tree,
    comments: Arc<[Comment]>,
    list: Vec<(u32, Identified)>,
    extract: &'e Extract<'t>,
}

impl Parts<'_, '_> {
    fn into_documents(self, reading: &mut Reading) {
        let Self { mut tree, comments, list, extract } = self;
        let mut hits = Vec::with_capacity(list.len());
        for (node, object) in &list {
            let kind = (object.id.group.as_str(), object.id.kind.as_str());
            let Redactions { ranges, hits: found } =
                redact::object(&mut tree, *node, kind, extract.raw);
            reading.redact.extend(ranges);
            hits.push(found);
        }
        let tree = Arc::new(tree);
        for ((node, object), hits) in list.into_iter().zip(hits) {
            let extent = tree.node(node).span();
            let kind = Kind::of(&object.id.group, &object.id.kind);
            reading.documents.push(Document {
                kind,
                id: Arc::new(object.id),
                version: object.version,
                tree: Arc::clone(&tree),
                node,
                head: object.head,
                extent,
                namespace: object.namespace,
                patch: false,
                superseded: false,
                comments: Arc::clone(&comments),
                secrets: hits.into(),
                cluster: extract.cluster.clone(),
                elided: extract.elided,
                made: false,
                rendering: None,
            });
        }
    }
}

/// The problem of a document that ends at `end` of its file.
fn rejected(file: FileId, raw: &str, reject: Reject, end: u32) -> Problem {
    let place = |at: u32| character(file, slice(raw, 0, end), at);
    match reject {
        Reject::Syntax { at, reason, help } => Problem {
            at: place(at),
            state: State::Unparsable,
            message: format!("not valid YAML: {reason}"),
            help: Some(help),
        },
        Reject::Template { at } => Problem {
            at: place(at),
            state: State::NotRendered,
            message: "an unrendered template".to_owned(),
            help: Some("render it first: `helm template . | palisade check -`"),
        },
        Reject::Expansion { at } => Problem {
            at: place(at),
            state: State::Unparsable,
            message: "excessive aliasing: its aliases multiply the document".to_owned(),
            help: Some("write the repeated parts out, or split the document"),
        },
        Reject::Anchors { at } => Problem {
            at: place(at),
            state: State::Unparsable,
            message: "more anchors and aliases than the limit of one document".to_owned(),
            help: Some("write the repeated parts out, or raise `limits.anchors` in palisade.yaml"),
        },
    }
}
