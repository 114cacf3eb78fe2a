//! Roles and bindings as written.

use std::sync::Arc;

use super::fields::{Sourced, field, items, text, texts};
use super::namespace::Home;
use super::selector::Truth;
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

/// Why the rules of an aggregated ClusterRole are not known.
pub const AGGREGATED: &str = "the control plane fills in its rules from other ClusterRoles; check \
                              the role as it is in the cluster";

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

    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
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
    /// How the namespace was found.
    pub source: NamespaceSource,
    /// Place of the name.
    pub span: Span,
}

/// The service accounts that a subject stands for: by name, as a user, or all of a group.
#[derive(Clone, Debug)]
pub struct Accounts<'a> {
    /// The namespace; none for those of every namespace.
    pub home: Option<Home<'a>>,
    /// The name; none for every account of the namespace.
    pub name: Option<&'a str>,
}

impl Accounts<'_> {
    /// Whether an account is one of them.
    #[must_use]
    pub fn holds(&self, home: &Home<'_>, name: &str) -> Truth {
        let named = Truth::certain(self.name.is_none_or(|own| own == name));
        named.and(self.home.as_ref().map_or(Truth::Yes, |own| own.is(home)))
    }
}

impl Subject {
    /// The service accounts that the subject stands for; none where it is another user or group.
    ///
    /// Source: Kubernetes reference, service account user names and groups.
    #[must_use]
    pub fn accounts(&self) -> Option<Accounts<'_>> {
        let written = |name| Some(Home::named(name));
        match self.kind.as_str() {
            "ServiceAccount" => Some(Accounts {
                home: Some(Home::new(&self.namespace, self.source)),
                name: Some(&self.name),
            }),
            "User" => {
                let account = self.name.strip_prefix("system:serviceaccount:")?;
                let (namespace, name) = account.split_once(':')?;
                Some(Accounts { home: written(namespace), name: Some(name) })
            }
            "Group" => match self.name.strip_prefix("system:serviceaccounts")? {
                "" => Some(Accounts { home: None, name: None }),
                of => Some(Accounts { home: written(of.strip_prefix(':')?), name: None }),
            },
            _ => None,
        }
    }
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
                source: namespace.as_ref().map_or(document.namespace, |_| NamespaceSource::Written),
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
    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }
}
