//! The only evaluator: one set of rules, one peer, all ports at once.

use super::conn::PortSet;
use super::peer::Endpoint;
use super::rule::{Action, Guard, Rule, Tier};
use super::selection::Rules;
use crate::model::{Model, Truth, Workload};

/// What the rules of one subject and direction say about one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Ports that are admitted.
    pub allowed: PortSet,
    /// Ports on which a guard decides.
    pub conditional: PortSet,
    /// Indices of the rules that admit something, in order.
    pub by: Vec<u32>,
}

/// Evaluates rules for a peer. `subject` is the pod that the rules protect.
///
/// Unknown matches count as `assumed`: with [`Truth::Yes`] the answer is the widest that the input
/// admits, with [`Truth::No`] the narrowest.
pub(super) fn evaluate(
    model: &Model,
    rules: Rules<'_>,
    subject: &Workload,
    peer: &Endpoint<'_>,
    assumed: Truth,
) -> Verdict {
    let mut matching: Vec<(&Rule, PortSet)> = Vec::new();
    for rule in rules {
        let fits = match peer.matches(&rule.peers, model) {
            Truth::Unknown if rule.action == Action::Deny => {
                // What may be denied is admitted in the widest reading.
                Truth::certain(assumed == Truth::No)
            }
            Truth::Unknown => assumed,
            certain => certain,
        };
        if fits == Truth::Yes {
            matching.push((rule, rule.ports.resolve(peer.destination(rule.direction, subject))));
        }
    }
    let isolated = rules.iter().any(|rule| rule.tier == Tier::Normal && rule.default_deny);
    let mut verdict = Verdict::default();
    let left = ordered(&matching, Tier::Admin, PortSet::all(), &mut verdict);
    let left = normal(&matching, left, isolated, &mut verdict);
    let left = if isolated {
        PortSet::none()
    } else {
        ordered(&matching, Tier::Baseline, left, &mut verdict)
    };
    verdict.allowed = verdict.allowed.or(&left);
    verdict.by.sort_unstable();
    verdict.by.dedup();
    verdict
}

/// Admin and Baseline: by priority and place, the first match decides. Returns what goes on.
fn ordered(
    matching: &[(&Rule, PortSet)],
    tier: Tier,
    candidates: PortSet,
    verdict: &mut Verdict,
) -> PortSet {
    let mut of_tier: Vec<_> = matching.iter().filter(|(rule, _)| rule.tier == tier).collect();
    of_tier.sort_by_key(|(rule, _)| (rule.priority, rule.index));
    let mut remaining = candidates;
    let mut passed = PortSet::none();
    for (rule, ports) in of_tier {
        let hit = ports.and(&remaining);
        if hit.is_empty() {
            continue;
        }
        remaining = remaining.minus(&hit);
        match rule.action {
            Action::Allow => {
                verdict.allowed = verdict.allowed.or(&hit);
                verdict.by.push(rule.index);
            }
            Action::Deny => {}
            Action::Pass => passed = passed.or(&hit),
        }
    }
    remaining.or(&passed)
}

/// Normal: a deny beats every allow; what no rule matches is dropped if a rule isolates.
fn normal(
    matching: &[(&Rule, PortSet)],
    candidates: PortSet,
    isolated: bool,
    verdict: &mut Verdict,
) -> PortSet {
    let union = |wanted: &dyn Fn(&Rule) -> bool| {
        let chosen = matching.iter().filter(|(rule, _)| rule.tier == Tier::Normal && wanted(rule));
        chosen.fold(PortSet::none(), |set, (_, ports)| set.or(ports))
    };
    let denied = union(&|rule| rule.action == Action::Deny);
    let candidates = candidates.minus(&denied);
    if !isolated {
        return candidates;
    }
    let free = union(&|rule| rule.action == Action::Allow && rule.guard.is_none());
    let handshake =
        union(&|rule| rule.action == Action::Allow && rule.guard == Some(Guard::Authentication));
    let guarded = union(&|rule| rule.action == Action::Allow && rule.guard.is_some());
    // A plain allow voids an L7 guard, but inherits a handshake that another rule asks for (C15).
    let allowed = free.minus(&handshake).and(&candidates);
    let conditional = free.or(&guarded).and(&candidates).minus(&allowed);
    verdict.allowed = verdict.allowed.or(&allowed);
    verdict.conditional = verdict.conditional.or(&conditional);
    let admits = |rule: &Rule, ports: &PortSet| {
        rule.tier == Tier::Normal
            && rule.action == Action::Allow
            && !ports.and(&candidates).is_empty()
    };
    let by = matching.iter().filter(|(rule, ports)| admits(rule, ports));
    verdict.by.extend(by.map(|(rule, _)| rule.index));
    PortSet::none()
}
