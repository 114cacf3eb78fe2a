//! All objects of one root, and what is known to be missing from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::defect::{Defect, DefectKind};
use super::files::Span;
use super::kind::{Kind, KindSet, Scope};
use super::tree::Node;
use super::{Document, NamespaceSource, ObjectId, makes_no_pods};

/// What an [`Inventory`] was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKind {
    /// The plain manifests of the arguments.
    Directory,
    /// Standard input.
    Stdin,
    /// A document or script with manifests in it.
    DocumentFile,
    /// A kustomization.
    Kustomize,
    /// A chart.
    Chart,
    /// What a Flux Kustomization applies, with all that it creates.
    Flux,
    /// What an Argo CD Application applies, with all that it creates.
    ArgoCd,
}

impl RootKind {
    /// The word of outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Stdin => "stdin",
            Self::DocumentFile => "document",
            Self::Kustomize => "kustomize",
            Self::Chart => "chart",
            Self::Flux => "flux",
            Self::ArgoCd => "argocd",
        }
    }
}

/// Why objects are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapReason {
    /// A template that was not rendered.
    TemplateNotRendered,
    /// A chart or kustomization for which the program that renders it is not installed.
    RendererMissing,
    /// A chart or kustomization that its own program would refuse, too.
    RendererFailed,
    /// A base on another host.
    RemoteBase,
    /// A chart that is not in the input.
    RemoteChart,
    /// A chart whose dependencies are not beside it.
    MissingDependency,
    /// Something of a renderer that palisade does not do.
    UnsupportedFeature,
    /// A file that could not be read.
    Unreadable,
    /// A document that could not be parsed.
    Unparsable,
    /// A file or document beyond a limit.
    TooLarge,
    /// An encrypted or binary file.
    Encrypted,
    /// A chart, application or operator resource that makes objects elsewhere.
    MadeElsewhere,
    /// Another root that may be a part of the same cluster.
    OtherRoot,
    /// A name or namespace with a placeholder.
    UnresolvedVariable,
    /// A document with left-out parts.
    Elided,
}

impl GapReason {
    /// The word of outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TemplateNotRendered => "template-not-rendered",
            Self::RendererMissing => "renderer-missing",
            Self::RendererFailed => "renderer-failed",
            Self::RemoteBase => "remote-base",
            Self::RemoteChart => "remote-chart",
            Self::MissingDependency => "missing-dependency",
            Self::UnsupportedFeature => "unsupported-feature",
            Self::Unreadable => "unreadable",
            Self::Unparsable => "unparsable",
            Self::TooLarge => "too-large",
            Self::Encrypted => "encrypted",
            Self::MadeElsewhere => "made-elsewhere",
            Self::OtherRoot => "other-root",
            Self::UnresolvedVariable => "unresolved-variable",
            Self::Elided => "elided",
        }
    }
}

impl GapReason {
    /// Whether a run that met it has not seen everything it should have: what is encrypted or lies
    /// elsewhere is known to be missing.
    #[must_use]
    pub const fn is_incomplete(self) -> bool {
        matches!(
            self,
            Self::RendererMissing
                | Self::RendererFailed
                | Self::MissingDependency
                | Self::UnsupportedFeature
        )
    }

    /// Whether it names what lies on another host, or a value that is set elsewhere.
    #[must_use]
    pub const fn is_elsewhere(self) -> bool {
        matches!(self, Self::RemoteBase | Self::RemoteChart | Self::UnresolvedVariable)
    }
}

/// Something that should have given objects and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub reason: GapReason,
    /// What: a directory, a file, an object.
    pub what: String,
    /// Where, if there is a place.
    pub at: Option<Span>,
    /// What to do about it.
    pub hint: String,
    /// The namespace that it could fill; all of them where that is not known.
    pub namespace: Option<String>,
}

/// All objects of one root. Immutable.
#[derive(Debug)]
pub struct Inventory {
    /// Name of the root.
    pub name: String,
    /// What the root is.
    pub kind: RootKind,
    /// Objects, sorted by identity and then by place.
    pub documents: Vec<Document>,
    /// Defects of text and identity.
    pub defects: Vec<Defect>,
    /// What is missing.
    pub gaps: Vec<Gap>,
    kinds: KindSet,
}

