use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags seccomp profiles that filter nothing.
    ///
    /// ## Why it matters
    /// `Unconfined` opens every system call of the kernel, even where the node would filter by
    /// default.
    ///
    /// ## Fix
    /// Set the profile's type to `RuntimeDefault`, or to `Localhost` with a profile of your own.
    ///
    /// ## Known gaps
    /// What a `Localhost` profile allows is not known.
    "seccomp-unconfined" {
        run: find,
        title: "seccomp profile filters nothing",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "set `seccompProfile.type: RuntimeDefault`",
        aliases: &[
            ("trivy", "KSV-0104"),
            ("kyverno", "restrict-seccomp"),
            ("gatekeeper", "seccompv2"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["seccompProfile_baseline"],
        at_baseline: &["seccompProfile_baseline"],
        sandbox_helps: false,
    };
    view.judge(cx, out, |case| {
        let found = &case.violation.found;
        let headline = match found.as_str() {
            "" => format!("{} has a seccomp profile without a type", case.who()),
            _ => format!("{} runs with seccomp profile `{found}`", case.who()),
        };
        let label = match found.to_ascii_lowercase().as_str() {
            "unconfined" => "a profile of this type filters nothing",
            _ => "only the types `RuntimeDefault` and `Localhost` filter anything",
        };
        Some(Wording::new(headline, label))
    });
}
