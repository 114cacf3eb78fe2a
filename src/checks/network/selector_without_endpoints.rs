use super::evidence;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Places, Truth, Unknown, Workload};

check! {
    /// Flags Services whose selector matches no pod.
    ///
    /// ## Why it matters
    /// The Service has no endpoints: its clients get nothing, and routes and policies that name it
    /// lead nowhere.
    ///
    /// ## Fix
    /// Select labels that the pods carry.
    ///
    /// ## Known gaps
    /// Not assessed where the pods may come from a chart, an operator or another repository, unless
    /// there is a proof of the mistake.
    "selector-without-endpoints" {
        run: find,
        title: "Service has no endpoints",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Service, Kind::Pod],
        fix: "select labels that the pods carry",
        aliases: &[
            ("kube-linter", "dangling-service"),
            ("kube-score", "service-targets-pod"),
            ("kubescape", "C-0293"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for service in cx.model.services() {
        let selector = service.selector.as_ref().filter(|_| !service.is_external_name());
        let Some(selector) = selector.filter(|_| !service.patch) else {
            out.not_applicable();
            continue;
        };
        let namespace = service.id.namespace.as_str();
        let part = cx.model.part(namespace, &[Kind::Pod]);
        let workloads: &[Workload] = part.map_or(&[], |part| &part.workloads);
        let fits =
            |workload: &Workload, wanted| selector.matches(|key| workload.label(key)) == wanted;
        let candidates = cx.model.may_match(&Places::Named(vec![namespace]), Some(selector));
        let candidates: Vec<&Workload> = candidates.filter(|w| !w.superseded).collect();
        if let Some(pod) = candidates.iter().find(|workload| fits(workload, Truth::Yes)) {
            out.pass(&CHECK, &service.id, pod.span);
            continue;
        }
        if candidates.iter().any(|workload| fits(workload, Truth::Unknown)) {
            let reason = "a controller or a variable gives the pods labels that are not written";
            out.not_assessed(&CHECK, &service.id, reason.into());
            continue;
        }
        let proof = evidence::in_namespace(selector, workloads.iter(), std::iter::empty());
        if let (None, Unknown(reason)) = (&proof, cx.model.closed(namespace)) {
            out.not_assessed(&CHECK, &service.id, reason);
            continue;
        }
        let at = selector.requirements.first().map_or(selector.span, |first| first.span);
        let finding = CHECK
            .finding(&service.id, format!("Service `{}` has no endpoints", service.id.name))
            .label(at, format!("no pod of namespace `{namespace}` has this label"));
        out.push(match proof {
            None => finding,
            Some(proof) => finding.label(proof.at, proof.text).help(proof.help),
        });
    }
}
