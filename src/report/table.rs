//! One line per finding.

use std::io;

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{Run, Style};
use crate::finding::Finding;

/// Writes the table, the worst findings first, and how the run ended.
pub(super) fn write(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(style.width).unwrap_or(u16::MAX))
        .set_header(["severity", "check", "object", "place", "finding"]);
    table.force_no_tty();
    let mut findings: Vec<&Finding> = run.assessments.iter().flat_map(|a| &a.findings).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in findings {
        let place = finding
            .primary()
            .map_or_else(String::new, |at| format!("{}:{}", run.name(at), run.position(at).line));
        table.add_row([
            finding.severity.word().to_owned(),
            finding.check.to_owned(),
            finding.subject.to_string(),
            place,
            finding.message.clone(),
        ]);
    }
    writeln!(out, "{table}")?;
    for problem in run.problems {
        let (name, line) = (run.name(problem.at), run.position(problem.at).line);
        writeln!(out, "{}: {name}:{line}: {}", problem.state.word(), problem.message)?;
    }
    let open: usize = run.assessments.iter().map(|a| a.not_assessed.len()).sum();
    writeln!(out, "{open} not assessed; exit {}: {}", run.exit.code, run.exit.reason)
}
