//! The reader against its table: every file of `tests/yaml/` with what it has to give, and the same
//! files through `kubectl`, where that is installed.
//!
//! Beside `<case>.yaml` or `<case>.json` stands `<case>.expect`. Its first line says what kubectl
//! does with the file: `agrees`, `refuses: why` (what we read), `reads: why` (what we refuse),
//! `stops early: why` (before the documents that it would read), `goes on: why` (behind what it
//! refuses) or `may refuse: why` where its versions differ. Then come, in the order of the text:
//! `object {...}`, with `at LINE:COLUMN` before it where its place matters; `refused LINE:COLUMN
//! STATE: TEXT`, the text being part of the message; `note LINE:COLUMN: TEXT`; and
//! `duplicate LINE:COLUMN of LINE:COLUMN: KEY`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use palisade::document::{DefectKind, Files, Span, write_object};
use palisade::source::Loaded;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde_json::Value;

use crate::support::{loaded, project};

/// A case of the table.
struct Case {
    name: String,
    path: PathBuf,
    kubectl: Kubectl,
    lines: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kubectl {
    Agrees,
    Refuses,
    Reads,
    StopsEarly,
    GoesOn,
    MayRefuse,
}

/// What one line of an expectation wants.
enum Line {
    At(String),
    Object(Value),
    Refused { place: String, state: String, text: String },
    Note { place: String, text: String },
    Duplicate(String),
}

fn cases() -> Vec<Case> {
    let directory = project().join("tests/yaml");
    let mut cases: Vec<Case> = std::fs::read_dir(&directory)
        .expect("tests/yaml is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml" || e == "json"))
        .map(|path| case(&path))
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn case(path: &Path) -> Case {
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path.with_extension("expect"))
        .unwrap_or_else(|error| panic!("{name}: no expectation: {error}"));
    let mut lines = text.lines();
    let kubectl = lines.next().and_then(|line| line.strip_prefix("kubectl "));
    let verdict = kubectl.unwrap_or_else(|| panic!("{name}: the first line is about kubectl"));
    let kubectl = match verdict.split_once(": ").unwrap_or((verdict, "")) {
        ("agrees", "") => Kubectl::Agrees,
        ("refuses", why) if !why.is_empty() => Kubectl::Refuses,
        ("reads", why) if !why.is_empty() => Kubectl::Reads,
        ("stops early", why) if !why.is_empty() => Kubectl::StopsEarly,
        ("goes on", why) if !why.is_empty() => Kubectl::GoesOn,
        ("may refuse", why) if !why.is_empty() => Kubectl::MayRefuse,
        _ => panic!("{name}: kubectl agrees, refuses, reads or may refuse, with the reason"),
    };
    let lines = lines.map(|line| wanted(&name, line)).collect();
    Case { name, path: path.to_owned(), kubectl, lines }
}

fn wanted(name: &str, line: &str) -> Line {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let cut = |text: &str, at: &str| {
        let (a, b) = text.split_once(at).unwrap_or_else(|| panic!("{name}: `{at}` in `{line}`"));
        (a.to_owned(), b.to_owned())
    };
    match word {
        "at" => Line::At(rest.to_owned()),
        "object" => Line::Object(serde_json::from_str(rest).expect("an object is JSON")),
        "refused" => {
            let (head, text) = cut(rest, ": ");
            let (place, state) = cut(&head, " ");
            Line::Refused { place, state, text }
        }
        "note" => {
            let (place, text) = cut(rest, ": ");
            Line::Note { place, text }
        }
        "duplicate" => Line::Duplicate(rest.to_owned()),
        _ => panic!("{name}: unknown line `{line}`"),
    }
}

/// Line and column of the start of a place.
fn place(files: &Files, span: Span) -> String {
    let position = files.get(span.file).position(span.start);
    format!("{}:{}", position.line, position.column)
}

/// The objects of a file in the order of its text, with their places.
fn objects(loaded: &Loaded) -> Vec<(Span, Value)> {
    let documents = loaded.inventories.iter().flat_map(|inventory| &inventory.documents);
    let mut objects: Vec<(Span, Value)> = documents
        .map(|document| {
            let mut json = String::new();
            write_object(document, &mut json);
            (document.extent, serde_json::from_str(&json).expect("what is written is JSON"))
        })
        .collect();
    objects.sort_by_key(|(extent, _)| *extent);
    objects
}

