//! An object on its way through a kustomization.

use std::collections::BTreeSet;

use crate::document::{Content, Document, Draft, Node, Span, Style, Value};

use super::Refused;

/// The namespace of identities outside all namespaces.
const NO_NAMESPACE: &str = "_non_namespaceable_";

/// What two objects of one build may not share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// `default` where none is written.
    pub(super) namespace: String,
}

/// An identity from before a change; group and version are never remembered.
#[derive(Clone, Debug)]
pub(super) struct Former {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
}

/// What kustomize remembers about an object, in annotations that it takes away at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// The oldest first.
    pub(super) former: Vec<Former>,
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    /// Whether its name gets a hash of its content.
    pub(super) hash: bool,
    /// Whether a generator made it.
    pub(super) generated: bool,
}

impl Memory {
    /// Whether kustomize has an annotation for it.
    pub(super) const fn is_empty(&self) -> bool {
        self.former.is_empty()
            && self.prefixes.is_empty()
            && self.suffixes.is_empty()
            && !self.hash
            && !self.generated
    }
}

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Object<'s> {
    /// What it was read from; none where a generator made it.
    pub(super) source: Option<&'s Document>,
    /// Its tree, once something changed it.
    pub(super) draft: Option<Draft>,
    /// The entry of the outermost kustomization.
    pub(super) by: Span,
    pub(super) memory: Memory,
    /// Keys of labels and annotations that a transformer set in several places at once: kustomize
    /// holds them as one value, and what changes one of them changes all.
    pub(super) shared: BTreeSet<String>,
    /// Whether a `namespace:` set its namespace.
    pub(super) given: bool,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// As written; empty where none is.
    pub(super) namespace: String,
    /// Whether kustomize knows that it lies outside all namespaces.
    pub(super) cluster: bool,
}

impl<'s> Object<'s> {
    /// An object of a file.
    pub(super) fn of(document: &'s Document, by: Span) -> Result<Self, Refused> {
        let root = document.root();
        let mut object = Self::empty(by);
        object.source = Some(document);
        object.refresh(View::Node(root)).map_err(|message| Refused::Broken {
            at: document.head,
            message,
            help: "write `kind` and `metadata.name`",
        })?;
        check(root)?;
        for key in ["labels", "annotations"] {
            let Some(map) = root.path(&["metadata", key]).filter(|map| !map.is_null()) else {
                continue;
            };
            let text =
                |value: &Node<'_>| matches!(value.value(), Value::Str(_) | Value::Redacted(_));
            if let Some(odd) = map.children().find(|value| !text(value)) {
                let what = format!("{key} that are no strings");
                return Err(Refused::Unsupported { at: odd.span(), what });
            }
        }
        Ok(object)
    }

    /// An object that a generator makes.
    pub(super) fn made(draft: Draft, by: Span) -> Self {
        let mut object = Self::empty(by);
        // A generator's own object has a kind and a name.
        _ = object.refresh(View::Draft(&draft));
        object.draft = Some(draft);
        object
    }

    fn empty(by: Span) -> Self {
        Self {
            source: None,
            draft: None,
            by,
            memory: Memory::default(),
            shared: BTreeSet::new(),
            given: false,
            group: String::new(),
            version: String::new(),
            kind: String::new(),
            name: String::new(),
            namespace: String::new(),
            cluster: false,
        }
    }

    /// Reads the identity anew, after something may have changed it.
    pub(super) fn identify(&mut self) -> Result<(), String> {
        let Some(draft) = self.draft.take() else { return Ok(()) };
        let done = self.refresh(View::Draft(&draft));
        self.draft = Some(draft);
        done
    }

