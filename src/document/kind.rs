//! Kinds of objects, told apart by API group and kind, never by a short name.

/// The kinds that the model reads. `Pod` stands for everything that carries a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each variant is the kind of its name")]
pub enum Kind {
    Namespace,
    /// Pods and every kind that carries a pod template, unknown kinds included.
    Pod,
    Service,
    /// Endpoints and EndpointSlice.
    EndpointSlice,
    ServiceAccount,
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
    ResourceQuota,
    LimitRange,
    ConfigMap,
    Secret,
    HorizontalPodAutoscaler,
    NetworkPolicy,
    CiliumNetworkPolicy,
    CiliumClusterwideNetworkPolicy,
    /// Network policy kinds that are not evaluated yet: where one is present, isolation is unknown.
    OtherNetworkPolicy,
    PeerAuthentication,
    AuthorizationPolicy,
    /// Where one leads in from outside is not evaluated yet.
    VirtualService,
    Ingress,
    Gateway,
    HTTPRoute,
    /// GRPCRoute, TLSRoute, TCPRoute and UDPRoute.
    OtherRoute,
    ReferenceGrant,
    /// Every kind: for facts about text and identity.
    Any,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 27] = [
        Self::Namespace,
        Self::Pod,
        Self::Service,
        Self::EndpointSlice,
        Self::ServiceAccount,
        Self::Role,
        Self::ClusterRole,
        Self::RoleBinding,
        Self::ClusterRoleBinding,
        Self::ResourceQuota,
        Self::LimitRange,
        Self::ConfigMap,
        Self::Secret,
        Self::HorizontalPodAutoscaler,
        Self::NetworkPolicy,
        Self::CiliumNetworkPolicy,
        Self::CiliumClusterwideNetworkPolicy,
        Self::OtherNetworkPolicy,
        Self::PeerAuthentication,
        Self::AuthorizationPolicy,
        Self::VirtualService,
        Self::Ingress,
        Self::Gateway,
        Self::HTTPRoute,
        Self::OtherRoute,
        Self::ReferenceGrant,
        Self::Any,
    ];

    /// Its name, as policies write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Pod => "Pod",
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::ServiceAccount => "ServiceAccount",
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
            Self::RoleBinding => "RoleBinding",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
            Self::ResourceQuota => "ResourceQuota",
            Self::LimitRange => "LimitRange",
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::CiliumNetworkPolicy => "CiliumNetworkPolicy",
            Self::CiliumClusterwideNetworkPolicy => "CiliumClusterwideNetworkPolicy",
            Self::OtherNetworkPolicy => "OtherNetworkPolicy",
            Self::PeerAuthentication => "PeerAuthentication",
            Self::AuthorizationPolicy => "AuthorizationPolicy",
            Self::VirtualService => "VirtualService",
            Self::Ingress => "Ingress",
            Self::Gateway => "Gateway",
            Self::HTTPRoute => "HTTPRoute",
            Self::OtherRoute => "OtherRoute",
            Self::ReferenceGrant => "ReferenceGrant",
            Self::Any => "Any",
        }
    }

    /// The model's kind of an API group and kind.
    #[must_use]
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        Some(match (group, kind) {
            ("", "Namespace") => Self::Namespace,
            ("", "Pod" | "PodTemplate" | "ReplicationController")
            | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job" | "CronJob")
            | ("serving.knative.dev", "Service" | "Configuration" | "Revision")
            | (
                "argoproj.io",
                "Rollout"
                | "Workflow"
                | "WorkflowTemplate"
                | "ClusterWorkflowTemplate"
                | "CronWorkflow",
            ) => Self::Pod,
            ("", "Service") => Self::Service,
            ("", "Endpoints") | ("discovery.k8s.io", "EndpointSlice") => Self::EndpointSlice,
            ("", "ServiceAccount") => Self::ServiceAccount,
            ("rbac.authorization.k8s.io", "Role") => Self::Role,
            ("rbac.authorization.k8s.io", "ClusterRole") => Self::ClusterRole,
            ("rbac.authorization.k8s.io", "RoleBinding") => Self::RoleBinding,
            ("rbac.authorization.k8s.io", "ClusterRoleBinding") => Self::ClusterRoleBinding,
            ("", "ResourceQuota") => Self::ResourceQuota,
            ("", "LimitRange") => Self::LimitRange,
            ("", "ConfigMap") => Self::ConfigMap,
            ("", "Secret") => Self::Secret,
            ("autoscaling", "HorizontalPodAutoscaler") => Self::HorizontalPodAutoscaler,
            ("networking.k8s.io" | "extensions", "NetworkPolicy") => Self::NetworkPolicy,
            ("cilium.io", "CiliumNetworkPolicy") => Self::CiliumNetworkPolicy,
            ("cilium.io", "CiliumClusterwideNetworkPolicy") => Self::CiliumClusterwideNetworkPolicy,
            (
                "policy.networking.k8s.io",
                "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy" | "ClusterNetworkPolicy",
            )
            | (
                "projectcalico.org" | "crd.projectcalico.org",
                "NetworkPolicy" | "GlobalNetworkPolicy",
            )
            | ("crd.antrea.io", "NetworkPolicy" | "ClusterNetworkPolicy") => {
                Self::OtherNetworkPolicy
            }
            ("security.istio.io", "PeerAuthentication") => Self::PeerAuthentication,
            ("security.istio.io", "AuthorizationPolicy") => Self::AuthorizationPolicy,
            ("networking.istio.io", "VirtualService") => Self::VirtualService,
            ("networking.k8s.io" | "extensions", "Ingress") => Self::Ingress,
            ("gateway.networking.k8s.io", "Gateway") => Self::Gateway,
            ("gateway.networking.k8s.io", "HTTPRoute") => Self::HTTPRoute,
            ("gateway.networking.k8s.io", "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute") => {
                Self::OtherRoute
            }
            ("gateway.networking.k8s.io", "ReferenceGrant") => Self::ReferenceGrant,
            _ => return None,
        })
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSet(u64);

