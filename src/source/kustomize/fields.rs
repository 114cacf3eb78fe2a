//! Fields of an object that a transformer reaches, by kind and path.

use crate::document::{Content, Draft, Span};

use super::Refused;
use super::object::Object;

/// A field of a kind: where it lies, and whether it is made where it is missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    /// Group, version and kind; an empty one is any.
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    /// Keys with `/` between them; lists on the way are gone through.
    pub(super) path: &'static str,
    pub(super) create: bool,
}

/// What stands at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Map,
    Scalar,
}

/// What a transformer does at a field: the value, which is null where the path made it.
pub(super) type Set<'f> = &'f mut dyn FnMut(&mut Draft) -> Result<(), Refused>;

impl Spec {
    /// Whether the field is one of an object's kind.
    pub(super) fn is_of(&self, object: &Object<'_>) -> bool {
        (self.kind.is_empty() || self.kind == object.kind)
            && (self.group.is_empty() || self.group == object.group)
            && (self.version.is_empty() || self.version == object.version)
    }

    /// Does something at the field of an object.
    pub(super) fn apply(
        &self,
        draft: &mut Draft,
        leaf: Leaf,
        at: Span,
        set: Set<'_>,
    ) -> Result<(), Refused> {
        let path: Vec<&str> = self.path.split('/').collect();
        let way = Way { whole: self.path, create: self.create.then_some(leaf), at };
        way.walk(draft, &path, set)
    }
}

struct Way<'p> {
    whole: &'p str,
    /// What is made at the end, if anything is made.
    create: Option<Leaf>,
    /// What makes it.
    at: Span,
}

impl Way<'_> {
    fn walk(&self, draft: &mut Draft, path: &[&str], set: Set<'_>) -> Result<(), Refused> {
        let Some((key, rest)) = path.split_first() else { return set(draft) };
        match &mut draft.value {
            Content::Null => Ok(()),
            Content::List(items) => {
                items.iter_mut().try_for_each(|item| self.walk(item, path, set))
            }
            Content::Map(_) => {
                // What is gone through as a list is never made.
                let (key, list) = key.strip_suffix("[]").map_or((*key, false), |key| (key, true));
                let made = match (self.create.filter(|_| !list), rest.is_empty()) {
                    (None, _) => None,
                    (Some(Leaf::Scalar), true) => Some(Content::Null),
                    _ => Some(Content::Map(Vec::new())),
                };
                if let Some(content) = made {
                    let there = draft.get(key);
                    if there.is_none_or(|there| matches!(there.value, Content::Null)) {
                        let new = Draft { value: content, ..Draft::map(self.at) };
                        draft.set(key, None, new);
                    }
                }
                draft.get_mut(key).map_or(Ok(()), |next| self.walk(next, rest, set))
            }
            _ => Err(misplaced(draft, self.whole)),
        }
    }
}

/// The error for a value that is no map where one has to be.
pub(super) fn misplaced(draft: &Draft, path: &str) -> Refused {
    Refused::Broken {
        at: draft.span,
        message: format!(
            "a transformer of the kustomization goes through `{path}`, and this is no map"
        ),
        help: "correct the type of this value",
    }
}

/// Sets a key of a map; null takes none.
pub(super) fn set_entry(
    draft: &mut Draft,
    key: (&str, Option<Span>),
    value: &str,
    at: Span,
    path: &str,
) -> Result<(), Refused> {
    match &draft.value {
        Content::Map(_) => {
            draft.set(key.0, key.1, Draft::text(value, at));
            Ok(())
        }
        Content::Null => Ok(()),
        _ => Err(misplaced(draft, path)),
    }
}

/// Sets a scalar.
pub(super) fn set_scalar(draft: &mut Draft, value: Draft, path: &str) -> Result<(), Refused> {
    if matches!(draft.value, Content::Map(_) | Content::List(_)) {
        let message =
            format!("a transformer of the kustomization sets `{path}`, and this is no scalar");
        return Err(Refused::Broken {
            at: draft.span,
            message,
            help: "correct the type of this value",
        });
    }
    let replaces = Some(draft.span).filter(|span| *span != value.span);
    *draft = Draft { replaces, ..value };
    Ok(())
}

const fn any(path: &'static str, create: bool) -> Spec {
    Spec { group: "", version: "", kind: "", path, create }
}

const fn of(group: &'static str, kind: &'static str, path: &'static str, create: bool) -> Spec {
    Spec { group, version: "", kind, path, create }
}

const fn core(kind: &'static str, path: &'static str, create: bool) -> Spec {
    Spec { group: "", version: "v1", kind, path, create }
}

