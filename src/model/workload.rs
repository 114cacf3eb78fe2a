//! Workloads: the pods of every kind that carries them, unknown kinds included.

use std::sync::Arc;

use super::container::{Container, ContainerList, Pod};
use super::fields::{field, items};
use super::meta::Labels;
use super::namespace::Home;
use super::selector::Lookup;
use crate::document::{Document, NamespaceSource, Node, ObjectId, Span};

/// What kind of object carries a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A Pod by itself.
    Pod,
    /// A controller that keeps pods running.
    Controller,
    /// A Job or CronJob.
    Job,
    /// A Knative Service, Configuration or Revision.
    Knative,
    /// A template of an Argo workflow.
    Workflow,
    /// A pod template inside a kind that is not known: its controller may add labels.
    Custom,
}

/// One pod template, or one Pod.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The object that carries it.
    pub id: Arc<ObjectId>,
    /// Place of the object's name.
    pub span: Span,
    /// The object's text.
    pub extent: Span,
    /// Kind of carrier.
    pub carrier: Carrier,
    /// The pod.
    pub pod: Pod,
    /// Labels of the pod (template): what selectors match.
    pub labels: Labels,
    /// Labels of the carrying object: what selectors do not match.
    pub own_labels: Labels,
    /// Place of the pod's labels, or of the template.
    pub labels_span: Span,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
    /// Whether a later object of the same identity replaces it in joins.
    pub superseded: bool,
}

impl Workload {
    /// How messages name it. Knative's kinds share their names with others.
    #[must_use]
    pub fn title(&self) -> String {
        self.id.title()
    }

    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }

    /// What is known of a label of its pods.
    #[must_use]
    pub fn label(&self, key: &str) -> Lookup<'_> {
        match self.labels.value(key) {
            Some(value) => Lookup::Is(value),
            None if self.is_named_by(key) => Lookup::Is(&self.id.name),
            None if self.controller_sets(key) => Lookup::Unknown,
            None => Lookup::Missing,
        }
    }

    /// Whether the controller gives the pods its own name under this key.
    fn is_named_by(&self, key: &str) -> bool {
        match self.id.kind.as_str() {
            "Job" => matches!(key, "job-name" | "batch.kubernetes.io/job-name"),
            "Service" if self.carrier == Carrier::Knative => {
                matches!(key, "serving.knative.dev/service" | "serving.knative.dev/configuration")
            }
            _ => false,
        }
    }

    /// Whether the controller gives the pods labels of no certain keys.
    pub(super) fn labels_are_open(&self) -> bool {
        matches!(self.carrier, Carrier::Custom | Carrier::Knative)
    }

    /// Whether the controller gives the pods this label, with a value that no manifest shows.
    fn controller_sets(&self, key: &str) -> bool {
        match (self.carrier, self.id.kind.as_str()) {
            (Carrier::Pod, _) => false,
            (Carrier::Custom, _) => true,
            (Carrier::Job, _) => JOB.contains(&key),
            (Carrier::Knative, _) => {
                key.starts_with("serving.knative.dev/") || matches!(key, "app" | TEMPLATE_HASH)
            }
            (Carrier::Workflow, _) => key.starts_with(WORKFLOW),
            (Carrier::Controller, "StatefulSet") => STATEFUL_SET.contains(&key),
            (Carrier::Controller, "DaemonSet") => DAEMON_SET.contains(&key),
            (Carrier::Controller, "Rollout") => ROLLOUT.contains(&key),
            (Carrier::Controller, _) => key == TEMPLATE_HASH,
        }
    }
}

// Labels that controllers give their pods. Sources: the controllers of Kubernetes (pkg/controller),
// Knative Serving (pkg/reconciler/revision/resources/meta.go), Argo (workflow/common, rollouts).
const TEMPLATE_HASH: &str = "pod-template-hash";
const JOB: [&str; 5] = [
    "job-name",
    "controller-uid",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
];
const STATEFUL_SET: [&str; 3] = [
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
];
const DAEMON_SET: [&str; 2] = ["controller-revision-hash", "pod-template-generation"];
const ROLLOUT: [&str; 2] = ["rollouts-pod-template-hash", TEMPLATE_HASH];
const WORKFLOW: &str = "workflows.argoproj.io/";

