//! The ways into the cluster: what leads to which Service from outside (semantics G17 to G21).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::backends::{granted, grants_decide};
use super::evidence::title;
use super::routes::{Attachment, attachment};
use crate::catalog::Context;
use crate::document::{ObjectId, Span};
use crate::model::{BackendRef, Route, Service, Sourced, Truth};

/// A way in: the object, the place, what it is.
pub(super) struct Entry {
    /// The object that opens it.
    pub(super) object: Arc<ObjectId>,
    /// Where.
    pub(super) at: Span,
    /// What it is.
    pub(super) text: String,
    /// Whether only some addresses are let in.
    pub(super) limited: bool,
}

/// Namespace and name of a Service.
pub(super) type Key = (String, String);

/// All ways in.
#[derive(Default)]
pub(super) struct Entries {
    /// By the Service that they lead to.
    pub(super) ways: BTreeMap<Key, Vec<Entry>>,
    /// Services of which it is not known whether something leads to them.
    pub(super) unsure: BTreeSet<Key>,
    /// Routes and VirtualServices of which it is not known where they lead, and why.
    pub(super) open: Vec<(Arc<ObjectId>, Arc<str>)>,
    /// How many routes and backends lead nowhere from outside.
    pub(super) closed: usize,
}

impl Entries {
    /// Collects the ways in of a root.
    pub(super) fn of(cx: &Context<'_>) -> Self {
        let mut entries = Self::default();
        for service in cx.model.services() {
            let own = of_service(service);
            if !own.is_empty() {
                entries.ways.entry(service_key(service)).or_default().extend(own);
            }
        }
        for ingress in cx.model.ingresses() {
            let backends = ingress.backends.iter().filter(|backend| backend.is_service());
            backends.for_each(|backend| entries.add(backend, &ingress.id));
        }
        for route in cx.model.routes() {
            entries.follow(cx, route);
        }
        for virtual_service in cx.model.virtual_services().filter(|v| v.from_gateway) {
            let id = &virtual_service.id;
            let reason = format!("what {} publishes is not evaluated yet", title(id));
            entries.unsure.extend(virtual_service.destinations.iter().cloned());
            entries.open.push((Arc::clone(id), reason.into()));
        }
        entries
    }

    fn add(&mut self, backend: &BackendRef, object: &Arc<ObjectId>) {
        let text = format!("{} leads to it", title(object));
        let entry = Entry { object: Arc::clone(object), at: backend.span, text, limited: false };
        self.ways.entry(key(backend)).or_default().push(entry);
    }

    /// The Services that a route leads to from outside.
    fn follow(&mut self, cx: &Context<'_>, route: &Route) {
        let doubt = match attachment(cx, route) {
            Attachment::Gateway(gateway) if gateway.internal.is_none() => None,
            Attachment::Gateway(_) | Attachment::None => {
                self.closed += 1;
                return;
            }
            Attachment::Unknown(reason) => Some(reason),
        };
        for backend in route.backends() {
            let doubt = match (granted(cx, route, backend), &doubt) {
                (Truth::No, _) => {
                    self.closed += 1;
                    continue;
                }
                (Truth::Yes, None) => {
                    self.add(backend, &route.id);
                    continue;
                }
                (_, Some(reason)) => Arc::clone(reason),
                (Truth::Unknown, None) => grants_decide(&backend.namespace),
            };
            self.unsure.insert(key(backend));
            self.open.push((Arc::clone(&route.id), doubt));
        }
    }
}

fn key(backend: &BackendRef) -> Key {
    (backend.namespace.clone(), backend.name.clone())
}

/// Namespace and name of a Service.
pub(super) fn service_key(service: &Service) -> Key {
    (service.id.namespace.clone(), service.id.name.clone())
}

/// How a Service is an entry by itself.
fn of_service(service: &Service) -> Vec<Entry> {
    let entry = |at, text: &str, limited| Entry {
        object: Arc::clone(&service.id),
        at,
        text: text.to_owned(),
        limited,
    };
    let addresses = service.external_ips;
    let addresses =
        addresses.map(|at| entry(at, "nodes accept traffic for these addresses", false));
    let whole = |range: &Sourced<String>| range.value.ends_with("/0");
    let ranges = &service.source_ranges;
    let limited = !ranges.is_empty() && !ranges.iter().any(whole);
    let kind = match service.kind.value.as_str() {
        "LoadBalancer" if service.internal.is_none() => {
            Some(entry(service.kind.span, "a load balancer leads to it", limited))
        }
        "NodePort" => Some(entry(service.kind.span, "a port of every node leads to it", false)),
        _ => None,
    };
    addresses.into_iter().chain(kind).collect()
}
