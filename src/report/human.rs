//! The report for people: what is wrong, where, and what to do; then what stands between a workload
//! and its attackers; then what was looked at and what was not.

mod block;
pub(super) mod matrix;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use block::{Block, Place};

use super::{Run, Style, closing, url};
use crate::document::{File, ObjectId, Problem, Span};
use crate::finding::{Finding, Severity};

/// Writes the report.
pub(super) fn write(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    for problem in run.problems {
        out.write_all(of_problem(problem).render(run.files, style).as_bytes())?;
    }
    let mut blocks: Vec<(Severity, Block)> = Vec::new();
    for assessment in run.assessments {
        let (grouped, single) = group(&assessment.findings);
        blocks.extend(single.into_iter().map(|f| (f.severity, of_finding(f))));
        for (subject, findings) in grouped {
            let worst = findings.iter().map(|f| f.severity).max().unwrap_or(Severity::Low);
            blocks.push((worst, of_group(&subject, &findings)));
        }
    }
    // The worst first; inside a severity in the order of the files.
    blocks.sort_by_cached_key(|(severity, block)| (std::cmp::Reverse(*severity), block.order()));
    for (_, block) in blocks {
        out.write_all(block.render(run.files, style).as_bytes())?;
    }
    matrix::write(run, style, out)?;
    closing::write(run, style, out)
}

type Groups<'f> = BTreeMap<Arc<ObjectId>, Vec<&'f Finding>>;

/// Hardening findings are read together, one block per workload that has several.
fn group(findings: &[Finding]) -> (Groups<'_>, Vec<&Finding>) {
    let mut groups: Groups<'_> = BTreeMap::new();
    let mut single = Vec::new();
    for finding in findings {
        if finding.hardening && finding.severity < Severity::Critical {
            groups.entry(Arc::clone(&finding.subject)).or_default().push(finding);
        } else {
            single.push(finding);
        }
    }
    let alone = groups.extract_if(.., |_, findings| settings(findings) == 1);
    single.extend(alone.flat_map(|(_, findings)| findings));
    (groups, single)
}

/// How many settings are missing. A text may show an object twice, and each time is judged, but its
/// settings are missing once.
fn settings(findings: &[&Finding]) -> usize {
    let settings = findings.iter().map(|finding| (finding.check, &finding.container));
    settings.collect::<BTreeSet<_>>().len()
}

fn of_problem(problem: &Problem) -> Block {
    Block {
        slug: format!("error[{}]", problem.state.word()),
        url: None,
        severity: Severity::High,
        headline: problem.message.clone(),
        places: vec![Place { span: problem.at, text: "here".to_owned() }],
        notes: Vec::new(),
        help: problem.help.map(str::to_owned),
    }
}

fn of_finding(finding: &Finding) -> Block {
    let mut notes = Vec::new();
    if finding.confidence < crate::finding::Confidence::High {
        notes.push(format!("confidence is {}", finding.confidence.word()));
    }
    if finding.roots.len() > 1 || !finding.not_in.is_empty() {
        let not_in = match finding.not_in.as_slice() {
            [] => String::new(),
            roots => format!("; not in {}", roots.join(", ")),
        };
        notes.push(format!("found in {}{not_in}", finding.roots.join(", ")));
    }
    if finding.affects.len() > 1 {
        notes.push(format!("concerns {} workloads", finding.affects.len()));
    }
    Block {
        slug: format!("{}[{}]", finding.severity, finding.check),
        url: Some(url(finding.check)),
        severity: finding.severity,
        headline: finding.message.clone(),
        places: finding
            .labels
            .iter()
            .map(|label| Place { span: label.span, text: label.text.to_string() })
            .collect(),
        notes,
        help: Some(finding.help.to_string()),
    }
}

fn of_group(subject: &ObjectId, findings: &[&Finding]) -> Block {
    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Low);
    let mut places: Vec<Place> = Vec::new();
    let mut helps: BTreeMap<&str, &str> = BTreeMap::new();
    for finding in findings {
        let Some(label) = finding.labels.first() else { continue };
        helps.insert(finding.check, &finding.help);
        match places.iter_mut().find(|place| place.span == label.span) {
            Some(place) if place.text.split(", ").any(|slug| slug == finding.check) => {}
            Some(place) => place.text = format!("{}, {}", place.text, finding.check),
            None => places.push(Place { span: label.span, text: finding.check.to_owned() }),
        }
    }
    let helps: Vec<String> = helps.iter().map(|(slug, help)| format!("{slug}: {help}")).collect();
    Block {
        slug: format!("{worst}[hardening]"),
        url: None,
        severity: worst,
        headline: format!("{} misses {} hardening settings", subject.title(), settings(findings)),
        places,
        notes: Vec::new(),
        help: Some(helps.join("\n")),
    }
}

/// One mistake in one text.
pub(super) fn problem(
    file: &File,
    at: Span,
    message: &str,
    help: Option<&str>,
    style: Style,
) -> String {
    let block = Block {
        slug: "error[configuration]".to_owned(),
        url: None,
        severity: Severity::High,
        headline: message.to_owned(),
        places: vec![Place { span: at, text: "here".to_owned() }],
        notes: Vec::new(),
        help: help.map(str::to_owned),
    };
    block.render_in(&|_| file, style)
}
