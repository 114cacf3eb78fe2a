use std::sync::Arc;

use super::evidence::{is_typo, title};
use super::routes::{
    Parent, accepts, hosts_meet, labels_decide, may_admit, namespace_admitted, parent,
};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, NamespaceSource, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Gateway, Known, Listener, ParentRef, Route, Truth, Unknown};

check! {
    /// Flags routes that no listener accepts.
    ///
    /// ## Why it matters
    /// The route is not served. Filters and limits that it carries are not applied either, and the
    /// host may be served by somebody else's route.
    ///
    /// ## Fix
    /// Correct the reference, or let the listener accept routes of this namespace and host. A
    /// ReferenceGrant plays no part here.
    ///
    /// ## Known gaps
    /// Not assessed where the Gateway is not in the input, unless one of this name lies in another
    /// namespace, admits the route and the reference names none, or one is called almost the same;
    /// nor where labels of a Namespace decide that is not in the input.
    "unresolved-parent-ref" {
        run: find,
        title: "no listener accepts the route",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[
            Kind::HTTPRoute,
            Kind::OtherRoute,
            Kind::Gateway,
            Kind::Service,
            Kind::Pod,
            Kind::Namespace,
        ],
        fix: "correct the reference, or let a listener accept the route",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for route in cx.model.routes() {
        if route.parents.is_empty() {
            let headline = format!("{} is accepted by no listener", title(&route.id));
            let label = "it names nothing to attach to under `parentRefs`";
            out.push(CHECK.finding(&route.id, headline).label(route.span, label));
        }
        for reference in &route.parents {
            match parent(cx, route, reference) {
                Parent::Gateway(gateway) => judge(cx, out, route, reference, gateway),
                Parent::Service => of_mesh(cx, out, route, reference),
                Parent::Absent(reason) => absent(cx, out, route, reference, reason),
                Parent::Other(reason) => out.not_assessed(&CHECK, &route.id, reason),
            }
        }
    }
}

fn judge(
    cx: &Context<'_>,
    out: &mut Outcomes,
    route: &Route,
    reference: &ParentRef,
    gateway: &Gateway,
) {
    let answers = gateway.listeners.iter().map(|l| accepts(cx, gateway, l, route, reference));
    match answers.max() {
        Some(Truth::Yes) => out.pass(&CHECK, &route.id, gateway.span),
        Some(Truth::Unknown) => out.not_assessed(&CHECK, &route.id, labels_decide(route)),
        Some(Truth::No) | None => {
            let (at, why) = reason(cx, route, reference, gateway);
            let headline = format!("{} is accepted by no listener", title(&route.id));
            let finding = CHECK.finding(&route.id, headline).label(at, why);
            out.push(finding.label(gateway.span, "of this Gateway"));
        }
    }
}

/// A Service as parent: the route is for its callers (G7).
fn of_mesh(cx: &Context<'_>, out: &mut Outcomes, route: &Route, reference: &ParentRef) {
    let (namespace, name) = (&reference.namespace, &reference.name);
    let part = cx.model.part(namespace, &[Kind::Service, Kind::Pod]);
    match (part.and_then(|part| part.service(name)), cx.model.closed(namespace)) {
        (Some(service), _) => out.pass(&CHECK, &route.id, service.span),
        (None, Unknown(reason)) => out.not_assessed(&CHECK, &route.id, reason),
        (None, Known(())) => {
            let headline =
                format!("{} attaches to a Service that does not exist", title(&route.id));
            let label = format!("namespace `{namespace}` has no Service of this name");
            out.push(CHECK.finding(&route.id, headline).label(reference.span, label));
        }
    }
}

fn absent(
    cx: &Context<'_>,
    out: &mut Outcomes,
    route: &Route,
    reference: &ParentRef,
    reason: Arc<str>,
) {
    let (namespace, name) = (reference.namespace.as_str(), &reference.name);
    let gateways = || cx.model.namespaces(&[Kind::Gateway]).flat_map(|(_, part)| &part.gateways);
    let alike = gateways().find(|g| g.id.namespace == namespace && is_typo(&g.id.name, name));
    let gap = cx.model.gap_for(namespace);
    let mut others = gateways().filter(|gateway| gateway.id.name == *name);
    // A forgotten namespace is likely where the route could attach there, and nothing may bring a
    // Gateway of this name to its own.
    let elsewhere = match (reference.namespace_span, &gap) {
        (Some(_), _) => others.find(|gateway| is_typo(&gateway.id.namespace, namespace)),
        (None, None) => others.find(|gateway| may_admit(cx, gateway, route)),
        (None, Some(_)) => None,
    };
    let part = cx.model.part(namespace, &[Kind::Gateway, Kind::Pod]);
    let own = part.is_some_and(|part| !part.gateways.is_empty());
    let closed = gap.is_none() && (own || matches!(cx.model.closed(namespace), Known(())));
    let assumed = reference.namespace_span.is_none() && route.namespace == NamespaceSource::Assumed;
    let headline = format!("{} attaches to a Gateway that does not exist", title(&route.id));
    let label = format!("namespace `{namespace}` has no Gateway of this name");
    let finding = CHECK.finding(&route.id, headline).label(reference.span, label);
    match (alike, elsewhere) {
        _ if assumed => out.not_assessed(&CHECK, &route.id, reason),
        (Some(near), _) => out.push(
            finding
                .label(near.span, "this one is called almost the same")
                .help(format!("write `{}`", near.id.name)),
        ),
        (None, Some(other)) => out.push(
            finding
                .label(other.span, format!("namespace `{}` has one", other.id.namespace))
                .help(format!("write `namespace: {}`", other.id.namespace)),
        ),
        (None, None) if closed => out.push(finding),
        (None, None) => out.not_assessed(&CHECK, &route.id, gap.unwrap_or(reason)),
    }
}

/// The first thing that keeps every listener from accepting the route.
fn reason(cx: &Context<'_>, route: &Route, parent: &ParentRef, to: &Gateway) -> (Span, String) {
    let named: Vec<&Listener> = match &parent.section {
        Some(section) => to.listeners.iter().filter(|l| l.name == section.value).collect(),
        None => to.listeners.iter().collect(),
    };
    if let Some(section) = parent.section.as_ref().filter(|_| named.is_empty()) {
        return (section.span, format!("no listener is called `{}`", section.value));
    }
    let on_port =
        |l: &&&Listener| parent.port.as_ref().is_none_or(|port| l.port == Some(port.value));
    let left: Vec<&&Listener> = named.iter().filter(on_port).collect();
    if let Some(port) = parent.port.as_ref().filter(|_| left.is_empty()) {
        let which =
            if parent.section.is_some() { "that listener has not" } else { "no listener has" };
        return (port.span, format!("{which} port {}", port.value));
    }
    let kind = &route.id.kind;
    if !left.iter().any(|listener| listener.accepts_kind(kind)) {
        return (parent.span, format!("no listener accepts a {kind}"));
    }
    let namespace = &route.id.namespace;
    if !left.iter().any(|listener| namespace_admitted(cx, to, listener, route) != Truth::No) {
        return (parent.span, format!("no listener admits routes of namespace `{namespace}`"));
    }
    let meets = left.iter().any(|l| hosts_meet(l.hostname.as_ref(), &route.hostnames));
    match route.hostnames.first() {
        Some(host) if !meets => (host.span, "no listener serves this host".to_owned()),
        _ => (parent.span, "each listener refuses it for its host, kind or namespace".to_owned()),
    }
}
