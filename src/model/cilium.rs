//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy as written (semantics C1 to C24).

mod refusal;

use std::sync::Arc;

use ipnet::IpNet;

pub use self::refusal::Refusal;
pub(super) use self::refusal::is_service_name;
use super::fields::{
    Presence, Sourced, field, flag, integer, items, key_span, scalar_text, text, texts,
};
use super::namespace::Home;
use super::netpol::Direction;
use super::selector::Selector;
use crate::document::{Document, Kind, NamespaceSource, Node, ObjectId, Span};

/// Keys of a rule that select endpoints; another selector key is none of Cilium's.
const SELECTORS: [&str; 2] = ["endpointSelector", "nodeSelector"];

/// One entry of a `ports` list.
#[derive(Clone, Debug)]
pub struct CiliumPort {
    /// Port number as text, or a name.
    pub port: Sourced<String>,
    /// Protocol as written.
    pub protocol: Option<Sourced<String>>,
    /// Last port of a range.
    pub end_port: Option<u16>,
}

/// One entry of `toPorts`.
#[derive(Clone, Debug)]
pub struct ToPorts {
    /// Ports; an entry without any admits nothing (C5, C23).
    pub ports: Presence<Vec<CiliumPort>>,
    /// Place of `rules.http`, where it has at least one rule.
    pub http: Option<Span>,
    /// Place of `rules.dns`, where it has at least one rule.
    pub dns: Option<Span>,
    /// Whether one of the HTTP or DNS rules lets every request pass.
    pub passes_all: bool,
    /// Place of the rules of a protocol that is not evaluated (`l7proto`).
    pub other_rules: Option<Span>,
    /// Whether TLS is terminated so that HTTP can be read.
    pub terminates_tls: bool,
    /// Place of `serverNames`, where it names at least one.
    pub server_names: Option<Span>,
    /// Place.
    pub span: Span,
}

/// An FQDN that egress is allowed to.
#[derive(Clone, Debug)]
pub struct Fqdn {
    /// `matchName` or `matchPattern`.
    pub pattern: String,
    /// Place.
    pub span: Span,
}

/// A Service that egress is allowed to.
#[derive(Clone, Debug)]
pub struct ServicePeer {
    /// Namespace and name, for `k8sService`; no namespace means any.
    pub named: Option<(String, String)>,
    /// Namespace and labels, for `k8sServiceSelector`; no namespace means any.
    pub selected: Option<(String, Selector)>,
    /// Place.
    pub span: Span,
}

/// A CIDR with exceptions; none where the range is a reference that is not resolved here.
#[derive(Clone, Debug)]
pub struct CidrPeer {
    /// The range.
    pub cidr: Option<IpNet>,
    /// What is cut out.
    pub except: Vec<IpNet>,
    /// Place.
    pub span: Span,
}

/// One entry of `ingress`, `egress` or their deny forms.
#[derive(Clone, Debug)]
pub struct CiliumClause {
    /// `fromEndpoints` or `toEndpoints`.
    pub endpoints: Presence<Vec<Selector>>,
    /// `fromEntities` or `toEntities`.
    pub entities: Presence<Vec<Sourced<String>>>,
    /// `fromCIDR`/`toCIDR` and `fromCIDRSet`/`toCIDRSet`.
    pub cidrs: Presence<Vec<CidrPeer>>,
    /// `toFQDNs`.
    pub fqdns: Presence<Vec<Fqdn>>,
    /// `toServices`.
    pub services: Presence<Vec<ServicePeer>>,
    /// `fromNodes`, `toNodes`, `fromGroups`, `toGroups`: peers that are not evaluated.
    pub others: Option<Span>,
    /// `toPorts`.
    pub ports: Presence<Vec<ToPorts>>,
    /// `icmps`.
    pub icmps: Option<Span>,
    /// `authentication.mode`.
    pub authentication: Option<Sourced<String>>,
    /// A peer list that is written and empty: the clause then selects nobody (C5).
    pub empty_peers: Option<Span>,
    /// Place.
    pub span: Span,
    /// Place of the first key, which shows better than a whole entry.
    pub head: Span,
}

impl CiliumClause {
    /// Whether no peer member is written: then ports decide (C5).
    #[must_use]
    pub fn has_no_peers(&self) -> bool {
        self.endpoints.given().is_none()
            && self.entities.given().is_none()
            && self.cidrs.given().is_none()
            && self.fqdns.given().is_none_or(Vec::is_empty)
            && self.services.given().is_none_or(Vec::is_empty)
            && self.others.is_none()
    }

    /// The entries of `toPorts`, where there are any.
    #[must_use]
    pub fn to_ports(&self) -> &[ToPorts] {
        self.ports.given().map_or(&[], Vec::as_slice)
    }
}

