use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::Mesh;
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Certain, Direction, Known, Protocol, Unknown, Workload};
use crate::reach::{Action, Endpoint, Entity, PeerSet, Peers, PodRef, PortSpec, Rule};

check! {
    /// Flags network policies that block the tunnel port of the ambient mesh.
    ///
    /// ## Why it matters
    /// Between pods of an ambient mesh every connection travels on TCP port 15008, whatever port the
    /// application uses. A policy that admits the application's port alone drops all of it.
    ///
    /// ## Fix
    /// Admit TCP port 15008 beside the application's port, and limit ports by an
    /// AuthorizationPolicy.
    ///
    /// ## Known gaps
    /// Reported for pods that a rule admits on other ports and that are in the mesh on both sides. Not
    /// assessed where the labels of a namespace decide on that and are not in the input.
    "hbone-blocked" {
        run: find,
        title: "mesh tunnel port is blocked",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[
            Kind::Pod,
            Kind::Namespace,
            Kind::Service,
            Kind::NetworkPolicy,
            Kind::CiliumNetworkPolicy,
            Kind::CiliumClusterwideNetworkPolicy,
            Kind::OtherNetworkPolicy,
            Kind::Gateway,
            Kind::PeerAuthentication,
            Kind::AuthorizationPolicy,
        ],
        fix: "admit TCP port 15008 for the same peers",
        aliases: &[],
    }
}

/// The port of Istio's HBONE tunnel.
const HBONE: u16 = 15008;

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    if cx.model.mesh() != Some(Mesh::Ambient) {
        out.not_applicable();
        return;
    }
    let pods: Vec<(PodRef<'_>, Certain<bool>)> =
        cx.reach.pods().map(|pod| (pod, in_ambient(cx, pod))).collect();
    for (pod, enrolled) in &pods {
        if *enrolled == Known(false) {
            out.not_applicable();
            continue;
        }
        for direction in Direction::ALL {
            let rules = cx.reach.selecting(*pod, direction);
            let Some(isolating) = rules.iter().find(|rule| rule.default_deny) else { continue };
            let mut doubt = None;
            let mut found = None;
            let near = peers(cx, *pod, direction).into_iter();
            let near = near.filter_map(|peer| pods.get(peer.index()));
            for (peer, other) in near.filter(|(_, other)| *other != Known(false)) {
                let Some(rule) = blocked(cx, *pod, direction, *peer) else { continue };
                if let Unknown(reason) = enrolled {
                    doubt = Some(Arc::clone(reason));
                } else if let Unknown(reason) = other {
                    doubt = Some(Arc::clone(reason));
                } else {
                    found = Some((rule, peer.workload));
                    break;
                }
            }
            let id = &pod.workload.id;
            match (found, doubt) {
                (Some((rule, peer)), _) => report(out, pod.workload, rule, peer),
                (None, Some(reason)) => out.not_assessed(&CHECK, id, reason),
                (None, None) => out.pass(&CHECK, id, isolating.origin.span),
            }
        }
    }
}

fn report(out: &mut Outcomes, workload: &Workload, rule: &Rule, peer: &Workload) {
    let policy = title(&rule.origin.object);
    let headline = format!("{policy} blocks the mesh for {}", workload.title());
    out.push(
        CHECK
            .finding(&rule.origin.object, headline)
            .label(rule.origin.span, "the application's port is admitted, TCP 15008 is not")
            .label(workload.span, "these pods are in the ambient mesh")
            .label(peer.span, "and so are these, at the other end")
            .affects([Arc::clone(&workload.id)]),
    );
}

fn in_ambient(cx: &Context<'_>, pod: PodRef<'_>) -> Certain<bool> {
    match cx.model.enrolment(pod.workload) {
        Known(enrolment) => Known(enrolment.mesh == Mesh::Ambient),
        Unknown(reason) => Unknown(reason),
    }
}

/// The pods to which the tunnel may be closed while something else is open: where all rules that
/// admit TCP admit the tunnel as well there are none.
fn peers<'a>(cx: &Context<'a>, pod: PodRef<'a>, direction: Direction) -> Vec<PodRef<'a>> {
    let rules = cx.reach.selecting(pod, direction);
    let denies = rules.iter().any(|rule| rule.action == Action::Deny);
    let tunnel = |rule: &Rule| rule.ports.resolve(None).contains(Protocol::Tcp, HBONE);
    let open = |rule: &Rule| tunnel(rule) && rule.guard.is_none() && is_everybody(&rule.peers);
    if !denies && rules.iter().any(open) {
        return Vec::new();
    }
    let udp = |ports: &PortSpec| match ports {
        PortSpec::Listed(listed) => listed.iter().all(|(protocol, _)| *protocol != Protocol::Tcp),
        PortSpec::All | PortSpec::Icmp => false,
    };
    let closed = rules.iter().filter(|rule| !udp(&rule.ports) && (denies || !tunnel(rule)));
    let mut peers: Vec<PodRef<'_>> = closed.flat_map(|rule| cx.reach.peers(rule)).collect();
    peers.sort_unstable_by_key(|peer| peer.index());
    peers.dedup_by_key(|peer| peer.index());
    peers
}

/// Whether peers are every pod, in whatever words.
fn is_everybody(peers: &Peers) -> bool {
    let every = |peer: &PeerSet| match peer {
        PeerSet::Pods { namespaces, pods, .. } => namespaces.is_everywhere() && pods.is_none(),
        PeerSet::Entity { entity, .. } => matches!(entity, Entity::All | Entity::Cluster),
        _ => false,
    };
    *peers == Peers::Any || matches!(peers, Peers::Set(set) if set.iter().any(every))
}

/// The rule that admits a peer on other TCP ports than the tunnel's.
fn blocked<'a>(
    cx: &Context<'a>,
    pod: PodRef<'a>,
    direction: Direction,
    peer: PodRef<'a>,
) -> Option<&'a Rule> {
    if Arc::ptr_eq(&peer.workload.id, &pod.workload.id) {
        return None;
    }
    let end = Endpoint::Pod(peer.workload);
    let verdict = cx.reach.certainly_admitted(pod, direction, &end);
    let open = verdict.open();
    if open.ports(Protocol::Tcp).is_empty() || open.contains(Protocol::Tcp, HBONE) {
        return None;
    }
    let destination = end.destination(direction, pod.workload);
    let rules = verdict.by.iter().filter_map(|index| cx.reach.rule(*index));
    let tcp = |rule: &&Rule| !rule.ports.resolve(destination).ports(Protocol::Tcp).is_empty();
    rules.into_iter().find(tcp)
}
