//! Who may talk to whom, by which rule.

mod conn;
mod eval;
mod lower;
mod peer;
mod rule;
mod selection;
mod view;

use std::sync::Arc;

pub use conn::{PortSet, Ports};
pub use eval::Verdict;
pub use peer::Endpoint;
pub use rule::{
    Action, Dialect, Entity, Guard, Handshake, NamespaceScope, Origin, PeerSet, Peers, PortSpec,
    Rule, ServiceTarget, Subject, Tier,
};
pub use selection::Rules;
pub use view::{REACH_KINDS, ReachView};

pub(crate) use lower::{cilium_subjects, netpol_subject, proxies_dns};
pub(crate) use peer::{
    candidates, claims, covers_namespace, is_left_out, namespace_matches, selects_labels,
    split_source,
};

use ipnet::IpNet;

use crate::config::Cni;
use crate::document::{Defect, NamespaceSource, ObjectId, Span};
use crate::model::{Certain, Direction, Known, Model, Unknown, Workload};
use eval::{Reading, Selected};
use selection::Selection;

/// A pod that rules can be asked about.
#[derive(Clone, Copy, Debug)]
pub struct PodRef<'a> {
    index: usize,
    /// The workload.
    pub workload: &'a Workload,
}

impl PodRef<'_> {
    /// Its place among the pods that rules can be asked about.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index
    }
}

/// The policies of a root in normal form, and whom they select.
#[derive(Debug)]
pub struct Reach<'m> {
    model: &'m Model,
    cni: Cni,
    rules: Vec<Rule>,
    selection: Selection<'m>,
    /// Defects that lowering found.
    pub defects: Vec<Defect>,
    /// Policies that are refused and so protect nothing.
    pub refused: Vec<(Arc<ObjectId>, Span)>,
}

/// The network plugin of a root: declared, or Cilium where one of its policies is present.
#[must_use]
pub fn cni_of(model: &Model) -> Cni {
    let cluster = model.part("").into_iter();
    let mut parts = model.namespaces().map(|(_, part)| part).chain(cluster);
    let cilium = parts.any(|part| !part.cilium_policies.is_empty());
    let assumed = if cilium { Cni::Cilium } else { Cni::Generic };
    model.profile.cni.unwrap_or(assumed)
}

impl<'m> Reach<'m> {
    /// Lowers the policies of a model and finds whom they select.
    #[must_use]
    pub fn build(model: &'m Model) -> Self {
        let cni = cni_of(model);
        let lower::Lowered { rules, defects, refused } = lower::lower(model, cni);
        let selection = Selection::of(&rules, model);
        Self { model, cni, rules, selection, defects, refused }
    }

    /// The network plugin whose rules hold.
    #[must_use]
    pub const fn cni(&self) -> Cni {
        self.cni
    }

