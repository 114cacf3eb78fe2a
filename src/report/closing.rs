//! The end of a report for people: remarks, what was not assessed, what is missing, and the totals.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::layout::{counted, paragraph};
use super::{Run, Style};
use crate::document::{State, clean};
use crate::finding::{Severity, Tally};

/// Entries of a section before it is cut.
const MOST: usize = 12;

/// Writes everything behind the findings.
pub(super) fn write(run: &Run<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = String::new();
    for Section { title, entries, most, .. } in sections(run) {
        text.push_str(&format!("{title}\n"));
        for entry in entries.iter().take(most) {
            paragraph("  - ", entry, style.width, &mut text);
        }
        if let Some(more) = entries.len().checked_sub(most).filter(|more| *more > 0) {
            text.push_str(&format!("  - and {more} more; `--format json` has them all\n"));
        }
        text.push('\n');
    }
    for line in totals(run) {
        paragraph("", &line, style.width, &mut text);
    }
    out.write_all(text.as_bytes())
}

/// A list behind the findings.
pub(super) struct Section {
    /// What is listed.
    pub(super) title: &'static str,
    /// Whether it tells what the report does not cover.
    pub(super) incomplete: bool,
    /// All of it.
    pub(super) entries: Vec<String>,
    /// Entries that a terminal shows.
    most: usize,
}

/// The lists behind the findings that are not empty.
pub(super) fn sections(run: &Run<'_>) -> Vec<Section> {
    let passes = if run.passes { passes(run) } else { Vec::new() };
    let section = |title, incomplete, most, entries| Section { title, incomplete, entries, most };
    let mut sections = vec![
        section("Passed", false, usize::MAX, passes),
        section("Notes", false, MOST, notes(run)),
        section("Not assessed", true, MOST, not_assessed(run)),
        section("Missing from the input", true, MOST, missing(run)),
    ];
    sections.retain(|section| !section.entries.is_empty());
    sections
}

fn passes(run: &Run<'_>) -> Vec<String> {
    let passes = run.assessments.iter().flat_map(|a| &a.passes);
    let mut entries: Vec<String> = passes
        .map(|pass| {
            let (name, line) = (run.name(pass.evidence), run.position(pass.evidence).line);
            format!("{}: {} ({name}:{line})", pass.check, pass.subject)
        })
        .collect();
    entries.dedup();
    entries
}

fn notes(run: &Run<'_>) -> Vec<String> {
    let note = |(at, note): (crate::document::Span, String)| {
        format!("{}:{}: {note}", run.name(at), run.position(at).line)
    };
    run.remarks().into_iter().map(note).collect()
}

/// Open questions, grouped by what would settle them; errors first.
fn not_assessed(run: &Run<'_>) -> Vec<String> {
    let mut reasons: BTreeMap<(bool, &str), (usize, BTreeSet<&str>)> = BTreeMap::new();
    for open in run.assessments.iter().flat_map(|a| &a.not_assessed) {
        let (count, checks) = reasons.entry((!open.error, &*open.reason)).or_default();
        *count += 1;
        checks.insert(open.check);
    }
    let entry = |((unknown, reason), (count, checks)): ((bool, &str), (usize, BTreeSet<&str>))| {
        let sort = if unknown { "" } else { "error: " };
        let mut checks = checks.into_iter();
        let who = match (checks.next(), checks.len()) {
            (Some(check), 0) => format!("`{check}`"),
            (_, more) => counted(more + 1, "check"),
        };
        let often = if count > 1 { format!(", {count} times") } else { String::new() };
        format!("{sort}{reason} ({who}{often})")
    };
    reasons.into_iter().map(entry).collect()
}

/// Files of which nothing was read, and what else should have given objects and did not.
fn missing(run: &Run<'_>) -> Vec<String> {
    let unread = |state| matches!(state, State::Unreadable | State::TooLarge | State::Encrypted);
    let told = |name: &str| run.problems.iter().any(|problem| run.name(problem.at) == name);
    let files = run.reports.iter().filter(|report| unread(report.state) && !told(&report.name));
    let mut entries: Vec<String> = files
        .map(|report| {
            let reason = report.reason.as_deref().unwrap_or_default();
            format!("{}: {}: {reason}", report.state.word(), report.name)
        })
        .collect();
    let mut gaps: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for gap in run.assessments.iter().flat_map(|a| &a.gaps) {
        // What is wrong with a text has been shown at its place.
        let shown = gap.at.is_some_and(|at| run.problems.iter().any(|problem| problem.at == at));
        let file = ["unreadable", "too-large", "encrypted", "unparsable"].contains(&gap.reason);
        if !shown && !file {
            gaps.entry((gap.reason, &gap.hint)).or_default().insert(&gap.what);
        }
    }
    for ((reason, hint), whats) in gaps {
        let names: Vec<&str> = whats.iter().copied().take(3).collect();
        let more = match whats.len().saturating_sub(3) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        entries.push(format!("{reason}: {}{more}; {hint}", names.join(", ")));
    }
    entries
}

