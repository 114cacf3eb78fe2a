use super::amounts::{Wanted, judge};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags containers whose memory nothing limits.
    ///
    /// ## Why it matters
    /// A leak, or a caller who sends enough, uses up the memory of the node, and the kernel kills
    /// whatever runs there.
    ///
    /// ## Fix
    /// Set `resources.limits.memory`. A LimitRange of the namespace may set it for all, and so may
    /// `resources` of the pod.
    ///
    /// ## Known gaps
    /// A LimitRange that is not in the input is not seen: the confidence is medium where objects
    /// of the namespace may be missing. Ephemeral containers cannot have resources.
    "container-without-memory-limit" {
        run: find,
        title: "no memory limit",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::LimitRange],
        fix: "set `resources.limits.memory` on the container",
        aliases: &[
            ("kube-linter", "unset-memory-requirements"),
            ("polaris", "memoryLimitsMissing"),
            ("kubescape", "C-0271"),
            ("trivy", "KSV-0018"),
            ("checkov", "CKV_K8S_13"),
            ("kyverno", "require-pod-requests-limits"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    judge(&CHECK, cx, out, &Wanted::Limit("memory", "has no memory limit"));
}
