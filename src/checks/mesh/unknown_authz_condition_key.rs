use std::sync::Arc;

use super::evidence::title;
use super::selected;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::nearest;
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Action, CONDITION_KEYS};

check! {
    /// Flags conditions under a key that Istio does not know.
    ///
    /// ## Why it matters
    /// Istio's webhook refuses the policy, so it does not exist. Where it got in all the same, the
    /// rule is skipped: an ALLOW then admits nobody, a DENY stops nobody.
    ///
    /// ## Fix
    /// Use a key that exists. A caller's labels are no such key: name its principal or namespace.
    ///
    /// ## Known gaps
    /// The list of keys is that of Istio 1.26 to 1.31.
    "unknown-authz-condition-key" {
        run: find,
        title: "condition key does not exist",
        layer: Layer::Mesh,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::AuthorizationPolicy, Kind::Pod],
        fix: "use a key that exists, or name the caller's principal",
        aliases: &[("istioctl", "IST0106")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for policy in cx.model.authorization_policies() {
        let conditions = policy.rules().iter().flat_map(|rule| &rule.when);
        let mut applies = false;
        let before = out.findings.len();
        for condition in conditions {
            applies = true;
            if condition.is_known() {
                continue;
            }
            let key = &condition.key.value;
            let effect = match policy.action {
                Action::Deny => "and would stop nobody",
                _ => "and would admit nobody by this rule",
            };
            let finding = CHECK
                .finding(&policy.id, format!("{} is refused for its condition", title(&policy.id)))
                .label(condition.key.span, format!("Istio knows no key `{key}`, {effect}"))
                .affects(selected(cx, policy).into_iter().map(|w| Arc::clone(&w.id)))
                .voids();
            out.push(match meant(key) {
                Some(near) => finding.help(format!("write `{near}`")),
                None => finding,
            });
        }
        match (applies, out.findings.len() == before) {
            (false, _) => out.not_applicable(),
            (true, true) => out.pass(&CHECK, &policy.id, policy.span),
            _ => {}
        }
    }
}

/// The key that was probably meant, its index included.
fn meant(key: &str) -> Option<String> {
    const INDEXED: [&str; 3] =
        ["request.headers", "request.auth.claims", "experimental.envoy.filters"];
    let Some((name, index)) = key.split_once('[') else {
        return nearest(key, CONDITION_KEYS).map(str::to_owned);
    };
    let near = nearest(name, INDEXED).filter(|near| *near != name)?;
    Some(format!("{near}[{index}"))
}
