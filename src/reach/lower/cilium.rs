//! CiliumNetworkPolicy and its cluster-wide form to rules (semantics C1 to C15, C23).

use std::sync::Arc;

use super::{Base, Lowered};
use crate::document::DefectKind;
use crate::model::{
    Certain, CiliumClause, CiliumPolicy, CiliumPort, CiliumRule, Direction, Model, Operator,
    PortMatch, Presence, Protocol, Refusal, Selector, Service, ServicePeer, ToPorts, Truth,
};
use crate::reach::peer::{NAMESPACE_KEY, part_by_namespace, split_source};
use crate::reach::rule::{
    Action, Dialect, Entity, Guard, Handshake, NamespaceScope, PeerSet, Peers, PortSpec, Rule,
    ServiceTarget, Subject,
};

/// Lowers a policy; one that is refused leaves a record. `enforced` is false where the plugin is
/// another one.
pub(super) fn lower(policy: &CiliumPolicy, model: &Model, enforced: bool, out: &mut Lowered) {
    if policy.rules.is_empty() && policy.refused == Some(Refusal::NoSelector(None)) {
        out.defect(DefectKind::CiliumSelectorMissing, &policy.id, policy.span, "");
    }
    for rule in &policy.rules {
        record_defects(policy, rule, out);
    }
    if let Some(refusal) = &policy.refused {
        let at = match refusal {
            Refusal::NoSelector(meant) => meant.as_ref().map_or(policy.span, |meant| meant.span),
            Refusal::NoClauses(at) | Refusal::TwoPeers(at) | Refusal::Invalid(at) => *at,
        };
        out.refused.push((Arc::clone(&policy.id), at));
    }
    for rule in &policy.rules {
        let nobody = Selector::everything(policy.span);
        let selector = match (&rule.endpoints, &policy.refused) {
            (Some(selector), _) => selector,
            (None, Some(_)) => &nobody,
            (None, None) => continue,
        };
        let base = Base {
            subject: Arc::new(subject(policy, selector)),
            object: Arc::clone(&policy.id),
            name: policy.span,
            in_force: enforced && policy.refused.is_none(),
        };
        for direction in Direction::ALL {
            lower_direction(policy, rule, direction, &base, model, out);
        }
    }
}

fn record_defects(policy: &CiliumPolicy, rule: &CiliumRule, out: &mut Lowered) {
    if rule.endpoints.is_none() && rule.nodes.is_none() {
        let meant = rule.foreign_selector.as_ref();
        let at = meant.map_or(policy.span, |meant| meant.span);
        let name = meant.map_or("", |meant| meant.value.as_str());
        out.defect(DefectKind::CiliumSelectorMissing, &policy.id, at, name);
    }
    for direction in Direction::ALL {
        let asked = rule.default_deny(direction).filter(|asked| asked.value);
        let has_items = !rule.allows(direction).is_empty() || !rule.denies(direction).is_empty();
        if let Some(asked) = asked.filter(|_| !has_items) {
            let kind = DefectKind::DefaultDenyWithoutRules;
            out.defect(kind, &policy.id, asked.span, direction.word());
        }
    }
}

fn lower_direction(
    policy: &CiliumPolicy,
    rule: &CiliumRule,
    direction: Direction,
    base: &Base,
    model: &Model,
    out: &mut Lowered,
) {
    let isolates = rule.default_deny(direction).is_none_or(|asked| asked.value);
    let of_action =
        [(Action::Allow, rule.allows(direction)), (Action::Deny, rule.denies(direction))];
    for (action, clauses) in of_action {
        for clause in clauses {
            let handshake = clause.authentication.as_ref().map(|mode| match mode.value.as_str() {
                "disabled" => Handshake::Disabled,
                _ => Handshake::Required,
            });
            for entry in entries(clause) {
                let mut lowered = base.rule(direction, clause.head);
                lowered.action = action;
                lowered.peers = peers(policy, clause, &entry.ports, model);
                lowered.ports = entry.ports;
                lowered.default_deny = isolates;
                // Only an HTTP or DNS rule can stop a request that has passed; a handshake always.
                lowered.guard = entry.guard;
                lowered.handshake = handshake;
                lowered.reads_dns = entry.reads_dns;
                out.push(lowered);
            }
        }
    }
}

