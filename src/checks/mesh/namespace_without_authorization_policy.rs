use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::Mesh;
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{AuthorizationPolicy, Known, Workload, namespace_id, namespace_span};

check! {
    /// Flags namespaces in the mesh that no AuthorizationPolicy guards.
    ///
    /// ## Why it matters
    /// Without one the mesh encrypts and admits everybody: any identity of the mesh may call any
    /// workload of the namespace.
    ///
    /// ## Fix
    /// Add an AuthorizationPolicy with an empty `spec`, which denies all, and one per workload for
    /// the callers that it needs.
    ///
    /// ## Known gaps
    /// A policy of the mesh's root namespace without selector guards every namespace. A policy that
    /// Istio refuses, or that only logs, guards none. What the policies admit is not judged here.
    "namespace-without-authorization-policy" {
        run: find,
        title: "no AuthorizationPolicy in a mesh namespace",
        layer: Layer::Mesh,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::Namespace, Kind::AuthorizationPolicy],
        fix: "add an AuthorizationPolicy that denies by default",
        aliases: &[("kyverno", "require-authorizationpolicy")],
    }
}

const KINDS: &[Kind] = &[Kind::Pod, Kind::Namespace, Kind::AuthorizationPolicy];

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let root = cx.profile.root_namespace();
    let in_root = cx.model.part(root, KINDS);
    let mesh_wide = in_root.into_iter().flat_map(|part| &part.authorization_policies);
    let mesh_wide = mesh_wide.filter(|policy| guards(policy)).find(|policy| policy.is_wide());
    for (name, part) in cx.model.namespaces(KINDS) {
        let in_mesh = |workload: &&Workload| matches!(cx.model.enrolment(workload), Known(e) if e.mesh != Mesh::None);
        let workloads: Vec<&Workload> = part.workloads.iter().filter(in_mesh).collect();
        if workloads.is_empty() || name == root {
            out.not_applicable();
            continue;
        }
        let id = namespace_id(name);
        let own = part.authorization_policies.iter().find(|policy| guards(policy));
        if let Some(policy) = own.or(mesh_wide) {
            out.pass(&CHECK, &id, policy.span);
            continue;
        }
        if let Some(gap) = cx.model.gap_for(name).or_else(|| cx.model.gap_for(root)) {
            out.not_assessed(&CHECK, &id, gap);
            continue;
        }
        let Some(at) = namespace_span(part) else { continue };
        out.push(
            CHECK
                .finding(&id, format!("namespace `{name}` admits every caller of the mesh"))
                .label(at, "no AuthorizationPolicy guards this namespace")
                .affects(workloads.iter().map(|workload| Arc::clone(&workload.id))),
        );
    }
}

fn guards(policy: &AuthorizationPolicy) -> bool {
    !policy.is_refused() && !policy.dry_run
}
