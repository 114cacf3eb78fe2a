use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags containers that run with `privileged: true`.
    ///
    /// ## Why it matters
    /// A privileged container has every capability and every device of its node. Whoever takes it
    /// over has the node, and with it every pod and Secret on that node.
    ///
    /// ## Fix
    /// Remove `privileged: true`. Where a device or a capability is really needed, grant that one
    /// alone.
    ///
    /// ## Known gaps
    /// What a device plugin or a runtime class grants is not seen.
    "privileged-container" {
        run: find,
        title: "container runs privileged",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Critical,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "remove `privileged: true`",
        aliases: &[
            ("kube-linter", "privileged-container"),
            ("kube-score", "container-security-context-privileged"),
            ("polaris", "runAsPrivileged"),
            ("kubescape", "C-0057"),
            ("trivy", "KSV-0017"),
            ("checkov", "CKV_K8S_16"),
            ("kyverno", "disallow-privileged-containers"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["privileged"],
        at_baseline: &["privileged"],
        sandbox_helps: false,
    };
    view.judge(cx, out, |case| {
        Some(Wording::new(format!("{} runs privileged", case.who()), "every isolation is off here"))
    });
}
