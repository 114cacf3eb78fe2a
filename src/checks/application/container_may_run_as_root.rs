use super::hardening::HardeningView;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags containers that nothing keeps from running as root.
    ///
    /// ## Why it matters
    /// Root in a container is root on the node once the process breaks out, and it may change every
    /// file that the pod mounts. The image decides the user unless `runAsNonRoot` forbids root.
    ///
    /// ## Fix
    /// Set `runAsNonRoot: true` on the container or the pod, and a numeric `runAsUser` above 0: the
    /// kubelet cannot tell from a user *name* in the image that it is not root. A container's own
    /// setting beats the pod's.
    ///
    /// ## Known gaps
    /// The image is not read. Under a runtime class that is named after a sandbox the finding is
    /// low.
    "container-may-run-as-root" {
        run: find,
        title: "container may run as root",
        layer: Layer::Application,
        cell: CellRole::Decides,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "set `runAsNonRoot: true` and a numeric `runAsUser` above 0",
        aliases: &[
            ("kube-linter", "run-as-non-root"),
            ("polaris", "runAsRootAllowed"),
            ("kubescape", "C-0013"),
            ("trivy", "KSV-0012"),
            ("checkov", "CKV_K8S_23"),
            ("kyverno", "require-run-as-nonroot"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["runAsNonRoot"],
        at_baseline: &["runAsNonRoot"],
        sandbox_helps: true,
    };
    view.judge(cx, out, |case| {
        let label = if case.violation.missing {
            "neither this container nor its pod sets `runAsNonRoot: true`"
        } else {
            "root is allowed here"
        };
        Some((format!("{} may run as root", case.who()), label.into()))
    });
}
