use std::collections::BTreeMap;
use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::ObjectId;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Direction, Known, Unknown};
use crate::reach::{PodRef, REACH_KINDS, Rule};

check! {
    /// Flags a switched-off default deny on pods that nothing else isolates.
    ///
    /// ## Why it matters
    /// With `enableDefaultDeny: false` the rules of a policy admit what they list and deny nothing
    /// else. Unless another policy isolates the pods, they stay open to everybody.
    ///
    /// ## Fix
    /// Remove `enableDefaultDeny`, or add a policy that isolates the same pods.
    ///
    /// ## Known gaps
    /// Not assessed where no pod of the policy is in the input, or where a policy may be missing.
    "default-deny-disabled" {
        run: find,
        title: "default deny is switched off",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "remove `enableDefaultDeny`, or isolate the pods by another policy",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut of_policy: BTreeMap<&ObjectId, Vec<&Rule>> = BTreeMap::new();
    for rule in cx.reach.rules() {
        of_policy.entry(&rule.origin.object).or_default().push(rule);
    }
    for policy in cx.model.cilium_policies().filter(|policy| policy.refused.is_none()) {
        for direction in Direction::ALL {
            let switched = policy.rules.iter().filter_map(|rule| rule.default_deny(direction));
            let Some(off) = switched.into_iter().find(|switch| !switch.value) else { continue };
            let rules = of_policy.get(&*policy.id).into_iter().flatten();
            let rules = rules.filter(|rule| rule.direction == direction);
            let mut pods: Vec<PodRef<'_>> =
                rules.flat_map(|rule| cx.reach.selected(rule)).collect();
            pods.sort_unstable_by_key(|pod| pod.index());
            pods.dedup_by_key(|pod| pod.index());
            let mut open = Vec::new();
            let mut doubt = None;
            let mut isolated = None;
            for pod in pods {
                match cx.reach.isolation(pod, direction) {
                    Known(rules) => match rules.first() {
                        Some(rule) => isolated = Some(rule.origin.span),
                        None => open.push(Arc::clone(&pod.workload.id)),
                    },
                    Unknown(reason) => doubt = Some(reason),
                }
            }
            if !open.is_empty() {
                let headline =
                    format!("{} denies nothing for {}", title(&policy.id), direction.word());
                out.push(
                    CHECK
                        .finding(&policy.id, headline)
                        .label(
                            off.span,
                            "the default deny is switched off, and no policy isolates the pods",
                        )
                        .affects(open)
                        .voids(),
                );
            } else if let Some(at) = isolated {
                out.pass(&CHECK, &policy.id, at);
            } else {
                let none = "no pod of this policy is in the input; add its manifests";
                out.not_assessed(&CHECK, &policy.id, doubt.unwrap_or_else(|| none.into()));
            }
        }
    }
}
