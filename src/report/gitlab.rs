//! GitLab Code Quality: a list of places. What is no finding has the severity `info`.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use super::Run;
use super::results::{Place, findings, identities, numbered, place_in_file, place_of, unread};
use crate::document::{Document, ObjectId, Span, clean};
use crate::finding::{Finding, Severity};

/// Writes the report.
pub(super) fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let entries: Vec<Value> = of_findings(run).into_iter().chain(of_gaps(run)).collect();
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)
}

fn of_findings(run: &Run<'_>) -> Vec<Value> {
    let mut found = findings(run);
    // The format has no place for a finding that somebody accepted.
    found.retain(|(_, waiver)| waiver.is_none());
    let of = |((finding, _), identity): (&(&Finding, _), String)| {
        let (path, line) = location(place_of(run, finding), ".");
        let text = format!("{}. Fix: {}.", finding.message, finding.help);
        entry(finding.check, &text, severity(finding.severity), identity, &path, line)
    };
    found.iter().zip(identities(&found)).map(of).collect()
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
    }
}

/// What is told beside the findings.
struct Told {
    word: &'static str,
    text: String,
    path: String,
    line: u32,
}

/// What was not read, what was not assessed, and remarks.
fn of_gaps(run: &Run<'_>) -> Vec<Value> {
    let mut told: Vec<Told> = Vec::new();
    for input in unread(run) {
        let (path, line) = location(place_in_file(run, input.at), &input.name);
        let text = format!("{}: {}: {}", input.word, input.name, input.reasons.join("; "));
        told.push(Told { word: input.word, text, path, line });
    }
    for (assessment, inventory) in run.assessments.iter().zip(run.inventories) {
        // What was rendered stands in no file; what rendered it does.
        let head = |document: &Document| match &document.rendering {
            Some(rendering) => rendering.by,
            None => document.head,
        };
        let heads: BTreeMap<&ObjectId, Span> =
            inventory.documents.iter().map(|d| (&*d.id, head(d))).collect();
        for open in &assessment.not_assessed {
            let head = open.subject.as_ref().and_then(|id| heads.get(&**id)).copied();
            let (path, line) = location(place_in_file(run, head), &assessment.root);
            let subject = open.subject.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
            let text = format!("not assessed: {subject}{}", open.reason);
            told.push(Told { word: open.check, text, path, line });
        }
    }
    for (at, text) in run.remarks() {
        let (path, line) = location(place_in_file(run, Some(at)), ".");
        told.push(Told { word: "note", text, path, line });
    }
    // No line: what moves in its file is the same.
    let names = told.iter().map(|told| digest(&[told.word, &told.path, &told.text]));
    let prints = numbered(names);
    let of = |(told, print): (Told, String)| {
        entry(told.word, &told.text, "info", print, &told.path, told.line)
    };
    told.into_iter().zip(prints).map(of).collect()
}

fn entry(
    check: &str,
    text: &str,
    severity: &str,
    fingerprint: String,
    path: &str,
    line: u32,
) -> Value {
    json!({
        "description": clean(text),
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    })
}

/// Path and line of a place; a path alone where there is none.
fn location(place: Option<Place>, path: &str) -> (String, u32) {
    place.map_or_else(|| (path.to_owned(), 1), |(path, line, _)| (path, line))
}

fn digest(parts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
