//! Values of Secrets, and what looks like a credential elsewhere, leave the document while it is
//! read: the tree keeps a mark in their place and the kept text has their bytes overwritten, so no
//! output can print them.

use super::command::Command;
use super::files::{Span, narrow, slice};
use super::secret::{self, Hit};
use super::tree::{LengthClass, Mark, Node, Redacted, Slot, Text, Tree, Value};

/// A credential that was found outside a Secret.
#[derive(Clone, Debug)]
pub struct SecretHit {
    /// The node that held it.
    pub node: u32,
    /// The exact place, inside the node where that could be found.
    pub at: Span,
    /// What it was taken for.
    pub mark: Mark,
}

/// What redaction of a document left to do.
#[derive(Debug, Default)]
pub(super) struct Redactions {
    /// Byte ranges of the file to overwrite.
    pub(super) ranges: Vec<Text>,
    /// Credentials outside Secrets.
    pub(super) hits: Vec<SecretHit>,
}

/// What surrounds a value decides how it is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Secret {
        encoded: bool,
    },
    ConfigMap,
    /// Base64 in a ConfigMap.
    Encoded,
    Annotations,
    Environment,
}

struct Found {
    /// The entry with the value itself, behind aliases.
    holder: u32,
    node: u32,
    mark: Mark,
    length: LengthClass,
    within: Option<(usize, usize)>,
}

/// Redacts the object below `root`, whatever holds it. `raw` is the text of the whole file.
pub(super) fn object(tree: &mut Tree, root: u32, kind: (&str, &str), raw: &str) -> Redactions {
    let mut found = Vec::new();
    let node = tree.node(root);
    if node.is_map() {
        map(node, Place::Text, kind == ("", "Secret"), kind == ("", "ConfigMap"), &mut found);
    } else {
        walk(node, Place::Text, false, &mut found);
    }
    apply(tree, found, raw)
}

fn walk(node: Node<'_>, place: Place, in_secret: bool, found: &mut Vec<Found>) {
    match node.value() {
        Value::Map => map(node, place, in_secret, false, found),
        Value::List => {
            for item in node.all_children() {
                match (place, item.value()) {
                    (Place::Environment, Value::Map) => variable(item, found),
                    _ => walk(item, place, in_secret, found),
                }
            }
        }
        Value::Str(text) => scalar(node, text, place, in_secret, found),
        Value::Int(number) if matches!(place, Place::ConfigMap) => {
            number_by_name(node, node.key(), number, found);
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
            if matches!(place, Place::Secret { .. }) {
                mark(node, Mark::Opaque, LengthClass::Short, None, found);
            }
        }
        Value::Null | Value::Redacted(_) => {}
    }
}

/// A map, which is a Secret where its own kind says so: templates and operators carry them.
fn map(node: Node<'_>, place: Place, in_secret: bool, config: bool, found: &mut Vec<Found>) {
    let own_kind = |child: &str| {
        matches!(child, "data" | "stringData")
            && node.get("kind").and_then(Node::as_str) == Some("Secret")
    };
    let inside = matches!(place, Place::Secret { .. });
    for child in node.all_children() {
        let key = child.key();
        let secret = !inside && place == Place::Text && (in_secret || own_kind(key));
        let inner = match (place, key) {
            (Place::Text, "data") if secret => Place::Secret { encoded: true },
            (Place::Text, "stringData") if secret => Place::Secret { encoded: false },
            (Place::Text, "data") if config => Place::ConfigMap,
            (Place::Text, "binaryData") if config => Place::Encoded,
            (Place::Text, "env") => Place::Environment,
            (Place::Text, "command" | "args") if child.is_list() => {
                let before = if key == "args" { node.get("command") } else { None };
                arguments(before, child, found);
                continue;
            }
            (Place::Text, "annotations") => Place::Annotations,
            (Place::Environment, _) => Place::Text,
            _ => place,
        };
        walk(child, inner, in_secret, found);
    }
}

fn scalar(node: Node<'_>, text: &str, place: Place, in_secret: bool, found: &mut Vec<Found>) {
    match place {
        Place::Secret { encoded } => {
            let taken_for = secret::secret_value(node.key(), text, encoded);
            mark(node, taken_for, secret::length_class(text), None, found);
        }
        Place::Annotations if node.key() == "kubectl.kubernetes.io/last-applied-configuration" => {
            mark(node, Mark::Opaque, secret::length_class(text), None, found);
        }
        Place::Annotations if in_secret && text.contains("stringData") => {
            mark(node, Mark::Opaque, secret::length_class(text), None, found);
        }
        Place::Encoded => {
            let decoded = super::text::decode_base64(text).unwrap_or_default();
            let hit = secret::in_lines(&decoded).map(|hit| Hit { range: (0, 0), ..hit });
            keep(node, hit, text, found);
        }
        Place::ConfigMap if text.contains('\n') => keep(node, secret::in_lines(text), text, found),
        Place::Annotations if names_a_container(node.key()) => {
            keep(node, secret::by_shape(text), text, found);
        }
        Place::ConfigMap => {
            let hit = secret::by_name(node.key(), text).or_else(|| secret::in_lines(text));
            keep(node, hit, text, found);
        }
        Place::Annotations => keep(node, secret::by_name(node.key(), text), text, found),
        Place::Text if matches!(node.key(), "command" | "args") => {
            keep(node, Command::default().argument(text), text, found);
        }
        Place::Text | Place::Environment => {
            keep(node, secret::by_shape(text), text, found);
        }
    }
}

