use std::collections::BTreeMap;
use std::sync::Arc;

use super::evidence::title;
use super::routes::{Attachment, attachment};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, ObjectId, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Places, Service, Truth, Workload};

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
    /// load balancer with a cloud's annotation for internal use is left out; whether a Gateway or an
    /// Ingress class is internal is not known. Routes to a Gateway that is not in the input are not
    /// assessed.
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
            Kind::Gateway,
            Kind::HTTPRoute,
            Kind::OtherRoute,
            Kind::Namespace,
        ],
        fix: "remove the entry, or waive the finding with the reason for it",
        aliases: &[("kubescape", "C-0256"), ("kubescape", "C-0266")],
    }
}

/// A way in: the object, the place, what it is.
struct Entry {
    object: Arc<ObjectId>,
    at: Span,
    text: String,
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let mut entries: BTreeMap<(String, String), Vec<Entry>> = BTreeMap::new();
    let mut add = |namespace: &str, name: &str, object: &Arc<ObjectId>, at: Span, text: String| {
        let key = (namespace.to_owned(), name.to_owned());
        entries.entry(key).or_default().push(Entry { object: Arc::clone(object), at, text });
    };
    for service in cx.model.services() {
        if let Some((at, text)) = own_entry(service) {
            add(&service.id.namespace, &service.id.name, &service.id, at, text);
        }
    }
    for ingress in cx.model.ingresses() {
        for backend in ingress.backends.iter().filter(|backend| backend.is_service()) {
            let text = format!("{} leads to it", title(&ingress.id));
            add(&backend.namespace, &backend.name, &ingress.id, backend.span, text);
        }
    }
    for route in cx.model.routes() {
        match attachment(cx, route) {
            Attachment::Gateway { waypoint: false } => {
                for backend in route.rules.iter().flat_map(|rule| &rule.backends) {
                    let text = format!("{} leads to it", title(&route.id));
                    add(&backend.namespace, &backend.name, &route.id, backend.span, text);
                }
            }
            Attachment::Unknown(reason) => out.not_assessed(&CHECK, &route.id, reason),
            Attachment::Gateway { .. } | Attachment::None => out.not_applicable(),
        }
    }
    for ((namespace, name), ways) in entries {
        report(cx, out, cx.model.service(&namespace, &name), &name, &ways);
    }
}

/// How a Service is an entry by itself.
fn own_entry(service: &Service) -> Option<(Span, String)> {
    if let Some(at) = service.external_ips {
        return Some((at, "nodes accept traffic for these addresses".to_owned()));
    }
    match service.kind.value.as_str() {
        "LoadBalancer" if !service.internal => {
            Some((service.kind.span, "a load balancer leads to it".to_owned()))
        }
        "NodePort" => Some((service.kind.span, "a port of every node leads to it".to_owned())),
        _ => None,
    }
}

fn report(
    cx: &Context<'_>,
    out: &mut Outcomes,
    service: Option<&Service>,
    name: &str,
    ways: &[Entry],
) {
    let Some(first) = ways.first() else { return };
    let selector = service.and_then(|service| service.selector.as_ref());
    let workloads: Vec<&Workload> = match (service, selector) {
        (Some(service), Some(selector)) => {
            let here = Places::Named(vec![&service.id.namespace]);
            let fits = |w: &&Workload| selector.matches(|key| w.label(key)) == Truth::Yes;
            let candidates = cx.model.may_match(&here, Some(selector));
            candidates.filter(|w| !w.superseded).filter(fits).collect()
        }
        _ => Vec::new(),
    };
    if workloads.is_empty() {
        let headline = format!("{} publishes Service `{name}`", title(&first.object));
        let finding = CHECK.finding(&first.object, headline);
        out.push(ways.iter().fold(finding, |f, way| f.label(way.at, way.text.clone())));
    }
    for workload in workloads {
        let headline = format!("{} is reachable from outside", workload.title());
        let finding = CHECK.finding(&workload.id, headline).affects([Arc::clone(&workload.id)]);
        let finding = ways.iter().fold(finding, |f, way| f.label(way.at, way.text.clone()));
        out.push(finding.label(workload.span, "this workload answers"));
    }
}
