//! What the objects mean: every default of Kubernetes, Istio and Cilium applied once.

mod certain;
mod cilium;
mod container;
mod fields;
mod gateway;
mod index;
mod istio;
mod mesh;
mod meta;
mod namespace;
mod netpol;
pub mod pod_security;
mod rbac;
mod resources;
mod selector;
mod service;
mod view;
mod workload;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use index::{BySelector, Index};

pub use certain::Certain::{self, Known, Unknown};
pub use cilium::{
    CidrPeer, CiliumClause, CiliumPolicy, CiliumPort, CiliumRule, Fqdn, Refusal, ServicePeer,
    ToPorts,
};
pub use container::{
    Argument, Container, ContainerList, EnvValue, EnvVar, Pod, Port, SeLinux, SecurityContext,
    Volume,
};
pub use fields::{Presence, Sourced};
pub use gateway::{
    AddedHeader, AllowedNamespaces, BackendRef, Gateway, GrantEnd, Ingress, Listener, ParentRef,
    ReferenceGrant, Route, RouteRule,
};
pub(crate) use index::Places;
pub use istio::{
    Action, Anonymous, AuthRule, AuthorizationPolicy, CONDITION_KEYS, Condition, Fate, MtlsMode,
    Operation, PeerAuthentication, Source, TargetRef, VirtualService, Wanted,
};
pub use mesh::{Enrolment, Mtls, Uncaptured};
pub use meta::{Label as ObjectLabel, Labels};
pub use namespace::{Enforcement, Home, NAME_LABEL, Namespace, Provenance};
pub use netpol::{
    Clause, Direction, IpBlock, NetworkPolicy, OtherPolicy, Peer, PortItem, PortMatch, Protocol,
};
pub use rbac::{AGGREGATED, Accounts, Binding, PolicyRule, Role, Subject};
pub use resources::{Amount, AmountOrigin, LimitRange};
pub use selector::{Lookup, Operator, Requirement, Selector, Truth};
pub use service::{
    Autoscaler, ConfigMap, Quota, Secret, SecretEntry, Service, ServiceAccount, ServicePort,
};
pub use view::View;
pub use workload::{Carrier, Workload};

use crate::config::Profile;
use crate::document::{Document, Inventory, Kind, ObjectId, Span};

/// Everything that lies in one namespace.
#[derive(Debug, Default)]
pub struct Part {
    /// The Namespace object, if it is in the input.
    pub namespace: Option<Namespace>,
    /// Workloads.
    pub workloads: Vec<Workload>,
    /// Services.
    pub services: Vec<Service>,
    /// Names of Services with endpoints of their own (Endpoints, EndpointSlice).
    pub endpoints: Vec<String>,
    /// Service accounts.
    pub service_accounts: Vec<ServiceAccount>,
    /// Roles, and ClusterRoles in the part without a name.
    pub roles: Vec<Role>,
    /// Bindings, and cluster-wide ones in the part without a name.
    pub bindings: Vec<Binding>,
    /// Quotas.
    pub quotas: Vec<Quota>,
    /// Limit ranges.
    pub limit_ranges: Vec<LimitRange>,
    /// ConfigMaps.
    pub config_maps: Vec<ConfigMap>,
    /// Secrets.
    pub secrets: Vec<Secret>,
    /// Autoscalers.
    pub autoscalers: Vec<Autoscaler>,
    /// Network policies.
    pub network_policies: Vec<NetworkPolicy>,
    /// Cilium policies, and cluster-wide ones in the part without a name.
    pub cilium_policies: Vec<CiliumPolicy>,
    /// Policies of kinds that are not evaluated.
    pub other_policies: Vec<OtherPolicy>,
    /// Peer authentications.
    pub peer_authentications: Vec<PeerAuthentication>,
    authentications_by_selector: BySelector,
    /// Authorization policies.
    pub authorization_policies: Vec<AuthorizationPolicy>,
    authorizations_by_selector: BySelector,
    /// VirtualServices.
    pub virtual_services: Vec<VirtualService>,
    /// Ingresses.
    pub ingresses: Vec<Ingress>,
    /// Gateways.
    pub gateways: Vec<Gateway>,
    /// Routes of every kind.
    pub routes: Vec<Route>,
    /// Reference grants.
    pub grants: Vec<ReferenceGrant>,
}

