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
    /// A DENY policy may still refuse some requests.
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
        if policy.action != Action::Allow || policy.dry_run {
            out.not_applicable();
            continue;
        }
        let Some(rule) = policy.rules().iter().find(|rule| rule.matches_everything()) else {
            out.pass(&CHECK, &policy.id, policy.span);
            continue;
        };
        let mesh = policy.is_wide() && policy.id.namespace == cx.profile.root_namespace();
        let whom = if mesh { "the whole mesh" } else { "everybody" };
        let direction = if mesh { "opens" } else { "admits" };
        let workloads = selected(cx, policy).into_iter().map(|w| Arc::clone(&w.id));
        out.push(
            CHECK
                .finding(&policy.id, format!("{} {direction} {whom}", title(&policy.id)))
                .label(rule.span, "a rule without conditions matches every request")
                .affects(workloads)
                .voids(),
        );
    }
}