    fn refresh(&mut self, view: View<'_>) -> Result<(), String> {
        let text = |key: &str| view.get(key).and_then(View::as_str);
        let meta = |key: &str| view.path(&["metadata", key]).and_then(View::as_str);
        let Some(kind) = text("kind").filter(|kind| !kind.is_empty()) else {
            return Err("the object has no `kind`".to_owned());
        };
        let Some(name) = meta("name").filter(|name| !name.is_empty()) else {
            return Err("the object has no `metadata.name`".to_owned());
        };
        let api_version = text("apiVersion").unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.group = group.to_owned();
        self.version = version.to_owned();
        self.kind = kind.to_owned();
        self.name = name.to_owned();
        self.namespace = meta("namespace").unwrap_or_default().to_owned();
        self.cluster = is_cluster_scoped(group, version, kind);
        Ok(())
    }

    /// Its tree, to read.
    pub(super) fn view(&self) -> View<'_> {
        match (&self.draft, self.source) {
            (Some(draft), _) => View::Draft(draft),
            (None, Some(document)) => View::Node(document.root()),
            (None, None) => View::None,
        }
    }

    /// Its tree, to change.
    pub(super) fn draft(&mut self) -> &mut Draft {
        let (source, by) = (self.source, self.by);
        self.draft.get_or_insert_with(|| match source {
            Some(document) => Draft::of(document.root()),
            None => Draft::map(by),
        })
    }

    /// The namespace that counts.
    pub(super) fn effective_namespace(&self) -> &str {
        match self.namespace.as_str() {
            _ if self.cluster => NO_NAMESPACE,
            "" => "default",
            namespace => namespace,
        }
    }

    /// Its identity.
    pub(super) fn id(&self) -> Id {
        Id {
            group: self.group.clone(),
            version: self.version.clone(),
            kind: self.kind.clone(),
            name: self.name.clone(),
            namespace: self.effective_namespace().to_owned(),
        }
    }

    /// Whether it has or had an identity.
    pub(super) fn was(&self, id: &Id) -> bool {
        self.group == id.group
            && self.version == id.version
            && (self.is_now(id) || self.memory.former.iter().any(|former| former.is(id)))
    }

    fn is_now(&self, id: &Id) -> bool {
        self.kind == id.kind && self.name == id.name && self.effective_namespace() == id.namespace
    }

    /// The first identity that is remembered: kind, name, namespace.
    pub(super) fn original(&self) -> (&str, &str, &str) {
        match self.memory.former.first() {
            Some(former) => (&former.kind, &former.name, &former.namespace),
            None => (&self.kind, &self.name, self.effective_namespace()),
        }
    }

    /// Remembers the identity that is about to change.
    pub(super) fn remember(&mut self) {
        let former = Former {
            kind: self.kind.clone(),
            name: self.name.clone(),
            namespace: self.effective_namespace().to_owned(),
        };
        self.memory.former.push(former);
    }

    /// Where it is written.
    pub(super) fn place(&self) -> Span {
        self.source.map_or(self.by, |document| document.head)
    }
}

impl Former {
    fn is(&self, id: &Id) -> bool {
        self.kind == id.kind && self.name == id.name && self.namespace == id.namespace
    }
}

/// A tree, changed or not.
#[derive(Clone, Copy)]
pub(super) enum View<'a> {
    None,
    Node(Node<'a>),
    Draft(&'a Draft),
}

impl<'a> View<'a> {
    /// The value under a key.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        match self {
            Self::None => None,
            Self::Node(node) => node.get(key).map(Self::Node),
            Self::Draft(draft) => draft.get(key).map(Self::Draft),
        }
    }

    /// The value under a path of keys.
    pub(super) fn path(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |view, key| view.get(key))
    }

    /// The string.
    pub(super) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::None => None,
            Self::Node(node) => node.as_str(),
            Self::Draft(draft) => draft.as_str(),
        }
    }

    /// Whether it is a list.
    pub(super) fn is_list(self) -> bool {
        match self {
            Self::None => false,
            Self::Node(node) => node.is_list(),
            Self::Draft(draft) => matches!(draft.value, Content::List(_)),
        }
    }

    /// Calls a function with the key and value of each entry; the key is empty in a list.
    pub(super) fn each(self, of: &mut dyn FnMut(&'a str, Self)) {
        match self {
            Self::None => {}
            Self::Node(node) => {
                node.children().for_each(|child| of(child.key(), Self::Node(child)))
            }
            Self::Draft(draft) => {
                draft.items().iter().for_each(|item| of("", Self::Draft(item)));
                draft.fields().iter().for_each(|field| of(&field.key, Self::Draft(&field.value)));
            }
        }
    }

    /// The string entries of the map under a path.
    pub(super) fn texts(self, keys: &[&str]) -> Vec<(&'a str, &'a str)> {
        let mut texts = Vec::new();
        if let Some(map) = self.path(keys).filter(|map| !map.is_list()) {
            map.each(&mut |key, value| texts.extend(value.as_str().map(|text| (key, text))));
        }
        texts
    }
}

