//! SARIF 2.1.0, as GitHub code scanning consumes it.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use super::{Run, url};
use crate::catalog::Check;
use crate::document::Span;
use crate::finding::{AppliedWaiver, Confidence, Finding, Severity};

/// Results of one run that consumers keep.
const MOST_RESULTS: usize = 5_000;
/// Locations of one result that consumers keep.
const MOST_LOCATIONS: usize = 100;

/// Writes the report.
pub(super) fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &log(run))?;
    writeln!(out)
}

fn log(run: &Run<'_>) -> Value {
    let checks = run.settings.enabled();
    let index: BTreeMap<&str, usize> =
        checks.iter().enumerate().map(|(i, check)| (check.slug, i)).collect();
    let mut findings: Vec<(&Finding, Option<&AppliedWaiver>)> = Vec::new();
    for assessment in run.assessments {
        findings.extend(assessment.findings.iter().map(|finding| (finding, None)));
        findings.extend(assessment.ignored.iter().map(|i| (&i.finding, Some(&i.waiver))));
    }
    findings.sort_by(|(a, _), (b, _)| b.severity.cmp(&a.severity).then_with(|| a.order(b)));
    let cut = findings.len().saturating_sub(MOST_RESULTS);
    findings.truncate(MOST_RESULTS);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let results: Vec<Value> = findings
        .iter()
        .map(|(finding, waiver)| {
            let nth = seen.entry(finding.fingerprint.clone()).or_default();
            *nth += 1;
            result(run, finding, *waiver, &index, *nth)
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "palisade",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": checks.iter().map(|check| rule(check)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": "palisade/check"},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {"ROOT": {"description": {"text": "the repository, or what the arguments share"}}},
            "invocations": [{
                "executionSuccessful": !matches!(run.exit.code, 2 | 4),
                "exitCode": run.exit.code,
                "toolExecutionNotifications": notifications(run, cut),
            }],
            "results": results,
        }],
    })
}

fn rule(check: &Check) -> Value {
    json!({
        "id": check.slug,
        "name": check.slug,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": bounded(check.summary(), 1_024)},
        "help": {"text": check.docs, "markdown": check.docs},
        "helpUri": url(check.slug),
        "defaultConfiguration": {"level": level(check.severity)},
        "properties": {
            "tags": ["security", check.layer.word()],
            "precision": "high",
            "security-severity": score(check.severity),
        },
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

fn result(
    run: &Run<'_>,
    finding: &Finding,
    waiver: Option<&AppliedWaiver>,
    index: &BTreeMap<&str, usize>,
    nth: usize,
) -> Value {
    let mut text = finding.message.clone();
    let others = finding.labels.iter().skip(1).take(MOST_LOCATIONS - 1);
    let related: Vec<Value> = others
        .enumerate()
        .map(|(i, label)| {
            let id = i + 1;
            text.push_str(&format!("\n[{}]({id})", escaped(&label.text)));
            let mut place = location(run, label.span);
            if let Some(map) = place.as_object_mut() {
                map.insert("id".to_owned(), json!(id));
                map.insert("message".to_owned(), json!({"text": label.text}));
            }
            place
        })
        .collect();
    if let Some(first) = finding.labels.first() {
        text.push_str(&format!("\n{}", first.text));
    }
    text.push_str(&format!("\nFix: {}.", finding.help));
    let id = &finding.subject;
    let logical = format!("{}/{}/{}/{}", id.group, id.kind, id.namespace, id.name);
    let mut primary = finding.primary().map_or_else(|| json!({}), |at| location(run, at));
    if let Some(map) = primary.as_object_mut() {
        let name = json!([{"fullyQualifiedName": logical, "kind": "resource"}]);
        map.insert("logicalLocations".to_owned(), name);
    }
    let hash = if nth > 1 {
        format!("{}:{nth}", finding.fingerprint)
    } else {
        finding.fingerprint.clone()
    };
    let mut result = json!({
        "ruleId": finding.check,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [primary],
        "relatedLocations": related,
        "partialFingerprints": {"primaryLocationLineHash": hash},
        "properties": {
            "precision": precision(finding.confidence),
            "security-severity": score(finding.severity),
            "layer": finding.layer.word(),
            "roots": finding.roots,
        },
    });
    if let Some(map) = result.as_object_mut() {
        if let Some(index) = index.get(finding.check) {
            map.insert("ruleIndex".to_owned(), json!(index));
        }
        if let Some(waiver) = waiver {
            let kind = if waiver.in_source { "inSource" } else { "external" };
            let entry = json!([{"kind": kind, "justification": waiver.reason, "location": location(run, waiver.span)}]);
            map.insert("suppressions".to_owned(), entry);
        }
    }
    result
}

const fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

/// Square brackets would end the link text.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

fn bounded(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// A place: the lines of the field itself, never of the whole object.
fn location(run: &Run<'_>, span: Span) -> Value {
    let file = run.files.get(span.file);
    let (_, line_end) = file.line_range(file.line_index(span.start));
    let end = span.end.min(line_end).max(span.start);
    let start_line = file.position(span.start).line;
    let start_column = file.utf16_column(span.start);
    let end_column = file.utf16_column(end).max(start_column + 1);
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(file.name()), "uriBaseId": "ROOT"},
        "region": {
            "startLine": start_line,
            "startColumn": start_column,
            "endLine": start_line,
            "endColumn": end_column,
        },
    }})
}

/// A relative URI: everything but unreserved characters and slashes is percent-encoded.
fn uri(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// What was not evaluated, and what was cut.
fn notifications(run: &Run<'_>, cut: usize) -> Vec<Value> {
    let mut list = Vec::new();
    for problem in run.problems {
        let text = format!("{}: {}", problem.state.word(), problem.message);
        let place = location(run, problem.at);
        list.push(json!({"level": "error", "message": {"text": text}, "locations": [place]}));
    }
    let mut reasons: BTreeMap<(&str, &str, bool), usize> = BTreeMap::new();
    for open in run.assessments.iter().flat_map(|a| &a.not_assessed) {
        *reasons.entry((open.check, &*open.reason, open.error)).or_default() += 1;
    }
    for ((check, reason, error), count) in reasons {
        let text = format!("{check} not assessed ({count}): {reason}");
        let level = if error { "error" } else { "note" };
        list.push(json!({
            "level": level,
            "message": {"text": text},
            "associatedRule": {"id": check},
        }));
    }
    for gap in run.assessments.iter().flat_map(|a| &a.gaps) {
        let text = format!("{}: {}; {}", gap.reason, gap.what, gap.hint);
        list.push(json!({"level": "warning", "message": {"text": text}}));
    }
    if cut > 0 {
        let text =
            format!("{cut} results of lower severity were cut: consumers keep {MOST_RESULTS}");
        list.push(json!({"level": "warning", "message": {"text": text}}));
    }
    list
}
