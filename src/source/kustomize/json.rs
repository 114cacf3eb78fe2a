//! JSON patches (RFC 6902), as the library that kustomize uses applies them.

use crate::document::{Content, Draft, Span, Style};

use super::Refused;
use super::object::Object;

/// An operation.
struct Operation<'p> {
    at: Span,
    name: &'p str,
    path: &'p str,
    from: &'p str,
    value: Option<&'p Draft>,
}

/// Applies the operations of a patch to an object.
pub(super) fn apply(object: &mut Object<'_>, operations: &Draft) -> Result<(), Refused> {
    let forgets = object.memory.is_empty();
    let draft = object.draft();
    let bare = draft.path(&["metadata", "annotations"]).is_none();
    if bare
        && !forgets
        && let Some(metadata) = draft.get_mut("metadata")
    {
        // Kustomize keeps its memory in annotations, so there are some to add to.
        metadata.set("annotations", None, Draft::map(operations.span));
    }
    for item in operations.items() {
        let operation = read(item)?;
        reachable(&operation)?;
        run(object.draft(), &operation)?;
    }
    let draft = object.draft();
    written_out(draft);
    object.shared.clear();
    let draft = object.draft();
    if let Some(metadata) = draft.get_mut("metadata")
        && metadata.get("annotations").is_some_and(|a| a.fields().is_empty())
    {
        metadata.remove("annotations");
    }
    let at = operations.span;
    let known = (object.kind.clone(), object.group.clone(), object.version.clone());
    let named = object.identify();
    let kept = known == (object.kind.clone(), object.group.clone(), object.version.clone());
    match named {
        Ok(()) if kept => Ok(()),
        _ => Err(Refused::Unsupported { at, what: "a patch of the kind or version".to_owned() }),
    }
}

/// A JSON patch writes the object anew: a field without a value says `null` from then on. The style
/// tells a later strategic merge, which drops the one and keeps the other.
fn written_out(draft: &mut Draft) {
    if matches!(draft.value, Content::Null) {
        draft.style = Style::Quoted;
    }
    draft.items_mut().iter_mut().for_each(written_out);
    draft.fields_mut().iter_mut().for_each(|field| written_out(&mut field.value));
}

fn read(item: &Draft) -> Result<Operation<'_>, Refused> {
    let text = |key: &str| item.get(key).and_then(Draft::as_str);
    let (Some(name), Some(path)) = (text("op"), text("path")) else {
        let message = "a JSON operation needs `op` and `path`".to_owned();
        return Err(Refused::Broken { at: item.span, message, help: "write both" });
    };
    let from = text("from").unwrap_or_default();
    Ok(Operation { at: item.span, name, path, from, value: item.get("value") })
}

/// Refuses an operation that could show what kustomize keeps in annotations. It puts them back after
/// the patch, so they may be replaced or removed.
fn reachable(operation: &Operation<'_>) -> Result<(), Refused> {
    let whole = |path: &str| matches!(path, "" | "/" | "/metadata" | "/metadata/annotations");
    let from = matches!(operation.name, "move" | "copy") && whole(operation.from);
    let annotations = operation.path == "/metadata/annotations"
        && matches!(operation.name, "add" | "replace" | "remove");
    if from || (whole(operation.path) && !annotations) {
        let what = "a JSON operation on the metadata as a whole".to_owned();
        return Err(Refused::Unsupported { at: operation.at, what });
    }
    Ok(())
}

