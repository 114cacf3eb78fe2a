use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{DefectKind, Kind};
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags a default deny that is switched on for a direction without rules.
    ///
    /// ## Why it matters
    /// Cilium carries the default deny by the rules of a direction. `enableDefaultDeny` alone, with
    /// no rule for that direction, isolates nothing: the pods stay open.
    ///
    /// ## Fix
    /// Add a rule for the direction; `- {}` admits nobody and carries the default deny.
    ///
    /// ## Known gaps
    /// Reported although another policy isolates the same pods.
    "default-deny-without-rules" {
        run: find,
        title: "default deny isolates nothing",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Any, Kind::CiliumNetworkPolicy, Kind::CiliumClusterwideNetworkPolicy],
        voices: &[DefectKind::DefaultDenyWithoutRules],
        fix: "add a rule for the direction; `- {}` admits nobody",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let facts: Vec<_> = cx.facts().collect();
    for defect in &facts {
        let direction = &defect.detail;
        let headline = format!("{} isolates nothing for {direction}", title(&defect.object));
        let label = format!("switched on here, but the policy has no {direction} rule");
        out.push(CHECK.finding(&defect.object, headline).label(defect.at, label).voids());
    }
    for policy in cx.model.cilium_policies() {
        if !facts.iter().any(|defect| defect.object == policy.id) {
            out.pass(&CHECK, &policy.id, policy.span);
        }
    }
}