/// One rule: `spec`, or an entry of `specs`.
#[derive(Clone, Debug)]
pub struct CiliumRule {
    /// `endpointSelector`.
    pub endpoints: Option<Selector>,
    /// `nodeSelector`.
    pub nodes: Option<Span>,
    /// A selector key that is not Cilium's, such as `podSelector`.
    pub foreign_selector: Option<Sourced<String>>,
    /// `ingress`.
    pub ingress: Presence<Vec<CiliumClause>>,
    /// `ingressDeny`.
    pub ingress_deny: Presence<Vec<CiliumClause>>,
    /// `egress`.
    pub egress: Presence<Vec<CiliumClause>>,
    /// `egressDeny`.
    pub egress_deny: Presence<Vec<CiliumClause>>,
    /// `enableDefaultDeny.ingress`.
    pub default_deny_ingress: Option<Sourced<bool>>,
    /// `enableDefaultDeny.egress`.
    pub default_deny_egress: Option<Sourced<bool>>,
    /// Place.
    pub span: Span,
}

impl CiliumRule {
    /// Allow clauses of a direction.
    #[must_use]
    pub fn allows(&self, direction: Direction) -> &[CiliumClause] {
        let list = match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        };
        list.given().map_or(&[], Vec::as_slice)
    }

    /// Deny clauses of a direction.
    #[must_use]
    pub fn denies(&self, direction: Direction) -> &[CiliumClause] {
        let list = match direction {
            Direction::Ingress => &self.ingress_deny,
            Direction::Egress => &self.egress_deny,
        };
        list.given().map_or(&[], Vec::as_slice)
    }

    /// `enableDefaultDeny` of a direction.
    #[must_use]
    pub fn default_deny(&self, direction: Direction) -> Option<&Sourced<bool>> {
        match direction {
            Direction::Ingress => self.default_deny_ingress.as_ref(),
            Direction::Egress => self.default_deny_egress.as_ref(),
        }
    }

    /// Whether it has at least one clause, without which the agent refuses it (C1).
    #[must_use]
    pub fn has_clauses(&self) -> bool {
        Direction::ALL.into_iter().any(|direction| {
            !self.allows(direction).is_empty() || !self.denies(direction).is_empty()
        })
    }
}

/// A CiliumNetworkPolicy, or one for the whole cluster.
#[derive(Clone, Debug)]
pub struct CiliumPolicy {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Whether it is cluster-wide.
    pub clusterwide: bool,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
    /// Its rules.
    pub rules: Vec<CiliumRule>,
    /// Why Kubernetes or the agent refuses the whole policy: it then enforces nothing.
    pub refused: Option<Refusal>,
}

impl CiliumPolicy {
    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }

    pub(super) fn read(document: &Document) -> Self {
        let root = document.root();
        let clusterwide = document.kind == Some(Kind::CiliumClusterwideNetworkPolicy);
        let spec = field(root, "spec").filter(|spec| spec.is_map());
        let rules = spec.into_iter().chain(items(root, "specs")).map(CiliumRule::read);
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            clusterwide,
            namespace: document.namespace,
            rules: rules.collect(),
            refused: refusal::of(root, document.head, clusterwide),
        }
    }
}

impl CiliumRule {
    fn read(node: Node<'_>) -> Self {
        let clauses = |key: &str, prefix: &'static str| {
            let deny = key.ends_with("Deny");
            Presence::read(node, key, |list| {
                list.children().map(|clause| CiliumClause::read(clause, prefix, deny)).collect()
            })
        };
        let deny = field(node, "enableDefaultDeny");
        Self {
            endpoints: field(node, "endpointSelector").map(Selector::read_custom),
            nodes: field(node, "nodeSelector").map(|selector| selector.span()),
            foreign_selector: refusal::foreign_selector(node),
            ingress: clauses("ingress", "from"),
            ingress_deny: clauses("ingressDeny", "from"),
            egress: clauses("egress", "to"),
            egress_deny: clauses("egressDeny", "to"),
            default_deny_ingress: deny.and_then(|deny| flag(deny, "ingress")),
            default_deny_egress: deny.and_then(|deny| flag(deny, "egress")),
            span: node.span(),
        }
    }
}