impl Inventory {
    /// Assembles a root from what its files gave.
    #[must_use]
    pub fn new(
        name: String,
        kind: RootKind,
        mut documents: Vec<Document>,
        mut defects: Vec<Defect>,
        mut gaps: Vec<Gap>,
    ) -> Self {
        apply_crd_scopes(&mut documents);
        documents.par_sort_unstable_by(|a, b| (&a.id, a.head).cmp(&(&b.id, b.head)));
        if kind != RootKind::DocumentFile {
            defects.extend(twins(&documents));
        }
        gaps.par_extend(documents.par_iter().filter_map(gap_of));
        gaps.sort_by(|a, b| (a.reason, &a.what, a.at).cmp(&(b.reason, &b.what, b.at)));
        gaps.dedup();
        let of_one = |document: &mut Document| {
            document.patch = looks_like_patch(document);
            kinds_of(document)
        };
        let kinds = documents.par_iter_mut().map(of_one).reduce(KindSet::default, KindSet::union);
        mark_superseded(&mut documents);
        Self { name, kind, documents, defects, gaps, kinds }
    }

    /// The first object of an identity.
    #[must_use]
    pub fn named(&self, id: &ObjectId) -> Option<&Document> {
        let at = self.documents.partition_point(|document| *document.id < *id);
        self.documents.get(at).filter(|document| *document.id == *id)
    }

    /// The kinds that are present.
    #[must_use]
    pub fn kinds(&self) -> KindSet {
        self.kinds
    }

    /// A gap that could hold objects of a namespace.
    #[must_use]
    pub fn gap_for(&self, namespace: &str) -> Option<&Gap> {
        self.gaps.iter().find(|gap| gap.namespace.as_deref().is_none_or(|n| n == namespace))
    }

    /// Any gap.
    #[must_use]
    pub fn any_gap(&self) -> Option<&Gap> {
        self.gaps.first()
    }
}

/// The kinds that checks may ask for on account of an object.
fn kinds_of(document: &Document) -> KindSet {
    let mut kinds = KindSet::default();
    kinds.insert(Kind::Any);
    match document.kind {
        Some(kind) => kinds.insert(kind),
        None if has_containers(document.root(), 0) => kinds.insert(Kind::Pod),
        None => {}
    }
    kinds
}

/// Whether this is a workload without containers or a Service without ports.
fn looks_like_patch(document: &Document) -> bool {
    let root = document.root();
    match (document.id.group.as_str(), document.id.kind.as_str()) {
        ("apps" | "batch", _) if document.kind == Some(Kind::Pod) => !has_containers(root, 0),
        ("", "Service") => {
            let spec = root.get("spec");
            let lacks = |field: &str| spec.and_then(|s| s.get(field)).is_none();
            lacks("externalName") && lacks("ports") && lacks("clusterIP")
        }
        _ => false,
    }
}

/// The second of two objects of one identity replaces the first in every join.
fn mark_superseded(documents: &mut [Document]) {
    let pairs = documents.iter().zip(documents.iter().skip(1));
    let replaced: Vec<bool> = pairs.map(|(first, second)| replaces(first, second)).collect();
    for (document, replaced) in documents.iter_mut().zip(replaced) {
        document.superseded = replaced;
    }
}

/// Whether a list of containers stands anywhere below.
fn has_containers(node: Node<'_>, depth: usize) -> bool {
    depth < 255
        && node.children().any(|child| {
            (child.key() == "containers" && child.is_list()) || has_containers(child, depth + 1)
        })
}

/// Scope of custom resources by the CustomResourceDefinitions of the same root.
fn apply_crd_scopes(documents: &mut [Document]) {
    let mut scopes: BTreeMap<(String, String), Scope> = BTreeMap::new();
    for document in documents.iter().filter(|d| d.id.kind == "CustomResourceDefinition") {
        let spec = document.root().get("spec");
        let text = |path: &[&str]| spec.and_then(|s| s.path(path)).and_then(Node::as_str);
        if let (Some(group), Some(kind)) = (text(&["group"]), text(&["names", "kind"])) {
            let cluster = text(&["scope"]) == Some("Cluster");
            let scope = if cluster { Scope::Cluster } else { Scope::Namespaced };
            scopes.insert((group.to_owned(), kind.to_owned()), scope);
        }
    }
    if scopes.is_empty() {
        return;
    }
    for document in documents {
        let key = (document.id.group.clone(), document.id.kind.clone());
        if scopes.get(&key) == Some(&Scope::Cluster) {
            Arc::make_mut(&mut document.id).namespace.clear();
            document.namespace = NamespaceSource::ClusterScoped;
        }
    }
}

