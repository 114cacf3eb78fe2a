use std::collections::HashMap;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Unknown, Workload};

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
    /// from a chart or an operator.
    "autoscaler-target-missing" {
        run: find,
        title: "autoscaler has no target",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::HorizontalPodAutoscaler, Kind::Pod],
        fix: "correct `scaleTargetRef`",
        aliases: &[
            ("kube-linter", "dangling-horizontalpodautoscaler"),
            ("kubescape", "C-0300"),
            ("kyverno", "check-hpa-exists"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut named: HashMap<(&str, &str), Vec<&Workload>> = HashMap::new();
    for workload in cx.model.workloads() {
        named.entry((&workload.id.namespace, &workload.id.name)).or_default().push(workload);
    }
    for autoscaler in cx.model.autoscalers() {
        let (kind, name) = (&autoscaler.target_kind, &autoscaler.target_name.value);
        let namespace = &autoscaler.id.namespace;
        let named = named.get(&(namespace, name)).map_or(&[][..], Vec::as_slice);
        let is_target =
            |w: &&&Workload| w.id.kind == *kind && w.id.group == autoscaler.target_group;
        if let Some(target) = named.iter().find(is_target) {
            out.pass(&CHECK, &autoscaler.id, target.span);
            continue;
        }
        let is_known = Kind::of(&autoscaler.target_group, kind) == Some(Kind::Pod);
        if !is_known && matches!(kind.as_str(), "Deployment" | "StatefulSet") {
            // The kind exists, in another group: the reference leads nowhere.
        } else if !is_known {
            let reason = format!("{kind} is a kind whose objects are not read");
            out.not_assessed(&CHECK, &autoscaler.id, reason.into());
            continue;
        }
        if let Unknown(reason) = cx.model.closed(namespace) {
            out.not_assessed(&CHECK, &autoscaler.id, reason);
            continue;
        }
        let headline = format!("HorizontalPodAutoscaler `{}` scales nothing", autoscaler.id.name);
        let label = format!("namespace `{namespace}` has no {kind} of this name");
        let mut finding =
            CHECK.finding(&autoscaler.id, headline).label(autoscaler.target_name.span, label);
        if let Some(near) = named.first() {
            finding = finding.label(near.span, format!("{} has this name", near.title()));
        }
        out.push(finding);
    }
}
