//! Enrolment in the mesh and the effective mTLS mode (semantics M1 to M8).

use std::sync::Arc;

use super::certain::Certain::{self, Known, Unknown};
use super::fields::Sourced;
use super::istio::{MtlsMode, PeerAuthentication};
use super::namespace::pick;
use super::selector::{Lookup, Truth};
use super::workload::Workload;
use super::{Model, Part};
use crate::config::Mesh;
use crate::document::{ObjectId, Span};

/// How a workload takes part in the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The mesh that captures its traffic.
    pub mesh: Mesh,
    /// What decided: a label, a container, `hostNetwork`.
    pub decided_by: Option<Span>,
}

/// The mTLS mode of a workload.
#[derive(Clone, Debug)]
pub struct Mtls {
    /// Mode.
    pub mode: MtlsMode,
    /// The policy that set it; none where Istio's default holds.
    pub set_by: Option<(Arc<ObjectId>, Span)>,
    /// Container ports with another mode.
    pub ports: Vec<(u16, Sourced<MtlsMode>)>,
}

impl Mtls {
    /// The mode of a container port.
    #[must_use]
    pub fn at(&self, port: u16) -> MtlsMode {
        let own = self.ports.iter().find(|(number, _)| *number == port);
        own.map_or(self.mode, |(_, mode)| mode.value)
    }
}

const DATAPLANE: &str = "istio.io/dataplane-mode";
const INJECT: &str = "sidecar.istio.io/inject";

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
        let namespaces = self.parts.values().filter_map(|part| part.namespace.as_ref());
        let mut sidecar = false;
        for namespace in namespaces {
            match namespace.labels.value(DATAPLANE) {
                Some("ambient") => return Some(Mesh::Ambient),
                _ => sidecar |= injects(&namespace.labels),
            }
        }
        let labelled = |w: &Workload| w.labels.value(DATAPLANE) == Some("ambient");
        if self.workloads().any(labelled) {
            return Some(Mesh::Ambient);
        }
        let proxies = |w: &Workload| w.pod.containers.iter().any(|c| c.name == "istio-proxy");
        let injected = |w: &Workload| w.labels.value(INJECT) == Some("true");
        if sidecar || self.workloads().any(|w| proxies(w) || injected(w)) {
            return Some(Mesh::Sidecar);
        }
        let policies = self.parts.values().any(|part| {
            !part.peer_authentications.is_empty() || !part.authorization_policies.is_empty()
        });
        policies.then_some(Mesh::Ambient)
    }

    /// How a workload takes part in the mesh.
    ///
    /// A pod's own label beats its namespace's; pods in the host's network never take part.
    ///
    /// Unknown where the pod says nothing and its Namespace is not in the input.
    ///
    /// Source: istio/istio cni/pkg/util/enablement_selector.go; semantics M1, M2.
    #[must_use]
    pub fn enrolment(&self, workload: &Workload) -> Certain<Enrolment> {
        let none = |by: Option<Span>| Known(Enrolment { mesh: Mesh::None, decided_by: by });
        if let Some(host) = workload.pod.host_network.as_ref().filter(|host| host.value) {
            return none(Some(host.span));
        }
        let proxy = workload.pod.containers.iter().find(|c| c.name == "istio-proxy");
        if let Some(proxy) = proxy {
            return Known(Enrolment { mesh: Mesh::Sidecar, decided_by: Some(proxy.head) });
        }
        let own = pick(&workload.labels, &[DATAPLANE]);
        if let Some(own) = own.as_ref().filter(|own| own.value == "ambient") {
            return Known(Enrolment { mesh: Mesh::Ambient, decided_by: Some(own.span) });
        }
        let inject = pick(&workload.labels, &[INJECT])
            .or_else(|| pick(&workload.pod.annotations, &[INJECT]));
        if let Some(inject) = &inject {
            let mesh = if inject.value == "true" { Mesh::Sidecar } else { Mesh::None };
            if mesh == Mesh::Sidecar || own.is_some() {
                return Known(Enrolment { mesh, decided_by: Some(inject.span) });
            }
        }
        let name = &workload.id.namespace;
        let Some(namespace) = self.part(name).and_then(|part| part.namespace.as_ref()) else {
            if own.is_some() && inject.is_some() {
                return none(own.map(|own| own.span));
            }
            let reason = format!(
                "Namespace `{name}` is not in the input, so its mesh labels are not known; add it"
            );
            return Unknown(reason.into());
        };
        let ambient = namespace.labels.get(DATAPLANE).filter(|label| label.value == "ambient");
        if let (Some(label), None) = (ambient, &own) {
            return Known(Enrolment { mesh: Mesh::Ambient, decided_by: Some(label.span) });
        }
        if inject.is_none() && injects(&namespace.labels) {
            let label = pick(&namespace.labels, &["istio-injection", "istio.io/rev"]);
            let by = label.map(|label| label.span);
            return Known(Enrolment { mesh: Mesh::Sidecar, decided_by: by });
        }
        let by = own.or(inject).map(|own| own.span);
        none(by.or(Some(namespace.span)))
    }

    /// The mTLS mode that applies to a workload, and the object that set it.
    ///
    /// The most specific PeerAuthentication wins: one that selects the workload, then the
    /// namespace's, then the mesh root namespace's; a mode of UNSET falls through. With none,
    /// Istio accepts plaintext, so the mode is [`MtlsMode::Permissive`] and `set_by` is `None`.
    ///
    /// Unknown while a PeerAuthentication of this root could not be read or rendered and none in
    /// the input decides, and where two of one scope disagree and their age is not known.
    ///
    /// Source: istio/istio authn/policy_applier.go; semantics M4 to M6.
    #[must_use]
    pub fn mtls(&self, workload: &Workload) -> Certain<Mtls> {
        let root = self.profile.root_namespace();
        let namespace = workload.id.namespace.as_str();
        let selects = |policy: &&PeerAuthentication| {
            let selector = policy.selector.as_ref();
            selector.is_some_and(|s| s.matches(|key| workload.label(key)) != Truth::No)
        };
        let here = self.part(namespace).filter(|_| namespace != root);
        let own = here.map(|part| part.narrow_authentications(workload)).unwrap_or_default();
        let own: Vec<_> = own.into_iter().filter(selects).collect();
        let narrow = here.map(Part::wide_authentications).unwrap_or_default();
        let mesh = self.part(root).map(Part::wide_authentications).unwrap_or_default();
        let mut picked = Vec::new();
        for scope in [&own, &narrow, &mesh] {
            match oldest(scope) {
                Ok(policy) => picked.push(policy),
                Err(reason) => return Unknown(reason),
            }
        }
        let deciding = picked.iter().flatten().find_map(|policy| {
            let mode = policy.mode.as_ref()?;
            Some((mode.value, (Arc::clone(&policy.id), mode.span)))
        });
        if deciding.is_none()
            && let Some(reason) = self.gap_for(namespace).or_else(|| self.gap_for(root))
        {
            return Unknown(reason);
        }
        let (mode, set_by) = match deciding {
            Some((mode, by)) => (mode, Some(by)),
            None => (MtlsMode::Permissive, None),
        };
        let levels = picked.into_iter().next().flatten();
        let ports = levels.into_iter().flat_map(|policy| &policy.ports);
        let ports = ports.filter_map(|(port, level)| Some((*port, level.clone()?)));
        Known(Mtls { mode, set_by, ports: ports.collect() })
    }
}

