//! The span tree: one arena per document, every node with its exact place.
//!
//! Nodes stand in document order; a node knows where its subtree ends, so children are found by
//! stepping. An alias is a node that refers to the anchored one: values are followed, places are
//! not, so a label points to the alias that a person has to change.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use super::files::{FileId, Span, narrow, slice};

/// How a node was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A scalar without quotes, or a map or list in block form.
    Plain,
    /// A scalar in single or double quotes.
    Quoted,
    /// A block scalar (`|` or `>`).
    Block,
    /// A map or list in braces or brackets.
    Flow,
}

/// Why a value was withheld, and at most how long it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// What the value was taken for.
    pub mark: Mark,
    /// The length class: empty, up to 16, up to 64 bytes, or more.
    pub length: LengthClass,
}

/// What a withheld value was taken for while its document was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A value of a Secret that is neither empty, a placeholder nor encrypted.
    Opaque,
    /// A value that stands for one to be filled in (`changeme`, `<token>`, `${TOKEN}`).
    Placeholder,
    /// A value that a tool encrypted (SOPS, Sealed Secrets).
    Encrypted,
    /// A certificate or public key: in a Secret, but no secret.
    Public,
    /// A value outside a Secret that looks like a credential.
    Credential(Credential),
}

/// The kinds of credential that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    /// A private key in PEM form.
    PrivateKey,
    /// A token with the well-known shape of a product.
    ProductToken,
    /// A JSON Web Token.
    Jwt,
    /// A user and a password inside a URL.
    UrlPassword,
    /// A value under a name that says password, token or key.
    Named,
    /// Registry credentials in Docker's form.
    DockerConfig,
}

/// How long a withheld value was, coarsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LengthClass {
    /// Nothing.
    Empty,
    /// 1 to 16 bytes.
    Short,
    /// 17 to 64 bytes.
    Medium,
    /// More than 64 bytes.
    Long,
}

/// What a node holds. Missing, null and empty are three things and stay apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Written as null or left empty.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A string.
    Str(&'a str),
    /// A value that was withheld.
    Redacted(Redacted),
    /// A list.
    List,
    /// A map.
    Map,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) start: u32,
    pub(super) end: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Text),
    Redacted(Redacted),
    List,
    Map,
    Alias(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) slot: Slot,
    pub(super) key: Text,
    pub(super) key_span: Text,
    pub(super) span: Text,
    pub(super) file: FileId,
    /// Index of the first entry behind this one's subtree.
    pub(super) next: u32,
    pub(super) style: Style,
    pub(super) role: Role,
}

/// What an entry is to the map or list that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Written here.
    Plain,
    /// Overridden by a later key of the same name, or a merge key: part of the text, not of the map.
    Hidden,
    /// Brought by a merge key; its places are those at the anchor.
    Merged,
}

/// How the keys of palisade's own annotations begin.
pub(crate) const ANNOTATION: &str = "palisade.dev/ignore";

/// The nodes of one document.
#[derive(Debug)]
pub struct Tree {
    pub(super) entries: Vec<Entry>,
    /// Keys and string values, decoded.
    pub(super) strings: String,
    /// Children of maps and lists that have many, filled when a place in one is asked for.
    wide: OnceLock<HashMap<u32, Vec<u32>>>,
    /// Whether an annotation of palisade's may stand in it.
    annotated: bool,
}

/// Children up to this many are searched one by one.
const FEW: usize = 32;

impl Tree {
    pub(super) fn new(entries: Vec<Entry>, strings: String) -> Self {
        Self { entries, strings, wide: OnceLock::new(), annotated: false }
    }

    /// The tree once all of it is there.
    pub(super) fn finished(mut self) -> Self {
        self.entries.shrink_to_fit();
        self.strings.shrink_to_fit();
        self.annotated = self.mentions(ANNOTATION);
        self
    }

    /// Whether an annotation of palisade's may stand in it. Seen while a tree is made: to search all
    /// trees again would take longer than most of what is asked of them.
    pub(crate) fn is_annotated(&self) -> bool {
        self.annotated
    }

    /// The children of an entry that has many.
    fn many(&self, at: u32) -> &[u32] {
        let wide = self.wide.get_or_init(|| {
            let children = |at: u32| self.node(at).children().map(Node::index);
            let all = (0..narrow(self.entries.len())).map(|at| (at, children(at)));
            let many = all.filter(|(_, children)| children.clone().nth(FEW).is_some());
            many.map(|(at, children)| (at, children.collect())).collect()
        });
        wide.get(&at).map_or(&[], Vec::as_slice)
    }

    /// Whether any of its keys or strings holds a text.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        memchr::memmem::find(self.strings.as_bytes(), text.as_bytes()).is_some()
    }

    /// The files in which its parts stand.
    #[must_use]
    pub fn files(&self) -> BTreeSet<FileId> {
        self.entries.iter().map(|entry| entry.file).collect()
    }

    /// The outermost node; a tree is never empty.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, at: 0 }
    }

    /// A node by its index, which came from [`Node::index`] of the same tree.
    #[must_use]
    pub fn node(&self, index: u32) -> Node<'_> {
        Node { tree: self, at: index }
    }

    pub(super) fn entry(&self, at: u32) -> &Entry {
        self.entries.get(at as usize).expect("indices come from the tree itself")
    }

    pub(super) fn text(&self, text: Text) -> &str {
        slice(&self.strings, text.start, text.end)
    }
}

