//! Who may talk to whom, by which rule.

mod conn;
mod eval;
mod lower;
mod peer;
mod rule;
mod view;

use std::sync::Arc;

pub use conn::{PortSet, Ports};
pub use eval::Verdict;
pub use peer::Endpoint;
pub use rule::{
    Action, Dialect, Entity, Guard, Handshake, NamespaceScope, Origin, PeerSet, Peers, PortSpec,
    Rule, ServiceTarget, Subject, Tier,
};
pub use view::ReachView;

pub(crate) use lower::{cilium_subjects, netpol_subject, proxies_dns};
pub(crate) use peer::{
    claims, covers_namespace, is_left_out, namespace_matches, selects_labels, split_source,
};

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::config::Cni;
use crate::document::{Defect, NamespaceSource, ObjectId, Span};
use crate::model::{Certain, Direction, Known, Model, Truth, Unknown, Workload};
use eval::{Reading, Selected};

/// The rules that select one pod, by direction.
#[derive(Debug, Default)]
struct Selecting {
    /// Rules that certainly select it.
    certain: [Vec<u32>; 2],
    /// Rules of which that is not known.
    possible: [Vec<u32>; 2],
}

/// A pod that rules can be asked about.
#[derive(Clone, Copy, Debug)]
pub struct PodRef<'a> {
    index: usize,
    /// The workload.
    pub workload: &'a Workload,
}

/// The policies of a root in normal form, and whom they select.
#[derive(Debug)]
pub struct Reach<'m> {
    model: &'m Model,
    cni: Cni,
    rules: Vec<Rule>,
    /// Pods that a policy may protect; those in the host's network are not among them.
    pods: Vec<&'m Workload>,
    selecting: Vec<Selecting>,
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

const fn slot(direction: Direction) -> usize {
    match direction {
        Direction::Ingress => 0,
        Direction::Egress => 1,
    }
}

/// Pods by the namespace that they name, and those that name none.
struct ByPlace<'p> {
    named: BTreeMap<&'p str, Vec<usize>>,
    assumed: Vec<usize>,
    all: Vec<usize>,
}

impl<'p> ByPlace<'p> {
    fn new(pods: &[&'p Workload]) -> Self {
        let mut places =
            Self { named: BTreeMap::new(), assumed: Vec::new(), all: (0..pods.len()).collect() };
        for (index, pod) in pods.iter().enumerate() {
            if pod.namespace == NamespaceSource::Assumed {
                places.assumed.push(index);
            } else {
                places.named.entry(&pod.id.namespace).or_default().push(index);
            }
        }
        places
    }

    /// The pods that a rule of this scope may select.
    fn candidates(&self, scope: &NamespaceScope) -> impl Iterator<Item = usize> {
        let (near, far) = match scope {
            NamespaceScope::One(place) if !place.is_assumed() => {
                (self.named.get(place.name.as_ref()).map_or(&[][..], Vec::as_slice), &self.assumed)
            }
            _ => (&[][..], &self.all),
        };
        near.iter().chain(far).copied()
    }
}

impl<'m> Reach<'m> {
    /// Lowers the policies of a model and finds whom they select.
    #[must_use]
    pub fn build(model: &'m Model) -> Self {
        let cni = cni_of(model);
        let lower::Lowered { rules, defects, refused } = lower::lower(model, cni);
        let pods: Vec<&Workload> =
            model.workloads().filter(|w| !w.pod.uses_host_network()).collect();
        let mut selecting: Vec<Selecting> = pods.iter().map(|_| Selecting::default()).collect();
        let places = ByPlace::new(&pods);
        for rule in rules.iter().filter(|rule| rule.in_force) {
            for index in places.candidates(&rule.subject.namespaces) {
                let (Some(pod), Some(entry)) = (pods.get(index), selecting.get_mut(index)) else {
                    continue;
                };
                let lists = match claims(&rule.subject, pod, model) {
                    Truth::Yes => &mut entry.certain,
                    Truth::Unknown => &mut entry.possible,
                    Truth::No => continue,
                };
                if let Some(list) = lists.get_mut(slot(rule.direction)) {
                    list.push(rule.index);
                }
            }
        }
        Self { model, cni, rules, pods, selecting, defects, refused }
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
        self.pods.iter().enumerate().map(|(index, workload)| PodRef { index, workload })
    }

    fn rules_at(&self, indices: &[u32]) -> Vec<&Rule> {
        indices.iter().filter_map(|index| self.rules.get(*index as usize)).collect()
    }

    /// The rules that certainly select a pod in a direction.
    #[must_use]
    pub fn selecting(&self, pod: PodRef<'_>, direction: Direction) -> Vec<&Rule> {
        let entry = self.selecting.get(pod.index);
        entry.and_then(|e| e.certain.get(slot(direction))).map_or(Vec::new(), |l| self.rules_at(l))
    }

    /// The rules of which it is not known whether they select a pod.
    fn possibly_selecting(&self, pod: PodRef<'_>, direction: Direction) -> Vec<&Rule> {
        let entry = self.selecting.get(pod.index);
        entry.and_then(|e| e.possible.get(slot(direction))).map_or(Vec::new(), |l| self.rules_at(l))
    }

    /// The rules that isolate a pod in a direction; none where it is open.
    ///
    /// Unknown where nothing isolates it and a policy may be missing from the input, may select it,
    /// or is of a kind that is not evaluated.
    #[must_use]
    pub fn isolation(&self, pod: PodRef<'_>, direction: Direction) -> Certain<Vec<&Rule>> {
        let rules = self.selecting(pod, direction);
        let isolating: Vec<&Rule> = rules.into_iter().filter(|rule| rule.default_deny).collect();
        if !isolating.is_empty() {
            return Known(isolating);
        }
        match self.doubt(pod, direction) {
            Some(reason) => Unknown(reason),
            None => Known(isolating),
        }
    }

    /// Why a pod that seems open may not be.
    fn doubt(&self, pod: PodRef<'_>, direction: Direction) -> Option<Arc<str>> {
        let maybe = self.possibly_selecting(pod, direction);
        let isolating = maybe.iter().find(|rule| rule.default_deny);
        isolating
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
