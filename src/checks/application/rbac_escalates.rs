use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{AGGREGATED, PolicyRule};

check! {
    /// Flags roles that let their holder give rights to itself.
    ///
    /// ## Why it matters
    /// `bind` and `escalate` switch off the rule that nobody may grant more than he has, and who
    /// may write bindings may bind whatever the rule still allows. The holder is an administrator
    /// in waiting.
    ///
    /// ## Fix
    /// Remove the verb, or limit `bind` by `resourceNames` to harmless roles.
    ///
    /// ## Known gaps
    /// A Role holds in one namespace only and is reported as high. A rule with `resourceNames` is
    /// left out unless its verb is `escalate` or it names `cluster-admin`. Not assessed for
    /// ClusterRoles that collect the rules of others. Other ways up (impersonation, creating pods
    /// that run as a stronger account) are not part of this check.
    "rbac-escalates" {
        run: find,
        title: "role lets its holder escalate",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Critical,
        persona: Persona::Regular,
        reads: &[Kind::Role, Kind::ClusterRole],
        fix: "remove the verb, or limit `bind` by `resourceNames` to harmless roles",
        aliases: &[
            ("kubescape", "C-0191"),
            ("trivy", "KSV-0050"),
            ("checkov", "CKV_K8S_157"),
            ("kyverno", "restrict-escalation-verbs-roles"),
        ],
    }
}

const GROUP: &str = "rbac.authorization.k8s.io";

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for role in cx.model.roles() {
        let before = out.findings.len();
        for rule in &role.rules {
            let Some((verb, resource, how)) = escalation(rule) else { continue };
            let (kind, name) = (&role.id.kind, &role.id.name);
            let finding = CHECK
                .finding(&role.id, format!("{kind} `{name}` lets its holder {how}"))
                .label(verb, "this verb")
                .label(resource, "on these resources");
            let everywhere = role.is_cluster_role();
            out.push(if everywhere { finding } else { finding.at_most(Severity::High) });
        }
        if out.findings.len() > before {
            continue;
        }
        match role.aggregated {
            true => out.not_assessed(&CHECK, &role.id, AGGREGATED.into()),
            false => out.pass(&CHECK, &role.id, role.span),
        }
    }
}

/// The verb and the resource that escalate, and how.
fn escalation(rule: &PolicyRule) -> Option<(Span, Span, &'static str)> {
    let on = |resources: [&str; 2]| {
        resources.into_iter().find_map(|resource| rule.resource(GROUP, resource))
    };
    let with = |verbs: &[&str]| verbs.iter().find_map(|verb| rule.verb(verb));
    let limited = !rule.names.is_empty();
    let to_admin = rule.names.iter().any(|name| name.value == "cluster-admin");
    if let Some(role) = on(["roles", "clusterroles"]) {
        // A name does not help: whoever holds the named role writes into it what he likes.
        if let Some(verb) = with(&["escalate"]) {
            return Some((verb.span, role.span, "write roles with more rights than it has"));
        }
        if let Some(verb) = with(&["bind"]).filter(|_| !limited || to_admin) {
            return Some((verb.span, role.span, "bind roles with more rights than it has"));
        }
    }
    let binding = on(["rolebindings", "clusterrolebindings"]).filter(|_| !limited)?;
    let verb = with(&["create", "update", "patch"])?;
    Some((verb.span, binding.span, "write role bindings"))
}
