//! The normal form of every L3/L4 policy kind.

use std::sync::Arc;

use ipnet::IpNet;

use super::conn::{PortSet, Ports};
use crate::document::{ObjectId, Span};
use crate::model::{Direction, Home, PortMatch, Protocol, Requirement, Selector, Workload};

/// Evaluation order: tiers are walked from Admin to Baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Before all others; the first matching rule decides.
    Admin,
    /// NetworkPolicy, CiliumNetworkPolicy and their cluster-wide form together.
    Normal,
    /// Only for pods that no rule of the Normal tier isolates.
    Baseline,
}

/// What a rule does with the traffic it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Admits it.
    Allow,
    /// Drops it.
    Deny,
    /// Leaves the tier.
    Pass,
}

/// A condition on what is said inside a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// HTTP rules decide.
    Http,
    /// DNS rules decide.
    Dns,
    /// The TLS server name decides.
    ServerNames,
    /// Rules of another protocol decide.
    Other,
}

/// What a rule says of the handshake between the identities of two pods (semantics C15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// It has to succeed, for other rules about the same peer and port as well.
    Required,
    /// It is switched off.
    Disabled,
}

/// Something in Cilium's vocabulary that is not selected by labels (semantics C8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// Everything.
    All,
    /// Outside the cluster.
    World,
    /// Every pod, host and node of the cluster.
    Cluster,
    /// The node of the pod.
    Host,
    /// Another node.
    RemoteNode,
    /// The API server.
    KubeApiserver,
    /// The ingress of Cilium.
    Ingress,
    /// An endpoint that has no identity yet.
    Init,
    /// The health check.
    Health,
    /// An endpoint that Cilium does not manage.
    Unmanaged,
    /// Nothing.
    None,
}

/// Which namespaces the pods of a peer may lie in.
#[derive(Clone, Debug, PartialEq)]
pub enum NamespaceScope {
    /// One.
    One(Home<'static>),
    /// All of them.
    All,
    /// Those whose labels match.
    Matching(Selector),
}

/// Labels are looked up as Kubernetes or as Cilium does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Labels of the pod.
    Kubernetes,
    /// Labels of Cilium's identity: with a source prefix, with those that Cilium derives, without
    /// those that it leaves out.
    Cilium,
}

/// What a Service in a policy stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceTarget {
    /// The pods that the selectors match, each in the place of its Service; a Service without a
    /// selector has none.
    Pods(Vec<(Home<'static>, Selector)>),
    /// There is no such Service.
    Nobody,
    /// It is not in the input.
    Unknown,
}

/// One member of a peer set.
#[derive(Clone, Debug, PartialEq)]
pub enum PeerSet {
    /// Pods by namespace and labels.
    Pods {
        /// Namespaces.
        namespaces: NamespaceScope,
        /// Labels; none means every pod.
        pods: Option<Selector>,
        /// How labels are looked up.
        dialect: Dialect,
        /// Place.
        span: Span,
    },
    /// Addresses outside the cluster.
    Cidr {
        /// The range.
        net: IpNet,
        /// What is cut out of it.
        except: Vec<IpNet>,
        /// Place.
        span: Span,
    },
    /// A Cilium entity.
    Entity {
        /// Which.
        entity: Entity,
        /// Place.
        span: Span,
    },
    /// Addresses that the DNS proxy has learned for a name.
    Fqdn {
        /// Name or pattern.
        pattern: String,
        /// Place.
        span: Span,
    },
    /// The pods behind a Service.
    Service {
        /// What the Service stands for.
        target: ServiceTarget,
        /// Place.
        span: Span,
    },
    /// Something that is not in the input.
    Unknown {
        /// Place.
        span: Span,
    },
}

impl PeerSet {
    /// Where it is written.
    #[must_use]
    pub const fn span(&self) -> Span {
        match self {
            Self::Pods { span, .. }
            | Self::Cidr { span, .. }
            | Self::Entity { span, .. }
            | Self::Fqdn { span, .. }
            | Self::Service { span, .. }
            | Self::Unknown { span } => *span,
        }
    }
}

/// Who a rule is about. Missing, null and empty lower differently per kind, so this is explicit.
#[derive(Clone, Debug, PartialEq)]
pub enum Peers {
    /// Everybody, nodes and the outside included.
    Any,
    /// Nobody.
    Nobody,
    /// These.
    Set(Vec<PeerSet>),
}

/// Which ports a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortSpec {
    /// Every port, ICMP included.
    All,
    /// Only ICMP.
    Icmp,
    /// These; an empty list admits nothing.
    Listed(Vec<(Protocol, PortMatch)>),
}

