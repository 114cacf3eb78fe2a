//! What kustomize itself makes of generated trees, compared with what is rendered natively.
//!
//! `PALISADE_KUSTOMIZE` names the program (else `kustomize` on the path), `PALISADE_ORACLE_CASES`
//! the number of trees and `PALISADE_ORACLE_FROM` the first of them.

#![expect(clippy::print_stderr, clippy::use_debug, reason = "a test says what it counted")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::Value;

use super::generated_tests::Forest;
use super::{Build, Refused, render};
use crate::document::{FileId, ReadOptions, read, write_object};
use crate::source::oracle;
use crate::source::store::{KUSTOMIZATIONS, Store};

/// How a comparison went.
#[derive(Debug, Default)]
struct Tally {
    equal: usize,
    both_refuse: usize,
    /// The beginnings of our messages where both refuse.
    refusals: BTreeMap<String, usize>,
    unsupported: BTreeMap<String, usize>,
    gaps: usize,
    wrong: Vec<String>,
}

/// The real kustomize: what `PALISADE_KUSTOMIZE` names, else the one that the tests build.
fn program() -> Option<String> {
    let named = std::env::var("PALISADE_KUSTOMIZE").ok();
    named.or_else(|| Some(oracle::program("kustomize")?.to_string_lossy().into_owned()))
}

impl Tally {
    fn plus(mut self, other: Self) -> Self {
        self.equal += other.equal;
        self.both_refuse += other.both_refuse;
        self.gaps += other.gaps;
        self.wrong.extend(other.wrong);
        for (what, count) in other.refusals {
            *self.refusals.entry(what).or_default() += count;
        }
        for (what, count) in other.unsupported {
            *self.unsupported.entry(what).or_default() += count;
        }
        self
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What kustomize makes of a directory, or its complaint.
fn external(program: &str, directory: &Path) -> Result<String, String> {
    let output = Command::new(program).arg("build").arg(directory).output().expect("it ran before");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// The objects of a text, as kustomize wrote it.
fn theirs(text: &str) -> Vec<Value> {
    let reading = read(FileId(0), text, &ReadOptions::default());
    let objects = reading.documents.iter().map(|document| {
        let mut json = String::new();
        write_object(document, &mut json);
        serde_json::from_str(&json).expect("JSON")
    });
    objects.collect()
}

fn ours(build: &Build) -> Vec<Value> {
    let objects = build.objects.iter().map(|document| {
        let mut json = String::new();
        write_object(document, &mut json);
        serde_json::from_str(&json).expect("JSON")
    });
    objects.collect()
}

fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// Puts plain names in the place of those with a hash.
fn unhashed(objects: &mut [Value]) {
    let hash = |name: &str| {
        let (plain, hash) = name.rsplit_once('-')?;
        let fits = hash.len() == 10 && hash.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| plain.to_owned())
    };
    let is_map = |object: &&Value| {
        matches!(object.get("kind").and_then(Value::as_str), Some("ConfigMap" | "Secret"))
    };
    let names: BTreeMap<String, String> = objects
        .iter()
        .filter(is_map)
        .filter_map(|object| Some((name_of(object).to_owned(), hash(name_of(object))?)))
        .collect();
    objects.iter_mut().for_each(|object| rename(object, &names));
}

fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(plain) = names.get(text) {
                text.clone_from(plain);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, names)),
        _ => {}
    }
}

/// Hides the values of Secrets, and the line break that clients, but not kustomize, see behind a
/// block scalar at the end of a file.
fn masked(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.trim_end_matches('\n').to_owned(),
        Value::Array(items) => items.iter_mut().for_each(masked),
        Value::Object(fields) => fields.values_mut().for_each(masked),
        _ => {}
    }
    let secret = value.get("kind").and_then(Value::as_str) == Some("Secret");
    for key in ["data", "stringData"] {
        if let Some(Value::Object(fields)) = value.get_mut(key).filter(|_| secret) {
            fields.values_mut().for_each(|field| *field = Value::String("*".to_owned()));
        }
    }
}

