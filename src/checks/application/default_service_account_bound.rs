use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Binding;

check! {
    /// Flags bindings that give rights to the `default` account of a namespace.
    ///
    /// ## Why it matters
    /// Every pod without an account of its own runs as `default`: the right goes to all of them,
    /// and to those that somebody deploys later.
    ///
    /// ## Fix
    /// Make a ServiceAccount for the workload that needs the right, and bind that one.
    ///
    /// ## Known gaps
    /// What the role grants does not matter here. A group that holds every account of a namespace
    /// (`system:serviceaccounts:...`) holds `default`, too, and is reported.
    "default-service-account-bound" {
        run: find,
        title: "default account is bound to a role",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::RoleBinding, Kind::ClusterRoleBinding],
        fix: "bind a ServiceAccount of its own instead of `default`",
        aliases: &[("checkov", "CKV_K8S_42"), ("kubescape", "C-0225")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for binding in cx.model.bindings() {
        let before = out.findings.len();
        for subject in &binding.subjects {
            let Some(accounts) = subject.accounts().filter(|_| !is_built_in(binding)) else {
                continue;
            };
            let which = match accounts.name {
                Some("default") => " without an account of its own",
                Some(_) => continue,
                None => ", whatever its account",
            };
            let (kind, name) = (&binding.id.kind, &binding.id.name);
            let headline = format!("{kind} `{name}` gives rights to the default account");
            let who = match accounts.home {
                Some(home) => format!("every pod of namespace `{}`{which}", home.name),
                None => format!("every pod of every namespace{which}"),
            };
            let role = format!("gets {} `{}`", binding.role_kind, binding.role.value);
            out.push(
                CHECK
                    .finding(&binding.id, headline)
                    .label(subject.span, who)
                    .label(binding.role.span, role),
            );
        }
        if out.findings.len() == before {
            out.pass(&CHECK, &binding.id, binding.span);
        }
    }
}

/// The binding that Kubernetes makes itself, so that tokens can be verified.
fn is_built_in(binding: &Binding) -> bool {
    binding.role.value == "system:service-account-issuer-discovery"
}