/// A node of a [`Tree`]: its value with aliases followed, its place without.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    tree: &'a Tree,
    at: u32,
}

impl<'a> Node<'a> {
    fn entry(self) -> &'a Entry {
        self.tree.entry(self.at)
    }

    /// The entry that holds the value: the anchored one for an alias.
    fn target(self) -> u32 {
        let mut at = self.at;
        while let Slot::Alias(to) = self.tree.entry(at).slot {
            at = to; // an alias refers backwards only, so this ends
        }
        at
    }

    /// The value.
    #[must_use]
    pub fn value(self) -> Value<'a> {
        match self.tree.entry(self.target()).slot {
            Slot::Null | Slot::Alias(_) => Value::Null,
            Slot::Bool(b) => Value::Bool(b),
            Slot::Int(i) => Value::Int(i),
            Slot::Float(f) => Value::Float(f),
            Slot::Str(text) => Value::Str(self.tree.text(text)),
            Slot::Redacted(redacted) => Value::Redacted(redacted),
            Slot::List => Value::List,
            Slot::Map => Value::Map,
        }
    }

    /// Where the value is written. An alias's own place, not that of its anchor.
    #[must_use]
    pub fn span(self) -> Span {
        let entry = self.entry();
        Span { file: entry.file, start: entry.span.start, end: entry.span.end }
    }

    /// Where the key is written, for a value of a map.
    #[must_use]
    pub fn key_span(self) -> Option<Span> {
        let entry = self.entry();
        let Text { start, end } = entry.key_span;
        (start < end).then_some(Span { file: entry.file, start, end })
    }

    /// The key, for a value of a map; empty otherwise.
    #[must_use]
    pub fn key(self) -> &'a str {
        self.tree.text(self.entry().key)
    }

    /// How the value is written.
    #[must_use]
    pub fn style(self) -> Style {
        self.tree.entry(self.target()).style
    }

    /// Its place in the arena, for [`Tree::node`].
    #[must_use]
    pub fn index(self) -> u32 {
        self.at
    }

    /// The values of a map or the items of a list, in the order written; nothing for scalars.
    #[must_use]
    pub fn children(self) -> Children<'a> {
        let target = self.target();
        let entry = self.tree.entry(target);
        let has_children = matches!(entry.slot, Slot::List | Slot::Map);
        let end = if has_children { entry.next } else { target + 1 };
        Children { tree: self.tree, at: target + 1, end, hidden: false }
    }

    /// The child whose value or key stands at `span`, and its number.
    pub(super) fn child_at(self, span: Span) -> Option<(usize, Self)> {
        let at = |child: &Self| {
            child.span().contains(span) || child.key_span().is_some_and(|key| key.contains(span))
        };
        let found = self.children().enumerate().take(FEW).find(|(_, child)| at(child));
        if found.is_some() {
            return found;
        }
        let many = self.tree.many(self.target());
        let child = |number: usize| Some((number, self.tree.node(*many.get(number)?)));
        // What is written here stands in the order of the text, what a merge key brings does not.
        let start = |child: Self| child.key_span().unwrap_or(child.span()).start;
        let behind = many.partition_point(|index| start(self.tree.node(*index)) <= span.start);
        let last = behind.checked_sub(1).and_then(child).filter(|(_, child)| at(child));
        last.or_else(|| (FEW..many.len()).filter_map(child).find(|(_, child)| at(child)))
    }

    /// Like [`Node::children`], with those that a later key or a merge overrides.
    pub(super) fn all_children(self) -> Children<'a> {
        Children { hidden: true, ..self.children() }
    }

    /// Index of the entry that holds the value, behind aliases.
    pub(super) fn holder(self) -> u32 {
        self.target()
    }

    /// The value under a key of a map.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        if !self.is_map() {
            return None;
        }
        self.children().find(|child| child.key() == key)
    }

    /// The value under a path of keys.
    #[must_use]
    pub fn path(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Whether this is a map.
    #[must_use]
    pub fn is_map(self) -> bool {
        matches!(self.value(), Value::Map)
    }

    /// Whether this is a list.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self.value(), Value::List)
    }

    /// Whether this is null, which the API server takes for missing.
    #[must_use]
    pub fn is_null(self) -> bool {
        matches!(self.value(), Value::Null)
    }

    /// The string, if this is one that was not withheld.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self.value() {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.value() {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The integer, if this is one; integral floats count, as the API server takes them.
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        match self.value() {
            Value::Int(value) => Some(value),
            #[expect(clippy::cast_possible_truncation, reason = "range and fraction are tested")]
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(value as i64),
            _ => None,
        }
    }
}

/// Steps over the children of a node.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    tree: &'a Tree,
    at: u32,
    end: u32,
    /// Whether hidden entries are shown.
    hidden: bool,
}

impl<'a> Iterator for Children<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        while self.at < self.end {
            let at = self.at;
            let entry = self.tree.entry(at);
            self.at = entry.next;
            if self.hidden || entry.role != Role::Hidden {
                return Some(Node { tree: self.tree, at });
            }
        }
        None
    }
}