fn run(draft: &mut Draft, operation: &Operation<'_>) -> Result<(), Refused> {
    let failed = || Refused::Broken {
        at: operation.at,
        message: format!(
            "the patch does not apply: nothing fits `{}` at `{}`",
            operation.name, operation.path
        ),
        help: "correct the path or the value",
    };
    let value = || match operation.value {
        Some(value) => Ok(value.clone()),
        None => Err(Refused::Unsupported {
            at: operation.at,
            what: "a JSON operation without a value".to_owned(),
        }),
    };
    let path = parts(operation.path, operation.at)?;
    match operation.name {
        "add" => add(draft, &path, value()?).ok_or_else(failed),
        "remove" => remove(draft, &path).map(|_| ()).ok_or_else(failed),
        // The library takes a replacement of what is missing from a map for an addition.
        "replace" => replace(draft, &path, value()?).ok_or_else(failed),
        "move" => {
            let from = parts(operation.from, operation.at)?;
            let moved = remove(draft, &from).ok_or_else(failed)?;
            add(draft, &path, moved).ok_or_else(failed)
        }
        "copy" => {
            let from = parts(operation.from, operation.at)?;
            let Some(copied) = find(draft, &from).map(|value| value.clone()) else {
                let what = "a copy of what is not there".to_owned();
                return Err(Refused::Unsupported { at: operation.at, what });
            };
            add(draft, &path, copied).ok_or_else(failed)
        }
        "test" => {
            let wanted = value()?;
            let Some(has) = find(draft, &path) else {
                let parent = path.split_last().and_then(|(_, parent)| find(draft, parent));
                let map = parent.is_some_and(|parent| matches!(parent.value, Content::Map(_)));
                let null = matches!(wanted.value, Content::Null);
                return if map && null { Ok(()) } else { Err(failed()) };
            };
            match equal(has, &wanted) {
                Some(true) => Ok(()),
                Some(false) => Err(failed()),
                None => Err(Refused::Unsupported {
                    at: operation.at,
                    what: "a test of a withheld value".to_owned(),
                }),
            }
        }
        _ => Err(failed()),
    }
}

/// The parts of a pointer.
fn parts(path: &str, at: Span) -> Result<Vec<String>, Refused> {
    let mut parts = path.split('/');
    if parts.next() != Some("") || path.is_empty() {
        let what = "a path that does not begin with a slash".to_owned();
        return Err(Refused::Unsupported { at, what });
    }
    Ok(parts.map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

/// An index; negative ones are refused by failing.
fn index(part: &str) -> Option<usize> {
    part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()))
}

fn find<'d>(draft: &'d mut Draft, path: &[String]) -> Option<&'d mut Draft> {
    path.iter().try_fold(draft, |draft, part| match draft.value {
        Content::Map(_) => draft.get_mut(part),
        Content::List(_) => draft.items_mut().get_mut(index(part)?),
        _ => None,
    })
}

fn add(draft: &mut Draft, path: &[String], value: Draft) -> Option<()> {
    let (last, parent) = path.split_last()?;
    let holder = find(draft, parent)?;
    match &mut holder.value {
        Content::Map(_) => holder.set(last, None, value),
        Content::List(items) => {
            let at = if last == "-" { items.len() } else { index(last)? };
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn replace(draft: &mut Draft, path: &[String], value: Draft) -> Option<()> {
    let (last, parent) = path.split_last()?;
    let holder = find(draft, parent)?;
    match &mut holder.value {
        Content::Map(_) => holder.set(last, None, value),
        Content::List(items) => {
            let old = items.get_mut(index(last)?)?;
            let replaces = Some(old.span).filter(|span| *span != value.span);
            *old = Draft { replaces, ..value };
        }
        _ => return None,
    }
    Some(())
}

fn remove(draft: &mut Draft, path: &[String]) -> Option<Draft> {
    let (last, parent) = path.split_last()?;
    let holder = find(draft, parent)?;
    match &mut holder.value {
        Content::Map(_) => holder.remove(last),
        Content::List(items) => {
            let at = index(last).filter(|at| *at < items.len())?;
            Some(items.remove(at))
        }
        _ => None,
    }
}

/// Whether two values are the same; none where one was withheld.
fn equal(a: &Draft, b: &Draft) -> Option<bool> {
    let number = |draft: &Draft| match draft.value {
        #[expect(clippy::cast_precision_loss, reason = "JSON numbers are 64-bit floats")]
        Content::Int(value) => Some(value as f64),
        Content::Float(value) => Some(value),
        _ => None,
    };
    match (&a.value, &b.value) {
        (Content::Redacted(_), _) | (_, Content::Redacted(_)) => None,
        (Content::Null, Content::Null) => Some(true),
        (Content::Bool(a), Content::Bool(b)) => Some(a == b),
        (Content::Str(a), Content::Str(b)) => Some(a == b),
        (Content::List(one), Content::List(other)) => {
            let mut same = one.len() == other.len();
            for (a, b) in one.iter().zip(other) {
                same &= equal(a, b)?;
            }
            Some(same)
        }
        (Content::Map(one), Content::Map(other)) => {
            let mut same = one.len() == other.len();
            for field in one {
                same &= match b.get(&field.key) {
                    Some(value) => equal(&field.value, value)?,
                    None => false,
                };
            }
            Some(same)
        }
        _ => Some(
            matches!((number(a), number(b)), (Some(a), Some(b)) if (a - b).abs() < f64::EPSILON),
        ),
    }
}
