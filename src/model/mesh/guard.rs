//! Which authorization policies act on which workloads (semantics M10, M15, M18 to M24, M31 to
//! M37).

use crate::config::Mesh;
use crate::model::{
    Action, AllowedNamespaces, AuthorizationPolicy, Gateway, Lookup, Model, Part, Service,
    TargetRef, Truth, Workload,
};

const WAYPOINT: &str = "istio.io/use-waypoint";
const WAYPOINT_NAMESPACE: &str = "istio.io/use-waypoint-namespace";

/// The port of the mesh's own tunnel.
const HBONE_PORT: u16 = 15008;

impl Model {
    /// Whether a policy is for a workload by its namespace and selector. One with `targetRefs` is
    /// for no workload (M18); one of the mesh's root namespace is for every namespace (M15).
    #[must_use]
    pub fn is_for(&self, policy: &AuthorizationPolicy, workload: &Workload) -> Truth {
        if policy.targeted {
            return Truth::No;
        }
        let here = if policy.id.namespace == self.profile.root_namespace() {
            Truth::Yes
        } else {
            policy.home().is(&workload.home())
        };
        match &policy.selector {
            None => here,
            Some(selector) => here.and(selector.matches(|key| workload.label(key))),
        }
    }

    /// Whether a policy has an effect on who may call a workload that takes part in a mesh.
    ///
    /// A policy that is refused, only logs, or that the workload's data plane never gets or cannot
    /// apply has none.
    ///
    /// Unknown where labels or objects that decide are not in the input.
    #[must_use]
    pub fn guards(&self, policy: &AuthorizationPolicy, workload: &Workload, mesh: Mesh) -> Truth {
        if policy.refused.is_some() || policy.dry_run || policy.action == Action::Audit {
            return Truth::No;
        }
        match (mesh, policy.targeted) {
            (Mesh::None, _) | (Mesh::Sidecar, true) => Truth::No,
            (Mesh::Sidecar, false) => self.is_for(policy, workload),
            (Mesh::Ambient, false) => {
                Truth::certain(policy.acts_at_ztunnel()).and(self.is_for(policy, workload))
            }
            (Mesh::Ambient, true) => {
                let targets = policy.targets.iter();
                targets.map(|t| self.at_waypoint(policy, t, workload)).fold(Truth::No, Truth::or)
            }
        }
    }

    /// Whether a policy that is attached to `target` guards a workload at its waypoint (M19).
    fn at_waypoint(
        &self,
        policy: &AuthorizationPolicy,
        target: &TargetRef,
        workload: &Workload,
    ) -> Truth {
        let Some(part) = self.part(&workload.id.namespace) else { return Truth::No };
        let home = workload.home();
        let fronts = |service: &Service| {
            let selector = service.selector.as_ref();
            let selects = selector.map_or(Truth::No, |s| s.matches(|key| workload.label(key)));
            selects.and(service.home().is(&home))
        };
        let root = policy.id.namespace == self.profile.root_namespace();
        let attached = |service: &Service| match target.kind.as_str() {
            "Service" if service.id.name == target.name => {
                self.waypoint(part, service).0.and(policy.home().is(&home))
            }
            "Gateway" => match self.waypoint(part, service) {
                (there, Some((namespace, name)))
                    if namespace == policy.id.namespace && name == target.name =>
                {
                    there
                }
                _ => Truth::No,
            },
            "GatewayClass" if root => self.waypoint(part, service).0,
            _ => Truth::No,
        };
        let services = part.services.iter();
        services.map(|service| fronts(service).and(attached(service))).fold(Truth::No, Truth::or)
    }

    /// Whether a Service has a waypoint, and which (M31, M32, M34).
    fn waypoint(&self, part: &Part, service: &Service) -> (Truth, Option<(String, String)>) {
        let namespace = part.namespace.as_ref();
        let of_namespace = |key: &str| match namespace {
            Some(namespace) => namespace.labels.value(key).map_or(Lookup::Missing, Lookup::Is),
            None => Lookup::Unknown,
        };
        let own = service.labels.value(WAYPOINT);
        let name = own.map_or_else(|| of_namespace(WAYPOINT), Lookup::Is);
        let name = match name {
            Lookup::Is("none") | Lookup::Missing => return (Truth::No, None),
            Lookup::Unknown => return (Truth::Unknown, None),
            Lookup::Is(name) => name,
        };
        let elsewhere = match own {
            Some(_) => service.labels.value(WAYPOINT_NAMESPACE),
            None => namespace.and_then(|n| n.labels.value(WAYPOINT_NAMESPACE)),
        };
        let client = service.id.namespace.as_str();
        let home = elsewhere.unwrap_or(client);
        let place = Some((home.to_owned(), name.to_owned()));
        let gateways = self.part(home).into_iter().flat_map(|part| &part.gateways);
        let there = gateways.into_iter().find(|gateway| gateway.id.name == name);
        match there {
            Some(gateway) => {
                let fit = gateway.is_waypoint() && gateway.for_services;
                (Truth::certain(fit).and(self.admits(gateway, client)), place)
            }
            None => (Truth::Unknown, place),
        }
    }

    /// Whether a waypoint takes Services of a namespace: what its listener for the mesh says, and
    /// without one those of its own (istio/istio ambient/waypoints.go).
    fn admits(&self, waypoint: &Gateway, client: &str) -> Truth {
        let mut listeners = waypoint.listeners.iter();
        let mesh = listeners.find(|l| l.protocol.value == "HBONE" && l.port == Some(HBONE_PORT));
        match mesh.map(|listener| &listener.namespaces) {
            None | Some(AllowedNamespaces::Same) => Truth::certain(waypoint.id.namespace == client),
            Some(AllowedNamespaces::All(_)) => Truth::Yes,
            Some(AllowedNamespaces::Selector(selector)) => self.selects_namespace(selector, client),
            Some(AllowedNamespaces::Nobody) => Truth::No,
        }
    }
}
