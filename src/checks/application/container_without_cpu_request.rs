use super::amounts::{Wanted, judge};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags containers that reserve no CPU.
    ///
    /// ## Why it matters
    /// A pod without a request is scheduled anywhere and gets what others leave over; under load it
    /// starves, or starves its neighbours.
    ///
    /// ## Fix
    /// Set `resources.requests.cpu`, or a limit, which counts as request. A LimitRange of the
    /// namespace may set it for all.
    ///
    /// ## Known gaps
    /// A LimitRange that is not in the input is not seen: the confidence is medium where objects
    /// of the namespace may be missing. Ephemeral containers cannot have resources.
    "container-without-cpu-request" {
        run: find,
        title: "no CPU request",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Low,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::LimitRange],
        fix: "set `resources.requests.cpu` on the container",
        aliases: &[
            ("kube-linter", "unset-cpu-requirements"),
            ("polaris", "cpuRequestsMissing"),
            ("kubescape", "C-0268"),
            ("trivy", "KSV-0015"),
            ("checkov", "CKV_K8S_10"),
            ("kyverno", "require-pod-requests-limits"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    judge(&CHECK, cx, out, &Wanted::Request("cpu", "reserves no CPU"));
}
