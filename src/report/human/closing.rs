//! The end of the report: the defence-in-depth table, what was not assessed, and the totals.

use std::collections::BTreeMap;
use std::io;

use comfy_table::{Cell, Color, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::super::{Run, Style};
use crate::document::State;
use crate::finding::{CellState, Layer, Row, Severity};

/// Writes everything behind the findings.
pub(super) fn write(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    matrix(run, style, out)?;
    notes(run, out)?;
    not_assessed(run, out)?;
    gaps(run, out)?;
    totals(run, out)
}

/// Workloads of one namespace with the same cells are one line of the table.
fn matrix(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    /// Lines before the table is cut.
    const MOST: usize = 40;
    let rows: Vec<&Row> = run.assessments.iter().flat_map(|a| &a.matrix).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let mut folded: Vec<(Vec<&Row>, String)> = Vec::new();
    for row in rows {
        let same = |other: &Row| {
            other.cells == row.cells && other.subject.namespace == row.subject.namespace
        };
        match folded.iter_mut().find(|(rows, _)| rows.first().is_some_and(|other| same(other))) {
            Some((rows, _)) => rows.push(row),
            None => folded.push((vec![row], row.subject.namespace.clone())),
        }
    }
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(style.width).unwrap_or(u16::MAX));
    if style.color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let layers = Layer::ALL.map(Layer::word);
    table.set_header(["workload"].into_iter().chain(layers).chain(["layers left"]));
    for (rows, namespace) in folded.iter().take(MOST) {
        let Some(first) = rows.first() else { continue };
        let name = match rows.len() {
            1 => format!("{namespace}/{}", first.subject.name),
            many => format!("{namespace}/{} and {} more", first.subject.name, many - 1),
        };
        let cells = first.cells.iter().map(|cell| {
            let cell_text = Cell::new(cell.state.word());
            if style.color { cell_text.fg(color(cell.state)) } else { cell_text }
        });
        let left = Cell::new(format!("{} of 3", first.layers_left));
        table.add_row(std::iter::once(Cell::new(name)).chain(cells).chain([left]));
    }
    writeln!(out, "Defence in depth")?;
    writeln!(out, "{table}")?;
    if let Some(more) = folded.len().checked_sub(MOST).filter(|more| *more > 0) {
        writeln!(out, "and {more} more lines; `--format json` has them all")?;
    }
    writeln!(out)
}

const fn color(state: CellState) -> Color {
    match state {
        CellState::Effective => Color::Green,
        CellState::Weakened => Color::Yellow,
        CellState::Void | CellState::Absent => Color::Red,
        CellState::NotAssessed => Color::Grey,
    }
}

fn notes(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for (at, text) in run.remarks() {
        writeln!(out, "note: {}:{}: {text}", run.name(at), run.position(at).line)?;
    }
    Ok(())
}

/// Open questions, grouped by what would settle them.
fn not_assessed(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    /// Reasons that are listed one by one.
    const MOST: usize = 12;
    let mut reasons: BTreeMap<(bool, &str), (usize, Vec<&str>)> = BTreeMap::new();
    for open in run.assessments.iter().flat_map(|a| &a.not_assessed) {
        let entry = reasons.entry((!open.error, &*open.reason)).or_default();
        entry.0 += 1;
        if !entry.1.contains(&open.check) {
            entry.1.push(open.check);
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "Not assessed")?;
    let many = reasons.len();
    for ((settled, reason), (count, checks)) in reasons.into_iter().take(MOST) {
        let sort = if settled { "" } else { "error: " };
        let checks = match checks.as_slice() {
            [one] => format!("`{one}`"),
            several => format!("{} checks", several.len()),
        };
        writeln!(out, "  {sort}{reason} ({checks}, {count}x)")?;
    }
    if many > MOST {
        writeln!(out, "  and {} more reasons; `--format json` has them all", many - MOST)?;
    }
    writeln!(out)
}

fn gaps(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let unseen = run.reports.iter().filter(|report| {
        matches!(report.state, State::Unreadable | State::TooLarge | State::Encrypted)
    });
    for report in unseen {
        let reason = report.reason.as_deref().unwrap_or_default();
        writeln!(out, "{}: {}: {reason}", report.state.word(), report.name)?;
    }
    let mut rendered: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for gap in run.assessments.iter().flat_map(|a| &a.gaps) {
        if gap.reason == "template-not-rendered" && gap.at.is_none() {
            *rendered.entry((&gap.what, &gap.hint)).or_default() += 1;
        }
    }
    for ((what, hint), _) in rendered {
        writeln!(out, "not rendered: {what}; {hint}")?;
    }
    Ok(())
}

fn totals(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let tally = run
        .assessments
        .iter()
        .flat_map(|a| a.tallies.values())
        .fold(crate::finding::Tally::default(), |sum, tally| sum.plus(*tally));
    let objects: usize = run.reports.iter().map(|report| report.objects).sum();
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    for report in run.reports {
        *states.entry(report.state).or_default() += 1;
    }
    let states: Vec<String> =
        states.iter().map(|(state, count)| format!("{count} {}", state.word())).collect();
    let roots = run.assessments.len();
    let (files, state_list) = (run.reports.len(), states.join(", "));
    writeln!(
        out,
        "{files} {} ({state_list}), {objects} {} in {roots} {}",
        plural("file", files),
        plural("object", objects),
        plural("root", roots)
    )?;
    let findings = run.assessments.iter().flat_map(|a| &a.findings);
    let mut by_severity: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in findings {
        *by_severity.entry(finding.severity).or_default() += 1;
    }
    let severities: Vec<String> =
        by_severity.iter().rev().map(|(severity, count)| format!("{count} {severity}")).collect();
    let severities =
        if severities.is_empty() { String::new() } else { format!(" ({})", severities.join(", ")) };
    let hidden: usize = run.assessments.iter().map(|a| a.hidden).sum();
    let hidden = if hidden > 0 { format!(", {hidden} hidden") } else { String::new() };
    writeln!(
        out,
        "{} {}{severities}, {} passed, {} not applicable, {} not assessed, {} ignored{hidden}",
        tally.findings,
        plural("finding", tally.findings),
        tally.passes,
        tally.not_applicable,
        tally.not_assessed,
        tally.ignored,
    )?;
    let mut assumed: Vec<String> = Vec::new();
    for (name, value) in run.assessments.iter().flat_map(|a| &a.assumptions) {
        let text = format!("{name} = {value}");
        if !assumed.contains(&text) {
            assumed.push(text);
        }
    }
    if !assumed.is_empty() {
        let list = assumed.join(", ");
        writeln!(out, "assumed: {list}; declare it under `platform` in palisade.yaml")?;
    }
    writeln!(out, "exit {}: {}", run.exit.code, run.exit.reason)
}

fn plural(word: &str, count: usize) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