/// The totals, and how the run ended.
pub(super) fn totals(run: &Run<'_>) -> Vec<String> {
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    for report in run.reports {
        *states.entry(report.state).or_default() += 1;
    }
    let states: Vec<String> =
        states.iter().map(|(state, count)| format!("{count} {}", state.word())).collect();
    let states =
        if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let objects: usize = run.inventories.iter().map(|i| i.documents.len()).sum();
    let documents = run.inventories.iter().flat_map(|inventory| &inventory.documents);
    let kinds: BTreeSet<(&str, &str)> =
        documents.map(|d| (d.id.group.as_str(), d.id.kind.as_str())).collect();
    // A document without a manifest is looked at, and is no root that anybody knows of.
    let known = run.assessments.iter().filter(|a| a.objects > 0 || !a.gaps.is_empty());
    let roots = known.count();
    let seen = format!(
        "{}{states}, {} of {} in {}",
        counted(run.reports.len(), "file"),
        counted(objects, "object"),
        counted(kinds.len(), "kind"),
        counted(roots, "root"),
    );
    let mut lines = vec![seen];
    outcomes(run, &mut lines);
    let assumed: BTreeSet<String> = run
        .assessments
        .iter()
        .flat_map(|a| &a.assumptions)
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    if !assumed.is_empty() {
        let list: Vec<String> = assumed.into_iter().collect();
        let list = list.join(", ");
        lines.push(format!("assumed: {list}; declare it under `platform` in palisade.yaml"));
    }
    lines.push(format!("exit {}: {}", run.exit.code, run.exit.reason));
    lines
}

fn outcomes(run: &Run<'_>, lines: &mut Vec<String>) {
    let tallies = run.assessments.iter().flat_map(|a| a.tallies.values());
    let tally = tallies.fold(Tally::default(), |sum, tally| sum.plus(*tally));
    let mut by_severity: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in run.assessments.iter().flat_map(|a| &a.findings) {
        *by_severity.entry(finding.severity).or_default() += 1;
    }
    let mut parts: Vec<String> =
        by_severity.iter().rev().map(|(severity, count)| format!("{count} {severity}")).collect();
    let hidden: usize = run.assessments.iter().map(|a| a.hidden).sum();
    if hidden > 0 {
        parts.push(format!("{hidden} hidden"));
    }
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    lines.push(format!("{}{parts}", counted(tally.findings, "finding")));
    apart(run, lines);
    lines.push(format!(
        "{} passed, {} not applicable, {} not assessed, {} ignored",
        tally.passes, tally.not_applicable, tally.not_assessed, tally.ignored,
    ));
}

/// Findings that do not count.
fn apart(run: &Run<'_>, lines: &mut Vec<String>) {
    if run.apart.changed_files {
        let outside: usize = run.assessments.iter().map(|a| a.outside).sum();
        lines.push(format!("{} outside the changed files", counted(outside, "finding")));
    }
    if let Some((name, gone)) = &run.apart.baseline {
        let known: usize = run.assessments.iter().map(|a| a.in_baseline).sum();
        let are = if known == 1 { "is" } else { "are" };
        let gone = match gone {
            0 => String::new(),
            gone => format!("; {gone} of its entries are gone, write it again"),
        };
        let name = clean(name);
        lines.push(format!("{} {are} in the baseline {name}{gone}", counted(known, "finding")));
    }
    let Some(base) = &run.apart.base else { return };
    let known: usize = run.assessments.iter().map(|a| a.in_base).sum();
    let are = if known == 1 { "is" } else { "are" };
    let unread = match run.apart.unread_in_base {
        0 => String::new(),
        1 => "; 1 file there was not read or rendered, and what it held counts as new".to_owned(),
        files => format!(
            "; {files} files there were not read or rendered, and what they held counts as new"
        ),
    };
    lines.push(format!("{} {are} in {} already{unread}", counted(known, "finding"), clean(base)));
}
