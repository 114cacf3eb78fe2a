use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Binding, Workload};

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
    /// An account that a binding names is taken to need its token. So is a container that runs
    /// `kubectl`. Not assessed where bindings may be missing from the input.
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
    let mut bindings: HashMap<(&str, &str), &Binding> = HashMap::new();
    for binding in cx.model.bindings() {
        for subject in binding.subjects.iter().filter(|subject| subject.kind == "ServiceAccount") {
            bindings.entry((&subject.namespace, &subject.name)).or_insert(binding);
        }
    }
    for workload in cx.model.workloads() {
        let (namespace, name) = (workload.id.namespace.as_str(), workload.pod.account());
        let account = cx.model.service_account(namespace, name);
        let own = workload.pod.automount.as_ref();
        let setting = own.or_else(|| account.and_then(|account| account.automount.as_ref()));
        if let Some(off) = setting.filter(|setting| !setting.value) {
            out.pass(&CHECK, &workload.id, off.span);
            continue;
        }
        if let Some(binding) = bindings.get(&(namespace, name)) {
            out.pass(&CHECK, &workload.id, binding.span);
            continue;
        }
        if asks_the_api(workload) {
            out.not_applicable();
            continue;
        }
        if let Some(gap) = cx.model.gap_for(namespace).or_else(|| cx.model.gap_for("")) {
            out.not_assessed(&CHECK, &workload.id, gap);
            continue;
        }
        let written = workload.pod.service_account.as_ref();
        let finding = CHECK
            .finding(&workload.id, format!("{} mounts a token it cannot use", workload.title()))
            .affects([Arc::clone(&workload.id)])
            .hardening();
        out.push(match (setting, written) {
            (Some(on), _) => finding.label(on.span, "the token is mounted because of this"),
            (None, Some(account)) => {
                finding.label(account.span, "no binding gives this account any right")
            }
            (None, None) => finding.label(
                workload.span,
                "runs as `default`, which no binding gives any right, and mounts its token",
            ),
        });
    }
}

/// Whether a container runs a client of the API.
fn asks_the_api(workload: &Workload) -> bool {
    const CLIENTS: [&str; 4] = ["kubectl", "helm", "flux", "argocd"];
    workload.pod.containers.iter().any(|container| {
        let image = container.image.iter().map(|image| image.value.as_str());
        let texts = image.chain(container.arguments.iter().map(|argument| argument.text.as_str()));
        texts.into_iter().any(|text| CLIENTS.iter().any(|client| text.contains(client)))
    })
}
