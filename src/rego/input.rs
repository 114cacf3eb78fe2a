//! What a policy sees: an object as the API server reads it, with facts that the model knows under
//! the key `palisade`, and the facts of its root.

use std::collections::{BTreeMap, HashMap};

use regorus::Value;

use crate::catalog::Params;
use crate::document::Value as Scalar;
use crate::document::{Document, NamespaceSource, Node, Span};
use crate::model::{
    Amount, Certain, Container, ContainerList, Labels, Model, SecurityContext, Workload,
};

/// What stands for a value that was withheld.
const WITHHELD: &str = "<redacted>";

/// Keys and short strings that were met, so that equal ones share their memory.
#[derive(Default)]
pub(super) struct Interner(HashMap<Box<str>, Value>);

impl Interner {
    /// Longest string that is kept, and most strings.
    const LONGEST: usize = 40;
    const MOST: usize = 20_000;

    fn text(&mut self, text: &str) -> Value {
        if text.len() > Self::LONGEST {
            return Value::from(text);
        }
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let value = Value::from(text);
        if self.0.len() < Self::MOST {
            self.0.insert(text.into(), value.clone());
        }
        value
    }
}

/// An object for the policies, and the parts of it that are containers.
pub(super) struct Input {
    pub(super) value: Value,
    /// Paths of its containers, and their names.
    pub(super) containers: Vec<(Vec<Value>, String)>,
}

/// A part of an object that the model knows.
struct Part {
    path: Vec<Value>,
    value: Value,
}

struct Converter<'i> {
    strings: &'i mut Interner,
    /// Places of pods and containers.
    wanted: HashMap<Span, Option<Part>>,
    path: Vec<Value>,
}

impl Converter<'_> {
    fn value(&mut self, node: Node<'_>) -> Value {
        let value = match node.value() {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::from(value),
            Scalar::Int(value) => Value::from(value),
            Scalar::Float(value) => Value::from(value),
            Scalar::Str(text) => self.strings.text(text),
            Scalar::Redacted(_) => self.strings.text(WITHHELD),
            Scalar::List => {
                let mut items = Vec::new();
                for (index, item) in node.children().enumerate() {
                    self.path.push(Value::from(index));
                    items.push(self.value(item));
                    self.path.pop();
                }
                Value::from(items)
            }
            Scalar::Map => {
                let mut fields = BTreeMap::new();
                for child in node.children() {
                    let key = self.strings.text(child.key());
                    self.path.push(key.clone());
                    fields.insert(key, self.value(child));
                    self.path.pop();
                }
                Value::from(fields)
            }
        };
        if let Some(part @ None) = self.wanted.get_mut(&node.span()) {
            *part = Some(Part { path: self.path.clone(), value: value.clone() });
        }
        value
    }
}

/// Converts an object. `workloads` are those that it carries.
pub(super) fn input(
    document: &Document,
    workloads: &[&Workload],
    model: &Model,
    strings: &mut Interner,
) -> Input {
    let pods = workloads.iter().map(|workload| &workload.pod);
    let places = pods
        .flat_map(|pod| pod.containers.iter().map(|container| container.span).chain([pod.span]));
    let wanted = places.map(|place| (place, None)).collect();
    let mut converter = Converter { strings, wanted, path: Vec::new() };
    let mut root = converter.value(document.root());
    let wanted = converter.wanted;
    let namespace = match document.namespace {
        NamespaceSource::ClusterScoped => "",
        _ => document.id.namespace.as_str(),
    };
    let mut object = Object::default();
    object.set("title", document.id.title());
    object.set("namespace", namespace);
    object.set("group", document.id.group.as_str());
    object.set("kind", document.id.kind.as_str());
    object.set("namespace_labels", namespace_labels(model, namespace));
    let mut containers = Vec::new();
    let (mut of_pods, mut of_containers) = (Vec::new(), Vec::new());
    for workload in workloads {
        let Some(Some(pod)) = wanted.get(&workload.pod.span) else { continue };
        let mut entry = Object::default();
        entry.set("path", pod.path.clone());
        entry.set("spec", pod.value.clone());
        entry.set("labels", texts(&workload.labels));
        entry.set("annotations", texts(&workload.pod.annotations));
        for container in &workload.pod.containers {
            let Some(Some(part)) = wanted.get(&container.span) else { continue };
            let own = of_container(workload, container, part, model);
            of_containers.push(own.with("pod", of_pods.len()));
            containers.push((part.path.clone(), container.name.clone()));
        }
        of_pods.push(entry.done());
    }
    object.set("pods", of_pods);
    object.set("containers", of_containers);
    if let Ok(fields) = root.as_object_mut() {
        if !namespace.is_empty()
            && let Some(metadata) = fields.get_mut(&Value::from("metadata"))
            && let Ok(metadata) = metadata.as_object_mut()
        {
            let key = Value::from("namespace");
            if !metadata.contains_key(&key) {
                metadata.extend([(key, Value::from(namespace))]);
            }
        }
        fields.extend([(Value::from("palisade"), object.done())]);
    }
    Input { value: root, containers }
}

