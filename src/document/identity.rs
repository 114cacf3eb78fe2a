//! Whether a tree is a Kubernetes object, and which one.

use super::files::Span;
use super::kind::{Kind, Scope, known};
use super::tree::{Node, Style, Value};
use super::{NamespaceSource, ObjectId, State};

/// What a node is.
pub(super) enum Identity {
    Object(Box<Identified>),
    /// A list: each item is an object of its own. Items without version and kind take this kind.
    List {
        item_kind: Option<String>,
    },
    NotKubernetes,
    /// Meant as an object, but one that no server would take, or not rendered yet.
    Refused {
        at: Span,
        state: State,
        message: String,
        help: Option<&'static str>,
    },
}

pub(super) struct Identified {
    pub(super) id: ObjectId,
    pub(super) version: String,
    pub(super) head: Span,
    pub(super) namespace: NamespaceSource,
}

/// Groups whose objects configure programs and never reach an API server.
const CONFIG_GROUPS: [&str; 21] = [
    "admission.k8s.io",
    "apiserver.config.k8s.io",
    "apiserver.k8s.io",
    "audit.k8s.io",
    "chainsaw.kyverno.io",
    "cli.kyverno.io",
    "client.authentication.k8s.io",
    "eksctl.io",
    "installer.openshift.io",
    "k3d.io",
    "kind.x-k8s.io",
    "kubeadm.k8s.io",
    "kubelet.config.k8s.io",
    "kubeproxy.config.k8s.io",
    "kubescheduler.config.k8s.io",
    "kustomize.config.k8s.io",
    "kuttl.dev",
    "release-notes",
    "skaffold",
    "test.gatekeeper.sh",
    "testing.k8s.io",
];

/// Identifies the object at `node`. `item_kind` is what items of a typed list are.
pub(super) fn identify(
    node: Node<'_>,
    item_kind: Option<(&str, &str)>,
    default_namespace: Option<&str>,
) -> Identity {
    if !node.is_map() || node.get("$patch").is_some() {
        return Identity::NotKubernetes;
    }
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    let has_neither = node.get("apiVersion").is_none() && node.get("kind").is_none();
    let (api_version, kind) = match (text("apiVersion"), text("kind"), item_kind) {
        (Some(api_version), Some(kind), _) => (api_version, kind),
        (_, _, Some((api_version, kind))) if has_neither => (api_version, kind),
        (None, None, _) => return Identity::NotKubernetes,
        (present, ..) => return half_named(node, present.is_some()),
    };
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let is_config = CONFIG_GROUPS.contains(&group)
        || (group.is_empty() && matches!(kind, "Config" | "AdmissionConfiguration"));
    if is_config || kind.is_empty() || api_version.is_empty() {
        return Identity::NotKubernetes;
    }
    // Clients take everything with `items` for a list, whatever its kind says.
    if node.get("items").is_some_and(|items| items.is_list() || items.is_null()) {
        let item_kind = kind.strip_suffix("List").unwrap_or(kind);
        let item_kind = Some(item_kind).filter(|k| !k.is_empty()).map(str::to_owned);
        return Identity::List { item_kind };
    }
    name_and_namespace(node, (group, version, kind), default_namespace)
}

/// Exactly one of `apiVersion` and `kind`: a mistake only where the rest looks like an object.
fn half_named(node: Node<'_>, has_version: bool) -> Identity {
    if !node.get("metadata").is_some_and(Node::is_map) {
        return Identity::NotKubernetes;
    }
    let missing = if has_version { "kind" } else { "apiVersion" };
    let given = if has_version { "apiVersion" } else { "kind" };
    let at = node.get(given).map_or(node.span(), Node::span);
    let message = match node.get(missing) {
        Some(wrong) => format!("`{missing}` must be a string, not {}", type_of(wrong)),
        None => format!("the object has `{given}` and `metadata` but no `{missing}`"),
    };
    let at = node.get(missing).map_or(at, Node::span);
    refused(at, message, Some("write both `apiVersion` and `kind`"))
}

fn refused(at: Span, message: String, help: Option<&'static str>) -> Identity {
    Identity::Refused { at, state: State::Unparsable, message, help }
}

fn name_and_namespace(
    node: Node<'_>,
    (group, version, kind): (&str, &str, &str),
    default_namespace: Option<&str>,
) -> Identity {
    let served = known(group, kind);
    let known = served.is_some() || Kind::of(group, kind).is_some();
    let kind_span = node.get("kind").map_or(node.span(), Node::span);
    let metadata = node.get("metadata").filter(|m| !m.is_null());
    if let Some(metadata) = metadata.filter(|m| !m.is_map()) {
        let message = format!("`metadata` must be a map, not {}", type_of(metadata));
        return refused(metadata.span(), message, None);
    }
    let field = |name: &str| metadata.and_then(|m| m.get(name)).filter(|n| !n.is_null());
    let named = field("name").or_else(|| field("generateName"));
    let (name, head) = match named.map(|n| (n, text_of(n, "metadata.name"))) {
        Some((node, Ok(name))) if !name.is_empty() => (name, node.span()),
        Some((_, Err(refused))) => return *refused,
        _ if known => {
            let message = format!("the {kind} has no `metadata.name`");
            return refused(kind_span, message, Some("give it a name: the API server refuses it"));
        }
        _ => return Identity::NotKubernetes,
    };
    let written = match field("namespace").map(|n| text_of(n, "metadata.namespace")) {
        Some(Ok(namespace)) if !namespace.is_empty() => Some(namespace),
        Some(Err(refused)) => return *refused,
        _ => None,
    };
    let (namespace, source) = match (served, written, default_namespace) {
        (Some(Scope::Cluster), ..) => (String::new(), NamespaceSource::ClusterScoped),
        (_, Some(namespace), _) => (namespace, NamespaceSource::Written),
        (_, None, Some(namespace)) => (namespace.to_owned(), NamespaceSource::Given),
        (_, None, None) => ("default".to_owned(), NamespaceSource::Assumed),
    };
    let id = ObjectId { group: group.to_owned(), kind: kind.to_owned(), namespace, name };
    let version = version.to_owned();
    Identity::Object(Box::new(Identified { id, version, head, namespace: source }))
}

/// The string of a name; the API server takes nothing else.
fn text_of(node: Node<'_>, field: &str) -> Result<String, Box<Identity>> {
    match node.value() {
        Value::Str(text) if text.contains("{{") => Err(Box::new(Identity::Refused {
            at: node.span(),
            state: State::NotRendered,
            message: format!("`{field}` holds a template expression"),
            help: Some("render the template first: `helm template . | palisade check -`"),
        })),
        Value::Str(text) => Ok(text.to_owned()),
        _ => {
            let quote = node.style() == Style::Plain && !node.is_map() && !node.is_list();
            let help = if quote { "quote it" } else { "write one name" };
            let message = format!("`{field}` must be a string, not {}", type_of(node));
            Err(Box::new(refused(node.span(), message, Some(help))))
        }
    }
}

/// The type of a value, for messages.
fn type_of(node: Node<'_>) -> &'static str {
    match node.value() {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::Str(_) | Value::Redacted(_) => "a string",
        Value::List => "a list",
        Value::Map => "a map",
    }
}
