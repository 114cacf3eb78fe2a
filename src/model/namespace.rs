//! Namespaces: their labels, what they demand of pods, and where their pods come from.

use std::borrow::Cow;
use std::sync::Arc;

use super::Model;
use super::certain::Certain::{self, Known, Unknown};
use super::fields::field;
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
        Home::named(&self.id.name)
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

/// The namespace of an object and how it was found: what a join has to know of either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home<'a> {
    /// Name; `default` where it is assumed.
    pub name: Cow<'a, str>,
    /// How it was found.
    pub source: NamespaceSource,
}

impl<'a> Home<'a> {
    /// The namespace of an object.
    #[must_use]
    pub fn new(name: &'a str, source: NamespaceSource) -> Self {
        Self { name: Cow::Borrowed(name), source }
    }

    /// A namespace that is named.
    #[must_use]
    pub fn named(name: &'a str) -> Self {
        Self::new(name, NamespaceSource::Written)
    }

    /// The same for longer than the object lives.
    #[must_use]
    pub fn into_owned(self) -> Home<'static> {
        Home { name: Cow::Owned(self.name.into_owned()), source: self.source }
    }

    /// Whether nothing says which namespace it is.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.source == NamespaceSource::Assumed
    }

    /// Whether two objects lie in one namespace. Objects without one go wherever the command that
    /// applies them points: they lie together for certain, and whether they lie with objects that
    /// name their namespace is not known.
    #[must_use]
    pub fn is(&self, other: &Home<'_>) -> Truth {
        match (self.is_assumed(), other.is_assumed()) {
            (true, true) => Truth::Yes,
            (false, false) => Truth::certain(self.name == other.name),
            (true, false) | (false, true) => Truth::Unknown,
        }
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
