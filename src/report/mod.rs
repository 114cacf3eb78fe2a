//! Renderings of a run. None of them computes anything about the objects.

mod closing;
mod csv;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod layout;
mod markdown;
mod results;
mod sarif;
mod snippet;
mod table;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

pub use json::json_schema;
pub(crate) use layout::{counted, paragraph};
pub(crate) use table::plain;

use crate::document::{File, Files, Inventory, Note, Position, Problem, Span, clean};
use crate::engine::Settings;
use crate::finding::Assessment;
use crate::source::FileReport;

/// Where the documentation of a check is found.
#[must_use]
pub fn url(slug: &str) -> String {
    format!("https://palisade.dev/checks#{slug}")
}

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, with source snippets.
    Human,
    /// One line per finding.
    Table,
    /// The contract for programs.
    Json,
    /// SARIF 2.1.0, as code scanning consumes it.
    Sarif,
    /// JUnit XML, a test case per outcome.
    Junit,
    /// Workflow commands that annotate lines in GitHub Actions.
    Github,
    /// GitLab Code Quality.
    Gitlab,
    /// For comments on changes and summaries of jobs.
    Markdown,
    /// One row per finding, for spreadsheets.
    Csv,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Exit code.
    pub code: u8,
    /// Why, for people.
    pub reason: String,
}

/// Why some findings of a run are counted apart.
#[derive(Clone, Debug, Default)]
pub struct Apart {
    /// Whether only findings that touch the changed files count.
    pub changed_files: bool,
    /// The name of the commit whose findings do not count, as written.
    pub base: Option<String>,
    /// How many files of its tree could not be read or rendered to the end.
    pub unread_in_base: usize,
    /// The baseline whose findings do not count, as written, and how many of it are gone.
    pub baseline: Option<(String, usize)>,
}

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether colours are used.
    pub color: bool,
    /// Whether links are written as such.
    pub links: bool,
    /// Width in columns.
    pub width: usize,
}

/// Everything that a report is made from.
#[derive(Debug)]
pub struct Run<'a> {
    /// Outcomes, one entry per root.
    pub assessments: &'a [Assessment],
    /// What they were made from, in the same order.
    pub inventories: &'a [Arc<Inventory>],
    /// Texts.
    pub files: &'a Files,
    /// Every file that was met.
    pub reports: &'a [FileReport],
    /// Parts that gave no object and should have.
    pub problems: &'a [Problem],
    /// Remarks.
    pub notes: &'a [Note],
    /// Settings of the run.
    pub settings: &'a Settings,
    /// What does not count.
    pub apart: &'a Apart,
    /// How it ended.
    pub exit: &'a Exit,
    /// Whether passes are listed.
    pub passes: bool,
    /// Whether what was not assessed makes the run incomplete, too.
    pub strict: bool,
}

impl Run<'_> {
    /// Name of the file of a place.
    fn name(&self, span: Span) -> &str {
        self.files.get(span.file).name()
    }

    /// Line and column of the start of a place.
    fn position(&self, span: Span) -> Position {
        self.files.get(span.file).position(span.start)
    }

    /// Remarks of the reader, and the refused objects; an object of several roots once.
    fn remarks(&self) -> Vec<(Span, String)> {
        let refused = self
            .assessments
            .iter()
            .flat_map(|a| &a.refused)
            .map(|(object, at)| (*at, format!("{object} is refused, so it protects nothing")));
        let notes = self.notes.iter().map(|note| (note.at, note.text.clone()));
        let remarks: BTreeSet<(Span, String)> = notes.chain(refused).collect();
        remarks.into_iter().collect()
    }
}

/// Writes a report.
///
/// # Errors
/// Gives what the writer gives.
pub fn write(
    run: &Run<'_>,
    format: Format,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Human => human::write(run, style, out),
        Format::Table => table::write(run, style, out),
        Format::Json => json::write(run, out),
        Format::Sarif => sarif::write(run, out),
        Format::Junit => junit::write(run, out),
        Format::Github => github::write(run, out),
        Format::Gitlab => gitlab::write(run, out),
        Format::Markdown => markdown::write(run, out),
        Format::Csv => csv::write(run, out),
    }
}

/// A problem of a text as one line, for standard error.
pub(crate) fn problem_line(file: &File, problem: &Problem) -> String {
    let line = file.position(problem.at.start).line;
    let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
    let message = clean(&problem.message);
    format!("{}: {}:{line}: {message}{help}\n", problem.state.word(), file.name())
}

/// A mistake in a text with the line it stands on.
pub(crate) fn problem_block(
    file: &File,
    at: Span,
    message: &str,
    help: Option<&str>,
    style: Style,
) -> String {
    human::problem(file, at, message, help, style)
}
