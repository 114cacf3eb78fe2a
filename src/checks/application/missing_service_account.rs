use std::sync::Arc;

use super::accounts::AccountIndex;
use super::evidence::is_typo;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, NamespaceSource};
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{ServiceAccount, Sourced, Truth, Workload};

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
    /// Not assessed where a chart, an operator or another source may make the account, unless the
    /// namespace has an account whose name is one letter away. The account `default` exists in every
    /// namespace.
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
    let index = AccountIndex::of(cx.model.in_force(&[Kind::ServiceAccount]));
    for workload in cx.model.workloads() {
        let written = workload.pod.service_account.as_ref();
        // Kubernetes makes `default` in every namespace.
        let Some(written) = written.filter(|account| account.value != "default") else {
            out.not_applicable();
            continue;
        };
        match index.of_workload(workload) {
            Some((account, Truth::Yes)) => out.pass(&CHECK, &workload.id, account.span),
            found => match (typo(&index, workload), open(cx, workload, found.is_some())) {
                (None, Some(reason)) => out.not_assessed(&CHECK, &workload.id, reason),
                (meant, _) => out.push(missing(workload, written, meant, &index)),
            },
        }
    }
}

/// Why the account may exist all the same.
fn open(cx: &Context<'_>, workload: &Workload, unsure: bool) -> Option<Arc<str>> {
    let name = workload.pod.account();
    if workload.namespace == NamespaceSource::ClusterScoped {
        return Some("its pods run in the namespace of whoever uses it".into());
    }
    if ["${", "$(", "{{", "<"].iter().any(|mark| name.contains(mark)) {
        return Some("the name is still to be filled in; check what is applied".into());
    }
    let unwritten = "a ServiceAccount of this name exists, and the namespace of one of the two is \
                     not written; write it";
    let gap = cx.model.gap_for(&workload.id.namespace);
    gap.or_else(|| unsure.then(|| Arc::from(unwritten)))
}

/// An account of the same namespace whose name is one edit away: nobody makes both.
fn typo<'a>(index: &AccountIndex<'a>, workload: &Workload) -> Option<&'a ServiceAccount> {
    let name = workload.pod.account();
    let mut here = index.all().filter(|account| account.home().is(&workload.home()) == Truth::Yes);
    here.find(|account| is_typo(&account.id.name, name))
}

fn missing(
    workload: &Workload,
    written: &Sourced<String>,
    meant: Option<&ServiceAccount>,
    index: &AccountIndex<'_>,
) -> Finding {
    let (name, namespace) = (&written.value, &workload.id.namespace);
    let headline = format!("{} runs as an account that does not exist", workload.title());
    let finding = CHECK
        .finding(&workload.id, headline)
        .label(written.span, format!("namespace `{namespace}` has no ServiceAccount `{name}`"))
        .affects([Arc::clone(&workload.id)]);
    if let Some(meant) = meant {
        let help = format!("write `serviceAccountName: {}`", meant.id.name);
        return finding.label(meant.span, "it has this one").help(help);
    }
    match index.named(name).first() {
        Some(elsewhere) => {
            let text = format!("one of this name lies in namespace `{}`", elsewhere.id.namespace);
            finding.label(elsewhere.span, text)
        }
        None => finding,
    }
}
