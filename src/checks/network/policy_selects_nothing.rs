use std::sync::Arc;

use super::evidence::{self, Evidence, is_typo, title};
use super::sources::{self, Sources};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, ObjectId};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Home, Selector, Truth, Unknown};
use crate::reach::{
    Dialect, NamespaceScope, Subject, cilium_subjects, netpol_subject, selects_labels,
};

check! {
    /// Flags policies whose selector matches no pod.
    ///
    /// ## Why it matters
    /// The pods that the policy was written for are not protected by it. A key that changed, or the
    /// labels of a Deployment instead of those of its pods, is enough.
    ///
    /// ## Fix
    /// Select labels that the pods carry.
    ///
    /// ## Known gaps
    /// Not assessed where the pods may come from a chart, an operator or another repository, unless
    /// there is a proof: the pods carry the value under another key, the labels stand on the
    /// controller or on a Service, no object can carry the key, the namespace is misspelt. A policy
    /// for every pod of its namespace is left out, and one whose only pods are in the host's network
    /// is reported by `network-policy-on-host-network`.
    "policy-selects-nothing" {
        run: find,
        title: "policy selects no pod",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[
            Kind::Pod,
            Kind::Namespace,
            Kind::Service,
            Kind::NetworkPolicy,
            Kind::CiliumNetworkPolicy,
            Kind::CiliumClusterwideNetworkPolicy,
            Kind::OtherNetworkPolicy,
            Kind::Gateway,
            Kind::AuthorizationPolicy,
            Kind::PeerAuthentication,
        ],
        fix: "select labels that the pods carry",
        aliases: &[
            ("kube-linter", "dangling-networkpolicy"),
            ("kube-score", "networkpolicy-targets-pod"),
            ("kubescape", "C-0299"),
            ("istioctl", "IST0127"),
        ],
    }
}

/// A policy and what it claims to protect.
struct Claim<'a> {
    id: &'a Arc<ObjectId>,
    layer: Layer,
    subject: Subject,
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let cni = cx.reach.cni();
    for policy in cx.model.network_policies().filter(|policy| policy.refused.is_none()) {
        let subject = netpol_subject(policy, cni);
        judge(cx, out, &Claim { id: &policy.id, layer: Layer::Network, subject });
    }
    for policy in cx.model.cilium_policies().filter(|policy| policy.refused.is_none()) {
        for subject in cilium_subjects(policy) {
            judge(cx, out, &Claim { id: &policy.id, layer: Layer::Network, subject });
        }
    }
    let root = cx.profile.root_namespace();
    let mesh = |pods: &Selector, place: Home<'_>, everywhere: bool| Subject {
        namespaces: if everywhere {
            NamespaceScope::All
        } else {
            NamespaceScope::One(place.into_owned())
        },
        pods: pods.clone(),
        dialect: Dialect::Kubernetes,
    };
    for policy in cx.model.authorization_policies() {
        let applies = !policy.targeted && policy.refused.is_none();
        let Some(selector) = policy.selector.as_ref().filter(|_| applies) else {
            continue;
        };
        // In the root namespace of the mesh it is for every namespace (M15).
        let place = policy.home();
        let subject = mesh(selector, place, policy.id.namespace == root);
        judge(cx, out, &Claim { id: &policy.id, layer: Layer::Mesh, subject });
    }
    // In the root namespace one with a selector is ignored, whatever it selects (M5).
    for policy in cx.model.peer_authentications().filter(|policy| policy.id.namespace != root) {
        let Some(selector) = &policy.selector else { continue };
        let subject = mesh(selector, policy.home(), false);
        judge(cx, out, &Claim { id: &policy.id, layer: Layer::Mesh, subject });
    }
}

fn judge(cx: &Context<'_>, out: &mut Outcomes, claim: &Claim<'_>) {
    let Subject { namespaces, pods, dialect } = &claim.subject;
    if pods.matches_all() {
        out.not_applicable();
        return;
    }
    let sources = Sources::of(cx, namespaces, *dialect);
    match sources.matching(Some(pods)) {
        sources::Found::Pod(selected) => return out.pass(&CHECK, claim.id, selected.span),
        // Another check speaks of pods that no policy reaches.
        sources::Found::OnHost(_) => return out.not_applicable(),
        sources::Found::Maybe(reason) => return out.not_assessed(&CHECK, claim.id, reason),
        sources::Found::Nothing => {}
    }
    let proof = evidence::impossible_key(pods, *dialect)
        .or_else(|| sources.evidence(pods))
        .or_else(|| other_namespace(cx, claim));
    if !proof.as_ref().is_some_and(|proof| proof.proves)
        && let Unknown(reason) = sources.closed(cx)
    {
        out.not_assessed(&CHECK, claim.id, reason);
        return;
    }
    let (at, which) = evidence::blame(pods, |one: &Selector| sources.any(one));
    let finding = CHECK
        .finding(claim.id, format!("{} protects no pod", title(claim.id)))
        .layer(claim.layer)
        .label(at, format!("no pod of {} {which}", sources.words()));
    out.push(match proof {
        None => finding.voids(),
        Some(proof) => {
            let meant = proof.meant.map(|workload| Arc::clone(&workload.id));
            finding.label(proof.at, proof.text).help(proof.help).affects(meant).voids()
        }
    });
}

/// E5: the policy's namespace has no pods and is one edit away from one that has those selected.
fn other_namespace<'a>(cx: &Context<'a>, claim: &Claim<'_>) -> Option<Evidence<'a>> {
    let NamespaceScope::One(place) = &claim.subject.namespaces else { return None };
    let own = cx.model.part(&place.name, &[Kind::Pod]);
    if place.is_assumed() || own.is_some_and(|part| !part.workloads.is_empty()) {
        return None;
    }
    let Subject { pods, dialect, .. } = &claim.subject;
    let model = cx.model.model();
    let mut near = cx.model.namespaces(&[Kind::Pod]).filter(|(name, _)| is_typo(name, &place.name));
    near.find_map(|(name, part)| {
        let fits = |w| selects_labels(pods, w, *dialect, model) == Truth::Yes;
        let selected = part.workloads.iter().find(|workload| fits(workload))?;
        Some(Evidence {
            at: selected.span,
            text: format!("{} has these labels, in namespace `{name}`", selected.title()),
            help: format!("put the policy into namespace `{name}`"),
            meant: Some(selected),
            proves: true,
        })
    })
}
