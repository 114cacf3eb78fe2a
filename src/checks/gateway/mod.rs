//! Checks on Gateway API and Ingress objects, and on what they publish.

mod appendable_trust_header;
mod exposed_to_internet;
mod inert_reference_grant;
mod listener_open_to_all_namespaces;
mod listener_plaintext;
mod plaintext_route;
mod unresolved_backend;
mod unresolved_parent_ref;

use super::{evidence, routes};
use crate::catalog::{Check, Context};
use crate::document::Kind;
use crate::model::{Gateway, Listener, Places, Truth, Workload};

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

/// The workloads that a listener publishes through the routes that attach to it.
fn behind<'a>(
    cx: &Context<'a>,
    gateway: &Gateway,
    listener: &Listener,
    routes: &listener_plaintext::Routes<'_>,
) -> Vec<&'a Workload> {
    let attached = listener_plaintext::attached(cx, gateway, listener, routes);
    let rules = attached.iter().flat_map(|route| &route.rules);
    let backends = rules.flat_map(|rule| &rule.backends).filter(|backend| backend.is_service());
    let mut workloads = Vec::new();
    for backend in backends {
        let Some(part) = cx.model.part(&backend.namespace, &[Kind::Service, Kind::Pod]) else {
            continue;
        };
        let service = part.service(&backend.name);
        let Some(selector) = service.and_then(|service| service.selector.as_ref()) else {
            continue;
        };
        let fits = |w: &&Workload| selector.matches(|key| w.label(key)) == Truth::Yes;
        let here = Places::Named(vec![&backend.namespace]);
        let candidates = cx.model.may_match(&here, Some(selector));
        workloads.extend(candidates.filter(|w| !w.superseded).filter(fits));
    }
    workloads
}
