use std::sync::Arc;

use super::evidence::{self, Evidence, is_typo, title};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, ObjectId};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Places, Selector, Truth, Unknown, Workload};
use crate::reach::{Dialect, may_match, selects_labels};

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
    /// controller, the namespace is misspelt. A policy for every pod of its namespace is left out.
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

/// A policy and the selector of what it protects.
struct Claim<'a> {
    id: &'a Arc<ObjectId>,
    layer: Layer,
    selector: &'a Selector,
    dialect: Dialect,
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let claim = |id, layer, selector, dialect| Claim { id, layer, selector, dialect };
    let plain = cx.model.network_policies().filter(|policy| policy.refused.is_none());
    for policy in plain {
        let selector = &policy.subject;
        judge(cx, out, &claim(&policy.id, Layer::Network, selector, Dialect::Kubernetes));
    }
    for policy in cx.model.cilium_policies().filter(|p| p.refused.is_none() && !p.clusterwide) {
        for selector in policy.rules.iter().filter_map(|rule| rule.endpoints.as_ref()) {
            judge(cx, out, &claim(&policy.id, Layer::Network, selector, Dialect::Cilium));
        }
    }
    for policy in cx.model.authorization_policies().filter(|policy| !policy.targeted) {
        let Some(selector) = &policy.selector else { continue };
        judge(cx, out, &claim(&policy.id, Layer::Mesh, selector, Dialect::Kubernetes));
    }
    for policy in cx.model.peer_authentications() {
        let Some(selector) = &policy.selector else { continue };
        judge(cx, out, &claim(&policy.id, Layer::Mesh, selector, Dialect::Kubernetes));
    }
}

fn judge(cx: &Context<'_>, out: &mut Outcomes, claim: &Claim<'_>) {
    if claim.selector.matches_all() {
        out.not_applicable();
        return;
    }
    let namespace = claim.id.namespace.as_str();
    let part = cx.model.part(namespace, &[Kind::Pod, Kind::Service, Kind::Namespace]);
    let workloads: &[Workload] = part.map_or(&[], |part| &part.workloads);
    let model = cx.model.model();
    let fits = |workload: &Workload| selects_labels(claim.selector, workload, claim.dialect, model);
    let here = Places::Named(vec![namespace]);
    let candidates = may_match(&here, Some(claim.selector), claim.dialect, model);
    let candidates: Vec<&Workload> = candidates.filter(|w| !w.superseded).collect();
    if let Some(selected) = candidates.iter().find(|workload| fits(workload) == Truth::Yes) {
        out.pass(&CHECK, claim.id, selected.span);
        return;
    }
    if candidates.iter().any(|workload| fits(workload) == Truth::Unknown) {
        let reason = "a controller or a variable gives the pods labels that are not written";
        out.not_assessed(&CHECK, claim.id, reason.into());
        return;
    }
    let services = part.into_iter().flat_map(|part| &part.services);
    let proof = evidence::in_namespace(claim.selector, workloads.iter(), services)
        .or_else(|| misspelt(claim.selector))
        .or_else(|| other_namespace(cx, claim, workloads));
    if let (None, Unknown(reason)) = (&proof, cx.model.closed(namespace)) {
        out.not_assessed(&CHECK, claim.id, reason);
        return;
    }
    let at = claim.selector.requirements.first().map_or(claim.selector.span, |first| first.span);
    let label = format!("no pod of namespace `{namespace}` has this label");
    let finding = CHECK
        .finding(claim.id, format!("{} protects no pod", title(claim.id)))
        .layer(claim.layer)
        .label(at, label);
    out.push(match proof {
        None => finding.voids(),
        Some(proof) => {
            let meant = proof.meant.map(|workload| Arc::clone(&workload.id));
            finding.label(proof.at, proof.text).help(proof.help).affects(meant).voids()
        }
    });
}

fn misspelt(selector: &Selector) -> Option<Evidence<'static>> {
    let (requirement, reserved) = evidence::misspelt_key(selector)?;
    Some(Evidence {
        at: requirement.key_span,
        text: format!("no object carries this key; `{reserved}` exists"),
        help: format!("write `{reserved}`"),
        meant: None,
    })
}

/// E5: the policy's namespace has no pods and is one edit away from one that has those selected.
fn other_namespace<'a>(
    cx: &Context<'a>,
    claim: &Claim<'_>,
    workloads: &[Workload],
) -> Option<Evidence<'a>> {
    if !workloads.is_empty() {
        return None;
    }
    let model = cx.model.model();
    let mut near =
        cx.model.namespaces(&[Kind::Pod]).filter(|(name, _)| is_typo(name, &claim.id.namespace));
    near.find_map(|(name, part)| {
        let selected = part.workloads.iter().find(|workload| {
            selects_labels(claim.selector, workload, claim.dialect, model) == Truth::Yes
        })?;
        Some(Evidence {
            at: selected.span,
            text: format!("{} has these labels, in namespace `{name}`", selected.title()),
            help: format!("put the policy into namespace `{name}`"),
            meant: Some(selected),
        })
    })
}
