use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Autoscaler, Known, Truth, Unknown, Workload};

check! {
    /// Flags autoscalers whose target does not exist.
    ///
    /// ## Why it matters
    /// Nothing is scaled: the limit that the autoscaler seems to set on load and cost is not there.
    ///
    /// ## Fix
    /// Correct `scaleTargetRef`, or remove the autoscaler.
    ///
    /// ## Known gaps
    /// Not assessed for targets of kinds that carry no pod template, and where the target may come
    /// from a chart, an operator or the controller of a Gateway. A target that is there but cannot be
    /// scaled (a DaemonSet) is not reported.
    "autoscaler-target-missing" {
        run: find,
        title: "autoscaler has no target",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::HorizontalPodAutoscaler, Kind::Pod, Kind::Gateway],
        fix: "correct `scaleTargetRef`",
        aliases: &[
            ("kube-linter", "dangling-horizontalpodautoscaler"),
            ("kubescape", "C-0300"),
            ("kyverno", "check-hpa-exists"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut workloads: BTreeMap<&str, Vec<&Workload>> = BTreeMap::new();
    for workload in cx.model.in_force(&[Kind::Pod]).flat_map(|part| &part.workloads) {
        workloads.entry(&workload.id.name).or_default().push(workload);
    }
    for autoscaler in cx.model.autoscalers() {
        let named = workloads.get(autoscaler.target_name.value.as_str());
        judge(cx, out, autoscaler, named.map_or(&[], Vec::as_slice));
    }
}

/// Judges an autoscaler by the workloads that have the name of its target.
fn judge(cx: &Context<'_>, out: &mut Outcomes, autoscaler: &Autoscaler, named: &[&Workload]) {
    let (group, kind) = (autoscaler.target_group.as_str(), autoscaler.target_kind.as_str());
    let is_target = |workload: &Workload| workload.id.kind == kind && workload.id.group == group;
    let at = |wanted: Truth| {
        named.iter().filter(move |w| w.home().is(&autoscaler.home()) == wanted).copied()
    };
    if let Some(target) = at(Truth::Yes).find(|workload| is_target(workload)) {
        match scales(group, kind) {
            true => out.pass(&CHECK, &autoscaler.id, target.span),
            false => out.not_applicable(),
        }
        return;
    }
    // No server knows this kind in this group: the workload beside it was meant.
    let no_such_kind = Kind::of(group, kind).is_none() && Kind::of("apps", kind) == Some(Kind::Pod);
    let meant = at(Truth::Yes).find(|workload| workload.id.kind == kind);
    if let Some(meant) = meant.filter(|_| no_such_kind) {
        let help = format!("write `apiVersion: {}/v1` under `scaleTargetRef`", meant.id.group);
        let label = format!("no {kind} has this API group");
        out.push(lost(autoscaler, label).label(meant.span, "this one has another").help(help));
        return;
    }
    if let Some(reason) = open(cx, autoscaler, at(Truth::Unknown).any(is_target), no_such_kind) {
        out.not_assessed(&CHECK, &autoscaler.id, reason);
        return;
    }
    let label = format!("namespace `{}` has no {kind} of this name", autoscaler.id.namespace);
    let finding = lost(autoscaler, label);
    out.push(match at(Truth::Yes).next() {
        Some(near) => finding.label(near.span, format!("{} has this name", near.title())),
        None => finding,
    });
}

/// Why the target may exist all the same.
fn open(
    cx: &Context<'_>,
    autoscaler: &Autoscaler,
    unsure: bool,
    no_such_kind: bool,
) -> Option<Arc<str>> {
    let (group, kind) = (&autoscaler.target_group, &autoscaler.target_kind);
    if !no_such_kind && Kind::of(group, kind) != Some(Kind::Pod) {
        return Some(format!("{kind} is a kind whose objects are not read").into());
    }
    if unsure {
        let reason = "a workload of this name exists, and the namespace of one of the two is not \
                      written; write it";
        return Some(reason.into());
    }
    match cx.model.closed(&autoscaler.id.namespace) {
        Unknown(reason) => Some(reason),
        Known(()) => None,
    }
}

fn lost(autoscaler: &Autoscaler, label: String) -> Finding {
    let headline = format!("HorizontalPodAutoscaler `{}` scales nothing", autoscaler.id.name);
    CHECK.finding(&autoscaler.id, headline).label(autoscaler.target_name.span, label)
}

/// Whether objects of a kind can be scaled at all; of unknown kinds it is taken for granted.
fn scales(group: &str, kind: &str) -> bool {
    !matches!((group, kind), ("apps", "DaemonSet") | ("batch", _) | ("", "Pod" | "PodTemplate"))
}
