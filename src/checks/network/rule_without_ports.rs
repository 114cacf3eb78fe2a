use super::egress_to_world::world_place;
use super::evidence::title;
use super::peers::each_peer;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::finding::{Layer, Persona, Severity};
use crate::model::Direction;
use crate::reach::{PeerSet, REACH_KINDS};

check! {
    /// Flags rules that name peers but no ports.
    ///
    /// ## Why it matters
    /// The peer reaches every port of the pods, the debug and metrics ports included, and those that a
    /// later version opens. Under Cilium that includes ICMP.
    ///
    /// ## Fix
    /// Name the ports that the peer needs.
    ///
    /// ## Known gaps
    /// Rules for whole namespaces, for all namespaces and for Services are reported by the checks of
    /// those names, egress to the world by `egress-to-world`.
    "rule-without-ports" {
        run: find,
        title: "rule names no ports",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "name the ports under `ports`",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    each_peer(&CHECK, cx, out, |rule, peer| {
        let spoken = matches!(peer, PeerSet::Pods { pods: None, .. } | PeerSet::Service { .. });
        let world = rule.direction == Direction::Egress && world_place(rule) == Some(peer.span());
        if !rule.ports.is_all() || spoken || world {
            return None;
        }
        let headline = format!("{} opens every port to a peer", title(&rule.origin.object));
        let label = "this peer is admitted on every port";
        Some(CHECK.finding(&rule.origin.object, headline).label(peer.span(), label))
    });
}
