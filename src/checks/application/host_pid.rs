use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags pods that share the node's processes.
    ///
    /// ## Why it matters
    /// A process of such a pod sees every process of its node, reads their environment and may signal
    /// them.
    ///
    /// ## Fix
    /// Remove `hostPID: true`.
    ///
    /// ## Known gaps
    /// None known.
    "host-pid" {
        run: find,
        title: "pod shares the node's processes",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "remove `hostPID: true`",
        aliases: &[
            ("kube-linter", "host-pid"),
            ("polaris", "hostPIDSet"),
            ("kubescape", "C-0038"),
            ("trivy", "KSV-0010"),
            ("checkov", "CKV_K8S_17"),
            ("kyverno", "disallow-host-namespaces"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["hostNamespaces"],
        at_baseline: &["hostNamespaces"],
        sandbox_helps: false,
    };
    view.judge(cx, out, |case| {
        let headline = format!("{} shares the node's processes", case.who());
        let label = "every process of the node is in sight because of this";
        (case.violation.found == "hostPID=true").then(|| Wording::new(headline, label))
    });
}
