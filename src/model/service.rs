//! Services, autoscalers, ConfigMaps, Secrets and quotas as written.

use std::sync::Arc;

use super::fields::{Sourced, field, flag, integer, items, scalar_text, text, texts};
use super::meta::Labels;
use super::namespace::Home;
use super::selector::{Lookup, Selector};
use crate::document::{Document, Mark, NamespaceSource, Node, ObjectId, SecretHit, Span, Value};

/// A port of a Service.
#[derive(Clone, Debug)]
pub struct ServicePort {
    /// Name.
    pub name: Option<String>,
    /// Port that clients use.
    pub port: Option<u16>,
    /// Number or name of the pod's port; the Service's own where none is written.
    pub target: String,
    /// Protocol, TCP where none is written.
    pub protocol: String,
    /// Place.
    pub span: Span,
}

/// A Service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Type, `ClusterIP` where none is written.
    pub kind: Sourced<String>,
    /// Labels of the Service itself.
    pub labels: Labels,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
    /// Selector; none where it has none, or an empty one.
    pub selector: Option<Selector>,
    /// Ports.
    pub ports: Vec<ServicePort>,
    /// Place of `externalIPs`, where it has any.
    pub external_ips: Option<Span>,
    /// What tells a load balancer to stay inside (annotations of the clouds).
    pub internal: Option<Span>,
    /// `loadBalancerSourceRanges`.
    pub source_ranges: Vec<Sourced<String>>,
    /// Whether it looks like a patch.
    pub patch: bool,
}

impl Service {
    pub(super) fn read(document: &Document) -> Self {
        let root = document.root();
        let spec = field(root, "spec");
        let kind = spec.and_then(|spec| text(spec, "type"));
        let selector = spec.and_then(|spec| field(spec, "selector"));
        let ports = spec.into_iter().flat_map(|spec| items(spec, "ports"));
        let external_ips = spec.and_then(|spec| field(spec, "externalIPs"));
        let metadata = field(root, "metadata");
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            kind: kind.unwrap_or_else(|| Sourced::new("ClusterIP".to_owned(), document.head)),
            labels: Labels::read(metadata, "labels"),
            namespace: document.namespace,
            selector: selector
                .map(Selector::of_labels)
                .filter(|selector| !selector.requirements.is_empty() || selector.broken.is_some()),
            ports: ports.map(ServicePort::read).collect(),
            external_ips: external_ips
                .filter(|ips| ips.children().next().is_some())
                .map(|ips| ips.span()),
            internal: internal(&Labels::read(metadata, "annotations")),
            source_ranges: spec.map(|s| texts(s, "loadBalancerSourceRanges")).unwrap_or_default(),
            patch: document.patch,
        }
    }

    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }

    /// What is known of a label of the Service itself.
    #[must_use]
    pub fn label(&self, key: &str) -> Lookup<'_> {
        self.labels.value(key).map_or(Lookup::Missing, Lookup::Is)
    }

    /// Whether DNS sends its clients elsewhere.
    #[must_use]
    pub fn is_external_name(&self) -> bool {
        self.kind.value == "ExternalName"
    }
}

/// The annotation that keeps a load balancer inside, as the clouds spell it.
pub(super) fn internal(annotations: &Labels) -> Option<Span> {
    let says = |key: &str, value: &str| {
        let of_balancer = key.contains("load-balancer") || key.contains("loadbalancer");
        of_balancer && key.contains("internal") && matches!(value, "true" | "0.0.0.0/0")
            || key.ends_with("load-balancer-type") && value == "internal"
            || key.ends_with("load-balancer-scheme") && value == "internal"
            || key.ends_with("address-type") && value == "intranet"
            || key.ends_with("provider-ip-type") && value == "private"
    };
    let inside = annotations
        .iter()
        .find(|a| says(&a.key.to_ascii_lowercase(), &a.value.to_ascii_lowercase()));
    inside.map(|annotation| annotation.span)
}

