use super::evidence::title;
use super::routes::{accepts, gateway, names_gateway};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Listener, ParentRef, Route, Truth};

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
    /// Reported where the Gateway has a listener of both sorts that accepts the route; an HTTP
    /// listener alone is reported by `listener-plaintext`. Not assessed where the Gateway is not in
    /// the input.
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
        let serves = route.rules.iter().any(|rule| !rule.backends.is_empty() && !rule.redirects);
        for parent in route.parents.iter().filter(|parent| names_gateway(parent)) {
            if !serves {
                out.not_applicable();
                continue;
            }
            judge(cx, out, route, parent);
        }
    }
}

fn judge(cx: &Context<'_>, out: &mut Outcomes, route: &Route, parent: &ParentRef) {
    if let Some(section) = &parent.section {
        out.pass(&CHECK, &route.id, section.span);
        return;
    }
    let Some(gateway) = gateway(cx, parent) else {
        let reason = format!(
            "Gateway `{}` of namespace `{}` is not in the input; add it",
            parent.name, parent.namespace
        );
        out.not_assessed(&CHECK, &route.id, reason.into());
        return;
    };
    let accepted =
        |listener: &&Listener| accepts(cx, gateway, listener, route, parent) == Truth::Yes;
    let listeners: Vec<&Listener> = gateway.listeners.iter().filter(accepted).collect();
    let plain = listeners.iter().find(|listener| listener.is_plaintext());
    let tls = listeners.iter().find(|listener| !listener.is_plaintext());
    match (plain, tls) {
        (Some(plain), Some(_)) => {
            let headline = format!("{} also serves plaintext", title(&route.id));
            out.push(
                CHECK
                    .finding(&route.id, headline)
                    .label(
                        parent.span,
                        "without `sectionName` the route attaches to every listener",
                    )
                    .label(plain.protocol.span, "this one has no TLS"),
            );
        }
        (None, Some(tls)) => out.pass(&CHECK, &route.id, tls.protocol.span),
        _ => out.not_applicable(),
    }
}