/// What an object means.
enum Meaning {
    Namespace(Namespace),
    Workloads(Vec<Workload>),
    Service(Service),
    Endpoints(String),
    ServiceAccount(ServiceAccount),
    Role(Role),
    Binding(Binding),
    Quota(Quota),
    LimitRange(LimitRange),
    ConfigMap(ConfigMap),
    Secret(Secret),
    Autoscaler(Autoscaler),
    NetworkPolicy(Box<NetworkPolicy>),
    Cilium(CiliumPolicy),
    OtherPolicy(OtherPolicy),
    PeerAuthentication(PeerAuthentication),
    Authorization(AuthorizationPolicy),
    VirtualService(VirtualService),
    Ingress(Ingress),
    Gateway(Gateway),
    Route(Route),
    Grant(ReferenceGrant),
    Nothing,
}

/// What the objects of a root mean, in parts per namespace.
#[derive(Debug)]
pub struct Model {
    /// Declared facts.
    pub profile: Profile,
    /// Objects in force, by namespace; cluster-scoped ones under the empty name.
    parts: BTreeMap<String, Arc<Part>>,
    /// Objects that a later one of the same identity replaces: judged, but never joined.
    replaced: BTreeMap<String, Arc<Part>>,
    index: Index,
    gaps: Gaps,
}

/// The reason of the first gap, by the namespace that it could fill, with its place in the list.
#[derive(Debug, Default)]
struct Gaps {
    first: Option<Arc<str>>,
    anywhere: Option<(usize, Arc<str>)>,
    of: HashMap<String, (usize, Arc<str>)>,
}

impl Gaps {
    fn of(inventory: &Inventory) -> Self {
        let mut gaps = Self::default();
        for (at, gap) in inventory.gaps.iter().enumerate() {
            let reason = || -> Arc<str> {
                format!("{} ({}); {}", gap.what, gap.reason.word(), gap.hint).into()
            };
            if at == 0 {
                gaps.first = Some(reason());
            }
            match &gap.namespace {
                None => _ = gaps.anywhere.get_or_insert_with(|| (at, reason())),
                Some(namespace) if !gaps.of.contains_key(namespace) => {
                    gaps.of.insert(namespace.clone(), (at, reason()));
                }
                Some(_) => {}
            }
        }
        gaps
    }

    fn in_namespace(&self, namespace: &str) -> Option<Arc<str>> {
        let both = self.anywhere.iter().chain(self.of.get(namespace));
        both.min_by_key(|(at, _)| *at).map(|(_, reason)| Arc::clone(reason))
    }
}

impl Model {
    /// Builds the model of a root.
    #[must_use]
    pub fn build(inventory: &Inventory, profile: &Profile) -> Self {
        let documents = &inventory.documents;
        let meanings: Vec<Meaning> = documents.par_iter().map(meaning).collect();
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        let mut replaced: BTreeMap<String, Part> = BTreeMap::new();
        for (document, meaning) in documents.iter().zip(meanings) {
            let namespace = match &meaning {
                Meaning::Nothing => continue,
                Meaning::Namespace(namespace) => &namespace.id.name,
                _ => &document.id.namespace,
            };
            let parts = if document.superseded { &mut replaced } else { &mut parts };
            match parts.get_mut(namespace) {
                Some(part) => part.take(meaning),
                None => parts.entry(namespace.clone()).or_default().take(meaning),
            }
        }
        let behind_arc = |parts: BTreeMap<String, Part>| -> BTreeMap<String, Arc<Part>> {
            parts.into_iter().map(|(name, part)| (name, Arc::new(part))).collect()
        };
        let (parts, replaced) = (behind_arc(parts), behind_arc(replaced));
        let index = Index::new(parts.iter());
        let gaps = Gaps::of(inventory);
        Self { profile: profile.clone(), parts, replaced, index, gaps }
    }

