//! CiliumNetworkPolicy and its cluster-wide form to rules (semantics C1 to C15, C23).

use std::sync::Arc;

use super::{Base, Lowered};
use crate::document::{DefectKind, ObjectId};
use crate::model::{
    CiliumClause, CiliumPolicy, CiliumPort, CiliumRule, Direction, Model, Operator, PortMatch,
    Presence, Protocol, Refusal, Requirement, Selector, ServicePeer, ToPorts,
};
use crate::reach::peer::{NAMESPACE_LABELS, split_source};
use crate::reach::rule::{
    Action, Dialect, Entity, Guard, NamespaceScope, PeerSet, Peers, PortSpec, Rule, ServiceTarget,
    Subject,
};

const NAMESPACE_KEY: &str = "io.kubernetes.pod.namespace";

/// Lowers a policy; one that is refused leaves a record. `enforced` is false where the plugin is
/// another one.
pub(super) fn lower(policy: &CiliumPolicy, model: &Model, enforced: bool, out: &mut Lowered) {
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
            for (ports, guard) in port_sets(clause) {
                let mut lowered = base.rule(direction, clause.head);
                lowered.action = action;
                lowered.peers = peers(policy, clause, &ports, model);
                lowered.ports = ports;
                lowered.default_deny = isolates;
                lowered.guard = guard.filter(|_| action == Action::Allow);
                out.push(lowered);
            }
        }
    }
}

/// The subject of a rule. In a namespaced policy a foreign namespace under `k8s:` is replaced by the
/// policy's own; under another spelling it stays and selects nobody (C3).
fn subject(policy: &CiliumPolicy, selector: &Selector) -> Subject {
    let namespaces = if policy.clusterwide {
        NamespaceScope::All
    } else {
        NamespaceScope::One(policy.id.namespace.clone())
    };
    let mut pods = selector.clone();
    if !policy.clusterwide {
        pods.requirements.retain(|requirement| {
            let label = requirement.operator == Operator::In && requirement.values.len() == 1;
            !(label && split_source(&requirement.key) == ("k8s", NAMESPACE_KEY))
        });
    }
    Subject { namespaces, pods, dialect: Dialect::Cilium }
}

/// The ports of a clause, apart where their guards differ.
fn port_sets(clause: &CiliumClause) -> Vec<(PortSpec, Option<Guard>)> {
    let asked = clause.authentication.as_ref();
    let handshake = asked.filter(|mode| mode.value == "required").map(|_| Guard::Authentication);
    let entries = clause.to_ports();
    if entries.is_empty() {
        let ports = if clause.icmps.is_some() { PortSpec::Icmp } else { PortSpec::All };
        return vec![(ports, handshake)];
    }
    let of_entry = |entry: &ToPorts| {
        let ports = entry.ports.given().into_iter().flatten().flat_map(listed).collect();
        let guard = if entry.http.is_some() {
            Some(Guard::Http)
        } else if entry.dns.is_some() {
            Some(Guard::Dns)
        } else {
            entry.server_names.map(|_| Guard::ServerNames)
        };
        (PortSpec::Listed(ports), handshake.or(guard))
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
    for service in given(&clause.services) {
        set.push(service_peer(service, &policy.id, model));
    }
    set.extend(clause.others.map(|span| PeerSet::Unknown { span }));
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
        "none" => Entity::None,
        _ => Entity::Infrastructure,
    }
}

/// A selector of peers: without a namespace key it means the policy's own namespace, or in a
/// cluster-wide policy every pod (C4).
fn endpoint_peer(policy: &CiliumPolicy, selector: &Selector) -> PeerSet {
    let span = selector.span;
    let reserved = selector.requirements.iter().find_map(|r| match split_source(&r.key) {
        ("reserved", name) => Some(entity_of(name)),
        _ => None,
    });
    if let Some(entity) = reserved {
        return PeerSet::Entity { entity, span };
    }
    let names_namespace = |requirement: &Requirement| {
        let (_, key) = split_source(&requirement.key);
        key == NAMESPACE_KEY || key.starts_with(NAMESPACE_LABELS)
    };
    let everywhere = policy.clusterwide || selector.requirements.iter().any(names_namespace);
    let namespaces = if everywhere {
        NamespaceScope::All
    } else {
        NamespaceScope::One(policy.id.namespace.clone())
    };
    let pods = Some(selector.clone()).filter(|selector| !selector.matches_all());
    PeerSet::Pods { namespaces, pods, dialect: Dialect::Cilium, span }
}

/// The pods behind a Service; one that is not in the input leaves the answer open (C14).
fn service_peer(peer: &ServicePeer, policy: &ObjectId, model: &Model) -> PeerSet {
    let span = peer.span;
    let target = peer.named.as_ref().map_or(ServiceTarget::Unknown, |(namespace, name)| {
        let namespace = if namespace.is_empty() { &policy.namespace } else { namespace };
        let mut services = model.part(namespace).into_iter().flat_map(|part| &part.services);
        match services.find(|service| service.id.name == *name).map(|found| &found.selector) {
            None => ServiceTarget::Unknown,
            Some(None) => ServiceTarget::Nobody,
            Some(Some(selector)) => {
                ServiceTarget::Pods { namespace: namespace.clone(), selector: selector.clone() }
            }
        }
    });
    PeerSet::Service { target, span }
}

/// Whether a rule reads DNS answers on port 53, which is what `toFQDNs` lives on (C12).
pub(crate) fn proxies_dns(rule: &Rule) -> bool {
    rule.guard == Some(Guard::Dns)
        && rule.ports.resolve(None).contains(Protocol::Udp, 53)
        && rule.direction == Direction::Egress
}
