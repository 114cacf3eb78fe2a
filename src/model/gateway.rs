//! Gateway API and Ingress objects as written.

use std::sync::Arc;

use super::fields::{Sourced, field, integer, items, text};
use super::selector::Selector;
use crate::document::{Document, Node, ObjectId, Span};

/// Which namespaces may attach routes to a listener.
#[derive(Clone, Debug)]
pub enum AllowedNamespaces {
    /// The Gateway's own.
    Same,
    /// Every one.
    All(Span),
    /// Those whose labels match.
    Selector(Selector),
}

/// A listener of a Gateway.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Name.
    pub name: String,
    /// Port.
    pub port: Option<u16>,
    /// Protocol.
    pub protocol: Sourced<String>,
    /// Host name; none means any.
    pub hostname: Option<Sourced<String>>,
    /// Namespaces that may attach routes.
    pub namespaces: AllowedNamespaces,
    /// Kinds of route that may attach, where it says so.
    pub kinds: Vec<String>,
    /// Whether TLS passes through.
    pub passthrough: bool,
    /// Place of the name.
    pub span: Span,
}

impl Listener {
    /// Whether clients talk to it without TLS.
    #[must_use]
    pub fn is_plaintext(&self) -> bool {
        self.protocol.value == "HTTP"
    }

    /// Whether routes of a kind fit its protocol and its list of kinds (G2).
    #[must_use]
    pub fn accepts_kind(&self, kind: &str) -> bool {
        if !self.kinds.is_empty() {
            return self.kinds.iter().any(|allowed| allowed == kind);
        }
        match self.protocol.value.as_str() {
            "HTTP" | "HTTPS" => matches!(kind, "HTTPRoute" | "GRPCRoute"),
            "TLS" => matches!(kind, "TLSRoute" | "TCPRoute"),
            "TCP" => kind == "TCPRoute",
            "UDP" => kind == "UDPRoute",
            _ => true,
        }
    }
}

/// A Gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Name of its class.
    pub class: String,
    /// Listeners.
    pub listeners: Vec<Listener>,
}

impl Gateway {
    pub(super) fn read(document: &Document) -> Self {
        let spec = field(document.root(), "spec");
        let class = spec.and_then(|spec| text(spec, "gatewayClassName"));
        let listeners = spec.into_iter().flat_map(|spec| items(spec, "listeners"));
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            class: class.map(|class| class.value).unwrap_or_default(),
            listeners: listeners.map(Listener::read).collect(),
        }
    }

    /// Whether it is a mesh waypoint: an enforcement point inside the mesh, not an entry.
    #[must_use]
    pub fn is_waypoint(&self) -> bool {
        self.class.contains("waypoint")
            || self.listeners.iter().any(|listener| listener.protocol.value == "HBONE")
    }
}

impl Listener {
    fn read(node: Node<'_>) -> Self {
        let name = text(node, "name");
        let allowed = field(node, "allowedRoutes");
        let namespaces = allowed.and_then(|allowed| field(allowed, "namespaces"));
        let from = namespaces.and_then(|namespaces| text(namespaces, "from"));
        let namespaces = match (from, namespaces.and_then(|n| field(n, "selector"))) {
            (Some(from), _) if from.value == "All" => AllowedNamespaces::All(from.span),
            (Some(from), Some(selector)) if from.value == "Selector" => {
                AllowedNamespaces::Selector(Selector::read(selector))
            }
            _ => AllowedNamespaces::Same,
        };
        let kinds = allowed.into_iter().flat_map(|allowed| items(allowed, "kinds"));
        let tls = field(node, "tls");
        let mode = tls.and_then(|tls| text(tls, "mode"));
        Self {
            span: name.as_ref().map_or(node.span(), |name| name.span),
            name: name.map(|name| name.value).unwrap_or_default(),
            port: integer(node, "port").and_then(|port| u16::try_from(port.value).ok()),
            protocol: text(node, "protocol")
                .unwrap_or_else(|| Sourced::new(String::new(), node.span())),
            hostname: text(node, "hostname").filter(|name| !name.value.is_empty()),
            namespaces,
            kinds: kinds.filter_map(|kind| text(kind, "kind")).map(|kind| kind.value).collect(),
            passthrough: mode.is_some_and(|mode| mode.value == "Passthrough"),
        }
    }
}

