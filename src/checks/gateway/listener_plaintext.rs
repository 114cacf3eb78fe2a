use super::evidence::title;
use super::routes::labels_decide;
use super::{Routes, attached, behind};
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
    /// A listener is left alone when every route of the input that attaches to it only redirects to
    /// HTTPS; a redirect without `scheme: https` stays on HTTP. Listeners for TCP and UDP carry any
    /// protocol and are not judged. TLS that ends in front of the Gateway (a load balancer, a
    /// tunnel) is not seen. Waypoints of the mesh are left out.
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
            Kind::ReferenceGrant,
        ],
        fix: "serve HTTPS, and let the HTTP listener redirect only",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let routes = Routes::of(cx);
    for gateway in cx.model.gateways() {
        if gateway.is_waypoint() {
            out.not_applicable();
            continue;
        }
        for listener in &gateway.listeners {
            let attached = attached(cx, gateway, listener, &routes);
            if listener.is_plaintext() {
                plaintext(cx, out, gateway, listener, &attached);
            } else if listener.is_tls() {
                out.pass(&CHECK, &gateway.id, listener.protocol.span);
                for workload in behind(cx, &attached) {
                    out.pass(&CHECK, &workload.id, listener.protocol.span);
                }
            } else {
                out.not_applicable();
            }
        }
    }
}

fn plaintext(
    cx: &Context<'_>,
    out: &mut Outcomes,
    gateway: &Gateway,
    listener: &Listener,
    attached: &[(Truth, &Route)],
) {
    let (redirecting, serving): (Vec<_>, Vec<_>) =
        attached.iter().partition(|(_, route)| route.only_redirects_to_tls());
    let certain = |routes: &[&(Truth, &Route)]| {
        routes.iter().find(|(truth, _)| *truth == Truth::Yes).map(|(_, route)| route.span)
    };
    if let (Some(redirect), None) = (certain(&redirecting), certain(&serving)) {
        // That nothing else attaches rests on what is not in the input, too.
        let reason = serving.first().map(|(_, route)| labels_decide(route));
        match reason.or_else(|| cx.model.any_gap()) {
            Some(reason) => out.not_assessed(&CHECK, &gateway.id, reason),
            None => out.pass(&CHECK, &gateway.id, redirect),
        }
        return;
    }
    let headline = format!("{} listens without TLS on `{}`", title(&gateway.id), listener.name);
    let finding = CHECK
        .finding(&gateway.id, headline)
        .label(listener.protocol.span, "clients talk plaintext here")
        .affects(behind(cx, attached).iter().map(|w| w.id.clone()));
    let known = serving.iter().filter(|(truth, _)| *truth == Truth::Yes).take(3);
    out.push(known.fold(finding, |finding, (_, route)| {
        let label = match route.serves() {
            true => "and reach the backends of this route",
            false => "and this route keeps them there",
        };
        finding.label(route.span, label)
    }));
}
