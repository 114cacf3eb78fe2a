use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, NamespaceSource};
use crate::finding::{Layer, Persona, Severity};
use crate::model::ServiceAccount;

check! {
    /// Flags workloads that run as a ServiceAccount that does not exist.
    ///
    /// ## Why it matters
    /// The API server refuses such pods: the workload does not start. Where somebody makes the
    /// account later, its rights are not those that were reviewed.
    ///
    /// ## Fix
    /// Add the ServiceAccount, or correct the name.
    ///
    /// ## Known gaps
    /// Not assessed where a chart, an operator or another source may make the account.
    "missing-service-account" {
        run: find,
        title: "service account does not exist",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::ServiceAccount],
        fix: "add the ServiceAccount, or correct `serviceAccountName`",
        aliases: &[
            ("kube-linter", "non-existent-service-account"),
            ("kubescape", "C-0307"),
            ("kyverno", "check-serviceaccount"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut first: HashMap<&str, &ServiceAccount> = HashMap::new();
    for account in cx.model.service_accounts() {
        first.entry(&account.id.name).or_insert(account);
    }
    for workload in cx.model.workloads() {
        let Some(written) = workload.pod.service_account.as_ref() else {
            out.not_applicable();
            continue;
        };
        if written.value == "default" {
            out.not_applicable();
            continue;
        }
        let (name, namespace) = (&written.value, &workload.id.namespace);
        let named = first.get(name.as_str());
        if let Some(account) = cx.model.service_account(namespace, name) {
            out.pass(&CHECK, &workload.id, account.span);
            continue;
        }
        let open = cx.model.gap_for(namespace).or_else(|| {
            let assumed = workload.namespace == NamespaceSource::Assumed && named.is_some();
            let reason = "a ServiceAccount of this name lies in another namespace, and this \
                          object's namespace is not written; write it";
            assumed.then(|| Arc::from(reason))
        });
        if let Some(reason) = open {
            out.not_assessed(&CHECK, &workload.id, reason);
            continue;
        }
        let headline = format!("{} runs as an account that does not exist", workload.title());
        let label = format!("namespace `{namespace}` has no ServiceAccount `{name}`");
        let mut finding = CHECK
            .finding(&workload.id, headline)
            .label(written.span, label)
            .affects([Arc::clone(&workload.id)]);
        if let Some(elsewhere) = named {
            let text = format!("one of this name lies in namespace `{}`", elsewhere.id.namespace);
            finding = finding.label(elsewhere.span, text);
        }
        out.push(finding);
    }
}
