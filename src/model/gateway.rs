//! Gateway API and Ingress objects as written.

use std::sync::Arc;

use super::fields::{Sourced, field, integer, items, text};
use super::meta::Labels;
use super::namespace::Home;
use super::namespace::NAME_LABEL;
use super::selector::{Operator, Selector};
use super::service::internal;
use crate::document::{Document, NamespaceSource, Node, ObjectId, Span};

/// Which namespaces may attach routes to a listener.
#[derive(Clone, Debug)]
pub enum AllowedNamespaces {
    /// The Gateway's own.
    Same,
    /// Every one.
    All(Span),
    /// Those whose labels match.
    Selector(Selector),
    /// None: `Selector` without a selector.
    Nobody,
}

impl AllowedNamespaces {
    /// What lets every namespace in: `All`, or a selector that each of them matches.
    #[must_use]
    pub fn everyone(&self) -> Option<Span> {
        let always = |selector: &Selector| {
            let named =
                |r: &super::Requirement| r.operator == Operator::Exists && r.key == NAME_LABEL;
            selector.broken.is_none() && selector.requirements.iter().all(named)
        };
        match self {
            Self::All(at) => Some(*at),
            Self::Selector(selector) if always(selector) => Some(selector.span),
            Self::Same | Self::Selector(_) | Self::Nobody => None,
        }
    }
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
    pub kinds: Option<Vec<String>>,
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

    /// Whether clients talk to it over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self.protocol.value.as_str(), "HTTPS" | "TLS")
    }

    /// Whether routes of a kind fit its protocol and its list of kinds (G2).
    #[must_use]
    pub fn accepts_kind(&self, kind: &str) -> bool {
        let listed = self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|k| k == kind));
        let fits = match self.protocol.value.as_str() {
            "HTTP" | "HTTPS" => matches!(kind, "HTTPRoute" | "GRPCRoute"),
            "TLS" => matches!(kind, "TLSRoute" | "TCPRoute"),
            "TCP" => kind == "TCPRoute",
            "UDP" => kind == "UDPRoute",
            _ => true,
        };
        listed && fits
    }
}

/// A Gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
    /// Name of its class.
    pub class: String,
    /// What keeps it inside the cluster or the private network.
    pub internal: Option<Span>,
    /// Whether, as a waypoint, it takes traffic to Services and not to pods alone.
    pub for_services: bool,
    /// Listeners.
    pub listeners: Vec<Listener>,
}

impl Gateway {
    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }

    pub(super) fn read(document: &Document) -> Self {
        let spec = field(document.root(), "spec");
        let class = spec.and_then(|spec| text(spec, "gatewayClassName"));
        let listeners = spec.into_iter().flat_map(|spec| items(spec, "listeners"));
        let metadata = field(document.root(), "metadata");
        let (labels, own) =
            (Labels::read(metadata, "labels"), Labels::read(metadata, "annotations"));
        let given = spec.and_then(|spec| field(spec, "infrastructure"));
        let given = Labels::read(given, "annotations");
        let service = own.get("networking.istio.io/service-type");
        let cluster_ip = service.filter(|kind| kind.value == "ClusterIP").map(|kind| kind.span);
        // Google's internal load balancers are classes of their own.
        let inside = class.as_ref().filter(|class| class.value.starts_with("gke-l7-rilb"));
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            namespace: document.namespace,
            internal: cluster_ip
                .or_else(|| inside.map(|class| class.span))
                .or_else(|| internal(&own))
                .or_else(|| internal(&given)),
            class: class.map(|class| class.value).unwrap_or_default(),
            for_services: matches!(labels.value(TAKES), None | Some("service" | "all")),
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
            (Some(from), None) if from.value == "Selector" => AllowedNamespaces::Nobody,
            (Some(from), _) if from.value == "None" => AllowedNamespaces::Nobody,
            _ => AllowedNamespaces::Same,
        };
        let kinds = allowed.and_then(|allowed| field(allowed, "kinds"));
        let kind = |node: Node<'_>| {
            let standard = text(node, "group").is_none_or(|group| group.value == GATEWAY_GROUP);
            text(node, "kind").filter(|_| standard).map(|kind| kind.value)
        };
        let kinds: Option<Vec<String>> = kinds
            .filter(|kinds| kinds.children().next().is_some())
            .map(|kinds| kinds.children().filter_map(kind).collect());
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
            kinds,
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
    /// Place of the namespace, where it is written.
    pub namespace_span: Option<Span>,
    /// Name.
    pub name: String,
    /// Listener name.
    pub section: Option<Sourced<String>>,
    /// Port.
    pub port: Option<Sourced<u16>>,
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
    /// Place of the namespace, where it is written.
    pub namespace_span: Option<Span>,
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
    /// Backends, those that get a copy of each request included.
    pub backends: Vec<BackendRef>,
    /// Whether it answers with a redirect.
    pub redirects: bool,
    /// Whether that leads to HTTPS; without a scheme it keeps the request's.
    pub redirects_to_tls: bool,
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
    /// How the namespace was found.
    pub namespace: NamespaceSource,
    /// What it attaches to.
    pub parents: Vec<ParentRef>,
    /// Host names; none means any.
    pub hostnames: Vec<Sourced<String>>,
    /// Rules.
    pub rules: Vec<RouteRule>,
    /// Whether a later object of the same identity replaces it in joins.
    pub superseded: bool,
}

