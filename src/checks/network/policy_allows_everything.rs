use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::ObjectId;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Direction;
use crate::reach::{Action, Endpoint, Entity, PeerSet, Peers, PodRef, REACH_KINDS, Rule};

check! {
    /// Flags policies that isolate pods and then admit everything again.
    ///
    /// ## Why it matters
    /// The pods count as protected in every list of policies, and are as open as without any. Rules
    /// of all policies add up: one empty rule undoes ten narrow ones.
    ///
    /// ## Fix
    /// Name the peers and ports that are needed, or remove the rule.
    ///
    /// ## Known gaps
    /// "Everything" is every pod of every namespace, every IPv4 address outside, and every port. The
    /// rule that opens the pods is reported; where several do so together, the first one. Where no
    /// pod of a policy is in the input only a rule without any limit is reported. Not assessed where
    /// a policy that opens the pods may be missing from the input.
    "policy-allows-everything" {
        run: find,
        title: "policy admits everything",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "name the peers and ports that are needed",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut opened: BTreeMap<(u32, Direction), Vec<Arc<ObjectId>>> = BTreeMap::new();
    for pod in cx.reach.pods() {
        for direction in Direction::ALL {
            let rules = cx.reach.selecting(pod, direction);
            let Some(isolating) = rules.iter().find(|rule| rule.default_deny) else {
                out.not_applicable();
                continue;
            };
            match opener(cx, pod, direction) {
                Some(index) => {
                    opened
                        .entry((index, direction))
                        .or_default()
                        .push(Arc::clone(&pod.workload.id));
                }
                None => match cx.reach.doubt(&pod.workload.id.namespace) {
                    Some(reason) => out.not_assessed(&CHECK, &pod.workload.id, reason),
                    None => out.pass(&CHECK, &pod.workload.id, isolating.origin.span),
                },
            }
        }
    }
    let rules = cx.reach.rules().iter().filter(|rule| opens_alone(cx, rule));
    for rule in rules {
        opened.entry((rule.index, rule.direction)).or_default();
    }
    for ((index, direction), workloads) in opened {
        let Some(rule) = cx.reach.rule(index) else { continue };
        let (what, effect) = match direction {
            Direction::Ingress => ("into", "every source and every port is admitted by this"),
            Direction::Egress => ("out of", "every destination and every port is admitted by this"),
        };
        let policy = title(&rule.origin.object);
        out.push(
            CHECK
                .finding(&rule.origin.object, format!("{policy} admits everything {what} its pods"))
                .label(rule.origin.span, effect)
                .affects(workloads)
                .voids(),
        );
    }
}

/// Whether a rule without any limit is for pods that are not in the input: it opens them, too.
pub(super) fn opens_alone(cx: &Context<'_>, rule: &Rule) -> bool {
    let unlimited = rule.in_force
        && rule.default_deny
        && rule.action == Action::Allow
        && is_anybody(&rule.peers)
        && rule.ports.is_all()
        && rule.guard.is_none()
        && rule.handshake.is_none();
    let selected = |pod: PodRef<'_>| {
        cx.reach.selecting(pod, rule.direction).iter().any(|other| other.index == rule.index)
    };
    let denies = |other: &&Rule| other.action == Action::Deny && other.direction == rule.direction;
    let denied =
        || cx.reach.rules().iter().filter(denies).any(|d| d.subject.includes(&rule.subject));
    unlimited && !cx.reach.pods().any(selected) && !denied()
}

/// Whether peers are everybody in one word.
fn is_anybody(peers: &Peers) -> bool {
    let all = |peer: &PeerSet| matches!(peer, PeerSet::Entity { entity: Entity::All, .. });
    match peers {
        Peers::Any => true,
        Peers::Nobody => false,
        Peers::Set(set) => set.iter().any(all),
    }
}

/// The rule by which everything is admitted, if it is: the first that does so alone, else the first
/// of those that do so together.
pub(super) fn opener(cx: &Context<'_>, pod: PodRef<'_>, direction: Direction) -> Option<u32> {
    let strangers = cx.reach.certainly_admitted(pod, direction, &Endpoint::Stranger);
    if !strangers.allowed.covers_all_ports() {
        return None;
    }
    let mut by = strangers.by;
    for range in cx.reach.ranges(pod, direction, every_address()) {
        let verdict = cx.reach.certainly_admitted(pod, direction, &Endpoint::Range(range));
        if !verdict.allowed.covers_all_ports() {
            return None;
        }
        by.extend(verdict.by);
    }
    by.sort_unstable();
    let alone = |index: &&u32| {
        let rule = cx.reach.rule(**index);
        rule.is_some_and(|rule| rule.peers == Peers::Any && rule.ports.is_all())
    };
    by.iter().find(alone).or(by.first()).copied()
}

/// Every IPv4 address.
pub(super) fn every_address() -> IpNet {
    IpNet::from(Ipv4Net::default())
}
