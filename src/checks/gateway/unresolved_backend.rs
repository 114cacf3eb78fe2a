use std::sync::Arc;

use super::evidence::{is_typo, title};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, ObjectId};
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{BackendRef, Part, Service};

check! {
    /// Flags backends of routes and Ingresses that lead nowhere.
    ///
    /// ## Why it matters
    /// The gateway answers with an error. For a backend in another namespace without a
    /// ReferenceGrant that holds although the Service exists.
    ///
    /// ## Fix
    /// Correct the name or the port, or add a ReferenceGrant in the backend's namespace.
    ///
    /// ## Known gaps
    /// Not assessed where the Service may be made by a chart or an operator, or lies in a namespace
    /// that has no Service in the input. Backends of other kinds are not looked up.
    "unresolved-backend" {
        run: find,
        title: "backend leads nowhere",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[
            Kind::Ingress,
            Kind::HTTPRoute,
            Kind::OtherRoute,
            Kind::Service,
            Kind::Pod,
            Kind::ReferenceGrant,
        ],
        fix: "correct the name or the port of the backend",
        aliases: &[
            ("kube-linter", "dangling-ingress"),
            ("kube-score", "ingress-targets-service"),
            ("kubescape", "C-0298"),
            ("istioctl", "IST0101"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for ingress in cx.model.ingresses() {
        ingress.backends.iter().for_each(|backend| judge(cx, out, &ingress.id, backend));
    }
    for route in cx.model.routes() {
        let backends = route.rules.iter().flat_map(|rule| &rule.backends);
        backends.into_iter().for_each(|backend| judge(cx, out, &route.id, backend));
    }
}

fn judge(cx: &Context<'_>, out: &mut Outcomes, from: &Arc<ObjectId>, backend: &BackendRef) {
    if !backend.is_service() {
        out.not_applicable();
        return;
    }
    let namespace = backend.namespace.as_str();
    let part = cx.model.part(namespace, &[Kind::Service, Kind::Pod, Kind::ReferenceGrant]);
    let gap = cx.model.gap_for(namespace);
    let Some(part) = part.filter(|part| !part.services.is_empty() || !part.workloads.is_empty())
    else {
        let reason = gap.unwrap_or_else(|| {
            let text =
                format!("namespace `{namespace}` has no Service in the input; add its manifests");
            text.into()
        });
        out.not_assessed(&CHECK, from, reason);
        return;
    };
    let service = part.service(&backend.name);
    if let Some(finding) = ungranted(from, backend, part) {
        match gap {
            Some(reason) => out.not_assessed(&CHECK, from, reason),
            None => out.push(finding),
        }
        return;
    }
    match (service, gap) {
        (Some(service), _) => match wrong_port(from, backend, service) {
            Some(finding) => out.push(finding),
            None => out.pass(&CHECK, from, service.span),
        },
        (None, Some(reason)) => out.not_assessed(&CHECK, from, reason),
        (None, None) => out.push(missing(from, backend, part)),
    }
}

/// A backend in another namespace that no ReferenceGrant admits (G11).
fn ungranted(from: &Arc<ObjectId>, backend: &BackendRef, part: &Part) -> Option<Finding> {
    if backend.namespace == from.namespace {
        return None;
    }
    let referrer = (from.group.as_str(), from.kind.as_str(), from.namespace.as_str());
    let target = (backend.group.as_str(), backend.kind.as_str(), backend.name.as_str());
    if part.grants.iter().any(|grant| grant.permits(referrer, target)) {
        return None;
    }
    let namespace = &backend.namespace;
    let label = format!("no ReferenceGrant of namespace `{namespace}` admits this reference");
    let help = format!("add a ReferenceGrant for {} in namespace `{namespace}`", from.kind);
    let headline = format!("{} names a backend that it may not use", title(from));
    Some(CHECK.finding(from, headline).label(backend.span, label).help(help))
}

fn wrong_port(from: &Arc<ObjectId>, backend: &BackendRef, service: &Service) -> Option<Finding> {
    let port = backend.port.as_ref().filter(|_| !service.is_external_name())?;
    let known = service.ports.iter().any(|known| {
        known.name.as_deref() == Some(port.value.as_str())
            || known.port.is_some_and(|number| number.to_string() == port.value)
    });
    if known || service.patch {
        return None;
    }
    let headline = format!("{} names a port that the Service lacks", title(from));
    let label = format!("Service `{}` has no port {}", service.id.name, port.value);
    Some(CHECK.finding(from, headline).label(port.span, label).label(service.span, "this Service"))
}

fn missing(from: &Arc<ObjectId>, backend: &BackendRef, part: &Part) -> Finding {
    let headline = format!("{} names a backend that does not exist", title(from));
    let label = format!("namespace `{}` has no Service of this name", backend.namespace);
    let finding = CHECK.finding(from, headline).label(backend.span, label);
    let near = part.services.iter().find(|service| is_typo(&service.id.name, &backend.name));
    match near {
        Some(near) => finding
            .label(near.span, "this one is called almost the same")
            .help(format!("write `{}`", near.id.name)),
        None => finding,
    }
}
