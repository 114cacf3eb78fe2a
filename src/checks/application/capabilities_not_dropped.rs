use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags containers that keep capabilities they did not ask for.
    ///
    /// ## Why it matters
    /// A container runtime grants about a dozen capabilities by default, raw sockets and changes of
    /// file owners among them. Few programs need one.
    ///
    /// ## Fix
    /// Set `securityContext.capabilities.drop: [ALL]` on every container, and add back what it
    /// needs.
    ///
    /// ## Known gaps
    /// `drop` lists that name every capability one by one are reported: the next kernel adds
    /// another one. Under a runtime class that is named after a sandbox the finding is low.
    "capabilities-not-dropped" {
        run: find,
        title: "capabilities are not dropped",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "set `securityContext.capabilities.drop: [ALL]` on the container",
        aliases: &[
            ("trivy", "KSV-0003"),
            ("checkov", "CKV_K8S_37"),
            ("kubescape", "C-0201"),
            ("kyverno", "require-drop-all"),
            ("polaris", "insecureCapabilities"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["capabilities_restricted"],
        at_baseline: &[],
        sandbox_helps: true,
    };
    view.judge(cx, out, |case| {
        let headline = format!("{} keeps its default capabilities", case.who());
        let dropped = case.container.map_or(&[][..], |container| &container.security.dropped);
        let alike = dropped.iter().find(|name| name.value.eq_ignore_ascii_case("ALL"));
        let label = match alike {
            Some(name) => format!("`{}` is no capability; `ALL` is every one", name.value),
            None => "`drop` lacks `ALL` for this container".to_owned(),
        };
        case.violation.missing.then(|| Wording::new(headline, label))
    });
}