fn injects(labels: &super::meta::Labels) -> bool {
    match labels.value("istio-injection") {
        Some(value) => value == "enabled",
        None => labels.get("istio.io/rev").is_some(),
    }
}

/// Of several policies at one scope the oldest wins. Manifests seldom say how old they are.
fn oldest<'p>(
    policies: &[&'p PeerAuthentication],
) -> Result<Option<&'p PeerAuthentication>, Arc<str>> {
    let [first, rest @ ..] = policies else { return Ok(None) };
    let agree = |other: &&PeerAuthentication| {
        let mode = |p: &PeerAuthentication| p.mode.as_ref().map(|mode| mode.value);
        let ports = |p: &PeerAuthentication| -> Vec<_> {
            p.ports.iter().map(|(port, mode)| (*port, mode.as_ref().map(|m| m.value))).collect()
        };
        mode(first) == mode(other) && ports(first) == ports(other)
    };
    if rest.iter().all(agree) {
        return Ok(Some(first));
    }
    if policies.iter().any(|policy| policy.created.is_none()) {
        let names: Vec<String> = policies.iter().map(|p| format!("`{}`", p.id.name)).collect();
        let reason = format!(
            "PeerAuthentications {} disagree at one scope and the oldest wins; keep one of them",
            names.join(" and ")
        );
        return Err(reason.into());
    }
    Ok(policies.iter().min_by(|a, b| a.created.cmp(&b.created)).copied())
}

impl Workload {
    /// What is known of a label of its pods.
    #[must_use]
    pub fn label(&self, key: &str) -> Lookup<'_> {
        match self.labels.value(key) {
            Some(value) => Lookup::Is(value),
            None if self.labels_are_open() => Lookup::Unknown,
            None => Lookup::Missing,
        }
    }
}
