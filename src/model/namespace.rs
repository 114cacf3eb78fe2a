//! Namespaces: their labels, what they demand of pods, and where their pods come from.

use std::sync::Arc;

use super::Model;
use super::certain::Certain::{self, Known, Unknown};
use super::fields::{Sourced, field};
use super::meta::Labels;
use super::pod_security::{Level, Version};
use super::selector::{Lookup, Selector, Truth};
use super::workload::Workload;
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
    /// The level as written, where it is none.
    pub invalid: Option<String>,
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

    /// Its own name as a namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home { name: &self.id.name, source: NamespaceSource::Written }
    }

    /// The enforced level; none without a label, where the API server's own default holds, which
    /// no manifest shows.
    #[must_use]
    pub fn enforcement(&self) -> Option<Enforcement> {
        let label = self.labels.get("pod-security.kubernetes.io/enforce")?;
        let version = self.labels.value("pod-security.kubernetes.io/enforce-version");
        let level = Level::from_word(&label.value);
        Some(Enforcement {
            level: level.unwrap_or(Level::Restricted),
            invalid: level.is_none().then(|| label.value.clone()),
            version: version.and_then(Version::parse).unwrap_or(Version::LATEST),
            span: label.span,
        })
    }
}

/// A namespace and how it was found: what a join has to know of either side.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// Name.
    pub name: &'a str,
    /// How it was found.
    pub source: NamespaceSource,
}

impl Home<'_> {
    /// Whether two objects lie in one namespace. An assumed namespace is certain among assumed ones
    /// of the root; against one that is written nothing is known.
    #[must_use]
    pub fn is(self, other: Home<'_>) -> Truth {
        let assumed = |home: &Home<'_>| home.source == NamespaceSource::Assumed;
        match (assumed(&self), assumed(&other)) {
            (true, true) => Truth::Yes,
            (false, false) => Truth::certain(self.name == other.name),
            (true, false) | (false, true) => Truth::Unknown,
        }
    }
}

/// The namespace that an object lies in, and whether nothing in the manifest says so.
///
/// Objects without a namespace go wherever the command that applies them points. They lie together
/// for certain; whether they lie with objects that name their namespace is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name; `default` where it is assumed.
    pub name: String,
    /// Whether it is assumed.
    pub assumed: bool,
}

impl Place {
    /// The place of an object.
    #[must_use]
    pub fn of(id: &ObjectId, source: NamespaceSource) -> Self {
        Self { name: id.namespace.clone(), assumed: source == NamespaceSource::Assumed }
    }

    /// A namespace that is named.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), assumed: false }
    }

    /// Whether an object lies here.
    #[must_use]
    pub fn holds(&self, id: &ObjectId, source: NamespaceSource) -> Truth {
        let assumed = source == NamespaceSource::Assumed;
        if self.assumed == assumed {
            Truth::certain(self.name == id.namespace)
        } else {
            Truth::Unknown
        }
    }

    /// Whether the pods of a workload lie here.
    #[must_use]
    pub fn holds_pods(&self, workload: &Workload) -> Truth {
        self.holds(&workload.id, workload.namespace)
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

    /// Whether a namespace selector matches the namespace of a workload; where that namespace is
    /// only assumed, its labels are not known.
    #[must_use]
    pub fn selects_namespace_of(&self, selector: &Selector, workload: &Workload) -> Truth {
        if workload.namespace == NamespaceSource::Assumed {
            return selector.matches(|_| Lookup::Unknown);
        }
        self.selects_namespace(selector, &workload.id.namespace)
    }

    /// Where the pods of a namespace come from.
    #[must_use]
    pub fn provenance(&self, namespace: &str) -> Provenance {
        if let Some(reason) = self.gap_for(namespace) {
            return Provenance::Open(reason);
        }
        let part = self.part(namespace);
        if let Some(gateway) = part.and_then(|part| part.gateways.first()) {
            let reason = format!(
                "the controller of Gateway `{}` makes pods in namespace `{namespace}` that are not \
                 in the input; add them",
                gateway.id.name
            );
            return Provenance::Open(reason.into());
        }
        let has_pods = part.is_some_and(|part| !part.workloads.is_empty());
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

/// A setting and who made it: the pod itself, its namespace, or nobody.
pub(super) fn pick<'a>(labels: &'a Labels, keys: &[&str]) -> Option<Sourced<&'a str>> {
    let label = keys.iter().find_map(|key| labels.get(key))?;
    Some(Sourced::new(label.value.as_str(), label.span))
}
