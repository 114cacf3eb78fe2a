use super::evidence;
use super::sources::{Found, Sources};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Selector, Unknown};
use crate::reach::{Dialect, NamespaceScope};

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
    /// there is a proof of the mistake. A Service of type ExternalName has no endpoints, and one
    /// without a selector gets them from elsewhere.
    "selector-without-endpoints" {
        run: find,
        title: "Service has no endpoints",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Service, Kind::Pod, Kind::Namespace, Kind::Gateway],
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
        let scope = NamespaceScope::One(service.home().into_owned());
        let sources = Sources::of(cx, &scope, Dialect::Kubernetes);
        match sources.matching(Some(selector)) {
            Found::Pod(pod) | Found::OnHost(pod) => {
                out.pass(&CHECK, &service.id, pod.span);
                continue;
            }
            Found::Maybe(reason) => {
                out.not_assessed(&CHECK, &service.id, reason);
                continue;
            }
            Found::Nothing => {}
        }
        let proof = sources.evidence(selector);
        if !proof.as_ref().is_some_and(|proof| proof.proves)
            && let Unknown(reason) = sources.closed(cx)
        {
            out.not_assessed(&CHECK, &service.id, reason);
            continue;
        }
        let (at, which) = evidence::blame(selector, |one: &Selector| sources.any(one));
        let finding = CHECK
            .finding(&service.id, format!("Service `{}` has no endpoints", service.id.name))
            .label(at, format!("no pod of {} {which}", sources.words()));
        out.push(match proof {
            None => finding,
            Some(proof) => finding.label(proof.at, proof.text).help(proof.help),
        });
    }
}
