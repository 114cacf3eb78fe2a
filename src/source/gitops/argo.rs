//! Applications of Argo CD.

use crate::document::{Document, Node, Span};

/// An Application as written.
pub(in crate::source) struct Application<'d> {
    /// What it applies.
    pub(in crate::source) sources: Vec<Source<'d>>,
    /// The namespace of objects that name none.
    pub(in crate::source) namespace: Option<(String, Span)>,
    /// The cluster that it applies to, where that is not the one that it lies in.
    pub(in crate::source) cluster: Option<String>,
    /// Whether the namespace is made, with the labels and annotations it then has.
    pub(in crate::source) creates_namespace: Option<(Span, Option<Node<'d>>)>,
}

/// One source of an Application.
pub(in crate::source) struct Source<'d> {
    /// A directory of the repository.
    pub(in crate::source) path: Option<(String, Span)>,
    /// A chart of a registry.
    pub(in crate::source) chart: Option<String>,
    /// The whole entry.
    pub(in crate::source) node: Node<'d>,
}

/// Reads an Application; none for any other object.
pub(in crate::source) fn application(document: &Document) -> Option<Application<'_>> {
    let id = &document.id;
    if id.group != "argoproj.io" || id.kind != "Application" {
        return None;
    }
    let spec = document.root().get("spec")?;
    let text = |node: Node<'_>, key: &str| {
        let value = node.get(key)?;
        Some((value.as_str()?.to_owned(), value.span()))
    };
    let source = |node| Source {
        path: text(node, "path"),
        chart: text(node, "chart").map(|(chart, _)| chart),
        node,
    };
    let sources = match spec.get("sources") {
        Some(sources) => sources.children().map(source).collect(),
        None => spec.get("source").into_iter().map(source).collect(),
    };
    let destination = spec.get("destination");
    let part = |key: &str| destination.and_then(|node| text(node, key)).map(|(text, _)| text);
    let server = part("server").filter(|server| server != "https://kubernetes.default.svc");
    let options = spec.path(&["syncPolicy", "syncOptions"]);
    let mut options = options.into_iter().flat_map(Node::children);
    let creates = options.find(|option| option.as_str() == Some("CreateNamespace=true"));
    let metadata = spec.path(&["syncPolicy", "managedNamespaceMetadata"]);
    Some(Application {
        sources,
        namespace: destination.and_then(|node| text(node, "namespace")),
        cluster: server.or_else(|| part("name").filter(|name| name != "in-cluster")),
        creates_namespace: creates.map(|option| (option.span(), metadata)),
    })
}
