use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags bindings to the role `cluster-admin`.
    ///
    /// ## Why it matters
    /// `cluster-admin` may do everything. A workload that runs as such an account is the cluster:
    /// whoever takes it over has every node and every Secret.
    ///
    /// ## Fix
    /// Bind a role with the rules that are needed.
    ///
    /// ## Known gaps
    /// A RoleBinding grants it in one namespace only and is reported as high. The binding that
    /// Kubernetes itself makes for `system:masters` is reported by `rbac-binds-everyone`. A role of
    /// another name with the same rules is not seen.
    "cluster-admin-bound" {
        run: find,
        title: "cluster-admin is bound",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Critical,
        persona: Persona::Regular,
        reads: &[Kind::RoleBinding, Kind::ClusterRoleBinding],
        fix: "bind a role with only the rules that are needed",
        aliases: &[
            ("kube-linter", "cluster-admin-role-binding"),
            ("polaris", "clusterrolebindingClusterAdmin"),
            ("kubescape", "C-0035"),
            ("trivy", "KSV-0111"),
            ("kyverno", "restrict-binding-clusteradmin"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for binding in cx.model.bindings() {
        let admin = binding.role_kind == "ClusterRole" && binding.role.value == "cluster-admin";
        if !admin {
            out.pass(&CHECK, &binding.id, binding.role.span);
            continue;
        }
        let subjects = binding.subjects.iter().filter(|subject| subject.name != "system:masters");
        let subjects: Vec<_> = subjects.collect();
        if subjects.is_empty() {
            out.not_applicable();
            continue;
        }
        let (kind, name) = (&binding.id.kind, &binding.id.name);
        let reach = if binding.clusterwide {
            "everything in the cluster"
        } else {
            "everything in its namespace"
        };
        let mut finding = CHECK
            .finding(&binding.id, format!("{kind} `{name}` grants {reach}"))
            .label(binding.role.span, "this role may do everything");
        for subject in subjects {
            let text = format!("{} `{}` gets it", subject.kind, subject.name);
            finding = finding.label(subject.span, text);
        }
        let finding = if binding.clusterwide { finding } else { finding.at_most(Severity::High) };
        out.push(finding);
    }
}
