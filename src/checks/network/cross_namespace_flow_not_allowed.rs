use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, Param, ParamKind, check};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Direction, Known, Workload};
use crate::reach::{Endpoint, PodRef, PortSet, REACH_KINDS, Verdict};

check! {
    /// Flags traffic between namespaces that is on no allowlist.
    ///
    /// ## Why it matters
    /// Namespaces are where most platforms draw the line between teams and tenants. A flow that
    /// crosses it without anybody's consent is the way by which one compromised team becomes all.
    ///
    /// ## Fix
    /// Close the flow at either end, or put the pair on the allowlist.
    ///
    /// ## Known gaps
    /// Speaks only where palisade.yaml has the list `params.allow`; an empty list allows no pair.
    /// Network policies decide; mesh and gateway are not counted. Flows that labels outside the
    /// input decide are not assessed.
    "cross-namespace-flow-not-allowed" {
        run: find,
        title: "traffic between namespaces without consent",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        params: &[Param {
            name: "allow",
            kind: ParamKind::Pairs,
            doc: "pairs `source -> destination`; each side is `namespace` or `namespace/workload`, `*` for any",
        }],
        fix: "close the flow at either end, or allow the pair under `params.allow`",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let Some(allowed) = cx.params.texts("allow") else {
        out.not_applicable();
        return;
    };
    let pairs: Vec<(&str, &str)> = allowed
        .iter()
        .filter_map(|pair| {
            let (from, to) = pair.split_once("->")?;
            Some((from.trim(), to.trim()))
        })
        .collect();
    for destination in cx.reach.pods() {
        let mut open: BTreeMap<Option<u32>, BTreeMap<&str, Flow<'_>>> = BTreeMap::new();
        for source in cx.reach.pods() {
            let (from, to) = (source.workload, destination.workload);
            let consent = pairs.iter().any(|(a, b)| is(from, a) && is(to, b));
            if from.id.namespace == to.id.namespace || consent {
                continue;
            }
            match flow(cx, source, destination) {
                None => {
                    let reason = "labels that decide are not in the input; add them";
                    out.not_assessed(&CHECK, &to.id, reason.into());
                }
                Some((ports, _)) if ports.is_empty() => {}
                Some((ports, by)) => {
                    let of_rule = open.entry(by).or_default();
                    let known = of_rule.entry(&from.id.namespace);
                    let flow = known.or_insert(Flow { source: from, ports: PortSet::none() });
                    flow.ports = flow.ports.or(&ports);
                }
            }
        }
        if open.is_empty() {
            out.pass(&CHECK, &destination.workload.id, destination.workload.span);
        }
        for (by, flows) in open {
            report(cx, out, destination.workload, by, &flows);
        }
    }
}

struct Flow<'a> {
    source: &'a Workload,
    ports: PortSet,
}

/// The ports that both ends admit, and the rule of the destination that does.
fn flow(
    cx: &Context<'_>,
    source: PodRef<'_>,
    destination: PodRef<'_>,
) -> Option<(PortSet, Option<u32>)> {
    let side = |pod, direction, peer: &Endpoint<'_>| match cx.reach.verdict(pod, direction, peer) {
        Known(Verdict { allowed, conditional, by }) => Some((allowed.or(&conditional), by)),
        _ => None,
    };
    let (out, _) = side(source, Direction::Egress, &Endpoint::Pod(destination.workload))?;
    let (into, by) = side(destination, Direction::Ingress, &Endpoint::Pod(source.workload))?;
    Some((out.and(&into), by.first().copied()))
}

/// What one rule admits to a workload, or the absence of any.
fn report(
    cx: &Context<'_>,
    out: &mut Outcomes,
    to: &Workload,
    by: Option<u32>,
    flows: &BTreeMap<&str, Flow<'_>>,
) {
    let names: Vec<String> = flows.keys().map(|name| format!("`{name}`")).collect();
    let word = if names.len() == 1 { "namespace" } else { "namespaces" };
    let ports = flows.values().fold(PortSet::none(), |all, flow| all.or(&flow.ports));
    let headline = format!("{} is open to {word} {} on {ports}", to.title(), names.join(", "));
    let finding = CHECK.finding(&to.id, headline).affects([Arc::clone(&to.id)]);
    let mut finding = match by.and_then(|index| cx.reach.rule(index)) {
        Some(rule) => {
            finding.label(rule.origin.span, "this rule admits it").label(to.span, "to these pods")
        }
        None => finding.label(to.span, "no policy isolates these pods"),
    };
    for flow in flows.values() {
        let from = flow.source;
        finding = finding.label(from.span, format!("for instance from {}", from.title()));
    }
    out.push(finding);
}

/// Whether a workload is meant by `namespace` or `namespace/workload`.
fn is(workload: &Workload, name: &str) -> bool {
    let (namespace, workload_name) = name.split_once('/').unwrap_or((name, "*"));
    let fits = |wanted: &str, found: &str| wanted == "*" || wanted == found;
    fits(namespace, &workload.id.namespace) && fits(workload_name, &workload.id.name)
}
