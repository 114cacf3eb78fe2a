//! What a rule about identities does to a caller who shows none (semantics M14).

use super::authorization::{Action, AuthRule, Condition, Source};
use crate::document::Span;

/// What a rule about identities does to a caller who shows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anonymous {
    /// It denies an identity, so such a caller gets past it.
    NotDenied,
    /// It admits everybody but an identity, so such a caller gets in.
    Admitted,
    /// It admits an identity, so such a caller is refused.
    Refused,
}

impl AuthRule {
    /// What it does to a caller without mTLS, and the identity that it names. None where it names
    /// none, or denies such a caller as it means to.
    #[must_use]
    pub fn anonymous(&self, action: Action) -> Option<(Anonymous, Span)> {
        let asked = |source: &Source| {
            source.identities().into_iter().find_map(|field| field.any.first()).map(|id| id.span)
        };
        let spared = |source: &Source| {
            source.identities().into_iter().find_map(|field| field.none.first()).map(|id| id.span)
        };
        let conditions: Vec<&Condition> = self.when.iter().filter(|c| c.is_identity()).collect();
        let demanded = conditions.iter().find_map(|c| c.values.any.first()).map(|id| id.span);
        let positive = self.from.iter().find_map(asked).or(demanded);
        match action {
            Action::Deny => positive.map(|at| (Anonymous::NotDenied, at)),
            Action::Audit | Action::Custom => None,
            Action::Allow => {
                // The clauses hold together: one that asks for an identity keeps the caller out.
                let strangers = || self.from.iter().filter(|source| asked(source).is_none());
                let let_in = self.from.is_empty() || strangers().next().is_some();
                let except = conditions.iter().find_map(|c| c.values.none.first());
                let negative = strangers().find_map(spared).or(except.map(|id| id.span));
                let admitted = negative.filter(|_| let_in && demanded.is_none());
                let refused = positive.map(|at| (Anonymous::Refused, at));
                admitted.map(|at| (Anonymous::Admitted, at)).or(refused)
            }
        }
    }

    /// The ports that it is about, where each of its operations names some; else all.
    #[must_use]
    pub fn ports(&self) -> Option<Vec<u16>> {
        let listed = !self.to.is_empty() && self.to.iter().all(|to| !to.ports.any.is_empty());
        let ports = self.to.iter().flat_map(|to| &to.ports.any);
        listed.then(|| ports.filter_map(|port| port.value.parse().ok()).collect())
    }
}
