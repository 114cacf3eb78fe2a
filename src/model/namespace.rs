//! Namespaces: their labels, what they demand of pods, and where their pods come from.

use std::sync::Arc;

use super::Model;
use super::certain::Certain::{self, Known, Unknown};
use super::fields::field;
use super::meta::Labels;
use super::pod_security::{Level, Version};
use super::selector::{Lookup, Selector, Truth};
use crate::document::{Document, NamespaceSource, ObjectId, Span};

/// The label that every namespace has: its own name.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A Namespace object.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Labels.
    pub labels: Labels,
}

/// What a namespace's Pod Security labels enforce.
#[derive(Clone, Debug)]
pub struct Enforcement {
    /// Level; an invalid one means `restricted`.
    pub level: Level,
    /// Version; an invalid or missing one means the newest.
    pub version: Version,
    /// Place of the label.
    pub span: Span,
}

impl Namespace {
    pub(super) fn read(document: &Document) -> Self {
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            labels: Labels::read(field(document.root(), "metadata"), "labels"),
        }
    }

    /// The enforced level; none without a label, where the API server's own default holds, which
    /// no manifest shows.
    #[must_use]
    pub fn enforcement(&self) -> Option<Enforcement> {
        let label = self.labels.get("pod-security.kubernetes.io/enforce")?;
        let version = self.labels.value("pod-security.kubernetes.io/enforce-version");
        Some(Enforcement {
            level: Level::from_word(&label.value).unwrap_or(Level::Restricted),
            version: version.and_then(Version::parse).unwrap_or(Version::LATEST),
            span: label.span,
        })
    }
}

/// Where the pods of a namespace come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Manifests of this root put pods there, and nothing else does.
    Closed,
    /// Something that was not read may put pods there.
    Open(Arc<str>),
    /// This root puts no pods there.
    Absent,
}

impl Model {
    /// What is known of a label of a namespace. One that is not in the input has its name, and
    /// nothing else is known of it.
    #[must_use]
    pub fn namespace_label(&self, namespace: &str, key: &str) -> Lookup<'_> {
        if key == NAME_LABEL {
            return match self.parts.get_key_value(namespace) {
                Some((name, _)) => Lookup::Is(name),
                None => Lookup::Unknown,
            };
        }
        match self.part(namespace).and_then(|part| part.namespace.as_ref()) {
            Some(namespace) => namespace.labels.value(key).map_or(Lookup::Missing, Lookup::Is),
            None => Lookup::Unknown,
        }
    }

    /// Whether a namespace selector matches a namespace.
    #[must_use]
    pub fn selects_namespace(&self, selector: &Selector, namespace: &str) -> Truth {
        selector.matches(|key| self.namespace_label(namespace, key))
    }

    /// Where the pods of a namespace come from.
    #[must_use]
    pub fn provenance(&self, namespace: &str) -> Provenance {
        if let Some(reason) = self.gap_for(namespace) {
            return Provenance::Open(reason);
        }
        let has_pods = self.part(namespace).is_some_and(|part| !part.workloads.is_empty());
        if has_pods { Provenance::Closed } else { Provenance::Absent }
    }

    /// Whether everything that could add pods to a namespace is in the input.
    #[must_use]
    pub fn closed(&self, namespace: &str) -> Certain<()> {
        match self.provenance(namespace) {
            Provenance::Closed => Known(()),
            Provenance::Open(reason) => Unknown(reason),
            Provenance::Absent => Unknown(
                format!(
                    "no workload of namespace `{namespace}` is in the input; add its manifests"
                )
                .into(),
            ),
        }
    }
}

/// Whether two objects lie in one namespace. One that names none may lie anywhere, and lies beside
/// the others that name none.
#[must_use]
pub fn same_namespace(a: (&str, NamespaceSource), b: (&str, NamespaceSource)) -> Truth {
    let assumed = |source| source == NamespaceSource::Assumed;
    if assumed(a.1) == assumed(b.1) { Truth::certain(a.0 == b.0) } else { Truth::Unknown }
}
