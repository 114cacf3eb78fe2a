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
use crate::document::Span;
use crate::model::{Action, AuthorizationPolicy, Places, Truth, Workload};

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

/// The workloads that a policy is certainly for: those of its namespace that its selector matches,
/// and in the root namespace of the mesh those of every namespace (M15).
fn selected<'a>(cx: &Context<'a>, policy: &AuthorizationPolicy) -> Vec<&'a Workload> {
    let root = policy.id.namespace == cx.profile.root_namespace();
    let anywhere = root || policy.home().is_assumed();
    let places = if anywhere { Places::Anywhere } else { Places::Named(&policy.id.namespace) };
    let workloads = cx.model.may_match(&places, policy.selector.as_ref());
    workloads.filter(|workload| cx.model.is_for(policy, workload) == Truth::Yes).collect()
}

/// Whether nobody expects a workload in the mesh: it is in the host's network, or one of the
/// platform's own.
fn is_left_out(cx: &Context<'_>, workload: &Workload) -> bool {
    let namespace = &workload.id.namespace;
    let system = namespace == "kube-system" || namespace == cx.profile.root_namespace();
    system || workload.pod.uses_host_network()
}

/// Why a policy does nothing, whatever its workloads are.
fn idle(policy: &AuthorizationPolicy, ambient: bool) -> Option<(Option<Span>, String)> {
    if let Some(refused) = &policy.refused {
        return Some((Some(refused.span), format!("this policy is refused: {}", refused.value)));
    }
    let why = match policy.action {
        _ if policy.dry_run => "this policy only logs",
        Action::Audit => "this policy only logs",
        _ if policy.targeted || !ambient => return None,
        Action::Custom => "ztunnel never gets this policy",
        Action::Deny if !policy.acts_at_ztunnel() => {
            "ztunnel reads no HTTP, so this policy never denies"
        }
        _ => return None,
    };
    Some((None, why.to_owned()))
}
