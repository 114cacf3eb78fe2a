use std::sync::Arc;

use super::credentials::describe;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::EnvValue;

check! {
    /// Flags environment variables whose literal value is a credential.
    ///
    /// ## Why it matters
    /// Whoever may read the manifest, the repository or the pod has the credential, and it cannot
    /// be rotated without a change of all three.
    ///
    /// ## Fix
    /// Put the value into a Secret that a tool fills (sealed, encrypted, or from a store), refer to
    /// it by `valueFrom.secretKeyRef`, and change the value, which is known by now.
    ///
    /// ## Known gaps
    /// A value is judged by its shape and by the variable's name; a credential without a known
    /// shape under a harmless name is not seen. The value itself is never kept or printed.
    "secret-literal-in-env" {
        run: find,
        title: "literal secret in an environment variable",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "move the value into a Secret, refer to it by `secretKeyRef`, and change it",
        aliases: &[
            ("kube-linter", "env-var-secret"),
            ("polaris", "sensitiveContainerEnvVar"),
            ("kubescape", "C-0012"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for workload in cx.model.workloads() {
        let before = out.findings.len();
        for container in &workload.pod.containers {
            for variable in &container.env {
                let EnvValue::Credential(credential) = &variable.value else { continue };
                let name = &variable.name;
                let headline = format!("{} has a secret in variable `{name}`", container.title());
                out.push(
                    CHECK
                        .finding(&workload.id, headline)
                        .label(variable.span, format!("{} is written here", describe(*credential)))
                        .container(&container.name)
                        .affects([Arc::clone(&workload.id)]),
                );
            }
        }
        if out.findings.len() == before {
            out.pass(&CHECK, &workload.id, workload.span);
        }
    }
}
