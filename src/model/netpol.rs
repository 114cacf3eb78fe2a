//! NetworkPolicy as written, with the API's defaults as methods (semantics N1 to N9).

use std::sync::Arc;

use ipnet::IpNet;

use super::cilium::is_service_name;
use super::fields::{Presence, Sourced, field, items, text};
use super::namespace::Home;
use super::selector::{Selector, is_open};
use crate::document::{Document, NamespaceSource, Node, ObjectId, Span, Value};

/// The side of a connection that a rule guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards the subject.
    Ingress,
    /// From the subject.
    Egress,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ingress, Self::Egress];

    /// The word of messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// The word of the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }

    /// The protocol of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.word() == word)
    }
}

/// Which ports a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortMatch {
    /// Every port of the protocol.
    All,
    /// A range, both ends included.
    Range(u16, u16),
    /// The container port of a name, resolved per destination pod.
    Named(String),
}

/// One entry of `ports`.
#[derive(Clone, Debug)]
pub struct PortItem {
    /// Protocol, TCP where none is written (N8).
    pub protocol: Protocol,
    /// Ports.
    pub ports: PortMatch,
    /// Place.
    pub span: Span,
}

/// An `ipBlock`.
#[derive(Clone, Debug)]
pub struct IpBlock {
    /// The range.
    pub cidr: IpNet,
    /// What is cut out of it.
    pub except: Vec<IpNet>,
    /// Place of the range.
    pub span: Span,
}

/// One entry of `from` or `to`.
#[derive(Clone, Debug)]
pub struct Peer {
    /// `podSelector`.
    pub pods: Option<Selector>,
    /// `namespaceSelector`.
    pub namespaces: Option<Selector>,
    /// `ipBlock`.
    pub block: Option<IpBlock>,
    /// Whether a variable stands where the block's range is to be.
    pub open: bool,
    /// Whether the API refuses the entry: nothing set, a block beside a selector, no CIDR.
    pub broken: bool,
    /// Place.
    pub span: Span,
}

/// One entry of `ingress` or `egress`: peers and ports, both of which have to match (N5).
#[derive(Clone, Debug)]
pub struct Clause {
    /// Peers; missing or empty means anyone.
    pub peers: Presence<Vec<Peer>>,
    /// Ports; missing or empty means all.
    pub ports: Presence<Vec<PortItem>>,
    /// A part that the API server refuses.
    pub refused: Option<Span>,
    /// Place.
    pub span: Span,
}

impl Clause {
    /// The peers, where any are named.
    #[must_use]
    pub fn named_peers(&self) -> Option<&[Peer]> {
        self.peers.given().map(Vec::as_slice).filter(|peers| !peers.is_empty())
    }

    /// The ports, where any are named.
    #[must_use]
    pub fn named_ports(&self) -> Option<&[PortItem]> {
        self.ports.given().map(Vec::as_slice).filter(|ports| !ports.is_empty())
    }
}

/// A NetworkPolicy.
#[derive(Clone, Debug)]
pub struct NetworkPolicy {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
    /// `spec`, or the name where there is none.
    pub spec: Span,
    /// Pods that it protects; everything where `podSelector` is empty or missing (N1).
    pub subject: Selector,
    /// `policyTypes`.
    pub types: Presence<Vec<Sourced<String>>>,
    /// `ingress`.
    pub ingress: Presence<Vec<Clause>>,
    /// `egress`.
    pub egress: Presence<Vec<Clause>>,
    /// A part for which the API server refuses the whole policy: it then protects nothing (S5).
    pub refused: Option<Span>,
}

impl NetworkPolicy {
    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }

    pub(super) fn read(document: &Document) -> Self {
        let root = document.root();
        let spec = field(root, "spec");
        let span = spec.map_or(document.head, |spec| spec.span());
        let subject = spec.and_then(|spec| field(spec, "podSelector"));
        let types = |list: Node<'_>| {
            let word = |item: Node<'_>| Some(Sourced::new(item.as_str()?.to_owned(), item.span()));
            list.children().filter_map(word).collect()
        };
        let clauses = |key: &str, peers: &str| {
            let read =
                |list: Node<'_>| list.children().map(|node| Clause::read(node, peers)).collect();
            spec.map_or(Presence::Missing, |spec| Presence::read(spec, key, read))
        };
        let mut policy = Self {
            id: Arc::clone(&document.id),
            span: document.head,
            namespace: document.namespace,
            spec: span,
            subject: subject.map_or_else(|| Selector::everything(span), Selector::read),
            types: spec.map_or(Presence::Missing, |s| Presence::read(s, "policyTypes", types)),
            ingress: clauses("ingress", "from"),
            egress: clauses("egress", "to"),
            refused: None,
        };
        policy.refused = spec.and_then(odd_list).or_else(|| policy.find_refused());
        policy
    }

    fn find_refused(&self) -> Option<Span> {
        let clauses = Direction::ALL.into_iter().flat_map(|direction| self.clauses(direction));
        let of_clauses = clauses.flat_map(|clause| {
            let peers = clause.peers.given().into_iter().flatten();
            let selectors = peers.flat_map(|peer| peer.pods.iter().chain(&peer.namespaces));
            clause.refused.into_iter().chain(selectors.filter_map(|selector| selector.broken))
        });
        let types = || self.types.given().into_iter().flatten();
        let unknown = types().filter(|t| !matches!(t.value.as_str(), "Ingress" | "Egress"));
        let own = self.subject.broken.into_iter().chain(unknown.map(|t| t.span));
        own.chain(types().nth(2).map(|third| third.span)).chain(of_clauses).next()
    }

    /// The clauses of a direction, as written.
    #[must_use]
    pub fn clauses(&self, direction: Direction) -> &[Clause] {
        let clauses = match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        };
        clauses.given().map_or(&[], Vec::as_slice)
    }

    /// The directions in which it isolates its subjects (N2): `policyTypes`, and where it is missing
    /// or empty, ingress always and egress if there is an egress rule.
    #[must_use]
    pub fn directions(&self) -> Vec<Direction> {
        let types = self.types.given().map_or(&[][..], Vec::as_slice);
        let named = |word: &str| types.iter().any(|t| t.value == word);
        let isolates = |direction| match direction {
            Direction::Ingress => types.is_empty() || named("Ingress"),
            Direction::Egress if types.is_empty() => !self.clauses(Direction::Egress).is_empty(),
            Direction::Egress => named("Egress"),
        };
        Direction::ALL.into_iter().filter(|direction| isolates(*direction)).collect()
    }
}