/// Whether an annotation's key ends with the name of a container: `.../db-password: unconfined`
/// turns off a protection of the container `db-password` and is no password.
fn names_a_container(key: &str) -> bool {
    let of_containers = ["container.apparmor.", "container.seccomp."];
    of_containers.iter().any(|prefix| key.starts_with(prefix))
}

/// One entry of `env`: its name says what its value may be.
fn variable(entry: Node<'_>, found: &mut Vec<Found>) {
    let name = entry.get("name").and_then(Node::as_str).unwrap_or_default();
    for child in entry.all_children() {
        match child.value() {
            Value::Str(text) if child.key() == "value" => {
                keep(child, secret::by_name(name, text), text, found);
            }
            Value::Int(number) if child.key() == "value" => {
                number_by_name(child, name, number, found);
            }
            _ => walk(child, Place::Text, false, found),
        }
    }
}

/// A number that should be a string, under a name that says what it is.
fn number_by_name(node: Node<'_>, name: &str, number: i64, found: &mut Vec<Found>) {
    let text = number.to_string();
    let hit = secret::by_name(name, &text).map(|hit| Hit { range: (0, 0), ..hit });
    keep(node, hit, &text, found);
}

/// The words of a command; those of `before` come first and are kept where they stand.
fn arguments(before: Option<Node<'_>>, list: Node<'_>, found: &mut Vec<Found>) {
    let mut command = Command::default();
    for item in before.into_iter().flat_map(Node::all_children) {
        if let Value::Str(text) = item.value() {
            command.argument(text);
        }
    }
    for item in list.all_children() {
        match item.value() {
            Value::Str(text) => keep(item, command.argument(text), text, found),
            _ => walk(item, Place::Text, false, found),
        }
    }
}

fn keep(node: Node<'_>, hit: Option<Hit>, text: &str, found: &mut Vec<Found>) {
    if let Some(hit) = hit {
        let taken_for = Mark::Credential(hit.credential);
        mark(node, taken_for, secret::length_class(text), Some(hit.range), found);
    }
}

fn mark(
    node: Node<'_>,
    mark: Mark,
    length: LengthClass,
    within: Option<(usize, usize)>,
    found: &mut Vec<Found>,
) {
    found.push(Found { holder: node.holder(), node: node.index(), mark, length, within });
}

fn apply(tree: &mut Tree, found: Vec<Found>, raw: &str) -> Redactions {
    let mut redactions = Redactions::default();
    for Found { holder, node, mark, length, within } in found {
        let entry = *tree.entry(holder);
        let span = Span { file: entry.file, start: entry.span.start, end: entry.span.end };
        let value = match entry.slot {
            Slot::Str(text) => tree.text(text).to_owned(),
            _ => String::new(),
        };
        redactions.ranges.push(entry.span);
        if matches!(mark, Mark::Credential(_)) && within.is_some() {
            let needle = within.and_then(|(start, end)| value.get(start..end));
            let at = needle.map_or(span, |needle| narrow_to(span, needle, raw));
            redactions.hits.push(SecretHit { node, at, mark });
            // Asterisks at the exact place: a report that shows its line would show blanks.
            redactions.ranges.push(Text { start: at.start, end: at.end });
        }
        if let Slot::Str(text) = entry.slot {
            let stars = "*".repeat(value.len());
            tree.strings.replace_range(text.start as usize..text.end as usize, &stars);
        }
        if let Some(entry) = tree.entries.get_mut(holder as usize) {
            entry.slot = Slot::Redacted(Redacted { mark, length });
        }
    }
    redactions
}

/// The place of the first line of `needle` inside a written value.
fn narrow_to(span: Span, needle: &str, raw: &str) -> Span {
    let written = slice(raw, span.start, span.end);
    let first_line = needle.lines().next().unwrap_or_default();
    match written.find(first_line).filter(|_| !first_line.is_empty()) {
        Some(at) => {
            let start = span.start + narrow(at);
            Span { start, end: start + narrow(first_line.len()), ..span }
        }
        None => span,
    }
}

/// Overwrites ranges of a text. Line breaks stay, so that lines keep their numbers; of the rest the
/// first bytes become asterisks and the others blanks, so that no length shows.
pub(super) fn overwrite(text: String, ranges: &[Text]) -> String {
    const STARS: usize = 8;
    if ranges.is_empty() {
        return text;
    }
    let mut bytes = text.into_bytes();
    for range in ranges {
        let part = bytes.get_mut(range.start as usize..range.end as usize).unwrap_or_default();
        let mut written = 0;
        for byte in part {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = if written < STARS { b'*' } else { b' ' };
                written += 1;
            }
        }
    }
    // A range that ended inside a character would leave halves of it.
    String::from_utf8(bytes)
        .unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned())
}
