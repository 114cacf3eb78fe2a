//! An object while it is rendered: a tree that can be changed, each part with the place at which it
//! was written, so that a finding about the result points to the line that a person can change.

use std::sync::Arc;

use super::files::{FileId, Span, narrow};
use super::redact;
use super::scalar::{Plain, resolve};
use super::tree::{Entry, Mark, Node, Redacted, Role, Slot, Style, Text, Tree, Value};
use super::{Document, Kind, NamespaceSource, ObjectId, SecretHit};

/// A value that can be changed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it holds.
    pub value: Content,
    /// How it is written.
    pub style: Style,
    /// Where it is written.
    pub span: Span,
    /// Where the value stood that this one replaces.
    pub replaces: Option<Span>,
}

/// What a [`Draft`] holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A string.
    Str(String),
    /// A value that was withheld.
    Redacted(Redacted),
    /// A list.
    List(Vec<Draft>),
    /// A map, in the order written.
    Map(Vec<Field>),
}

/// An entry of a map.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key.
    pub key: String,
    /// Where the key is written.
    pub key_span: Option<Span>,
    /// The value.
    pub value: Draft,
}

impl Draft {
    /// A copy of a node, with aliases and merge keys resolved.
    #[must_use]
    pub fn of(node: Node<'_>) -> Self {
        let field = |child: Node<'_>| Field {
            key: child.key().to_owned(),
            key_span: child.key_span(),
            value: Self::of(child),
        };
        let value = match node.value() {
            Value::Null => Content::Null,
            Value::Bool(value) => Content::Bool(value),
            Value::Int(value) => Content::Int(value),
            Value::Float(value) => Content::Float(value),
            Value::Str(text) => Content::Str(text.to_owned()),
            Value::Redacted(redacted) => Content::Redacted(redacted),
            Value::List => Content::List(node.children().map(Self::of).collect()),
            Value::Map => Content::Map(node.children().map(field).collect()),
        };
        Self { value, style: node.style(), span: node.span(), replaces: None }
    }

    /// A string that something at `span` makes.
    #[must_use]
    pub fn text(text: impl Into<String>, span: Span) -> Self {
        Self { value: Content::Str(text.into()), style: Style::Quoted, span, replaces: None }
    }

    /// An empty map that something at `span` makes.
    #[must_use]
    pub const fn map(span: Span) -> Self {
        Self { value: Content::Map(Vec::new()), style: Style::Plain, span, replaces: None }
    }

    /// A scalar of the Kubernetes dialect, as if it were written without quotes at `span`.
    #[must_use]
    pub fn plain(text: &str, span: Span) -> Self {
        let value = match resolve(text) {
            Plain::Null => Content::Null,
            Plain::Bool(value) => Content::Bool(value),
            Plain::Int(value) => Content::Int(value),
            Plain::Float(value) | Plain::NotJson(value) => Content::Float(value),
            Plain::Str => Content::Str(text.to_owned()),
        };
        Self { value, style: Style::Plain, span, replaces: None }
    }

    /// The string, if this is one that was not withheld.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Content::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a map; none for anything else.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        match &self.value {
            Content::Map(fields) => fields,
            _ => &[],
        }
    }

    /// The entries of a map, to change; none for anything else.
    pub fn fields_mut(&mut self) -> &mut [Field] {
        match &mut self.value {
            Content::Map(fields) => fields,
            _ => &mut [],
        }
    }

    /// The items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Content::List(items) => items,
            _ => &[],
        }
    }

    /// The items of a list, to change; none for anything else.
    pub fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.value {
            Content::List(items) => items,
            _ => &mut [],
        }
    }

    /// The value under a key of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.fields().iter().find(|field| field.key == key).map(|field| &field.value)
    }

    /// The value under a key of a map, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let mut fields = self.fields_mut().iter_mut();
        fields.find(|field| field.key == key).map(|field| &mut field.value)
    }

    /// The value under a path of keys.
    #[must_use]
    pub fn path(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |draft, key| draft.get(key))
    }

    /// The value under a path of keys, to change.
    pub fn path_mut(&mut self, keys: &[&str]) -> Option<&mut Self> {
        keys.iter().try_fold(self, |draft, key| draft.get_mut(key))
    }

    /// Sets the value under a key of a map. A former value's place is kept in [`Draft::replaces`];
    /// nothing happens to what is no map.
    pub fn set(&mut self, key: &str, key_span: Option<Span>, value: Self) {
        let Content::Map(fields) = &mut self.value else { return };
        match fields.iter_mut().find(|field| field.key == key) {
            Some(field) => {
                let replaces = Some(field.value.span).filter(|span| *span != value.span);
                let replaces = value.replaces.or(replaces);
                field.value = Self { replaces, ..value };
            }
            None => fields.push(Field { key: key.to_owned(), key_span, value }),
        }
    }

    /// Removes a key of a map and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let Content::Map(fields) = &mut self.value else { return None };
        let at = fields.iter().position(|field| field.key == key)?;
        Some(fields.remove(at).value)
    }

    /// The map under a key, made at `span` where there is none. None where this is no map or the key
    /// holds something else.
    pub fn entry_map(&mut self, key: &str, span: Span) -> Option<&mut Self> {
        let missing = self.get(key).is_none_or(|d| matches!(d.value, Content::Null));
        if missing {
            self.set(key, None, Self::map(span));
        }
        self.get_mut(key).filter(|draft| matches!(draft.value, Content::Map(_)))
    }

    /// The values that replace others: their place, and that of the value they replace.
    #[must_use]
    pub fn replaced(&self) -> Vec<(Span, Span)> {
        let own = self.replaces.map(|old| (self.span, old));
        let below = self.items().iter().chain(self.fields().iter().map(|field| &field.value));
        own.into_iter().chain(below.flat_map(Self::replaced)).collect()
    }

    /// The finished tree.
    #[must_use]
    pub fn into_tree(self) -> Tree {
        let mut tree = Tree::new(Vec::new(), String::new());
        append(self, None, &mut tree);
        tree.finished()
    }
}

