//! The built-in checks: one file each, listed by layer.

mod accounts;
mod amounts;
mod application;
mod backends;
mod credentials;
mod entries;
mod evidence;
mod gateway;
mod hardening;
mod isolation;
mod mesh;
mod network;
mod peers;
mod policy;
mod routes;
mod sources;

use crate::catalog::Check;

/// Every built-in check.
pub fn all() -> Vec<&'static Check> {
    let layers =
        [network::CHECKS, mesh::CHECKS, gateway::CHECKS, policy::CHECKS, application::CHECKS];
    layers.into_iter().flatten().copied().collect()
}

/// The checks that the engine raises itself, about waivers.
pub mod waivers {
    pub(crate) use super::policy::waiver_expired::CHECK as EXPIRED;
    pub(crate) use super::policy::waiver_too_broad::CHECK as TOO_BROAD;
    pub(crate) use super::policy::waiver_unused::CHECK as UNUSED;
}
