use std::collections::HashMap;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{AuthRule, Sourced, Unknown, Workload};

check! {
    /// Flags principals that stand for more than one workload.
    ///
    /// ## Why it matters
    /// A principal is a ServiceAccount, not a workload. The account `default` is every pod of its
    /// namespace that names no other: "only the backend may call" then means the whole namespace.
    ///
    /// ## Fix
    /// Give the caller a ServiceAccount of its own and name that one.
    ///
    /// ## Known gaps
    /// An account other than `default` is counted over the workloads of the input; where its
    /// namespace may have more of them it is not assessed.
    "shared-service-account-principal" {
        run: find,
        title: "principal stands for several workloads",
        layer: Layer::Mesh,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::AuthorizationPolicy, Kind::Pod],
        fix: "give the caller a ServiceAccount of its own and name that one",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut runs_as: HashMap<(&str, &str), Vec<&Workload>> = HashMap::new();
    for workload in cx.model.workloads() {
        let account = (workload.id.namespace.as_str(), workload.pod.account());
        runs_as.entry(account).or_default().push(workload);
    }
    for policy in cx.model.authorization_policies() {
        let own = policy.id.namespace.as_str();
        let accounts: Vec<(&Sourced<String>, String, String)> =
            policy.rules().iter().flat_map(|rule| accounts(rule, own)).collect();
        if accounts.is_empty() {
            out.not_applicable();
            continue;
        }
        for (written, namespace, account) in accounts {
            let sharing = runs_as.get(&(namespace.as_str(), account.as_str()));
            let sharing = sharing.map_or(&[][..], Vec::as_slice);
            let policy_title = title(&policy.id);
            if account == "default" {
                let label =
                    format!("every pod of namespace `{namespace}` without an account of its own");
                let headline = format!("{policy_title} names the default account as caller");
                let finding = CHECK.finding(&policy.id, headline).label(written.span, label);
                out.push(sharing.iter().take(3).fold(finding, |finding, workload| {
                    finding.label(workload.span, "runs as `default`")
                }));
            } else if sharing.len() > 1 {
                let headline =
                    format!("{policy_title} names an account that several workloads share");
                let label = format!("{} workloads run as `{account}`", sharing.len());
                let finding = CHECK.finding(&policy.id, headline).label(written.span, label);
                out.push(sharing.iter().take(3).fold(finding, |finding, workload| {
                    finding.label(workload.span, format!("runs as `{account}`"))
                }));
            } else if let Unknown(reason) = cx.model.closed(&namespace) {
                out.not_assessed(&CHECK, &policy.id, reason);
            } else {
                out.pass(&CHECK, &policy.id, sharing.first().map_or(written.span, |w| w.span));
            }
        }
    }
}

/// The accounts that a rule names as callers: place, namespace, name.
fn accounts<'a>(rule: &'a AuthRule, own: &str) -> Vec<(&'a Sourced<String>, String, String)> {
    let principal = |written: &'a Sourced<String>| {
        let (_, rest) = written.value.split_once("/ns/")?;
        let (namespace, account) = rest.split_once("/sa/")?;
        let plain = !namespace.contains('*') && !account.contains('*');
        plain.then(|| (written, namespace.to_owned(), account.to_owned()))
    };
    let account = |written: &'a Sourced<String>| {
        let (namespace, name) = written.value.split_once('/').unwrap_or((own, &written.value));
        (written, namespace.to_owned(), name.to_owned())
    };
    let principals = rule.principals.iter().filter_map(principal);
    principals.chain(rule.service_accounts.iter().map(account)).collect()
}