impl CiliumClause {
    /// Reads a clause. In a deny rule `toFQDNs`, `rules` and `authentication` are no fields: they
    /// are dropped, and the rest holds (C10).
    fn read(node: Node<'_>, prefix: &'static str, deny: bool) -> Self {
        let key = |name: &str| format!("{prefix}{name}");
        let selectors = |list: Node<'_>| list.children().map(Selector::read_custom).collect();
        let fqdn = |item: Node<'_>| {
            let name = text(item, "matchName").or_else(|| text(item, "matchPattern"))?;
            Some(Fqdn { pattern: name.value, span: name.span })
        };
        let fqdns =
            || Presence::read(node, &key("FQDNs"), |l| l.children().filter_map(fqdn).collect());
        let ports = |list: Node<'_>| list.children().map(|n| ToPorts::read(n, deny)).collect();
        let others = ["Nodes", "Groups"].into_iter().filter_map(|name| field(node, &key(name)));
        let empty =
            ["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes"].into_iter().find_map(|m| {
                let list = field(node, &key(m)).filter(|list| list.is_list())?;
                list.children().next().is_none().then(|| key_span(list))
            });
        let authentication = field(node, "authentication").filter(|_| !deny);
        let head = node.children().next().map_or(node.span(), key_span);
        let icmps = field(node, "icmps").filter(|icmps| icmps.children().next().is_some());
        Self {
            endpoints: Presence::read(node, &key("Endpoints"), selectors),
            entities: Presence::read(node, &key("Entities"), |list| {
                let word = |i: Node<'_>| Some(Sourced::new(i.as_str()?.to_owned(), i.span()));
                list.children().filter_map(word).collect()
            }),
            cidrs: cidrs(node, &key("CIDR"), &key("CIDRSet")),
            fqdns: if deny { Presence::Missing } else { fqdns() },
            services: Presence::read(node, &key("Services"), |list| {
                list.children().map(ServicePeer::read).collect()
            }),
            others: others.into_iter().find(|o| o.children().next().is_some()).map(|o| o.span()),
            ports: Presence::read(node, "toPorts", ports),
            icmps: icmps.map(|icmps| icmps.span()),
            authentication: authentication.and_then(|auth| text(auth, "mode")),
            empty_peers: empty,
            span: node.span(),
            head,
        }
    }
}

fn cidrs(node: Node<'_>, plain: &str, set: &str) -> Presence<Vec<CidrPeer>> {
    if field(node, plain).is_none() && field(node, set).is_none() {
        return Presence::Missing;
    }
    let net = |text: &str| {
        let address = text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
        text.parse::<IpNet>().ok().or(address).map(|net| net.trunc())
    };
    let mut peers = Vec::new();
    for cidr in texts(node, plain) {
        peers.push(CidrPeer { cidr: net(&cidr.value), except: Vec::new(), span: cidr.span });
    }
    for item in items(node, set) {
        let cidr = text(item, "cidr");
        let except = texts(item, "except").into_iter().filter_map(|e| net(&e.value)).collect();
        let span = cidr.as_ref().map_or(item.span(), |cidr| cidr.span);
        peers.push(CidrPeer { cidr: cidr.and_then(|cidr| net(&cidr.value)), except, span });
    }
    Presence::Given(peers)
}

impl ServicePeer {
    fn read(node: Node<'_>) -> Self {
        let namespace =
            |of: Node<'_>| text(of, "namespace").map(|name| name.value).unwrap_or_default();
        let named = field(node, "k8sService")
            .and_then(|service| Some((namespace(service), text(service, "serviceName")?.value)));
        let selected = field(node, "k8sServiceSelector").and_then(|service| {
            Some((namespace(service), Selector::read_custom(field(service, "selector")?)))
        });
        Self { named, selected, span: node.children().next().map_or(node.span(), key_span) }
    }
}

impl ToPorts {
    fn read(node: Node<'_>, deny: bool) -> Self {
        let rules = field(node, "rules").filter(|_| !deny);
        let rule_list = |key: &str| {
            let list = rules.and_then(|rules| field(rules, key));
            list.filter(|list| list.children().next().is_some())
        };
        let port = |item: Node<'_>| {
            let value = field(item, "port")?;
            let end_port = integer(item, "endPort").and_then(|end| u16::try_from(end.value).ok());
            Some(CiliumPort {
                port: Sourced::new(scalar_text(value)?, value.span()),
                protocol: text(item, "protocol"),
                end_port,
            })
        };
        let (http, dns) = (rule_list("http"), rule_list("dns"));
        let any_request = |rule: Node<'_>| rule.children().next().is_none();
        let any_name = |rule: Node<'_>| text(rule, "matchPattern").is_some_and(|p| p.value == "*");
        let others = ["l7proto", "l7", "kafka"].into_iter();
        let others = others.filter_map(|key| rules.and_then(|rules| field(rules, key)));
        let tls = ["terminatingTLS", "originatingTLS"];
        let names = field(node, "serverNames").filter(|_| !deny);
        Self {
            ports: Presence::read(node, "ports", |list| list.children().filter_map(port).collect()),
            passes_all: http.is_some_and(|list| list.children().any(any_request))
                || dns.is_some_and(|list| list.children().any(any_name)),
            http: http.map(key_span),
            dns: dns.map(key_span),
            other_rules: others.into_iter().next().map(key_span),
            terminates_tls: tls.iter().any(|key| field(node, key).is_some()),
            server_names: names
                .filter(|names| names.children().next().is_some())
                .map(|names| names.span()),
            span: node.children().next().map_or(node.span(), key_span),
        }
    }
}

impl CiliumPort {
    /// The port number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        self.port.value.parse().ok()
    }
}
