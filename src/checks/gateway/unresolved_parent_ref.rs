use super::evidence::title;
use super::routes::{accepts, gateway, hosts_meet, names_gateway, namespace_admitted};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Gateway, ParentRef, Route, Truth};

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
    /// Not assessed where the Gateway is not in the input or depends on labels that are not.
    "unresolved-parent-ref" {
        run: find,
        title: "no listener accepts the route",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::HTTPRoute, Kind::OtherRoute, Kind::Gateway, Kind::Namespace],
        fix: "correct the reference, or let a listener accept the route",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for route in cx.model.routes() {
        for parent in route.parents.iter().filter(|parent| names_gateway(parent)) {
            let Some(gateway) = gateway(cx, parent) else {
                absent(cx, out, route, parent);
                continue;
            };
            let answers = gateway.listeners.iter().map(|l| accepts(cx, gateway, l, route, parent));
            match answers.max() {
                Some(Truth::Yes) => out.pass(&CHECK, &route.id, gateway.span),
                Some(Truth::Unknown) => {
                    let reason = format!(
                        "labels of Namespace `{}` decide, and it is not in the input; add it",
                        route.id.namespace
                    );
                    out.not_assessed(&CHECK, &route.id, reason.into());
                }
                _ => refused(cx, out, route, parent, gateway),
            }
        }
    }
}

fn absent(cx: &Context<'_>, out: &mut Outcomes, route: &Route, parent: &ParentRef) {
    let part = cx.model.part(&parent.namespace, &[Kind::Gateway]);
    let others = part.map_or(0, |part| part.gateways.len());
    let gap = cx.model.gap_for(&parent.namespace);
    if others == 0 || gap.is_some() {
        let reason = gap.unwrap_or_else(|| {
            let (name, namespace) = (&parent.name, &parent.namespace);
            format!("Gateway `{name}` of namespace `{namespace}` is not in the input; add it")
                .into()
        });
        out.not_assessed(&CHECK, &route.id, reason);
        return;
    }
    let headline = format!("{} attaches to a Gateway that does not exist", title(&route.id));
    let label = format!("namespace `{}` has no Gateway of this name", parent.namespace);
    out.push(CHECK.finding(&route.id, headline).label(parent.span, label));
}

fn refused(
    cx: &Context<'_>,
    out: &mut Outcomes,
    route: &Route,
    parent: &ParentRef,
    gateway: &Gateway,
) {
    let (at, why) = reason(cx, route, parent, gateway);
    out.push(
        CHECK
            .finding(&route.id, format!("{} is accepted by no listener", title(&route.id)))
            .label(at, why)
            .label(gateway.span, "of this Gateway"),
    );
}

/// The first thing that keeps every listener from accepting the route.
fn reason(cx: &Context<'_>, route: &Route, parent: &ParentRef, to: &Gateway) -> (Span, String) {
    if let Some(section) = &parent.section
        && !to.listeners.iter().any(|listener| listener.name == section.value)
    {
        return (section.span, format!("no listener is called `{}`", section.value));
    }
    if let Some(port) = parent.port
        && !to.listeners.iter().any(|listener| listener.port == Some(port))
    {
        return (parent.span, format!("no listener has port {port}"));
    }
    let kind = &route.id.kind;
    if !to.listeners.iter().any(|listener| listener.accepts_kind(kind)) {
        return (parent.span, format!("no listener accepts a {kind}"));
    }
    let namespace = &route.id.namespace;
    let admitted =
        to.listeners.iter().any(|l| namespace_admitted(cx, to, l, namespace) != Truth::No);
    if !admitted {
        return (parent.span, format!("no listener admits routes of namespace `{namespace}`"));
    }
    let host = route.hostnames.first();
    let meets = to.listeners.iter().any(|l| hosts_meet(l.hostname.as_ref(), &route.hostnames));
    match host {
        Some(host) if !meets => (host.span, "no listener serves this host".to_owned()),
        _ => (parent.span, "each listener refuses it for its host, kind or namespace".to_owned()),
    }
}
