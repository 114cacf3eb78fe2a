use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags pods that share the node's IPC namespace.
    ///
    /// ## Why it matters
    /// A process of such a pod reaches the shared memory and message queues of every process on its
    /// node.
    ///
    /// ## Fix
    /// Remove `hostIPC: true`.
    ///
    /// ## Known gaps
    /// None known.
    "host-ipc" {
        run: find,
        title: "pod shares the node's IPC namespace",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "remove `hostIPC: true`",
        aliases: &[
            ("kube-linter", "host-ipc"),
            ("polaris", "hostIPCSet"),
            ("kubescape", "C-0038"),
            ("trivy", "KSV-0008"),
            ("checkov", "CKV_K8S_18"),
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
        let headline = format!("{} shares the node's IPC namespace", case.who());
        let label = "shared memory of the node is in reach because of this";
        (case.violation.found == "hostIPC=true").then(|| Wording::new(headline, label))
    });
}
