//! The lists of built-in kinds that a strategic merge patch merges by a key. All others, and every
//! list of a custom resource, are replaced.
//!
//! Source: the schema of Kubernetes 1.21 that kustomize 5.8 carries.

/// What lies in a map.
#[derive(Debug)]
pub(super) struct Shape(&'static [(&'static str, Step)]);

/// What lies under a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Map(&'static Shape),
    /// A list that is merged: the keys of its items, and what lies in them.
    Merge(&'static [&'static str], &'static Shape),
}

impl Shape {
    /// What lies under a key.
    pub(super) fn step(&self, key: &str) -> Option<Step> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, step)| *step)
    }

    /// The shape of an object, by `apiVersion` and kind.
    pub(super) fn of(api_version: &str, kind: &str) -> Option<&'static Self> {
        match (api_version, kind) {
            ("v1", "Pod") => Some(&POD),
            ("v1", "Service") => Some(&SERVICE),
            ("v1", "ServiceAccount") => Some(&SERVICE_ACCOUNT),
            ("v1", "PodTemplate") => Some(&TEMPLATE_HOLDER),
            ("v1", "ReplicationController")
            | ("apps/v1", "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet")
            | ("batch/v1", "Job") => Some(&WORKLOAD),
            ("batch/v1" | "batch/v1beta1", "CronJob") => Some(&CRON_JOB),
            (
                "admissionregistration.k8s.io/v1" | "admissionregistration.k8s.io/v1beta1",
                "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
            ) => Some(&WEBHOOKS),
            ("storage.k8s.io/v1" | "storage.k8s.io/v1beta1", "CSINode") => Some(&CSI_NODE),
            _ => None,
        }
    }
}

static LEAF: Shape = Shape(&[]);

static CONTAINER: Shape = Shape(&[
    ("env", Step::Merge(&["name"], &LEAF)),
    ("ports", Step::Merge(&["containerPort", "protocol"], &LEAF)),
    ("volumeDevices", Step::Merge(&["devicePath"], &LEAF)),
    ("volumeMounts", Step::Merge(&["mountPath"], &LEAF)),
]);

static EPHEMERAL: Shape = Shape(&[
    ("env", Step::Merge(&["name"], &LEAF)),
    ("volumeDevices", Step::Merge(&["devicePath"], &LEAF)),
    ("volumeMounts", Step::Merge(&["mountPath"], &LEAF)),
]);

static PODS: Shape = Shape(&[
    ("containers", Step::Merge(&["name"], &CONTAINER)),
    ("ephemeralContainers", Step::Merge(&["name"], &EPHEMERAL)),
    ("hostAliases", Step::Merge(&["ip"], &LEAF)),
    ("imagePullSecrets", Step::Merge(&["name"], &LEAF)),
    ("initContainers", Step::Merge(&["name"], &CONTAINER)),
    ("topologySpreadConstraints", Step::Merge(&["topologyKey", "whenUnsatisfiable"], &LEAF)),
    ("volumes", Step::Merge(&["name"], &LEAF)),
]);

static POD: Shape = Shape(&[("spec", Step::Map(&PODS))]);
static TEMPLATE_HOLDER: Shape = Shape(&[("template", Step::Map(&POD))]);
static WORKLOAD: Shape = Shape(&[("spec", Step::Map(&TEMPLATE_HOLDER))]);
static JOB_HOLDER: Shape = Shape(&[("jobTemplate", Step::Map(&WORKLOAD))]);
static CRON_JOB: Shape = Shape(&[("spec", Step::Map(&JOB_HOLDER))]);
static SERVICE_SPEC: Shape = Shape(&[("ports", Step::Merge(&["port", "protocol"], &LEAF))]);
static SERVICE: Shape = Shape(&[("spec", Step::Map(&SERVICE_SPEC))]);
static SERVICE_ACCOUNT: Shape = Shape(&[("secrets", Step::Merge(&["name"], &LEAF))]);
static WEBHOOKS: Shape = Shape(&[("webhooks", Step::Merge(&["name"], &LEAF))]);
static CSI_SPEC: Shape = Shape(&[("drivers", Step::Merge(&["name"], &LEAF))]);
static CSI_NODE: Shape = Shape(&[("spec", Step::Map(&CSI_SPEC))]);
