//! Generators of ConfigMaps and Secrets. Names and keys matter; values of Secrets are dropped.

use std::collections::BTreeMap;

use crate::document::{Content, Draft, LengthClass, Mark, Redacted, Span, Style};

use super::Refused;
use super::build::{Builder, Gathered, missing};
use super::file::{Generator, Pair, Text};
use super::object::Object;

/// The values of a generator and where each is written.
type Data = BTreeMap<String, (String, Span)>;

/// Runs a generator on what was gathered.
pub(super) fn run<'s>(
    builder: &mut Builder<'s>,
    directory: &str,
    generator: &Generator<'_>,
    by: Span,
    gathered: &mut Gathered<'s>,
) -> Result<(), Refused> {
    let data = data(builder, directory, generator)?;
    let mut made = Object::made(object(generator, &data), by);
    made.memory.hash = !generator.options.no_hash;
    made.memory.generated = true;
    let id = made.id();
    let mut same = gathered.objects.iter().enumerate().filter(|(_, object)| object.was(&id));
    let (first, more) = (same.next().map(|(at, _)| at), same.next().is_some());
    let replaces = matches!(generator.behavior, "merge" | "replace");
    let wrong = |message: String, help: &'static str| {
        Err(Refused::Broken { at: generator.at, message, help })
    };
    let name = generator.name.text;
    match (first, replaces) {
        _ if more => wrong(
            format!("several objects could take what is generated for `{name}`"),
            "give them names of their own",
        ),
        (None, true) => wrong(
            format!("`{name}` does not exist, so nothing can be merged into it"),
            "use `behavior: create`, or correct the name",
        ),
        (None, false) => gathered.add(made),
        (Some(_), false) => wrong(
            format!("`{name}` exists already: already registered id"),
            "use `behavior: merge` or `behavior: replace`",
        ),
        (Some(at), true) => {
            if let Some(old) = gathered.objects.get_mut(at) {
                let old_id = old.id();
                replace(old, made, generator);
                if old.id() != old_id {
                    let what = "a generator that merges into a renamed object".to_owned();
                    return Err(Refused::Unsupported { at: generator.at, what });
                }
            }
            Ok(())
        }
    }
}

/// Puts a generated object in the place of another one, or merges it into it.
fn replace<'s>(old: &mut Object<'s>, mut made: Object<'s>, generator: &Generator<'_>) {
    let old_draft = old.draft().clone();
    let new = made.draft();
    for key in ["labels", "annotations"] {
        let merged = merged(old_draft.path(&["metadata", key]), new.path(&["metadata", key]));
        put(new.get_mut("metadata"), key, merged, generator.at);
    }
    for key in ["name", "namespace"] {
        if let (Some(value), Some(metadata)) =
            (old_draft.path(&["metadata", key]).cloned(), new.get_mut("metadata"))
        {
            metadata.remove(key);
            metadata.set(key, None, value);
        }
    }
    if generator.behavior == "merge" {
        let mut data = old_draft.get("data").cloned();
        if generator.secret && old_draft.get("stringData").is_some() {
            data = Some(as_map(merged(data.as_ref(), old_draft.get("stringData")), generator.at));
        }
        let merged_data = merged(data.as_ref(), new.get("data"));
        put(Some(new), "data", merged_data, generator.at);
        let binary = merged(old_draft.get("binaryData"), new.get("binaryData"));
        put(Some(new), "binaryData", binary, generator.at);
    }
    made.memory = super::object::Memory {
        hash: old.memory.hash && made.memory.hash,
        ..std::mem::take(&mut old.memory)
    };
    made.source = old.source;
    made.by = old.by;
    made.given = old.given;
    // The old object's identity is taken over with its name and namespace.
    _ = made.identify();
    *old = made;
}

fn as_map(fields: Vec<crate::document::Field>, at: Span) -> Draft {
    Draft { value: Content::Map(fields), ..Draft::map(at) }
}

/// The entries of two maps; those of the second win.
fn merged(old: Option<&Draft>, new: Option<&Draft>) -> Vec<crate::document::Field> {
    let empty = Draft::map(Span::start_of(crate::document::FileId(0)));
    let mut result = as_map(old.unwrap_or(&empty).fields().to_vec(), empty.span);
    for field in new.unwrap_or(&empty).fields() {
        result.set(&field.key, field.key_span, field.value.clone());
    }
    match result.value {
        Content::Map(fields) => fields,
        _ => Vec::new(),
    }
}

