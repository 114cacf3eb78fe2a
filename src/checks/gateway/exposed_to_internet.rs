use std::collections::BTreeMap;
use std::sync::Arc;

use super::backends::has_backends;
use super::entries::{Entries, Entry, Key, service_key};
use super::evidence::title;
use super::selected;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Service, Workload};

check! {
    /// Flags workloads that are reachable from outside the cluster.
    ///
    /// ## Why it matters
    /// Whatever is reachable from outside is attacked, most often within minutes. The list of what
    /// is exposed is the one to compare with what was meant to be.
    ///
    /// ## Fix
    /// Remove the entry that is not meant, or waive the finding with the reason why it is.
    ///
    /// ## Known gaps
    /// Entries are load balancers, node ports, external IPs, Ingresses and routes of a Gateway. A
    /// load balancer or Gateway that an annotation or class keeps inside is left out; of an Ingress
    /// class that is not known. A load balancer with source ranges is reported as low, as only some
    /// clouds honour them. Ports of the host are reported by `host-port`. Routes to a Gateway that
    /// is not in the input, and Istio's VirtualServices, are not assessed. That nothing leads to a
    /// Service is told from the input alone.
    "exposed-to-internet" {
        run: find,
        title: "workload is reachable from outside",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[
            Kind::Pod,
            Kind::Service,
            Kind::Ingress,
            Kind::VirtualService,
            Kind::Gateway,
            Kind::HTTPRoute,
            Kind::OtherRoute,
            Kind::Namespace,
            Kind::ReferenceGrant,
        ],
        fix: "remove the entry, or waive the finding with the reason for it",
        aliases: &[("kubescape", "C-0256"), ("kubescape", "C-0266")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let entries = Entries::of(cx);
    let services: Vec<&Service> = cx.model.services().collect();
    let mut by_key: BTreeMap<Key, &Service> = BTreeMap::new();
    for service in &services {
        by_key.entry(service_key(service)).or_insert(service);
    }
    for (route, reason) in &entries.open {
        out.not_assessed(&CHECK, route, Arc::clone(reason));
    }
    (0..entries.closed).for_each(|_| out.not_applicable());
    for service in &services {
        quiet(cx, out, service, &entries);
    }
    for (id, ways) in &entries.ways {
        report(cx, out, by_key.get(id).copied(), id, ways);
    }
}

/// A Service that nothing leads to from outside.
fn quiet(cx: &Context<'_>, out: &mut Outcomes, service: &Service, entries: &Entries) {
    let id = service_key(service);
    let asked = entries.ways.contains_key(&id) || entries.unsure.contains(&id);
    if asked || service.is_external_name() {
        out.not_applicable();
        return;
    }
    match cx.model.gap_for(&service.id.namespace) {
        Some(reason) => out.not_assessed(&CHECK, &service.id, reason),
        None => out.pass(&CHECK, &service.id, service.internal.unwrap_or(service.kind.span)),
    }
}

fn report(
    cx: &Context<'_>,
    out: &mut Outcomes,
    service: Option<&Service>,
    (namespace, name): &Key,
    ways: &[Entry],
) {
    let Some(first) = ways.first() else { return };
    let part = cx.model.part(namespace, &[Kind::Pod]);
    if service.is_none() && part.is_some_and(has_backends) && cx.model.gap_for(namespace).is_none()
    {
        out.not_applicable(); // it does not exist, which `unresolved-backend` says
        return;
    }
    let selector = service.and_then(|service| service.selector.as_ref());
    let workloads = selector.map(|selector| selected(cx, namespace, selector));
    let workloads: Vec<&Workload> = workloads.into_iter().flatten().collect();
    let limited = ways.iter().all(|way| way.limited);
    let dress = |finding: Finding| {
        let finding = ways.iter().fold(finding, |f, way| f.label(way.at, way.text.clone()));
        if limited { finding.at_most(Severity::Low) } else { finding }
    };
    if workloads.is_empty() {
        let headline = format!("{} publishes Service `{name}`", title(&first.object));
        out.push(dress(CHECK.finding(&first.object, headline)));
    }
    for workload in workloads {
        let headline = format!("{} is reachable from outside", workload.title());
        let finding = CHECK.finding(&workload.id, headline).affects([Arc::clone(&workload.id)]);
        out.push(dress(finding).label(workload.span, "this workload answers").leading());
    }
}
