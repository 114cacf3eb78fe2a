use std::collections::BTreeSet;

use super::evidence::{self, Evidence, title};
use super::sources::{Found, Sources};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Selector, Unknown, Workload};
use crate::reach::{Dialect, Endpoint, NamespaceScope, PeerSet, Peers, PodRef, REACH_KINDS, Rule};

check! {
    /// Flags peers of network policies that no pod can be.
    ///
    /// ## Why it matters
    /// The traffic that the rule was written for is dropped. A control that causes outages is
    /// removed by the next person on call.
    ///
    /// ## Fix
    /// Select labels that the pods, or their Namespace, carry.
    ///
    /// ## Known gaps
    /// Not assessed where the pods may come from a chart, an operator or a namespace that is not in
    /// the input, unless there is a proof: the value stands under another key, the key is misspelt,
    /// or a Namespace of that name lacks the label. Where another rule admits the pods that were
    /// meant the peer is a leftover, and the finding is low. A peer of a deny rule counts, too: it
    /// then denies nobody.
    "peer-selects-nothing" {
        run: find,
        title: "peer selects no pod",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "select labels that the pods or their Namespace carry",
        aliases: &[("kube-linter", "dangling-networkpolicypeer-podselector")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut seen: BTreeSet<Span> = BTreeSet::new();
    for rule in cx.reach.rules() {
        let Peers::Set(set) = &rule.peers else { continue };
        for peer in set {
            if seen.insert(peer.span()) {
                judge(cx, out, rule, peer);
            }
        }
    }
}

fn judge(cx: &Context<'_>, out: &mut Outcomes, rule: &Rule, peer: &PeerSet) {
    let PeerSet::Pods { namespaces, pods, dialect, span } = peer else { return };
    let subject = &rule.origin.object;
    let sources = Sources::of(cx, namespaces, *dialect);
    match sources.matching(pods.as_ref()) {
        Found::Pod(found) => return out.pass(&CHECK, subject, found.span),
        // Pods in the host's network are no pods to a selector, and another check says so.
        Found::OnHost(_) => return out.not_applicable(),
        Found::Maybe(reason) => return out.not_assessed(&CHECK, subject, reason),
        Found::Nothing => {}
    }
    let proof = proof(cx, &sources, namespaces, pods.as_ref(), *dialect);
    if !proof.as_ref().is_some_and(|proof| proof.proves)
        && let Unknown(reason) = sources.closed(cx)
    {
        return out.not_assessed(&CHECK, subject, reason);
    }
    let (at, which) = match (pods, namespaces) {
        (Some(pods), _) => evidence::blame(pods, |one: &Selector| sources.any(one)),
        (None, NamespaceScope::Matching(selector)) => {
            (selector.requirements.first().map_or(*span, |first| first.span), "is there")
        }
        (None, _) => (*span, "is there"),
    };
    let finding = CHECK
        .finding(subject, format!("{} names a peer that no pod is", title(subject)))
        .label(at, format!("no pod of {} {which}", sources.words()));
    out.push(match proof {
        None => finding,
        Some(proof) => {
            let admitted = proof.meant.is_some_and(|meant| is_admitted(cx, rule, meant));
            let finding = finding.label(proof.at, proof.text).help(proof.help);
            if admitted { finding.at_most(Severity::Low) } else { finding }
        }
    });
}

fn proof<'a>(
    cx: &Context<'a>,
    sources: &Sources<'a>,
    scope: &NamespaceScope,
    pods: Option<&Selector>,
    dialect: Dialect,
) -> Option<Evidence<'a>> {
    let of_namespaces = match scope {
        NamespaceScope::Matching(selector) => {
            let present = |name: &str| cx.model.part(name, &[Kind::Namespace])?.namespace.as_ref();
            evidence::unlabelled_namespace(selector, present)
                .or_else(|| evidence::impossible_key(selector, Dialect::Kubernetes))
        }
        _ => None,
    };
    let of_pods = pods.and_then(|pods| {
        evidence::impossible_key(pods, dialect).or_else(|| sources.evidence(pods))
    });
    of_namespaces.or(of_pods)
}

/// Whether other rules admit a pod on these ports to every pod that the rule protects.
fn is_admitted(cx: &Context<'_>, rule: &Rule, meant: &Workload) -> bool {
    let subjects: Vec<PodRef<'_>> = cx.reach.selected(rule).collect();
    let admits = |pod: &PodRef<'_>| {
        let end = Endpoint::Pod(meant);
        let wanted = rule.ports.resolve(end.destination(rule.direction, pod.workload));
        let verdict = cx.reach.certainly_admitted(*pod, rule.direction, &end);
        std::ptr::eq(pod.workload, meant) || wanted.minus(&verdict.open()).is_empty()
    };
    !subjects.is_empty() && subjects.iter().all(admits)
}
