//! Checks that are views over the Pod Security evaluator: one place says how a violation becomes a
//! finding, so that no check repeats a control.

use crate::catalog::{Check, Context, Outcomes};
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

impl Case<'_> {
    /// `container `web` of Deployment `shop``, or the workload alone.
    pub(super) fn who(&self) -> String {
        match self.container {
            Some(container) => container.title(),
            None => self.workload.title(),
        }
    }
}

impl HardeningView {
    /// Judges every workload. `word` gives headline and label of a violation, or none where another
    /// check speaks about it.
    pub(super) fn judge(
        &self,
        cx: &Context<'_>,
        out: &mut Outcomes,
        word: impl Fn(&Case<'_>) -> Option<(String, String)>,
    ) {
        let version = cx.pod_security.version();
        let baseline = cx.pod_security.baseline_only();
        let wanted = if baseline { self.at_baseline } else { self.controls };
        for workload in cx.model.workloads() {
            let asked =
                wanted.iter().find_map(|id| Some((*id, control(&workload.pod, id, version)?)));
            let Some((id, failure)) = asked else {
                out.not_applicable();
                continue;
            };
            let before = out.findings.len();
            for violation in failure.iter().flat_map(|failure| &failure.violations) {
                let container = violation.container.and_then(|i| workload.pod.containers.get(i));
                let case = Case { workload, container, violation };
                if let Some((headline, label)) = word(&case) {
                    out.push(self.finding(&case, id, headline, label));
                }
            }
            if out.findings.len() == before {
                out.pass(self.check, &workload.id, workload.span);
            }
        }
    }

    fn finding(
        &self,
        case: &Case<'_>,
        id: &'static str,
        headline: String,
        label: String,
    ) -> Finding {
        let finding = self
            .check
            .finding(&case.workload.id, headline)
            .label(case.violation.span, label)
            .affects([case.workload.id.clone()])
            .hardening()
            .controls([id]);
        let finding = match case.container {
            Some(container) => finding.container(&container.name),
            None => finding,
        };
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