impl ServicePort {
    fn read(node: Node<'_>) -> Self {
        let port = integer(node, "port").and_then(|port| u16::try_from(port.value).ok());
        let target = field(node, "targetPort").and_then(scalar_text);
        let protocol = text(node, "protocol").map(|protocol| protocol.value);
        Self {
            name: text(node, "name").map(|name| name.value),
            target: target.or_else(|| port.map(|p| p.to_string())).unwrap_or_default(),
            port,
            protocol: protocol.unwrap_or_else(|| "TCP".to_owned()),
            span: node.span(),
        }
    }
}

/// A HorizontalPodAutoscaler.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// API group of the target.
    pub target_group: String,
    /// Kind of the target.
    pub target_kind: String,
    /// Name of the target.
    pub target_name: Sourced<String>,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
}

impl Autoscaler {
    pub(super) fn read(document: &Document) -> Option<Self> {
        let target = field(field(document.root(), "spec")?, "scaleTargetRef")?;
        let version = text(target, "apiVersion").map(|version| version.value);
        let group = version.as_deref().and_then(|v| v.split_once('/')).map_or("", |(g, _)| g);
        Some(Self {
            id: Arc::clone(&document.id),
            target_group: group.to_owned(),
            target_kind: text(target, "kind")?.value,
            target_name: text(target, "name")?,
            namespace: document.namespace,
        })
    }

    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }
}

/// A ServiceAccount.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// `automountServiceAccountToken`.
    pub automount: Option<Sourced<bool>>,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
}

impl ServiceAccount {
    pub(super) fn read(document: &Document) -> Self {
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            automount: flag(document.root(), "automountServiceAccountToken"),
            namespace: document.namespace,
        }
    }

    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }
}

/// A ConfigMap, with the credentials that were found in it.
#[derive(Clone, Debug)]
pub struct ConfigMap {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Whether it has any data.
    pub has_data: bool,
    /// Credentials: key, place, kind.
    pub hits: Vec<(String, SecretHit)>,
}

impl ConfigMap {
    pub(super) fn read(document: &Document) -> Self {
        let key = |hit: &SecretHit| document.tree.node(hit.node).key().to_owned();
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            has_data: ["data", "binaryData"]
                .iter()
                .any(|key| field(document.root(), key).is_some()),
            hits: document.secrets.iter().map(|hit| (key(hit), hit.clone())).collect(),
        }
    }
}

/// One entry of a Secret: its value was withheld.
#[derive(Clone, Debug)]
pub struct SecretEntry {
    /// Key.
    pub key: String,
    /// What the value was taken for.
    pub mark: Mark,
    /// Place of the key.
    pub span: Span,
}

/// A Secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Entries of `data` and `stringData`.
    pub entries: Vec<SecretEntry>,
}

impl Secret {
    pub(super) fn read(document: &Document) -> Self {
        let root = document.root();
        let maps = ["data", "stringData"].into_iter().filter_map(|key| field(root, key));
        let entry = |child: Node<'_>| match child.value() {
            Value::Redacted(redacted) => Some(SecretEntry {
                key: child.key().to_owned(),
                mark: redacted.mark,
                span: child.key_span().unwrap_or(child.span()),
            }),
            _ => None,
        };
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            entries: maps.flat_map(Node::children).filter_map(entry).collect(),
        }
    }
}

/// A ResourceQuota.
#[derive(Clone, Debug)]
pub struct Quota {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// `spec.hard` by key.
    pub hard: Vec<Sourced<String>>,
    /// Place of `spec.hard`.
    pub hard_span: Span,
    /// Whether scopes limit it to some pods.
    pub scoped: bool,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
}

impl Quota {
    pub(super) fn read(document: &Document) -> Self {
        let spec = field(document.root(), "spec");
        let hard = spec.and_then(|spec| field(spec, "hard"));
        let key = |child: Node<'_>| {
            Sourced::new(child.key().to_owned(), child.key_span().unwrap_or(child.span()))
        };
        let scoped = |key: &str| spec.is_some_and(|spec| field(spec, key).is_some());
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            hard: hard.into_iter().flat_map(Node::children).map(key).collect(),
            hard_span: hard.map_or(document.head, super::fields::key_span),
            scoped: scoped("scopes") || scoped("scopeSelector"),
            namespace: document.namespace,
        }
    }

    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }
}
