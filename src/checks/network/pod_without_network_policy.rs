use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::finding::{Layer, Persona, Severity};
use crate::model::Direction;
use crate::reach::REACH_KINDS;

check! {
    /// Flags pods that no network policy of any kind selects.
    ///
    /// ## Why it matters
    /// Kubernetes admits all traffic to and from such a pod: every other pod of the cluster reaches
    /// it, and it reaches every address.
    ///
    /// ## Fix
    /// Add a policy that denies by default for the whole namespace, and one that admits what this
    /// workload needs.
    ///
    /// ## Known gaps
    /// NetworkPolicy, CiliumNetworkPolicy and its cluster-wide form count. Where a policy of another
    /// kind is present, or one may be missing from the input, the pod is not assessed. Pods in the
    /// host's network are not reached by any policy; `network-policy-on-host-network` is about
    /// them.
    "pod-without-network-policy" {
        run: find,
        title: "no network policy selects the pod",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "add a default deny for the namespace and a policy for what the workload needs",
        aliases: &[
            ("kube-linter", "non-isolated-pod"),
            ("kube-score", "pod-networkpolicy"),
            ("polaris", "missingNetworkPolicy"),
            ("kubescape", "C-0260"),
            ("checkov", "CKV2_K8S_6"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for pod in cx.reach.pods() {
        let workload = pod.workload;
        let mut rules = Direction::ALL.into_iter().flat_map(|d| cx.reach.selecting(pod, d));
        if let Some(rule) = rules.next() {
            out.pass(&CHECK, &workload.id, rule.origin.name);
            continue;
        }
        if let Some(reason) = cx.reach.doubt_about_selection(pod) {
            out.not_assessed(&CHECK, &workload.id, reason);
            continue;
        }
        out.push(
            CHECK
                .finding(&workload.id, format!("{} has no network policy", workload.title()))
                .label(workload.span, "all traffic to and from its pods is admitted")
                .affects([Arc::clone(&workload.id)])
                .absence(),
        );
    }
}
