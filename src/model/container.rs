//! Pods and their containers as written, and the effective security settings.

use super::fields::{
    Sourced, field, flag, integer, items, judged_text, judged_texts, scalar_text, text,
};
use super::meta::Labels;
use super::resources::amounts;
use crate::document::{Credential, Mark, Node, Span, Value};

/// Which list of the pod a container stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerList {
    /// `initContainers`, sidecars included.
    Init,
    /// `containers`.
    Main,
    /// `ephemeralContainers`.
    Ephemeral,
}

/// Settings of a `securityContext`, of the pod or of a container.
#[derive(Clone, Debug, Default)]
pub struct SecurityContext {
    /// The whole map, if it is written.
    pub span: Option<Span>,
    /// `runAsNonRoot`.
    pub run_as_non_root: Option<Sourced<bool>>,
    /// `runAsUser`.
    pub run_as_user: Option<Sourced<i64>>,
    /// `privileged`.
    pub privileged: Option<Sourced<bool>>,
    /// `allowPrivilegeEscalation`.
    pub allow_privilege_escalation: Option<Sourced<bool>>,
    /// `capabilities.add`.
    pub added: Vec<Sourced<String>>,
    /// `capabilities.drop`.
    pub dropped: Vec<Sourced<String>>,
    /// The `capabilities` map.
    pub capabilities: Option<Span>,
    /// `procMount`.
    pub proc_mount: Option<Sourced<String>>,
    /// `seLinuxOptions`.
    pub se_linux: Option<SeLinux>,
    /// `seccompProfile.type`; `{}` has the type "".
    pub seccomp: Option<Sourced<String>>,
    /// `appArmorProfile.type`; `{}` has the type "".
    pub app_armor: Option<Sourced<String>>,
    /// `windowsOptions.hostProcess`.
    pub host_process: Option<Sourced<bool>>,
}

/// `seLinuxOptions`; what is absent is empty.
#[derive(Clone, Debug)]
pub struct SeLinux {
    /// The whole map.
    pub span: Span,
    /// `type`.
    pub kind: String,
    /// `user`.
    pub user: String,
    /// `role`.
    pub role: String,
}

/// A port that a container declares.
#[derive(Clone, Debug)]
pub struct Port {
    /// Name.
    pub name: Option<String>,
    /// Number.
    pub number: Option<u16>,
    /// Protocol, TCP where none is written.
    pub protocol: String,
    /// `hostPort`, zero included.
    pub host_port: Option<Sourced<i64>>,
    /// The whole entry.
    pub span: Span,
}

/// Where the value of an environment variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// Written here.
    Literal,
    /// Written here, and taken for a credential.
    Credential(Credential),
    /// From a key of a Secret.
    Secret(String),
    /// From elsewhere.
    Other,
}

/// An environment variable.
#[derive(Clone, Debug)]
pub struct EnvVar {
    /// Name.
    pub name: String,
    /// Value.
    pub value: EnvValue,
    /// Place of the value, or of the entry.
    pub span: Span,
    /// Place of the name.
    pub name_span: Span,
}

/// An element of `command` or `args`.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The text; empty where it was withheld.
    pub text: String,
    /// The credential that was withheld.
    pub credential: Option<Credential>,
    /// Place.
    pub span: Span,
}

/// A container as written.
#[derive(Clone, Debug)]
pub struct Container {
    /// List it stands in.
    pub list: ContainerList,
    /// Name; empty where it is missing.
    pub name: String,
    /// Place of the name, or of the container.
    pub head: Span,
    /// The whole container.
    pub span: Span,
    /// Image.
    pub image: Option<Sourced<String>>,
    /// Declared ports.
    pub ports: Vec<Port>,
    /// Environment variables.
    pub env: Vec<EnvVar>,
    /// Secrets whose keys all become variables (`envFrom`).
    pub env_from_secrets: Vec<Sourced<String>>,
    /// `command` and `args`.
    pub arguments: Vec<Argument>,
    /// Security settings as written.
    pub security: SecurityContext,
    /// `resources.requests` by resource.
    pub requests: Vec<(String, Sourced<String>)>,
    /// `resources.limits` by resource.
    pub limits: Vec<(String, Sourced<String>)>,
    /// Hosts of probes and lifecycle hooks that are not empty.
    pub probe_hosts: Vec<Sourced<String>>,
}