fn put(holder: Option<&mut Draft>, key: &str, fields: Vec<crate::document::Field>, at: Span) {
    let Some(holder) = holder else { return };
    holder.remove(key);
    if !fields.is_empty() {
        holder.set(key, None, as_map(fields, at));
    }
}

fn object(generator: &Generator<'_>, data: &Data) -> Draft {
    let at = generator.at;
    let mut metadata = Draft::map(at);
    metadata.set("name", None, Draft::text(generator.name.text, generator.name.at));
    if let Some(namespace) = generator.namespace {
        metadata.set("namespace", None, Draft::text(namespace.text, namespace.at));
    }
    for (key, pairs) in
        [("labels", &generator.options.labels), ("annotations", &generator.options.annotations)]
    {
        if !pairs.is_empty() {
            metadata.set(key, None, map_of(pairs, at));
        }
    }
    let mut draft = Draft::map(at);
    draft.set("apiVersion", None, Draft::text("v1", at));
    draft.set("kind", None, Draft::text(if generator.secret { "Secret" } else { "ConfigMap" }, at));
    draft.set("metadata", None, metadata);
    if generator.secret {
        let kind = generator.kind.map_or(Draft::text("Opaque", at), |k| Draft::text(k.text, k.at));
        draft.set("type", None, kind);
    }
    if generator.secret || !data.is_empty() {
        let mut map = Draft::map(at);
        for (key, (value, span)) in data {
            map.set(key, None, value_of(generator.secret, value, *span));
        }
        draft.set("data", None, map);
    }
    if let Some(span) = generator.options.immutable {
        draft.set("immutable", None, Draft { value: Content::Bool(true), ..Draft::map(span) });
    }
    draft
}

fn map_of(pairs: &[Pair<'_>], at: Span) -> Draft {
    let mut map = Draft::map(at);
    for pair in pairs {
        map.set(pair.key, pair.key_at, Draft::text(pair.value.text, pair.value.at));
    }
    map
}

fn value_of(secret: bool, value: &str, span: Span) -> Draft {
    if !secret {
        return Draft::text(value, span);
    }
    let length = match value.len() {
        0 => LengthClass::Empty,
        1..=16 => LengthClass::Short,
        17..=64 => LengthClass::Medium,
        _ => LengthClass::Long,
    };
    let value = Content::Redacted(Redacted { mark: Mark::Opaque, length });
    Draft { value, style: Style::Quoted, span, replaces: None }
}

fn data(
    builder: &mut Builder<'_>,
    directory: &str,
    generator: &Generator<'_>,
) -> Result<Data, Refused> {
    let mut all: Vec<(String, String, Span)> = Vec::new();
    for env in &generator.envs {
        let text = read(builder, directory, *env, generator.secret)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for line in text.split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            if !key.is_empty() {
                all.push((key.to_owned(), value.to_owned(), env.at));
            }
        }
    }
    for literal in &generator.literals {
        match literal.text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                all.push((key.to_owned(), unquoted(value).to_owned(), literal.at));
            }
            _ => return Err(malformed(*literal, "write `key=value`")),
        }
    }
    for file in &generator.files {
        let (key, path) = match file.text.split_once('=') {
            None => (file.text.rsplit('/').next().unwrap_or_default(), file.text),
            Some((key, path)) if !key.is_empty() && !path.is_empty() && !path.contains('=') => {
                (key, path)
            }
            Some(_) => return Err(malformed(*file, "write `path` or `key=path`")),
        };
        let text = read(builder, directory, Text { text: path, at: file.at }, generator.secret)?;
        all.push((key.to_owned(), text, file.at));
    }
    let mut data = Data::new();
    for (key, value, at) in all {
        if data.contains_key(&key) {
            let message = format!("`{}` has the key `{key}` twice", generator.name.text);
            return Err(Refused::Broken { at, message, help: "keep one of them" });
        }
        data.insert(key, (value, at));
    }
    Ok(data)
}

fn malformed(text: Text<'_>, help: &'static str) -> Refused {
    let message = "the source of a generated value is malformed".to_owned();
    Refused::Broken { at: text.at, message, help }
}

fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// The text of a source. What is no text would go to another field than text.
fn read(
    builder: &mut Builder<'_>,
    directory: &str,
    path: Text<'_>,
    secret: bool,
) -> Result<String, Refused> {
    let name = builder.local(directory, path)?;
    let text = builder.store.read(&name).map_err(|_| missing(path))?;
    if !secret && text.contains('\u{fffd}') {
        let what = "a generator of binary data".to_owned();
        return Err(Refused::Unsupported { at: path.at, what });
    }
    Ok(text)
}
