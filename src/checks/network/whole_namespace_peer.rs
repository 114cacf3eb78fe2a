use super::evidence::title;
use super::peers::each_peer;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{NAME_LABEL, Operator};
use crate::reach::{NamespaceScope, PeerSet, REACH_KINDS};

check! {
    /// Flags peers that are a whole namespace, on every port.
    ///
    /// ## Why it matters
    /// Every pod of that namespace is admitted, those of tomorrow included: one of them that is taken
    /// over reaches these pods on every port.
    ///
    /// ## Fix
    /// Select the pods that need the access, and name the ports.
    ///
    /// ## Known gaps
    /// The policy's own namespace as peer is reported as low: many platforms take it for one zone.
    /// A rule that names ports is left out.
    "whole-namespace-peer" {
        run: find,
        title: "peer is a whole namespace",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "select the pods that need the access, and name the ports",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    each_peer(&CHECK, cx, out, |rule, peer| {
        let PeerSet::Pods { namespaces, pods: None, span, .. } = peer else { return None };
        if !rule.ports.is_all() || namespaces.is_everywhere() {
            return None;
        }
        let own = is_own(namespaces, &rule.origin.object.namespace);
        let which = if own { "its own namespace" } else { "another namespace" };
        let headline = format!("{} admits all of {which}", title(&rule.origin.object));
        let label = "every pod there, on every port";
        let finding = CHECK.finding(&rule.origin.object, headline).label(*span, label);
        Some(if own { finding.at_most(Severity::Low) } else { finding })
    });
}

/// Whether a scope is the namespace of the policy itself.
fn is_own(scope: &NamespaceScope, own: &str) -> bool {
    match scope {
        NamespaceScope::One(_) => true,
        NamespaceScope::All => false,
        NamespaceScope::Matching(selector) => selector.requirements.iter().any(|requirement| {
            requirement.key == NAME_LABEL
                && requirement.operator == Operator::In
                && requirement.values == [own]
        }),
    }
}
