use super::hardening::{Case, HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Container, Sourced};

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
    /// The image is not read. The finding is low where `runAsUser` names another user, and under a
    /// runtime class that is named after a sandbox. `runAsNonRoot: false` of the pod is reported
    /// although every container overrides it, as the Pod Security Standards do.
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
        let wording = Wording::new(format!("{} may run as root", case.who()), label);
        Some(match other_user(case) {
            Some(user) => {
                let text = format!("user {} is set here, and nothing forbids another", user.value);
                let help = "set `runAsNonRoot: true` beside `runAsUser`";
                wording.at_most(Severity::Low).and(user.span, text).help(help)
            }
            None => wording,
        })
    });
}

/// The user that is not root as whom every container concerned runs.
fn other_user<'a>(case: &Case<'a>) -> Option<&'a Sourced<i64>> {
    let pod = &case.workload.pod;
    let own = |container: &&Container| case.container.is_none_or(|own| own.span == container.span);
    let users = pod.containers.iter().filter(own).map(|container| pod.run_as_user(container));
    let safe = users.clone().all(|user| user.is_some_and(|user| user.value > 0));
    users.flatten().next().filter(|_| safe)
}