fn append(draft: Draft, key: Option<(String, Option<Span>)>, tree: &mut Tree) {
    let mut keep = |text: &str| {
        let start = narrow(tree.strings.len());
        tree.strings.push_str(text);
        Text { start, end: narrow(tree.strings.len()) }
    };
    let file: FileId = draft.span.file;
    let (key, key_span) = match key {
        // An entry has one file: a key that stands in another one than its value has no place.
        Some((key, at)) => (keep(&key), at.filter(|at| at.file == file)),
        None => (Text::default(), None),
    };
    let slot = match &draft.value {
        Content::Null => Slot::Null,
        Content::Bool(value) => Slot::Bool(*value),
        Content::Int(value) => Slot::Int(*value),
        Content::Float(value) => Slot::Float(*value),
        Content::Str(text) => Slot::Str(keep(text)),
        Content::Redacted(redacted) => Slot::Redacted(*redacted),
        Content::List(_) => Slot::List,
        Content::Map(_) => Slot::Map,
    };
    let text = |span: Span| Text { start: span.start, end: span.end };
    let at = tree.entries.len();
    tree.entries.push(Entry {
        slot,
        key,
        key_span: key_span.map(text).unwrap_or_default(),
        span: text(draft.span),
        file,
        next: 0,
        style: draft.style,
        role: Role::Plain,
    });
    match draft.value {
        Content::List(items) => items.into_iter().for_each(|item| append(item, None, tree)),
        Content::Map(fields) => {
            for field in fields {
                append(field.value, Some((field.key, field.key_span)), tree);
            }
        }
        _ => {}
    }
    let next = narrow(tree.entries.len());
    if let Some(entry) = tree.entries.get_mut(at) {
        entry.next = next;
    }
}

/// How an object came to be, where a renderer made it: the places that a finding about it shows
/// beside its own.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// What made it: an entry of a kustomization, a template of a chart, a GitOps object.
    pub by: Span,
    /// What is to be seen there.
    pub text: &'static str,
    /// Where values come from: the place of a value, the place behind it, what is to be seen there.
    pub sources: Vec<(Span, Span, &'static str)>,
}

