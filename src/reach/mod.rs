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
    Action, Dialect, Entity, Guard, NamespaceScope, Origin, PeerSet, Peers, PortSpec, Rule,
    ServiceTarget, Subject, Tier,
};
pub use view::ReachView;

pub(crate) use lower::proxies_dns;
pub(crate) use peer::{covers_namespace, namespace_matches, selects, selects_labels, split_source};

use crate::config::Cni;
use crate::document::{Defect, ObjectId, Span};
use crate::model::{Certain, Direction, Known, Model, Truth, Unknown, Workload};

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

impl<'m> Reach<'m> {
    /// Lowers the policies of a model and finds whom they select.
    #[must_use]
    pub fn build(model: &'m Model) -> Self {
        let cni = cni_of(model);
        let lower::Lowered { rules, defects, refused } = lower::lower(model, cni);
        let pods: Vec<&Workload> =
            model.workloads().filter(|w| !w.pod.uses_host_network()).collect();
        let mut selecting: Vec<Selecting> = pods.iter().map(|_| Selecting::default()).collect();
        let mut by_namespace: std::collections::BTreeMap<&str, Vec<usize>> =
            std::collections::BTreeMap::new();
        for (index, pod) in pods.iter().enumerate() {
            by_namespace.entry(&pod.id.namespace).or_default().push(index);
        }
        let everywhere: Vec<usize> = (0..pods.len()).collect();
        for rule in rules.iter().filter(|rule| rule.in_force) {
            let candidates = match &rule.subject.namespaces {
                NamespaceScope::One(name) => by_namespace.get(name.as_str()),
                _ => Some(&everywhere),
            };
            for index in candidates.into_iter().flatten() {
                let (Some(pod), Some(entry)) = (pods.get(*index), selecting.get_mut(*index)) else {
                    continue;
                };
                let lists = match selects(&rule.subject, pod, model) {
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
        if let Some(rule) = maybe.iter().find(|rule| rule.default_deny) {
            let reason = format!(
                "{} may select it: labels that decide are not in the input",
                rule.origin.object
            );
            return Some(reason.into());
        }
        self.doubt_about(&pod.workload.id.namespace)
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

    /// What the rules of a pod admit for a peer. Unknown where labels that decide are missing from
    /// the input and change the answer.
    #[must_use]
    pub fn verdict(
        &self,
        pod: PodRef<'_>,
        direction: Direction,
        peer: &Endpoint<'_>,
    ) -> Certain<Verdict> {
        let rules = self.selecting(pod, direction);
        let asked = |assumed| eval::evaluate(self.model, &rules, pod.workload, peer, assumed);
        let (narrow, wide) = (asked(Truth::No), asked(Truth::Yes));
        if narrow == wide {
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
        let rules = self.selecting(pod, direction);
        eval::evaluate(self.model, &rules, pod.workload, peer, Truth::No)
    }

    /// A rule by its index.
    #[must_use]
    pub fn rule(&self, index: u32) -> Option<&Rule> {
        self.rules.get(index as usize)
    }
}