fn sorted(mut objects: Vec<Value>) -> Vec<String> {
    unhashed(&mut objects);
    objects.iter_mut().for_each(masked);
    let mut texts: Vec<String> = objects.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

/// Compares one directory of a tree on disk.
fn compare(program: &str, base: &Path, store: &Store, directory: &str, tally: &mut Tally) {
    let rendered = render(store, directory);
    if let Err(Refused::Unsupported { what, .. }) = &rendered {
        *tally.unsupported.entry(what.clone()).or_default() += 1;
        return;
    }
    if rendered.as_ref().is_ok_and(|build| !build.gaps.is_empty()) {
        tally.gaps += 1;
        return;
    }
    let expected = external(program, &base.join(directory));
    let wrong = match (rendered, expected) {
        (Ok(build), Ok(text)) => {
            let (ours, theirs) = (sorted(ours(&build)), sorted(theirs(&text)));
            if ours == theirs {
                tally.equal += 1;
                return;
            }
            let only = |a: &[String], b: &[String]| {
                let only: Vec<&str> =
                    a.iter().filter(|x| !b.contains(x)).map(String::as_str).collect();
                only.join("\n  ")
            };
            format!("ours:\n  {}\ntheirs:\n  {}", only(&ours, &theirs), only(&theirs, &ours))
        }
        (Err(Refused::Broken { message, .. }), Err(_)) => {
            tally.both_refuse += 1;
            *tally
                .refusals
                .entry(message.split('`').next().unwrap_or_default().to_owned())
                .or_default() += 1;
            return;
        }
        (Ok(_), Err(text)) => format!("only kustomize refuses: {text}"),
        (Err(Refused::Broken { message, .. }), Ok(_)) => format!("only we refuse: {message}"),
        (Err(Refused::Unsupported { .. }), _) => return,
    };
    tally.wrong.push(format!("{directory}: {wrong}"));
}

#[test]
fn generated_kustomizations_are_rendered_as_kustomize_renders_them() {
    let Some(program) = program() else { return };
    let (from, cases) = (number("PALISADE_ORACLE_FROM", 0), number("PALISADE_ORACLE_CASES", 2_000));
    let one = |case: usize| {
        let mut tally = Tally::default();
        let forest = Forest::new(case);
        let base = tempfile::tempdir().expect("a directory");
        for (name, text) in &forest.files {
            let path = base.path().join(name);
            std::fs::create_dir_all(path.parent().expect("below the base")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        }
        let texts: Vec<(&str, &str)> =
            forest.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let mut store = Store::of_texts(&texts);
        store.directory = base.path().canonicalize().expect("it is there");
        compare(&program, base.path(), &store, &forest.root, &mut tally);
        if let Some(wrong) = tally.wrong.pop() {
            let files: String =
                forest.files.iter().map(|(name, text)| format!("## {name}\n{text}\n")).collect();
            tally.wrong.push(format!("case {case}: {wrong}\n{files}"));
        }
        tally
    };
    let tallies = (from..from + cases).into_par_iter().map(one);
    let mut tally = tallies.reduce(Tally::default, Tally::plus);
    assert!(tally.equal * 3 >= cases, "only {} of {cases} trees were compared", tally.equal);
    tally.wrong.truncate(4);
    eprintln!(
        "{} equal, {} refused by both, {} with gaps, unsupported: {:#?}, refused: {:#?}",
        tally.equal, tally.both_refuse, tally.gaps, tally.unsupported, tally.refusals
    );
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n\n"));
}

#[test]
fn the_corpus_is_rendered_as_kustomize_renders_it() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("PALISADE_SHARED").map_or(beside, PathBuf::from);
    let corpus = shared.join("conformance/corpus");
    let Some(program) = program().filter(|_| corpus.is_dir()) else { return };
    let base = corpus.canonicalize().expect("the corpus is there");
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&base).into_iter().flatten() {
        let name = entry.path().strip_prefix(&base).expect("below").to_string_lossy().into_owned();
        let yaml =
            [".yaml", ".yml", ".json", "Kustomization"].iter().any(|end| name.ends_with(end));
        if entry.file_type().is_file()
            && yaml
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            files.push((name, text));
        }
    }
    let texts: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let mut store = Store::of_texts(&texts);
    store.directory.clone_from(&base);
    let mut tally = Tally::default();
    for (name, _) in &files {
        let (directory, file) = name.rsplit_once('/').unwrap_or((".", name));
        if KUSTOMIZATIONS.contains(&file) {
            compare(&program, &base, &store, directory, &mut tally);
        }
    }
    eprintln!(
        "corpus: {} equal, {} refused by both, {} with gaps, unsupported: {:#?}, refused: {:#?}",
        tally.equal, tally.both_refuse, tally.gaps, tally.unsupported, tally.refusals
    );
    assert!(tally.wrong.is_empty(), "{} wrong\n{}", tally.wrong.len(), tally.wrong.join("\n\n"));
}
