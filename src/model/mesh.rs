//! Enrolment in the mesh (semantics M1 to M3).

mod guard;
mod mtls;

pub use mtls::Mtls;

use std::sync::Arc;

use super::Model;
use super::certain::Certain::{self, Known, Unknown};
use super::container::Container;
use super::fields::Sourced;
use super::istio::boolean;
use super::meta::{Label, Labels};
use super::workload::Workload;
use crate::config::Mesh;
use crate::document::{NamespaceSource, ObjectId, Span};

/// How a workload takes part in the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The mesh that captures its traffic.
    pub mesh: Mesh,
    /// What decided: a label, a container, `hostNetwork`.
    pub decided_by: Option<Span>,
}

/// Traffic of a workload in the mesh that the mesh does not see (M3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncaptured {
    /// The ports; none where it is all of them.
    pub ports: Option<String>,
    /// The annotation.
    pub span: Span,
}

const DATAPLANE: &str = "istio.io/dataplane-mode";
const INJECT: &str = "sidecar.istio.io/inject";
const REVISION: &str = "istio.io/rev";
const SWITCH: &str = "istio-injection";
const STATUS: &str = "sidecar.istio.io/status";
const TEMPLATES: &str = "inject.istio.io/templates";

/// Name of the proxy's container.
const PROXY: &str = "istio-proxy";

/// Namespaces in which the injector never acts.
const NEVER_INJECTED: [&str; 4] =
    ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

impl Model {
    /// The mesh of this root: declared, or shown by an enrolled workload or namespace, or by a mesh
    /// policy. None where nothing speaks of one.
    #[must_use]
    pub fn mesh(&self) -> Option<Mesh> {
        match self.profile.mesh {
            Some(Mesh::None) => return None,
            Some(mesh) => return Some(mesh),
            None => {}
        }
        let namespaces = || self.parts.values().filter_map(|part| part.namespace.as_ref());
        let ambient = |labels: &Labels| labels.value(DATAPLANE) == Some("ambient");
        if namespaces().any(|namespace| ambient(&namespace.labels))
            || self.workloads().any(|workload| ambient(&workload.labels))
        {
            return Some(Mesh::Ambient);
        }
        let asks = |w: &Workload| {
            w.labels.value(INJECT) == Some("true") || w.labels.get(REVISION).is_some()
        };
        if namespaces().any(|namespace| enables(&namespace.labels).is_some())
            || self.workloads().any(|w| has_sidecar(w).is_some() || asks(w))
        {
            return Some(Mesh::Sidecar);
        }
        let policies = self.parts.values().any(|part| {
            !part.peer_authentications.is_empty() || !part.authorization_policies.is_empty()
        });
        policies.then_some(Mesh::Ambient)
    }

    /// How a workload takes part in the mesh.
    ///
    /// A sidecar beats ambient mode where both are asked for. Pods in the host's network never take
    /// part.
    ///
    /// Unknown where the labels of its namespace decide and are not in the input.
    ///
    /// Source: istio/istio cni/pkg/util/enablement_selector.go, pkg/kube/inject/inject.go and the
    /// selectors of the injector's webhooks; semantics M1, M2.
    #[must_use]
    pub fn enrolment(&self, workload: &Workload) -> Certain<Enrolment> {
        let known = |mesh, by: Option<Span>| Known(Enrolment { mesh, decided_by: by });
        if self.profile.mesh == Some(Mesh::None) {
            return known(Mesh::None, None);
        }
        if let Some(host) = workload.pod.host_network.as_ref().filter(|host| host.value) {
            return known(Mesh::None, Some(host.span));
        }
        if let Some(sidecar) = has_sidecar(workload) {
            return known(Mesh::Sidecar, Some(sidecar));
        }
        let own = workload.labels.get(DATAPLANE);
        let joins = own.filter(|own| own.value == "ambient").map(|own| own.span);
        let leaves = own.filter(|own| own.value == "none").map(|own| own.span);
        let refuses = refuses_sidecar(workload);
        let labels = match self.labels_of_namespace(workload) {
            Known(labels) => labels,
            Unknown(reason) => {
                return match (joins, leaves, refuses) {
                    (Some(by), ..) => known(Mesh::Ambient, Some(by)),
                    (None, Some(by), Some(_)) => known(Mesh::None, Some(by)),
                    _ => Unknown(reason),
                };
            }
        };
        if let Some(by) = injected(workload, labels.value) {
            return known(Mesh::Sidecar, Some(by));
        }
        let ambient = labels.value.get(DATAPLANE).filter(|label| label.value == "ambient");
        let switch = labels.value.get(SWITCH).map(|label| label.span);
        match (joins, ambient) {
            (Some(by), _) => known(Mesh::Ambient, Some(by)),
            (None, Some(label)) => match leaves {
                Some(by) => known(Mesh::None, Some(by)),
                None => known(Mesh::Ambient, Some(label.span)),
            },
            (None, None) => {
                let opted_out = enables(labels.value).and(refuses);
                known(Mesh::None, opted_out.or(switch).or(Some(labels.span)))
            }
        }
    }

