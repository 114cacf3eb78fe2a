use std::collections::BTreeMap;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Confidence, Layer, Persona, Severity};
use crate::model::{AGGREGATED, Binding, Role, Truth};

check! {
    /// Flags roles that may read every Secret of a namespace or of the cluster.
    ///
    /// ## Why it matters
    /// Secrets hold what opens everything else: database passwords, tokens of other accounts, TLS
    /// keys. `list` and `watch` return their values just as `get` does.
    ///
    /// ## Fix
    /// Name the Secrets that are needed under `resourceNames` with the verb `get`, or mount them
    /// into the pod instead of asking the API.
    ///
    /// ## Known gaps
    /// A role that no binding of the input names is reported as medium: it grants nothing yet. Not
    /// assessed for ClusterRoles that collect the rules of others.
    /// What may be read by creating a pod that mounts the Secret is not counted.
    "rbac-reads-secrets" {
        run: find,
        title: "role reads all Secrets",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Role, Kind::ClusterRole, Kind::RoleBinding, Kind::ClusterRoleBinding],
        fix: "limit the rule to the Secrets that are needed by `resourceNames` and the verb `get`",
        aliases: &[
            ("kube-linter", "access-to-secrets"),
            ("kubescape", "C-0015"),
            ("trivy", "KSV-0041"),
            ("checkov", "CKV2_K8S_5"),
            ("kyverno", "restrict-secret-role-verbs"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let kinds = [Kind::RoleBinding, Kind::ClusterRoleBinding];
    let mut bindings: BTreeMap<&str, Vec<&Binding>> = BTreeMap::new();
    for binding in cx.model.in_force(&kinds).flat_map(|part| &part.bindings) {
        bindings.entry(&binding.role.value).or_default().push(binding);
    }
    for role in cx.model.roles() {
        let before = out.findings.len();
        for rule in role.rules.iter().filter(|rule| rule.names.is_empty()) {
            let verb = ["get", "list", "watch"].into_iter().find_map(|verb| rule.verb(verb));
            let (Some(resource), Some(verb)) = (rule.resource("", "secrets"), verb) else {
                continue;
            };
            let finding = CHECK
                .finding(&role.id, headline(role))
                .label(resource.span, "Secrets are among these resources")
                .label(verb.span, "this verb returns their values");
            let named = bindings.get(role.id.name.as_str()).into_iter().flatten();
            let binding = named.map(|binding| (names(binding, role), binding)).max_by_key(|b| b.0);
            out.push(match binding.filter(|(sure, _)| *sure != Truth::No) {
                Some((Truth::Yes, binding)) => {
                    finding.label(binding.span, "and this binding grants it")
                }
                Some(_) => finding.confidence(Confidence::Medium),
                None if may_be_bound(cx, role) => finding.confidence(Confidence::Medium),
                None => finding.at_most(Severity::Medium),
            });
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

fn headline(role: &Role) -> String {
    let name = &role.id.name;
    if role.is_cluster_role() {
        format!("ClusterRole `{name}` reads every Secret wherever it is bound")
    } else {
        format!("Role `{name}` reads every Secret of namespace `{}`", role.id.namespace)
    }
}

/// Whether something that was not read may hold a binding.
fn may_be_bound(cx: &Context<'_>, role: &Role) -> bool {
    match role.is_cluster_role() {
        true => cx.model.model().any_gap().is_some(),
        false => cx.model.gap_for(&role.id.namespace).is_some(),
    }
}

fn names(binding: &Binding, role: &Role) -> Truth {
    let named = binding.role_kind == role.id.kind && binding.role.value == role.id.name;
    let here = if role.is_cluster_role() { Truth::Yes } else { binding.home().is(&role.home()) };
    Truth::certain(named).and(here)
}
