//! Checks that look at one peer of one rule.

use std::collections::HashSet;

use crate::catalog::{Check, Context, Outcomes};
use crate::document::Span;
use crate::finding::Finding;
use crate::reach::{Action, PeerSet, Peers, Rule};

/// Looks at every named peer of every allow rule, each place once.
pub(super) fn each_peer(
    check: &Check,
    cx: &Context<'_>,
    out: &mut Outcomes,
    judge: impl Fn(&Rule, &PeerSet) -> Option<Finding>,
) {
    let mut seen: HashSet<Span> = HashSet::new();
    for rule in cx.reach.rules().iter().filter(|rule| rule.action == Action::Allow) {
        let set: &[PeerSet] = match &rule.peers {
            Peers::Set(set) => set,
            Peers::Any | Peers::Nobody => &[],
        };
        let mut found = false;
        for peer in set {
            let Some(finding) = judge(rule, peer) else { continue };
            found = true;
            if seen.insert(peer.span()) {
                out.push(finding);
            }
        }
        if !found {
            out.pass(check, &rule.origin.object, rule.origin.span);
        }
    }
}
