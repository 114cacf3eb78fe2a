//! References that follow a rename.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::document::{Content, Draft, Span};

use super::Refused;
use super::object::{Former, Object, View};

/// A field that names an object.
#[derive(Clone, Copy, Debug)]
struct Reference {
    /// Group, version and kind of what is named; empty is any.
    target: (&'static str, &'static str, &'static str),
    /// Group and version of what names it; empty is any.
    referrer: (&'static str, &'static str),
    path: &'static [&'static str],
}

/// What is to be known of an object that may be named.
struct Facts {
    group: String,
    version: String,
    former: Vec<Former>,
    original_namespace: String,
    name: String,
    name_at: Span,
    /// As written.
    namespace: String,
    namespace_at: Span,
    effective: String,
    cluster: bool,
    account: bool,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    hash: bool,
}

/// Follows every rename of a build.
pub(super) fn follow(objects: &mut [Object<'_>]) -> Result<(), Refused> {
    if objects.iter().all(|object| object.memory.former.is_empty()) {
        return Ok(());
    }
    let facts: Vec<Facts> = objects.iter().map(facts).collect();
    let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, fact) in facts.iter().enumerate() {
        for former in &fact.former {
            let known = names.entry(former.name.as_str()).or_default();
            if known.last() != Some(&at) {
                known.push(at);
            }
        }
    }
    let none = Vec::new();
    for (at, object) in objects.iter_mut().enumerate() {
        let Some(own) = facts.get(at) else { continue };
        let (kind, _, _) = object.original();
        for reference in table().get(kind).unwrap_or(&none) {
            let (group, version) = reference.referrer;
            let other = |wanted: &str, has: &str| !wanted.is_empty() && wanted != has;
            if other(group, &object.group) || other(version, &object.version) {
                continue;
            }
            if !names_any(object.view(), reference.path, &names) {
                continue;
            }
            let search = Search {
                facts: &facts,
                names: &names,
                own,
                reference,
                accounts: accounts(object),
                role: role(object, reference),
            };
            search.walk(object.draft(), reference.path)?;
        }
        if let Some(rules) = object.draft.as_mut().and_then(|draft| draft.get_mut("rules")) {
            release(rules);
        }
    }
    Ok(())
}

/// The names in rules, which may be those of several kinds.
const RESOURCES: [&str; 2] = ["rules", "resourceNames"];

/// Ends a name that was found and gets a hash: no later search may take it for another object's.
const TAKEN: char = '\0';

fn release(draft: &mut Draft) {
    if let Content::Str(text) = &mut draft.value {
        text.truncate(text.trim_end_matches(TAKEN).len());
    }
    draft.items_mut().iter_mut().for_each(release);
    draft.fields_mut().iter_mut().for_each(|field| release(&mut field.value));
}

fn facts(object: &Object<'_>) -> Facts {
    let place = |key: &str| match object.view().path(&["metadata", key]) {
        Some(View::Node(node)) => node.span(),
        Some(View::Draft(draft)) => draft.span,
        _ => object.by,
    };
    Facts {
        group: object.group.clone(),
        version: object.version.clone(),
        former: object.memory.former.clone(),
        original_namespace: object.original().2.to_owned(),
        name: object.name.clone(),
        name_at: place("name"),
        namespace: object.namespace.clone(),
        namespace_at: place("namespace"),
        effective: object.effective_namespace().to_owned(),
        cluster: object.cluster,
        account: object.kind == "ServiceAccount",
        prefixes: object.memory.prefixes.clone(),
        suffixes: object.memory.suffixes.clone(),
        hash: object.memory.hash,
    }
}

/// Whether a renamed object's name stands where a path leads.
fn names_any(view: View<'_>, path: &[&str], names: &HashMap<&str, Vec<usize>>) -> bool {
    let mut any = false;
    if view.is_list() {
        view.each(&mut |_, item| any |= names_any(item, path, names));
        return any;
    }
    match path.split_first() {
        Some((key, rest)) => view.get(key).is_some_and(|next| names_any(next, rest, names)),
        None => {
            let name = view.as_str().or_else(|| view.get("name").and_then(View::as_str));
            name.is_some_and(|name| names.contains_key(name))
        }
    }
}

