//! Which rules select which pods.
//!
//! Many policies select every pod of their namespace, so rules are kept on three levels: for every
//! pod, for every pod of a namespace, and for one pod. The rules of a pod are the three together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::PodRef;
use super::peer::{candidates, claims};
use super::rule::{Dialect, NamespaceScope, PeerSet, Peers, Rule, ServiceTarget, Subject};
use crate::model::{Direction, Home, Model, Selector, Truth, Workload};

/// Indices of rules by direction, ascending.
#[derive(Debug, Default)]
struct ByDirection([Vec<u32>; 2]);

impl ByDirection {
    fn push(&mut self, rule: &Rule) {
        if let Some(list) = self.0.get_mut(slot(rule.direction)) {
            list.push(rule.index);
        }
    }

    fn of(&self, direction: Direction) -> &[u32] {
        self.0.get(slot(direction)).map_or(&[], Vec::as_slice)
    }
}

const fn slot(direction: Direction) -> usize {
    match direction {
        Direction::Ingress => 0,
        Direction::Egress => 1,
    }
}

/// The pods of one namespace, and the rules that select all of them. Pods whose namespace is assumed
/// have a space of their own.
#[derive(Debug)]
struct Space {
    pods: Vec<usize>,
    rules: ByDirection,
}

/// A subject: where its rules stand in the list of all, and whom they certainly select.
#[derive(Debug)]
struct Group {
    rules: Range<usize>,
    whom: Whom,
}

/// A pod, and the rules that select it but not all pods of its namespace.
#[derive(Debug)]
struct Selected<'m> {
    workload: &'m Workload,
    space: usize,
    certain: ByDirection,
    /// Rules of which it is not known whether they select it.
    possible: ByDirection,
}

/// Whom the rules of one subject certainly select.
#[derive(Debug)]
enum Whom {
    Everybody,
    Space(usize),
    Pods(Vec<usize>),
}

/// Which rules select which pods. Pods in the host's network are in no subject.
#[derive(Debug)]
pub(super) struct Selection<'m> {
    pods: Vec<Selected<'m>>,
    /// Places in `pods` by the numbers of the model.
    pod_of: Vec<Option<usize>>,
    spaces: Vec<Space>,
    everywhere: ByDirection,
    by_name: BTreeMap<(&'m str, bool), usize>,
    /// Rules for a whole namespace that is assumed: they may select every pod whose namespace is not.
    perhaps_written: ByDirection,
    /// Rules for a whole namespace that is written: they may select every pod whose is assumed.
    perhaps_assumed: ByDirection,
    /// Subjects in the order of the rules.
    groups: Vec<Group>,
}

impl<'m> Selection<'m> {
    /// Finds the pods that each rule in force selects.
    pub(super) fn of(rules: &[Rule], model: &'m Model) -> Self {
        let mut selection = Self {
            pods: Vec::new(),
            pod_of: Vec::new(),
            spaces: Vec::new(),
            everywhere: ByDirection::default(),
            by_name: BTreeMap::new(),
            perhaps_written: ByDirection::default(),
            perhaps_assumed: ByDirection::default(),
            groups: Vec::new(),
        };
        for workload in model.workloads() {
            let counts = !workload.pod.uses_host_network();
            selection.pod_of.push(counts.then_some(selection.pods.len()));
            if counts {
                selection.add_pod(workload);
            }
        }
        for group in rules.chunk_by(|a, b| Arc::ptr_eq(&a.subject, &b.subject)) {
            let whom = match group.first() {
                Some(first) if first.in_force => selection.place(group, &first.subject, model),
                _ => Whom::Pods(Vec::new()),
            };
            let from = selection.groups.last().map_or(0, |last| last.rules.end);
            selection.groups.push(Group { rules: from..from + group.len(), whom });
        }
        selection
    }

    fn add_pod(&mut self, workload: &'m Workload) {
        let at = self.pods.len();
        let name = (workload.id.namespace.as_str(), workload.home().is_assumed());
        let space = *self.by_name.entry(name).or_insert(self.spaces.len());
        if space == self.spaces.len() {
            self.spaces.push(Space { pods: Vec::new(), rules: ByDirection::default() });
        }
        if let Some(space) = self.spaces.get_mut(space) {
            space.pods.push(at);
        }
        let (certain, possible) = (ByDirection::default(), ByDirection::default());
        self.pods.push(Selected { workload, space, certain, possible });
    }