/// What traffic a waypoint takes (semantics M32).
const TAKES: &str = "istio.io/waypoint-for";

const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

impl Route {
    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }

    pub(super) fn read(document: &Document) -> Self {
        let spec = field(document.root(), "spec");
        let own = document.id.namespace.as_str();
        let list = |key: &'static str| spec.into_iter().flat_map(move |spec| items(spec, key));
        let hostname = |item: Node<'_>| Some(Sourced::new(item.as_str()?.to_owned(), item.span()));
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            namespace: document.namespace,
            parents: list("parentRefs").filter_map(|node| ParentRef::read(node, own)).collect(),
            hostnames: list("hostnames").filter_map(hostname).collect(),
            rules: list("rules").map(|node| RouteRule::read(node, own)).collect(),
            superseded: document.superseded,
        }
    }
}

impl Route {
    /// The Services that its rules send requests to.
    pub fn backends(&self) -> impl Iterator<Item = &BackendRef> {
        let serving = self.rules.iter().filter(|rule| !rule.redirects);
        serving.flat_map(|rule| &rule.backends).filter(|backend| backend.is_service())
    }

    /// Whether it answers requests from a backend.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.rules.iter().any(|rule| !rule.redirects && !rule.backends.is_empty())
    }

    /// Whether all that it does is to send clients to HTTPS.
    #[must_use]
    pub fn only_redirects_to_tls(&self) -> bool {
        !self.rules.is_empty() && self.rules.iter().all(|rule| rule.redirects_to_tls)
    }
}

impl ParentRef {
    fn read(node: Node<'_>, own: &str) -> Option<Self> {
        let part = |key: &str, default: &str| {
            text(node, key).map_or_else(|| default.to_owned(), |part| part.value)
        };
        let name = text(node, "name")?;
        let port = integer(node, "port");
        Some(Self {
            group: part("group", GATEWAY_GROUP),
            kind: part("kind", "Gateway"),
            namespace: part("namespace", own),
            namespace_span: text(node, "namespace").map(|namespace| namespace.span),
            section: text(node, "sectionName"),
            port: port.and_then(|p| Some(Sourced::new(u16::try_from(p.value).ok()?, p.span))),
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
            namespace_span: text(node, "namespace").map(|namespace| namespace.span),
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
        // A filter may stand at the rule, or at one of its backends.
        let of_backends =
            || items(node, "backendRefs").flat_map(|backend| items(backend, "filters"));
        let all = || filters().chain(of_backends());
        let mirrors = all().filter_map(|filter| field(filter, "requestMirror"));
        let mirrors = mirrors.filter_map(|mirror| field(mirror, "backendRef"));
        let backends = items(node, "backendRefs").chain(mirrors);
        let added = all().filter_map(|filter| field(filter, "requestHeaderModifier"));
        let added = added.filter_map(|modifier| field(modifier, "add")).flat_map(|add| {
            let at = super::fields::key_span(add);
            add.children().filter_map(move |header| {
                Some(AddedHeader { name: text(header, "name")?, add: at })
            })
        });
        let redirects = || filters().filter_map(|filter| field(filter, "requestRedirect"));
        let https = |redirect: Node<'_>| {
            text(redirect, "scheme").is_some_and(|scheme| scheme.value == "https")
        };
        Self {
            backends: backends.filter_map(|backend| BackendRef::read(backend, own)).collect(),
            redirects: redirects().next().is_some(),
            redirects_to_tls: redirects().any(https),
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
    pub namespace: Sourced<String>,
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
    /// How the namespace was found.
    pub namespace: NamespaceSource,
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
            namespace: document.namespace,
            from: ends("from"),
            to: ends("to"),
        }
    }

    /// Whether it lets a referrer of a group, kind and namespace refer to an object.
    #[must_use]
    pub fn permits(&self, from: (&str, &str, &str), to: (&str, &str, &str)) -> bool {
        self.from.iter().any(|end| {
            (end.group.as_str(), end.kind.as_str(), end.namespace.value.as_str()) == from
        }) && self.to.iter().any(|end| {
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
            namespace: text(node, "namespace")
                .unwrap_or_else(|| Sourced::new(String::new(), kind.span)),
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
    /// How the namespace was found.
    pub namespace: NamespaceSource,
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
            namespace: document.namespace,
            backends: all.filter_map(|backend| ingress_backend(backend, own)).collect(),
        }
    }
}

fn ingress_backend(node: Node<'_>, own: &str) -> Option<BackendRef> {
    let of_service = |name: Sourced<String>, port: Option<Sourced<String>>| BackendRef {
        group: String::new(),
        kind: "Service".to_owned(),
        namespace: own.to_owned(),
        namespace_span: None,
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
            namespace_span: None,
            span: name.span,
            name: name.value,
            port: None,
        });
    }
    let port = number(node, "servicePort").or_else(|| text(node, "servicePort"));
    Some(of_service(text(node, "serviceName")?, port))
}
