//! Which listeners a route attaches to (semantics G1 to G3).

use std::sync::Arc;

use crate::catalog::Context;
use crate::document::Kind;
use crate::model::{AllowedNamespaces, Gateway, Listener, ParentRef, Route, Sourced, Truth};

/// What a route is attached to.
pub(super) enum Attachment {
    /// A listener of a Gateway of the input accepts it.
    Gateway {
        /// Whether the Gateway is a waypoint inside the mesh.
        waypoint: bool,
    },
    /// Nothing that leads in from outside.
    None,
    /// A parent is not in the input.
    Unknown(Arc<str>),
}

/// Whether a parent reference names a Gateway.
pub(super) fn names_gateway(parent: &ParentRef) -> bool {
    parent.group == "gateway.networking.k8s.io" && parent.kind == "Gateway"
}

/// The Gateway that a parent reference names.
pub(super) fn gateway<'a>(cx: &Context<'a>, parent: &ParentRef) -> Option<&'a Gateway> {
    cx.model.part(&parent.namespace, &[Kind::Gateway])?.gateway(&parent.name)
}

/// The attachment of a route, the best of its parents.
pub(super) fn attachment(cx: &Context<'_>, route: &Route) -> Attachment {
    let mut result = Attachment::None;
    for parent in route.parents.iter().filter(|parent| names_gateway(parent)) {
        let Some(gateway) = gateway(cx, parent) else {
            let reason = format!(
                "Gateway `{}` of namespace `{}` is not in the input; add it",
                parent.name, parent.namespace
            );
            result = Attachment::Unknown(reason.into());
            continue;
        };
        let accepted =
            gateway.listeners.iter().any(|l| accepts(cx, gateway, l, route, parent) == Truth::Yes);
        if accepted {
            return Attachment::Gateway { waypoint: gateway.is_waypoint() };
        }
    }
    result
}

/// Whether a listener accepts a route by one of its parent references (G1, G2).
pub(super) fn accepts(
    cx: &Context<'_>,
    gateway: &Gateway,
    listener: &Listener,
    route: &Route,
    parent: &ParentRef,
) -> Truth {
    let section = parent.section.as_ref().is_none_or(|section| section.value == listener.name);
    let port = parent.port.is_none_or(|port| listener.port == Some(port));
    let kind = listener.accepts_kind(&route.id.kind);
    let hosts = hosts_meet(listener.hostname.as_ref(), &route.hostnames);
    let plain = Truth::certain(section && port && kind && hosts);
    plain.and(namespace_admitted(cx, gateway, listener, &route.id.namespace))
}

/// Whether a listener admits routes of a namespace.
pub(super) fn namespace_admitted(
    cx: &Context<'_>,
    gateway: &Gateway,
    listener: &Listener,
    namespace: &str,
) -> Truth {
    match &listener.namespaces {
        AllowedNamespaces::All(_) => Truth::Yes,
        AllowedNamespaces::Same => Truth::certain(gateway.id.namespace == namespace),
        AllowedNamespaces::Selector(selector) => {
            cx.model.touch(&[Kind::Namespace]);
            cx.model.model().selects_namespace(selector, namespace)
        }
    }
}

/// Whether host names intersect: none on a side means any; `*.x` is a suffix of at least one label.
pub(super) fn hosts_meet(listener: Option<&Sourced<String>>, route: &[Sourced<String>]) -> bool {
    let Some(listener) = listener else { return true };
    route.is_empty() || route.iter().any(|host| meet(&listener.value, &host.value))
}

fn meet(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (None, None) => a.eq_ignore_ascii_case(b),
        (Some(suffix), None) => b.len() > suffix.len() && b.ends_with(suffix),
        (None, Some(suffix)) => a.len() > suffix.len() && a.ends_with(suffix),
        (Some(x), Some(y)) => x.ends_with(y) || y.ends_with(x),
    }
}
