use std::sync::Arc;

use super::idle;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::Mesh;
use crate::document::{Kind, NamespaceSource, ObjectId};
use crate::finding::{Confidence, Finding, Layer, Persona, Severity};
use crate::model::{
    AuthorizationPolicy, Known, Part, Truth, Unknown, Workload, namespace_id, namespace_span,
};

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
    /// A policy of the mesh's root namespace guards every namespace. A policy that Istio refuses,
    /// that only logs, or that the data plane never gets or cannot apply (in ambient mode one of
    /// action CUSTOM, one that denies by HTTP fields alone, and one that is attached to a Service
    /// without waypoint) guards nobody. Where policies guard some workloads only, the others are
    /// reported as medium. What the policies admit is not judged here.
    "namespace-without-authorization-policy" {
        run: find,
        title: "no AuthorizationPolicy in a mesh namespace",
        layer: Layer::Mesh,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[
            Kind::Pod,
            Kind::Namespace,
            Kind::Service,
            Kind::Gateway,
            Kind::AuthorizationPolicy,
            Kind::PeerAuthentication,
        ],
        fix: "add an AuthorizationPolicy that denies by default",
        aliases: &[("kyverno", "require-authorizationpolicy")],
    }
}

const KINDS: &[Kind] = &[Kind::Pod, Kind::Namespace, Kind::AuthorizationPolicy];

/// What guards the workloads of a namespace.
#[derive(Default)]
struct Guarded<'a> {
    by: Option<&'a AuthorizationPolicy>,
    open: Vec<&'a Workload>,
    doubt: Option<&'a AuthorizationPolicy>,
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    if cx.model.mesh().is_none() {
        out.not_applicable();
        return;
    }
    let root = cx.profile.root_namespace();
    let policies = cx.model.namespaces(KINDS).flat_map(|(_, part)| &part.authorization_policies);
    // Those that may guard workloads of other namespaces.
    let far: Vec<&AuthorizationPolicy> =
        policies.filter(|policy| reaches_out(policy, root)).collect();
    for (name, part) in cx.model.namespaces(KINDS) {
        let workloads: Vec<&Workload> = part.workloads.iter().collect();
        if workloads.is_empty() || name == root {
            out.not_applicable();
            continue;
        }
        let id = namespace_id(name);
        let mut inside = Vec::new();
        let mut unsure = None;
        for workload in workloads {
            match cx.model.enrolment(workload) {
                Known(e) if e.mesh == Mesh::None => {}
                Known(e) => inside.push((workload, e.mesh)),
                Unknown(reason) => unsure = Some(reason),
            }
        }
        match (inside.is_empty(), unsure) {
            (true, None) => out.not_applicable(),
            (true, Some(reason)) => out.not_assessed(&CHECK, &id, reason),
            (false, _) => judge(cx, out, &id, part, &inside, &far),
        }
    }
}

fn reaches_out(policy: &AuthorizationPolicy, root: &str) -> bool {
    let gateway = policy.targets.iter().any(|target| target.kind == "Gateway");
    policy.id.namespace == root || policy.namespace == NamespaceSource::Assumed || gateway
}

fn judge<'a>(
    cx: &Context<'a>,
    out: &mut Outcomes,
    id: &Arc<ObjectId>,
    part: &'a Part,
    inside: &[(&'a Workload, Mesh)],
    far: &[&'a AuthorizationPolicy],
) {
    let mut found = Guarded::default();
    for (workload, mesh) in inside {
        let policies = part.authorizations_for(workload).chain(far.iter().copied());
        let best = policies.map(|policy| (cx.model.guards(policy, workload, *mesh), policy));
        match best.max_by_key(|(truth, _)| *truth) {
            Some((Truth::Yes, policy)) => found.by = found.by.or(Some(policy)),
            Some((Truth::Unknown, policy)) => found.doubt = Some(policy),
            Some((Truth::No, _)) | None => found.open.push(workload),
        }
    }
    let gap =
        || cx.model.gap_for(&id.name).or_else(|| cx.model.gap_for(cx.profile.root_namespace()));
    match (found.open.is_empty(), found.doubt, found.by) {
        (false, ..) => match gap() {
            Some(reason) => out.not_assessed(&CHECK, id, reason),
            None => out.push(report(cx, id, part, &found, inside)),
        },
        (true, Some(policy), _) => {
            let reason = format!("whether {} guards its workloads is not in the input", policy.id);
            out.not_assessed(&CHECK, id, reason.into());
        }
        (true, None, Some(policy)) => out.pass(&CHECK, id, policy.span),
        (true, None, None) => {}
    }
}

fn report(
    cx: &Context<'_>,
    id: &Arc<ObjectId>,
    part: &Part,
    found: &Guarded<'_>,
    inside: &[(&Workload, Mesh)],
) -> Finding {
    let (name, all) = (&id.name, inside.len());
    let open = &found.open;
    let ambient = inside.iter().any(|(_, mesh)| *mesh == Mesh::Ambient);
    let finding = if open.len() == all {
        let at = namespace_span(part).or_else(|| open.first().map(|workload| workload.span));
        let finding =
            CHECK.finding(id, format!("namespace `{name}` admits every caller of the mesh"));
        let label = "no AuthorizationPolicy guards this namespace";
        at.into_iter().fold(finding, |finding, at| finding.label(at, label))
    } else {
        let headline =
            format!("namespace `{name}` admits every caller to {} of {all} workloads", open.len());
        let finding = CHECK.finding(id, headline).at_most(Severity::Medium);
        open.iter().take(3).fold(finding, |finding, workload| {
            finding.label(workload.span, "no AuthorizationPolicy guards this workload")
        })
    };
    let idle = part.authorization_policies.iter().filter_map(|p| Some((p, idle(p, ambient)?)));
    let finding = idle.take(3).fold(finding, |finding, (policy, (at, why))| {
        finding.label(at.unwrap_or(policy.span), why)
    });
    let root = cx.model.part(cx.profile.root_namespace(), KINDS);
    let sure = if root.is_some() { Confidence::High } else { Confidence::Medium };
    finding.affects(open.iter().map(|workload| Arc::clone(&workload.id))).confidence(sure)
}
