//! The strategic merge of a patch into an object.

use std::collections::HashSet;

use crate::document::{Content, Draft, Field, Style};

use super::Refused;
use super::schema::{Shape, Step};

type Merged = Result<Option<Draft>, Refused>;

/// Merges a patch into an object; none where the patch deletes it.
pub(super) fn merge(object: Draft, patch: &Draft) -> Merged {
    follow(patch)?;
    walk(Some(object), Some(patch), None)
}

/// What is told to the user about a patch that does what only kustomize itself can follow.
fn unsupported<T>(draft: &Draft, what: &str) -> Result<T, Refused> {
    Err(Refused::Unsupported { at: draft.span, what: what.to_owned() })
}

/// Refuses every directive but `$patch: delete` in a map.
fn follow(patch: &Draft) -> Result<(), Refused> {
    for item in patch.items() {
        if item.fields().len() == 1 && item.get("$patch").is_some() {
            return unsupported(item, "a `$patch` directive for a whole list");
        }
        follow(item)?;
    }
    for field in patch.fields() {
        let delete = field.key == "$patch" && field.value.as_str() == Some("delete");
        if field.key.starts_with('$') && !delete {
            return unsupported(&field.value, &format!("the directive `{}`", field.key));
        }
        follow(&field.value)?;
    }
    Ok(())
}

fn deletes(patch: &Draft) -> bool {
    patch.get("$patch").is_some()
}

/// The merge of what stands in an object and in a patch, in any of which it may be missing.
fn walk(object: Option<Draft>, patch: Option<&Draft>, step: Option<Step>) -> Merged {
    let object = match (object, patch) {
        (None, None) => return Ok(None),
        (Some(mut object), None) => return Ok(settle(&mut object, step)?.then_some(object)),
        (object, Some(patch)) => {
            if matches!(patch.value, Content::Null) {
                return Ok(None);
            }
            match object.filter(|object| !matches!(object.value, Content::Null)) {
                Some(object) => object,
                None => return adopt(patch, step),
            }
        }
    };
    let Some(patch) = patch else { return Ok(Some(object)) };
    let step = step.or_else(|| embedded(&object)).or_else(|| embedded(patch));
    match (&object.value, &patch.value) {
        (Content::Map(_), Content::Map(_)) if deletes(patch) => Ok(None),
        (Content::Map(_), Content::Map(_)) => map(object, patch, step).map(Some),
        (Content::List(_), Content::List(_)) => match step {
            Some(Step::Merge(keys, shape)) => list(object, patch, keys, shape).map(Some),
            _ => verbatim(patch, Some(&object)).map(Some),
        },
        (Content::Map(_) | Content::List(_), _) | (_, Content::Map(_) | Content::List(_)) => {
            Err(Refused::Broken {
                at: patch.span,
                message: "the patch has another type here than the object".to_owned(),
                help: "write a map, a list or a scalar, as the object does",
            })
        }
        _ => scalar(&object, patch).map(Some),
    }
}

/// The shape of an object inside another one, which says for itself what it is.
fn embedded(draft: &Draft) -> Option<Step> {
    let text = |key: &str| draft.get(key).and_then(Draft::as_str);
    Shape::of(text("apiVersion")?, text("kind")?).map(Step::Map)
}

fn below(step: Option<Step>, key: &str) -> Option<Step> {
    match step {
        Some(Step::Map(shape)) => shape.step(key),
        _ => None,
    }
}

fn scalar(object: &Draft, patch: &Draft) -> Result<Draft, Refused> {
    // Kustomize keeps the quotes of the value that it replaces, whatever stands in them then.
    let quoted = matches!(object.style, Style::Quoted | Style::Block);
    if quoted && !matches!(patch.value, Content::Str(_) | Content::Redacted(_)) {
        return unsupported(patch, "a number or boolean that replaces a quoted string");
    }
    Ok(Draft { replaces: Some(object.span), ..patch.clone() })
}

fn map(mut object: Draft, patch: &Draft, step: Option<Step>) -> Result<Draft, Refused> {
    let span = object.span;
    let Content::Map(fields) = &mut object.value else { return Ok(object) };
    let old = std::mem::take(fields);
    for Field { key, key_span, value } in old {
        let change = patch.get(&key);
        if let Some(value) = walk(Some(value), change, below(step, &key))? {
            fields.push(Field { key, key_span, value });
        }
    }
    let known: HashSet<String> = fields.iter().map(|field| field.key.clone()).collect();
    for Field { key, key_span, value } in patch.fields() {
        // What the object had and the patch deleted must not come back.
        if known.contains(key) || matches!(value.value, Content::Null) {
            continue;
        }
        let removed = matches!(&value.value, Content::Map(_)) && deletes(value);
        if removed {
            continue;
        }
        if let Some(value) = adopt(value, below(step, key))? {
            fields.push(Field { key: key.clone(), key_span: *key_span, value });
        }
    }
    object.span = span;
    Ok(object)
}

/// What a patch brings where the object has nothing.
fn adopt(patch: &Draft, step: Option<Step>) -> Merged {
    let step = step.or_else(|| embedded(patch));
    match &patch.value {
        Content::Null => Ok(None),
        Content::Map(_) if deletes(patch) => Ok(None),
        Content::Map(fields) => {
            let mut adopted = Vec::with_capacity(fields.len());
            for Field { key, key_span, value } in fields {
                if let Some(value) = adopt(value, below(step, key))? {
                    adopted.push(Field { key: key.clone(), key_span: *key_span, value });
                }
            }
            Ok(Some(Draft { value: Content::Map(adopted), ..patch.clone() }))
        }
        Content::List(items) => match step {
            Some(Step::Merge(keys, shape)) => {
                names(&[], items, keys)?;
                let items = items.iter().map(|item| adopt(item, Some(Step::Map(shape))));
                let items = items.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
                Ok(Some(Draft { value: Content::List(items), ..patch.clone() }))
            }
            _ => verbatim(patch, None).map(Some),
        },
        _ => Ok(Some(patch.clone())),
    }
}

