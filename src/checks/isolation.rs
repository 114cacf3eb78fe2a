//! The two checks on isolation differ in the direction only.

use std::sync::Arc;

use crate::catalog::{Check, Context, Outcomes};
use crate::model::{Direction, Known, Unknown};

use super::evidence::title;

/// Judges every pod that a policy selects.
pub(super) fn judge(
    check: &Check,
    cx: &Context<'_>,
    out: &mut Outcomes,
    direction: Direction,
    effect: &'static str,
) {
    for pod in cx.reach.pods() {
        let workload = pod.workload;
        let selecting: Vec<_> =
            Direction::ALL.into_iter().flat_map(|d| cx.reach.selecting(pod, d)).collect();
        let Some(first) = selecting.first() else {
            out.not_applicable();
            continue;
        };
        match cx.reach.isolation(pod, direction) {
            Unknown(reason) => out.not_assessed(check, &workload.id, reason),
            Known(isolating) => {
                if let Some(rule) = isolating.first() {
                    out.pass(check, &workload.id, rule.origin.span);
                    continue;
                }
                let switched_off = selecting.iter().any(|rule| rule.direction == direction);
                if switched_off {
                    out.not_applicable();
                    continue;
                }
                let word = direction.word();
                let headline = format!("{} is open for {word}", workload.title());
                let policy =
                    format!("{} selects it, but not for {word}", title(&first.origin.object));
                out.push(
                    check
                        .finding(&workload.id, headline)
                        .label(workload.span, effect)
                        .label(first.origin.name, policy)
                        .affects([Arc::clone(&workload.id)]),
                );
            }
        }
    }
}
