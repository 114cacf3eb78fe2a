//! CSV for spreadsheets: one row per finding.

use std::io;

use super::results::{findings, place_of};
use super::{Run, url};
use crate::document::clean;
use crate::finding::{AppliedWaiver, Finding};

/// The columns; docs/formats.md says what they mean.
const HEADER: [&str; 24] = [
    "check",
    "severity",
    "confidence",
    "layer",
    "persona",
    "group",
    "kind",
    "namespace",
    "name",
    "container",
    "file",
    "line",
    "column",
    "message",
    "help",
    "url",
    "roots",
    "fingerprint",
    "suppressed",
    "reason",
    "owner",
    "until",
    "approver",
    "ticket",
];

/// Writes the report.
pub(super) fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut rows =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    rows.write_record(HEADER)?;
    for (finding, waiver) in findings(run) {
        rows.write_record(row(run, finding, waiver).map(|cell| inert(&cell)))?;
    }
    out.write_all(&rows.into_inner().map_err(|error| error.into_error())?)
}

fn row(run: &Run<'_>, finding: &Finding, waiver: Option<&AppliedWaiver>) -> [String; HEADER.len()] {
    let (file, line, column) = match place_of(run, finding) {
        Some((file, line, column)) => (file, line.to_string(), column.to_string()),
        None => Default::default(),
    };
    let of_waiver = |part: fn(&AppliedWaiver) -> Option<&String>| {
        waiver.and_then(part).cloned().unwrap_or_default()
    };
    let subject = &finding.subject;
    [
        finding.check.to_owned(),
        finding.severity.word().to_owned(),
        finding.confidence.word().to_owned(),
        finding.layer.word().to_owned(),
        finding.persona.word().to_owned(),
        subject.group.clone(),
        subject.kind.clone(),
        subject.namespace.clone(),
        subject.name.clone(),
        finding.container.clone().unwrap_or_default(),
        file,
        line,
        column,
        finding.message.clone(),
        finding.help.to_string(),
        url(finding.check),
        finding.roots.join(", "),
        finding.fingerprint.clone(),
        waiver.is_some().to_string(),
        of_waiver(|waiver| Some(&waiver.reason)),
        of_waiver(|waiver| waiver.owner.as_ref()),
        of_waiver(|waiver| waiver.until.as_ref()),
        of_waiver(|waiver| waiver.approver.as_ref()),
        of_waiver(|waiver| waiver.ticket.as_ref()),
    ]
}

/// A cell that no spreadsheet takes for a formula. Wide forms of the characters count for some of them,
/// and blanks before them are not always kept.
fn inert(cell: &str) -> String {
    const STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let text = clean(cell);
    if text.trim_start().starts_with(STARTS) { format!("'{text}") } else { text }
}
