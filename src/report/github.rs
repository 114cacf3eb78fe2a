//! Annotations of GitHub Actions: workflow commands, the worst first.

use std::io;

use super::results::{Place, Unread, findings, place_in_file, place_of, shown, unread};
use super::{Run, closing, counted, url};
use crate::document::clean;
use crate::finding::{Finding, Severity};

/// Annotations of one level that GitHub shows for a step.
const MOST: usize = 10;
/// Reasons of a sort that the summary gives.
const MOST_REASONS: usize = 5;
/// Characters of a message; GitHub takes 64 KiB.
const MOST_TEXT: usize = 4_000;

/// The level of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Self::Error,
            Severity::Medium => Self::Warning,
            Severity::Low => Self::Notice,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    /// How many are written: the last notice is the summary.
    const fn most(self) -> usize {
        match self {
            Self::Error | Self::Warning => MOST,
            Self::Notice => MOST - 1,
        }
    }
}

/// Writes the report.
pub(super) fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let found = findings(run);
    let found = found.iter().filter(|(_, waiver)| waiver.is_none());
    let of_findings = found.map(|(finding, _)| (Level::of(finding.severity), of(run, finding)));
    let of_inputs = unread(run);
    let of_inputs = of_inputs.iter().map(|input| (Level::Error, of_input(run, input)));
    let all: Vec<(Level, String)> = of_findings.chain(of_inputs).collect();
    let mut left_out = Vec::new();
    for level in Level::ALL {
        let of_level = || all.iter().filter(|(of, _)| *of == level);
        for (_, command) in of_level().take(level.most()) {
            writeln!(out, "{command}")?;
        }
        match of_level().count().saturating_sub(level.most()) {
            0 => {}
            more => left_out.push(counted(more, level.word())),
        }
    }
    writeln!(out, "{}", summary(run, &left_out))
}

fn of(run: &Run<'_>, finding: &Finding) -> String {
    let labels = shown(run, finding);
    let mut text = clean(&finding.message);
    if let Some(label) = labels.first() {
        text.push_str(&format!("\n{}", clean(&label.text)));
    }
    text.push_str(&format!("\nFix: {}.\n{}", clean(&finding.help), url(finding.check)));
    let title = format!("{}: {}", finding.severity, finding.check);
    command(Level::of(finding.severity), place_of(run, finding), &title, &text)
}

fn of_input(run: &Run<'_>, input: &Unread) -> String {
    let text = format!("{}: {}", input.name, input.reasons.join("\n"));
    command(Level::Error, place_in_file(run, input.at), input.word, &text)
}

/// How much was found, what was left out and where the rest is, how the run ended, and why not
/// everything could be assessed.
fn summary(run: &Run<'_>, left_out: &[String]) -> String {
    let sum = |of: fn(&crate::finding::Assessment) -> usize| -> usize {
        run.assessments.iter().map(of).sum()
    };
    let mut parts = vec![
        counted(sum(|a| a.findings.len()), "finding"),
        format!("{} not assessed", sum(|a| a.not_assessed.len())),
        format!("{} ignored", sum(|a| a.ignored.len())),
    ];
    if !left_out.is_empty() {
        let rest = "`--format markdown` or `--format json` has the rest";
        parts.push(format!("left out here: {}; {rest}", left_out.join(", ")));
    }
    parts.push(format!("exit {}: {}", run.exit.code, run.exit.reason));
    let mut text = clean(&parts.join("; "));
    for section in closing::sections(run).into_iter().filter(|section| section.incomplete) {
        for entry in section.entries.iter().take(MOST_REASONS) {
            text.push_str(&format!("\n{}: {}", section.title, clean(entry)));
        }
        if let Some(more) = section.entries.len().checked_sub(MOST_REASONS).filter(|n| *n > 0) {
            text.push_str(&format!("\n{}: and {more} more", section.title));
        }
    }
    command(Level::Notice, None, "palisade", &text)
}

fn command(level: Level, at: Option<Place>, title: &str, text: &str) -> String {
    let place = at.map(|(file, line, column)| {
        format!("file={},line={line},endLine={line},col={column},", property(&file))
    });
    let text: String = text.chars().take(MOST_TEXT).collect();
    let (place, title) = (place.unwrap_or_default(), property(title));
    format!("::{} {place}title={title}::{}", level.word(), data(&text))
}

/// The text of a command; escaped as `@actions/core` does it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
