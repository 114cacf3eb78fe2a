//! Checks on network policies and Services.

mod all_namespaces_peer;
mod cilium_selector_missing;
mod cloud_metadata_reachable;
mod cross_namespace_flow_not_allowed;
mod default_deny_disabled;
mod default_deny_without_rules;
mod egress_not_isolated;
mod egress_to_world;
mod fqdn_rule_without_dns_proxy;
mod hbone_blocked;
mod ingress_not_isolated;
mod l7_rule_on_tls;
mod namespace_without_default_deny;
mod network_policy_on_host_network;
mod nullified_fqdn_allowlist;
mod peer_selects_nothing;
mod pod_without_network_policy;
mod policy_allows_everything;
mod policy_selects_nothing;
mod policy_without_namespace;
mod private_ranges_reachable;
mod rule_without_ports;
mod selector_without_endpoints;
mod service_peer_without_ports;
mod whole_namespace_peer;

use super::{evidence, isolation, peers, sources};
use crate::catalog::Check;

/// The checks of this layer.
pub(super) static CHECKS: &[&Check] = &[
    &all_namespaces_peer::CHECK,
    &cilium_selector_missing::CHECK,
    &cloud_metadata_reachable::CHECK,
    &cross_namespace_flow_not_allowed::CHECK,
    &default_deny_disabled::CHECK,
    &default_deny_without_rules::CHECK,
    &egress_not_isolated::CHECK,
    &egress_to_world::CHECK,
    &fqdn_rule_without_dns_proxy::CHECK,
    &hbone_blocked::CHECK,
    &ingress_not_isolated::CHECK,
    &l7_rule_on_tls::CHECK,
    &namespace_without_default_deny::CHECK,
    &network_policy_on_host_network::CHECK,
    &nullified_fqdn_allowlist::CHECK,
    &peer_selects_nothing::CHECK,
    &pod_without_network_policy::CHECK,
    &policy_allows_everything::CHECK,
    &policy_selects_nothing::CHECK,
    &policy_without_namespace::CHECK,
    &private_ranges_reachable::CHECK,
    &rule_without_ports::CHECK,
    &selector_without_endpoints::CHECK,
    &service_peer_without_ports::CHECK,
    &whole_namespace_peer::CHECK,
];
