//! Checks on admission, on the text of manifests, and on waivers.

mod duplicate_key;
mod namespace_without_pod_security;
mod object_defined_twice;
mod orphan_policy_file;
mod pod_security_would_reject;
mod unquoted_heredoc_expansion;
pub(super) mod waiver_expired;
pub(super) mod waiver_too_broad;
pub(super) mod waiver_unused;

use crate::catalog::Check;
use crate::document::{Kind, ObjectId};
use crate::finding::Layer;

/// The checks of this layer.
pub(super) static CHECKS: &[&Check] = &[
    &duplicate_key::CHECK,
    &namespace_without_pod_security::CHECK,
    &object_defined_twice::CHECK,
    &orphan_policy_file::CHECK,
    &pod_security_would_reject::CHECK,
    &unquoted_heredoc_expansion::CHECK,
    &waiver_expired::CHECK,
    &waiver_too_broad::CHECK,
    &waiver_unused::CHECK,
];

/// The layer that an object belongs to.
fn layer_of(object: &ObjectId) -> Layer {
    match Kind::of(&object.group, &object.kind) {
        Some(
            Kind::NetworkPolicy
            | Kind::CiliumNetworkPolicy
            | Kind::CiliumClusterwideNetworkPolicy
            | Kind::OtherNetworkPolicy
            | Kind::Service
            | Kind::EndpointSlice,
        ) => Layer::Network,
        Some(Kind::PeerAuthentication | Kind::AuthorizationPolicy) => Layer::Mesh,
        Some(
            Kind::Ingress
            | Kind::Gateway
            | Kind::HTTPRoute
            | Kind::OtherRoute
            | Kind::ReferenceGrant,
        ) => Layer::Gateway,
        Some(Kind::Namespace) => Layer::Policy,
        _ => match object.group.as_str() {
            group if group.ends_with("istio.io") => Layer::Mesh,
            "kyverno.io" | "admissionregistration.k8s.io" => Layer::Policy,
            group if group.ends_with("gatekeeper.sh") => Layer::Policy,
            _ => Layer::Application,
        },
    }
}
