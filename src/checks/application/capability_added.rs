use super::hardening::HardeningView;
use crate::catalog::{CellRole, Context, Outcomes, Param, ParamKind, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags capabilities that are added beyond the allowed set.
    ///
    /// ## Why it matters
    /// Each capability is a part of root. Several of them (SYS_ADMIN, SYS_PTRACE, SYS_MODULE,
    /// DAC_READ_SEARCH) are enough to take over the node.
    ///
    /// ## Fix
    /// Remove the capability. Only NET_BIND_SERVICE is allowed by the restricted Pod Security
    /// Standard; with `--pss baseline` the baseline set holds.
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
    let allowed = cx.params.texts("allow").unwrap_or_default();
    view.judge(cx, out, |case| {
        let name = &case.violation.found;
        if case.violation.missing || allowed.contains(name) {
            return None;
        }
        let headline = format!("{} adds capability `{name}`", case.who());
        Some((headline, "this capability is not among the allowed ones".into()))
    });
}