/// A reference of a route to what it attaches to.
#[derive(Clone, Debug)]
pub struct ParentRef {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace, the route's own where none is written.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Listener name.
    pub section: Option<Sourced<String>>,
    /// Port.
    pub port: Option<u16>,
    /// Place of the name.
    pub span: Span,
}

/// A reference to a backend.
#[derive(Clone, Debug)]
pub struct BackendRef {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace, the referrer's own where none is written.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Port number, or for Ingress a port name.
    pub port: Option<Sourced<String>>,
    /// Place of the name.
    pub span: Span,
}

/// A header that a filter adds.
#[derive(Clone, Debug)]
pub struct AddedHeader {
    /// Name.
    pub name: Sourced<String>,
    /// Place of the `add` key.
    pub add: Span,
}

/// A rule of a route.
#[derive(Clone, Debug)]
pub struct RouteRule {
    /// Backends.
    pub backends: Vec<BackendRef>,
    /// Whether it answers with a redirect.
    pub redirects: bool,
    /// Headers that are appended to the client's.
    pub added_headers: Vec<AddedHeader>,
    /// Place.
    pub span: Span,
}

/// A route of the Gateway API.
#[derive(Clone, Debug)]
pub struct Route {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// What it attaches to.
    pub parents: Vec<ParentRef>,
    /// Host names; none means any.
    pub hostnames: Vec<Sourced<String>>,
    /// Rules.
    pub rules: Vec<RouteRule>,
}

const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

impl Route {
    pub(super) fn read(document: &Document) -> Self {
        let spec = field(document.root(), "spec");
        let own = document.id.namespace.as_str();
        let list = |key: &'static str| spec.into_iter().flat_map(move |spec| items(spec, key));
        let hostname = |item: Node<'_>| Some(Sourced::new(item.as_str()?.to_owned(), item.span()));
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            parents: list("parentRefs").filter_map(|node| ParentRef::read(node, own)).collect(),
            hostnames: list("hostnames").filter_map(hostname).collect(),
            rules: list("rules").map(|node| RouteRule::read(node, own)).collect(),
        }
    }
}

impl ParentRef {
    fn read(node: Node<'_>, own: &str) -> Option<Self> {
        let part = |key: &str, default: &str| {
            text(node, key).map_or_else(|| default.to_owned(), |part| part.value)
        };
        let name = text(node, "name")?;
        Some(Self {
            group: part("group", GATEWAY_GROUP),
            kind: part("kind", "Gateway"),
            namespace: part("namespace", own),
            section: text(node, "sectionName"),
            port: integer(node, "port").and_then(|port| u16::try_from(port.value).ok()),
            span: name.span,
            name: name.value,
        })
    }
}

impl BackendRef {
    fn read(node: Node<'_>, own: &str) -> Option<Self> {
        let part = |key: &str, default: &str| {
            text(node, key).map_or_else(|| default.to_owned(), |part| part.value)
        };
        let name = text(node, "name")?;
        let port = integer(node, "port");
        Some(Self {
            group: part("group", ""),
            kind: part("kind", "Service"),
            namespace: part("namespace", own),
            port: port.map(|port| Sourced::new(port.value.to_string(), port.span)),
            span: name.span,
            name: name.value,
        })
    }

    /// Whether it names a core Service.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.group.is_empty() && self.kind == "Service"
    }
}

impl RouteRule {
    fn read(node: Node<'_>, own: &str) -> Self {
        let filters = || items(node, "filters");
        let added = filters().filter_map(|filter| field(filter, "requestHeaderModifier"));
        let added = added.filter_map(|modifier| field(modifier, "add")).flat_map(|add| {
            let at = super::fields::key_span(add);
            add.children().filter_map(move |header| {
                Some(AddedHeader { name: text(header, "name")?, add: at })
            })
        });
        Self {
            backends: items(node, "backendRefs").filter_map(|b| BackendRef::read(b, own)).collect(),
            redirects: filters().any(|filter| field(filter, "requestRedirect").is_some()),
            added_headers: added.collect(),
            span: node.span(),
        }
    }
}

