//! Roles and bindings as written.

use std::sync::Arc;

use super::fields::{Sourced, field, items, text, texts};
use crate::document::{Document, Kind, NamespaceSource, Node, ObjectId, Span};

/// A rule of a role.
#[derive(Clone, Debug)]
pub struct PolicyRule {
    /// Verbs.
    pub verbs: Vec<Sourced<String>>,
    /// API groups.
    pub groups: Vec<Sourced<String>>,
    /// Resources, subresources with a slash.
    pub resources: Vec<Sourced<String>>,
    /// Names it is limited to; none means all.
    pub names: Vec<Sourced<String>>,
    /// Place.
    pub span: Span,
}

impl PolicyRule {
    fn read(node: Node<'_>) -> Self {
        Self {
            verbs: texts(node, "verbs"),
            groups: texts(node, "apiGroups"),
            resources: texts(node, "resources"),
            names: texts(node, "resourceNames"),
            span: node.span(),
        }
    }

    /// The verb entry that grants a verb, `*` included.
    #[must_use]
    pub fn verb(&self, verb: &str) -> Option<&Sourced<String>> {
        self.verbs.iter().find(|v| v.value == verb || v.value == "*")
    }

    /// The resource entry that covers a resource of a group, wildcards included.
    #[must_use]
    pub fn resource(&self, group: &str, resource: &str) -> Option<&Sourced<String>> {
        let in_group = self.groups.iter().any(|g| g.value == group || g.value == "*");
        let covers = |r: &&Sourced<String>| {
            let sub = resource.split_once('/').map(|(_, sub)| sub);
            r.value == resource
                || r.value == "*"
                || sub.is_some_and(|sub| r.value.strip_prefix("*/") == Some(sub))
        };
        self.resources.iter().find(covers).filter(|_| in_group)
    }
}

/// A Role or ClusterRole.
#[derive(Clone, Debug)]
pub struct Role {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Rules.
    pub rules: Vec<PolicyRule>,
    /// Whether it collects the rules of other ClusterRoles.
    pub aggregated: bool,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
}

impl Role {
    pub(super) fn read(document: &Document) -> Self {
        let root = document.root();
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            rules: items(root, "rules").map(PolicyRule::read).collect(),
            aggregated: field(root, "aggregationRule").is_some(),
            namespace: document.namespace,
        }
    }

    /// Whether it holds in every namespace when bound cluster-wide.
    #[must_use]
    pub fn is_cluster_role(&self) -> bool {
        self.id.kind == "ClusterRole"
    }
}

/// A subject of a binding.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace; for a ServiceAccount of a RoleBinding the binding's own where none is written.
    pub namespace: String,
    /// Place of the name.
    pub span: Span,
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Whether it grants in all namespaces.
    pub clusterwide: bool,
    /// Kind of the role.
    pub role_kind: String,
    /// Name of the role.
    pub role: Sourced<String>,
    /// Subjects.
    pub subjects: Vec<Subject>,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
}

impl Binding {
    pub(super) fn read(document: &Document) -> Option<Self> {
        let root = document.root();
        let role = field(root, "roleRef")?;
        let own = document.id.namespace.as_str();
        let subject = |node: Node<'_>| {
            let name = text(node, "name")?;
            let namespace = text(node, "namespace").map(|namespace| namespace.value);
            Some(Subject {
                kind: text(node, "kind")?.value,
                namespace: namespace.unwrap_or_else(|| own.to_owned()),
                span: name.span,
                name: name.value,
            })
        };
        Some(Self {
            id: Arc::clone(&document.id),
            span: document.head,
            clusterwide: document.kind == Some(Kind::ClusterRoleBinding),
            role_kind: text(role, "kind")?.value,
            role: text(role, "name")?,
            subjects: items(root, "subjects").filter_map(subject).collect(),
            namespace: document.namespace,
        })
    }
}
