use std::sync::Arc;

use super::accounts::AccountIndex;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, NamespaceSource, Span};
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Truth, Workload};

check! {
    /// Flags workloads that mount an API token although their account has no rights to use it for.
    ///
    /// ## Why it matters
    /// The token is a credential of the cluster inside the container. Whoever takes the container
    /// over asks the API server with it, and gets whatever the account is granted later.
    ///
    /// ## Fix
    /// Set `automountServiceAccountToken: false` on the pod, or on its ServiceAccount.
    ///
    /// ## Known gaps
    /// An account that a binding names, by itself or with all accounts of its namespace, is taken to
    /// need its token. So is a container that runs `kubectl` or another client of the API. Not
    /// assessed where bindings may be missing from the input.
    "token-automounted" {
        run: find,
        title: "API token is mounted without need",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::ServiceAccount, Kind::RoleBinding, Kind::ClusterRoleBinding],
        fix: "set `automountServiceAccountToken: false` on the pod",
        aliases: &[
            ("polaris", "automountServiceAccountToken"),
            ("kubescape", "C-0034"),
            ("trivy", "KSV-0036"),
            ("checkov", "CKV_K8S_38"),
            ("kyverno", "restrict-automount-sa-token"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let kinds = [Kind::ServiceAccount, Kind::RoleBinding, Kind::ClusterRoleBinding];
    let index = AccountIndex::of(cx.model.in_force(&kinds));
    for workload in cx.model.workloads() {
        let account = index.of_workload(workload);
        let of_account =
            account.and_then(|(account, sure)| Some((account.automount.as_ref()?, sure)));
        let own = workload.pod.automount.as_ref().map(|own| (own, Truth::Yes));
        let setting = own.or(of_account);
        let right = index.right_of(&workload.home(), workload.pod.account());
        match (setting, right) {
            (Some((off, Truth::Yes)), _) if !off.value => {
                out.pass(&CHECK, &workload.id, off.span);
            }
            _ if asks_the_api(workload) => out.not_applicable(),
            (_, Some((binding, Truth::Yes))) => out.pass(&CHECK, &workload.id, binding.span),
            _ => {
                let off = setting.is_some_and(|(off, _)| !off.value);
                let on = setting.filter(|(on, sure)| on.value && *sure == Truth::Yes);
                match open(cx, workload, off || right.is_some()) {
                    Some(reason) => out.not_assessed(&CHECK, &workload.id, reason),
                    None => out.push(idle(workload, on.map(|(on, _)| on.span))),
                }
            }
        }
    }
}

/// Why it is not known whether the token is of use. `unsure` is whether that hangs on a namespace
/// that is not written.
fn open(cx: &Context<'_>, workload: &Workload, unsure: bool) -> Option<Arc<str>> {
    if workload.namespace == NamespaceSource::ClusterScoped {
        let reason = "its pods run in the namespace of whoever uses it; set \
                      `automountServiceAccountToken: false` on it";
        return Some(reason.into());
    }
    let gap = cx.model.gap_for(&workload.id.namespace).or_else(|| cx.model.gap_for(""));
    let name = workload.pod.account();
    let unwritten = || {
        let reason = format!(
            "whether an object that names account `{name}` lies in the same namespace is not \
             written; write `metadata.namespace`"
        );
        Arc::from(reason)
    };
    gap.or_else(|| unsure.then(unwritten))
}

fn idle(workload: &Workload, on: Option<Span>) -> Finding {
    let finding = CHECK
        .finding(&workload.id, format!("{} mounts a token it cannot use", workload.title()))
        .affects([Arc::clone(&workload.id)])
        .hardening();
    match (on, workload.pod.service_account.as_ref()) {
        (Some(on), _) => finding.label(on, "the token is mounted because of this"),
        (None, Some(account)) => {
            finding.label(account.span, "no binding gives this account any right")
        }
        (None, None) => finding.label(
            workload.span,
            "runs as `default`, which no binding gives any right, and mounts its token",
        ),
    }
}

/// Whether a container runs a client of the API.
fn asks_the_api(workload: &Workload) -> bool {
    const CLIENTS: [&str; 6] = ["kubectl", "oc", "helm", "flux", "argocd", "istioctl"];
    workload.pod.containers.iter().any(|container| {
        let image = container.image.as_ref().map_or("", |image| &image.value);
        let repository = image.rsplit('/').next().unwrap_or_default();
        let program = repository.split([':', '@']).next().unwrap_or_default();
        let mut arguments = container.arguments.iter();
        CLIENTS.contains(&program)
            || arguments.any(|argument| CLIENTS.iter().any(|client| runs(&argument.text, client)))
    })
}

/// Whether a command line names a program: as a word of its own, with or without its directory.
fn runs(text: &str, program: &str) -> bool {
    let edge = |c: char| c.is_whitespace() || "\"'`;|&()".contains(c);
    text.match_indices(program).any(|(at, found)| {
        let before = text.get(..at).and_then(|rest| rest.chars().next_back());
        let behind = text.get(at + found.len()..).and_then(|rest| rest.chars().next());
        before.is_none_or(|c| edge(c) || c == '/') && behind.is_none_or(edge)
    })
}
