use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::Mesh;
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Direction, Known, Protocol};
use crate::reach::{Action, Endpoint, PodRef, Rule};

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
    /// Reported for pods that a rule admits on other ports and that are in the mesh on both sides.
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
        ],
        fix: "admit TCP port 15008 for the same peers",
        aliases: &[],
    }
}

/// The port of Istio's HBONE tunnel.
const HBONE: u16 = 15008;

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for pod in cx.reach.pods() {
        if !in_ambient(cx, pod) {
            out.not_applicable();
            continue;
        }
        for direction in Direction::ALL {
            let rules = cx.reach.selecting(pod, direction);
            let Some(isolating) = rules.iter().find(|rule| rule.default_deny) else { continue };
            match blocked(cx, pod, direction) {
                None => out.pass(&CHECK, &pod.workload.id, isolating.origin.span),
                Some((rule, peer)) => {
                    let policy = title(&rule.origin.object);
                    let headline = format!("{policy} blocks the mesh for {}", pod.workload.title());
                    let label = "the application's port is admitted, TCP 15008 is not";
                    out.push(
                        CHECK
                            .finding(&rule.origin.object, headline)
                            .label(rule.origin.span, label)
                            .label(pod.workload.span, "these pods are in the ambient mesh")
                            .label(peer.workload.span, "and so are these, at the other end")
                            .affects([Arc::clone(&pod.workload.id)]),
                    );
                }
            }
        }
    }
}

fn in_ambient(cx: &Context<'_>, pod: PodRef<'_>) -> bool {
    matches!(cx.model.enrolment(pod.workload), Known(e) if e.mesh == Mesh::Ambient)
}

/// A rule that admits a mesh peer on other TCP ports than the tunnel's, and that peer.
fn blocked<'a>(
    cx: &Context<'a>,
    pod: PodRef<'a>,
    direction: Direction,
) -> Option<(&'a Rule, PodRef<'a>)> {
    let rules = cx.reach.selecting(pod, direction);
    let holds_tunnel = |rule: &Rule| rule.ports.resolve(None).contains(Protocol::Tcp, HBONE);
    // Only a rule that leaves the tunnel's port out admits a peer without it, or one that denies.
    let narrow = rules.iter().filter(|rule| rule.action != Action::Allow || !holds_tunnel(rule));
    let mut peers: Vec<PodRef<'_>> = narrow.flat_map(|rule| cx.reach.peers(rule)).collect();
    peers.sort_unstable_by_key(|peer| peer.index());
    peers.dedup_by_key(|peer| peer.index());
    let others = |peer: &PodRef<'_>| {
        !Arc::ptr_eq(&peer.workload.id, &pod.workload.id) && in_ambient(cx, *peer)
    };
    for peer in peers.into_iter().filter(others) {
        let end = Endpoint::Pod(peer.workload);
        let verdict = cx.reach.certainly_admitted(pod, direction, &end);
        let tcp = verdict.allowed.or(&verdict.conditional);
        if tcp.ports(Protocol::Tcp).is_empty() || tcp.contains(Protocol::Tcp, HBONE) {
            continue;
        }
        let rule = verdict.by.first().and_then(|index| cx.reach.rule(*index));
        if let Some(rule) = rule {
            return Some((rule, peer));
        }
    }
    None
}
