use std::collections::HashSet;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Quota;

check! {
    /// Flags quotas that limit one way and leave another one open.
    ///
    /// ## Why it matters
    /// A tenant takes the way that is open: memory above what it requested, pods by another kind of
    /// controller, node ports instead of load balancers.
    ///
    /// ## Fix
    /// Add the keys that the label names to `spec.hard`.
    ///
    /// ## Known gaps
    /// All quotas of a namespace count together. Quotas with scopes are left out: they hold for
    /// some pods only. Whether the numbers fit is not judged.
    "quota-gap" {
        run: find,
        title: "quota leaves a way around it",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::ResourceQuota],
        fix: "add the missing keys to `spec.hard`",
        aliases: &[],
    }
}

/// Where one of the first keys is limited, one of the second has to be.
const PAIRS: [(&[&str], &[&str], &str); 4] = [
    (&["requests.memory", "memory"], &["limits.memory"], "memory above the request is not limited"),
    (
        &["requests.cpu", "cpu"],
        &["limits.cpu", "pods", "count/pods"],
        "CPU above the request is not limited",
    ),
    (
        &["count/deployments.apps", "count/replicasets.apps", "count/statefulsets.apps"],
        &["pods", "count/pods"],
        "pods are not counted, and other kinds make pods, too",
    ),
    (
        &["services.loadbalancers"],
        &["services.nodeports"],
        "node ports are not counted, and open the same Services",
    ),
];

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let quotas: Vec<&Quota> = cx.model.quotas().filter(|quota| !quota.scoped).collect();
    let mut limits: HashSet<(&str, &str)> = HashSet::new();
    for quota in &quotas {
        let keys = quota.hard.iter().map(|hard| hard.value.as_str());
        limits.extend(keys.map(|key| (quota.id.namespace.as_str(), key)));
    }
    for quota in &quotas {
        let limited = |key: &str| limits.contains(&(quota.id.namespace.as_str(), key));
        let written = |key: &str| quota.hard.iter().find(|hard| hard.value == key);
        let mut gaps = Vec::new();
        for (limits, closes, gap) in PAIRS {
            let half = limits.iter().find_map(|key| written(key));
            if let Some(half) = half.filter(|_| !closes.iter().any(|key| limited(key))) {
                gaps.push((half, closes.first().copied().unwrap_or_default(), gap));
            }
        }
        if gaps.is_empty() {
            out.pass(&CHECK, &quota.id, quota.hard_span);
            continue;
        }
        let missing: Vec<String> = gaps.iter().map(|(_, key, _)| format!("`{key}`")).collect();
        let headline = format!("ResourceQuota `{}` leaves a way around it", quota.id.name);
        let mut finding = CHECK.finding(&quota.id, headline);
        for (half, _, gap) in gaps {
            finding = finding.label(half.span, gap);
        }
        out.push(finding.help(format!("add {} to `spec.hard`", missing.join(", "))));
    }
}