/// One side of a ReferenceGrant entry.
#[derive(Clone, Debug)]
pub struct GrantEnd {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace, for `from`.
    pub namespace: String,
    /// Name, for `to`.
    pub name: Option<String>,
    /// Place of the kind.
    pub span: Span,
}

/// A ReferenceGrant.
#[derive(Clone, Debug)]
pub struct ReferenceGrant {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Who may refer.
    pub from: Vec<GrantEnd>,
    /// To what.
    pub to: Vec<GrantEnd>,
}

impl ReferenceGrant {
    pub(super) fn read(document: &Document) -> Self {
        let spec = field(document.root(), "spec");
        let ends = |key: &'static str| {
            let list = spec.into_iter().flat_map(|spec| items(spec, key));
            list.filter_map(GrantEnd::read).collect()
        };
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            from: ends("from"),
            to: ends("to"),
        }
    }

    /// Whether it lets a referrer of a group, kind and namespace refer to an object.
    #[must_use]
    pub fn permits(&self, from: (&str, &str, &str), to: (&str, &str, &str)) -> bool {
        self.from
            .iter()
            .any(|end| (end.group.as_str(), end.kind.as_str(), end.namespace.as_str()) == from)
            && self.to.iter().any(|end| {
                (end.group.as_str(), end.kind.as_str()) == (to.0, to.1)
                    && end.name.as_deref().is_none_or(|name| name == to.2)
            })
    }
}

impl GrantEnd {
    fn read(node: Node<'_>) -> Option<Self> {
        let kind = text(node, "kind")?;
        let part = |key: &str| text(node, key).map(|part| part.value);
        Some(Self {
            group: part("group").unwrap_or_default(),
            namespace: part("namespace").unwrap_or_default(),
            name: part("name").filter(|name| !name.is_empty()),
            span: kind.span,
            kind: kind.value,
        })
    }
}

/// An Ingress.
#[derive(Clone, Debug)]
pub struct Ingress {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Backends of its rules and its default one.
    pub backends: Vec<BackendRef>,
}

impl Ingress {
    pub(super) fn read(document: &Document) -> Self {
        let own = document.id.namespace.as_str();
        let spec = field(document.root(), "spec");
        let rules = spec.into_iter().flat_map(|spec| items(spec, "rules"));
        let http = rules.filter_map(|rule| field(rule, "http"));
        let paths = http.flat_map(|http| items(http, "paths"));
        let backends = paths.filter_map(|path| field(path, "backend"));
        let default = spec.and_then(|s| field(s, "defaultBackend").or_else(|| field(s, "backend")));
        let all = default.into_iter().chain(backends);
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            backends: all.filter_map(|backend| ingress_backend(backend, own)).collect(),
        }
    }
}

fn ingress_backend(node: Node<'_>, own: &str) -> Option<BackendRef> {
    let of_service = |name: Sourced<String>, port: Option<Sourced<String>>| BackendRef {
        group: String::new(),
        kind: "Service".to_owned(),
        namespace: own.to_owned(),
        span: name.span,
        name: name.value,
        port,
    };
    let number = |node: Node<'_>, key: &str| {
        integer(node, key).map(|port| Sourced::new(port.value.to_string(), port.span))
    };
    if let Some(service) = field(node, "service") {
        let port = field(service, "port");
        let port = port.and_then(|port| number(port, "number").or_else(|| text(port, "name")));
        return Some(of_service(text(service, "name")?, port));
    }
    if let Some(resource) = field(node, "resource") {
        let part = |key: &str| text(resource, key).map(|part| part.value).unwrap_or_default();
        let name = text(resource, "name")?;
        return Some(BackendRef {
            group: part("apiGroup"),
            kind: part("kind"),
            namespace: own.to_owned(),
            span: name.span,
            name: name.value,
            port: None,
        });
    }
    let port = number(node, "servicePort").or_else(|| text(node, "servicePort"));
    Some(of_service(text(node, "serviceName")?, port))
}