    /// The objects of a namespace; cluster-scoped ones under the empty name.
    #[must_use]
    pub fn part(&self, namespace: &str) -> Option<&Part> {
        self.parts.get(namespace).map(AsRef::as_ref)
    }

    /// The namespaces that objects of the root lie in or name, in order.
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, &Part)> {
        let named = self.parts.iter().filter(|(name, _)| !name.is_empty());
        named.map(|(name, part)| (name.as_str(), part.as_ref()))
    }

    /// All workloads in force.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        self.parts.values().flat_map(|part| &part.workloads)
    }

    /// Why objects of a namespace may be missing.
    #[must_use]
    pub fn gap_for(&self, namespace: &str) -> Option<Arc<str>> {
        self.gaps.in_namespace(namespace)
    }

    /// Why objects of any namespace may be missing.
    #[must_use]
    pub fn any_gap(&self) -> Option<Arc<str>> {
        self.gaps.first.clone()
    }

    /// Objects in force and replaced ones, for checks on single objects.
    fn every(&self) -> impl Iterator<Item = &Part> {
        self.parts.values().chain(self.replaced.values()).map(AsRef::as_ref)
    }
}

impl Part {
    /// The Service with a name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        named(&self.services, name, |service| &service.id)
    }

    /// The ServiceAccount with a name.
    #[must_use]
    pub fn service_account(&self, name: &str) -> Option<&ServiceAccount> {
        named(&self.service_accounts, name, |account| &account.id)
    }

    /// The Gateway with a name.
    #[must_use]
    pub fn gateway(&self, name: &str) -> Option<&Gateway> {
        named(&self.gateways, name, |gateway| &gateway.id)
    }

    /// The PeerAuthentications that may be for a workload by their selector; no other one is.
    fn authentications_for(
        &self,
        workload: &Workload,
    ) -> impl Iterator<Item = &PeerAuthentication> {
        let at = |at: u32| self.peer_authentications.get(at as usize);
        self.authentications_by_selector.may_match(workload).into_iter().filter_map(at)
    }

    /// The AuthorizationPolicies that may be for a workload by their selector; no other one is.
    pub fn authorizations_for(
        &self,
        workload: &Workload,
    ) -> impl Iterator<Item = &AuthorizationPolicy> {
        let at = |at: u32| self.authorization_policies.get(at as usize);
        self.authorizations_by_selector.may_match(workload).into_iter().filter_map(at)
    }

    fn take(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Namespace(namespace) => self.namespace = Some(namespace),
            Meaning::Workloads(workloads) => self.workloads.extend(workloads),
            Meaning::Service(service) => self.services.push(service),
            Meaning::Endpoints(service) => self.endpoints.push(service),
            Meaning::ServiceAccount(account) => self.service_accounts.push(account),
            Meaning::Role(role) => self.roles.push(role),
            Meaning::Binding(binding) => self.bindings.push(binding),
            Meaning::Quota(quota) => self.quotas.push(quota),
            Meaning::LimitRange(range) => self.limit_ranges.push(range),
            Meaning::ConfigMap(map) => self.config_maps.push(map),
            Meaning::Secret(secret) => self.secrets.push(secret),
            Meaning::Autoscaler(autoscaler) => self.autoscalers.push(autoscaler),
            Meaning::NetworkPolicy(policy) => self.network_policies.push(*policy),
            Meaning::Cilium(policy) => self.cilium_policies.push(policy),
            Meaning::OtherPolicy(policy) => self.other_policies.push(policy),
            Meaning::PeerAuthentication(policy) => {
                self.authentications_by_selector.push(policy.selector.as_ref());
                self.peer_authentications.push(policy);
            }
            Meaning::Authorization(policy) => {
                self.authorizations_by_selector.push(policy.selector.as_ref());
                self.authorization_policies.push(policy);
            }
            Meaning::VirtualService(service) => self.virtual_services.push(service),
            Meaning::Ingress(ingress) => self.ingresses.push(ingress),
            Meaning::Gateway(gateway) => self.gateways.push(gateway),
            Meaning::Route(route) => self.routes.push(route),
            Meaning::Grant(grant) => self.grants.push(grant),
            Meaning::Nothing => {}
        }
    }
}

