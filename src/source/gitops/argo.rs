//! Applications of Argo CD.

use std::path::PathBuf;

use globset::Glob;

use super::super::helm::{Release, Values};
use super::super::store::join;
use crate::document::{Content, Document, Draft, Node, Span, write_json};

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
    /// The whole entry.
    pub(in crate::source) node: Node<'d>,
}

impl Source<'_> {
    /// Whether a plain directory gives a file: its own ones, those below where it says so, and
    /// among them what its globs take.
    pub(in crate::source) fn takes(&self, name: &str, directory: &str) -> bool {
        let options = self.node.get("directory");
        let option = |key: &str| options.and_then(|options| options.get(key));
        let recurse = option("recurse").and_then(Node::as_bool) == Some(true);
        let holder = name.rsplit_once('/').map_or(".", |(holder, _)| holder);
        let inner = match directory {
            "." => name,
            directory => name.strip_prefix(directory).unwrap_or(name).trim_start_matches('/'),
        };
        let matches = |key: &str| {
            let glob = option(key).and_then(Node::as_str).filter(|glob| !glob.is_empty())?;
            Some(Glob::new(glob).is_ok_and(|glob| glob.compile_matcher().is_match(inner)))
        };
        (recurse || holder == directory)
            && matches("include") != Some(false)
            && matches("exclude") != Some(true)
    }
}

/// How an Application installs a chart.
pub(in crate::source) fn release(
    source: &Source<'_>,
    application: &Application<'_>,
    document: &Document,
) -> Release {
    let helm = source.node.get("helm");
    let part = |key: &str| helm.and_then(|helm| helm.get(key));
    let text = |key: &str| part(key).and_then(Node::as_str).map(str::to_owned);
    let directory = source.path.as_ref().map_or(".", |(path, _)| path.as_str());
    let files = part("valueFiles").into_iter().flat_map(Node::children);
    let files = files.filter_map(Node::as_str).filter_map(|file| join(directory, file));
    let mut values: Vec<Values> =
        files.map(|name| Values::File { path: PathBuf::from(&name), name }).collect();
    values.extend(text("values").map(Values::Text));
    if let Some(object) = part("valuesObject") {
        let mut text = String::new();
        write_json(object, &mut text);
        values.push(Values::Text(text));
    }
    let parameters = part("parameters").into_iter().flat_map(Node::children);
    let sets = parameters.filter_map(|parameter| {
        let text = |key: &str| parameter.get(key).and_then(Node::as_str);
        Some(format!("{}={}", text("name")?, text("value")?))
    });
    Release {
        name: text("releaseName").unwrap_or_else(|| document.id.name.clone()),
        namespace: application.namespace.as_ref().map(|(name, _)| name.clone()).unwrap_or_default(),
        values,
        sets: sets.collect(),
        ..Release::default()
    }
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
    let source = |node| Source { path: text(node, "path"), node };
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
