use std::sync::Arc;

use super::evidence::title;
use super::selected;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Action;

check! {
    /// Flags AuthorizationPolicies with a rule that admits everybody.
    ///
    /// ## Why it matters
    /// ALLOW policies add up: one rule without any condition admits every request, from anyone, to
    /// every workload of the policy, and makes all narrower ALLOW policies void. In the root
    /// namespace of the mesh it does so everywhere.
    ///
    /// ## Fix
    /// Name the callers under `from.source`, or remove the rule.
    ///
    /// ## Known gaps
    /// A source or condition that asks for nothing but an address of the whole address space counts
    /// as everybody, too. A DENY policy may still refuse some requests.
    "authorization-allows-everyone" {
        run: find,
        title: "AuthorizationPolicy admits everybody",
        layer: Layer::Mesh,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::AuthorizationPolicy, Kind::Pod],
        fix: "name the callers under `from.source`",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for policy in cx.model.authorization_policies() {
        let in_force = policy.refused.is_none() && !policy.dry_run;
        if policy.action != Action::Allow || !in_force {
            out.not_applicable();
            continue;
        }
        let mut rules = policy.rules().iter();
        let Some((rule, at)) = rules.find_map(|rule| Some((rule, rule.everybody()?))) else {
            out.pass(&CHECK, &policy.id, policy.span);
            continue;
        };
        let mesh = policy.is_wide() && policy.id.namespace == cx.profile.root_namespace();
        let whom = if mesh { "the whole mesh" } else { "everybody" };
        let direction = if mesh { "opens" } else { "admits" };
        let label = if rule.from.is_empty() && rule.when.is_empty() {
            "a rule without conditions matches every request"
        } else {
            "this block is the whole address space"
        };
        let workloads = selected(cx, policy).into_iter().map(|w| Arc::clone(&w.id));
        out.push(
            CHECK
                .finding(&policy.id, format!("{} {direction} {whom}", title(&policy.id)))
                .label(at, label)
                .affects(workloads)
                .voids(),
        );
    }
}