/// A list that replaces another one, as it is.
fn verbatim(patch: &Draft, object: Option<&Draft>) -> Result<Draft, Refused> {
    fn directive(draft: &Draft) -> bool {
        let own =
            draft.fields().iter().any(|field| field.key == "$patch" || directive(&field.value));
        own || draft.items().iter().any(directive)
    }
    fn null(draft: &Draft) -> bool {
        draft
            .fields()
            .iter()
            .any(|field| matches!(field.value.value, Content::Null) || null(&field.value))
            || draft.items().iter().any(null)
    }
    if null(patch) {
        return unsupported(patch, "a key without a value in a list that is replaced");
    }
    if directive(patch) {
        return unsupported(patch, "a `$patch` directive in a list that is replaced");
    }
    Ok(Draft { replaces: object.map(|object| object.span), ..patch.clone() })
}

fn list(
    object: Draft,
    patch: &Draft,
    keys: &'static [&'static str],
    shape: &'static Shape,
) -> Result<Draft, Refused> {
    let Content::List(items) = object.value else { return Ok(object) };
    let (old, new) = names(&items, patch.items(), keys)?;
    let mut items: Vec<(Name, Option<Draft>)> =
        old.into_iter().zip(items.into_iter().map(Some)).collect();
    let step = Some(Step::Map(shape));
    let mut merged = Vec::with_capacity(items.len() + new.len());
    // Where items have two keys, kustomize leaves those that it changes where they were.
    let stay = new.iter().any(|name| name.len() > 1);
    for (name, change) in new.iter().zip(patch.items()) {
        let same = items.iter_mut().find(|(known, _)| known == name).map(|(_, item)| item);
        match same {
            Some(item) if stay => *item = walk(item.take(), Some(change), step)?,
            Some(item) => merged.extend(walk(item.take(), Some(change), step)?),
            None => merged.extend(walk(None, Some(change), step)?),
        }
    }
    for item in items.into_iter().filter_map(|(_, item)| item) {
        merged.extend(walk(Some(item), None, step)?);
    }
    Ok(Draft { value: Content::List(merged), ..Draft { value: Content::Null, ..object } })
}

/// The values of the keys of an item.
type Name = Vec<String>;

/// The names of the items of an object and of a patch.
fn names(
    object: &[Draft],
    patch: &[Draft],
    keys: &[&str],
) -> Result<(Vec<Name>, Vec<Name>), Refused> {
    let all = || object.iter().chain(patch);
    let mut keys = keys.to_vec();
    if let &[first, second] = keys.as_slice() {
        let with = all().filter(|item| item.get(second).is_some()).count();
        if with == 0 {
            keys = vec![first];
        } else if with < all().count() {
            let example = all().find(|item| item.get(second).is_none());
            let what = format!("a list some of whose items have no `{second}`");
            return example.map_or(Ok((Vec::new(), Vec::new())), |item| unsupported(item, &what));
        }
    }
    let name = |item: &Draft| -> Result<Name, Refused> {
        keys.iter()
            .map(|key| match item.get(key).map(|value| &value.value) {
                Some(Content::Str(text)) if !text.is_empty() => Ok(text.clone()),
                Some(Content::Int(number)) => Ok(number.to_string()),
                _ => unsupported(item, &format!("a list item without `{key}`")),
            })
            .collect()
    };
    let distinct = |items: &[Draft]| -> Result<Vec<Name>, Refused> {
        let names: Vec<Name> = items.iter().map(name).collect::<Result<_, _>>()?;
        let mut seen = HashSet::new();
        match names.iter().zip(items).find(|(name, _)| !seen.insert(*name)) {
            Some((_, item)) => unsupported(item, "two list items of one name"),
            None => Ok(names),
        }
    };
    Ok((distinct(object)?, distinct(patch)?))
}

/// What happens to the parts of an object that its patch does not name: fields without a value go.
/// Says whether the part stays.
fn settle(object: &mut Draft, step: Option<Step>) -> Result<bool, Refused> {
    let step = step.or_else(|| embedded(object));
    match (&mut object.value, step) {
        // A JSON patch wrote it out.
        (Content::Null, _) if object.style == Style::Quoted => {}
        (Content::Null, _) => {
            let Some(written) = object.span.end.checked_sub(object.span.start) else {
                return Ok(true);
            };
            // An alias may stand for either.
            match written {
                0 => return Ok(false),
                1 | 4 => {}
                _ => return unsupported(object, "a null that is written as an alias"),
            }
        }
        (Content::Map(fields), _) => {
            let old = std::mem::take(fields);
            for mut field in old {
                if settle(&mut field.value, below(step, &field.key))? {
                    fields.push(field);
                }
            }
        }
        (Content::List(items), Some(Step::Merge(keys, shape))) => {
            if keys.len() > 1 {
                // Distinct first keys are left alone, with and without the second.
                let first = keys.get(..1).unwrap_or_default();
                names(items, &[], first).or_else(|_| names(items, &[], keys))?;
            } else {
                names(items, &[], keys)?;
            }
            for item in items.iter_mut() {
                settle(item, Some(Step::Map(shape)))?;
            }
        }
        _ => {}
    }
    Ok(true)
}