/// The subject of a rule. In a namespaced policy a foreign namespace under `k8s:` is replaced by the
/// policy's own; under another spelling it stays and selects nobody (C3).
pub(super) fn subject(policy: &CiliumPolicy, selector: &Selector) -> Subject {
    let dialect = Dialect::Cilium;
    if policy.clusterwide {
        let (namespaces, pods) = part_by_namespace(selector);
        let namespaces = namespaces.map_or(NamespaceScope::All, NamespaceScope::Matching);
        return Subject { namespaces, pods, dialect };
    }
    let mut pods = selector.clone();
    pods.requirements.retain(|requirement| {
        !(requirement.label && split_source(&requirement.key) == ("k8s", NAMESPACE_KEY))
    });
    let own = policy.home().into_owned();
    Subject { namespaces: NamespaceScope::One(own), pods, dialect }
}

/// Ports of a clause that share a guard.
struct Entry {
    ports: PortSpec,
    guard: Option<Guard>,
    reads_dns: bool,
}

/// The ports of a clause, apart where their guards differ.
fn entries(clause: &CiliumClause) -> Vec<Entry> {
    let entries = clause.to_ports();
    if entries.is_empty() {
        let ports = if clause.icmps.is_some() { PortSpec::Icmp } else { PortSpec::All };
        return vec![Entry { ports, guard: None, reads_dns: false }];
    }
    let of_entry = |entry: &ToPorts| {
        let ports = given(&entry.ports).iter().flat_map(listed).collect();
        let guard = if entry.passes_all {
            None
        } else if entry.http.is_some() {
            Some(Guard::Http)
        } else if entry.dns.is_some() {
            Some(Guard::Dns)
        } else if entry.other_rules.is_some() {
            Some(Guard::Other)
        } else {
            None
        };
        let guard = guard.or(entry.server_names.map(|_| Guard::ServerNames));
        Entry { ports: PortSpec::Listed(ports), guard, reads_dns: entry.dns.is_some() }
    };
    entries.iter().map(of_entry).collect()
}

/// A port of Cilium: no protocol means all three, port 0 every port (C9).
fn listed(port: &CiliumPort) -> Vec<(Protocol, PortMatch)> {
    let word = port.protocol.as_ref().map_or("ANY", |protocol| protocol.value.as_str());
    let protocols: Vec<Protocol> = if word == "ANY" {
        Protocol::ALL.to_vec()
    } else {
        Protocol::from_word(word).into_iter().collect()
    };
    let ports = match port.number() {
        Some(0) => PortMatch::All,
        Some(number) => {
            // A range that ends before it begins is the single port (C24).
            let end = port.end_port.filter(|end| *end >= number).unwrap_or(number);
            PortMatch::Range(number, end)
        }
        None => PortMatch::Named(port.port.value.clone()),
    };
    protocols.into_iter().map(|protocol| (protocol, ports.clone())).collect()
}

fn peers(policy: &CiliumPolicy, clause: &CiliumClause, ports: &PortSpec, model: &Model) -> Peers {
    if clause.empty_peers.is_some() {
        return Peers::Nobody;
    }
    if clause.has_no_peers() {
        let everybody = !clause.to_ports().is_empty() || *ports == PortSpec::Icmp;
        return if everybody { Peers::Any } else { Peers::Nobody };
    }
    let mut set = Vec::new();
    for selector in given(&clause.endpoints) {
        set.push(endpoint_peer(policy, selector));
    }
    for entity in given(&clause.entities) {
        let span = entity.span;
        set.push(PeerSet::Entity { entity: entity_of(&entity.value), span });
    }
    for range in given(&clause.cidrs) {
        set.push(match range.cidr {
            Some(net) => PeerSet::Cidr { net, except: range.except.clone(), span: range.span },
            None => PeerSet::Unknown { span: range.span },
        });
    }
    for name in given(&clause.fqdns) {
        set.push(PeerSet::Fqdn { pattern: name.pattern.clone(), span: name.span });
    }
    let services = given(&clause.services);
    for service in services {
        set.push(PeerSet::Service { target: service_target(service, model), span: service.span });
    }
    set.extend(clause.others.map(|span| PeerSet::Unknown { span }));
    let nobody =
        |peer: &PeerSet| matches!(peer, PeerSet::Service { target: ServiceTarget::Nobody, .. });
    // A Service that does not exist leaves no peer: with ports the clause is open to everybody.
    if !services.is_empty() && set.iter().all(nobody) {
        return if clause.to_ports().is_empty() { Peers::Nobody } else { Peers::Any };
    }
    Peers::Set(set)
}

