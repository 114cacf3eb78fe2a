//! Applications of Argo CD.

use crate::document::{Content, Document, Draft, Node, Span};

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

/// What a source of an Application sets, as a kustomization; none where it sets nothing.
pub(in crate::source) fn settings(source: &Source<'_>) -> Option<Draft> {
    const TAKEN: [&str; 8] = [
        "namePrefix",
        "nameSuffix",
        "namespace",
        "commonLabels",
        "commonAnnotations",
        "patches",
        "components",
        "replicas",
    ];
    let kustomize = source.node.get("kustomize")?;
    let mut settings = Draft::map(kustomize.span());
    for key in TAKEN {
        if let Some(node) = kustomize.get(key).filter(|node| !node.is_null()) {
            settings.set(key, node.key_span(), Draft::of(node));
        }
    }
    let images = kustomize.get("images").into_iter().flat_map(Node::children).filter_map(image);
    let images: Vec<Draft> = images.collect();
    if !images.is_empty() {
        let list = Draft { value: Content::List(images), ..Draft::map(kustomize.span()) };
        settings.set("images", None, list);
    }
    (!settings.fields().is_empty()).then_some(settings)
}

/// `name=new:tag`, `name:tag` or `name@digest` as an entry of a kustomization.
fn image(node: Node<'_>) -> Option<Draft> {
    let (at, text) = (node.span(), node.as_str()?);
    let (name, new) = text.split_once('=').map_or((None, text), |(name, new)| (Some(name), new));
    let (image, digest) = new.split_once('@').map_or((new, None), |(i, d)| (i, Some(d)));
    let tag_at = image.rfind(':').filter(|at| !image.get(*at..).unwrap_or_default().contains('/'));
    let (image, tag) = match tag_at {
        Some(at) => (image.get(..at)?, image.get(at + 1..)),
        None => (image, None),
    };
    let mut entry = Draft::map(at);
    entry.set("name", None, Draft::text(name.unwrap_or(image), at));
    let parts = [("newName", name.map(|_| image)), ("newTag", tag), ("digest", digest)];
    for (key, value) in parts {
        if let Some(value) = value {
            entry.set(key, None, Draft::text(value, at));
        }
    }
    Some(entry)
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
