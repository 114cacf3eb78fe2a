//! The reader of manifests against what Kubernetes' clients read: same values, same refusals.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade::document::{FileId, Node, ReadOptions, Value, read, write_json};
use regex::Regex;
use serde::Deserialize;
use serde::de::IgnoredAny;
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
    // What follows such a separator clients never reach; we take it for a part of the mistake.
    let separator = |d: &Theirs| d.error.starts_with("invalid Yaml document separator");
    let end = answer.documents.iter().position(separator).map_or(usize::MAX, |at| at + 1);
    let documents = || answer.documents.iter().take(end);
    let values = documents().map(|d| d.value.as_str()).filter(|v| !v.is_empty());
    let (objects, others): (Vec<&str>, Vec<&str>) = values.partition(|value| is_object(value));
    let errors: Vec<&str> =
        documents().map(|d| d.error.as_str()).filter(|e| !e.is_empty()).collect();
    let word = classify(text, &ours, &objects, &others, &errors, answer)?;
    let (read, refused) = (&ours.objects, &ours.problems);
    let full = format!(
        "ours   {read:?}\n       {refused:?}\ntheirs {objects:?} {others:?}\n       {errors:?}"
    );
    Some((word, full))
}

fn begins_with_brace(text: &str) -> bool {
    text.trim_start_matches('\u{FEFF}').trim_start().starts_with('{')
}

fn classify(
    text: &str,
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
    let unlike = begins_with_brace(text) || text.contains("<<");
    if errors.is_empty() {
        if invented {
            return Some("object invented");
        }
        // What is no object may be called broken instead.
        if ours.problems.len() > others.len() {
            return Some("refused by us");
        }
        // Strictly read is YAML alone, and strict reading refuses what a merge overrides.
        let all_objects = others.is_empty() && answer.strict && !unlike;
        return (all_objects && ours.twice != answer.twice).then_some("other duplicates");
    }
    (ours.problems.is_empty() && invented).then_some("read by us")
}

/// A difference that is meant: how a text reads that both read alike, and what it is to us.
struct Exception {
    name: &'static str,
    rewrite: fn(&str) -> String,
    alike: Alike,
}

