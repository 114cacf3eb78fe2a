//! One row per finding, the worst first.

use std::io;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{Run, Style, closing, layout};
use crate::document::clean;
use crate::finding::Finding;

/// Widest name of a check that is kept on one line.
const SLUG: usize = 40;

/// A table without colours that fits the width.
pub(crate) fn plain(width: u16) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    table.force_no_tty();
    table
}

/// Writes the table, and what was not assessed and how the run ended below it.
pub(super) fn write(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut findings: Vec<&Finding> = run.assessments.iter().flat_map(|a| &a.findings).collect();
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.order(b)));
    if !findings.is_empty() {
        let mut table = plain(u16::try_from(style.width).unwrap_or(u16::MAX));
        table.set_header(["severity", "check", "place and object", "finding"]);
        let widest = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
        for finding in findings {
            let place = finding.primary().map_or_else(String::new, |at| {
                format!("{}:{}\n", run.name(at), run.position(at).line)
            });
            table.add_row([
                finding.severity.word().to_owned(),
                finding.check.to_owned(),
                format!("{place}{}", clean(&finding.subject.to_string())),
                clean(&finding.message),
            ]);
        }
        // Names that are broken cannot be searched for; a narrow terminal has no room for them.
        if widest <= SLUG && style.width >= 2 * SLUG + 10 {
            for column in table.column_iter_mut().take(2) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        writeln!(out, "{table}\n")?;
    }
    let mut text = String::new();
    for problem in run.problems {
        let (name, line) = (run.name(problem.at), run.position(problem.at).line);
        let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
        let message = format!("{name}:{line}: {}{help}", problem.message);
        let first = format!("{}: ", problem.state.word());
        layout::paragraph(&first, &message, style.width, &mut text);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    out.write_all(text.as_bytes())?;
    closing::write(run, style, out)
}