#[test]
fn every_case_is_read_as_its_expectation_says() {
    let cases = cases();
    assert!(cases.len() > 60, "the table has {} cases", cases.len());
    let problems: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let found = differences(case, &loaded(std::slice::from_ref(&case.path)));
            found.into_iter().map(|line| format!("{}: {line}", case.name))
        })
        .collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// The places that a reading gives, each with what it is the place of.
fn places(loaded: &Loaded) -> Vec<(Span, &'static str)> {
    let mut places: Vec<(Span, &'static str)> = Vec::new();
    places.extend(loaded.problems.iter().map(|problem| (problem.at, "a problem")));
    places.extend(loaded.notes.iter().map(|note| (note.at, "a note")));
    for inventory in &loaded.inventories {
        for defect in &inventory.defects {
            places.push((defect.at, "a defect"));
            places.extend(defect.related.iter().map(|at| (*at, "a place beside a defect")));
        }
        for document in &inventory.documents {
            places.extend([(document.head, "a name"), (document.extent, "an object")]);
            places.extend(document.comments.iter().map(|comment| (comment.span, "a comment")));
            places.extend(document.secrets.iter().map(|hit| (hit.at, "a credential")));
            let mut seen = std::collections::HashSet::new();
            let mut open = vec![document.root()];
            while let Some(node) = open.pop().filter(|_| seen.len() < 100_000) {
                if seen.insert(node.index()) {
                    places.push((node.span(), "a value"));
                    places.extend(node.key_span().map(|key| (key, "a key")));
                    open.extend(node.children());
                }
            }
        }
    }
    places
}

#[test]
fn every_place_lies_in_its_text_between_characters() {
    let mut wrong = Vec::new();
    for case in cases() {
        let loaded = loaded(std::slice::from_ref(&case.path));
        for (span, what) in places(&loaded) {
            let text = loaded.files.get(span.file).text();
            if text.get(span.start as usize..span.end as usize).is_none() {
                wrong.push(format!("{}: {what} at {}..{}", case.name, span.start, span.end));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_expectation_belongs_to_a_case() {
    let have: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    for entry in std::fs::read_dir(project().join("tests/yaml")).expect("tests/yaml is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|e| e == "expect") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(have.contains(&name), "{name}.expect has no input");
        }
    }
}

/// What differs between an expectation and a reading.
fn differences(case: &Case, loaded: &Loaded) -> Vec<String> {
    let mut found = Vec::new();
    let files = &loaded.files;
    let mut objects = objects(loaded).into_iter();
    let mut problems = loaded.problems.iter();
    let mut notes = loaded.notes.iter();
    let mut duplicates = duplicates(loaded).into_iter();
    let mut at = None;
    for line in &case.lines {
        match line {
            Line::At(place) => at = Some(place.clone()),
            Line::Object(wanted) => match objects.next() {
                Some((span, object)) => {
                    let here = place(files, span);
                    if object != *wanted {
                        found.push(format!("{here}: read {object}, not {wanted}"));
                    }
                    if at.take().is_some_and(|at| at != here) {
                        found.push(format!("{here}: the object does not begin where it should"));
                    }
                }
                None => found.push(format!("not read: {wanted}")),
            },
            Line::Refused { place: wanted, state, text } => match problems.next() {
                Some(problem) => {
                    let (here, message) = (place(files, problem.at), &problem.message);
                    let fits = here == *wanted && problem.state.word() == state;
                    if !(fits && message.contains(text.as_str())) {
                        let state = problem.state.word();
                        found.push(format!("{here} {state}: {message}, not {wanted} {text}"));
                    }
                    if problem.help.is_none() {
                        found.push(format!("{here}: `{message}` helps nobody"));
                    }
                }
                None => found.push(format!("{wanted}: not refused: {text}")),
            },
            Line::Note { place: wanted, text } => match notes.next() {
                Some(note) if place(files, note.at) == *wanted && note.text.contains(text) => {}
                Some(note) => {
                    found.push(format!("{}: note: {}", place(files, note.at), note.text));
                }
                None => found.push(format!("{wanted}: no note: {text}")),
            },
            Line::Duplicate(wanted) => match duplicates.next() {
                Some(duplicate) if duplicate == *wanted => {}
                other => found.push(format!("duplicate {other:?}, not {wanted}")),
            },
        }
    }
    found.extend(objects.map(|(_, object)| format!("not expected: {object}")));
    found.extend(problems.map(|p| format!("{}: not expected: {}", place(files, p.at), p.message)));
    found.extend(notes.map(|n| format!("{}: not expected: {}", place(files, n.at), n.text)));
    found.extend(duplicates.map(|d| format!("not expected: duplicate {d}")));
    found
}

/// Keys that occur twice, as an expectation spells them.
fn duplicates(loaded: &Loaded) -> Vec<String> {
    let defects = loaded.inventories.iter().flat_map(|inventory| &inventory.defects);
    let mut found: Vec<(Span, String)> = defects
        .filter(|defect| defect.kind == DefectKind::DuplicateKey)
        .map(|defect| {
            let first = defect.related.first().expect("the first of two equal keys");
            let (second, first) = (place(&loaded.files, defect.at), place(&loaded.files, *first));
            (defect.at, format!("{second} of {first}: {}", defect.detail))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, line)| line).collect()
}

/// What kubectl would send, and whether it read the whole file.
fn by_kubectl(path: &Path) -> (Vec<Value>, bool) {
    const MARK: &str = "palisade.dev/dialect-test";
    let home = tempfile::tempdir().expect("a scratch directory");
    let output = Command::new("kubectl")
        .args(["annotate", "--local", "-o", "json", "-f"])
        .arg(path)
        .arg(format!("{MARK}=y"))
        .env("HOME", home.path())
        .env("KUBECONFIG", home.path().join("none"))
        .output()
        .expect("kubectl runs");
    let mut objects = Vec::new();
    for object in serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>() {
        let mut object = object.expect("kubectl writes JSON");
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        let metadata = metadata.expect("kubectl writes annotations");
        let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
        let annotations = annotations.expect("kubectl writes annotations");
        annotations.remove(MARK);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
        objects.push(object);
    }
    (objects, output.status.success())
}

/// Says on standard error that a comparison did not take place; the harness does not hide it.
fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED: {what}");
}

#[test]
fn kubectl_reads_what_we_read() {
    let client = Command::new("kubectl").args(["version", "--client"]).output();
    if !client.is_ok_and(|output| output.status.success()) {
        skipped("kubectl is not installed, so the dialect is compared with recorded results only");
        return;
    }
    let cases = cases();
    let problems: Vec<String> = cases.par_iter().filter_map(against_kubectl).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// How a case differs from what kubectl makes of it.
fn against_kubectl(case: &Case) -> Option<String> {
    let loaded = loaded(std::slice::from_ref(&case.path));
    let (theirs, complete) = by_kubectl(&case.path);
    // kubectl stops at the first document that it refuses.
    let first = loaded.problems.iter().map(|problem| problem.at).min();
    let before = |(span, _): &(Span, Value)| first.is_none_or(|first| span.start < first.start);
    let goes_on = case.kubectl == Kubectl::GoesOn;
    let ours = objects(&loaded).into_iter().filter(|object| goes_on || before(object));
    let ours: Vec<Value> = ours.map(|(_, object)| object).collect();
    let agrees = theirs == ours && complete == first.is_none();
    let fits = match case.kubectl {
        Kubectl::Agrees | Kubectl::GoesOn => agrees,
        Kubectl::Refuses => !complete && first.is_none(),
        Kubectl::Reads => complete && first.is_some(),
        Kubectl::StopsEarly => !complete && first.is_some() && theirs.len() < ours.len(),
        Kubectl::MayRefuse => agrees || !complete,
    };
    (!fits).then(|| {
        let ours = Value::Array(ours);
        let theirs = Value::Array(theirs);
        format!("{}:\n  kubectl {theirs} complete: {complete}\n  ours    {ours}", case.name)
    })
}