impl Document {
    /// The object as a renderer took it over, without a change.
    #[must_use]
    pub fn unchanged(&self, namespace: NamespaceSource, by: (Span, &'static str)) -> Self {
        let rendering = Rendering { by: by.0, text: by.1, sources: self.sources() };
        Self { namespace, rendering: Some(Arc::new(rendering)), ..self.clone() }
    }

    /// Where values come from, by the renderers before.
    fn sources(&self) -> Vec<(Span, Span, &'static str)> {
        self.rendering.as_ref().map(|rendering| rendering.sources.clone()).unwrap_or_default()
    }

    /// An object that a renderer made of nothing but its own settings: its place is what made it.
    #[must_use]
    pub fn generated(
        (id, version): (ObjectId, String),
        namespace: NamespaceSource,
        draft: Draft,
        by: (Span, &'static str),
    ) -> Self {
        let head = draft.path(&["metadata", "name"]).map_or(draft.span, |name| name.span);
        let empty = Self {
            kind: None,
            id: Arc::new(id.clone()),
            version,
            tree: Arc::new(Draft::map(draft.span).into_tree()),
            node: 0,
            head,
            extent: draft.span,
            namespace,
            patch: false,
            superseded: false,
            comments: [].into(),
            secrets: [].into(),
            cluster: None,
            elided: false,
            made: false,
            rendering: None,
        };
        empty.rendered(id, namespace, draft, by)
    }

    /// The object as a renderer changed it. `self` is what it was made from.
    #[must_use]
    pub fn rendered(
        &self,
        id: ObjectId,
        namespace: NamespaceSource,
        draft: Draft,
        by: (Span, &'static str),
    ) -> Self {
        let overridden = "this value is overridden";
        let replaced = draft.replaced().into_iter().map(|(new, old)| (new, old, overridden));
        let sources = self.sources().into_iter().chain(replaced).collect();
        let mut tree = draft.into_tree();
        // What a renderer brought was not read as part of this object.
        let kind = (id.group.as_str(), id.kind.as_str());
        let brought = redact::object(&mut tree, 0, kind, "").hits;
        let hits = self.secrets.iter().filter_map(|hit| {
            let was = self.tree.node(hit.node).span();
            let credential = |at: &u32| {
                let entry = tree.entry(*at);
                let mark = matches!(&entry.slot, Slot::Redacted(r) if matches!(r.mark, Mark::Credential(_)));
                mark && tree.node(*at).span() == was
            };
            let node = (0..narrow(tree.entries.len())).find(credential)?;
            Some(SecretHit { node, ..hit.clone() })
        });
        let secrets: Vec<SecretHit> = hits.chain(brought).collect();
        Self {
            kind: Kind::of(&id.group, &id.kind),
            id: Arc::new(id),
            tree: Arc::new(tree),
            node: 0,
            namespace,
            secrets: secrets.into(),
            rendering: Some(Arc::new(Rendering { by: by.0, text: by.1, sources })),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Draft};
    use crate::document::{FileId, Span, read_settings};

    const FILE: FileId = FileId(1);

    fn draft(text: &str) -> Draft {
        let (tree, _) = read_settings(FILE, text).unwrap_or_else(|_| panic!("{text} is YAML"));
        Draft::of(tree.expect("a document").root())
    }

    #[test]
    fn a_draft_gives_the_tree_that_it_was_made_from() {
        let text = "a: &x {b: [1, two, ~], c: 1.5}\nd: *x\ne: {<<: *x, c: true}\n";
        let tree = draft(text).into_tree();
        let mut json = String::new();
        crate::document::write_json(tree.root(), &mut json);
        let expected = concat!(
            r#"{"a":{"b":[1,"two",null],"c":1.5},"d":{"b":[1,"two",null],"c":1.5},"#,
            r#""e":{"c":true,"b":[1,"two",null]}}"#
        );
        assert_eq!(json, expected);
        let two = tree.root().path(&["d", "b"]).and_then(|list| list.children().nth(1));
        let span = two.expect("there").span();
        assert_eq!(text.get(span.start as usize..span.end as usize), Some("two"));
    }

    #[test]
    fn a_value_that_is_set_remembers_the_place_of_the_one_before() {
        let mut draft = draft("a: {b: 1}\n");
        let old = draft.path(&["a", "b"]).expect("there").span;
        let new = Span { file: FileId(2), start: 5, end: 9 };
        draft.get_mut("a").expect("there").set("b", None, Draft::plain("yes", new));
        assert!(matches!(draft.path(&["a", "b"]).map(|d| &d.value), Some(Content::Bool(true))));
        assert_eq!(draft.replaced(), [(new, old)]);
        let tree = draft.into_tree();
        assert_eq!(tree.root().path(&["a", "b"]).expect("there").span(), new);
    }
}
