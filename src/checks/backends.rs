//! What a backend reference leads to (semantics G8, G11, G18).

use std::sync::Arc;

use super::evidence::is_typo;
use super::routes::placed;
use crate::catalog::Context;
use crate::document::{Kind, NamespaceSource, ObjectId};
use crate::model::{BackendRef, Carrier, ParentRef, Part, Route, Service, ServicePort, Truth};

/// Who refers.
#[derive(Clone, Copy)]
pub(super) struct Referrer<'a> {
    /// Identity.
    pub(super) id: &'a Arc<ObjectId>,
    /// How its namespace was found.
    pub(super) namespace: NamespaceSource,
    /// The route; none for an Ingress.
    pub(super) route: Option<&'a Route>,
}

/// What a backend reference leads to.
pub(super) enum Backend<'a> {
    /// A Service with this port.
    Service(&'a Service),
    /// Something that is not looked up: a kind of a controller, a name outside the cluster.
    Other,
    /// A kind of Kubernetes itself that is no backend.
    Unfit,
    /// A Service, without the port that has to be named.
    WithoutPort,
    /// A Service in another namespace that no ReferenceGrant admits (G11).
    Ungranted,
    /// A Service that lacks the port, and its port that leads to the one that is named.
    WrongPort(&'a Service, Option<&'a ServicePort>),
    /// A Service that does not exist, and what is in its namespace.
    Missing(&'a Part),
    /// A Service that exists in a namespace one edit away; nothing lies in the one named.
    WrongNamespace(&'a Service),
    /// It rests on what is not in the input.
    Unknown(Arc<str>),
}

/// What a backend reference leads to.
pub(super) fn resolve<'a>(
    cx: &Context<'a>,
    from: Referrer<'_>,
    backend: &BackendRef,
) -> Backend<'a> {
    if !backend.is_service() {
        let own = matches!(backend.group.as_str(), "" | "core" | "apps" | "batch");
        let of_route = from.route.is_some();
        return if own && of_route { Backend::Unfit } else { Backend::Other };
    }
    if backend.port.is_none() {
        return Backend::WithoutPort;
    }
    let namespace = backend.namespace.as_str();
    let part = cx.model.part(namespace, &[Kind::Service, Kind::Pod]);
    let gap = cx.model.gap_for(namespace);
    let Some(part) = part.filter(|part| has_backends(part)) else {
        let near = beside(cx, backend);
        return near.map_or_else(
            || Backend::Unknown(gap.unwrap_or_else(|| absent(namespace))),
            Backend::WrongNamespace,
        );
    };
    match from.route.map_or(Truth::Yes, |route| granted(cx, route, backend)) {
        Truth::Yes => {}
        Truth::No => return Backend::Ungranted,
        Truth::Unknown => return Backend::Unknown(gap.unwrap_or_else(|| grants_decide(namespace))),
    }
    match service(part, backend, from.namespace) {
        (Truth::Yes, Some(service)) => port(service, backend),
        (Truth::Unknown, _) => {
            let name = &backend.name;
            let reason = format!("whether it lies beside Service `{name}` is not written");
            Backend::Unknown(reason.into())
        }
        _ => missing(part, backend, gap),
    }
}

/// The Service of a namespace that a reference names. Unknown where one has this name and it is not
/// certain that they lie in one namespace.
pub(super) fn service<'p>(
    part: &'p Part,
    backend: &BackendRef,
    referrer: NamespaceSource,
) -> (Truth, Option<&'p Service>) {
    let place = placed(&backend.namespace, backend.namespace_span.is_some(), referrer);
    let named = part.service(&backend.name);
    named.map_or((Truth::No, None), |service| (service.home().is(&place), Some(service)))
}

fn port<'a>(service: &'a Service, backend: &BackendRef) -> Backend<'a> {
    if service.is_external_name() {
        return Backend::Other;
    }
    let Some(wanted) = &backend.port else { return Backend::WithoutPort };
    let is = |port: &&ServicePort| {
        port.name.as_deref() == Some(wanted.value.as_str())
            || port.port.is_some_and(|number| number.to_string() == wanted.value)
    };
    if service.patch || service.ports.iter().any(|port| is(&port)) {
        return Backend::Service(service);
    }
    let behind = service.ports.iter().find(|port| port.target == wanted.value);
    Backend::WrongPort(service, behind)
}

fn missing<'a>(part: &'a Part, backend: &BackendRef, gap: Option<Arc<str>>) -> Backend<'a> {
    let name = &backend.name;
    let made = |carrier| part.workloads.iter().any(|w| w.carrier == carrier && w.id.name == *name);
    if made(Carrier::Knative) {
        let reason = format!("Knative makes a Service `{name}`; check what it makes");
        return Backend::Unknown(reason.into());
    }
    let near = part.services.iter().any(|service| is_typo(&service.id.name, name));
    match gap.filter(|_| !near) {
        Some(reason) => Backend::Unknown(reason),
        None => Backend::Missing(part),
    }
}

/// The Service that is meant, in a namespace one edit away from one that is not in the input.
fn beside<'a>(cx: &Context<'a>, backend: &BackendRef) -> Option<&'a Service> {
    backend.namespace_span?;
    let namespaces = cx.model.namespaces(&[Kind::Service]);
    let near = namespaces.filter(|(name, _)| is_typo(name, &backend.namespace));
    near.flat_map(|(_, part)| &part.services).find(|service| service.id.name == backend.name)
}

/// Whether a route may use a backend. One in another namespace needs a ReferenceGrant there (G11),
/// but for routes of the mesh.
pub(super) fn granted(cx: &Context<'_>, route: &Route, backend: &BackendRef) -> Truth {
    let foreign = backend.namespace_span.is_some() && backend.namespace != route.id.namespace;
    let of_mesh = |parent: &ParentRef| parent.group.is_empty() && parent.kind == "Service";
    let mesh_only = !route.parents.is_empty() && route.parents.iter().all(of_mesh);
    if !foreign || mesh_only {
        return Truth::Yes;
    }
    let namespace = backend.namespace.as_str();
    let kinds = [Kind::ReferenceGrant, Kind::Service, Kind::Pod];
    let part = cx.model.part(namespace, &kinds);
    let from = (route.id.group.as_str(), route.id.kind.as_str(), route.id.namespace.as_str());
    let to = (backend.group.as_str(), backend.kind.as_str(), backend.name.as_str());
    if part.is_some_and(|part| part.grants.iter().any(|grant| grant.permits(from, to))) {
        return Truth::Yes;
    }
    let complete = part.is_some_and(has_backends) && cx.model.gap_for(namespace).is_none();
    if complete && route.namespace != NamespaceSource::Assumed { Truth::No } else { Truth::Unknown }
}

/// Why it is not known whether a reference is granted.
pub(super) fn grants_decide(namespace: &str) -> Arc<str> {
    format!("ReferenceGrants of namespace `{namespace}` decide; add them").into()
}

/// Whether the input holds what could be a backend in a namespace.
pub(super) fn has_backends(part: &Part) -> bool {
    !part.services.is_empty() || !part.workloads.is_empty()
}

fn absent(namespace: &str) -> Arc<str> {
    format!("namespace `{namespace}` has no Service in the input; add its manifests").into()
}