    /// Notes the rules of one subject at the pods that it includes.
    fn place(&mut self, group: &[Rule], subject: &Subject, model: &Model) -> Whom {
        if subject.pods.matches_all() {
            match &subject.namespaces {
                NamespaceScope::All => {
                    group.iter().for_each(|rule| self.everywhere.push(rule));
                    return Whom::Everybody;
                }
                NamespaceScope::One(home) => return self.place_space(group, home),
                NamespaceScope::Matching(_) => {}
            }
        }
        let mut pods = Vec::new();
        let numbers = candidates(&subject.namespaces, Some(&subject.pods), subject.dialect, model);
        for number in numbers {
            let Some(at) = self.pod_of.get(number as usize).copied().flatten() else { continue };
            let Some(pod) = self.pods.get_mut(at) else { continue };
            let rules = match claims(subject, pod.workload, model) {
                Truth::Yes => {
                    pods.push(at);
                    &mut pod.certain
                }
                Truth::Unknown => &mut pod.possible,
                Truth::No => continue,
            };
            group.iter().for_each(|rule| rules.push(rule));
        }
        Whom::Pods(pods)
    }

    /// Notes the rules for every pod of a namespace. Where either side's namespace is assumed and the
    /// other's is not, they may select them.
    fn place_space(&mut self, group: &[Rule], home: &Home<'_>) -> Whom {
        let own = self.by_name.get(&(home.name.as_ref(), home.is_assumed())).copied();
        let others =
            if home.is_assumed() { &mut self.perhaps_written } else { &mut self.perhaps_assumed };
        group.iter().for_each(|rule| others.push(rule));
        let Some(own) = own else { return Whom::Pods(Vec::new()) };
        if let Some(space) = self.spaces.get_mut(own) {
            group.iter().for_each(|rule| space.rules.push(rule));
        }
        Whom::Space(own)
    }

    fn pod(&self, index: usize) -> Option<PodRef<'m>> {
        self.pods.get(index).map(|pod| PodRef { index, workload: pod.workload })
    }

    pub(super) fn pods(&self) -> impl Iterator<Item = PodRef<'m>> {
        self.pods.iter().enumerate().map(|(index, pod)| PodRef { index, workload: pod.workload })
    }

    /// The pods of a namespace, those of which that is assumed included.
    pub(super) fn pods_in<'s>(
        &'s self,
        name: &str,
    ) -> impl Iterator<Item = PodRef<'m>> + use<'s, 'm> {
        let pods_of = |assumed| {
            let space = self.by_name.get(&(name, assumed)).and_then(|at| self.spaces.get(*at));
            space.map_or(&[][..], |space| space.pods.as_slice())
        };
        pods_of(false).iter().chain(pods_of(true)).filter_map(|index| self.pod(*index))
    }

    /// The pods that may be peers of a rule, in order; no other one can.
    pub(super) fn peers(&self, rule: &Rule, model: &Model) -> Vec<PodRef<'m>> {
        let mut found = Vec::new();
        match &rule.peers {
            Peers::Nobody => {}
            Peers::Any => return self.pods().collect(),
            Peers::Set(set) => {
                for peer in set {
                    match numbers_of(peer, model) {
                        Some(numbers) => found.extend(numbers),
                        None => return self.pods().collect(),
                    }
                }
            }
        }
        let pod_of = |number: u32| self.pod_of.get(number as usize).copied().flatten();
        let mut found: Vec<usize> = found.into_iter().filter_map(pod_of).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.pod(at)).collect()
    }

    fn group(&self, rule: &Rule) -> Option<&Group> {
        let at = self.groups.partition_point(|group| group.rules.end <= rule.index as usize);
        self.groups.get(at)
    }

    /// Where the rules of the same subject stand.
    pub(super) fn siblings(&self, rule: &Rule) -> Range<usize> {
        self.group(rule).map_or(0..0, |group| group.rules.clone())
    }

    /// Whether two rules certainly select one pod.
    pub(super) fn meet(&self, a: &Rule, b: &Rule) -> bool {
        let (Some(a), Some(b)) = (self.group(a), self.group(b)) else { return false };
        match (&a.whom, &b.whom) {
            (Whom::Everybody, Whom::Everybody) => !self.pods.is_empty(),
            (Whom::Everybody, Whom::Space(_)) | (Whom::Space(_), Whom::Everybody) => true,
            (Whom::Space(a), Whom::Space(b)) => a == b,
            (Whom::Pods(pods), Whom::Everybody) | (Whom::Everybody, Whom::Pods(pods)) => {
                !pods.is_empty()
            }
            (Whom::Pods(pods), Whom::Space(at)) | (Whom::Space(at), Whom::Pods(pods)) => {
                let here = |pod: &usize| self.pods.get(*pod).is_some_and(|pod| pod.space == *at);
                pods.iter().any(here)
            }
            (Whom::Pods(a), Whom::Pods(b)) => {
                let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
                few.iter().any(|pod| many.binary_search(pod).is_ok())
            }
        }
    }

    /// The pods that a rule certainly selects.
    pub(super) fn selected<'s>(
        &'s self,
        rule: &Rule,
    ) -> impl Iterator<Item = PodRef<'m>> + use<'s, 'm> {
        let (range, listed) = match self.group(rule).map(|group| &group.whom) {
            None => (0..0, &[][..]),
            Some(Whom::Everybody) => (0..self.pods.len(), &[][..]),
            Some(Whom::Space(at)) => {
                (0..0, self.spaces.get(*at).map_or(&[][..], |space| space.pods.as_slice()))
            }
            Some(Whom::Pods(pods)) => (0..0, pods.as_slice()),
        };
        range.chain(listed.iter().copied()).filter_map(|index| self.pod(index))
    }

    /// Those of `rules` that certainly select a pod.
    pub(super) fn certain<'r>(
        &'r self,
        rules: &'r [Rule],
        pod: PodRef<'_>,
        direction: Direction,
    ) -> Rules<'r> {
        let own = self.pods.get(pod.index);
        let space = own.and_then(|own| self.spaces.get(own.space));
        let indices = [
            self.everywhere.of(direction),
            space.map_or(&[], |space| space.rules.of(direction)),
            own.map_or(&[], |own| own.certain.of(direction)),
        ];
        Rules { rules, indices, isolating: false }
    }

    /// Those of `rules` of which it is not known whether they select a pod.
    pub(super) fn possible<'r>(
        &'r self,
        rules: &'r [Rule],
        pod: PodRef<'_>,
        direction: Direction,
    ) -> Rules<'r> {
        let own = self.pods.get(pod.index).map_or(&[][..], |own| own.possible.of(direction));
        let assumed = pod.workload.home().is_assumed();
        let far = if assumed { &self.perhaps_assumed } else { &self.perhaps_written };
        Rules { rules, indices: [far.of(direction), &[], own], isolating: false }
    }
}

