use super::hardening::{Case, HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, Param, ParamKind, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::pod_security::Violation;
use crate::model::{Sourced, Workload};

check! {
    /// Flags capabilities that are added beyond the allowed set.
    ///
    /// ## Why it matters
    /// Each capability is a part of root. Several of them (SYS_ADMIN, SYS_PTRACE, SYS_MODULE,
    /// DAC_READ_SEARCH) are enough to take over the node.
    ///
    /// ## Fix
    /// Remove the capability. Only NET_BIND_SERVICE is allowed by the restricted Pod Security
    /// Standard; with `--pss baseline` the baseline set holds, and `params.allow` replaces both.
    ///
    /// ## Known gaps
    /// What a capability is needed for is not known. Under a runtime class that is named after a
    /// sandbox the finding is low.
    "capability-added" {
        run: find,
        title: "capability is added",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        params: &[Param {
            name: "allow",
            kind: ParamKind::Texts,
            doc: "capabilities that may be added, instead of the standard's set",
        }],
        fix: "remove the capability from `capabilities.add`",
        aliases: &[
            ("trivy", "KSV-0022"),
            ("checkov", "CKV_K8S_25"),
            ("kubescape", "C-0046"),
            ("polaris", "dangerousCapabilities"),
            ("kyverno", "disallow-capabilities"),
            ("gatekeeper", "capabilities"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["capabilities_restricted", "capabilities_baseline"],
        at_baseline: &["capabilities_baseline"],
        sandbox_helps: true,
    };
    let word = |case: &Case<'_>| {
        let name = &case.violation.found;
        let headline = format!("{} adds capability `{name}`", case.who());
        let wording = Wording::new(headline, "this capability is not among the allowed ones");
        (!case.violation.missing).then_some(wording)
    };
    let Some(allowed) = cx.params.texts("allow") else {
        view.judge(cx, out, word);
        return;
    };
    for workload in cx.model.workloads() {
        view.report(out, workload, "capabilities_restricted", &beyond(workload, allowed), word);
    }
}

/// What the containers add beyond a configured set.
fn beyond(workload: &Workload, allowed: &[String]) -> Vec<Violation> {
    let containers = workload.pod.containers.iter().enumerate();
    let added = containers.flat_map(|(i, container)| {
        container.security.added.iter().map(move |capability| (i, capability))
    });
    let refused = added.filter(|(_, capability)| !allowed.contains(&capability.value));
    let violation = |(i, capability): (usize, &Sourced<String>)| Violation {
        container: Some(i),
        span: capability.span,
        found: capability.value.clone(),
        missing: false,
    };
    refused.map(violation).collect()
}
