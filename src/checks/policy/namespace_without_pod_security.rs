use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, NamespaceSource};
use crate::finding::{Layer, Persona, Severity};
use crate::model::pod_security::Level;
use crate::model::{Enforcement, namespace_id};

check! {
    /// Flags namespaces with workloads whose Namespace enforces no Pod Security level.
    ///
    /// ## Why it matters
    /// Without the label the API server admits whatever its own default says, as a rule everything:
    /// privileged pods, host paths, root.
    ///
    /// ## Fix
    /// Label the Namespace `pod-security.kubernetes.io/enforce: restricted` (or `baseline`).
    ///
    /// ## Known gaps
    /// Not assessed where the Namespace object is not in the input. Admission policies of other
    /// engines are not counted. A Namespace that enforces `privileged` is not reported: the label is
    /// there, and what its level is worth is another question.
    "namespace-without-pod-security" {
        run: find,
        title: "no Pod Security level is enforced",
        layer: Layer::Policy,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Namespace, Kind::Pod],
        fix: "label the Namespace `pod-security.kubernetes.io/enforce: restricted`",
        aliases: &[("kyverno", "add-psa-labels"), ("kubescape", "C-0192")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for (name, part) in cx.model.namespaces(&[Kind::Namespace, Kind::Pod]) {
        if part.workloads.is_empty() {
            out.not_applicable();
            continue;
        }
        let id = namespace_id(name);
        let open = |reason: String| Arc::<str>::from(reason);
        let Some(namespace) = &part.namespace else {
            let reason = open(format!("Namespace `{name}` is not in the input; add it"));
            out.not_assessed(&CHECK, &id, reason);
            continue;
        };
        let mut workloads = part.workloads.iter();
        if workloads.all(|workload| workload.namespace == NamespaceSource::Assumed) {
            let reason = open(format!("no workload says that it lies in `{name}`; write it"));
            out.not_assessed(&CHECK, &id, reason);
            continue;
        }
        match namespace.enforcement() {
            // A check of its own is about this level.
            Some(Enforcement { level: Level::Privileged, .. }) => out.not_applicable(),
            Some(enforcement) => out.pass(&CHECK, &id, enforcement.span),
            None => out.push(
                CHECK
                    .finding(&id, format!("namespace `{name}` enforces no Pod Security level"))
                    .label(namespace.span, "no `pod-security.kubernetes.io/enforce` label here")
                    .affects(part.workloads.iter().map(|workload| Arc::clone(&workload.id)))
                    .absence(),
            ),
        }
    }
}
