//! The defence-in-depth table: what stands between a workload and its attackers.

use std::io;

use comfy_table::{Cell, Color, ColumnConstraint, Table};

use super::super::layout::{columns, folded};
use super::super::{Run, Style, counted, paragraph, plain};
use crate::document::clean;
use crate::finding::{CellState, Layer, Row};

/// Lines before the table is cut.
const MOST: usize = 40;
/// The last column, in two lines.
const LEFT: &str = "layers\nleft";
/// Columns that a name of a workload has at least.
const NAME: usize = 14;

/// Workloads that are told together: of one root and namespace, with the same cells.
pub(in crate::report) struct Line<'r> {
    pub(in crate::report) root: &'r str,
    rows: Vec<&'r Row>,
}

/// Writes a table for each root, or one paragraph for each of its lines where it would not fit.
pub(super) fn write(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let lines = lines(run);
    let Some(first) = lines.first() else { return Ok(()) };
    let many_roots = lines.iter().any(|line| line.root != first.root);
    let shown = lines.get(..lines.len().min(MOST)).unwrap_or_default();
    for of_root in shown.chunk_by(|a, b| a.root == b.root) {
        let mut text = String::new();
        let title = match of_root.first().filter(|_| many_roots) {
            Some(line) => format!("Defence in depth of {}", line.root),
            None => "Defence in depth".to_owned(),
        };
        paragraph("", &title, style.width, &mut text);
        match table(of_root, style) {
            Some(table) => text.push_str(&format!("{table}\n")),
            None => of_root.iter().for_each(|line| sentence(line, style, &mut text)),
        }
        writeln!(out, "{text}")?;
    }
    match lines.len().checked_sub(MOST).filter(|more| *more > 0) {
        Some(more) => {
            writeln!(out, "and {}; `--format json` has them all\n", counted(more, "more line"))
        }
        None => Ok(()),
    }
}

/// The lines of the table, of one root after the other.
pub(in crate::report) fn lines<'r>(run: &Run<'r>) -> Vec<Line<'r>> {
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
    pub(in crate::report) fn name(&self) -> String {
        let id = self.rows.first().map(|row| &row.subject);
        let mut name = id.map_or_else(String::new, |id| format!("{}/{}", id.namespace, id.name));
        if self.rows.len() > 1 {
            name = format!("{name} and {} more", self.rows.len() - 1);
        }
        clean(&name)
    }

    pub(in crate::report) fn cells(&self) -> impl Iterator<Item = (Layer, CellState)> {
        let cells = self.rows.first().into_iter().flat_map(|row| &row.cells);
        cells.map(|cell| (cell.layer, cell.state))
    }

    pub(in crate::report) fn left(&self) -> String {
        let left = self.rows.first().map_or(0, |row| row.layers_left);
        format!("{left} of 3")
    }
}

/// The table, if names have room in it. The words of the layers give way to longer names.
fn table(lines: &[Line<'_>], style: Style) -> Option<Table> {
    let most = |texts: &mut dyn Iterator<Item = String>| {
        let parts = texts.flat_map(|text| text.split('\n').map(columns).collect::<Vec<_>>());
        parts.max().unwrap_or(0)
    };
    let names = most(&mut lines.iter().map(Line::name)).max(columns("workload"));
    // Seven columns with a blank on either side, and a line around each.
    let room = |broken: bool| {
        let of_layer = |layer: Layer| {
            let mine = |line: &Line<'_>| {
                line.cells()
                    .filter(|(l, _)| *l == layer)
                    .map(|(_, state)| cell(state, broken))
                    .next()
            };
            let words = lines.iter().filter_map(mine).chain([layer.word().to_owned()]);
            most(&mut words.into_iter())
        };
        let layers: usize = Layer::ALL.into_iter().map(of_layer).sum();
        style.width.checked_sub(layers + most(&mut [LEFT.to_owned()].into_iter()) + 7 * 3 + 1)
    };
    let broken = room(false).is_none_or(|room| room < names);
    let room = room(broken).filter(|room| *room >= NAME.min(names))?;
    let mut table = plain(u16::try_from(style.width).unwrap_or(u16::MAX));
    if style.color {
        table.enforce_styling();
    }
    let layers = Layer::ALL.map(Layer::word);
    table.set_header(["workload"].into_iter().chain(layers).chain([LEFT]));
    for line in lines {
        let cells = line.cells().map(|(_, state)| {
            let text = Cell::new(cell(state, broken));
            if style.color { text.fg(color(state)) } else { text }
        });
        let name = Cell::new(folded(&line.name(), room).join("\n"));
        table.add_row(std::iter::once(name).chain(cells).chain([Cell::new(line.left())]));
    }
    for column in table.column_iter_mut() {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    Some(table)
}

/// The word of a state, in two lines where columns are short.
fn cell(state: CellState, broken: bool) -> String {
    let word = word(state);
    if broken { word.replace(' ', "\n") } else { word }
}

fn sentence(line: &Line<'_>, style: Style, text: &mut String) {
    let cells: Vec<String> =
        line.cells().map(|(layer, state)| format!("{layer} {}", word(state))).collect();
    let (name, left) = (line.name(), line.left());
    let sentence = format!("{name}: {}; layers left: {left}", cells.join(", "));
    paragraph("  - ", &sentence, style.width, text);
}

/// The word of a state, for people.
pub(in crate::report) fn word(state: CellState) -> String {
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
