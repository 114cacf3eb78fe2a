//! Every check against its fixture.

use std::collections::BTreeSet;
use std::path::PathBuf;

use palisade::document::{File, FileId, KindSet};
use palisade::engine::{catalog, kinds_touched};
use palisade::finding::NotAssessed;
use palisade::fixture::{differences, expectations};

use crate::support::{LibraryRun, judge, judge_with, project};

/// The fixtures: `tests/checks/<slug>.yaml`, or a directory `tests/checks/<slug>/`.
fn fixtures() -> Vec<(String, PathBuf)> {
    let directory = project().join("tests/checks");
    let mut fixtures: Vec<(String, PathBuf)> = std::fs::read_dir(&directory)
        .expect("tests/checks is there")
        .map(|entry| entry.expect("readable").path())
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), path))
        .collect();
    fixtures.sort();
    fixtures
}

/// Only this fixture, for whoever writes it: `PALISADE_FIXTURE=<slug> cargo test fixture`.
fn wanted(slug: &str) -> bool {
    std::env::var("PALISADE_FIXTURE").map_or(true, |only| only == slug)
}

/// The text of a fixture. Redaction overwrites a file inside a value together with its comments, so
/// the text on disk is asked. The configuration is given apart from the files of its directory.
fn written(file: &File) -> String {
    let (name, text) = (file.name(), || file.text().to_owned());
    match name.starts_with("tests/checks/") {
        true if name.ends_with("/palisade.yaml") => String::new(),
        true => std::fs::read_to_string(project().join(name)).unwrap_or_else(|_| text()),
        false => text(),
    }
}

/// Where the name of the subject of an open question stands.
fn head(run: &LibraryRun, open: &NotAssessed) -> Option<(FileId, u32)> {
    let subject = open.subject.as_ref()?;
    let mut documents = run.loaded.inventories.iter().flat_map(|inventory| &inventory.documents);
    let named = documents.clone().find(|document| document.id == *subject);
    // A namespace without an object stands where its first object does.
    let document = named.or_else(|| documents.find(|d| d.id.namespace == subject.name))?;
    let head = document.head;
    Some((head.file, run.loaded.files.get(head.file).position(head.start).line))
}

#[test]
fn every_fixture_gives_what_it_expects_of_its_check() {
    let catalog = catalog();
    let mut problems = Vec::new();
    for (slug, path) in fixtures() {
        if !wanted(&slug) {
            continue;
        }
        // Alone: a more exact check would speak instead of it. Waivers need what they are for.
        let only: &[&str] = if slug.starts_with("waiver-") { &[] } else { &[&slug] };
        let run = judge_with(std::slice::from_ref(&path), only);
        let files = &run.loaded.files;
        let ids = (0..files.len()).map(|i| FileId(u32::try_from(i).expect("few files")));
        let mut expected = Vec::new();
        for id in ids {
            expected.extend(expectations(id, &written(files.get(id))));
        }
        let found = differences(&slug, &expected, &run.assessments, files, |open| head(&run, open));
        problems.extend(found.into_iter().map(|line| format!("{slug}: {line}")));
        if !expected.iter().any(|e| !e.not_assessed) {
            problems.push(format!("{slug}: the fixture expects no finding"));
        }
        let Some(check) = catalog.get(&slug) else {
            problems.push(format!("{slug}: no check has this name"));
            continue;
        };
        if !has_clean_case(&run, &slug, check.voices.is_empty()) {
            problems.push(format!("{slug}: the fixture has no clean case"));
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// A clean case is a pass; checks that only word what others noticed have an object without one.
fn has_clean_case(run: &LibraryRun, slug: &str, passes: bool) -> bool {
    if passes && !slug.starts_with("waiver-") {
        return run.assessments.iter().flat_map(|a| &a.passes).any(|pass| pass.check == slug);
    }
    let subjects: BTreeSet<_> = run
        .assessments
        .iter()
        .flat_map(|a| &a.findings)
        .filter(|finding| finding.check == slug)
        .map(|finding| &finding.subject)
        .collect();
    let mut documents = run.loaded.inventories.iter().flat_map(|inventory| &inventory.documents);
    documents.any(|document| !subjects.contains(&document.id))
}

#[test]
fn every_check_has_a_fixture() {
    let have: BTreeSet<String> = fixtures().into_iter().map(|(slug, _)| slug).collect();
    let catalog = catalog();
    let checks = catalog.checks().iter().map(|check| check.slug.to_owned());
    let missing: Vec<String> = checks.filter(|slug| !have.contains(slug)).collect();
    assert!(missing.is_empty(), "checks without a fixture: {missing:?}");
}

#[test]
fn checks_ask_for_the_kinds_that_they_declare_and_no_others() {
    let catalog = catalog();
    let mut problems = Vec::new();
    for check in catalog.checks() {
        let mut touched = KindSet::default();
        for (slug, path) in fixtures().into_iter().filter(|(slug, _)| slug == check.slug) {
            let run = judge(std::slice::from_ref(&path));
            for inventory in &run.loaded.inventories {
                touched = touched.union(kinds_touched(check, inventory, &run.settings));
            }
            let _ = slug;
        }
        let raised_by_engine = check.slug.starts_with("waiver-");
        let undeclared: Vec<_> = touched.iter().filter(|k| !check.reads.contains(*k)).collect();
        let unasked: Vec<_> = check.reads.iter().filter(|k| !touched.contains(*k)).collect();
        if !undeclared.is_empty() {
            problems.push(format!("{} reads {undeclared:?} without saying so", check.slug));
        }
        if !unasked.is_empty() && !raised_by_engine {
            problems.push(format!("{} says it reads {unasked:?} and does not", check.slug));
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}
