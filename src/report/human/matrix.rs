//! The defence-in-depth table: what stands between a workload and its attackers.

use std::io;

use comfy_table::{Cell, Color, ColumnConstraint, Table, Width};

use super::super::{Run, Style, counted, paragraph, plain};
use crate::document::clean;
use crate::finding::{CellState, Layer, Row};

/// Lines before the table is cut.
const MOST: usize = 40;
/// Columns that the words of each layer need, a longer one broken at its blank.
const CELLS: [u16; 5] = [9, 9, 9, 9, 11];
/// Columns of the table beside the names of the workloads, and those that a name needs.
const TABLE: usize = 74;
const NAME: usize = 14;

/// Workloads that are told together: of one root and namespace, with the same cells.
struct Line<'r> {
    root: &'r str,
    rows: Vec<&'r Row>,
}

/// Writes the table, or one paragraph for each of its lines where it would not fit.
pub(super) fn write(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let lines = lines(run);
    let Some(first) = lines.first() else { return Ok(()) };
    let many_roots = lines.iter().any(|line| line.root != first.root);
    writeln!(out, "Defence in depth")?;
    let shown = lines.get(..lines.len().min(MOST)).unwrap_or_default();
    if style.width >= TABLE + NAME {
        writeln!(out, "{}", table(shown, many_roots, style))?;
    } else {
        let mut text = String::new();
        shown.iter().for_each(|line| sentence(line, many_roots, style, &mut text));
        out.write_all(text.as_bytes())?;
    }
    if let Some(more) = lines.len().checked_sub(MOST).filter(|more| *more > 0) {
        writeln!(out, "and {}; `--format json` has them all", counted(more, "more line"))?;
    }
    writeln!(out)
}

fn lines<'r>(run: &Run<'r>) -> Vec<Line<'r>> {
    let mut lines: Vec<Line<'r>> = Vec::new();
    for assessment in run.assessments {
        let before = lines.len();
        for row in &assessment.matrix {
            let same = |line: &&mut Line<'_>| {
                line.rows.first().is_some_and(|other| {
                    other.cells == row.cells && other.subject.namespace == row.subject.namespace
                })
            };
            match lines.iter_mut().skip(before).find(same) {
                Some(line) => line.rows.push(row),
                None => lines.push(Line { root: &assessment.root, rows: vec![row] }),
            }
        }
    }
    lines
}

impl Line<'_> {
    fn name(&self, many_roots: bool) -> String {
        let id = self.rows.first().map(|row| &row.subject);
        let mut name = id.map_or_else(String::new, |id| format!("{}/{}", id.namespace, id.name));
        if self.rows.len() > 1 {
            name = format!("{name} and {} more", self.rows.len() - 1);
        }
        clean(&if many_roots { format!("{}: {name}", self.root) } else { name })
    }

    fn cells(&self) -> impl Iterator<Item = (Layer, CellState)> {
        let cells = self.rows.first().into_iter().flat_map(|row| &row.cells);
        cells.map(|cell| (cell.layer, cell.state))
    }

    fn left(&self) -> String {
        let left = self.rows.first().map_or(0, |row| row.layers_left);
        format!("{left} of 3")
    }
}

fn table(lines: &[Line<'_>], many_roots: bool, style: Style) -> Table {
    let mut table = plain(u16::try_from(style.width).unwrap_or(u16::MAX));
    if style.color {
        table.enforce_styling();
    }
    let layers = Layer::ALL.map(Layer::word);
    table.set_header(["workload"].into_iter().chain(layers).chain(["layers left"]));
    for line in lines {
        let cells = line.cells().map(|(_, state)| {
            let text = Cell::new(word(state));
            if style.color { text.fg(color(state)) } else { text }
        });
        let name = Cell::new(line.name(many_roots));
        table.add_row(std::iter::once(name).chain(cells).chain([Cell::new(line.left())]));
    }
    for (column, least) in table.column_iter_mut().skip(1).zip(CELLS) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least + 2)));
    }
    table
}

fn sentence(line: &Line<'_>, many_roots: bool, style: Style, text: &mut String) {
    let cells: Vec<String> =
        line.cells().map(|(layer, state)| format!("{layer} {}", word(state))).collect();
    let name = line.name(many_roots);
    let sentence = format!("{name}: {}; layers left: {}", cells.join(", "), line.left());
    paragraph("  - ", &sentence, style.width, text);
}

fn word(state: CellState) -> String {
    state.word().replace('-', " ")
}

const fn color(state: CellState) -> Color {
    match state {
        CellState::Effective => Color::Green,
        CellState::Weakened => Color::Yellow,
        CellState::Void | CellState::Absent => Color::Red,
        CellState::NotAssessed => Color::Grey,
    }
}
