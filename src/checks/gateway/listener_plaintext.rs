use super::evidence::title;
use super::routes::{accepts, gateway, names_gateway};
use std::collections::HashMap;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Gateway, Listener, Route, Truth};

check! {
    /// Flags Gateway listeners that talk HTTP without TLS.
    ///
    /// ## Why it matters
    /// Everything that clients send there can be read and changed on the way, passwords and cookies
    /// included.
    ///
    /// ## Fix
    /// Serve HTTPS, and keep an HTTP listener for redirects only.
    ///
    /// ## Known gaps
    /// A listener is left alone when every route of the input that attaches to it only redirects.
    /// TLS that ends in front of the Gateway (a load balancer, a tunnel) is not seen. Waypoints of
    /// the mesh are left out.
    "listener-plaintext" {
        run: find,
        title: "listener without TLS",
        layer: Layer::Gateway,
        cell: CellRole::Decides,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[
            Kind::Gateway,
            Kind::HTTPRoute,
            Kind::OtherRoute,
            Kind::Namespace,
            Kind::Pod,
            Kind::Service,
        ],
        fix: "serve HTTPS, and let the HTTP listener redirect only",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let routes = Routes::by_gateway(cx);
    for gateway in cx.model.gateways() {
        if gateway.is_waypoint() {
            out.not_applicable();
            continue;
        }
        for listener in &gateway.listeners {
            if listener.is_plaintext() {
                plaintext(cx, out, gateway, listener, &routes);
            } else {
                out.pass(&CHECK, &gateway.id, listener.protocol.span);
                for workload in super::behind(cx, gateway, listener, &routes) {
                    out.pass(&CHECK, &workload.id, listener.protocol.span);
                }
            }
        }
    }
}

fn plaintext(
    cx: &Context<'_>,
    out: &mut Outcomes,
    gateway: &Gateway,
    listener: &Listener,
    routes: &Routes<'_>,
) {
    let attached: Vec<&Route> = attached(cx, gateway, listener, routes);
    let only_redirects = |route: &&&Route| route.rules.iter().all(|rule| rule.redirects);
    if let Some(redirect) = attached.first().filter(|_| attached.iter().all(|r| only_redirects(&r)))
    {
        out.pass(&CHECK, &gateway.id, redirect.span);
        return;
    }
    let headline = format!("{} listens without TLS on `{}`", title(&gateway.id), listener.name);
    let finding = CHECK
        .finding(&gateway.id, headline)
        .label(listener.protocol.span, "clients talk plaintext here")
        .affects(super::behind(cx, gateway, listener, routes).iter().map(|w| w.id.clone()));
    out.push(
        attached
            .iter()
            .filter(|route| !only_redirects(route))
            .take(3)
            .fold(finding, |finding, route| {
                finding.label(route.span, "and reach the backends of this route")
            }),
    );
}

/// The routes that a listener accepts.
pub(super) fn attached<'r>(
    cx: &Context<'_>,
    to: &Gateway,
    listener: &Listener,
    routes: &Routes<'r>,
) -> Vec<&'r Route> {
    let attaches = |route: &&&Route| {
        let parents = route.parents.iter().filter(|parent| names_gateway(parent));
        let mut here =
            parents.filter(|parent| gateway(cx, parent).is_some_and(|gateway| gateway.id == to.id));
        here.any(|parent| accepts(cx, to, listener, route, parent) == Truth::Yes)
    };
    let key = (to.id.namespace.as_str(), to.id.name.as_str());
    routes.0.get(&key).into_iter().flatten().filter(attaches).copied().collect()
}

/// Routes by the Gateways that they name as parents.
pub(super) struct Routes<'r>(HashMap<(&'r str, &'r str), Vec<&'r Route>>);

impl<'r> Routes<'r> {
    fn by_gateway(cx: &Context<'r>) -> Self {
        let mut routes: HashMap<(&str, &str), Vec<&Route>> = HashMap::new();
        for route in cx.model.routes() {
            for parent in route.parents.iter().filter(|parent| names_gateway(parent)) {
                let named = routes.entry((&parent.namespace, &parent.name)).or_default();
                if named.last().is_none_or(|last| !std::ptr::eq(*last, route)) {
                    named.push(route);
                }
            }
        }
        Self(routes)
    }
}
