use std::collections::BTreeMap;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Quota, Sourced, Truth};

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
    /// All quotas of a namespace count together; where one of them may come from what was not read,
    /// the gap is not assessed. Quotas with scopes are left out: they hold for some pods only.
    /// CPU above the request is reported only where pods are not counted either: it is shared by
    /// weight. Whether the numbers fit is not judged.
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
    let mut in_force: BTreeMap<&str, Vec<&Quota>> = BTreeMap::new();
    let parts = cx.model.in_force(&[Kind::ResourceQuota]);
    for quota in parts.flat_map(|part| &part.quotas).filter(|quota| !quota.scoped) {
        in_force.entry(&quota.id.namespace).or_default().push(quota);
    }
    for quota in cx.model.quotas() {
        if quota.scoped {
            out.not_applicable();
            continue;
        }
        let others = in_force.get(quota.id.namespace.as_str()).map_or(&[][..], Vec::as_slice);
        judge(cx, out, quota, others);
    }
}

/// A key that is limited while the way around it is not.
struct Gap<'a> {
    half: &'a Sourced<String>,
    missing: &'static str,
    what: &'static str,
}

fn judge(cx: &Context<'_>, out: &mut Outcomes, quota: &Quota, others: &[&Quota]) {
    let mut gaps = Vec::new();
    let mut closed_by = None;
    let mut unsure = false;
    for (limits, closes, what) in PAIRS {
        let written = |key: &&str| quota.hard.iter().find(|hard| hard.value == **key);
        let Some(half) = limits.iter().find_map(&written) else { continue };
        if closes.iter().any(|key| written(key).is_some()) {
            continue;
        }
        let elsewhere = others.iter().filter_map(|other| {
            let key = other.hard.iter().find(|hard| closes.contains(&hard.value.as_str()))?;
            Some((other.home().is(&quota.home()), key.span))
        });
        match elsewhere.max() {
            Some((Truth::Yes, span)) => closed_by = closed_by.or(Some(span)),
            Some((Truth::Unknown, _)) => unsure = true,
            _ => {
                gaps.push(Gap { half, missing: closes.first().copied().unwrap_or_default(), what })
            }
        }
    }
    let unwritten = "another quota closes the gap if it lies in the same namespace; write the \
                     namespace of both";
    let open = cx.model.gap_for(&quota.id.namespace).filter(|_| !gaps.is_empty());
    match open.or_else(|| unsure.then(|| unwritten.into())) {
        Some(reason) => out.not_assessed(&CHECK, &quota.id, reason),
        None if gaps.is_empty() => {
            out.pass(&CHECK, &quota.id, closed_by.unwrap_or(quota.hard_span));
        }
        None => out.push(way_around(quota, &gaps)),
    }
}

fn way_around(quota: &Quota, gaps: &[Gap<'_>]) -> Finding {
    let headline = format!("ResourceQuota `{}` leaves a way around it", quota.id.name);
    let missing: Vec<String> = gaps.iter().map(|gap| format!("`{}`", gap.missing)).collect();
    let finding = CHECK.finding(&quota.id, headline);
    let finding = finding.help(format!("add {} to `spec.hard`", missing.join(", ")));
    gaps.iter().fold(finding, |finding, gap| finding.label(gap.half.span, gap.what))
}
