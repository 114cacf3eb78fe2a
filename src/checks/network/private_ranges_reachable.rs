use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::egress_to_world::world_place;
use super::evidence::title;
use super::policy_allows_everything::opener;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::ObjectId;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Direction;
use crate::reach::{Endpoint, PeerSet, Peers, PodRef, REACH_KINDS, Rule};

check! {
    /// Flags pods with egress to the world that leaves private address ranges in.
    ///
    /// ## Why it matters
    /// A rule meant for the internet also opens the network around the cluster: nodes, databases,
    /// the virtual private cloud. A pod that fetches URLs for others becomes a way into it.
    ///
    /// ## Fix
    /// Write the range with `except` for 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and
    /// 169.254.0.0/16 instead of `world`.
    ///
    /// ## Known gaps
    /// Only rules for every address count: a rule that names a private range does so on purpose.
    /// Whether anything answers there is not known.
    "private-ranges-reachable" {
        run: find,
        title: "egress to the world includes private ranges",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "write the range with `except` for the private ranges instead of `world`",
        aliases: &[],
    }
}

const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let ranges: Vec<IpNet> = PRIVATE.iter().filter_map(|range| range.parse().ok()).collect();
    let mut open: BTreeMap<(u32, String), Vec<Arc<ObjectId>>> = BTreeMap::new();
    for pod in cx.reach.pods() {
        let rules = cx.reach.selecting(pod, Direction::Egress);
        let Some(isolating) = rules.iter().find(|rule| rule.default_deny) else {
            out.not_applicable();
            continue;
        };
        let mut reached = Vec::new();
        let mut by = None;
        for range in &ranges {
            let parts = cx.reach.ranges(pod, Direction::Egress, *range);
            let (open, rules): (Vec<IpNet>, Vec<u32>) =
                parts.into_iter().filter_map(|part| Some((part, wide(cx, pod, part)?))).unzip();
            by = by.or(rules.first().copied());
            reached.extend(words(*range, &open));
        }
        match by {
            None => out.pass(&CHECK, &pod.workload.id, isolating.origin.span),
            Some(index) => {
                if opener(cx, pod, Direction::Egress).is_none() {
                    let key = (index, reached.join(", "));
                    open.entry(key).or_default().push(Arc::clone(&pod.workload.id));
                }
            }
        }
    }
    for ((index, reached), workloads) in open {
        let Some(rule) = cx.reach.rule(index) else { continue };
        let at = world_place(rule).unwrap_or(rule.origin.span);
        let policy = title(&rule.origin.object);
        let finding = CHECK
            .finding(&rule.origin.object, format!("{policy} lets pods reach private ranges"))
            .label(at, format!("these addresses include {reached}"))
            .affects(workloads);
        let help = format!("add `except` for {} to the range", PRIVATE.join(", "));
        out.push(if is_range(rule) { finding.help(help) } else { finding });
    }
}

/// Whether a rule writes addresses, and no word for them.
fn is_range(rule: &Rule) -> bool {
    let cidr = |peer: &PeerSet| matches!(peer, PeerSet::Cidr { .. });
    matches!(&rule.peers, Peers::Set(set) if set.iter().all(cidr))
}

/// The rule for every address by which a pod reaches a range, if it does.
fn wide(cx: &Context<'_>, pod: PodRef<'_>, range: IpNet) -> Option<u32> {
    let verdict = cx.reach.certainly_admitted(pod, Direction::Egress, &Endpoint::Range(range));
    if verdict.allowed.is_empty() {
        return None;
    }
    let is_wide = |index: &u32| {
        let rule = cx.reach.rule(*index);
        rule.is_some_and(|rule| world_place(rule).is_some() && !rule.ports.resolve(None).is_empty())
    };
    verdict.by.into_iter().find(is_wide)
}

/// How a message names what is open of a range.
fn words(range: IpNet, open: &Vec<IpNet>) -> Option<String> {
    let open = IpNet::aggregate(open);
    match open.as_slice() {
        [] => None,
        [one] => Some(one.to_string()),
        [one, two] => Some(format!("{one}, {two}")),
        _ => Some(format!("parts of {range}")),
    }
}
