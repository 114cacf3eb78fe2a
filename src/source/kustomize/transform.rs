//! The transformers: namespace, prefix and suffix, labels, annotations, replicas, images.

use std::collections::HashSet;

use regex::Regex;

use crate::document::{Content, Draft, Span};

use super::Refused;
use super::fields::{
    ANNOTATIONS, CLAIM_LABELS, IMAGES, LABELS, Leaf, NAMESPACES, REPLICAS, SELECTORS, Spec,
    TEMPLATE_LABELS, misplaced, set_entry, set_scalar,
};
use super::file::{File, Image, Labels, Pair, Replica, Text};
use super::object::{Object, View};

type Done = Result<(), Refused>;

/// `namespace:`.
pub(super) fn namespace(objects: &mut [Object<'_>], file: &File<'_>) -> Done {
    let Some(namespace) = file.namespace else { return Ok(()) };
    for object in objects.iter_mut() {
        object.remember();
        move_to(object, namespace)?;
    }
    let mut seen = HashSet::new();
    for object in objects.iter() {
        if !seen.insert(object.id()) {
            return Err(Refused::Broken {
                at: namespace.at,
                message: format!(
                    "the namespace `{}` makes two objects {} `{}`",
                    namespace.text, object.kind, object.name
                ),
                help: "rename one of them, or leave the namespace to each",
            });
        }
    }
    Ok(())
}

fn move_to(object: &mut Object<'_>, namespace: Text<'_>) -> Done {
    let at = namespace.at;
    let value = || Draft::text(namespace.text, at);
    if !object.cluster && object.namespace == namespace.text {
        object.given = true;
    } else if !object.cluster {
        let spec =
            Spec { group: "", version: "", kind: "", path: "metadata/namespace", create: true };
        spec.apply(object.draft(), Leaf::Scalar, at, &mut |draft| {
            set_scalar(draft, value(), "metadata/namespace")
        })?;
        object.namespace = namespace.text.to_owned();
        object.given = true;
    }
    if matches!(object.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
        default_subjects(object, namespace)?;
    }
    for spec in &NAMESPACES {
        if !spec.is_of(object) || (spec.kind == "Namespace" && !object.group.is_empty()) {
            continue;
        }
        spec.apply(object.draft(), Leaf::Scalar, at, &mut |draft| {
            set_scalar(draft, value(), spec.path)
        })?;
        if spec.kind == "Namespace" {
            object.name = namespace.text.to_owned();
        }
    }
    Ok(())
}

/// Subjects called `default` move to the namespace; kustomize does not ask for their kind.
fn default_subjects(object: &mut Object<'_>, namespace: Text<'_>) -> Done {
    let is_default = |view: View<'_>| view.get("name").and_then(View::as_str) == Some("default");
    let mut any = false;
    if let Some(subjects) = object.view().get("subjects") {
        subjects.each(&mut |_, subject| any |= is_default(subject));
    }
    if !any {
        return Ok(());
    }
    let Some(subjects) = object.draft().get_mut("subjects") else { return Ok(()) };
    for subject in subjects.items_mut() {
        if is_default(View::Draft(subject)) {
            subject.set("namespace", None, Draft::text(namespace.text, namespace.at));
        }
    }
    Ok(())
}

/// `namePrefix`, then `nameSuffix`.
pub(super) fn names(objects: &mut [Object<'_>], file: &File<'_>) {
    for object in objects.iter_mut() {
        let (kind, _, _) = object.original();
        let kept = match kind {
            "CustomResourceDefinition" | "Namespace" => true,
            "APIService" => object.group == "apiregistration.k8s.io",
            _ => false,
        };
        if kept {
            continue;
        }
        if let Some(prefix) = file.prefix {
            object.memory.prefixes.push(prefix.text.to_owned());
            rename(object, format!("{}{}", prefix.text, object.name), prefix.at);
        }
        if let Some(suffix) = file.suffix {
            object.memory.suffixes.push(suffix.text.to_owned());
            rename(object, format!("{}{}", object.name, suffix.text), suffix.at);
        }
    }
}

fn rename(object: &mut Object<'_>, name: String, at: Span) {
    object.remember();
    if let Some(metadata) = object.draft().get_mut("metadata") {
        metadata.set("name", None, Draft::text(name.clone(), at));
    }
    object.name = name;
}

/// `labels`, then `commonLabels`.
pub(super) fn labels(objects: &mut [Object<'_>], file: &File<'_>) -> Done {
    for labels in &file.labels {
        let specs = reached(labels);
        entries(objects, &labels.pairs, &specs)?;
    }
    let common = Labels { pairs: Vec::new(), selectors: true, templates: true, claims: true };
    entries(objects, &file.common_labels, &reached(&common))
}

fn reached(labels: &Labels<'_>) -> Vec<&'static Spec> {
    let mut specs: Vec<&'static Spec> = LABELS.iter().collect();
    if labels.selectors {
        specs.extend(&SELECTORS);
    }
    if labels.selectors || labels.templates {
        specs.extend(&TEMPLATE_LABELS);
    }
    if labels.selectors || labels.claims {
        specs.extend(&CLAIM_LABELS);
    }
    specs
}

/// `commonAnnotations`.
pub(super) fn annotations(objects: &mut [Object<'_>], file: &File<'_>) -> Done {
    let specs: Vec<&'static Spec> = ANNOTATIONS.iter().collect();
    entries(objects, &file.annotations, &specs)
}

fn entries(objects: &mut [Object<'_>], pairs: &[Pair<'_>], specs: &[&'static Spec]) -> Done {
    if pairs.is_empty() {
        return Ok(());
    }
    for object in objects.iter_mut() {
        let specs: Vec<&Spec> = specs.iter().filter(|spec| spec.is_of(object)).copied().collect();
        if specs.len() > 1 {
            object.shared.extend(pairs.iter().map(|pair| pair.key.to_owned()));
        }
        let draft = object.draft();
        for pair in pairs {
            for spec in &specs {
                let (key, value) = ((pair.key, pair.key_at), pair.value);
                spec.apply(draft, Leaf::Map, value.at, &mut |map| {
                    set_entry(map, key, value.text, value.at, spec.path)
                })?;
            }
        }
    }
    Ok(())
}

/// `replicas`.
pub(super) fn replicas(objects: &mut [Object<'_>], file: &File<'_>) -> Done {
    file.replicas.iter().try_for_each(|replica| scale(objects, replica))
}

fn scale(objects: &mut [Object<'_>], replica: &Replica<'_>) -> Done {
    let mut found = false;
    for spec in &REPLICAS {
        for object in objects.iter_mut() {
            let now = object.kind == spec.kind && object.name == replica.name;
            let mut former = object.memory.former.iter();
            if !now && !former.any(|f| f.kind == spec.kind && f.name == replica.name) {
                continue;
            }
            found = true;
            if !spec.is_of(object) {
                continue;
            }
            let count =
                Draft { value: Content::Int(replica.count), ..Draft::map(replica.count_at) };
            spec.apply(object.draft(), Leaf::Scalar, replica.count_at, &mut |draft| {
                set_scalar(draft, count.clone(), spec.path)
            })?;
        }
    }
    if found {
        return Ok(());
    }
    Err(Refused::Broken {
        at: replica.at,
        message: format!("no workload with replicas is called `{}`", replica.name),
        help: "name a Deployment, StatefulSet, ReplicaSet or ReplicationController",
    })
}

/// `images`.
pub(super) fn images(objects: &mut [Object<'_>], file: &File<'_>) -> Done {
    for image in &file.images {
        let rule = Rule::of(image)?;
        for object in objects.iter_mut().filter(|o| o.kind != "CustomResourceDefinition") {
            if rule.concerns(object.view()) {
                rule.containers(object.draft())?;
                for spec in &IMAGES {
                    let draft = object.draft();
                    spec.apply(draft, Leaf::Scalar, image.at, &mut |draft| rule.set(draft))?;
                }
            }
        }
    }
    Ok(())
}

struct Rule<'i, 's> {
    image: &'i Image<'s>,
    name: Option<Regex>,
}

impl<'i, 's> Rule<'i, 's> {
    fn of(image: &'i Image<'s>) -> Result<Self, Refused> {
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "./:@_-".contains(c));
        if image.name.contains(odd) {
            let what = "an image whose name is a pattern".to_owned();
            return Err(Refused::Unsupported { at: image.at, what });
        }
        let name = image.name;
        let pattern = format!(
            "^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{{}}-]*)?$"
        );
        Ok(Self { image, name: Regex::new(&pattern).ok() })
    }

    fn matches(&self, text: &str) -> bool {
        // The names mostly differ at once; the pattern's dots stand for any character.
        self.name.as_ref().is_some_and(|name| name.is_match(text))
    }

    /// Whether an image of this name, or a withheld one, stands anywhere in a tree.
    fn concerns(&self, view: View<'_>) -> bool {
        let mut found = false;
        view.each(&mut |key, value| {
            let image = matches!(key, "image" | "reference");
            found |= match value.as_str() {
                Some(text) => image && self.matches(text),
                None => self.concerns(value),
            };
        });
        found
    }

    fn containers(&self, draft: &mut Draft) -> Done {
        for item in draft.items_mut() {
            self.containers(item)?;
        }
        for field in draft.fields_mut() {
            self.containers(&mut field.value)?;
            if !matches!(field.key.as_str(), "containers" | "initContainers") {
                continue;
            }
            for item in field.value.items_mut() {
                match &item.value {
                    Content::Map(_) => {}
                    Content::Null => continue,
                    _ => return Err(misplaced(item, "containers/image")),
                }
                if let Some(image) = item.get_mut("image") {
                    self.set(image)?;
                }
            }
        }
        Ok(())
    }

    fn set(&self, draft: &mut Draft) -> Done {
        let text = match &draft.value {
            Content::Str(text) if self.matches(text) => text,
            Content::Map(_) | Content::List(_) => return Err(misplaced(draft, "image")),
            _ => return Ok(()),
        };
        let (new, at) = self.renamed(text);
        // Kustomize comes here twice for most images.
        let replaces = if draft.span == at { draft.replaces } else { Some(draft.span) };
        *draft = Draft { replaces, ..Draft::text(new, at) };
        Ok(())
    }

    fn renamed(&self, text: &str) -> (String, Span) {
        let Image { new_name, tag, suffix, digest, .. } = self.image;
        let (name, old_tag, old_digest) = split(text);
        let name = new_name.map_or(name, |new| new.text);
        let (tag_text, digest_text) = match (tag, digest, suffix) {
            (Some(tag), Some(digest), _) => (tag.text.to_owned(), digest.text),
            (Some(tag), None, _) => (tag.text.to_owned(), ""),
            (None, Some(digest), _) => (String::new(), digest.text),
            (None, None, Some(suffix)) => (format!("{old_tag}{}", suffix.text), ""),
            (None, None, None) => (old_tag.to_owned(), old_digest),
        };
        let mut whole = name.to_owned();
        if !tag_text.is_empty() {
            whole = format!("{whole}:{tag_text}");
        }
        if !digest_text.is_empty() {
            whole = format!("{whole}@{digest_text}");
        }
        let by = tag.or(*digest).or(*suffix).or(*new_name);
        (whole, by.map_or(self.image.at, |by| by.at))
    }
}

/// Name, tag and digest of an image.
fn split(image: &str) -> (&str, &str, &str) {
    let host = image.find('/').unwrap_or(0);
    let rest = image.get(host..).unwrap_or_default();
    let cut = |at: usize| image.split_at(host + at);
    match (rest.find(':'), rest.find('@')) {
        (None, None) => (image, "", ""),
        (colon, Some(at)) if colon.is_none_or(|colon| at < colon) => {
            let (name, digest) = cut(at);
            (name, "", digest.trim_start_matches('@'))
        }
        (Some(colon), at) => {
            let (name, rest) = cut(colon);
            let (tag, digest) = match at {
                Some(_) => rest.split_once('@').unwrap_or((rest, "")),
                None => (rest, ""),
            };
            (name, tag.strip_prefix(':').unwrap_or(tag), digest)
        }
        (None, Some(_)) => (image, "", ""),
    }
}
