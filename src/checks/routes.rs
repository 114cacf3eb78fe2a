//! Which listeners a route attaches to (semantics G1 to G3, G7).

use std::sync::Arc;

use crate::catalog::Context;
use crate::document::{Kind, NamespaceSource};
use crate::model::{AllowedNamespaces, Gateway, Home, Listener, ParentRef, Route, Sourced, Truth};

/// What a parent reference leads to.
pub(super) enum Parent<'a> {
    /// A Gateway of the input.
    Gateway(&'a Gateway),
    /// A Service: the route is one of the mesh's (G7).
    Service,
    /// A Gateway that is not in the input.
    Absent(Arc<str>),
    /// A kind that is not looked up.
    Other(Arc<str>),
}

/// What a route is attached to.
pub(super) enum Attachment<'a> {
    /// A Gateway of the input that leads in from outside.
    Gateway(&'a Gateway),
    /// Nothing that leads in from outside.
    None,
    /// A parent is not in the input, or labels that decide are not.
    Unknown(Arc<str>),
}

/// How the namespace of a reference is known: the referrer's own where none is written.
pub(super) fn placed(namespace: &str, is_written: bool, referrer: NamespaceSource) -> Home<'_> {
    Home::new(namespace, if is_written { NamespaceSource::Written } else { referrer })
}

/// What a parent reference of a route leads to.
pub(super) fn parent<'a>(cx: &Context<'a>, route: &Route, parent: &ParentRef) -> Parent<'a> {
    match (parent.group.as_str(), parent.kind.as_str()) {
        ("gateway.networking.k8s.io", "Gateway") => {}
        ("", "Service") => return Parent::Service,
        (_, kind) => {
            let reason = format!("a parent of kind {kind} is not looked up yet");
            return Parent::Other(reason.into());
        }
    }
    let (namespace, name) = (&parent.namespace, &parent.name);
    let place = placed(namespace, parent.namespace_span.is_some(), route.namespace);
    let part = cx.model.part(namespace, &[Kind::Gateway]);
    let named = part.and_then(|part| part.gateway(name));
    match named.filter(|gateway| gateway.home().is(&place) == Truth::Yes) {
        Some(gateway) => Parent::Gateway(gateway),
        None => {
            let reason =
                format!("Gateway `{name}` of namespace `{namespace}` is not in the input; add it");
            Parent::Absent(reason.into())
        }
    }
}

/// The attachment of a route, the best of its parents.
pub(super) fn attachment<'a>(cx: &Context<'a>, route: &Route) -> Attachment<'a> {
    let mut result = Attachment::None;
    for reference in &route.parents {
        let gateway = match parent(cx, route, reference) {
            Parent::Gateway(gateway) => gateway,
            Parent::Service => continue,
            Parent::Absent(reason) | Parent::Other(reason) => {
                result = Attachment::Unknown(reason);
                continue;
            }
        };
        if gateway.is_waypoint() {
            continue;
        }
        let answers = gateway.listeners.iter().map(|l| accepts(cx, gateway, l, route, reference));
        match answers.max() {
            Some(Truth::Yes) => return Attachment::Gateway(gateway),
            Some(Truth::Unknown) => result = Attachment::Unknown(labels_decide(route)),
            Some(Truth::No) | None => {}
        }
    }
    result
}

/// Why it is not known whether a listener admits a route's namespace.
pub(super) fn labels_decide(route: &Route) -> Arc<str> {
    if route.namespace == NamespaceSource::Assumed {
        let name = &route.id.name;
        return format!("the namespace of {} `{name}` decides; write it", route.id.kind).into();
    }
    let namespace = &route.id.namespace;
    format!("labels of Namespace `{namespace}` decide, and it is not in the input; add it").into()
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
    let port = parent.port.as_ref().is_none_or(|port| listener.port == Some(port.value));
    Truth::certain(section && port).and(suits(cx, gateway, listener, route))
}

/// Whether a listener accepts a route whichever listener the route names.
pub(super) fn suits(
    cx: &Context<'_>,
    gateway: &Gateway,
    listener: &Listener,
    route: &Route,
) -> Truth {
    let kind = listener.accepts_kind(&route.id.kind);
    let hosts = hosts_meet(listener.hostname.as_ref(), &route.hostnames);
    Truth::certain(kind && hosts).and(namespace_admitted(cx, gateway, listener, route))
}

/// Whether a listener admits routes of a route's namespace.
pub(super) fn namespace_admitted(
    cx: &Context<'_>,
    gateway: &Gateway,
    listener: &Listener,
    route: &Route,
) -> Truth {
    let namespace = route.id.namespace.as_str();
    match &listener.namespaces {
        _ if listener.namespaces.everyone().is_some() => Truth::Yes,
        AllowedNamespaces::All(_) => Truth::Yes,
        AllowedNamespaces::Nobody => Truth::No,
        AllowedNamespaces::Same => gateway.home().is(&route.home()),
        AllowedNamespaces::Selector(_) if route.namespace == NamespaceSource::Assumed => {
            Truth::Unknown
        }
        AllowedNamespaces::Selector(selector) => {
            cx.model.touch(&[Kind::Namespace]);
            cx.model.model().selects_namespace(selector, namespace)
        }
    }
}

/// Whether some listener of a Gateway may admit routes of a route's namespace.
pub(super) fn may_admit(cx: &Context<'_>, gateway: &Gateway, route: &Route) -> bool {
    let mut listeners = gateway.listeners.iter();
    listeners.any(|listener| namespace_admitted(cx, gateway, listener, route) != Truth::No)
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
