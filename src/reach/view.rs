//! A check's view of Reach, which records the kinds that its answers are made from.

use std::cell::Cell;

use ipnet::IpNet;

use super::{Endpoint, PodRef, Reach, Rule, Rules, Verdict};
use crate::config::Cni;
use crate::document::{Kind, KindSet};
use crate::model::{Certain, Direction};

/// Kinds that every answer of Reach rests on.
pub const REACH_KINDS: &[Kind] = &[
    Kind::Pod,
    Kind::Namespace,
    Kind::NetworkPolicy,
    Kind::CiliumNetworkPolicy,
    Kind::CiliumClusterwideNetworkPolicy,
    Kind::OtherNetworkPolicy,
    Kind::Service,
    Kind::Gateway,
];
const READS: KindSet = KindSet::of(REACH_KINDS);

/// Reach as one check sees it.
#[derive(Clone, Copy, Debug)]
pub struct ReachView<'a> {
    reach: &'a Reach<'a>,
    touched: &'a Cell<KindSet>,
}

impl<'a> ReachView<'a> {
    /// A view that records into `touched`.
    #[must_use]
    pub const fn new(reach: &'a Reach<'a>, touched: &'a Cell<KindSet>) -> Self {
        Self { reach, touched }
    }

    fn reach(&self) -> &'a Reach<'a> {
        self.touched.set(self.touched.get().union(READS));
        self.reach
    }

    /// The network plugin whose rules hold.
    #[must_use]
    pub fn cni(&self) -> Cni {
        self.reach().cni()
    }

    /// The pods that policies may protect.
    pub fn pods(&self) -> impl Iterator<Item = PodRef<'a>> + use<'a> {
        self.reach().pods()
    }

    /// The pods of a namespace that policies may protect.
    pub fn pods_in(&self, namespace: &str) -> impl Iterator<Item = PodRef<'a>> + use<'a> {
        self.reach().pods_in(namespace)
    }

    /// The rules of the same subject as `rule`, itself included.
    #[must_use]
    pub fn siblings(&self, rule: &Rule) -> &'a [Rule] {
        self.reach().siblings(rule)
    }

    /// Whether two rules certainly select one pod.
    #[must_use]
    pub fn meet(&self, a: &Rule, b: &Rule) -> bool {
        self.reach().meet(a, b)
    }

    /// The pods that may be peers of a rule: no other one can.
    #[must_use]
    pub fn peers(&self, rule: &Rule) -> Vec<PodRef<'a>> {
        self.reach().peers(rule)
    }

    /// Every rule.
    #[must_use]
    pub fn rules(&self) -> &'a [Rule] {
        self.reach().rules()
    }

    /// The rules that certainly select a pod in a direction.
    #[must_use]
    pub fn selecting(&self, pod: PodRef<'_>, direction: Direction) -> Rules<'a> {
        self.reach().selecting(pod, direction)
    }

    /// The pods that a rule certainly selects.
    pub fn selected(&self, rule: &Rule) -> impl Iterator<Item = PodRef<'a>> + use<'a> {
        self.reach().selected(rule)
    }

    /// The rules that isolate a pod in a direction.
    #[must_use]
    pub fn isolation(&self, pod: PodRef<'_>, direction: Direction) -> Certain<Rules<'a>> {
        self.reach().isolation(pod, direction)
    }

    /// What the rules of a pod admit for a peer.
    #[must_use]
    pub fn verdict(
        &self,
        pod: PodRef<'_>,
        direction: Direction,
        peer: &Endpoint<'_>,
    ) -> Certain<Verdict> {
        self.reach().verdict(pod, direction, peer)
    }

    /// What is admitted whatever the missing objects say.
    #[must_use]
    pub fn certainly_admitted(
        &self,
        pod: PodRef<'_>,
        direction: Direction,
        peer: &Endpoint<'_>,
    ) -> Verdict {
        self.reach().certainly_admitted(pod, direction, peer)
    }

    /// What is admitted if every missing object says so.
    #[must_use]
    pub fn possibly_admitted(
        &self,
        pod: PodRef<'_>,
        direction: Direction,
        peer: &Endpoint<'_>,
    ) -> Verdict {
        self.reach().possibly_admitted(pod, direction, peer)
    }

    /// The parts of a range that no rule of a pod divides.
    #[must_use]
    pub fn ranges(&self, pod: PodRef<'_>, direction: Direction, within: IpNet) -> Vec<IpNet> {
        self.reach().ranges(pod, direction, within)
    }

    /// Why a pod that no policy seems to select may be selected.
    #[must_use]
    pub fn doubt_about_selection(&self, pod: PodRef<'_>) -> Option<std::sync::Arc<str>> {
        self.reach().doubt_about_selection(pod)
    }

    /// Why a policy of a namespace may not have been seen.
    #[must_use]
    pub fn doubt(&self, namespace: &str) -> Option<std::sync::Arc<str>> {
        self.reach().doubt_about(namespace)
    }

    /// A rule by its index.
    #[must_use]
    pub fn rule(&self, index: u32) -> Option<&'a Rule> {
        self.reach().rule(index)
    }
}
