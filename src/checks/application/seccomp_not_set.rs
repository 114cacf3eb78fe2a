use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Carrier;

check! {
    /// Flags containers without a seccomp profile, neither their own nor the pod's.
    ///
    /// ## Why it matters
    /// Without a profile every system call of the kernel is in reach, the rarely used ones included
    /// in which most ways out of a container were found.
    ///
    /// ## Fix
    /// Set `securityContext.seccompProfile.type: RuntimeDefault` on the pod.
    ///
    /// ## Known gaps
    /// A kubelet may be told to use the runtime's profile by default; no manifest shows it.
    "seccomp-not-set" {
        run: find,
        title: "no seccomp profile",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "set `securityContext.seccompProfile.type: RuntimeDefault` on the pod",
        aliases: &[
            ("kube-score", "container-seccomp-profile"),
            ("trivy", "KSV-0030"),
            ("checkov", "CKV_K8S_31"),
            ("kubescape", "C-0210"),
            ("kyverno", "restrict-seccomp-strict"),
            ("polaris", "linuxHardening"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["seccompProfile_restricted"],
        at_baseline: &["seccompProfile_restricted"],
        sandbox_helps: false,
    };
    view.judge(cx, out, |case| {
        let headline = format!("{} has no seccomp profile", case.who());
        let label = "neither this container nor its pod names a profile";
        let wording = Wording::new(headline, label);
        case.violation.missing.then(|| match case.workload.carrier {
            // Knative drops what is set for the pod as a whole.
            Carrier::Knative => {
                wording.help("set `securityContext.seccompProfile.type: RuntimeDefault` here")
            }
            _ => wording,
        })
    });
}