/// Whether the second of two neighbours replaces the first. Where the API server makes the name, from
/// `generateName`, each is an object of its own.
fn replaces(first: &Document, second: &Document) -> bool {
    let named = |document: &Document| {
        let name = document.root().path(&["metadata", "name"]);
        name.is_some_and(|name| !name.is_null())
    };
    first.id == second.id && named(first) && named(second)
}

/// Objects whose identity occurs before.
fn twins(documents: &[Document]) -> Vec<Defect> {
    let pairs = documents.iter().zip(documents.iter().skip(1));
    let equal = pairs.filter(|(a, b)| replaces(a, b));
    equal
        .map(|(first, second)| Defect {
            kind: DefectKind::ObjectDefinedTwice,
            object: Arc::clone(&second.id),
            at: second.head,
            related: vec![first.head],
            detail: if same_content(first, second) { "equal".to_owned() } else { String::new() },
        })
        .collect()
}

fn same_content(a: &Document, b: &Document) -> bool {
    let json = |document: &Document| {
        let mut text = String::new();
        super::write_json(document.root(), &mut text);
        text
    };
    json(a) == json(b)
}

/// The gap that an object stands for: what it makes is not in the input.
fn gap_of(document: &Document) -> Option<Gap> {
    let ObjectId { group, kind, namespace, name } = document.id.as_ref();
    let gap = |reason, hint: &str, namespace: Option<String>| Gap {
        reason,
        what: format!("{kind} `{name}`"),
        at: Some(document.head),
        hint: hint.to_owned(),
        namespace,
    };
    let placeholder =
        |text: &str| text.contains('$') && (text.contains("${") || text.contains("$("));
    if placeholder(namespace) {
        let hint = "substitute the variable before the manifests are checked";
        return Some(gap(GapReason::UnresolvedVariable, hint, None));
    }
    if placeholder(name) && document.kind == Some(Kind::Pod) {
        return None;
    }
    if document.elided {
        let hint = "check the manifests themselves: this text leaves parts out";
        return Some(gap(GapReason::Elided, hint, None));
    }
    if document.kind.is_some() || document.made || makes_no_pods(group, kind) {
        return None;
    }
    // What a delegate holds under `containers` are values for what it makes, not pods.
    let delegates = super::known(group, kind).is_some();
    if !delegates && has_containers(document.root(), 0) {
        return None;
    }
    let spec = document.root().get("spec");
    let text = |path: &[&str]| spec.and_then(|s| s.path(path)).and_then(Node::as_str);
    let (hint, target) = match (group.as_str(), kind.as_str()) {
        ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            let target = text(&["targetNamespace"]).unwrap_or(namespace);
            let target = Some(target).filter(|t| !t.is_empty()).map(str::to_owned);
            let hint = "render the chart and check its output";
            return Some(gap(GapReason::RemoteChart, hint, target));
        }
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
            ("check what it renders", text(&["targetNamespace"]))
        }
        ("argoproj.io", "Application") if text(&["source", "chart"]).is_some() => {
            let target = text(&["destination", "namespace"]).map(str::to_owned);
            let hint = "render the chart and check its output";
            return Some(gap(GapReason::RemoteChart, hint, target));
        }
        ("argoproj.io", "Application") => {
            ("check what it renders", text(&["destination", "namespace"]))
        }
        ("argoproj.io", "ApplicationSet") => ("check what it renders", None),
        _ if namespace.is_empty() => return None,
        _ => ("check what its controller makes of it", Some(namespace.as_str())),
    };
    let target = target.filter(|t| !t.is_empty()).map(str::to_owned);
    Some(gap(GapReason::MadeElsewhere, hint, target))
}
