//! Checks on effective requests and limits.

use std::sync::Arc;

use crate::catalog::{Check, Context, Outcomes};
use crate::document::Span;
use crate::finding::{Confidence, Finding};
use crate::model::{
    Amount, AmountOrigin, Certain, Container, ContainerList, Known, Unknown, Workload,
};

/// What a container has to have: the resource, and the defect where it is missing.
pub(super) enum Wanted {
    Request(&'static str, &'static str),
    Limit(&'static str, &'static str),
}

impl Wanted {
    fn of(
        &self,
        cx: &Context<'_>,
        on: &Workload,
        container: &Container,
    ) -> Certain<Option<Amount>> {
        match self {
            Self::Request(resource, _) => cx.model.request(on, container, resource),
            Self::Limit(resource, _) => cx.model.limit(on, container, resource),
        }
    }

    /// The amount as the container writes it, a zero included.
    fn written(&self, container: &Container) -> Option<Span> {
        let (amounts, resource) = match self {
            Self::Request(resource, _) => (&container.requests, resource),
            Self::Limit(resource, _) => (&container.limits, resource),
        };
        amounts.iter().find(|(name, _)| name == resource).map(|(_, amount)| amount.span)
    }
}

/// Judges every container that may have resources.
pub(super) fn judge(check: &Check, cx: &Context<'_>, out: &mut Outcomes, wanted: &Wanted) {
    for workload in cx.model.workloads() {
        let mut evidence = None;
        let mut settled = true;
        let containers = workload.pod.containers.iter();
        for container in containers.filter(|c| c.list != ContainerList::Ephemeral) {
            match wanted.of(cx, workload, container) {
                Known(Some(amount)) => {
                    // What a LimitRange fills in is the proof that is easily lost.
                    let filled_in = matches!(amount.origin, AmountOrigin::LimitRange(_));
                    evidence = evidence.filter(|_| !filled_in).or(Some(amount.span));
                }
                Known(None) => {
                    settled = false;
                    let open = cx.model.gap_for(&workload.id.namespace).is_some();
                    let sure = if open { Confidence::Medium } else { Confidence::High };
                    out.push(missing(check, workload, container, wanted).confidence(sure));
                }
                Unknown(reason) => {
                    settled = false;
                    out.not_assessed(check, &workload.id, reason);
                }
            }
        }
        match evidence {
            Some(at) if settled => out.pass(check, &workload.id, at),
            None if settled => out.not_applicable(),
            _ => {}
        }
    }
}

fn missing(check: &Check, workload: &Workload, container: &Container, wanted: &Wanted) -> Finding {
    let (Wanted::Request(_, defect) | Wanted::Limit(_, defect)) = wanted;
    let field = if matches!(wanted, Wanted::Request(..)) { "requests" } else { "limits" };
    let finding = check
        .finding(&workload.id, format!("{} {defect}", container.title()))
        .container(&container.name)
        .affects([Arc::clone(&workload.id)])
        .hardening();
    match wanted.written(container) {
        Some(zero) => finding.label(zero, "an amount of zero is none"),
        None => {
            let label = format!("no `resources.{field}` of this container says how much");
            finding.label(container.head, label)
        }
    }
}