    /// Every rule.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The pods that policies may protect.
    pub fn pods(&self) -> impl Iterator<Item = PodRef<'m>> {
        self.selection.pods()
    }

    /// The pods that a rule certainly selects.
    pub fn selected(&self, rule: &Rule) -> impl Iterator<Item = PodRef<'m>> + use<'_, 'm> {
        self.selection.selected(rule)
    }

    /// The pods of a namespace that policies may protect.
    pub fn pods_in(&self, namespace: &str) -> impl Iterator<Item = PodRef<'m>> + use<'_, 'm> {
        self.selection.pods_in(namespace)
    }

    /// The rules of the same subject as `rule`, itself included.
    #[must_use]
    pub fn siblings(&self, rule: &Rule) -> &[Rule] {
        self.rules.get(self.selection.siblings(rule)).unwrap_or_default()
    }

    /// Whether two rules certainly select one pod.
    #[must_use]
    pub fn meet(&self, a: &Rule, b: &Rule) -> bool {
        self.selection.meet(a, b)
    }

    /// The pods that may be peers of a rule: no other one can.
    #[must_use]
    pub fn peers(&self, rule: &Rule) -> Vec<PodRef<'m>> {
        self.selection.peers(rule, self.model)
    }

    /// The rules that certainly select a pod in a direction.
    #[must_use]
    pub fn selecting(&self, pod: PodRef<'_>, direction: Direction) -> Rules<'_> {
        self.selection.certain(&self.rules, pod, direction)
    }

    /// The rules that isolate a pod in a direction; none where it is open.
    ///
    /// Unknown where nothing isolates it and a policy may be missing from the input, may select it,
    /// or is of a kind that is not evaluated.
    #[must_use]
    pub fn isolation(&self, pod: PodRef<'_>, direction: Direction) -> Certain<Rules<'_>> {
        let isolating = self.selecting(pod, direction).isolating();
        if !isolating.is_empty() {
            return Known(isolating);
        }
        match self.doubt(pod, direction) {
            Some(reason) => Unknown(reason),
            None => Known(isolating),
        }
    }

    /// The rules of which it is not known whether they select a pod.
    fn possibly_selecting(&self, pod: PodRef<'_>, direction: Direction) -> Rules<'_> {
        self.selection.possible(&self.rules, pod, direction)
    }

    /// Why a pod that seems open may not be.
    fn doubt(&self, pod: PodRef<'_>, direction: Direction) -> Option<Arc<str>> {
        let isolating = self.possibly_selecting(pod, direction).isolating();
        isolating
            .first()
            .map(|rule| may_select(rule, pod.workload))
            .or_else(|| self.doubt_about(&pod.workload.id.namespace))
    }

    /// Why a pod that no policy seems to select may be selected.
    #[must_use]
    pub fn doubt_about_selection(&self, pod: PodRef<'_>) -> Option<Arc<str>> {
        let mut maybe = Direction::ALL.into_iter().flat_map(|d| self.possibly_selecting(pod, d));
        maybe
            .next()
            .map(|rule| may_select(rule, pod.workload))
            .or_else(|| self.doubt_about(&pod.workload.id.namespace))
    }

    /// Why a policy of a namespace may not have been seen: one is of a kind that is not evaluated,
    /// or may be missing from the input.
    #[must_use]
    pub fn doubt_about(&self, namespace: &str) -> Option<Arc<str>> {
        let parts = self.model.part(namespace).into_iter().chain(self.model.part(""));
        if let Some(other) = parts.flat_map(|part| &part.other_policies).next() {
            let reason = format!("{} is of a kind that is not evaluated", other.id);
            return Some(reason.into());
        }
        self.model.gap_for(namespace).or_else(|| self.model.gap_for(""))
    }

    fn evaluate(
        &self,
        pod: PodRef<'_>,
        direction: Direction,
        peer: &Endpoint<'_>,
        reading: Reading,
    ) -> Verdict {
        let selected = Selected {
            certain: self.selecting(pod, direction),
            possible: self.possibly_selecting(pod, direction),
        };
        eval::evaluate(self.model, &selected, pod.workload, peer, reading)
    }

    /// What the rules of a pod admit for a peer. Unknown where labels or Services that decide are
    /// missing from the input and change the answer; policies that may be missing are not counted.
    #[must_use]
    pub fn verdict(
        &self,
        pod: PodRef<'_>,
        direction: Direction,
        peer: &Endpoint<'_>,
    ) -> Certain<Verdict> {
        let narrow = self.evaluate(pod, direction, peer, Reading::Narrow);
        let wide = self.evaluate(pod, direction, peer, Reading::Wide);
        if narrow.allowed == wide.allowed && narrow.conditional == wide.conditional {
            Known(narrow)
        } else {
            Unknown("labels or Services that decide are not in the input; add them".into())
        }
    }

    /// The narrowest answer: what is admitted whatever the missing objects say.
    #[must_use]
    pub fn certainly_admitted(
        &self,
        pod: PodRef<'_>,
        direction: Direction,
        peer: &Endpoint<'_>,
    ) -> Verdict {
        self.evaluate(pod, direction, peer, Reading::Narrow)
    }

    /// The widest answer: what the missing objects may add included.
    #[must_use]
    pub fn possibly_admitted(
        &self,
        pod: PodRef<'_>,
        direction: Direction,
        peer: &Endpoint<'_>,
    ) -> Verdict {
        self.evaluate(pod, direction, peer, Reading::Wide)
    }

    /// The parts of a range that no rule of a pod divides, in order: together they are the range.
    #[must_use]
    pub fn ranges(&self, pod: PodRef<'_>, direction: Direction, within: IpNet) -> Vec<IpNet> {
        let mut cuts: Vec<IpNet> = Vec::new();
        let possible = self.possibly_selecting(pod, direction);
        for rule in self.selecting(pod, direction).into_iter().chain(possible) {
            let Peers::Set(set) = &rule.peers else { continue };
            for peer in set {
                if let PeerSet::Cidr { net, except, .. } = peer {
                    cuts.extend(except.iter().chain([net]).filter(|cut| within.contains(*cut)));
                }
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        let mut parts = Vec::new();
        divide(within, &cuts, &mut parts);
        parts
    }

    /// A rule by its index.
    #[must_use]
    pub fn rule(&self, index: u32) -> Option<&Rule> {
        self.rules.get(index as usize)
    }
}

/// Halves a range until no cut lies inside a part.
fn divide(range: IpNet, cuts: &[IpNet], parts: &mut Vec<IpNet>) {
    let inside: Vec<IpNet> =
        cuts.iter().filter(|cut| range.contains(*cut) && **cut != range).copied().collect();
    if inside.is_empty() {
        parts.push(range);
        return;
    }
    let halves = range.subnets(range.prefix_len() + 1);
    for half in halves.into_iter().flatten() {
        divide(half, &inside, parts);
    }
}

/// Why it is not known whether a rule selects a pod.
fn may_select(rule: &Rule, pod: &Workload) -> Arc<str> {
    let policy = &rule.origin.object;
    let unplaced = match &rule.subject.namespaces {
        NamespaceScope::One(place) => place.is_assumed(),
        _ => false,
    };
    let pod_unplaced = pod.namespace == NamespaceSource::Assumed;
    let (kind, name) = (&policy.kind, &policy.name);
    let reason = match (unplaced, pod_unplaced) {
        (true, false) => {
            format!("{kind} `{name}` names no namespace, so it may select it; write it")
        }
        (false, true) => {
            format!("{kind} `{name}` may select it: the workload names no namespace; write it")
        }
        _ => format!("{kind} `{name}` may select it: labels that decide are not in the input"),
    };
    reason.into()
}
