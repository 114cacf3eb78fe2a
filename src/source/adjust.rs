//! What Flux and Argo CD change in objects after they were built: metadata, variables, namespaces.

use std::collections::BTreeSet;

use super::gitops::{self, Variables};
use crate::document::{Document, Draft, NamespaceSource, Node, Note, ObjectId, Span};

/// The remark on variables whose value is not in the input.
pub(super) fn without_value(names: &BTreeSet<String>, at: Span) -> Option<Note> {
    /// Most names that are listed.
    const LISTED: usize = 10;
    let mut listed: Vec<String> = names.iter().take(LISTED).map(|n| format!("`{n}`")).collect();
    if names.len() > LISTED {
        listed.push(format!("{} more", names.len() - LISTED));
    }
    let text = format!(
        "no value is known for {}: give it under `postBuild.substitute`, or under `roots` of \
         palisade.yaml",
        listed.join(", ")
    );
    (!names.is_empty()).then_some(Note { at, text })
}

/// What Flux changes in an object after it was built. Gives the variables that have no value.
pub(super) fn finish(
    object: &mut Document,
    common: Option<Node<'_>>,
    variables: Option<&Variables>,
    owner: &Document,
) -> Vec<String> {
    let exempt = |part: &str| {
        let key = "kustomize.toolkit.fluxcd.io/substitute";
        let value = object.root().path(&["metadata", part, key]);
        value.and_then(Node::as_str) == Some("disabled")
    };
    let variables = variables.filter(|_| object.tree.mentions("${"));
    let variables = variables.filter(|_| !(exempt("labels") || exempt("annotations")));
    if common.is_none() && variables.is_none() {
        return Vec::new();
    }
    let mut draft = Draft::of(object.root());
    for part in common.into_iter().flat_map(Node::children) {
        let metadata = draft.entry_map("metadata", part.span());
        let Some(map) = metadata.and_then(|m| m.entry_map(part.key(), part.span())) else {
            continue;
        };
        for pair in part.children() {
            map.set(pair.key(), pair.key_span(), Draft::of(pair));
        }
    }
    let open = variables.map(|variables| gitops::substitute(&mut draft, variables));
    reread(object, draft, (owner.head, "applied by this object"));
    open.unwrap_or_default()
}

/// Takes an object for what its text has become; `by` says what made it, unless something did before.
pub(super) fn reread(object: &mut Document, draft: Draft, by: (Span, &'static str)) {
    let text = |path: &[&str]| draft.path(path).and_then(Draft::as_str).map(str::to_owned);
    let mut id = object.id.as_ref().clone();
    id.name = text(&["metadata", "name"]).unwrap_or(id.name);
    if object.namespace == NamespaceSource::Written {
        id.namespace = text(&["metadata", "namespace"]).unwrap_or(id.namespace);
    }
    let by = object.rendering.as_ref().map_or(by, |rendering| (rendering.by, rendering.text));
    *object = object.rendered(id, object.namespace, draft, by);
}

/// The Namespace that Argo CD makes for an Application that asks for it.
pub(super) fn made_namespace(application: &gitops::Application<'_>) -> Option<Document> {
    let (name, _) = application.namespace.as_ref()?;
    let (at, metadata) = application.creates_namespace?;
    let mut draft = Draft::map(at);
    draft.set("apiVersion", None, Draft::text("v1", at));
    draft.set("kind", None, Draft::text("Namespace", at));
    let mut own = metadata.map_or_else(|| Draft::map(at), Draft::of);
    own.set("name", None, Draft::text(name.clone(), at));
    draft.set("metadata", None, own);
    let id = ObjectId {
        group: String::new(),
        kind: "Namespace".to_owned(),
        namespace: String::new(),
        name: name.clone(),
    };
    let scope = NamespaceSource::ClusterScoped;
    let by = (at, "made by this option");
    Some(Document::generated((id, "v1".to_owned()), scope, draft, by))
}

/// Puts an object into a namespace that a GitOps object names.
pub(super) fn place(object: &mut Document, namespace: &str, at: Span) {
    if object.namespace == NamespaceSource::ClusterScoped || object.id.namespace == namespace {
        return;
    }
    let mut id = object.id.as_ref().clone();
    namespace.clone_into(&mut id.namespace);
    let mut draft = Draft::of(object.root());
    if let Some(metadata) = draft.get_mut("metadata") {
        metadata.set("namespace", None, Draft::text(namespace, at));
    }
    *object =
        object.rendered(id, NamespaceSource::Given, draft, (at, "put into its namespace here"));
}
