use std::collections::HashMap;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Binding;

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
    /// A role that no binding of the input names is reported as medium: it grants nothing yet.
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
    // By kind and name of the role, and by the binding's namespace for a Role.
    let mut bindings: HashMap<(&str, &str, Option<&str>), &Binding> = HashMap::new();
    for binding in cx.model.bindings() {
        for place in [None, Some(binding.id.namespace.as_str())] {
            let key = (binding.role_kind.as_str(), binding.role.value.as_str(), place);
            bindings.entry(key).or_insert(binding);
        }
    }
    for role in cx.model.roles() {
        let before = out.findings.len();
        for rule in role.rules.iter().filter(|rule| rule.names.is_empty()) {
            let verb = ["get", "list", "watch"].into_iter().find_map(|verb| rule.verb(verb));
            let (Some(resource), Some(verb)) = (rule.resource("", "secrets"), verb) else {
                continue;
            };
            let (kind, name) = (&role.id.kind, &role.id.name);
            let finding = CHECK
                .finding(&role.id, format!("{kind} `{name}` reads every Secret it is bound to"))
                .label(resource.span, "Secrets are among these resources")
                .label(verb.span, "this verb returns their values");
            let place = (!role.is_cluster_role()).then_some(role.id.namespace.as_str());
            out.push(match bindings.get(&(kind, name, place)) {
                Some(binding) => finding.label(binding.span, "and this binding grants it"),
                None => finding.at_most(Severity::Medium),
            });
        }
        if out.findings.len() == before {
            out.pass(&CHECK, &role.id, role.span);
        }
    }
}
