use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags container ports that are bound on the node.
    ///
    /// ## Why it matters
    /// A `hostPort` opens the container on its node's addresses, past Services, gateways and
    /// everything that they enforce.
    ///
    /// ## Fix
    /// Remove `hostPort` and publish the container by a Service.
    ///
    /// ## Known gaps
    /// Only what is written: for pods in the host's network the API server adds the rest.
    "host-port" {
        run: find,
        title: "container port is bound on the node",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "remove `hostPort` and publish the port by a Service",
        aliases: &[
            ("polaris", "hostPortSet"),
            ("kubescape", "C-0044"),
            ("trivy", "KSV-0024"),
            ("checkov", "CKV_K8S_26"),
            ("kyverno", "disallow-host-ports"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["hostPorts"],
        at_baseline: &["hostPorts"],
        sandbox_helps: false,
    };
    view.judge(cx, out, |case| {
        let port = &case.violation.found;
        let headline = format!("{} is bound to port {port} of its node", case.who());
        Some(Wording::new(headline, "the node's addresses lead straight to the container"))
    });
}