/// `metadata.labels`.
pub(super) const LABELS: [Spec; 1] = [any("metadata/labels", true)];

/// Labels of templates.
pub(super) const TEMPLATE_LABELS: [Spec; 8] = [
    core("ReplicationController", "spec/template/metadata/labels", true),
    of("", "Deployment", "spec/template/metadata/labels", true),
    of("", "ReplicaSet", "spec/template/metadata/labels", true),
    of("", "DaemonSet", "spec/template/metadata/labels", true),
    of("apps", "StatefulSet", "spec/template/metadata/labels", true),
    of("batch", "Job", "spec/template/metadata/labels", true),
    of("batch", "CronJob", "spec/jobTemplate/metadata/labels", true),
    of("batch", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true),
];

/// Labels of claim templates.
pub(super) const CLAIM_LABELS: [Spec; 1] =
    [of("apps", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true)];

/// Annotations.
pub(super) const ANNOTATIONS: [Spec; 9] = [
    any("metadata/annotations", true),
    core("ReplicationController", "spec/template/metadata/annotations", true),
    of("", "Deployment", "spec/template/metadata/annotations", true),
    of("", "ReplicaSet", "spec/template/metadata/annotations", true),
    of("", "DaemonSet", "spec/template/metadata/annotations", true),
    of("", "StatefulSet", "spec/template/metadata/annotations", true),
    of("batch", "Job", "spec/template/metadata/annotations", true),
    of("batch", "CronJob", "spec/jobTemplate/metadata/annotations", true),
    of("batch", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true),
];

const PREFERRED: &str = "spec/template/spec/affinity/podAffinity/\
    preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels";
const REQUIRED: &str = "spec/template/spec/affinity/podAffinity/\
    requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels";
const PREFERRED_ANTI: &str = "spec/template/spec/affinity/podAntiAffinity/\
    preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels";
const REQUIRED_ANTI: &str = "spec/template/spec/affinity/podAntiAffinity/\
    requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels";
const SPREAD: &str = "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels";

/// Selectors.
pub(super) const SELECTORS: [Spec; 22] = [
    core("Service", "spec/selector", true),
    core("ReplicationController", "spec/selector", true),
    of("", "Deployment", "spec/selector/matchLabels", true),
    of("apps", "Deployment", PREFERRED, false),
    of("apps", "Deployment", REQUIRED, false),
    of("apps", "Deployment", PREFERRED_ANTI, false),
    of("apps", "Deployment", REQUIRED_ANTI, false),
    of("apps", "Deployment", SPREAD, false),
    of("", "ReplicaSet", "spec/selector/matchLabels", true),
    of("", "DaemonSet", "spec/selector/matchLabels", true),
    of("apps", "StatefulSet", "spec/selector/matchLabels", true),
    of("apps", "StatefulSet", PREFERRED, false),
    of("apps", "StatefulSet", REQUIRED, false),
    of("apps", "StatefulSet", PREFERRED_ANTI, false),
    of("apps", "StatefulSet", REQUIRED_ANTI, false),
    of("apps", "StatefulSet", SPREAD, false),
    of("batch", "Job", "spec/selector/matchLabels", false),
    of("batch", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    of("policy", "PodDisruptionBudget", "spec/selector/matchLabels", false),
    of("networking.k8s.io", "NetworkPolicy", "spec/podSelector/matchLabels", false),
    of("networking.k8s.io", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
    of("networking.k8s.io", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
];

/// Fields that `namespace:` sets besides `metadata.namespace`.
pub(super) const NAMESPACES: [Spec; 3] = [
    core("Namespace", "metadata/name", true),
    of("apiregistration.k8s.io", "APIService", "spec/service/namespace", true),
    of(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec/conversion/webhook/clientConfig/service/namespace",
        false,
    ),
];

/// What `replicas` sets.
pub(super) const REPLICAS: [Spec; 4] = [
    of("", "Deployment", "spec/replicas", true),
    of("", "ReplicationController", "spec/replicas", true),
    of("", "ReplicaSet", "spec/replicas", true),
    of("", "StatefulSet", "spec/replicas", true),
];

/// Images. Those in containers are reached a second time here, as kustomize does it.
pub(super) const IMAGES: [Spec; 7] = [
    any("spec/containers/image", false),
    any("spec/initContainers/image", false),
    any("spec/volumes/image/reference", false),
    any("spec/template/spec/containers/image", false),
    any("spec/template/spec/initContainers/image", false),
    any("spec/template/spec/volumes/image/reference", false),
    any("spec/jobTemplate/spec/template/spec/volumes/image/reference", false),
];