/// The namespaces whose ServiceAccounts a RoleBinding names.
fn accounts(object: &Object<'_>) -> HashSet<String> {
    let mut namespaces = HashSet::new();
    if object.kind == "RoleBinding"
        && let Some(subjects) = object.view().get("subjects")
    {
        subjects.each(&mut |_, subject| {
            let text = |key: &str| subject.get(key).and_then(View::as_str);
            if text("kind") == Some("ServiceAccount") {
                namespaces.extend(text("namespace").map(str::to_owned));
            }
        });
    }
    namespaces
}

/// Group and kind of the role that a binding names.
fn role(object: &Object<'_>, reference: &Reference) -> Option<(String, String)> {
    let role = object.view().get("roleRef").filter(|_| reference.path == ["roleRef", "name"])?;
    let text = |key: &str| role.get(key).and_then(View::as_str).map(str::to_owned);
    Some((text("apiGroup")?, text("kind")?))
}

struct Search<'f> {
    facts: &'f [Facts],
    names: &'f HashMap<&'f str, Vec<usize>>,
    own: &'f Facts,
    reference: &'f Reference,
    accounts: HashSet<String>,
    role: Option<(String, String)>,
}

impl<'f> Search<'f> {
    fn walk(&self, draft: &mut Draft, path: &[&str]) -> Result<(), Refused> {
        match (&mut draft.value, path.split_first()) {
            (Content::List(items), _) => {
                items.iter_mut().try_for_each(|item| self.walk(item, path))
            }
            (Content::Map(_), Some((key, rest))) => {
                draft.get_mut(key).map_or(Ok(()), |next| self.walk(next, rest))
            }
            (Content::Map(_), None) => self.map(draft),
            (Content::Str(name), None) => {
                let Some(found) = self.find(name, None, draft.span)? else { return Ok(()) };
                if found.hash && self.reference.path == RESOURCES {
                    // With its hash, no other object was ever called that.
                    *name = format!("{}{TAKEN}", found.name);
                } else if *name != found.name {
                    let replaces = Some(draft.span).filter(|span| *span != found.name_at);
                    *draft = Draft { replaces, ..Draft::text(found.name.clone(), found.name_at) };
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A reference by name and namespace.
    fn map(&self, draft: &mut Draft) -> Result<(), Refused> {
        let Some(name) = draft.get("name").and_then(Draft::as_str) else {
            let message = "a reference has no `name`".to_owned();
            return Err(Refused::Broken { at: draft.span, message, help: "write the name" });
        };
        let namespace = draft.get("namespace").map(|n| n.as_str().unwrap_or_default());
        let Some(found) = self.find(name, Some(namespace), draft.span)? else { return Ok(()) };
        if found.name != name {
            draft.set("name", None, Draft::text(found.name.clone(), found.name_at));
        }
        let written = draft.get("namespace").and_then(Draft::as_str);
        if !found.namespace.is_empty() && written != Some(&found.namespace) {
            draft.set("namespace", None, Draft::text(found.namespace.clone(), found.namespace_at));
        }
        Ok(())
    }

    /// The object that a name means. `namespace` is there for references that may have one.
    fn find(
        &self,
        name: &str,
        namespace: Option<Option<&str>>,
        at: Span,
    ) -> Result<Option<&'f Facts>, Refused> {
        let called = self.names.get(name).map_or(&[][..], Vec::as_slice);
        let called = called.iter().filter_map(|at| self.facts.get(*at));
        let mut found: Vec<&Facts> = called.filter(|fact| self.reaches(fact)).collect();
        if let Some(Some(namespace)) = namespace {
            let original = |fact: &Facts| fact.original_namespace == namespace;
            // An object that kept its namespace is in its original one.
            let any = self.facts.iter().any(|fact| self.reaches(fact) && original(fact));
            found.retain(|fact| if any { original(fact) } else { fact.effective == namespace });
        }
        found.retain(|fact| self.fits(fact));
        if found.len() <= 1 {
            return Ok(found.first().copied());
        }
        found.retain(|fact| self.same_affixes(fact, true));
        if found.len() > 1 {
            found.retain(|fact| self.same_affixes(fact, false));
        }
        let Some((first, rest)) = found.split_first() else { return Ok(None) };
        if rest.is_empty() {
            return Ok(Some(first));
        }
        if found.iter().any(|fact| fact.hash) {
            let what = "a reference that several generated objects could take".to_owned();
            return Err(Refused::Unsupported { at, what });
        }
        let same = |fact: &&&Facts| {
            fact.name == first.name && (namespace.is_none() || fact.namespace == first.namespace)
        };
        if rest.iter().filter(same).count() == rest.len() {
            return Ok(Some(first));
        }
        Err(Refused::Broken {
            at,
            message: format!("several objects were called `{name}`, so the reference is ambiguous"),
            help: "give them different names",
        })
    }

    /// Whether an object lies where the referrer looks.
    fn reaches(&self, fact: &Facts) -> bool {
        self.own.cluster
            || fact.cluster
            || fact.effective == self.own.effective
            || self.accounts.contains(&fact.namespace)
    }

    fn fits(&self, fact: &Facts) -> bool {
        let (group, version, kind) = self.reference.target;
        let was = |kind: &str| fact.former.iter().any(|former| former.kind == kind);
        if (!group.is_empty() && group != fact.group)
            || (!version.is_empty() && version != fact.version)
            || !was(kind)
        {
            return false;
        }
        if let Some((group, kind)) = &self.role
            && ((!group.is_empty() && *group != fact.group) || (!kind.is_empty() && !was(kind)))
        {
            return false;
        }
        self.own.cluster || fact.cluster || fact.account || fact.effective == self.own.effective
    }

    fn same_affixes(&self, fact: &Facts, loose: bool) -> bool {
        let same = |a: &[String], b: &[String]| {
            if loose && (a.is_empty() || b.is_empty()) {
                return true;
            }
            let (short, long) = if a.len() > b.len() { (b, a) } else { (a, b) };
            if short.is_empty() { long.is_empty() } else { long.ends_with(short) }
        };
        same(&self.own.prefixes, &fact.prefixes) && same(&self.own.suffixes, &fact.suffixes)
    }
}

type Target = (&'static str, &'static str, &'static str);

/// Where the spec of pods lies, by kind.
const PODS: [(&str, &str); 9] = [
    ("Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
];

const CONFIG_MAP: Target = ("", "v1", "ConfigMap");
const SECRET: Target = ("", "v1", "Secret");
const SERVICE: Target = ("", "v1", "Service");
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Fields inside the spec of pods.
const IN_PODS: [(Target, &[&str]); 5] = [
    (("", "v1", "ServiceAccount"), &["serviceAccountName"]),
    (
        CONFIG_MAP,
        &[
            "volumes/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name",
            "volumes/projected/sources/configMap/name",
        ],
    ),
    (
        SECRET,
        &[
            "volumes/secret/secretName",
            "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
            "volumes/projected/sources/secret/name",
        ],
    ),
    (("scheduling.k8s.io", "v1", "PriorityClass"), &["priorityClassName"]),
    (("", "v1", "PersistentVolumeClaim"), &["volumes/persistentVolumeClaim/claimName"]),
];

/// Other fields: what is named, group and kind of what names it, the path.
const OTHERS: [(Target, &str, &str, &str); 39] = [
    (("storage.k8s.io", "v1", "StorageClass"), "", "PersistentVolume", "spec/storageClassName"),
    (
        ("storage.k8s.io", "v1", "StorageClass"),
        "",
        "PersistentVolumeClaim",
        "spec/storageClassName",
    ),
    (
        ("storage.k8s.io", "v1", "StorageClass"),
        "",
        "StatefulSet",
        "spec/volumeClaimTemplates/spec/storageClassName",
    ),
    (("", "v1", "ServiceAccount"), RBAC, "RoleBinding", "subjects"),
    (("", "v1", "ServiceAccount"), RBAC, "ClusterRoleBinding", "subjects"),
    ((RBAC, "", "Role"), RBAC, "RoleBinding", "roleRef/name"),
    ((RBAC, "", "ClusterRole"), RBAC, "RoleBinding", "roleRef/name"),
    ((RBAC, "", "ClusterRole"), RBAC, "ClusterRoleBinding", "roleRef/name"),
    (CONFIG_MAP, "", "Node", "spec/configSource/configMap"),
    (CONFIG_MAP, "", "Role", "rules/resourceNames"),
    (CONFIG_MAP, "", "ClusterRole", "rules/resourceNames"),
    (
        CONFIG_MAP,
        "",
        "Ingress",
        "metadata/annotations/nginx.ingress.kubernetes.io|fastcgi-params-configmap",
    ),
    (SECRET, "", "Ingress", "spec/tls/secretName"),
    (SECRET, "", "Ingress", "metadata/annotations/ingress.kubernetes.io|auth-secret"),
    (SECRET, "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io|auth-secret"),
    (SECRET, "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io|auth-tls-secret"),
    (SECRET, "", "ServiceAccount", "imagePullSecrets/name"),
    (SECRET, "", "StorageClass", "parameters/secretName"),
    (SECRET, "", "StorageClass", "parameters/adminSecretName"),
    (SECRET, "", "StorageClass", "parameters/userSecretName"),
    (SECRET, "", "StorageClass", "parameters/secretRef"),
    (SECRET, "", "Role", "rules/resourceNames"),
    (SECRET, "", "ClusterRole", "rules/resourceNames"),
    (
        SECRET,
        "serving.knative.dev",
        "Service",
        "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
    ),
    (SECRET, "", "PersistentVolume", "spec/azureFile/secretName"),
    (SERVICE, "apps", "StatefulSet", "spec/serviceName"),
    (SERVICE, "", "Ingress", "spec/rules/http/paths/backend/serviceName"),
    (SERVICE, "", "Ingress", "spec/backend/serviceName"),
    (SERVICE, "", "Ingress", "spec/rules/http/paths/backend/service/name"),
    (SERVICE, "", "Ingress", "spec/defaultBackend/service/name"),
    (SERVICE, "apiregistration.k8s.io", "APIService", "spec/service/name"),
    (SERVICE, ADMISSION, "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
    (SERVICE, ADMISSION, "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
    (("", "v1", "PersistentVolume"), "", "PersistentVolumeClaim", "spec/volumeName"),
    (("", "v1", "PersistentVolume"), "", "ClusterRole", "rules/resourceNames"),
    (("", "", "Deployment"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "StatefulSet"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "ReplicaSet"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "ReplicationController"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
];

/// The fields that name objects, by the kind they lie in.
fn table() -> &'static HashMap<&'static str, Vec<Reference>> {
    static TABLE: OnceLock<HashMap<&'static str, Vec<Reference>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: HashMap<&'static str, Vec<Reference>> = HashMap::new();
        for (target, group, kind, path) in OTHERS {
            let path: Vec<&'static str> = path.split('/').map(unescaped).collect();
            let version = if group == "serving.knative.dev" { "v1" } else { "" };
            let reference = Reference { target, referrer: (group, version), path: path.leak() };
            table.entry(kind).or_default().push(reference);
        }
        for (target, paths) in IN_PODS {
            for (kind, spec) in PODS.iter().filter(|(kind, _)| carries(target.2, kind)) {
                let version = if *kind == "Pod" && matches!(target.2, "ConfigMap" | "Secret") {
                    "v1"
                } else {
                    ""
                };
                for path in paths {
                    let path: Vec<&'static str> = spec.split('/').chain(path.split('/')).collect();
                    let reference =
                        Reference { target, referrer: ("", version), path: path.leak() };
                    table.entry(kind).or_default().push(reference);
                }
            }
        }
        table
    })
}

/// Whether references to a kind are followed in the pods of another one: the table of kustomize
/// has holes.
fn carries(target: &str, kind: &str) -> bool {
    match kind {
        "ReplicationController" => !matches!(target, "ConfigMap" | "Secret"),
        "PodTemplate" | "ReplicaSet" => matches!(target, "ConfigMap" | "Secret"),
        _ => true,
    }
}

/// The slash of an annotation's key is written as a bar.
fn unescaped(part: &'static str) -> &'static str {
    if part.contains('|') { part.replace('|', "/").leak() } else { part }
}
