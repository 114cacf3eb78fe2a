//! Checks on the mesh: enrolment, mTLS, authorization.

mod authorization_allows_everyone;
mod identity_rule_without_mtls;
mod mtls_not_strict;
mod namespace_without_authorization_policy;
mod shared_service_account_principal;
mod unknown_authz_condition_key;
mod workload_outside_mesh;

use super::evidence;
use crate::catalog::{Check, Context};
use crate::model::{AuthorizationPolicy, Places, Truth, Workload};

/// The checks of this layer.
pub(super) static CHECKS: &[&Check] = &[
    &authorization_allows_everyone::CHECK,
    &identity_rule_without_mtls::CHECK,
    &mtls_not_strict::CHECK,
    &namespace_without_authorization_policy::CHECK,
    &shared_service_account_principal::CHECK,
    &unknown_authz_condition_key::CHECK,
    &workload_outside_mesh::CHECK,
];

/// The workloads that a policy is for: those of its namespace that its selector matches, and in the
/// root namespace of the mesh those of every namespace (M15).
fn selected<'a>(cx: &Context<'a>, policy: &AuthorizationPolicy) -> Vec<&'a Workload> {
    if policy.targeted {
        return Vec::new();
    }
    let root = policy.id.namespace == cx.profile.root_namespace();
    let fits = |workload: &&Workload| {
        let here = root || workload.id.namespace == policy.id.namespace;
        let matches = policy
            .selector
            .as_ref()
            .is_none_or(|selector| selector.matches(|key| workload.label(key)) == Truth::Yes);
        here && matches
    };
    let named = || Places::Named(vec![&policy.id.namespace]);
    let places = if root { Places::Anywhere } else { named() };
    cx.model.may_match(&places, policy.selector.as_ref()).filter(fits).collect()
}