/// How the rewritten text is like the original for us.
#[derive(Clone, Copy)]
enum Alike {
    /// The same objects.
    Values,
    /// As many objects, as many refusals.
    Counts,
    /// The original is refused in these words.
    Refused(&'static str),
}

/// Each is explained in docs/decisions.md.
const EXCEPTIONS: [Exception; 14] = [
    meant("a colon on the line behind its key", with_colons, Alike::Values),
    meant("a comment right behind `---`", |text| text.replace("---#", "--- #"), Alike::Values),
    meant("a text that begins with a brace may be YAML", separated, Alike::Values),
    meant("a key on several lines", with_joined_lines, Alike::Values),
    meant("a tab where a key may begin", without_early_tabs, Alike::Values),
    meant("a block scalar that begins with a tab", without_first_tabs, Alike::Counts),
    meant("an anchor or tag at a bracket", with_blanks, Alike::Values),
    meant("an anchor with another character", without_odd_anchors, Alike::Values),
    meant("an escaped slash in YAML", |text| text.replace("\\/", "/"), Alike::Values),
    meant("halves of surrogate pairs in YAML", without_pairs, Alike::Values),
    meant("a dash alone in brackets", with_quoted_dash, Alike::Refused("cannot start with '-'")),
    meant("a colon at a bracket", with_quoted_colon, Alike::Refused("is a part of the word")),
    meant(
        "a colon at a bracket on the next line",
        |text| with_quoted_colon(&with_colons(text)),
        Alike::Refused("illegal placement of ':'"),
    ),
    meant("a question mark in brackets", with_question, Alike::Refused("are marks of keys")),
];

const fn meant(name: &'static str, rewrite: fn(&str) -> String, alike: Alike) -> Exception {
    Exception { name, rewrite, alike }
}

/// The surrogate pair that the texts have, and halves of it.
fn without_pairs(text: &str) -> String {
    let text = text.replace("\\ud83d\\ude00", "\u{1F600}");
    replace(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", r"\ufffd", &text)
}

/// Inside braces a key may have several lines, for us as for readers of today's YAML.
fn with_joined_lines(text: &str) -> String {
    let mut all = String::new();
    let mut inside = None;
    for line in text.split_inclusive('\n') {
        if line.starts_with("---") {
            inside = None;
        } else if inside.is_none() && !line.trim().is_empty() && !line.starts_with('#') {
            inside = Some(line.trim_start_matches('\u{FEFF}').trim_start().starts_with('{'));
        }
        let join = inside == Some(true) && !line.contains('#');
        all.push_str(line.strip_suffix('\n').filter(|_| join).unwrap_or(line));
        all.push_str(if join { " " } else { "" });
    }
    // A separator stands on a line of its own.
    all.replace(" ---", "\n---")
}

/// Inside braces a colon may stand on the line behind its key, for us as in JSON.
fn with_colons(text: &str) -> String {
    let mut all = String::new();
    for line in text.split_inclusive(['\n', '\r']) {
        let before = all.trim_end();
        let above = before.rsplit(['\n', '\r']).next().unwrap_or_default();
        if line.trim_start().starts_with(':') && !above.trim_start().starts_with(['?', '-']) {
            all.truncate(before.len());
            all.push_str(line.trim_start());
        } else {
            all.push_str(line);
        }
    }
    all
}

fn without_first_tabs(text: &str) -> String {
    replace(r"(?m)^( *)\t", "${1}x", text)
}

fn without_odd_anchors(text: &str) -> String {
    replace(r"(?m)(^|[\s,\[{])&[\w-]*[^\s\w,\[\]{}-][^\s,\[\]{}]*", "$1&a", text)
}

fn with_quoted_dash(text: &str) -> String {
    replace(r"([\[,{:?\n]\s*)-(\s*[,\]}])", "$1'-'$2", text)
}

fn with_quoted_colon(text: &str) -> String {
    replace(r#"([\[{,:]\s*)([^\s"'\[\]{},][^'\[\]{},\n]*:)([,\]}])"#, "$1'$2'$3", text)
}

fn with_question(text: &str) -> String {
    replace(r"([\[,{]\s*(?:#[^\n]*\n\s*)?)\?(\S)", "$1? $2", text)
}

fn with_blanks(text: &str) -> String {
    replace(r"([&!][^\s,\[\]{}]*)([\[\]{},])", "$1 $2", text)
}

fn replace(pattern: &str, by: &str, text: &str) -> String {
    Regex::new(pattern).expect("a constant").replace_all(text, by).into_owned()
}

/// Every JSON value at the start of a text as a document of its own, and nothing guessed.
fn separated(text: &str) -> String {
    if !begins_with_brace(text) {
        return text.to_owned();
    }
    let body = text.trim_start_matches('\u{FEFF}');
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<IgnoredAny>();
    let mut from = 0;
    let mut all = String::new();
    while let Some(Ok(_)) = values.next() {
        all.push_str(&format!("---\n{}\n", &body[from..values.byte_offset()]));
        from = values.byte_offset();
    }
    format!("{all}---\n{}", body[from..].trim_start())
}

/// Clients read a tab where no key may begin: behind a key, and inside brackets.
fn without_early_tabs(text: &str) -> String {
    let line = |line: &str| {
        let body = line.trim_start_matches([' ', '\t', '-', '?', ':']);
        if line.trim().is_empty() && line.contains('\t') {
            return line.replace([' ', '\t'], "");
        }
        let (lead, body) = line.split_at(line.len() - body.len());
        lead.replace('\t', " ") + body
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The exception that explains a difference, where one does.
fn excused(oracle: &mut Oracle, text: &str) -> Option<&'static str> {
    let here = ours(text);
    let same = |other: &Ours, alike: Alike| match alike {
        Alike::Values => {
            here.objects == other.objects && here.problems.len() == other.problems.len()
        }
        Alike::Counts => {
            (here.objects.len(), here.problems.len()) == (other.objects.len(), other.problems.len())
        }
        Alike::Refused(words) => here.problems.iter().any(|problem| problem.contains(words)),
    };
    let mut all = text.to_owned();
    let mut weakest = Alike::Values;
    for exception in &EXCEPTIONS {
        let further = (exception.rewrite)(&all);
        if further != all && !matches!(exception.alike, Alike::Values) {
            weakest = exception.alike;
        }
        all = further;
        let alone = (exception.rewrite)(text);
        for (rewritten, alike) in [(alone, exception.alike), (all.clone(), weakest)] {
            if rewritten == text || !same(&ours(&rewritten), alike) {
                continue;
            }
            let answers: Vec<Answer> = oracle.ask(&[request(&rewritten)]);
            if answers.first().is_some_and(|answer| difference(&rewritten, answer).is_none()) {
                return Some(exception.name);
            }
        }
    }
    None
}

#[test]
fn texts_are_read_as_clients_of_kubernetes_read_them() {
    let Some(mut oracle) = Oracle::start("decoder") else { return };
    let made: Vec<String> = (0..cases(4_000)).map(|number| text(seed(), number)).collect();
    let requests: Vec<String> = made.iter().map(|text| request(text)).collect();
    let answers: Vec<Answer> = oracle.ask(&requests);
    let mut differences = Vec::new();
    let mut meant: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut read, mut refused) = (0, 0);
    for (text, answer) in made.iter().zip(&answers) {
        assert!(answer.panic.is_empty() && answer.bad.is_empty(), "{}{}", answer.panic, answer.bad);
        if answer.chance {
            continue;
        }
        let any_error = answer.documents.iter().any(|d| !d.error.is_empty());
        match difference(text, answer) {
            None if any_error => refused += 1,
            None => read += 1,
            Some((word, full)) => match excused(&mut oracle, text) {
                Some(name) => *meant.entry(name).or_default() += 1,
                None => differences.push((word, text, full)),
            },
        }
    }
    say(&format!(
        "oracle decoder: {} texts, {read} read and {refused} refused by both",
        made.len()
    ));
    for (name, count) in &meant {
        say(&format!("oracle decoder: {count} differ as meant: {name}"));
    }
    let mut shown = Vec::new();
    for (word, text, full) in &differences {
        // The first few are made small; that takes hundreds of questions each.
        let small = (shown.len() < 5).then(|| shrink(&mut oracle, text, word));
        let (small, full) = small.unwrap_or_else(|| ((*text).clone(), full.clone()));
        shown.push(format!("{word}: {small:?}\n{full}"));
    }
    no_difference(&shown);
    assert!(read > refused, "most texts must be read by both, not {read}");
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
            let found = found.filter(|(found, _)| *found == word);
            match found.filter(|_| excused(oracle, &candidate).is_none()) {
                Some((_, found)) => (small, full) = (candidate, found),
                None => at += size,
            }
        }
        size /= 2;
    }
    (small, full)
}