/// A volume.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Name.
    pub name: String,
    /// Field name of its source; `emptyDir` where none is written.
    pub source: String,
    /// Place of the source, or of the volume.
    pub span: Span,
    /// `hostPath`: its path, and the place of the key.
    pub host_path: Option<Sourced<String>>,
}

/// A pod as written: the specification and the metadata that count for it.
#[derive(Clone, Debug)]
pub struct Pod {
    /// The pod specification.
    pub span: Span,
    /// Annotations of the pod (template), never of its controller.
    pub annotations: Labels,
    /// `hostNetwork`.
    pub host_network: Option<Sourced<bool>>,
    /// `hostPID`.
    pub host_pid: Option<Sourced<bool>>,
    /// `hostIPC`.
    pub host_ipc: Option<Sourced<bool>>,
    /// `hostUsers`.
    pub host_users: Option<Sourced<bool>>,
    /// `os.name`.
    pub os: Option<String>,
    /// Security settings of the pod.
    pub security: SecurityContext,
    /// `securityContext.sysctls[].name`.
    pub sysctls: Vec<Sourced<String>>,
    /// All containers: init, ordinary, ephemeral, in this order.
    pub containers: Vec<Container>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// `serviceAccountName`, else the old `serviceAccount`.
    pub service_account: Option<Sourced<String>>,
    /// `automountServiceAccountToken`.
    pub automount: Option<Sourced<bool>>,
    /// `runtimeClassName`.
    pub runtime_class: Option<Sourced<String>>,
    /// Requests of the pod as a whole (`spec.resources.requests`).
    pub requests: Vec<(String, Sourced<String>)>,
    /// Limits of the pod as a whole (`spec.resources.limits`).
    pub limits: Vec<(String, Sourced<String>)>,
}

impl Pod {
    /// Reads a pod specification and the metadata beside it.
    pub(crate) fn read(spec: Node<'_>, metadata: Option<Node<'_>>) -> Self {
        let lists = [
            ("initContainers", ContainerList::Init),
            ("containers", ContainerList::Main),
            ("ephemeralContainers", ContainerList::Ephemeral),
        ];
        let of_list = |(key, list)| items(spec, key).map(move |node| Container::read(node, list));
        let containers = lists.into_iter().flat_map(of_list).collect();
        Self::with_containers(spec, metadata, containers)
    }

    /// Reads a pod specification whose containers stand elsewhere.
    pub(crate) fn with_containers(
        spec: Node<'_>,
        metadata: Option<Node<'_>>,
        containers: Vec<Container>,
    ) -> Self {
        let context = field(spec, "securityContext");
        let sysctls = context.into_iter().flat_map(|context| items(context, "sysctls"));
        let resources = field(spec, "resources");
        Self {
            span: spec.span(),
            annotations: Labels::read(metadata, "annotations"),
            host_network: flag(spec, "hostNetwork"),
            host_pid: flag(spec, "hostPID"),
            host_ipc: flag(spec, "hostIPC"),
            host_users: flag(spec, "hostUsers"),
            os: field(spec, "os").and_then(|os| text(os, "name")).map(|name| name.value),
            security: context.map(SecurityContext::read).unwrap_or_default(),
            sysctls: sysctls.map(sysctl).collect(),
            containers,
            volumes: items(spec, "volumes").map(Volume::read).collect(),
            service_account: text(spec, "serviceAccountName")
                .or_else(|| text(spec, "serviceAccount"))
                .filter(|account| !account.value.is_empty()),
            automount: flag(spec, "automountServiceAccountToken"),
            runtime_class: text(spec, "runtimeClassName"),
            requests: resources.map(|r| amounts(r, "requests")).unwrap_or_default(),
            limits: resources.map(|r| amounts(r, "limits")).unwrap_or_default(),
        }
    }

    /// Whether the pod shares its node's network.
    #[must_use]
    pub fn uses_host_network(&self) -> bool {
        self.host_network.as_ref().is_some_and(|host| host.value)
    }

