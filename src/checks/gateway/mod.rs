//! Checks on Gateway API and Ingress objects, and on what they publish.

mod appendable_trust_header;
mod exposed_to_internet;
mod inert_reference_grant;
mod listener_open_to_all_namespaces;
mod listener_plaintext;
mod plaintext_route;
mod unresolved_backend;
mod unresolved_parent_ref;

use std::collections::HashMap;

use super::backends::{granted, service};
use super::routes::{Parent, accepts, parent};
use super::{backends, entries, evidence, routes};
use crate::catalog::{Check, Context};
use crate::document::Kind;
use crate::model::{Gateway, Listener, Places, Route, Selector, Truth, Workload};

/// The checks of this layer.
pub(super) static CHECKS: &[&Check] = &[
    &appendable_trust_header::CHECK,
    &exposed_to_internet::CHECK,
    &inert_reference_grant::CHECK,
    &listener_open_to_all_namespaces::CHECK,
    &listener_plaintext::CHECK,
    &plaintext_route::CHECK,
    &unresolved_backend::CHECK,
    &unresolved_parent_ref::CHECK,
];

/// The routes that name a Gateway, and whether a listener of it accepts them.
fn attached<'r>(
    cx: &Context<'_>,
    to: &Gateway,
    listener: &Listener,
    routes: &Routes<'r>,
) -> Vec<(Truth, &'r Route)> {
    let answer = |route: &&'r Route| {
        let here = route.parents.iter().filter(|reference| {
            matches!(parent(cx, route, reference), Parent::Gateway(gateway) if gateway.id == to.id)
        });
        let answers = here.map(|reference| accepts(cx, to, listener, route, reference));
        answers.max().filter(|answer| *answer != Truth::No).map(|answer| (answer, *route))
    };
    let key = (to.id.namespace.as_str(), to.id.name.as_str());
    routes.0.get(&key).into_iter().flatten().filter_map(answer).collect()
}

/// Routes in force by namespace and name of the parents that they name.
struct Routes<'r>(HashMap<(&'r str, &'r str), Vec<&'r Route>>);

impl<'r> Routes<'r> {
    fn of(cx: &Context<'r>) -> Self {
        let mut routes: HashMap<(&str, &str), Vec<&Route>> = HashMap::new();
        for route in cx.model.routes().filter(|route| !route.superseded) {
            for parent in &route.parents {
                let named = routes.entry((&parent.namespace, &parent.name)).or_default();
                if named.last().is_none_or(|last| !std::ptr::eq(*last, route)) {
                    named.push(route);
                }
            }
        }
        Self(routes)
    }
}

/// The workloads that a listener certainly publishes through the routes that attach to it.
fn behind<'a>(cx: &Context<'a>, attached: &[(Truth, &Route)]) -> Vec<&'a Workload> {
    let mut workloads = Vec::new();
    let certain = attached.iter().filter(|(truth, _)| *truth == Truth::Yes);
    for (route, backend) in certain.flat_map(|(_, r)| r.backends().map(move |b| (r, b))) {
        let part = cx.model.part(&backend.namespace, &[Kind::Service, Kind::Pod]);
        let Some(part) = part.filter(|_| granted(cx, route, backend) == Truth::Yes) else {
            continue;
        };
        let (Truth::Yes, Some(service)) = service(part, backend, route.namespace) else {
            continue;
        };
        let Some(selector) = service.selector.as_ref() else { continue };
        workloads.extend(selected(cx, &backend.namespace, selector));
    }
    workloads
}

/// The workloads of a namespace that a Service selects.
fn selected<'a>(
    cx: &Context<'a>,
    namespace: &str,
    selector: &Selector,
) -> impl Iterator<Item = &'a Workload> {
    let workloads = cx.model.may_match(&Places::Named(namespace), Some(selector));
    let here = workloads.filter(move |workload| workload.id.namespace == namespace);
    here.filter(|workload| selector.matches(|key| workload.label(key)) == Truth::Yes)
}
