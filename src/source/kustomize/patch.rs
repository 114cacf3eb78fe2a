//! Patches: what they are for, and their two kinds.

use std::collections::BTreeSet;

use regex::Regex;

use crate::document::{Draft, Node, Span, Style, read_settings};
use crate::source::store::{Held, Kustomization};

use super::build::{Builder, missing, unbroken};
use super::file::{File, Patch, Target, Text};
use super::object::{Id, Object, View, check};
use super::{Refused, json, merge};

type Done = Result<(), Refused>;

/// What a patch holds.
enum Content {
    Merge(Vec<Draft>),
    Json(Draft),
}

/// `patchesStrategicMerge`.
pub(super) fn merges(
    builder: &mut Builder<'_>,
    directory: &str,
    held: &Held,
    file: &File<'_>,
    objects: &mut Vec<Object<'_>>,
) -> Done {
    // Kustomize reads all of them before it applies the first.
    let mut all = Vec::new();
    for entry in &file.merges {
        let inline = entry.text.contains('\n') || entry.text.contains(": ");
        let drafts = match inline {
            true => inline_drafts(builder, directory, held, *entry)?,
            false => file_drafts(builder, directory, *entry)?,
        };
        match content(drafts, entry.at)? {
            Content::Merge(patches) => all.extend(patches),
            Content::Json(_) => return Err(no_patch(entry.at)),
        }
    }
    for patch in all {
        copied(&patch)?;
        let target = only(objects, &patch)?;
        merge_into(objects, &[target], &patch)?;
    }
    Ok(())
}

/// `patches`.
pub(super) fn patches(
    builder: &mut Builder<'_>,
    directory: &str,
    held: &Held,
    file: &File<'_>,
    objects: &mut Vec<Object<'_>>,
) -> Done {
    let mut all = Vec::new();
    for patch in &file.patches {
        all.push((patch, load(builder, directory, held, patch)?));
    }
    for (patch, content) in all {
        match (content, &patch.target) {
            (Content::Merge(patches), None) => {
                for one in patches {
                    let target = only(objects, &one)?;
                    merge_into(objects, &[target], &one)?;
                }
            }
            (Content::Merge(patches), Some(target)) => match patches.as_slice() {
                [] => {}
                [one] => {
                    copied(one)?;
                    let selected = select(objects, target, patch.at)?;
                    merge_into(objects, &selected, one)?;
                }
                _ => {
                    let message = "a patch with a `target` holds several documents".to_owned();
                    let help = "write one entry for each";
                    return Err(Refused::Broken { at: patch.at, message, help });
                }
            },
            (Content::Json(operations), Some(target)) => {
                for at in select(objects, target, patch.at)? {
                    if let Some(object) = objects.get_mut(at) {
                        object.remember();
                        json::apply(object, &operations)?;
                    }
                }
            }
            (Content::Json(_), None) => return Err(no_target(patch.at)),
        }
    }
    Ok(())
}

