//! Checks that are views over the Pod Security evaluator: one place says how a violation becomes a
//! finding, so that no check repeats a control.

use crate::catalog::{Check, Context, Outcomes};
use crate::document::Span;
use crate::finding::{Finding, Severity};
use crate::model::pod_security::{Violation, control};
use crate::model::{Container, Workload};

/// How a check looks at the controls.
pub(super) struct HardeningView {
    /// The check.
    pub(super) check: &'static Check,
    /// Ids of the controls, the stricter one first; the first that the version has is asked.
    pub(super) controls: &'static [&'static str],
    /// The same where only the baseline level is asked for; nothing applies where it is empty.
    pub(super) at_baseline: &'static [&'static str],
    /// Whether a sandbox around the pod makes up for it, so that the finding is low.
    pub(super) sandbox_helps: bool,
}

/// What a violation is about.
pub(super) struct Case<'a> {
    pub(super) workload: &'a Workload,
    pub(super) container: Option<&'a Container>,
    pub(super) violation: &'a Violation,
}

/// What a check says of a violation.
pub(super) struct Wording {
    headline: String,
    label: String,
    more: Vec<(Span, String)>,
    at_most: Severity,
    help: Option<String>,
}

impl Wording {
    /// Headline, and the label of the place to change.
    pub(super) fn new(headline: impl Into<String>, label: impl Into<String>) -> Self {
        let (headline, label) = (headline.into(), label.into());
        Self { headline, label, more: Vec::new(), at_most: Severity::Critical, help: None }
    }

    /// Another place that belongs to it.
    pub(super) fn and(mut self, at: Span, text: impl Into<String>) -> Self {
        self.more.push((at, text.into()));
        self
    }

    /// Lowers the severity for a case that the check's docs name.
    pub(super) fn at_most(mut self, severity: Severity) -> Self {
        self.at_most = severity;
        self
    }

    /// What to do in this case.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Case<'_> {
    /// The container, or the workload where it is about the pod as a whole.
    pub(super) fn who(&self) -> String {
        match self.container {
            Some(container) => container.title(),
            None => self.workload.title(),
        }
    }
}

impl HardeningView {
    /// Judges every workload. `word` says what is to be said of a violation, or nothing where
    /// another check speaks about it.
    pub(super) fn judge(
        &self,
        cx: &Context<'_>,
        out: &mut Outcomes,
        word: impl Fn(&Case<'_>) -> Option<Wording>,
    ) {
        let version = cx.pod_security.version();
        let baseline = cx.pod_security.baseline_only();
        let wanted = if baseline { self.at_baseline } else { self.controls };
        for workload in cx.model.workloads() {
            let asked =
                wanted.iter().find_map(|id| Some((*id, control(&workload.pod, id, version)?)));
            match asked {
                None => out.not_applicable(),
                Some((id, failure)) => {
                    let violations = failure.map_or_else(Vec::new, |failure| failure.violations);
                    self.report(out, workload, id, &violations, &word);
                }
            }
        }
    }

    /// Reports the violations of one workload, or that there is none.
    pub(super) fn report(
        &self,
        out: &mut Outcomes,
        workload: &Workload,
        control: &'static str,
        violations: &[Violation],
        word: impl Fn(&Case<'_>) -> Option<Wording>,
    ) {
        let before = out.findings.len();
        for violation in violations {
            let container = violation.container.and_then(|i| workload.pod.containers.get(i));
            let case = Case { workload, container, violation };
            if let Some(wording) = word(&case) {
                out.push(self.finding(&case, control, wording));
            }
        }
        if out.findings.len() == before {
            out.pass(self.check, &workload.id, workload.span);
        }
    }

    fn finding(&self, case: &Case<'_>, control: &'static str, wording: Wording) -> Finding {
        let Wording { headline, label, more, at_most, help } = wording;
        let mut finding = self
            .check
            .finding(&case.workload.id, headline)
            .label(case.violation.span, label)
            .affects([case.workload.id.clone()])
            .hardening()
            .controls([control])
            .at_most(at_most);
        for (at, text) in more {
            finding = finding.label(at, text);
        }
        if let Some(help) = help {
            finding = finding.help(help);
        }
        if let Some(container) = case.container {
            finding = finding.container(&container.name);
        }
        match case.workload.pod.runtime_class.as_ref().filter(|class| is_sandbox(&class.value)) {
            Some(class) if self.sandbox_helps => {
                let text = "this runtime class keeps the pod apart from the node's kernel";
                finding.at_most(Severity::Low).label(class.span, text)
            }
            _ => finding,
        }
    }
}

/// Runtime classes that are named after a sandbox. The name is all that a manifest shows.
fn is_sandbox(class: &str) -> bool {
    ["gvisor", "runsc", "kata", "firecracker", "sandbox"].iter().any(|word| class.contains(word))
}
