//! SARIF 2.1.0, as GitHub code scanning consumes it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::{Value, json};

use super::results::{findings, identities, shown};
use super::{Run, counted, url};
use crate::catalog::Check;
use crate::document::{ObjectId, Span, clean};
use crate::finding::{AppliedWaiver, Confidence, Finding, Label, Severity};

/// Results of one run that consumers keep.
const MOST_RESULTS: usize = 5_000;
/// Locations of one result that consumers keep.
const MOST_LOCATIONS: usize = 100;
/// Characters of a short text that consumers keep.
const MOST_TEXT: usize = 1_024;

/// Writes the report.
pub(super) fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &log(run))?;
    writeln!(out)
}

/// What results refer to.
struct Tables<'r> {
    /// Places of the rules.
    rules: BTreeMap<&'r str, usize>,
    /// API versions of the objects.
    versions: BTreeMap<&'r ObjectId, &'r str>,
}

fn log(run: &Run<'_>) -> Value {
    let checks = run.settings.enabled();
    let documents = run.inventories.iter().flat_map(|inventory| &inventory.documents);
    let tables = Tables {
        rules: checks.iter().enumerate().map(|(i, check)| (check.slug, i)).collect(),
        versions: documents.map(|d| (&*d.id, d.version.as_str())).collect(),
    };
    let mut findings = findings(run);
    let cut = findings.len().saturating_sub(MOST_RESULTS);
    findings.truncate(MOST_RESULTS);
    let hashes = identities(&findings);
    let results: Vec<Value> = findings
        .iter()
        .zip(hashes)
        .map(|((finding, waiver), hash)| result(run, finding, *waiver, &tables, &hash))
        .collect();
    let base = "the repository, or what the arguments share";
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
            "originalUriBaseIds": {"ROOT": {"description": {"text": base}}},
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
    let docs: Vec<&str> =
        check.docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let plain: Vec<&str> =
        docs.iter().map(|line| line.strip_prefix("## ").unwrap_or(line)).collect();
    let summary: Vec<&str> = check.summary().split_whitespace().collect();
    json!({
        "id": check.slug,
        "name": check.slug,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": bounded(&summary.join(" "), MOST_TEXT)},
        "help": {"text": plain.join("\n"), "markdown": docs.join("\n")},
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
    tables: &Tables<'_>,
    hash: &str,
) -> Value {
    let mut text = unlinked(&finding.message);
    let labels = shown(run, finding);
    let others = labels.iter().skip(1).take(MOST_LOCATIONS - 1);
    let related: Vec<Value> = others
        .enumerate()
        .map(|(i, label)| {
            let id = i + 1;
            text.push_str(&format!("\n[{}]({id})", escaped(&label.text)));
            let mut place = location(run, label.span);
            if let Some(map) = place.as_object_mut() {
                map.insert("id".to_owned(), json!(id));
                map.insert("message".to_owned(), json!({"text": unlinked(&label.text)}));
            }
            place
        })
        .collect();
    if let Some(first) = finding.labels.first() {
        text.push_str(&format!("\n{}", unlinked(&first.text)));
        let file = run.files.get(first.span.file);
        if file.is_rendered() {
            let (start, end) = file.line_range(file.line_index(first.span.start));
            let line = file.text().get(start as usize..end as usize).unwrap_or_default();
            text.push_str(&format!("\nRendered: {}", unlinked(line.trim())));
        }
    }
    text.push_str(&format!("\nFix: {}.", unlinked(&finding.help)));
    let at = labels.first().map(|label| label.span);
    let mut primary = at.map_or_else(|| json!({}), |at| location(run, at));
    if let Some(map) = primary.as_object_mut() {
        let name = logical(&finding.subject, tables);
        let name = json!([{"fullyQualifiedName": name, "kind": "resource"}]);
        map.insert("logicalLocations".to_owned(), name);
    }
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
        if let Some(index) = tables.rules.get(finding.check) {
            map.insert("ruleIndex".to_owned(), json!(index));
        }
        if finding.leads {
            map.insert("codeFlows".to_owned(), code_flows(run, finding));
        }
        if let Some(waiver) = waiver {
            map.insert("suppressions".to_owned(), json!([suppression(run, waiver)]));
        }
    }
    result
}

/// A path for each way in: from where it opens to what the last place shows.
fn code_flows(run: &Run<'_>, finding: &Finding) -> Value {
    let Some((last, ways)) = finding.labels.split_last() else { return json!([]) };
    let hop = |label: &Label| {
        let mut place = location(run, label.span);
        if let Some(map) = place.as_object_mut() {
            map.insert("message".to_owned(), json!({"text": unlinked(&label.text)}));
        }
        json!({"location": place})
    };
    let flow = |way: &Label| json!({"threadFlows": [{"locations": [hop(way), hop(last)]}]});
    ways.iter().take(MOST_LOCATIONS).map(flow).collect()
}

fn suppression(run: &Run<'_>, waiver: &AppliedWaiver) -> Value {
    json!({
        "kind": if waiver.in_source { "inSource" } else { "external" },
        "status": "accepted",
        "justification": waiver.reason,
        "location": location(run, waiver.span),
        "properties": {
            "spelling": waiver.spelling,
            "owner": waiver.owner,
            "until": waiver.until,
            "approver": waiver.approver,
            "ticket": waiver.ticket,
        },
    })
}

/// `apps/v1/Deployment/namespace/name`; what an object does not have is left out.
fn logical(id: &ObjectId, tables: &Tables<'_>) -> String {
    let version = tables.versions.get(id).copied().unwrap_or_default();
    let parts = [&id.group, version, &id.kind, &id.namespace, &id.name];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).map(clean).collect();
    parts.join("/")
}

const fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

/// The text of a link: square brackets would end it.
fn escaped(text: &str) -> String {
    clean(text).replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

/// Text in which a name cannot make a link of its own.
fn unlinked(text: &str) -> String {
    clean(text).replace("](", "] (")
}

fn bounded(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// A place: the first line of the field itself, never the whole object.
fn location(run: &Run<'_>, span: Span) -> Value {
    let file = run.files.get(span.file);
    let (start, line_end) = file.line_range(file.line_index(span.start));
    let line = file.text().get(start as usize..line_end as usize).unwrap_or_default();
    // A carriage return is part of the line break.
    let line_end = line_end - u32::from(line.ends_with('\r'));
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
        let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
        let text = clean(&format!("{}: {}{help}", problem.state.word(), problem.message));
        let place = location(run, problem.at);
        list.push(json!({"level": "error", "message": {"text": text}, "locations": [place]}));
    }
    let mut reasons: BTreeMap<(&str, &str, bool), usize> = BTreeMap::new();
    for open in run.assessments.iter().flat_map(|a| &a.not_assessed) {
        *reasons.entry((open.check, &*open.reason, open.error)).or_default() += 1;
    }
    for ((check, reason, error), count) in reasons {
        let often = if count > 1 { format!(" ({count} times)") } else { String::new() };
        let text = clean(&format!("{check} not assessed{often}: {reason}"));
        let level = if error { "error" } else { "note" };
        list.push(json!({
            "level": level,
            "message": {"text": text},
            "associatedRule": {"id": check},
        }));
    }
    let told = |at: Option<Span>| at.is_some_and(|at| run.problems.iter().any(|p| p.at == at));
    let gaps: BTreeSet<String> = run
        .assessments
        .iter()
        .flat_map(|a| &a.gaps)
        .filter(|gap| !told(gap.at))
        .map(|gap| clean(&format!("{}: {}; {}", gap.reason, gap.what, gap.hint)))
        .collect();
    list.extend(gaps.iter().map(|text| json!({"level": "warning", "message": {"text": text}})));
    if cut > 0 {
        let was = if cut == 1 { "was" } else { "were" };
        let results = counted(cut, "result");
        let text = format!("{results} of lower severity {was} cut: consumers keep {MOST_RESULTS}");
        list.push(json!({"level": "warning", "message": {"text": text}}));
    }
    list
}