impl PortSpec {
    /// The ports as numbers at a destination: names are those of its containers.
    #[must_use]
    pub fn resolve(&self, destination: Option<&Workload>) -> PortSet {
        let listed = match self {
            Self::All => return PortSet::all(),
            Self::Icmp => return PortSet::other(),
            Self::Listed(listed) => listed,
        };
        listed.iter().fold(PortSet::none(), |set, (protocol, ports)| {
            let ports = match ports {
                PortMatch::All => Ports::all(),
                PortMatch::Range(start, end) => Ports::range(*start, *end),
                PortMatch::Named(name) => named(destination, name, *protocol),
            };
            set.or(&PortSet::of(*protocol, ports))
        })
    }

    /// Whether no port is named.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }
}

/// The container ports of a name and protocol; none for a destination that is no pod (N8).
fn named(destination: Option<&Workload>, name: &str, protocol: Protocol) -> Ports {
    let containers = destination.into_iter().flat_map(|workload| &workload.pod.containers);
    let ports = containers.flat_map(|container| &container.ports);
    let is_it = |own: &str| own.eq_ignore_ascii_case(name);
    let matching = ports
        .filter(|port| port.name.as_deref().is_some_and(is_it) && port.protocol == protocol.word());
    matching
        .filter_map(|port| port.number)
        .fold(Ports::none(), |set, number| set.or(&Ports::range(number, number)))
}

/// The pods that a rule protects.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Namespaces.
    pub namespaces: NamespaceScope,
    /// Labels.
    pub pods: Selector,
    /// How labels are looked up.
    pub dialect: Dialect,
}

impl Subject {
    /// Whether every pod of `other`, those that are not in the input included, is one of these: the
    /// same place or all of them, and no condition that the other does not make, too.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let place = match (&self.namespaces, &other.namespaces) {
            (NamespaceScope::All, _) => true,
            (NamespaceScope::One(own), NamespaceScope::One(others)) => own == others,
            (NamespaceScope::Matching(own), NamespaceScope::Matching(others)) => {
                weaker(own, others)
            }
            _ => false,
        };
        let everyone = self.pods.requirements.is_empty();
        place && (everyone || self.dialect == other.dialect) && weaker(&self.pods, &other.pods)
    }
}

/// Whether each condition of `a` is one of `b`.
fn weaker(a: &Selector, b: &Selector) -> bool {
    let same = |x: &Requirement, y: &Requirement| {
        x.key == y.key && x.operator == y.operator && x.values == y.values
    };
    let found = |wanted: &Requirement| b.requirements.iter().any(|other| same(wanted, other));
    a.broken.is_none() && b.broken.is_none() && a.requirements.iter().all(found)
}

/// Where a rule comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The policy.
    pub object: Arc<ObjectId>,
    /// Place of the policy's name.
    pub name: Span,
    /// Place of the clause, or of what isolates.
    pub span: Span,
}

/// One rule in normal form. The only place that holds an origin.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Place in the list of all rules.
    pub index: u32,
    /// Direction.
    pub direction: Direction,
    /// Tier.
    pub tier: Tier,
    /// Order inside an ordered tier, ascending.
    pub priority: i32,
    /// Action.
    pub action: Action,
    /// Whom it protects.
    pub subject: Arc<Subject>,
    /// Whom it is about.
    pub peers: Peers,
    /// Ports.
    pub ports: PortSpec,
    /// Whether it isolates its subjects in this direction.
    pub default_deny: bool,
    /// What else has to hold.
    pub guard: Option<Guard>,
    /// What it says of the handshake.
    pub handshake: Option<Handshake>,
    /// Whether the DNS proxy reads the answers that it lets through, which `toFQDNs` lives on.
    pub reads_dns: bool,
    /// Whether lowering added it: isolation without any clause.
    pub synthetic: bool,
    /// Whether it is enforced. The rules of a policy that is refused are kept as written, for what
    /// they say by themselves; no verdict sees them.
    pub in_force: bool,
    /// Where it comes from.
    pub origin: Origin,
}
