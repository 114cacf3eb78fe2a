//! What the formats for other programs share: which findings there are, in which order, where, and what
//! tells them apart.

use std::collections::{BTreeMap, BTreeSet};

use super::Run;
use crate::document::{Span, State, clean};
use crate::finding::{AppliedWaiver, Finding, Label, NotAssessed};

/// A finding, and the waiver that covers it.
pub(super) type Found<'r> = (&'r Finding, Option<&'r AppliedWaiver>);

/// Every finding: the worst first, and what is suppressed behind what is not.
pub(super) fn findings<'r>(run: &Run<'r>) -> Vec<Found<'r>> {
    let mut findings: Vec<Found<'_>> = Vec::new();
    for assessment in run.assessments {
        findings.extend(assessment.findings.iter().map(|finding| (finding, None)));
        findings.extend(assessment.ignored.iter().map(|i| (&i.finding, Some(&i.waiver))));
    }
    findings.sort_by(|(a, a_waiver), (b, b_waiver)| {
        let kept = (a_waiver.is_some(), b.severity).cmp(&(b_waiver.is_some(), a.severity));
        kept.then_with(|| a.order(b))
    });
    findings
}

/// The identity of each finding: the fingerprint, where several share it with the root behind it,
/// and with a number where they share that, too.
pub(super) fn identities(findings: &[Found<'_>]) -> Vec<String> {
    let root = |finding: &Finding| finding.roots.first().cloned().unwrap_or_default();
    let mut roots: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (finding, _) in findings {
        roots.entry(&finding.fingerprint).or_default().insert(root(finding));
    }
    let identity = |(finding, _): &Found<'_>| {
        let print = &finding.fingerprint;
        let shared = roots.get(print.as_str()).is_some_and(|roots| roots.len() > 1);
        if shared { format!("{print}:{}", root(finding)) } else { print.clone() }
    };
    numbered(findings.iter().map(identity))
}

/// Names of which each that occurs again gets a number behind it.
pub(super) fn numbered(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut given = BTreeSet::new();
    let mut number = |name: String| {
        let nth = seen.entry(name.clone()).or_default();
        loop {
            *nth += 1;
            let numbered = if *nth > 1 { format!("{name}:{nth}") } else { name.clone() };
            // A name may look like another one with its number.
            if given.insert(numbered.clone()) {
                return numbered;
            }
        }
    };
    names.map(&mut number).collect()
}

/// The places of a finding in files that exist: consumers show nothing of what was rendered.
pub(super) fn shown<'f>(run: &Run<'_>, finding: &'f Finding) -> Vec<&'f Label> {
    let exists = |label: &&Label| !run.files.get(label.span.file).is_rendered();
    let labels: Vec<&Label> = finding.labels.iter().filter(exists).collect();
    if labels.is_empty() { finding.labels.iter().collect() } else { labels }
}

/// File, line and column of a place.
pub(super) type Place = (String, u32, u32);

/// Where a place is.
pub(super) fn place(run: &Run<'_>, at: Span) -> Place {
    let position = run.position(at);
    (run.name(at).to_owned(), position.line, position.column)
}

/// The same, if it is in a file that exists.
pub(super) fn place_in_file(run: &Run<'_>, at: Option<Span>) -> Option<Place> {
    let at = at.filter(|at| !run.files.get(at.file).is_rendered());
    at.map(|at| place(run, at))
}

/// The place to change of a finding, in a file that exists if one of its places is.
pub(super) fn place_of(run: &Run<'_>, finding: &Finding) -> Option<Place> {
    shown(run, finding).first().map(|label| place(run, label.span))
}

/// An input of which not everything was read or rendered: what makes a run incomplete.
pub(super) struct Unread {
    /// What became of it, as a word.
    pub(super) word: &'static str,
    /// The file or root.
    pub(super) name: String,
    /// Where, if there is a place.
    pub(super) at: Option<Span>,
    /// Why, in one line for each reason.
    pub(super) reasons: Vec<String>,
}

/// The files that were not read to the end, and the parts of roots that were not rendered.
pub(super) fn unread(run: &Run<'_>) -> Vec<Unread> {
    let counts = |state: State| state.is_incomplete() || run.strict && state == State::Encrypted;
    let file = |report: &crate::source::FileReport| {
        let problems = run.problems.iter().filter(|p| run.name(p.at) == report.name);
        let mut reasons: Vec<String> = problems
            .clone()
            .map(|problem| {
                let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
                let line = run.position(problem.at).line;
                clean(&format!("line {line}: {}{help}", problem.message))
            })
            .collect();
        if reasons.is_empty() {
            reasons.extend(report.reason.as_deref().map(clean));
        }
        let at = problems.map(|problem| problem.at).next();
        Unread { word: report.state.word(), name: clean(&report.name), at, reasons }
    };
    let files = run.reports.iter().filter(|report| counts(report.state)).map(file);
    let parts = run.inventories.iter().flat_map(|inventory| {
        let counts = |gap: &&crate::document::Gap| {
            gap.reason.is_incomplete() || run.strict && gap.reason.is_elsewhere()
        };
        inventory.gaps.iter().filter(counts).map(|gap| Unread {
            word: gap.reason.word(),
            name: clean(&inventory.name),
            at: gap.at,
            reasons: vec![clean(&format!("{}; {}", gap.what, gap.hint))],
        })
    });
    files.chain(parts).collect()
}

/// Whether an open question makes the run incomplete.
pub(super) fn is_error(run: &Run<'_>, open: &NotAssessed) -> bool {
    open.error || run.strict
}
