use std::sync::Arc;

use super::evidence::title;
use super::nullified_fqdn_allowlist::first_name;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::finding::{Confidence, Layer, Persona, Severity};
use crate::model::Direction;
use crate::reach::{PodRef, REACH_KINDS, Rule, proxies_dns};

check! {
    /// Flags FQDN rules whose names Cilium never learns.
    ///
    /// ## Why it matters
    /// Cilium knows the addresses of a name only from DNS answers that its proxy has read for the
    /// same pod. Without a DNS rule the list of names matches nothing: the traffic is dropped, and
    /// the next person on call opens everything to mend it.
    ///
    /// ## Fix
    /// Add an egress rule for the same pods to the cluster's DNS on port 53 with
    /// `rules: {dns: [{matchPattern: "*"}]}`.
    ///
    /// ## Known gaps
    /// The DNS rule may stand in any policy that selects the same pods. Where no such pod is in the
    /// input only rules for the same or for more pods are seen, and the confidence is medium.
    "fqdn-rule-without-dns-proxy" {
        run: find,
        title: "FQDN rule never matches",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "add an egress rule to the cluster's DNS on port 53 with `rules.dns`",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let rules = cx.reach.rules();
    let proxying: Vec<&Rule> = rules.iter().filter(|rule| proxies_dns(rule)).collect();
    let mut last = None;
    for rule in rules.iter().filter(|rule| rule.direction == Direction::Egress) {
        let Some(name) = first_name(rule) else { continue };
        let pods: Vec<PodRef<'_>> = cx.reach.selected(rule).collect();
        let mut same_subject = cx.reach.siblings(rule).iter().chain(proxying.iter().copied());
        let same_subject =
            same_subject.find(|other| proxies_dns(other) && is_for_all_of(other, rule));
        let for_every_pod = pods.iter().map(|pod| {
            let selecting = cx.reach.selecting(*pod, Direction::Egress);
            selecting.into_iter().find(|other| proxies_dns(other))
        });
        let for_every_pod: Option<Vec<&Rule>> = for_every_pod.collect();
        let learned = same_subject.or(for_every_pod.and_then(|found| found.first().copied()));
        if let Some(dns) = learned {
            out.pass(&CHECK, &rule.origin.object, dns.origin.span);
            continue;
        }
        if last == Some(name) {
            continue;
        }
        last = Some(name);
        if let Some(reason) = cx.reach.doubt(&rule.origin.object.namespace) {
            out.not_assessed(&CHECK, &rule.origin.object, reason);
            continue;
        }
        let sure = if pods.is_empty() { Confidence::Medium } else { Confidence::High };
        let policy = title(&rule.origin.object);
        out.push(
            CHECK
                .finding(&rule.origin.object, format!("{policy} has host names that never match"))
                .label(name, "no rule for these pods lets Cilium read their DNS answers")
                .affects(pods.iter().map(|pod| Arc::clone(&pod.workload.id)))
                .confidence(sure),
        );
    }
}

/// Whether a rule is for every pod of another one, those that are not in the input included.
pub(super) fn is_for_all_of(rule: &Rule, other: &Rule) -> bool {
    let same = Arc::ptr_eq(&rule.subject, &other.subject);
    same || rule.in_force && rule.subject.includes(&other.subject)
}