/// Whether some controller, other than those whose keys are open, gives pods a label of this key.
pub(super) fn is_given(key: &str) -> bool {
    let lists: [&[&str]; 5] = [&JOB, &STATEFUL_SET, &DAEMON_SET, &ROLLOUT, &[TEMPLATE_HASH]];
    key.starts_with(WORKFLOW) || lists.iter().any(|list| list.contains(&key))
}

/// The workloads that an object carries.
pub(super) fn read(document: &Document) -> Vec<Workload> {
    if document.patch {
        return Vec::new();
    }
    let root = document.root();
    let (group, kind) = (document.id.group.as_str(), document.id.kind.as_str());
    let spec = field(root, "spec");
    let at = |path: &[&str]| spec.and_then(|spec| spec.path(path)).filter(|node| node.is_map());
    let templates = match (group, kind) {
        ("", "Pod") => spec
            .map(|spec| Template { spec, metadata: field(root, "metadata"), carrier: Carrier::Pod })
            .into_iter()
            .collect(),
        ("", "PodTemplate") => Template::list(Carrier::Controller, field(root, "template")),
        ("batch", "Job") => Template::list(Carrier::Job, at(&["template"])),
        ("batch", "CronJob") => {
            Template::list(Carrier::Job, at(&["jobTemplate", "spec", "template"]))
        }
        ("", "ReplicationController")
        | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("argoproj.io", "Rollout") => Template::list(Carrier::Controller, at(&["template"])),
        ("serving.knative.dev", "Revision") => spec
            .map(|spec| {
                let metadata = field(root, "metadata");
                Template { spec, metadata, carrier: Carrier::Knative }
            })
            .into_iter()
            .collect(),
        ("serving.knative.dev", "Service" | "Configuration") => {
            Template::list(Carrier::Knative, at(&["template"]))
        }
        ("argoproj.io", "Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate") => {
            return spec.map(|spec| workflow(document, spec)).unwrap_or_default();
        }
        ("argoproj.io", "CronWorkflow") => {
            return at(&["workflowSpec"]).map(|s| workflow(document, s)).unwrap_or_default();
        }
        _ if document.kind.is_some() || only_quotes_pods(group, kind) => Vec::new(),
        _ => {
            let mut found = Vec::new();
            search(root, None, &mut found);
            found
        }
    };
    let workload = |template: Template<'_>| {
        let pod = Pod::read(template.spec, template.metadata);
        assemble(document, template.carrier, template.metadata, pod)
    };
    templates.into_iter().map(workload).collect()
}

/// Whether what looks like a pod is something else: a schema, the pattern of an admission policy,
/// the values of a chart.
fn only_quotes_pods(group: &str, kind: &str) -> bool {
    matches!(
        group,
        "apiextensions.k8s.io"
            | "admissionregistration.k8s.io"
            | "kyverno.io"
            | "policies.kyverno.io"
    ) || group.ends_with(".gatekeeper.sh")
        || matches!((group, kind), ("helm.toolkit.fluxcd.io", "HelmRelease"))
        || matches!((group, kind), ("argoproj.io", "Application" | "ApplicationSet"))
}

struct Template<'n> {
    spec: Node<'n>,
    metadata: Option<Node<'n>>,
    carrier: Carrier,
}

impl<'n> Template<'n> {
    fn list(carrier: Carrier, template: Option<Node<'n>>) -> Vec<Self> {
        template.into_iter().filter_map(|template| Self::of(template, carrier)).collect()
    }

    fn of(template: Node<'n>, carrier: Carrier) -> Option<Self> {
        let spec = field(template, "spec").filter(|spec| spec.is_map())?;
        Some(Self { spec, metadata: field(template, "metadata"), carrier })
    }
}

