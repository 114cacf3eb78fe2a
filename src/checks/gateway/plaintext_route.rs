use super::evidence::title;
use super::routes::{Parent, accepts, labels_decide, parent, suits};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Gateway, Listener, ParentRef, Route, Truth};

check! {
    /// Flags routes that also serve their backends on a listener without TLS.
    ///
    /// ## Why it matters
    /// A route that names no `sectionName` attaches to every listener that fits, HTTP and HTTPS
    /// alike. What looks like an HTTPS application answers plaintext, too.
    ///
    /// ## Fix
    /// Name the HTTPS listener under `parentRefs[].sectionName`, and redirect from the HTTP one.
    ///
    /// ## Known gaps
    /// Reported where the Gateway has a listener with TLS that suits the route, too; an HTTP
    /// listener alone is reported by `listener-plaintext`. Not assessed where the Gateway is not in
    /// the input, or where labels of a Namespace decide that is not.
    "plaintext-route" {
        run: find,
        title: "route also serves plaintext",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::HTTPRoute, Kind::OtherRoute, Kind::Gateway, Kind::Namespace],
        fix: "name the HTTPS listener under `parentRefs[].sectionName`",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for route in cx.model.routes() {
        for reference in &route.parents {
            match parent(cx, route, reference) {
                _ if !route.serves() => out.not_applicable(),
                Parent::Gateway(gateway) if !gateway.is_waypoint() => {
                    judge(cx, out, route, reference, gateway);
                }
                Parent::Absent(reason) | Parent::Other(reason) => {
                    out.not_assessed(&CHECK, &route.id, reason);
                }
                Parent::Gateway(_) | Parent::Service => out.not_applicable(),
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
    let answer = |listener| accepts(cx, gateway, listener, route, reference);
    let accepting: Vec<(Truth, &Listener)> =
        gateway.listeners.iter().map(|l| (answer(l), l)).filter(|(t, _)| *t != Truth::No).collect();
    let plain = accepting.iter().filter(|(_, l)| l.is_plaintext()).max_by_key(|(t, _)| *t);
    let tls = accepting.iter().find(|(_, listener)| listener.is_tls());
    let mut others = gateway.listeners.iter().filter(|listener| listener.is_tls());
    let better = others.find(|listener| suits(cx, gateway, listener, route) != Truth::No);
    match (plain, tls, better) {
        (Some((Truth::Unknown, _)), ..) => {
            out.not_assessed(&CHECK, &route.id, labels_decide(route));
        }
        (Some((_, plain)), _, Some(better)) => {
            out.push(report(route, reference, plain, better));
        }
        (None, Some((_, tls)), _) => out.pass(&CHECK, &route.id, tls.protocol.span),
        (Some(_), _, None) | (None, None, _) => out.not_applicable(),
    }
}

fn report(route: &Route, reference: &ParentRef, plain: &Listener, better: &Listener) -> Finding {
    let chosen = reference.section.as_ref().map(|section| section.span);
    let chosen = chosen.or_else(|| reference.port.as_ref().map(|port| port.span));
    let (at, why) = match chosen {
        Some(at) => (at, "this names the listener without TLS"),
        None => (reference.span, "without `sectionName` the route attaches to every listener"),
    };
    CHECK
        .finding(&route.id, format!("{} also serves plaintext", title(&route.id)))
        .label(at, why)
        .label(plain.protocol.span, "this one has no TLS")
        .help(format!("write `sectionName: {}`, and redirect from `{}`", better.name, plain.name))
}