fn given<T>(list: &Presence<Vec<T>>) -> &[T] {
    list.given().map_or(&[], Vec::as_slice)
}

fn entity_of(word: &str) -> Entity {
    match word {
        "all" => Entity::All,
        "world" | "world-ipv4" | "world-ipv6" => Entity::World,
        "cluster" | "cluster-mesh" => Entity::Cluster,
        "host" => Entity::Host,
        "remote-node" => Entity::RemoteNode,
        "kube-apiserver" => Entity::KubeApiserver,
        "ingress" => Entity::Ingress,
        "init" => Entity::Init,
        "health" => Entity::Health,
        "unmanaged" => Entity::Unmanaged,
        _ => Entity::None,
    }
}

/// A selector of peers: without a namespace key it means the policy's own namespace, or in a
/// cluster-wide policy every pod (C4). What is selected by a source other than Kubernetes, such as
/// `reserved:`, is no pod.
fn endpoint_peer(policy: &CiliumPolicy, selector: &Selector) -> PeerSet {
    let span = selector.span;
    let foreign = |key: &str| !matches!(split_source(key).0, "" | "k8s" | "any");
    if let [only] = selector.requirements.as_slice()
        && let ("reserved", name) = split_source(&only.key)
        && matches!(only.operator, Operator::In | Operator::Exists)
    {
        return PeerSet::Entity { entity: entity_of(name), span };
    }
    if selector.requirements.iter().any(|requirement| foreign(&requirement.key)) {
        return PeerSet::Unknown { span };
    }
    let (namespace, pods) = part_by_namespace(selector);
    let namespaces = match namespace {
        Some(selector) => NamespaceScope::Matching(selector),
        None if policy.clusterwide => NamespaceScope::All,
        None => NamespaceScope::One(policy.home().into_owned()),
    };
    let pods = Some(pods).filter(|selector| !selector.matches_all());
    PeerSet::Pods { namespaces, pods, dialect: Dialect::Cilium, span }
}

/// The pods behind the Services that a peer means (C14). One without a selector stands for addresses,
/// which match no pod.
fn service_target(peer: &ServicePeer, model: &Model) -> ServiceTarget {
    let (namespace, wanted): (&str, &dyn Fn(&Service) -> Truth) =
        match (&peer.named, &peer.selected) {
            (Some((namespace, name)), _) => {
                (namespace, &|service: &Service| Truth::certain(service.id.name == *name))
            }
            (None, Some((namespace, selector))) => (namespace, &|service: &Service| {
                let label = |key: &str| service.label(split_source(key).1);
                selector.matches(label)
            }),
            (None, None) => return ServiceTarget::Unknown,
        };
    let parts = model.namespaces().filter(|(name, _)| namespace.is_empty() || *name == namespace);
    let mut found = Vec::new();
    let mut met = false;
    for service in parts.flat_map(|(_, part)| &part.services) {
        let place = service.home().into_owned();
        let unplaced = place.is_assumed() && !namespace.is_empty();
        match wanted(service) {
            Truth::No => continue,
            Truth::Unknown => return ServiceTarget::Unknown,
            Truth::Yes if unplaced => return ServiceTarget::Unknown,
            Truth::Yes => met = true,
        }
        found.extend(service.selector.iter().map(|selector| (place.clone(), selector.clone())));
    }
    let whole = !namespace.is_empty() && matches!(model.closed(namespace), Certain::Known(()));
    match (met, peer.named.is_some()) {
        // A selector may match Services that are not in the input.
        (true, true) => ServiceTarget::Pods(found),
        _ if whole && met => ServiceTarget::Pods(found),
        _ if whole => ServiceTarget::Nobody,
        _ => ServiceTarget::Unknown,
    }
}

/// Whether a rule reads DNS answers on port 53, which is what `toFQDNs` lives on (C12).
pub(crate) fn proxies_dns(rule: &Rule) -> bool {
    rule.reads_dns
        && rule.direction == Direction::Egress
        && rule.peers != Peers::Nobody
        && rule.ports.resolve(None).contains(Protocol::Udp, 53)
}
