use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags containers whose processes may gain more privileges than they started with.
    ///
    /// ## Why it matters
    /// Without `allowPrivilegeEscalation: false` a setuid program in the image can make root out of
    /// an ordinary user, which undoes `runAsNonRoot`.
    ///
    /// ## Fix
    /// Set `securityContext.allowPrivilegeEscalation: false` on every container, init and ephemeral
    /// containers included.
    ///
    /// ## Known gaps
    /// None known. Windows pods are exempt, as in the Pod Security Standards from v1.25.
    "privilege-escalation-allowed" {
        run: find,
        title: "container may gain privileges",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "set `securityContext.allowPrivilegeEscalation: false` on the container",
        aliases: &[
            ("kube-linter", "privilege-escalation-container"),
            ("polaris", "privilegeEscalationAllowed"),
            ("kubescape", "C-0016"),
            ("trivy", "KSV-0001"),
            ("checkov", "CKV_K8S_20"),
            ("kyverno", "disallow-privilege-escalation"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["allowPrivilegeEscalation"],
        at_baseline: &["allowPrivilegeEscalation"],
        sandbox_helps: false,
    };
    view.judge(cx, out, |case| {
        let label = if case.violation.missing {
            "`allowPrivilegeEscalation: false` is missing for this container"
        } else {
            "escalation is allowed here"
        };
        Some(Wording::new(format!("{} may gain privileges", case.who()), label))
    });
}