/// Finds pod specifications at any path of an unknown kind: a map with a list of containers.
fn search<'n>(node: Node<'n>, metadata: Option<Node<'n>>, found: &mut Vec<Template<'n>>) {
    if node.is_list() {
        node.children().for_each(|item| search(item, None, found));
        return;
    }
    if !node.is_map() {
        return;
    }
    if is_pod_spec(node) {
        found.push(Template { spec: node, metadata, carrier: Carrier::Custom });
        return;
    }
    let beside = field(node, "metadata").filter(|metadata| metadata.is_map());
    for child in node.children() {
        let metadata = if child.key() == "spec" { beside } else { None };
        search(child, metadata, found);
    }
}

fn is_pod_spec(node: Node<'_>) -> bool {
    let mut containers = items(node, "containers").peekable();
    let named = |container: Node<'_>| {
        ["image", "name"]
            .into_iter()
            .any(|key| field(container, key).and_then(Node::as_str).is_some())
    };
    containers.peek().is_some() && containers.all(|c| c.is_map() && named(c))
}

/// Where an argument is a script, the place of its secret is a part of it.
fn narrow(pod: &mut Pod, document: &Document) {
    let arguments = pod.containers.iter_mut().flat_map(|container| &mut container.arguments);
    for argument in arguments.filter(|argument| argument.credential.is_some()) {
        let whole = argument.span;
        let inside = |at: Span| {
            at.file == whole.file
                && (whole.start..=whole.end).contains(&at.start)
                && at.end <= whole.end
        };
        let hit = document.secrets.iter().find(|hit| inside(hit.at));
        argument.span = hit.map_or(whole, |hit| hit.at);
    }
}

fn assemble(
    document: &Document,
    carrier: Carrier,
    metadata: Option<Node<'_>>,
    mut pod: Pod,
) -> Workload {
    narrow(&mut pod, document);
    let labels = metadata.and_then(|metadata| field(metadata, "labels"));
    Workload {
        id: Arc::clone(&document.id),
        span: document.head,
        extent: document.extent,
        carrier,
        labels: Labels::read(metadata, "labels"),
        own_labels: Labels::read(field(document.root(), "metadata"), "labels"),
        labels_span: labels.map_or(pod.span, |labels| labels.span()),
        pod,
        namespace: document.namespace,
        superseded: document.superseded,
    }
}

/// The pods of an Argo workflow: one per template that runs a container. What a template does not
/// say, the workflow says for all.
fn workflow(document: &Document, spec: Node<'_>) -> Vec<Workload> {
    let mut workloads = Vec::new();
    for template in items(spec, "templates") {
        let main = ["container", "script"].into_iter().filter_map(|key| field(template, key));
        let set = field(template, "containerSet");
        let main = main.chain(set.into_iter().flat_map(|set| items(set, "containers")));
        let main: Vec<Node<'_>> = main.collect();
        if main.is_empty() {
            continue;
        }
        let containers = items(template, "initContainers")
            .map(|node| Container::read(node, ContainerList::Init))
            .chain(main.into_iter().map(|node| Container::read(node, ContainerList::Main)))
            .chain(
                items(template, "sidecars").map(|node| Container::read(node, ContainerList::Main)),
            );
        let mut containers: Vec<Container> = containers.collect();
        for container in containers.iter_mut().filter(|container| container.name.is_empty()) {
            container.name = "main".to_owned();
        }
        let metadata = field(template, "metadata").or_else(|| field(spec, "podMetadata"));
        let mut pod = Pod::with_containers(template, metadata, containers);
        pod.inherit(Pod::with_containers(spec, None, Vec::new()));
        workloads.push(assemble(document, Carrier::Workflow, metadata, pod));
    }
    workloads
}

impl Pod {
    fn inherit(&mut self, parent: Self) {
        let own = self.security.span.is_some();
        self.security = if own { std::mem::take(&mut self.security) } else { parent.security };
        self.host_network = self.host_network.take().or(parent.host_network);
        self.service_account = self.service_account.take().or(parent.service_account);
        self.automount = self.automount.take().or(parent.automount);
        self.volumes.extend(parent.volumes);
    }
}
