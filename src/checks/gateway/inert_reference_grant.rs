use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, NamespaceSource, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{GrantEnd, ReferenceGrant};

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
    /// Kinds of other groups may have a meaning for one controller and are not judged, and a claim
    /// that takes its data from another namespace needs a grant where storage is set up for it.
    /// Whether a route or Gateway uses the grant is not judged, either.
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

const GROUP: &str = "gateway.networking.k8s.io";

/// What is known of a kind at one side of a grant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// A route, or a Service as its backend.
    Traffic,
    /// A Gateway or ListenerSet, or what its TLS settings name.
    Tls,
    /// A claim, or what its volume is filled from.
    Volume,
    /// A kind of another group, which one controller may know.
    Foreign,
    /// A kind without meaning there (G8).
    Inert,
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for grant in cx.model.grants() {
        let dead = dead_ends(grant);
        if dead.is_empty() {
            out.pass(&CHECK, &grant.id, grant.span);
            continue;
        }
        let all = !grants_anything(grant);
        let what = if all { "grants nothing" } else { "has an entry that grants nothing" };
        let finding = CHECK.finding(&grant.id, format!("{} {what}", title(&grant.id)));
        let finding = dead.into_iter().fold(finding, |f, (at, why)| f.label(at, why));
        out.push(if all {
            finding.voids()
        } else {
            finding.help("delete the entry, and control the traffic by a network policy")
        });
    }
}

fn referrer(end: &GrantEnd) -> Side {
    match (end.group.as_str(), end.kind.as_str()) {
        (GROUP, "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" | "UDPRoute") => Side::Traffic,
        (GROUP, "Gateway" | "ListenerSet") => Side::Tls,
        ("", "PersistentVolumeClaim") => Side::Volume,
        (group, _) if group.is_empty() || group.ends_with(".k8s.io") => Side::Inert,
        _ => Side::Foreign,
    }
}

fn target(end: &GrantEnd) -> Side {
    match (end.group.as_str(), end.kind.as_str()) {
        ("", "Service") => Side::Traffic,
        ("", "Secret" | "ConfigMap") => Side::Tls,
        ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", _) => Side::Volume,
        ("" | GROUP, _) => Side::Inert,
        _ => Side::Foreign,
    }
}

/// Whether a reference from one side to the other is one that a grant decides.
fn meet(from: Side, to: Side) -> bool {
    match (from, to) {
        (Side::Inert, _) | (_, Side::Inert) => false,
        (Side::Foreign, _) | (_, Side::Foreign) => true,
        (from, to) => from == to,
    }
}

/// Whether a referrer lies in another namespace. In its own it needs no grant.
fn is_elsewhere(grant: &ReferenceGrant, from: &GrantEnd) -> bool {
    from.namespace.value != grant.id.namespace || grant.namespace == NamespaceSource::Assumed
}

fn grants_anything(grant: &ReferenceGrant) -> bool {
    grant
        .from
        .iter()
        .filter(|from| is_elsewhere(grant, from))
        .any(|from| grant.to.iter().any(|to| meet(referrer(from), target(to))))
}

/// The entries that have no effect, and why.
fn dead_ends(grant: &ReferenceGrant) -> Vec<(Span, String)> {
    let from = grant.from.iter().filter_map(|end| {
        let kind = &end.kind;
        if referrer(end) == Side::Inert {
            let why = format!("nothing of kind {kind} refers to another namespace by a grant");
            return Some((end.span, why));
        }
        if !is_elsewhere(grant, end) {
            let why = "a reference inside the grant's own namespace needs no grant";
            return Some((end.namespace.span, why.to_owned()));
        }
        let fits = |to: &GrantEnd| meet(referrer(end), target(to));
        alone(&grant.to, target, fits)
            .then(|| (end.span, format!("a {kind} refers to none of the kinds below")))
    });
    let to = grant.to.iter().filter_map(|end| {
        let kind = &end.kind;
        if target(end) == Side::Inert {
            return Some((end.span, format!("no reference to a {kind} needs a grant")));
        }
        let fits = |from: &GrantEnd| meet(referrer(from), target(end));
        alone(&grant.from, referrer, fits)
            .then(|| (end.span, format!("none of the kinds above refers to a {kind}")))
    });
    from.chain(to).collect()
}

/// Whether the other side has kinds with a meaning, and none that fits.
fn alone(ends: &[GrantEnd], side: fn(&GrantEnd) -> Side, fits: impl Fn(&GrantEnd) -> bool) -> bool {
    ends.iter().any(|end| side(end) != Side::Inert) && !ends.iter().any(fits)
}
