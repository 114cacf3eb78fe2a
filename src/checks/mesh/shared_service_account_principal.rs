use std::collections::HashMap;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{
    AuthRule, AuthorizationPolicy, Known, Source, Sourced, Unknown, Wanted, Workload,
};

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
        reads: &[Kind::AuthorizationPolicy, Kind::Pod, Kind::Gateway],
        fix: "give the caller a ServiceAccount of its own and name that one",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut runs_as: HashMap<(&str, &str), Vec<&Workload>> = HashMap::new();
    for workload in cx.model.workloads().filter(|workload| !workload.superseded) {
        let account = (workload.id.namespace.as_str(), workload.pod.account());
        let sharing = runs_as.entry(account).or_default();
        // The templates of one object are one workload.
        if sharing.last().is_none_or(|last| last.id != workload.id) {
            sharing.push(workload);
        }
    }
    for policy in cx.model.authorization_policies() {
        let accounts: Vec<Account<'_>> =
            policy.rules().iter().flat_map(|rule| accounts(rule, &policy.id.namespace)).collect();
        if accounts.is_empty() {
            out.not_applicable();
        }
        for account in accounts {
            let key = (account.namespace.as_str(), account.name.as_str());
            let sharing = runs_as.get(&key).map_or(&[][..], Vec::as_slice);
            judge(cx, out, policy, &account, sharing);
        }
    }
}

/// A caller that a rule names.
struct Account<'a> {
    written: &'a Sourced<String>,
    namespace: String,
    name: String,
}

fn judge(
    cx: &Context<'_>,
    out: &mut Outcomes,
    policy: &AuthorizationPolicy,
    account: &Account<'_>,
    sharing: &[&Workload],
) {
    let Account { written, namespace, name } = account;
    if let (Some(domain), false) = (foreign(cx, written), name == "default") {
        let reason = format!(
            "trust domain `{domain}` is not the mesh's own, so its workloads are not in the input"
        );
        out.not_assessed(&CHECK, &policy.id, reason.into());
        return;
    }
    let policy_title = title(&policy.id);
    let (headline, label) = if name == "default" {
        (
            format!("{policy_title} names the default account as caller"),
            format!("every pod of namespace `{namespace}` without an account of its own"),
        )
    } else if sharing.len() > 1 {
        (
            format!("{policy_title} names an account that several workloads share"),
            format!("{} workloads run as `{name}`", sharing.len()),
        )
    } else {
        match (cx.model.closed(namespace), sharing.first()) {
            (Unknown(reason), _) => out.not_assessed(&CHECK, &policy.id, reason),
            (Known(()), Some(one)) => out.pass(&CHECK, &policy.id, one.span),
            (Known(()), None) => out.not_applicable(),
        }
        return;
    };
    let finding = CHECK.finding(&policy.id, headline).label(written.span, label);
    out.push(sharing.iter().take(3).fold(finding, |finding, workload| {
        finding.label(workload.span, format!("runs as `{name}`"))
    }));
}

/// The trust domain of a principal, where it is another one than the mesh's as declared.
/// `cluster.local` stands for the mesh's own everywhere.
fn foreign<'a>(cx: &Context<'_>, written: &'a Sourced<String>) -> Option<&'a str> {
    let own = cx.profile.trust_domain.as_deref()?;
    let (domain, _) = written.value.split_once("/ns/")?;
    let fits = domain == own || domain == "cluster.local" || domain.contains('*');
    (!fits).then_some(domain)
}

/// The accounts that a rule names as callers, by their principal or by themselves. A pattern stands
/// for several accounts on purpose.
fn accounts<'a>(rule: &'a AuthRule, own: &str) -> Vec<Account<'a>> {
    let of_sources = |field: fn(&Source) -> &Wanted| {
        rule.from.iter().flat_map(move |source| field(source).iter())
    };
    let of_conditions = |key: &'static str| {
        let conditions = rule.when.iter().filter(move |condition| condition.key.value == key);
        conditions.flat_map(|condition| condition.values.iter())
    };
    let principal = |written: &'a Sourced<String>| {
        let (_, rest) = written.value.split_once("/ns/")?;
        let (namespace, name) = rest.split_once("/sa/")?;
        let plain = !namespace.contains('*') && !name.contains('*');
        plain.then(|| Account { written, namespace: namespace.to_owned(), name: name.to_owned() })
    };
    let account = |written: &'a Sourced<String>| {
        let (namespace, name) = written.value.split_once('/').unwrap_or((own, &written.value));
        Account { written, namespace: namespace.to_owned(), name: name.to_owned() }
    };
    let principals =
        of_sources(|source| &source.principals).chain(of_conditions("source.principal"));
    let accounts =
        of_sources(|source| &source.service_accounts).chain(of_conditions("source.serviceAccount"));
    principals.filter_map(principal).chain(accounts.map(account)).collect()
}