impl KindSet {
    /// The set of the given kinds.
    #[must_use]
    pub const fn of(kinds: &[Kind]) -> Self {
        let mut bits = 0;
        let mut rest = kinds;
        while let [first, tail @ ..] = rest {
            bits |= 1 << (*first as u8);
            rest = tail;
        }
        Self(bits)
    }

    /// Adds a kind.
    pub fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << (kind as u8);
    }

    /// The kinds of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a kind is in the set.
    #[must_use]
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << (kind as u8)) != 0
    }

    /// Whether the sets share a kind.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds, in the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

/// Whether objects of a kind lie in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// Outside all namespaces.
    Cluster,
}

/// Whether objects of a kind restrict others: policies of the network, the mesh and of admission.
#[must_use]
pub fn is_policy(group: &str, kind: &str) -> bool {
    let of_network = matches!(
        Kind::of(group, kind),
        Some(
            Kind::NetworkPolicy
                | Kind::CiliumNetworkPolicy
                | Kind::CiliumClusterwideNetworkPolicy
                | Kind::OtherNetworkPolicy
                | Kind::PeerAuthentication
                | Kind::AuthorizationPolicy
        )
    );
    let of_admission = matches!(
        group,
        "kyverno.io"
            | "policies.kyverno.io"
            | "templates.gatekeeper.sh"
            | "constraints.gatekeeper.sh"
    ) || group == "admissionregistration.k8s.io"
        && kind.contains("AdmissionPolicy");
    of_network || of_admission || (group, kind) == ("security.istio.io", "RequestAuthentication")
}

/// The kinds whose scope is known: Kubernetes' own and those of the platforms served first.
///
/// Source: the API reference of Kubernetes 1.37 and the CRDs of each product.
#[must_use]
pub fn known(group: &str, kind: &str) -> Option<Scope> {
    let in_list = |list: &str| list.split_ascii_whitespace().any(|name| name == kind);
    let (_, namespaced, cluster) = KNOWN.iter().find(|(known, _, _)| *known == group)?;
    if in_list(namespaced) {
        Some(Scope::Namespaced)
    } else if in_list(cluster) || group == "constraints.gatekeeper.sh" {
        Some(Scope::Cluster)
    } else {
        None
    }
}