/// `patchesJson6902`.
pub(super) fn json(
    builder: &mut Builder<'_>,
    directory: &str,
    held: &Held,
    file: &File<'_>,
    objects: &mut [Object<'_>],
) -> Done {
    let mut all = Vec::new();
    for patch in &file.json_patches {
        let Some(target) = patch.target.as_ref().filter(|target| !target.name.is_empty()) else {
            return Err(no_target(patch.at));
        };
        match load(builder, directory, held, patch)? {
            Content::Json(operations) => all.push((patch, target, operations)),
            Content::Merge(_) => return Err(no_patch(patch.at)),
        }
    }
    for (patch, target, operations) in all {
        for at in select(objects, target, patch.at)? {
            if let Some(object) = objects.get_mut(at) {
                json::apply(object, &operations)?;
            }
        }
    }
    Ok(())
}

fn no_target(at: Span) -> Refused {
    let message = "a JSON patch has no `target`".to_owned();
    Refused::Broken { at, message, help: "name the objects it is for" }
}

fn no_patch(at: Span) -> Refused {
    let message = "this is no patch".to_owned();
    let help = "write an object with kind and name, or a list of JSON operations";
    Refused::Broken { at, message, help }
}

fn load(
    builder: &mut Builder<'_>,
    directory: &str,
    held: &Held,
    patch: &Patch<'_>,
) -> Result<Content, Refused> {
    let drafts = match (patch.path, patch.inline) {
        (Some(path), None) => file_drafts(builder, directory, path)?,
        (None, Some(text)) => inline_drafts(builder, directory, held, text)?,
        _ => {
            let message = "a patch needs either `path` or `patch`".to_owned();
            return Err(Refused::Broken { at: patch.at, message, help: "write one of them" });
        }
    };
    content(drafts, patch.at)
}

fn content(mut drafts: Vec<Draft>, at: Span) -> Result<Content, Refused> {
    use crate::document::Content as Value;
    drafts.retain(|draft| !matches!(draft.value, Value::Null));
    if let [one] = drafts.as_slice()
        && matches!(one.value, Value::List(_))
    {
        return Ok(Content::Json(drafts.remove(0)));
    }
    for draft in &drafts {
        let kind = draft.get("kind").and_then(Draft::as_str).unwrap_or_default();
        let name = draft.path(&["metadata", "name"]).and_then(Draft::as_str);
        if kind.ends_with("List") {
            let what = "a patch that is a list of objects".to_owned();
            return Err(Refused::Unsupported { at: draft.span, what });
        }
        if kind.is_empty() || name.is_none_or(str::is_empty) {
            return Err(no_patch(draft.span));
        }
    }
    if drafts.is_empty() {
        let what = "an empty patch".to_owned();
        return Err(Refused::Unsupported { at, what });
    }
    Ok(Content::Merge(drafts))
}

fn file_drafts(
    builder: &mut Builder<'_>,
    directory: &str,
    path: Text<'_>,
) -> Result<Vec<Draft>, Refused> {
    let name = builder.local(directory, path)?;
    let Some(held) = builder.store.file(&name) else {
        return Err(match builder.store.read(&name) {
            Ok(_) => {
                let what = "a patch file that was not read".to_owned();
                Refused::Unsupported { at: path.at, what }
            }
            Err(_) => missing(path),
        });
    };
    unbroken(held)?;
    // Kustomize takes a list in brackets for JSON; whether it is cannot be seen in its tree.
    let bracket = |root: Node<'_>| root.is_list() && root.style() == Style::Flow;
    if !name.ends_with(".json") && held.trees.first().is_some_and(|tree| bracket(tree.root())) {
        let what = "a patch file in brackets that is not called `.json`".to_owned();
        return Err(Refused::Unsupported { at: path.at, what });
    }
    held.trees.iter().try_for_each(|tree| checked(tree.root()))?;
    Ok(held.trees.iter().map(|tree| Draft::of(tree.root())).collect())
}

/// The documents of a patch that stands in the kustomization itself.
fn inline_drafts(
    builder: &Builder<'_>,
    directory: &str,
    held: &Held,
    text: Text<'_>,
) -> Result<Vec<Draft>, Refused> {
    let whole = text.text.trim();
    if whole.starts_with('[') && serde_json::from_str::<serde::de::IgnoredAny>(whole).is_err() {
        let message = "the patch begins like JSON and is none".to_owned();
        let help = "write JSON, or a YAML list with hyphens";
        return Err(Refused::Broken { at: text.at, message, help });
    }
    let raw = match builder.store.kustomization(directory) {
        Kustomization::One(name, _) => builder.store.read(name).ok(),
        _ => None,
    };
    let lines = Lines::of(&raw.unwrap_or_default(), text);
    let mut drafts = Vec::new();
    let (mut start, mut end) = (0, 0);
    for line in text.text.split_inclusive('\n').chain(["---"]) {
        if line.trim_end() != "---" {
            end += line.len();
            continue;
        }
        let piece = text.text.get(start..end).unwrap_or_default();
        let place = |span: Span| lines.place(span, start);
        let tree = read_settings(held.id, piece).map_err(|problem| Refused::Broken {
            at: place(problem.at),
            message: format!("the patch is {}", problem.message),
            help: "mend the patch",
        })?;
        if let (Some(tree), _) = tree {
            checked(tree.root()).map_err(|refused| match refused {
                Refused::Unsupported { at, what } => Refused::Unsupported { at: place(at), what },
                Refused::Broken { at, message, help } => {
                    Refused::Broken { at: place(at), message, help }
                }
            })?;
            let mut draft = Draft::of(tree.root());
            settle(&mut draft, &place);
            drafts.push(draft);
        }
        end += line.len();
        start = end;
    }
    Ok(drafts)
}

/// Where the lines of a block scalar stand in its file.
struct Lines {
    whole: Span,
    /// The start of each line in the text and in the file; empty where they do not fit.
    starts: Vec<(usize, usize)>,
}

impl Lines {
    fn of(raw: &str, text: Text<'_>) -> Self {
        let starts = Self::fit(raw, text).unwrap_or_default();
        Self { whole: text.at, starts }
    }

    fn fit(raw: &str, text: Text<'_>) -> Option<Vec<(usize, usize)>> {
        let from = usize::try_from(text.at.start).ok()?;
        let block = raw.get(from..).filter(|block| block.starts_with('|'))?;
        let mut lines = block.split_inclusive('\n');
        let (mut in_file, mut in_text) = (from + lines.next()?.len(), 0);
        let mut indent = None;
        let mut starts = Vec::new();
        for line in text.text.split_inclusive('\n') {
            let written = lines.next()?;
            let content = line.trim_end();
            if !content.is_empty() {
                let depth = || written.trim_end().len().checked_sub(content.len());
                let depth = *indent.get_or_insert(depth()?);
                if written.get(depth..)?.trim_end() != content {
                    return None;
                }
            }
            starts.push((in_text, in_file + indent.unwrap_or(0)));
            in_file += written.len();
            in_text += line.len();
        }
        Some(starts)
    }

    /// The place of a part of the text, whose offsets count from `start` of it: in the file if the
    /// lines are known, else the whole text.
    fn place(&self, span: Span, start: usize) -> Span {
        let offset = |at: u32| {
            let at = start + usize::try_from(at).ok()?;
            let behind = self.starts.partition_point(|(line, _)| *line <= at);
            let (line, file) = self.starts.get(behind.checked_sub(1)?)?;
            u32::try_from(file + (at - line)).ok()
        };
        match (offset(span.start), offset(span.end)) {
            (Some(start), Some(end)) if start <= end => Span { start, end, ..self.whole },
            _ => self.whole,
        }
    }
}

/// Checks a strategic merge patch; operations are read as clients read them.
fn checked(root: Node<'_>) -> Done {
    if root.is_list() { Ok(()) } else { check(root) }
}

/// Gives every part of an inline patch its place in the file.
fn settle(draft: &mut Draft, place: &dyn Fn(Span) -> Span) {
    draft.span = place(draft.span);
    draft.items_mut().iter_mut().for_each(|item| settle(item, place));
    for field in draft.fields_mut() {
        field.key_span = field.key_span.map(place);
        settle(&mut field.value, place);
    }
}

/// Refuses what kustomize turns into strings while it copies a patch for several objects.
fn copied(patch: &Draft) -> Done {
    for key in ["labels", "annotations"] {
        let Some(map) = patch.path(&["metadata", key]) else { continue };
        let odd = map.fields().iter().find(|field| field.value.as_str().is_none());
        let whole = matches!(map.value, crate::document::Content::Map(_));
        if let Some(at) = odd.map(|field| field.value.span).or((!whole).then_some(map.span)) {
            let what = format!("a patch that removes {key} of what it selects");
            return Err(Refused::Unsupported { at, what });
        }
    }
    Ok(())
}

/// The one object that a patch without a target is for.
fn only(objects: &[Object<'_>], patch: &Draft) -> Result<usize, Refused> {
    let mut named = Object::made(patch.clone(), patch.span);
    named.draft = None;
    let id: Id = named.id();
    let mut matching = objects.iter().enumerate().filter(|(_, object)| object.was(&id));
    let at = patch.path(&["metadata", "name"]).map_or(patch.span, |name| name.span);
    match (matching.next(), matching.next()) {
        (Some((found, _)), None) => Ok(found),
        (None, _) => Err(Refused::Broken {
            at,
            message: format!("no object is what this patch is for: {} `{}`", id.kind, id.name),
            help: "name an object of the kustomization with its version and namespace, or write a `target`",
        }),
        (Some(_), Some(_)) => Err(Refused::Broken {
            at,
            message: format!("several objects were {} `{}`", id.kind, id.name),
            help: "write a `target`",
        }),
    }
}

/// Merges a patch into objects; those that it deletes leave the list.
fn merge_into(objects: &mut Vec<Object<'_>>, selected: &[usize], patch: &Draft) -> Done {
    let mut patch = patch.clone();
    for key in ["apiVersion", "kind"] {
        patch.remove(key);
    }
    if let Some(metadata) = patch.get_mut("metadata") {
        metadata.remove("name");
        metadata.remove("namespace");
        let whole = metadata.get("annotations").is_some_and(|a| {
            a.get("$patch").is_some() || !matches!(a.value, crate::document::Content::Map(_))
        });
        if whole || metadata.get("$patch").is_some() {
            let what = "a patch of all annotations".to_owned();
            return Err(Refused::Unsupported { at: metadata.span, what });
        }
        for key in ["finalizers", "ownerReferences"] {
            if let Some(list) = metadata.get(key) {
                return Err(Refused::Unsupported {
                    at: list.span,
                    what: format!("a patch of {key}"),
                });
            }
        }
    }
    if let Some(status) = patch.get("status") {
        return Err(Refused::Unsupported {
            at: status.span,
            what: "a patch of the status".to_owned(),
        });
    }
    let mut deleted = Vec::new();
    for at in selected {
        let Some(object) = objects.get_mut(*at) else { continue };
        if let Some(at) = one_of(&patch, "", &object.shared) {
            let what = "a patch of a label or annotation that a kustomization set".to_owned();
            return Err(Refused::Unsupported { at, what });
        }
        object.draft();
        let Some(draft) = object.draft.take() else { continue };
        match merge::merge(draft, &patch)? {
            Some(mut draft) => {
                if object.namespace.is_empty()
                    && let Some(metadata) = draft.get_mut("metadata")
                {
                    metadata.remove("namespace");
                }
                object.draft = Some(draft);
            }
            None => deleted.push(*at),
        }
    }
    let mut at = 0;
    objects.retain(|_| {
        at += 1;
        !deleted.contains(&(at - 1))
    });
    Ok(())
}

/// The place of a label or annotation of certain keys that a patch sets.
fn one_of(patch: &Draft, key: &str, keys: &BTreeSet<String>) -> Option<Span> {
    if keys.is_empty() {
        return None;
    }
    let texts = matches!(key, "labels" | "annotations" | "matchLabels" | "selector");
    let own = patch
        .fields()
        .iter()
        .find(|f| texts && keys.contains(&f.key) && f.value.as_str().is_some());
    let mut fields = patch.fields().iter();
    own.map(|field| field.value.span)
        .or_else(|| fields.find_map(|field| one_of(&field.value, &field.key, keys)))
        .or_else(|| patch.items().iter().find_map(|item| one_of(item, "", keys)))
}

/// The objects that a target means.
fn select(objects: &[Object<'_>], target: &Target<'_>, at: Span) -> Result<Vec<usize>, Refused> {
    let pattern = |text: &str| -> Result<Option<Regex>, Refused> {
        if text.is_empty() {
            return Ok(None);
        }
        Regex::new(&format!("^(?:{text})$")).map(Some).map_err(|_| Refused::Broken {
            at,
            message: format!("`{text}` is no regular expression"),
            help: "correct the target",
        })
    };
    let [group, version, kind, name, namespace] =
        [target.group, target.version, target.kind, target.name, target.namespace].map(pattern);
    let (group, version, kind, name, namespace) = (group?, version?, kind?, name?, namespace?);
    let (labels, annotations) = (terms(target.labels, at)?, terms(target.annotations, at)?);
    let fits =
        |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
    let either = |pattern: &Option<Regex>, one: &str, other: &str| {
        fits(pattern, one) || fits(pattern, other)
    };
    let matching = |object: &Object<'_>| {
        let (_, former_name, former_namespace) = object.original();
        either(&namespace, former_namespace, object.effective_namespace())
            && either(&name, former_name, &object.name)
            && fits(&group, &object.group)
            && fits(&version, &object.version)
            && fits(&kind, &object.kind)
            && all_hold(&labels, object.view(), "labels")
            && all_hold(&annotations, object.view(), "annotations")
    };
    Ok(objects.iter().enumerate().filter(|(_, o)| matching(o)).map(|(at, _)| at).collect())
}

/// A requirement of a selector: the key, whether it is to hold, the value if one is asked for.
type Term<'t> = (&'t str, bool, Option<&'t str>);

fn terms(selector: &str, at: Span) -> Result<Vec<Term<'_>>, Refused> {
    let unsupported = || Refused::Unsupported { at, what: "a selector with sets".to_owned() };
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    let mut terms = Vec::new();
    for part in selector.split(',').filter(|_| !selector.trim().is_empty()) {
        let term = match part.split_once("!=") {
            Some((key, value)) => (key, false, Some(value)),
            None => match part.split_once("==").or_else(|| part.split_once('=')) {
                Some((key, value)) => (key, true, Some(value)),
                None => match part.trim().strip_prefix('!') {
                    Some(key) => (key, false, None),
                    None => (part, true, None),
                },
            },
        };
        let (key, holds, value) = (term.0.trim(), term.1, term.2.map(str::trim));
        if key.is_empty() || !plain(key) || !value.is_none_or(plain) {
            return Err(unsupported());
        }
        terms.push((key, holds, value));
    }
    Ok(terms)
}

fn all_hold(terms: &[Term<'_>], view: View<'_>, of: &str) -> bool {
    let texts = if terms.is_empty() { Vec::new() } else { view.texts(&["metadata", of]) };
    terms.iter().all(|(key, holds, value)| {
        let mut found = texts.iter().filter(|(known, _)| known == key);
        found.any(|(_, text)| value.is_none_or(|value| value == *text)) == *holds
    })
}
