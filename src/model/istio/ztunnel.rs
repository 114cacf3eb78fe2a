//! What is left of a policy at ztunnel, which reads layer 4 only (semantics M21 to M28).

use super::authorization::{Action, AuthRule, AuthorizationPolicy, Condition, Operation, Source};

/// What becomes of a rule at ztunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is sent and can match.
    Sent,
    /// It is left out of what is sent (M23).
    Dropped,
    /// It is sent with a clause that never matches, so it never does (M24, M26).
    Dead,
}

impl Fate {
    /// The word of messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Dead => "dead",
        }
    }
}

impl AuthorizationPolicy {
    /// What becomes of its rules at ztunnel, in order; none where ztunnel never gets the policy.
    #[must_use]
    pub fn at_ztunnel(&self) -> Option<Vec<Fate>> {
        let sent = matches!(self.action, Action::Allow | Action::Deny);
        if self.targeted || self.dry_run || !sent {
            return None;
        }
        Some(self.rules().iter().map(|rule| rule.at_ztunnel(self.action)).collect())
    }

    /// Whether ztunnel does anything because of it. An ALLOW policy without rules that are left
    /// denies everything; a DENY policy without any does nothing.
    #[must_use]
    pub fn acts_at_ztunnel(&self) -> bool {
        let Some(fates) = self.at_ztunnel() else { return false };
        self.action == Action::Allow || fates.contains(&Fate::Sent)
    }
}

impl AuthRule {
    fn at_ztunnel(&self, action: Action) -> Fate {
        let http = self.from.iter().any(asks_http)
            || self.to.iter().any(asks_more_than_ports)
            || self.when.iter().any(|when| !is_layer_4(when));
        if action == Action::Allow && http {
            return Fate::Dropped;
        }
        let empty_source = |source: &Source| {
            let Source { principals, namespaces, service_accounts, ip_blocks, .. } = source;
            [principals, namespaces, service_accounts, ip_blocks].iter().all(|w| w.is_empty())
        };
        let dead = !self.from.is_empty() && self.from.iter().all(empty_source)
            || !self.to.is_empty() && self.to.iter().all(|to| to.ports.is_empty())
            || self.when.iter().any(|when| !is_layer_4(when));
        if dead { Fate::Dead } else { Fate::Sent }
    }
}

fn asks_http(source: &Source) -> bool {
    !source.request_principals.is_empty() || !source.remote_ip_blocks.is_empty()
}

fn asks_more_than_ports(operation: &Operation) -> bool {
    let Operation { hosts, methods, paths, .. } = operation;
    [hosts, methods, paths].iter().any(|wanted| !wanted.is_empty())
}

/// Whether ztunnel knows the key of a condition (M28).
fn is_layer_4(condition: &Condition) -> bool {
    const KEYS: [&str; 5] =
        ["source.ip", "source.namespace", "source.principal", "destination.ip", "destination.port"];
    KEYS.contains(&condition.key.value.as_str())
}
