use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{DefectKind, Kind};
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags Cilium policies without a selector that Cilium knows.
    ///
    /// ## Why it matters
    /// The API server refuses such a policy, or drops the field that it does not know, and the agent
    /// enforces nothing: the pods are as open as without it, while the file says otherwise.
    ///
    /// ## Fix
    /// Name the pods under `endpointSelector`; `{}` stands for every pod of the namespace.
    /// `podSelector` belongs to the NetworkPolicy of Kubernetes.
    ///
    /// ## Known gaps
    /// None known. `nodeSelector` is accepted as a selector.
    "cilium-selector-missing" {
        run: find,
        title: "Cilium policy has no selector",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[
            Kind::Pod,
            Kind::Any,
            Kind::CiliumNetworkPolicy,
            Kind::CiliumClusterwideNetworkPolicy,
        ],
        voices: &[DefectKind::CiliumSelectorMissing],
        fix: "name the pods under `endpointSelector`",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let facts: Vec<_> = cx.facts().collect();
    for defect in &facts {
        let namespace = &defect.object.namespace;
        let part = cx.model.part(namespace, &[Kind::Pod]);
        let workloads = part.into_iter().flat_map(|part| &part.workloads);
        let policy = title(&defect.object);
        let finding = CHECK
            .finding(&defect.object, format!("{policy} is not enforced: it selects no endpoint"))
            .affects(workloads.map(|workload| Arc::clone(&workload.id)))
            .voids();
        let kind = &defect.object.kind;
        out.push(if defect.detail.is_empty() {
            finding.label(defect.at, format!("this {kind} has no `endpointSelector`"))
        } else {
            let meant = &defect.detail;
            finding
                .label(defect.at, format!("`{meant}` is no field of a {kind}"))
                .help(format!("rename `{meant}` to `endpointSelector`"))
        });
    }
    for policy in cx.model.cilium_policies() {
        if !facts.iter().any(|defect| defect.object == policy.id) {
            out.pass(&CHECK, &policy.id, policy.span);
        }
    }
}
