use super::isolation::judge;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::finding::{Layer, Persona, Severity};
use crate::model::Direction;
use crate::reach::REACH_KINDS;

check! {
    /// Flags pods that a policy selects and whose ingress stays open all the same.
    ///
    /// ## Why it matters
    /// Somebody wrote a policy for this pod and may think it closed. Traffic to it is admitted from
    /// everywhere: no policy that selects it isolates it for ingress.
    ///
    /// ## Fix
    /// Add `Ingress` to the policy's `policyTypes`, or a default deny for ingress to the namespace.
    ///
    /// ## Known gaps
    /// Every policy that selects the pod counts, whatever its kind. Pods that no policy selects are
    /// reported by `pod-without-network-policy`, a switched-off default deny by
    /// `default-deny-disabled`.
    "ingress-not-isolated" {
        run: find,
        title: "ingress stays open",
        layer: Layer::Network,
        cell: CellRole::Decides,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "add a policy that isolates the pod for ingress",
        aliases: &[("kube-score", "pod-networkpolicy")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    judge(&CHECK, cx, out, Direction::Ingress, "every source reaches its pods");
}