/// Group, its namespaced kinds, its cluster-scoped kinds.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "",
        "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate \
         ReplicationController ResourceQuota Secret Service ServiceAccount",
        "Namespace Node PersistentVolume",
    ),
    ("apps", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet", ""),
    ("batch", "CronJob Job", ""),
    ("autoscaling", "HorizontalPodAutoscaler", ""),
    ("policy", "PodDisruptionBudget", "PodSecurityPolicy"),
    ("extensions", "Ingress NetworkPolicy", ""),
    ("networking.k8s.io", "Ingress NetworkPolicy", "IPAddress IngressClass ServiceCIDR"),
    ("rbac.authorization.k8s.io", "Role RoleBinding", "ClusterRole ClusterRoleBinding"),
    (
        "storage.k8s.io",
        "CSIStorageCapacity",
        "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    ),
    ("apiextensions.k8s.io", "", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "", "APIService"),
    (
        "admissionregistration.k8s.io",
        "",
        "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration \
         ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding \
         ValidatingWebhookConfiguration",
    ),
    ("scheduling.k8s.io", "", "PriorityClass"),
    ("node.k8s.io", "", "RuntimeClass"),
    ("coordination.k8s.io", "Lease", ""),
    ("discovery.k8s.io", "EndpointSlice", ""),
    ("events.k8s.io", "Event", ""),
    ("certificates.k8s.io", "", "CertificateSigningRequest ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "", "FlowSchema PriorityLevelConfiguration"),
    ("resource.k8s.io", "ResourceClaim ResourceClaimTemplate", "DeviceClass ResourceSlice"),
    (
        "cilium.io",
        "CiliumEndpoint CiliumEnvoyConfig CiliumLocalRedirectPolicy CiliumNetworkPolicy",
        "CiliumBGPAdvertisement CiliumBGPClusterConfig CiliumBGPPeerConfig CiliumCIDRGroup \
         CiliumClusterwideEnvoyConfig CiliumClusterwideNetworkPolicy CiliumEgressGatewayPolicy \
         CiliumIdentity CiliumL2AnnouncementPolicy CiliumLoadBalancerIPPool CiliumNode",
    ),
    (
        "policy.networking.k8s.io",
        "",
        "AdminNetworkPolicy BaselineAdminNetworkPolicy ClusterNetworkPolicy",
    ),
    ("projectcalico.org", "NetworkPolicy NetworkSet", "GlobalNetworkPolicy GlobalNetworkSet"),
    ("crd.projectcalico.org", "NetworkPolicy NetworkSet", "GlobalNetworkPolicy GlobalNetworkSet"),
    ("security.istio.io", "AuthorizationPolicy PeerAuthentication RequestAuthentication", ""),
    (
        "networking.istio.io",
        "DestinationRule EnvoyFilter Gateway ProxyConfig ServiceEntry Sidecar VirtualService \
         WorkloadEntry WorkloadGroup",
        "",
    ),
    ("telemetry.istio.io", "Telemetry", ""),
    ("extensions.istio.io", "WasmPlugin", ""),
    (
        "gateway.networking.k8s.io",
        "BackendTLSPolicy GRPCRoute Gateway HTTPRoute ListenerSet ReferenceGrant TCPRoute TLSRoute \
         UDPRoute",
        "GatewayClass",
    ),
    (
        "kyverno.io",
        "CleanupPolicy Policy PolicyException",
        "ClusterCleanupPolicy ClusterPolicy GlobalContextEntry",
    ),
    ("templates.gatekeeper.sh", "", "ConstraintTemplate"),
    ("constraints.gatekeeper.sh", "", ""),
    ("cert-manager.io", "Certificate CertificateRequest Issuer", "ClusterIssuer"),
    (
        "external-secrets.io",
        "ExternalSecret PushSecret SecretStore",
        "ClusterExternalSecret ClusterSecretStore",
    ),
    ("bitnami.com", "SealedSecret", ""),
    ("monitoring.coreos.com", "PodMonitor Probe PrometheusRule ScrapeConfig ServiceMonitor", ""),
    ("serving.knative.dev", "Configuration DomainMapping Revision Route Service", ""),
    (
        "argoproj.io",
        "AnalysisTemplate AppProject Application ApplicationSet CronWorkflow Rollout Workflow \
         WorkflowTemplate",
        "ClusterAnalysisTemplate ClusterWorkflowTemplate",
    ),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", ""),
    ("helm.toolkit.fluxcd.io", "HelmRelease", ""),
    ("source.toolkit.fluxcd.io", "Bucket GitRepository HelmChart HelmRepository OCIRepository", ""),
    ("notification.toolkit.fluxcd.io", "Alert Provider Receiver", ""),
    ("kamaji.clastix.io", "TenantControlPlane", "DataStore"),
];

/// Whether objects of a kind make no pods by themselves: the kinds of [`known`], but for those that
/// a controller turns into pods or into further objects.
#[must_use]
pub fn makes_no_pods(group: &str, kind: &str) -> bool {
    let delegates = matches!(
        (group, kind),
        ("argoproj.io", "Application" | "ApplicationSet")
            | ("kustomize.toolkit.fluxcd.io", "Kustomization")
            | ("helm.toolkit.fluxcd.io", "HelmRelease")
            | ("kamaji.clastix.io", "TenantControlPlane")
    );
    !delegates && known(group, kind).is_some()
}
