use super::evidence::title;
use super::peers::each_peer;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::finding::{Layer, Persona, Severity};
use crate::reach::{PeerSet, REACH_KINDS};

check! {
    /// Flags peers that are every pod of every namespace.
    ///
    /// ## Why it matters
    /// Every present and future namespace is admitted, those of other tenants included. Inside the
    /// cluster that is no limit at all.
    ///
    /// ## Fix
    /// Select the namespaces by `kubernetes.io/metadata.name`, or the pods.
    ///
    /// ## Known gaps
    /// A peer that also selects pods is left out, although any tenant may give its pods that label.
    "all-namespaces-peer" {
        run: find,
        title: "peer is every namespace",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "select the namespaces that need the access",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    each_peer(&CHECK, cx, out, |rule, peer| {
        let PeerSet::Pods { namespaces, pods: None, span, .. } = peer else { return None };
        if !namespaces.is_everywhere() {
            return None;
        }
        let headline = format!("{} admits every namespace", title(&rule.origin.object));
        let label = "every pod of the cluster, those of other tenants included";
        Some(CHECK.finding(&rule.origin.object, headline).label(*span, label))
    });
}
