//! One row per finding, the worst first.

use std::io;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::layout::{columns, folded, paragraph};
use super::{Run, Style, closing};
use crate::document::clean;
use crate::finding::Finding;

/// Narrower terminals get a list: names would have to be broken, and cannot be searched for then.
const NARROWEST: usize = 80;
/// Columns that the text of a finding has at least, however long the names beside it are.
const MESSAGE: usize = 24;
/// Columns of the severities, and of the lines and blanks around three columns.
const BESIDE: usize = 8 + 10;

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

/// What is said about a finding.
struct Row {
    severity: &'static str,
    check: &'static str,
    place: String,
    message: String,
    subject: String,
}

/// Writes the table, and what was not assessed and how the run ended below it.
pub(super) fn write(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut findings: Vec<&Finding> = run.assessments.iter().flat_map(|a| &a.findings).collect();
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.order(b)));
    let rows: Vec<Row> = findings.into_iter().map(|finding| row(run, finding)).collect();
    if !rows.is_empty() && style.width >= NARROWEST {
        writeln!(out, "{}\n", table(&rows, style))?;
    } else {
        out.write_all(list(&rows, style).as_bytes())?;
    }
    let mut text = String::new();
    for problem in run.problems {
        let (name, line) = (run.name(problem.at), run.position(problem.at).line);
        let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
        let message = format!("{name}:{line}: {}{help}", problem.message);
        let first = format!("{}: ", problem.state.word());
        paragraph(&first, &message, style.width, &mut text);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    out.write_all(text.as_bytes())?;
    closing::write(run, style, out)
}

fn row(run: &Run<'_>, finding: &Finding) -> Row {
    let at = finding.primary();
    let place = at.map(|at| format!("{}:{}", run.name(at), run.position(at).line));
    Row {
        severity: finding.severity.word(),
        check: finding.check,
        place: place.unwrap_or_default(),
        message: clean(&finding.message),
        subject: clean(&finding.subject.to_string()),
    }
}

/// Names take the columns that they need; what is said wraps in those that are left.
fn table(rows: &[Row], style: Style) -> Table {
    let room = style.width.saturating_sub(BESIDE);
    let title = "check and place";
    let widest = rows.iter().flat_map(|row| [row.check, &row.place]).map(columns).max();
    let names = widest.unwrap_or(0).max(columns(title)).min(room.saturating_sub(MESSAGE));
    let said = room.saturating_sub(names);
    let mut table = plain(u16::try_from(style.width).unwrap_or(u16::MAX));
    table.set_header(["severity", title, "finding"]);
    for row in rows {
        let two = |first: &str, second: &str, width: usize| {
            [folded(first, width), folded(second, width)].concat().join("\n")
        };
        table.add_row([
            row.severity.to_owned(),
            two(row.check, &row.place, names),
            two(&row.message, &row.subject, said),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

fn list(rows: &[Row], style: Style) -> String {
    let mut text = String::new();
    for row in rows {
        paragraph("", &format!("{}: {}", row.severity, row.check), style.width, &mut text);
        for part in [&row.place, &row.message, &row.subject] {
            paragraph("  ", part, style.width, &mut text);
        }
        text.push('\n');
    }
    text
}