/// The object with a name among those of one kind, which a part holds in the order of their names.
fn named<'p, T>(objects: &'p [T], name: &str, id: impl Fn(&T) -> &ObjectId) -> Option<&'p T> {
    let at = objects.partition_point(|object| id(object).name.as_str() < name);
    objects.get(at).filter(|object| id(object).name == name)
}

fn meaning(document: &Document) -> Meaning {
    let Some(kind) = document.kind else {
        let workloads = workload::read(document);
        return if workloads.is_empty() { Meaning::Nothing } else { Meaning::Workloads(workloads) };
    };
    match kind {
        Kind::Namespace => Meaning::Namespace(Namespace::read(document)),
        Kind::Pod => Meaning::Workloads(workload::read(document)),
        Kind::Service => Meaning::Service(Service::read(document)),
        Kind::EndpointSlice => Meaning::Endpoints(endpoints_of(document)),
        Kind::ServiceAccount => Meaning::ServiceAccount(ServiceAccount::read(document)),
        Kind::Role | Kind::ClusterRole => Meaning::Role(Role::read(document)),
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            Binding::read(document).map_or(Meaning::Nothing, Meaning::Binding)
        }
        Kind::ResourceQuota => Meaning::Quota(Quota::read(document)),
        Kind::LimitRange => Meaning::LimitRange(LimitRange::read(document)),
        Kind::ConfigMap => Meaning::ConfigMap(ConfigMap::read(document)),
        Kind::Secret => Meaning::Secret(Secret::read(document)),
        Kind::HorizontalPodAutoscaler => {
            Autoscaler::read(document).map_or(Meaning::Nothing, Meaning::Autoscaler)
        }
        Kind::NetworkPolicy => Meaning::NetworkPolicy(Box::new(NetworkPolicy::read(document))),
        Kind::CiliumNetworkPolicy | Kind::CiliumClusterwideNetworkPolicy => {
            Meaning::Cilium(CiliumPolicy::read(document))
        }
        Kind::OtherNetworkPolicy => Meaning::OtherPolicy(OtherPolicy::read(document)),
        Kind::PeerAuthentication => Meaning::PeerAuthentication(PeerAuthentication::read(document)),
        Kind::AuthorizationPolicy => Meaning::Authorization(AuthorizationPolicy::read(document)),
        Kind::VirtualService => Meaning::VirtualService(VirtualService::read(document)),
        Kind::Ingress => Meaning::Ingress(Ingress::read(document)),
        Kind::Gateway => Meaning::Gateway(Gateway::read(document)),
        Kind::HTTPRoute | Kind::OtherRoute => Meaning::Route(Route::read(document)),
        Kind::ReferenceGrant => Meaning::Grant(ReferenceGrant::read(document)),
        Kind::Any => Meaning::Nothing,
    }
}

/// The Service whose endpoints an object lists.
fn endpoints_of(document: &Document) -> String {
    let labels = Labels::read(document.root().get("metadata"), "labels");
    let service = labels.value("kubernetes.io/service-name").map(str::to_owned);
    service.unwrap_or_else(|| document.id.name.clone())
}

/// A namespace as subject of a finding, with or without an object.
#[must_use]
pub fn namespace_id(name: &str) -> Arc<ObjectId> {
    Arc::new(ObjectId {
        group: String::new(),
        kind: "Namespace".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    })
}

/// Where to point for a whole namespace: its Namespace object, else its first workload.
#[must_use]
pub fn namespace_span(part: &Part) -> Option<Span> {
    let object = part.namespace.as_ref().map(|namespace| namespace.span);
    let policies = part.network_policies.iter().map(|policy| policy.span);
    let services = part.services.iter().map(|service| service.span);
    object.or_else(|| part.workloads.first().map(|workload| workload.span)).or_else(|| {
        policies.chain(part.cilium_policies.iter().map(|p| p.span)).chain(services).next()
    })
}
