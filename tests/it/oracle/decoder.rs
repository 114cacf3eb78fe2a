//! The reader of manifests against what Kubernetes' clients read: same values, same refusals.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade::document::{FileId, Node, ReadOptions, Value, read, write_json};
use serde::Deserialize;
use serde_json::json;

use super::texts::text;
use super::{Oracle, cases, no_difference, say, seed};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    panic: String,
    #[serde(default)]
    bad: String,
    #[serde(default)]
    documents: Vec<Theirs>,
    #[serde(default)]
    twice: bool,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    chance: bool,
}

/// One document as clients read it.
#[derive(Debug, Deserialize)]
struct Theirs {
    #[serde(default)]
    value: String,
    #[serde(default)]
    error: String,
}

/// A text as the library reads it.
struct Ours {
    objects: Vec<String>,
    problems: Vec<String>,
    twice: bool,
}

fn ours(text: &str) -> Ours {
    let reading = read(FileId(0), text, &ReadOptions::default());
    let objects = reading.documents.iter().map(|document| {
        let mut out = String::new();
        canonical(document.root(), &mut out);
        out
    });
    Ours {
        objects: objects.collect(),
        problems: reading.problems.iter().map(|problem| problem.message.clone()).collect(),
        twice: !reading.defects.is_empty(),
    }
}

/// JSON in the one form that the oracle writes.
fn canonical(node: Node<'_>, out: &mut String) {
    match node.value() {
        Value::Str(text) => quote(text, out),
        Value::List => {
            out.push('[');
            for (index, item) in node.children().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                canonical(item, out);
            }
            out.push(']');
        }
        Value::Map => {
            let mut children: Vec<Node<'_>> = node.children().collect();
            children.sort_by_key(|child| child.key());
            out.push('{');
            for (index, child) in children.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                quote(child.key(), out);
                out.push(':');
                canonical(child, out);
            }
            out.push('}');
        }
        _ => write_json(node, out),
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Whether a value that clients read is an object with a name.
fn is_object(value: &str) -> bool {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(value) else {
        return false;
    };
    let text = |pointer: &str| value.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default();
    ["/apiVersion", "/kind", "/metadata/name"].iter().all(|pointer| !text(pointer).is_empty())
}

fn request(text: &str) -> String {
    json!({"text": STANDARD.encode(text)}).to_string()
}

/// How two readings of one text differ, in one word and in full.
fn difference(text: &str, answer: &Answer) -> Option<(&'static str, String)> {
    let ours = ours(text);
    let values = answer.documents.iter().map(|d| d.value.as_str()).filter(|v| !v.is_empty());
    let (objects, others): (Vec<&str>, Vec<&str>) = values.partition(|value| is_object(value));
    let errors: Vec<&str> =
        answer.documents.iter().map(|d| d.error.as_str()).filter(|e| !e.is_empty()).collect();
    let word = classify(&ours, &objects, &others, &errors, answer)?;
    let (read, refused) = (&ours.objects, &ours.problems);
    let full = format!(
        "ours   {read:?}\n       {refused:?}\ntheirs {objects:?} {others:?}\n       {errors:?}"
    );
    Some((word, full))
}

fn classify(
    ours: &Ours,
    objects: &[&str],
    others: &[&str],
    errors: &[&str],
    answer: &Answer,
) -> Option<&'static str> {
    let mut rest = ours.objects.iter();
    if !objects.iter().all(|object| rest.any(|ours| ours == object)) {
        return Some("object lost");
    }
    let invented = ours.objects.len() > objects.len();
    if errors.is_empty() {
        if invented {
            return Some("object invented");
        }
        // What is no object may be called broken instead.
        if ours.problems.len() > others.len() {
            return Some("refused by us");
        }
        let all_objects = others.is_empty() && answer.strict;
        return (all_objects && ours.twice != answer.twice).then_some("other duplicates");
    }
    (ours.problems.is_empty() && invented).then_some("read by us")
}

#[test]
fn texts_are_read_as_clients_of_kubernetes_read_them() {
    let Some(mut oracle) = Oracle::start("decoder") else { return };
    let made: Vec<String> = (0..cases(6_000)).map(|number| text(seed(), number)).collect();
    let requests: Vec<String> = made.iter().map(|text| request(text)).collect();
    let answers: Vec<Answer> = oracle.ask(&requests);
    let mut differences = Vec::new();
    let (mut read, mut refused) = (0, 0);
    for (text, answer) in made.iter().zip(&answers) {
        assert!(answer.panic.is_empty() && answer.bad.is_empty(), "{}{}", answer.panic, answer.bad);
        if answer.chance {
            continue;
        }
        let any_error = answer.documents.iter().any(|d| !d.error.is_empty());
        *if any_error { &mut refused } else { &mut read } += 1;
        if let Some((word, _)) = difference(text, answer) {
            let (small, full) = shrink(&mut oracle, text, word);
            differences.push(format!("{word}: {small:?}\n{full}"));
        }
    }
    println!("{read} read, {refused} refused");
    for d in &differences {
        println!("{d}\n");
    }
    no_difference(&differences);
    say(&format!("oracle decoder: {} texts, no difference", made.len()));
}

/// The smallest text that still differs in the same way, as far as leaving parts out finds it.
fn shrink(oracle: &mut Oracle, text: &str, word: &str) -> (String, String) {
    let mut small = text.to_owned();
    let mut full = String::new();
    let mut size = small.len();
    while size > 0 {
        let mut at = 0;
        while at < small.len() {
            let end = (at + size).min(small.len());
            if !small.is_char_boundary(at) || !small.is_char_boundary(end) {
                at += 1;
                continue;
            }
            let candidate = format!("{}{}", &small[..at], &small[end..]);
            let answers: Vec<Answer> = oracle.ask(&[request(&candidate)]);
            let found =
                answers.first().filter(|a| !a.chance).and_then(|a| difference(&candidate, a));
            match found.filter(|(found, _)| *found == word) {
                Some((_, found)) => (small, full) = (candidate, found),
                None => at += size,
            }
        }
        size /= 2;
    }
    (small, full)
}
