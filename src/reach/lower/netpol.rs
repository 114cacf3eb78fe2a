//! NetworkPolicy to rules (semantics N1 to N9, C16).

use std::sync::Arc;

use super::{Base, Lowered, netpol_subject};
use crate::config::Cni;
use crate::model::{Clause, Direction, Home, NetworkPolicy, Peer, PortItem};
use crate::reach::rule::{Dialect, NamespaceScope, PeerSet, Peers, PortSpec};

/// One allow rule per clause, and every rule isolates its direction. A direction that is isolated
/// without any clause becomes one synthetic rule for nobody.
pub(super) fn lower(policy: &NetworkPolicy, cni: Cni, out: &mut Lowered) {
    out.refused.extend(policy.refused.map(|at| (Arc::clone(&policy.id), at)));
    let own = policy.home().into_owned();
    let subject = netpol_subject(policy, cni);
    let dialect = subject.dialect;
    let object = Arc::clone(&policy.id);
    let in_force = policy.refused.is_none();
    let base = Base { subject: Arc::new(subject), object, name: policy.span, in_force };
    let isolated = policy.directions();
    for direction in Direction::ALL {
        let clauses = policy.clauses(direction);
        // Cilium enforces rules even in a direction that `policyTypes` omits (C16).
        let enforced = cni == Cni::Cilium && !clauses.is_empty();
        if !isolated.contains(&direction) && !enforced {
            continue;
        }
        if clauses.is_empty() {
            let mut rule = base.rule(direction, isolation_place(policy, direction));
            rule.synthetic = true;
            out.push(rule);
        }
        for clause in clauses {
            let mut rule = base.rule(direction, clause.span);
            rule.peers = peers(clause, &own, dialect);
            rule.ports = ports(clause);
            out.push(rule);
        }
    }
}

/// What isolates a direction that has no clause: its entry of `policyTypes`, else the spec.
fn isolation_place(policy: &NetworkPolicy, direction: Direction) -> crate::document::Span {
    let types = policy.types.given().into_iter().flatten();
    let word = match direction {
        Direction::Ingress => "Ingress",
        Direction::Egress => "Egress",
    };
    let entry = types.into_iter().find(|entry| entry.value == word);
    entry.map_or(policy.span, |entry| entry.span)
}

fn peers(clause: &Clause, own: &Home<'static>, dialect: Dialect) -> Peers {
    match clause.named_peers() {
        None => Peers::Any,
        Some(peers) => Peers::Set(peers.iter().map(|entry| peer(entry, own, dialect)).collect()),
    }
}

fn peer(peer: &Peer, own: &Home<'static>, dialect: Dialect) -> PeerSet {
    if peer.open {
        return PeerSet::Unknown { span: peer.span };
    }
    if let Some(block) = &peer.block {
        let (net, except) = (block.cidr, block.except.clone());
        return PeerSet::Cidr { net, except, span: block.span };
    }
    let namespaces = match &peer.namespaces {
        None => NamespaceScope::One(own.clone()),
        Some(selector) if selector.matches_all() => NamespaceScope::All,
        Some(selector) => NamespaceScope::Matching(selector.clone()),
    };
    let pods = peer.pods.clone().filter(|selector| !selector.matches_all());
    PeerSet::Pods { namespaces, pods, dialect, span: peer.span }
}

fn ports(clause: &Clause) -> PortSpec {
    let listed = |port: &PortItem| (port.protocol, port.ports.clone());
    match clause.named_ports() {
        None => PortSpec::All,
        Some(ports) => PortSpec::Listed(ports.iter().map(listed).collect()),
    }
}
