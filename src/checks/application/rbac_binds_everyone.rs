use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags bindings whose subject is everybody, or the group that no rule applies to.
    ///
    /// ## Why it matters
    /// `system:unauthenticated` and `system:anonymous` are everyone who reaches the API server,
    /// `system:authenticated` is every account of every pod. `system:masters` bypasses all rules
    /// and cannot be taken back before its certificate expires.
    ///
    /// ## Fix
    /// Name the accounts or the group that need the role.
    ///
    /// ## Known gaps
    /// The roles that Kubernetes itself binds to everybody (discovery and the like) are left out.
    "rbac-binds-everyone" {
        run: find,
        title: "everybody is bound to a role",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Critical,
        persona: Persona::Regular,
        reads: &[Kind::RoleBinding, Kind::ClusterRoleBinding],
        fix: "name the accounts or the group that need the role",
        aliases: &[
            ("kubescape", "C-0262"),
            ("trivy", "KSV-0122"),
            ("gatekeeper", "disallowanonymous"),
            ("kyverno", "restrict-binding-system-groups"),
        ],
    }
}

const EVERYBODY: [(&str, &str); 4] = [
    ("system:unauthenticated", "everyone who reaches the API server"),
    ("system:anonymous", "everyone who reaches the API server"),
    ("system:authenticated", "every user and every account of every pod"),
    ("system:masters", "a group that no rule applies to"),
];

/// Roles that Kubernetes binds to everybody by itself.
const HARMLESS: [&str; 5] = [
    "system:basic-user",
    "system:discovery",
    "system:monitoring",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
];

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for binding in cx.model.bindings() {
        if HARMLESS.contains(&binding.role.value.as_str()) {
            out.not_applicable();
            continue;
        }
        let before = out.findings.len();
        for subject in &binding.subjects {
            let found = EVERYBODY.iter().find(|(name, _)| *name == subject.name);
            let Some((group, who)) = found else { continue };
            let (kind, name) = (&binding.id.kind, &binding.id.name);
            let role = format!("gets {} `{}`", binding.role_kind, binding.role.value);
            out.push(
                CHECK
                    .finding(&binding.id, format!("{kind} `{name}` grants a role to `{group}`"))
                    .label(subject.span, *who)
                    .label(binding.role.span, role),
            );
        }
        if out.findings.len() == before {
            out.pass(&CHECK, &binding.id, binding.span);
        }
    }
}
