use std::collections::HashSet;
use std::sync::Arc;

use super::evidence::{self, Evidence, title};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Certain, Known, NAME_LABEL, Operator, Selector, Truth, Unknown, Workload};
use crate::reach::{
    Dialect, Endpoint, NamespaceScope, PeerSet, Peers, Rule, may_match, namespace_matches, places,
    selects_labels, split_source,
};

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
    /// meant the peer is a leftover, and the finding is low.
    "peer-selects-nothing" {
        run: find,
        title: "peer selects no pod",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[
            Kind::Pod,
            Kind::Namespace,
            Kind::Service,
            Kind::NetworkPolicy,
            Kind::CiliumNetworkPolicy,
            Kind::CiliumClusterwideNetworkPolicy,
            Kind::OtherNetworkPolicy,
        ],
        fix: "select labels that the pods or their Namespace carry",
        aliases: &[("kube-linter", "dangling-networkpolicypeer-podselector")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut seen: HashSet<Span> = HashSet::new();
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
    let model = cx.model.model();
    let subject = &rule.origin.object;
    let fits = |workload: &Workload| {
        let labels = pods.as_ref();
        let labels = labels.map_or(Truth::Yes, |s| selects_labels(s, workload, *dialect, model));
        labels.and(namespace_matches(namespaces, &workload.id.namespace, model))
    };
    let mut unknown = false;
    cx.model.touch(&[Kind::Pod]);
    let places = places(namespaces, pods.as_ref(), *dialect);
    for workload in may_match(&places, pods.as_ref(), *dialect, model) {
        match fits(workload) {
            Truth::Yes => return out.pass(&CHECK, subject, workload.span),
            Truth::Unknown => unknown = true,
            Truth::No => {}
        }
    }
    let proof = proof(cx, namespaces, pods.as_ref(), *dialect);
    if proof.is_none() {
        let certain = if unknown {
            Unknown("a controller or a Namespace gives the peer labels that are not written".into())
        } else {
            sources(cx, namespaces, pods.as_ref(), *dialect)
        };
        if let Unknown(reason) = certain {
            return out.not_assessed(&CHECK, subject, reason);
        }
    }
    let place = pods.as_ref().or(match namespaces {
        NamespaceScope::Matching(selector) => Some(selector),
        _ => None,
    });
    let at = place.and_then(|s| s.requirements.first()).map_or(*span, |first| first.span);
    let finding = CHECK
        .finding(subject, format!("{} names a peer that no pod is", title(subject)))
        .label(at, "no pod matches this peer");
    out.push(match proof {
        None => finding,
        Some(proof) => {
            let admitted = proof.meant.is_some_and(|meant| is_admitted(cx, rule, meant));
            let finding = finding.label(proof.at, proof.text).help(proof.help);
            if admitted { finding.at_most(Severity::Low) } else { finding }
        }
    });
}

/// Whether everything that the peer could be is in the input.
fn sources(
    cx: &Context<'_>,
    scope: &NamespaceScope,
    pods: Option<&Selector>,
    dialect: Dialect,
) -> Certain<()> {
    let named = match (scope, dialect, pods) {
        (NamespaceScope::One(name), ..) => vec![name.clone()],
        (NamespaceScope::Matching(selector), ..) => names(selector, NAME_LABEL),
        (NamespaceScope::All, Dialect::Cilium, Some(pods)) => {
            names(pods, "io.kubernetes.pod.namespace")
        }
        _ => Vec::new(),
    };
    if named.is_empty() {
        return Unknown("namespaces outside the input may match this peer; add them".into());
    }
    let open = named.iter().find_map(|name| match cx.model.closed(name) {
        Unknown(reason) => Some(reason),
        Known(()) => None,
    });
    open.map_or(Known(()), Unknown)
}

/// The values that a selector asks for under a key.
fn names(selector: &Selector, key: &str) -> Vec<String> {
    let asks = |r: &&crate::model::Requirement| {
        split_source(&r.key).1 == key && r.operator == Operator::In
    };
    selector.requirements.iter().filter(asks).flat_map(|r| r.values.clone()).collect()
}

fn proof<'a>(
    cx: &Context<'a>,
    scope: &NamespaceScope,
    pods: Option<&Selector>,
    dialect: Dialect,
) -> Option<Evidence<'a>> {
    let misspelt = |selector: &Selector| {
        let (requirement, reserved) = evidence::misspelt_key(selector)?;
        Some(Evidence {
            at: requirement.key_span,
            text: format!("no object carries this key; `{reserved}` exists"),
            help: format!("write `{reserved}`"),
            meant: None,
        })
    };
    if let NamespaceScope::Matching(selector) = scope {
        let named = |name: &str| cx.model.part(name, &[Kind::Namespace])?.namespace.as_ref();
        if let Some(proof) =
            evidence::unlabelled_namespace(selector, named).or_else(|| misspelt(selector))
        {
            return Some(proof);
        }
    }
    let pods = pods?;
    if let Some(proof) = misspelt(pods) {
        return Some(proof);
    }
    let targets = match (scope, dialect) {
        (NamespaceScope::One(name), _) => vec![name.clone()],
        (NamespaceScope::Matching(selector), _) => names(selector, NAME_LABEL),
        (NamespaceScope::All, Dialect::Cilium) => names(pods, "io.kubernetes.pod.namespace"),
        _ => Vec::new(),
    };
    targets.iter().find_map(|name| {
        let part = cx.model.part(name, &[Kind::Pod, Kind::Service])?;
        evidence::in_namespace(pods, part.workloads.iter(), part.services.iter())
    })
}

/// Whether another rule admits a pod to the pods of this rule, or them to it.
fn is_admitted(cx: &Context<'_>, rule: &Rule, meant: &Workload) -> bool {
    cx.reach.selected(rule).any(|pod| {
        let verdict = cx.reach.certainly_admitted(pod, rule.direction, &Endpoint::Pod(meant));
        !verdict.allowed.is_empty() && !Arc::ptr_eq(&pod.workload.id, &meant.id)
    })
}
