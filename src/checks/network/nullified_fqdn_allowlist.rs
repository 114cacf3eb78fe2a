use std::sync::Arc;

use super::egress_to_world::world_place;
use super::evidence::title;
use super::fqdn_rule_without_dns_proxy::is_for_all_of;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::finding::{Layer, Persona, Severity};
use crate::model::Direction;
use crate::reach::{Action, PeerSet, Peers, REACH_KINDS, Rule};

check! {
    /// Flags allowlists of host names that a broader rule on the same port makes void.
    ///
    /// ## Why it matters
    /// Rules add up. Beside a rule that admits `world` on port 443, a list of host names on port 443
    /// restricts nothing, and yet every reader takes it for the limit.
    ///
    /// ## Fix
    /// Remove the broader rule, or narrow it to the addresses that are really needed.
    ///
    /// ## Known gaps
    /// Compared are rules for the same or for more pods and rules that select the same pod of the
    /// input. Where no pod is known, a policy elsewhere may still open the same port.
    "nullified-fqdn-allowlist" {
        run: find,
        title: "FQDN allowlist is void",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "remove the broader rule, or narrow it to the addresses that are needed",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let allows = |rule: &&Rule| rule.direction == Direction::Egress && rule.action == Action::Allow;
    let rules: Vec<&Rule> = cx.reach.rules().iter().filter(allows).collect();
    let open: Vec<(&Rule, _)> =
        rules.iter().filter_map(|rule| Some((*rule, world_place(rule)?))).collect();
    let mut last = None;
    for listed in rules {
        let Some(name) = first_name(listed) else { continue };
        let ports = listed.ports.resolve(None);
        let opener = open.iter().find(|(other, _)| {
            let together = is_for_all_of(other, listed) || cx.reach.meet(listed, other);
            together && !other.ports.resolve(None).and(&ports).is_empty()
        });
        let Some((other, at)) = opener else {
            out.pass(&CHECK, &listed.origin.object, listed.origin.span);
            continue;
        };
        if last == Some(name) {
            continue;
        }
        last = Some(name);
        let shared = other.ports.resolve(None).and(&ports);
        let headline =
            format!("{} has a host list that restricts nothing", title(&listed.origin.object));
        let broader = format!("{} admits every address on {shared}", title(&other.origin.object));
        out.push(
            CHECK
                .finding(&listed.origin.object, headline)
                .label(*at, broader)
                .label(name, "so this list of hosts is void")
                .affects(cx.reach.selected(listed).map(|pod| Arc::clone(&pod.workload.id)))
                .voids(),
        );
    }
}

/// The first host name of a rule.
pub(super) fn first_name(rule: &Rule) -> Option<crate::document::Span> {
    let Peers::Set(set) = &rule.peers else { return None };
    set.iter().find_map(|peer| match peer {
        PeerSet::Fqdn { span, .. } => Some(*span),
        _ => None,
    })
}
