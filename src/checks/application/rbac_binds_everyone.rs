use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Binding;

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
    /// What the role grants is not judged, but for two cases: a RoleBinding grants it in one
    /// namespace only and is reported as high, and roles that only tell what the API offers
    /// (`system:discovery` and the like) are reported as medium, or not at all where Kubernetes
    /// itself binds them.
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

/// Kind and name of those who are everybody, and who they are.
const EVERYBODY: [(&str, &str, &str); 4] = [
    ("Group", "system:unauthenticated", "everyone who reaches the API server"),
    ("User", "system:anonymous", "everyone who reaches the API server"),
    ("Group", "system:authenticated", "every user and every account of every pod"),
    ("Group", "system:masters", "a group that no rule applies to"),
];

/// Roles that only tell what the API offers.
const DISCOVERY: [&str; 3] = ["system:basic-user", "system:discovery", "system:public-info-viewer"];

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for binding in cx.model.bindings() {
        let before = out.findings.len();
        let mut built_in = false;
        for subject in &binding.subjects {
            let is = |(kind, name, _): &&(&str, &str, &str)| {
                *kind == subject.kind && *name == subject.name
            };
            let Some((_, group, who)) = EVERYBODY.iter().find(is) else { continue };
            if is_built_in(binding, group) {
                built_in = true;
                continue;
            }
            let (kind, name) = (&binding.id.kind, &binding.id.name);
            let role = format!("gets {} `{}`", binding.role_kind, binding.role.value);
            let finding = CHECK
                .finding(&binding.id, format!("{kind} `{name}` grants a role to `{group}`"))
                .label(subject.span, *who)
                .label(binding.role.span, role);
            out.push(match binding.clusterwide {
                true if tells_only(binding) => finding.at_most(Severity::Medium),
                true => finding,
                false => finding.at_most(Severity::High),
            });
        }
        match out.findings.len() == before {
            true if built_in => out.not_applicable(),
            true => out.pass(&CHECK, &binding.id, binding.span),
            false => {}
        }
    }
}

fn tells_only(binding: &Binding) -> bool {
    binding.role_kind == "ClusterRole" && DISCOVERY.contains(&binding.role.value.as_str())
}

/// Whether Kubernetes makes the binding itself: discovery for everybody who is logged in, the
/// version for everybody.
fn is_built_in(binding: &Binding, group: &str) -> bool {
    let public = binding.role.value == "system:public-info-viewer";
    tells_only(binding)
        && (group == "system:authenticated" || public && group == "system:unauthenticated")
}