/// Numbers of the workloads that a peer may be; none where any of them may.
fn numbers_of(peer: &PeerSet, model: &Model) -> Option<Vec<u32>> {
    match peer {
        PeerSet::Pods { namespaces, pods, dialect, .. } => {
            Some(candidates(namespaces, pods.as_ref(), *dialect, model))
        }
        PeerSet::Service { target: ServiceTarget::Pods(services), .. } => {
            let of_service = |(home, selector): &(Home<'static>, Selector)| {
                let here = NamespaceScope::One(home.clone());
                candidates(&here, Some(selector), Dialect::Cilium, model)
            };
            Some(services.iter().flat_map(of_service).collect())
        }
        PeerSet::Service { target: ServiceTarget::Nobody, .. }
        | PeerSet::Cidr { .. }
        | PeerSet::Fqdn { .. } => Some(Vec::new()),
        PeerSet::Service { target: ServiceTarget::Unknown, .. }
        | PeerSet::Entity { .. }
        | PeerSet::Unknown { .. } => None,
    }
}

/// Some of the rules, in order. It holds no copies: a pod may have thousands.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    rules: &'r [Rule],
    /// Up to three lists of indices, each ascending and without those of the others.
    indices: [&'r [u32]; 3],
    isolating: bool,
}

impl<'r> Rules<'r> {
    /// Those that isolate.
    pub(super) const fn isolating(self) -> Self {
        Self { isolating: true, ..self }
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = &'r Rule> + use<'r> {
        self.into_iter()
    }

    /// The first one.
    #[must_use]
    pub fn first(self) -> Option<&'r Rule> {
        self.into_iter().next()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.first().is_none()
    }
}

impl<'r> IntoIterator for Rules<'r> {
    type Item = &'r Rule;
    type IntoIter = RulesIter<'r>;

    fn into_iter(self) -> RulesIter<'r> {
        RulesIter(self)
    }
}

/// Steps over [`Rules`].
#[derive(Debug)]
pub struct RulesIter<'r>(Rules<'r>);

impl<'r> Iterator for RulesIter<'r> {
    type Item = &'r Rule;

    fn next(&mut self) -> Option<&'r Rule> {
        loop {
            let lists = self.0.indices.iter_mut().filter(|list| !list.is_empty());
            let list = lists.min_by_key(|list| list.first().copied())?;
            let (first, rest) = list.split_first()?;
            *list = rest;
            let rule = self.0.rules.get(*first as usize)?;
            if rule.default_deny || !self.0.isolating {
                return Some(rule);
            }
        }
    }
}
