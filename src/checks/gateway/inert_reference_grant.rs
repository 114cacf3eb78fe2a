use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::GrantEnd;

check! {
    /// Flags ReferenceGrants that grant nothing.
    ///
    /// ## Why it matters
    /// A ReferenceGrant lets routes and Gateways refer to objects of another namespace. It is no
    /// network control: written for a Service as referrer it has no meaning, and whoever relied on
    /// it has no control at all. Pods reach the Service with or without it.
    ///
    /// ## Fix
    /// Delete it, and use a network policy or an AuthorizationPolicy. Changing the kind to HTTPRoute
    /// would let the owner of a route publish the target.
    ///
    /// ## Known gaps
    /// Kinds of other groups may have a meaning for one controller and are not judged.
    "inert-reference-grant" {
        run: find,
        title: "ReferenceGrant grants nothing",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::ReferenceGrant],
        fix: "delete the grant, and control the traffic by a network policy",
        aliases: &[],
    }
}

/// Kinds of the Gateway API that may refer to objects of other namespaces (G8).
const REFERRERS: [&str; 7] =
    ["Gateway", "GRPCRoute", "HTTPRoute", "ListenerSet", "TCPRoute", "TLSRoute", "UDPRoute"];

const GROUP: &str = "gateway.networking.k8s.io";

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for grant in cx.model.grants() {
        let before = out.findings.len();
        for end in grant.from.iter().filter(|end| is_inert_referrer(end)) {
            let kind = &end.kind;
            let label = format!("nothing of kind {kind} refers to another namespace by a grant");
            let headline = format!("{} grants nothing", title(&grant.id));
            out.push(CHECK.finding(&grant.id, headline).label(end.span, label).voids());
        }
        for end in grant.to.iter().filter(|end| is_inert_target(end)) {
            let label = format!("no reference to a {} needs a grant", end.kind);
            let headline = format!("{} grants nothing", title(&grant.id));
            out.push(CHECK.finding(&grant.id, headline).label(end.span, label).voids());
        }
        if out.findings.len() == before {
            out.pass(&CHECK, &grant.id, grant.span);
        }
    }
}

fn is_inert_referrer(end: &GrantEnd) -> bool {
    let standard = end.group.is_empty() || end.group.ends_with(".k8s.io");
    let meaningful = end.group == GROUP && REFERRERS.contains(&end.kind.as_str());
    standard && !meaningful
}

fn is_inert_target(end: &GrantEnd) -> bool {
    match end.group.as_str() {
        "" => !matches!(end.kind.as_str(), "Service" | "Secret" | "ConfigMap"),
        GROUP => true,
        _ => false,
    }
}
