//! The only evaluator: one set of rules, one peer, all ports at once.

use super::conn::PortSet;
use super::peer::Endpoint;
use super::rule::{Action, Handshake, Rule, Tier};
use super::selection::Rules;
use crate::model::{Model, Truth, Workload};

/// What the rules of one subject and direction say about one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Ports that are admitted.
    pub allowed: PortSet,
    /// Ports on which a guard decides.
    pub conditional: PortSet,
    /// Indices of the rules that admit something, in order; none where nothing isolates.
    pub by: Vec<u32>,
}

impl Verdict {
    /// Ports that are admitted, be it under a condition.
    #[must_use]
    pub fn open(&self) -> PortSet {
        self.allowed.or(&self.conditional)
    }
}

/// The rules about one subject in one direction.
pub(super) struct Selected<'r> {
    /// Those that certainly select it.
    pub(super) certain: Rules<'r>,
    /// Those of which that is not known.
    pub(super) possible: Rules<'r>,
}

/// How to read what the input does not settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing is admitted that might not be.
    Narrow,
    /// Everything is admitted that might be.
    Wide,
}

/// Evaluates rules for a peer. `subject` is the pod that the rules protect.
pub(super) fn evaluate(
    model: &Model,
    selected: &Selected<'_>,
    subject: &Workload,
    peer: &Endpoint<'_>,
    reading: Reading,
) -> Verdict {
    let certain = selected.certain.iter().map(|rule| (rule, Truth::Yes));
    let possible = selected.possible.iter().map(|rule| (rule, Truth::Unknown));
    let mut matching: Vec<(&Rule, PortSet)> = Vec::new();
    for (rule, selects) in certain.chain(possible) {
        // What may be denied is denied in the narrow reading, what may be admitted is not.
        let in_doubt = (rule.action == Action::Deny) == (reading == Reading::Narrow);
        let fits = match selects.and(peer.matches(&rule.peers, model)) {
            Truth::Unknown => in_doubt,
            certain => certain == Truth::Yes,
        };
        if fits {
            matching.push((rule, rule.ports.resolve(peer.destination(rule.direction, subject))));
        }
    }
    let isolates = |rule: &Rule| rule.tier == Tier::Normal && rule.default_deny;
    let isolated = selected.certain.iter().any(isolates)
        || reading == Reading::Narrow && selected.possible.iter().any(isolates);
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
    let allows = |rule: &Rule| rule.action == Action::Allow;
    let free = union(&|rule| allows(rule) && rule.guard.is_none());
    let guarded = union(&|rule| allows(rule) && rule.guard.is_some());
    let required = union(&|rule| allows(rule) && rule.handshake == Some(Handshake::Required));
    let disabled = union(&|rule| allows(rule) && rule.handshake == Some(Handshake::Disabled));
    // A plain allow voids an L7 guard (C11), but inherits a handshake that another rule asks for;
    // only one that switches it off does not (C15).
    let allowed = free.minus(&required.minus(&disabled)).and(&candidates);
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
