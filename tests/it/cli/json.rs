//! JSON: the contract, on every sample.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::program::{check_here, samples};
use crate::support::project;

fn list<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is no list"))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {value}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Demands that an object has exactly these members.
#[track_caller]
fn members(value: &Value, expected: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("{value} is no object"));
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let mut found: Vec<&str> = object.keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

const SUBJECT: [&str; 5] = ["group", "kind", "namespace", "name", "container"];

/// Reports of all samples, valid against the schema.
fn reports(more: &[&str]) -> Vec<(String, Value)> {
    let report = |sample: String| {
        let run = check_here(&[&sample, "-f", "json"]).args(more).run();
        let json = run.json();
        (sample, json)
    };
    samples().into_iter().map(report).collect()
}

#[test]
fn reports_have_the_members_of_the_contract() {
    let mut findings = 0;
    for (sample, report) in reports(&["--passes"]) {
        let top = [
            "schema",
            "tool",
            "inputs",
            "roots",
            "assumptions",
            "coverage",
            "findings",
            "notAssessed",
            "ignored",
            "passes",
            "notes",
            "matrix",
            "checks",
            "exit",
        ];
        members(&report, &top);
        assert_eq!(report["schema"], "palisade.report/v1");
        assert_eq!(report["tool"]["name"], "palisade");
        assert_eq!(report["tool"]["version"], env!("CARGO_PKG_VERSION"));
        members(&report["exit"], &["code", "reason"]);
        for finding in list(&report, "findings") {
            findings += 1;
            members(
                finding,
                &[
                    "check",
                    "layer",
                    "severity",
                    "confidence",
                    "persona",
                    "subject",
                    "affects",
                    "message",
                    "notIn",
                    "help",
                    "url",
                    "controls",
                    "frameworks",
                    "roots",
                    "fingerprint",
                    "labels",
                ],
            );
            members(&finding["subject"], &SUBJECT);
            list(finding, "affects").iter().for_each(|subject| members(subject, &SUBJECT));
            assert!(text(finding, "url").ends_with(&format!("#{}", text(finding, "check"))));
            let print = text(finding, "fingerprint");
            assert!(print.len() == 32 && print.bytes().all(|b| b.is_ascii_hexdigit()), "{print}");
            assert!(!list(finding, "roots").is_empty());
            assert!(!text(finding, "message").is_empty() && !text(finding, "help").is_empty());
        }
        for open in list(&report, "notAssessed") {
            assert!(!text(open, "reason").is_empty());
        }
        for row in list(&report, "matrix") {
            members(&row["subject"], &SUBJECT);
            members(&row["layers"], &["network", "mesh", "gateway", "policy", "application"]);
            // A weakened layer counts if something proves that it acts at all.
            let count = |state: &str| {
                let guards = ["network", "mesh", "gateway"].into_iter();
                guards.filter(|layer| text(&row["layers"][layer], "state") == state).count() as u64
            };
            let (effective, left) = (count("effective"), number(&row["layersLeft"]));
            assert!(left >= effective, "{sample}: {row}");
            assert!(left <= effective + count("weakened"), "{sample}: {row}");
        }
    }
    assert!(findings > 100, "only {findings}");
}

/// Line and column of a byte, from 1, counted in characters: not by the program's own index.
fn place(text: &str, byte: usize) -> (u64, u64) {
    let before = text.get(..byte).expect("a place in the text");
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line as u64 + 1, before[start..].chars().count() as u64 + 1)
}

#[test]
fn every_label_is_where_its_bytes_are() {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut labels = 0;
    for (sample, report) in reports(&[]) {
        for finding in list(&report, "findings") {
            for (i, label) in list(finding, "labels").iter().enumerate() {
                members(label, &["file", "start", "end", "bytes", "primary", "text"]);
                assert_eq!(label["primary"], i == 0, "{sample}: the first is the one to change");
                let file = text(label, "file");
                let content = texts.entry(file.to_owned()).or_insert_with(|| {
                    std::fs::read_to_string(project().join(file)).expect("a file of the project")
                });
                let bytes: Vec<usize> = list(label, "bytes")
                    .iter()
                    .map(|b| usize::try_from(number(b)).expect("an offset"))
                    .collect();
                assert!(bytes[0] <= bytes[1], "{sample}: {label}");
                for (end, byte) in [("start", bytes[0]), ("end", bytes[1])] {
                    let said = (number(&label[end]["line"]), number(&label[end]["column"]));
                    assert_eq!(said, place(content, byte), "{sample}: {end} of {label}");
                }
                assert!(!text(label, "text").is_empty(), "{sample}: {label}");
                labels += 1;
            }
        }
    }
    assert!(labels > 150, "only {labels}");
}

#[test]
fn every_file_of_the_walk_occurs_once_with_its_state() {
    let states = [
        "analysed",
        "not-kubernetes",
        "not-rendered",
        "unreadable",
        "unparsable",
        "too-large",
        "encrypted",
        "excluded",
    ];
    for (sample, report) in reports(&[]) {
        let files = list(&report["inputs"], "files");
        let names: Vec<&str> = files.iter().map(|file| text(file, "file")).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(distinct.len(), names.len(), "{sample}: {names:?}");
        assert!(names.is_sorted(), "{sample}: {names:?}");
        let walked = crate::support::files_below(&project().join(&sample));
        let walked: BTreeSet<String> = walked
            .iter()
            .map(|path| path.strip_prefix(project()).expect("below").to_string_lossy().into_owned())
            .collect();
        assert_eq!(distinct, walked.iter().map(String::as_str).collect(), "{sample}");
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for file in files {
            assert!(states.contains(&text(file, "state")), "{file}");
            *counts.entry(text(file, "state")).or_default() += 1;
        }
        assert_eq!(report["inputs"]["counts"], serde_json::json!(counts), "{sample}");
        let objects: u64 = files.iter().map(|file| number(&file["objects"])).sum();
        let of_roots: u64 =
            list(&report, "roots").iter().map(|root| number(&root["objects"])).sum();
        // A base belongs to every overlay, and is rendered for each of them.
        if sample != "samples/gitops" {
            assert_eq!(objects, of_roots, "{sample}");
        }
    }
}

#[test]
fn the_totals_are_those_of_the_lists() {
    for (sample, report) in reports(&["--passes"]) {
        let total = &report["coverage"]["total"];
        for (key, name) in [
            ("findings", "findings"),
            ("passes", "passes"),
            ("notAssessed", "notAssessed"),
            ("ignored", "ignored"),
        ] {
            assert_eq!(number(&total[key]), list(&report, name).len() as u64, "{sample}: {name}");
            let by_check = report["coverage"]["checks"].as_object().expect("an object");
            let sum: u64 = by_check.values().map(|tally| number(&tally[key])).sum();
            assert_eq!(number(&total[key]), sum, "{sample}: {name} by check");
        }
        let ran: BTreeSet<&str> =
            list(&report, "checks").iter().map(|c| text(c, "check")).collect();
        for name in ["findings", "notAssessed", "passes"] {
            for one in list(&report, name) {
                assert!(
                    ran.contains(text(one, "check")),
                    "{sample}: {one} of a check that did not run"
                );
            }
        }
        for check in list(&report, "checks") {
            members(check, &["check", "engine", "digest"]);
        }
    }
    let (_, without) = reports(&[]).remove(0);
    assert_eq!(list(&without, "passes").len(), 0, "passes are listed on request");
}
