//! Checks on workloads, their accounts, rights and secrets.

mod autoscaler_target_missing;
mod capabilities_not_dropped;
mod capability_added;
mod cluster_admin_bound;
mod container_may_run_as_root;
mod container_runs_as_root;
mod container_without_cpu_request;
mod container_without_memory_limit;
mod default_service_account_bound;
mod host_ipc;
mod host_network;
mod host_path_volume;
mod host_pid;
mod host_port;
mod missing_service_account;
mod plain_secret_in_repository;
mod privilege_escalation_allowed;
mod privileged_container;
mod quota_gap;
mod rbac_binds_everyone;
mod rbac_escalates;
mod rbac_reads_secrets;
mod seccomp_not_set;
mod seccomp_unconfined;
mod secret_in_arguments;
mod secret_in_configmap;
mod secret_literal_in_env;
mod token_automounted;

use super::{accounts, amounts, credentials, evidence, hardening};
use crate::catalog::Check;

/// The checks of this layer.
pub(super) static CHECKS: &[&Check] = &[
    &autoscaler_target_missing::CHECK,
    &capabilities_not_dropped::CHECK,
    &capability_added::CHECK,
    &cluster_admin_bound::CHECK,
    &container_may_run_as_root::CHECK,
    &container_runs_as_root::CHECK,
    &container_without_cpu_request::CHECK,
    &container_without_memory_limit::CHECK,
    &default_service_account_bound::CHECK,
    &host_ipc::CHECK,
    &host_network::CHECK,
    &host_path_volume::CHECK,
    &host_pid::CHECK,
    &host_port::CHECK,
    &missing_service_account::CHECK,
    &plain_secret_in_repository::CHECK,
    &privilege_escalation_allowed::CHECK,
    &privileged_container::CHECK,
    &quota_gap::CHECK,
    &rbac_binds_everyone::CHECK,
    &rbac_escalates::CHECK,
    &rbac_reads_secrets::CHECK,
    &seccomp_not_set::CHECK,
    &seccomp_unconfined::CHECK,
    &secret_in_arguments::CHECK,
    &secret_in_configmap::CHECK,
    &secret_literal_in_env::CHECK,
    &token_automounted::CHECK,
];