fn of_container(workload: &Workload, container: &Container, part: &Part, model: &Model) -> Object {
    let list = match container.list {
        ContainerList::Init => "initContainers",
        ContainerList::Main => "containers",
        ContainerList::Ephemeral => "ephemeralContainers",
    };
    let mut own = Object::default();
    own.set("path", part.path.clone());
    own.set("spec", part.value.clone());
    own.set("list", list);
    own.set("name", container.name.as_str());
    let always = part.value["restartPolicy"] == Value::from("Always");
    own.set("sidecar", container.list == ContainerList::Init && always);
    own.set("resources", resources(workload, container, model));
    own.set("security", security(&workload.pod.security, &container.security));
    own
}

/// Effective requests and limits, as far as they are known.
fn resources(workload: &Workload, container: &Container, model: &Model) -> Value {
    let written = container.requests.iter().chain(&container.limits).map(|(name, _)| name.as_str());
    let names: std::collections::BTreeSet<&str> =
        written.chain(["cpu", "memory", "ephemeral-storage"]).collect();
    let mut all = Object::default();
    let known = |amount: Certain<Option<Amount>>| match amount {
        Certain::Known(amount) => amount.map(|amount| amount.value),
        Certain::Unknown(_) => None,
    };
    let (mut requests, mut limits) = (Object::default(), Object::default());
    for name in names {
        if let Some(amount) = known(model.request(workload, container, name)) {
            requests.set(name, amount);
        }
        if let Some(amount) = known(model.limit(workload, container, name)) {
            limits.set(name, amount);
        }
    }
    all.set("requests", requests.done());
    all.set("limits", limits.done());
    all.done()
}

/// The settings of a container, those of its pod where it has none.
fn security(pod: &SecurityContext, container: &SecurityContext) -> Value {
    let mut own = Object::default();
    let user = container.run_as_user.as_ref().or(pod.run_as_user.as_ref());
    let non_root = container.run_as_non_root.as_ref().or(pod.run_as_non_root.as_ref());
    if let Some(user) = user {
        own.set("runAsUser", user.value);
    }
    if let Some(non_root) = non_root {
        own.set("runAsNonRoot", non_root.value);
    }
    own.done()
}

fn namespace_labels(model: &Model, namespace: &str) -> Value {
    let known = model.part(namespace).and_then(|part| part.namespace.as_ref());
    known.map_or_else(Value::new_object, |namespace| texts(&namespace.labels))
}

/// Facts of a root: parameters, and what policies ask for by its name.
pub(super) fn data(
    model: &Model,
    params: &BTreeMap<&'static str, Params>,
    asked: impl Fn(&str) -> bool,
) -> Value {
    let mut all = Object::default();
    let mut of_checks = Object::default();
    for (slug, params) in params {
        let mut own = Object::default();
        for (name, texts) in params.all_texts() {
            own.set(name, texts.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>());
        }
        for (name, number) in params.all_numbers() {
            own.set(name, number);
        }
        of_checks.set(slug, own.done());
    }
    all.set("params", of_checks.done());
    let (mut namespaces, mut services, mut workloads) = (Object::default(), Vec::new(), Vec::new());
    for (name, part) in model.namespaces().filter(|_| asked("data.palisade.")) {
        if asked("data.palisade.namespaces")
            && let Some(namespace) = &part.namespace
        {
            let mut own = Object::default();
            own.set("labels", texts(&namespace.labels));
            namespaces.set(name, own.done());
        }
        if asked("data.palisade.services") {
            services.extend(part.services.iter().map(|service| {
                let mut own = Object::default();
                own.set("namespace", name);
                own.set("name", service.id.name.as_str());
                own.done()
            }));
        }
        if asked("data.palisade.workloads") {
            workloads.extend(part.workloads.iter().map(|workload| {
                let mut own = Object::default();
                own.set("namespace", name);
                own.set("kind", workload.id.kind.as_str());
                own.set("name", workload.id.name.as_str());
                own.set("labels", texts(&workload.labels));
                let account = workload.pod.service_account.as_ref();
                own.set("service_account", account.map_or("default", |account| &account.value));
                own.done()
            }));
        }
    }
    all.set("namespaces", namespaces.done());
    all.set("services", services);
    all.set("workloads", workloads);
    let mut data = Object::default();
    data.set("palisade", all.done());
    data.done()
}

fn texts(labels: &Labels) -> Value {
    let fields = labels.iter();
    let fields = fields.map(|label| (Value::from(&*label.key), Value::from(&*label.value)));
    Value::from(fields.collect::<BTreeMap<_, _>>())
}

/// An object while it is made.
#[derive(Default)]
struct Object(BTreeMap<Value, Value>);

impl Object {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(Value::from(key), value.into());
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Value {
        self.set(key, value);
        self.done()
    }

    fn done(self) -> Value {
        Value::from(self.0)
    }
}
