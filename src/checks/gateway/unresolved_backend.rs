use super::backends::{Backend, Referrer, resolve};
use super::evidence::{is_typo, title};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Span};
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{BackendRef, Part, Service, ServicePort};

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
    /// that has no Service in the input, unless one is called almost the same. Backends of kinds
    /// that a controller brings along are not looked up, nor are Services that stand for a name
    /// outside the cluster.
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
        let from = Referrer { id: &ingress.id, namespace: ingress.namespace, route: None };
        ingress.backends.iter().for_each(|backend| judge(cx, out, from, backend));
    }
    for route in cx.model.routes() {
        let from = Referrer { id: &route.id, namespace: route.namespace, route: Some(route) };
        let backends = route.rules.iter().flat_map(|rule| &rule.backends);
        backends.for_each(|backend| judge(cx, out, from, backend));
    }
}

fn judge(cx: &Context<'_>, out: &mut Outcomes, from: Referrer<'_>, backend: &BackendRef) {
    let id = from.id;
    let finding = |defect: &str| CHECK.finding(id, format!("{} names a {defect}", title(id)));
    out.push(match resolve(cx, from, backend) {
        Backend::Service(service) => return out.pass(&CHECK, id, service.span),
        Backend::Other => return out.not_applicable(),
        Backend::Unknown(reason) => return out.not_assessed(&CHECK, id, reason),
        Backend::Unfit => finding("backend of a kind that is none")
            .label(backend.span, format!("no gateway sends requests to a {}", backend.kind))
            .help("name a Service"),
        Backend::WithoutPort => finding("backend without a port")
            .label(backend.span, "a Service as backend needs a port")
            .help("write the port of the Service"),
        Backend::Ungranted => {
            let namespace = &backend.namespace;
            let label =
                format!("no ReferenceGrant of namespace `{namespace}` admits this reference");
            let help = format!("add a ReferenceGrant for {} in namespace `{namespace}`", id.kind);
            finding("backend that it may not use").label(backend.span, label).help(help)
        }
        Backend::WrongPort(service, behind) => {
            let at = backend.port.as_ref().map_or(backend.span, |port| port.span);
            wrong_port(finding("port that the Service lacks"), at, service, behind)
        }
        Backend::Missing(part) => missing(finding("backend that does not exist"), backend, part),
        Backend::WrongNamespace(service) => {
            let namespace = &service.id.namespace;
            let at = backend.namespace_span.unwrap_or(backend.span);
            finding("backend that does not exist")
                .label(at, "nothing of the input lies in this namespace")
                .label(service.span, format!("namespace `{namespace}` has this Service"))
                .help(format!("write `{namespace}`"))
        }
    });
}

fn wrong_port(
    finding: Finding,
    at: Span,
    service: &Service,
    behind: Option<&ServicePort>,
) -> Finding {
    let finding = finding.label(at, format!("Service `{}` has no such port", service.id.name));
    match behind.and_then(|port| Some((port.span, port.port?))) {
        Some((at, number)) => finding
            .label(at, "the pods listen there, the Service does not")
            .help(format!("write `{number}`")),
        None => finding.label(service.span, "this Service"),
    }
}

fn missing(finding: Finding, backend: &BackendRef, part: &Part) -> Finding {
    let (namespace, name) = (&backend.namespace, &backend.name);
    let label = format!("namespace `{namespace}` has no Service of this name");
    let finding = finding.label(backend.span, label);
    if let Some(near) = part.services.iter().find(|service| is_typo(&service.id.name, name)) {
        return finding
            .label(near.span, "this one is called almost the same")
            .help(format!("write `{}`", near.id.name));
    }
    let alike = part.workloads.iter().find(|workload| workload.id.name == *name);
    alike.into_iter().fold(finding, |finding, workload| {
        finding.label(workload.span, "this has the name, but no Service leads to it")
    })
}
