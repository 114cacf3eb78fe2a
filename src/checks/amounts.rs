//! Checks on effective requests and limits.

use std::sync::Arc;

use crate::catalog::{Check, Context, Outcomes};
use crate::finding::Confidence;
use crate::model::{AmountOrigin, ContainerList};

/// What a container has to have: the resource, and the defect where it is missing.
pub(super) enum Wanted {
    Request(&'static str, &'static str),
    Limit(&'static str, &'static str),
}

/// Judges every container that may have resources.
pub(super) fn judge(check: &Check, cx: &Context<'_>, out: &mut Outcomes, wanted: &Wanted) {
    for workload in cx.model.workloads() {
        let mut evidence = None;
        let mut missing = false;
        let containers = workload.pod.containers.iter();
        for container in containers.filter(|c| c.list != ContainerList::Ephemeral) {
            let (amount, defect, field) = match wanted {
                Wanted::Request(resource, defect) => {
                    (cx.model.request(workload, container, resource), defect, "requests")
                }
                Wanted::Limit(resource, defect) => {
                    (cx.model.limit(workload, container, resource), defect, "limits")
                }
            };
            if let Some(amount) = amount {
                let filled_in = matches!(amount.origin, AmountOrigin::LimitRange(_));
                evidence = evidence.filter(|_| !filled_in).or(Some(amount.span));
                continue;
            }
            missing = true;
            let open = cx.model.gap_for(&workload.id.namespace).is_some();
            let sure = if open { Confidence::Medium } else { Confidence::High };
            let label = format!("no `resources.{field}` of this container says how much");
            out.push(
                check
                    .finding(&workload.id, format!("{} {defect}", container.title()))
                    .label(container.head, label)
                    .container(&container.name)
                    .affects([Arc::clone(&workload.id)])
                    .hardening()
                    .confidence(sure),
            );
        }
        match evidence {
            Some(at) if !missing => out.pass(check, &workload.id, at),
            None if !missing => out.not_applicable(),
            _ => {}
        }
    }
}