/// A list of the spec that is written as something else, or has an item of another type.
fn odd_list(spec: Node<'_>) -> Option<Span> {
    if !spec.is_map() {
        return Some(spec.span());
    }
    let lists = ["policyTypes", "ingress", "egress"].into_iter();
    let list = lists.filter_map(|key| field(spec, key)).find(|list| !list.is_list());
    let word = || items(spec, "policyTypes").find(|word| word.as_str().is_none());
    list.or_else(word).map(|node| node.span())
}

impl Clause {
    /// Reads a clause. An item that is null stands for an empty clause, which admits everything.
    fn read(node: Node<'_>, peers: &str) -> Self {
        let lists = [peers, "ports"].into_iter().filter_map(|key| field(node, key));
        let odd = lists.into_iter().find(|list| !list.is_list());
        let scalar = (!node.is_map() && !node.is_null()).then(|| node.span());
        let mut refused = odd.map(|list| list.span()).or(scalar);
        let peers = Presence::read(node, peers, |list| {
            let peers: Vec<Peer> = list.children().map(Peer::read).collect();
            refused = refused.or(peers.iter().find(|peer| peer.broken).map(|peer| peer.span));
            peers
        });
        let ports = Presence::read(node, "ports", |list| {
            let mut ports = Vec::new();
            for item in list.children() {
                match PortItem::read(item) {
                    Some(port) => ports.push(port),
                    None => refused = Some(item.span()),
                }
            }
            ports
        });
        Self { peers, ports, refused, span: node.span() }
    }
}

impl Peer {
    fn read(node: Node<'_>) -> Self {
        let selector = |key: &str| field(node, key).map(Selector::read);
        let block = field(node, "ipBlock");
        let (pods, namespaces) = (selector("podSelector"), selector("namespaceSelector"));
        let parsed = block.and_then(IpBlock::read);
        let selects = pods.is_some() || namespaces.is_some();
        let mut ranges = block.into_iter().flat_map(|block| {
            field(block, "cidr").into_iter().chain(items(block, "except")).filter_map(Node::as_str)
        });
        let open = ranges.any(is_open);
        let broken = selects == block.is_some() || block.is_some() && parsed.is_none() && !open;
        Self { pods, namespaces, block: parsed, open, broken, span: node.span() }
    }
}

impl IpBlock {
    /// Reads a block; none where the API server refuses it (N9).
    fn read(node: Node<'_>) -> Option<Self> {
        let net = |text: &str| {
            let net: IpNet = text.parse().ok()?;
            (net == net.trunc()).then_some(net)
        };
        let cidr = text(node, "cidr")?;
        let range = net(&cidr.value)?;
        let strictly_inside =
            |cut: &IpNet| range.contains(cut) && cut.prefix_len() > range.prefix_len();
        let except = items(node, "except");
        let except: Option<Vec<IpNet>> =
            except.map(|cut| net(cut.as_str()?).filter(strictly_inside)).collect();
        Some(Self { cidr: range, except: except?, span: cidr.span })
    }
}

impl PortItem {
    /// Reads an entry; none where the API server refuses it (N8).
    fn read(node: Node<'_>) -> Option<Self> {
        let protocol = match field(node, "protocol") {
            Some(word) => Protocol::from_word(word.as_str()?)?,
            None => Protocol::Tcp,
        };
        let number = |value: Node<'_>| u16::try_from(value.as_int()?).ok().filter(|port| *port > 0);
        let end = field(node, "endPort");
        let ports = match field(node, "port") {
            None if end.is_some() => return None,
            None => PortMatch::All,
            Some(port) => match port.value() {
                Value::Str(name) if end.is_none() && is_port_name(name) => {
                    PortMatch::Named(name.to_owned())
                }
                Value::Str(_) => return None,
                _ => {
                    let start = number(port)?;
                    let end = end.map_or(Some(start), number)?;
                    if end < start {
                        return None;
                    }
                    PortMatch::Range(start, end)
                }
            },
        };
        Some(Self { protocol, ports, span: node.span() })
    }
}

/// A port name is a service name in lower case; a quoted number is none.
fn is_port_name(name: &str) -> bool {
    is_open(name) || is_service_name(name) && !name.bytes().any(|b| b.is_ascii_uppercase())
}

/// A policy of a kind that is not evaluated: it may change what pods are protected.
#[derive(Clone, Debug)]
pub struct OtherPolicy {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
}

impl OtherPolicy {
    pub(super) fn read(document: &Document) -> Self {
        Self { id: Arc::clone(&document.id), span: document.head }
    }
}
