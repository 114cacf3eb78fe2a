//! A check's view of the model. It records the kinds that were asked for, so that a test can hold
//! what a check declares against what it does.

use std::cell::Cell;
use std::sync::Arc;

use super::certain::Certain;
use super::container::Container;
use super::mesh::{Enrolment, Mtls, Uncaptured};
use super::resources::Amount;
use super::{
    AuthorizationPolicy, Autoscaler, Binding, CiliumPolicy, ConfigMap, Gateway, Ingress,
    LimitRange, Model, NetworkPolicy, OtherPolicy, Part, PeerAuthentication, Places, Quota,
    ReferenceGrant, Role, Route, Secret, Selector, Service, ServiceAccount, Truth, VirtualService,
    Workload,
};
use crate::config::Mesh;
use crate::document::{Kind, KindSet};

/// The model as one check sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    model: &'a Model,
    touched: &'a Cell<KindSet>,
}

/// One accessor per kind: every object, replaced ones included.
macro_rules! every {
    ($($(#[$doc:meta])* $name:ident, $field:ident: $type:ty, $($kind:ident)|+;)*) => {
        impl<'a> View<'a> {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> impl Iterator<Item = &'a $type> + use<'a> {
                    self.touch(&[$(Kind::$kind),+]);
                    self.model.every().flat_map(|part| &part.$field)
                }
            )*
        }
    };
}

every! {
    /// Every workload, replaced ones included.
    workloads, workloads: Workload, Pod;
    /// Every Service.
    services, services: Service, Service;
    /// Every service account.
    service_accounts, service_accounts: ServiceAccount, ServiceAccount;
    /// Every Role and ClusterRole.
    roles, roles: Role, Role | ClusterRole;
    /// Every RoleBinding and ClusterRoleBinding.
    bindings, bindings: Binding, RoleBinding | ClusterRoleBinding;
    /// Every quota.
    quotas, quotas: Quota, ResourceQuota;
    /// Every limit range.
    limit_ranges, limit_ranges: LimitRange, LimitRange;
    /// Every ConfigMap.
    config_maps, config_maps: ConfigMap, ConfigMap;
    /// Every Secret.
    secrets, secrets: Secret, Secret;
    /// Every autoscaler.
    autoscalers, autoscalers: Autoscaler, HorizontalPodAutoscaler;
    /// Every NetworkPolicy.
    network_policies, network_policies: NetworkPolicy, NetworkPolicy;
    /// Every Cilium policy, cluster-wide ones included.
    cilium_policies, cilium_policies: CiliumPolicy, CiliumNetworkPolicy | CiliumClusterwideNetworkPolicy;
    /// Every policy of a kind that is not evaluated.
    other_policies, other_policies: OtherPolicy, OtherNetworkPolicy;
    /// Every PeerAuthentication.
    peer_authentications, peer_authentications: PeerAuthentication, PeerAuthentication;
    /// Every AuthorizationPolicy.
    authorization_policies, authorization_policies: AuthorizationPolicy, AuthorizationPolicy;
    /// Every VirtualService.
    virtual_services, virtual_services: VirtualService, VirtualService;
    /// Every Ingress.
    ingresses, ingresses: Ingress, Ingress;
    /// Every Gateway.
    gateways, gateways: Gateway, Gateway;
    /// Every route.
    routes, routes: Route, HTTPRoute | OtherRoute;
    /// Every ReferenceGrant.
    grants, grants: ReferenceGrant, ReferenceGrant;
}

impl<'a> View<'a> {
    /// A view that records into `touched`.
    #[must_use]
    pub const fn new(model: &'a Model, touched: &'a Cell<KindSet>) -> Self {
        Self { model, touched }
    }

    /// Records kinds as asked for.
    pub fn touch(&self, kinds: &[Kind]) {
        self.touched.set(self.touched.get().union(KindSet::of(kinds)));
    }

    /// The namespaces of the root and what lies in them; `kinds` says what the caller looks at.
    pub fn namespaces(
        &self,
        kinds: &[Kind],
    ) -> impl Iterator<Item = (&'a str, &'a Part)> + use<'a> {
        self.touch(kinds);
        self.model.namespaces()
    }

    /// The objects of a namespace; `kinds` says what the caller looks at.
    #[must_use]
    pub fn part(&self, namespace: &str, kinds: &[Kind]) -> Option<&'a Part> {
        self.touch(kinds);
        self.model.part(namespace)
    }

    /// Everything in force, cluster-scoped objects first. Joins ask this: an object that a later
    /// one replaces joins nothing.
    pub fn in_force(&self, kinds: &[Kind]) -> impl Iterator<Item = &'a Part> + use<'a> {
        self.touch(kinds);
        self.model.parts.values().map(AsRef::as_ref)
    }

    /// The workloads in force at some places that a selector of labels may match: no other one can.
    pub(crate) fn may_match(
        &self,
        places: &Places<'_>,
        selector: Option<&Selector>,
    ) -> impl Iterator<Item = &'a Workload> + use<'a> {
        self.touch(&[Kind::Pod]);
        let model = self.model;
        let numbers = model.may_match(places, selector, Some);
        numbers.into_iter().filter_map(|number| model.workload(number))
    }

    /// How a workload takes part in the mesh.
    #[must_use]
    pub fn enrolment(&self, workload: &Workload) -> Certain<Enrolment> {
        self.touch(&[Kind::Pod, Kind::Namespace]);
        self.model.enrolment(workload)
    }

    /// The mTLS mode of a workload.
    #[must_use]
    pub fn mtls(&self, workload: &Workload) -> Certain<Mtls> {
        self.touch(&[Kind::Pod, Kind::PeerAuthentication]);
        self.model.mtls(workload)
    }

    /// What annotations keep out of the mesh although a workload takes part.
    #[must_use]
    pub fn uncaptured(&self, workload: &Workload, mesh: Mesh) -> Option<Uncaptured> {
        self.touch(&[Kind::Pod]);
        self.model.uncaptured(workload, mesh)
    }

    /// Whether a policy is for a workload by its namespace and selector.
    #[must_use]
    pub fn is_for(&self, policy: &AuthorizationPolicy, workload: &Workload) -> Truth {
        self.touch(&[Kind::Pod, Kind::AuthorizationPolicy]);
        self.model.is_for(policy, workload)
    }

    /// Whether a policy has an effect on who may call a workload of a mesh.
    #[must_use]
    pub fn guards(&self, policy: &AuthorizationPolicy, workload: &Workload, mesh: Mesh) -> Truth {
        self.touch(&[
            Kind::Pod,
            Kind::Namespace,
            Kind::Service,
            Kind::Gateway,
            Kind::AuthorizationPolicy,
        ]);
        self.model.guards(policy, workload, mesh)
    }

    /// The mesh of the root, if there is one.
    #[must_use]
    pub fn mesh(&self) -> Option<Mesh> {
        self.touch(&[
            Kind::Pod,
            Kind::Namespace,
            Kind::PeerAuthentication,
            Kind::AuthorizationPolicy,
        ]);
        self.model.mesh()
    }

    /// The effective request of a container.
    #[must_use]
    pub fn request(
        &self,
        of: &Workload,
        container: &Container,
        resource: &str,
    ) -> Certain<Option<Amount>> {
        self.touch(&[Kind::Pod, Kind::LimitRange]);
        self.model.request(of, container, resource)
    }

    /// The effective limit of a container.
    #[must_use]
    pub fn limit(
        &self,
        of: &Workload,
        container: &Container,
        resource: &str,
    ) -> Certain<Option<Amount>> {
        self.touch(&[Kind::Pod, Kind::LimitRange]);
        self.model.limit(of, container, resource)
    }

    /// Why objects of a namespace may be missing.
    #[must_use]
    pub fn gap_for(&self, namespace: &str) -> Option<Arc<str>> {
        self.model.gap_for(namespace)
    }

    /// Why objects of any namespace may be missing.
    #[must_use]
    pub fn any_gap(&self) -> Option<Arc<str>> {
        self.model.any_gap()
    }

    /// Whether everything that could add pods to a namespace is in the input.
    #[must_use]
    pub fn closed(&self, namespace: &str) -> Certain<()> {
        self.touch(&[Kind::Pod, Kind::Gateway]);
        self.model.closed(namespace)
    }

    /// The model itself, for what records its kinds in another way.
    #[must_use]
    pub const fn model(&self) -> &'a Model {
        self.model
    }
}