/// Refuses what kustomize reads otherwise than clients do: `yes`, `on` and the like, which it takes
/// for strings, dates, to which it adds a time, and null in a list, which it does not take.
pub(super) fn check(node: Node<'_>) -> Result<(), Refused> {
    let length = |span: Span| span.end.saturating_sub(span.start);
    let unsupported =
        |at: Span, what: &str| Err(Refused::Unsupported { at, what: what.to_owned() });
    match node.value() {
        Value::Bool(value)
            if node.style() == Style::Plain && length(node.span()) != if value { 4 } else { 5 } =>
        {
            return unsupported(node.span(), "a boolean other than `true` and `false`");
        }
        Value::Str(text) if node.style() == Style::Plain && is_date(text) => {
            return unsupported(node.span(), "a date without quotes");
        }
        Value::List => {
            if let Some(item) = node.children().find(|item| item.is_null()) {
                return Err(Refused::Broken {
                    at: item.span(),
                    message: "the list has an empty item".to_owned(),
                    help: "remove the item",
                });
            }
            node.children().try_for_each(check)?;
        }
        Value::Map => {
            for child in node.children() {
                let plain = match child.key() {
                    "true" => 4,
                    "false" => 5,
                    _ => 0,
                };
                if let Some(key) = child.key_span().filter(|key| plain > 0 && length(*key) < plain)
                {
                    return unsupported(
                        key,
                        "a key other than `true` and `false` that is a boolean",
                    );
                }
                if node.style() == Style::Flow && child.is_null() && length(child.span()) == 0 {
                    let at = child.key_span().unwrap_or(child.span());
                    return unsupported(at, "a key without a value in braces");
                }
                check(child)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether a scalar begins like a date: four digits and a hyphen.
fn is_date(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.by_ref().take(4).filter(u8::is_ascii_digit).count() == 4 && bytes.next() == Some(b'-')
}

/// Whether kustomize knows a kind for one outside all namespaces; it goes by the exact version.
///
/// Source: the schema of Kubernetes 1.21 that kustomize 5.8 carries.
fn is_cluster_scoped(group: &str, version: &str, kind: &str) -> bool {
    let listed = |list: &[&str]| list.contains(&kind);
    let both = matches!(version, "v1" | "v1beta1");
    match (group, version) {
        ("", "v1") => listed(&["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
        ("rbac.authorization.k8s.io", _) => both && listed(&["ClusterRole", "ClusterRoleBinding"]),
        ("node.k8s.io", _) => both && kind == "RuntimeClass",
        ("policy", "v1beta1") => kind == "PodSecurityPolicy",
        ("certificates.k8s.io", _) => both && kind == "CertificateSigningRequest",
        ("apiextensions.k8s.io", _) => both && kind == "CustomResourceDefinition",
        ("networking.k8s.io", _) => both && kind == "IngressClass",
        ("apiregistration.k8s.io", _) => both && kind == "APIService",
        ("admissionregistration.k8s.io", _) => {
            both && listed(&["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"])
        }
        ("scheduling.k8s.io", _) => both && kind == "PriorityClass",
        ("storage.k8s.io", _) => {
            both && listed(&["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"])
        }
        ("flowcontrol.apiserver.k8s.io", "v1beta1") => {
            listed(&["FlowSchema", "PriorityLevelConfiguration"])
        }
        _ => false,
    }
}