    /// Whether the pod declares that it runs on Windows.
    #[must_use]
    pub fn is_windows(&self) -> bool {
        self.os.as_deref() == Some("windows")
    }

    /// Whether the pod has a user namespace of its own.
    #[must_use]
    pub fn has_user_namespace(&self) -> bool {
        self.host_users.as_ref().is_some_and(|users| !users.value)
    }

    /// Name of the service account, `default` where none is written.
    #[must_use]
    pub fn account(&self) -> &str {
        self.service_account.as_ref().map_or("default", |account| &account.value)
    }

    /// The effective `runAsNonRoot` of a container: its own, else the pod's.
    #[must_use]
    pub fn run_as_non_root<'a>(&'a self, container: &'a Container) -> Option<&'a Sourced<bool>> {
        container.security.run_as_non_root.as_ref().or(self.security.run_as_non_root.as_ref())
    }

    /// The effective `runAsUser` of a container: its own, else the pod's.
    #[must_use]
    pub fn run_as_user<'a>(&'a self, container: &'a Container) -> Option<&'a Sourced<i64>> {
        container.security.run_as_user.as_ref().or(self.security.run_as_user.as_ref())
    }

    /// The effective seccomp profile of a container: its own, else the pod's.
    #[must_use]
    pub fn seccomp<'a>(&'a self, container: &'a Container) -> Option<&'a Sourced<String>> {
        container.security.seccomp.as_ref().or(self.security.seccomp.as_ref())
    }
}

impl SecurityContext {
    fn read(node: Node<'_>) -> Self {
        let profile = |key: &str| {
            let profile = field(node, key)?;
            let typed = judged_text(profile, "type");
            Some(typed.unwrap_or_else(|| Sourced::new(String::new(), profile.span())))
        };
        let capabilities = field(node, "capabilities");
        let listed = |key: &str| capabilities.map(|c| judged_texts(c, key)).unwrap_or_default();
        let windows = field(node, "windowsOptions");
        Self {
            span: Some(node.span()),
            run_as_non_root: flag(node, "runAsNonRoot"),
            run_as_user: integer(node, "runAsUser"),
            privileged: flag(node, "privileged"),
            allow_privilege_escalation: flag(node, "allowPrivilegeEscalation"),
            added: listed("add"),
            dropped: listed("drop"),
            capabilities: capabilities.map(|c| c.span()),
            proc_mount: judged_text(node, "procMount"),
            se_linux: field(node, "seLinuxOptions").map(SeLinux::read),
            seccomp: profile("seccompProfile"),
            app_armor: profile("appArmorProfile"),
            host_process: windows.and_then(|windows| flag(windows, "hostProcess")),
        }
    }
}

/// The name of a sysctl, which is empty where it is absent.
fn sysctl(entry: Node<'_>) -> Sourced<String> {
    judged_text(entry, "name").unwrap_or_else(|| Sourced::new(String::new(), entry.span()))
}

impl SeLinux {
    fn read(node: Node<'_>) -> Self {
        let part = |key: &str| judged_text(node, key).map(|part| part.value).unwrap_or_default();
        Self { span: node.span(), kind: part("type"), user: part("user"), role: part("role") }
    }
}

impl Container {
    /// Reads a container.
    pub(crate) fn read(node: Node<'_>, list: ContainerList) -> Self {
        let name = text(node, "name");
        let resources = field(node, "resources");
        let amounts = |key: &str| resources.map(|r| amounts(r, key)).unwrap_or_default();
        let env_from = items(node, "envFrom").filter_map(|source| field(source, "secretRef"));
        let arguments = ["command", "args"].into_iter().flat_map(|key| items(node, key));
        Self {
            list,
            head: name.as_ref().map_or(node.span(), |name| name.span),
            name: name.map(|name| name.value).unwrap_or_default(),
            span: node.span(),
            image: text(node, "image"),
            ports: items(node, "ports").map(Port::read).collect(),
            env: items(node, "env").filter_map(EnvVar::read).collect(),
            env_from_secrets: env_from.filter_map(|secret| text(secret, "name")).collect(),
            arguments: arguments.map(Argument::read).collect(),
            security: field(node, "securityContext").map(SecurityContext::read).unwrap_or_default(),
            requests: amounts("requests"),
            limits: amounts("limits"),
            probe_hosts: probe_hosts(node),
        }
    }

