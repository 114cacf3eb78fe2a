use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags pods and containers that ask for user 0.
    ///
    /// ## Why it matters
    /// Root in a container is root on the node once the process breaks out. Beside
    /// `runAsNonRoot: true` the pod does not even start.
    ///
    /// ## Fix
    /// Set `runAsUser` to a number above 0, or remove it where the image has such a user.
    ///
    /// ## Known gaps
    /// A pod-level `runAsUser: 0` is reported although every container overrides it, as the Pod
    /// Security Standards do. Under a runtime class that is named after a sandbox the finding is
    /// low.
    "container-runs-as-root" {
        run: find,
        title: "container runs as root",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "set `runAsUser` to a number above 0",
        aliases: &[
            ("trivy", "KSV-0105"),
            ("kyverno", "require-run-as-non-root-user"),
            ("gatekeeper", "users"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["runAsUser"],
        at_baseline: &["runAsUser"],
        sandbox_helps: true,
    };
    view.judge(cx, out, |case| {
        Some(Wording::new(format!("{} runs as root", case.who()), "user 0 is root"))
    });
}
