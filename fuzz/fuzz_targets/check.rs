//! A whole run with everything on: text, inventory, checks, and the report in every format.
#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use palisade::config::Config;
use palisade::document::{FileId, Files, Inventory};
use palisade::engine::{Settings, assess, conclude};
use palisade::finding::{Assessment, Confidence, Persona, Severity};
use palisade::report::{Apart, Exit, Format, Run, Style, json_schema, write};
use palisade::source::{Loaded, Request, load};

mod places;

/// The directory of this process that holds the one file of a run.
static SCRATCH: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("palisade-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("the directory for temporary files is writable");
    directory
});

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let today = "2026-11-21".parse().expect("a date");
    let config = Config::read(FileId(0), "").expect("an empty configuration is one");
    let mut settings = Settings::new(config, today).expect("it names no check");
    settings.persona = Persona::Auditor;
    settings.min_severity = Severity::Low;
    settings.min_confidence = Confidence::Low;
    settings
});

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&json_schema()).expect("the schema is one"));

fuzz_target!(|bytes: &[u8]| {
    let path = SCRATCH.join(name_for(bytes));
    std::fs::write(&path, bytes).expect("the scratch directory is writable");
    let request = Request { paths: vec![path], include_docs: true, ..Request::default() };
    let Ok(loaded) = load(&request) else { panic!("the file is not found") };
    let inventories: &[Arc<Inventory>] = &loaded.inventories;
    let mut assessments: Vec<Assessment> =
        inventories.iter().map(|inventory| assess(inventory, &SETTINGS)).collect();
    conclude(&mut assessments, inventories, &loaded.files, &SETTINGS);
    for assessment in &assessments {
        sound(assessment, &loaded.files);
    }
    reported(&loaded, &assessments, bytes.len());
});

/// Texts with fences are documents, those with heredocs scripts, all others manifests.
fn name_for(bytes: &[u8]) -> &'static str {
    let has = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    match () {
        () if has(b"```") || has(b"~~~") => "guide.md",
        () if has(b"<<") => "deploy.sh",
        () => "manifest.yaml",
    }
}

fn sound(assessment: &Assessment, files: &Files) {
    assert!(assessment.not_assessed.iter().all(|open| !open.error || open.subject.is_some()));
    let ignored = assessment.ignored.iter().map(|ignored| &ignored.finding);
    for finding in assessment.findings.iter().chain(ignored) {
        assert!(!finding.message.is_empty() && !finding.fingerprint.is_empty());
        for label in &finding.labels {
            let text = files.get(label.span.file).text();
            places::assert_inside(text, label.span.file, label.span, &label.text);
        }
    }
}

fn reported(loaded: &Loaded, assessments: &[Assessment], length: usize) {
    let exit = Exit { code: 0, reason: "clean".to_owned() };
    let run = Run {
        assessments,
        inventories: &loaded.inventories,
        files: &loaded.files,
        reports: &loaded.reports,
        problems: &loaded.problems,
        notes: &loaded.notes,
        settings: &SETTINGS,
        apart: &Apart::default(),
        exit: &exit,
        passes: true,
        strict: length % 2 == 0,
    };
    let style = Style { color: false, links: false, width: 40 + length % 100 };
    let rendered = |format, style| {
        let mut out = Vec::new();
        write(&run, format, style, &mut out).expect("memory takes every byte");
        String::from_utf8(out).expect("a report is UTF-8")
    };
    for format in [Format::Human, Format::Table] {
        let text = rendered(format, style);
        let harmful = text.chars().find(|c| steers(*c));
        assert!(harmful.is_none(), "{harmful:?} reaches the terminal");
        rendered(format, Style { color: true, links: true, ..style });
    }
    let json = rendered(Format::Json, style);
    let json: serde_json::Value = serde_json::from_str(&json).expect("the report is JSON");
    let errors: Vec<String> = SCHEMA.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "the report does not fit its schema: {errors:?}");
    let sarif = rendered(Format::Sarif, style);
    let sarif: serde_json::Value = serde_json::from_str(&sarif).expect("the report is SARIF");
    assert!(sarif["runs"].is_array());
    let gitlab = rendered(Format::Gitlab, style);
    let gitlab: serde_json::Value = serde_json::from_str(&gitlab).expect("the report is JSON");
    assert!(gitlab.is_array());
    for format in [Format::Markdown, Format::Github, Format::Junit, Format::Csv] {
        let text = rendered(format, style).replace("\r\n", "\n");
        let harmful = text.chars().find(|c| steers(*c));
        assert!(harmful.is_none(), "{harmful:?} in {format:?}");
    }
}

/// Whether a character could steer a terminal or hide text.
fn steers(c: char) -> bool {
    let bidirectional =
        matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    c.is_control() && c != '\n' || bidirectional
}