    /// What annotations keep out of the mesh although the workload takes part.
    #[must_use]
    pub fn uncaptured(&self, workload: &Workload, mesh: Mesh) -> Option<Uncaptured> {
        let annotation = |key: &str| workload.pod.annotations.get(key);
        let all = |label: &Label| Some(Uncaptured { ports: None, span: label.span });
        match mesh {
            Mesh::None => None,
            Mesh::Ambient => annotation("ambient.istio.io/bypass-inbound-capture")
                .filter(|label| boolean(&label.value) == Some(true))
                .and_then(all),
            Mesh::Sidecar => {
                let included = annotation("traffic.sidecar.istio.io/includeInboundPorts");
                if let Some(none) = included.filter(|label| label.value.is_empty()) {
                    return all(none);
                }
                let some = |ports: Vec<String>, span| {
                    (!ports.is_empty()).then(|| Uncaptured { ports: Some(ports.join(", ")), span })
                };
                let left_out = included.filter(|label| label.value != "*").and_then(|label| {
                    let listed = listed(&label.value);
                    let declared = workload.pod.containers.iter().flat_map(|c| &c.ports);
                    let ports = declared.filter(|port| port.protocol == "TCP");
                    let numbers = ports.filter_map(|port| Some(port.number?.to_string()));
                    some(numbers.filter(|port| !listed.contains(port)).collect(), label.span)
                });
                left_out.or_else(|| {
                    let excluded = annotation("traffic.sidecar.istio.io/excludeInboundPorts")?;
                    some(listed(&excluded.value), excluded.span)
                })
            }
        }
    }

    /// Mesh policies that are refused and so protect nothing, with the place of the reason.
    pub fn refused_by_mesh(&self) -> impl Iterator<Item = (Arc<ObjectId>, Span)> {
        self.parts.values().flat_map(|part| {
            let peer = part.peer_authentications.iter().map(|p| (&p.id, &p.refused));
            let authorization = part.authorization_policies.iter().map(|p| (&p.id, &p.refused));
            let refused = |(id, why): (&Arc<ObjectId>, &Option<Sourced<String>>)| {
                Some((Arc::clone(id), why.as_ref()?.span))
            };
            peer.chain(authorization).filter_map(refused)
        })
    }

    /// The labels of a workload's Namespace, and where the object stands.
    fn labels_of_namespace(&self, workload: &Workload) -> Certain<Sourced<&Labels>> {
        if workload.namespace == NamespaceSource::Assumed {
            let reason = format!(
                "{} names no namespace, so its mesh labels are not known; write it",
                workload.title()
            );
            return Unknown(reason.into());
        }
        let name = &workload.id.namespace;
        match self.part(name).and_then(|part| part.namespace.as_ref()) {
            Some(namespace) => Known(Sourced::new(&namespace.labels, namespace.span)),
            None => {
                let reason = format!(
                    "Namespace `{name}` is not in the input, so its mesh labels are not known; \
                     add it"
                );
                Unknown(reason.into())
            }
        }
    }
}

impl Workload {
    /// Whether its proxy is a gateway of Istio: that one serves listeners of its own, which no
    /// PeerAuthentication is about.
    #[must_use]
    pub fn is_gateway_proxy(&self) -> bool {
        let templates = self.pod.annotations.get(TEMPLATES);
        let injected =
            templates.is_some_and(|list| listed(&list.value).iter().any(|name| name == "gateway"));
        let router =
            |c: &Container| c.name == PROXY && c.arguments.iter().any(|a| a.text == "router");
        injected || self.pod.containers.iter().any(router)
    }
}

/// The entries of a list in an annotation.
fn listed(list: &str) -> Vec<String> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(str::to_owned).collect()
}

/// A proxy that is written into the pod, or the mark of one that was injected.
fn has_sidecar(workload: &Workload) -> Option<Span> {
    let proxy = workload.pod.containers.iter().find(|c| c.name == PROXY);
    let status = || workload.pod.annotations.get(STATUS).map(|status| status.span);
    proxy.map(|proxy| proxy.head).or_else(status)
}

/// What turns injection on for a namespace. `istio-injection` silences a revision label.
fn enables(labels: &Labels) -> Option<Span> {
    match labels.get(SWITCH) {
        Some(switch) => (switch.value == "enabled").then_some(switch.span),
        None => labels.get(REVISION).map(|revision| revision.span),
    }
}

/// What keeps the injector from a pod: the label, or without one the annotation.
fn refuses_sidecar(workload: &Workload) -> Option<Span> {
    let asked = workload.labels.get(INJECT).or_else(|| workload.pod.annotations.get(INJECT));
    asked.filter(|asked| asked.value == "false").map(|asked| asked.span)
}

/// What makes the injector add a proxy. A pod's label counts where its namespace has none of the
/// labels of injection; an annotation never calls the injector, it can only send it away.
fn injected(workload: &Workload, namespace: &Labels) -> Option<Span> {
    let never = NEVER_INJECTED.contains(&workload.id.namespace.as_str());
    if never || refuses_sidecar(workload).is_some() {
        return None;
    }
    if namespace.get(SWITCH).is_some() || namespace.get(REVISION).is_some() {
        return enables(namespace);
    }
    let asked = workload.labels.get(INJECT).filter(|label| label.value == "true");
    asked.or_else(|| workload.labels.get(REVISION)).map(|label| label.span)
}