    /// How a message names the container.
    #[must_use]
    pub fn title(&self) -> String {
        let list = match self.list {
            ContainerList::Init => "init container",
            ContainerList::Main => "container",
            ContainerList::Ephemeral => "ephemeral container",
        };
        match self.name.as_str() {
            "" => format!("unnamed {list}"), // Knative needs no name
            name => format!("{list} `{name}`"),
        }
    }
}

fn probe_hosts(container: Node<'_>) -> Vec<Sourced<String>> {
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"];
    let probes = probes.into_iter().filter_map(|probe| field(container, probe));
    let lifecycle = field(container, "lifecycle");
    let hooks = ["postStart", "preStop"].into_iter();
    let hooks = hooks.filter_map(|hook| lifecycle.and_then(|lifecycle| field(lifecycle, hook)));
    let handlers = probes.chain(hooks).flat_map(|handler| {
        ["httpGet", "tcpSocket"].into_iter().filter_map(move |action| field(handler, action))
    });
    let hosts = handlers.filter_map(|action| judged_text(action, "host"));
    hosts.filter(|host| !host.value.is_empty()).collect()
}

impl Port {
    fn read(node: Node<'_>) -> Self {
        let number = integer(node, "containerPort").and_then(|n| u16::try_from(n.value).ok());
        let protocol = text(node, "protocol").map(|protocol| protocol.value);
        Self {
            name: text(node, "name").map(|name| name.value),
            number: number.filter(|number| *number > 0),
            protocol: protocol.filter(|p| !p.is_empty()).unwrap_or_else(|| "TCP".to_owned()),
            host_port: integer(node, "hostPort"),
            span: node.span(),
        }
    }
}

impl EnvVar {
    fn read(node: Node<'_>) -> Option<Self> {
        let name = text(node, "name")?;
        let source = field(node, "valueFrom");
        let secret = source.and_then(|source| field(source, "secretKeyRef"));
        let written = field(node, "value");
        let value = match (written.map(Node::value), secret, source) {
            (Some(Value::Redacted(redacted)), ..) => match redacted.mark {
                Mark::Credential(credential) => EnvValue::Credential(credential),
                _ => EnvValue::Literal,
            },
            (_, Some(secret), _) => {
                EnvValue::Secret(text(secret, "name").map(|name| name.value).unwrap_or_default())
            }
            (_, None, Some(_)) => EnvValue::Other,
            _ => EnvValue::Literal,
        };
        let span = written.map_or(node.span(), Node::span);
        Some(Self { name: name.value, value, span, name_span: name.span })
    }
}

impl Argument {
    fn read(node: Node<'_>) -> Self {
        let (text, credential) = match node.value() {
            Value::Redacted(redacted) => match redacted.mark {
                Mark::Credential(credential) => (String::new(), Some(credential)),
                _ => (String::new(), None),
            },
            _ => (scalar_text(node).unwrap_or_default(), None),
        };
        Self { text, credential, span: node.span() }
    }
}

impl Volume {
    fn read(node: Node<'_>) -> Self {
        // A source that the API does not know is dropped; what is left is an emptyDir.
        let source =
            RESTRICTED_VOLUMES.iter().chain(&OTHER_VOLUMES).find_map(|source| field(node, source));
        let host_path = |source: Node<'_>| {
            let path = judged_text(source, "path").map(|path| path.value);
            Sourced::new(path.unwrap_or_default(), super::fields::key_span(source))
        };
        Self {
            name: text(node, "name").map(|name| name.value).unwrap_or_default(),
            source: source.map_or("emptyDir", |source| source.key()).to_owned(),
            span: source.map_or(node.span(), super::fields::key_span),
            host_path: field(node, "hostPath").map(host_path),
        }
    }
}

/// Volume sources, as the API calls their fields, that restricted pods may use.
pub(super) const RESTRICTED_VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// The other volume sources, in the order in which Pod Security looks for them. A volume with two
/// sources is refused by validation, but only after Pod Security has judged it.
const OTHER_VOLUMES: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];
