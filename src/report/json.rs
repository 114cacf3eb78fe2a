//! JSON: the contract `palisade.report/v1`.

mod contract;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::ops::Range;

use serde::Serialize;
use serde_json::ser::{Formatter as _, PrettyFormatter, Serializer};
use serde_json::value::RawValue;

use contract::{
    CellOut, CellStateOut, CheckOut, Coverage, Entries, EvidenceOut, ExitOut, FileOut, FileState,
    FindingOut, GapOut, IgnoredOut, Inputs, LabelOut, NotAssessedOut, NoteOut, PassOut, Point,
    ProblemOut, Report, Root, RowOut, SeverityOut, Subject, TallyOut, Tool, WaiverOut,
};

use super::{Run, url};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::document::{Document, Inventory, ObjectId, Span, State, clean};
use crate::finding::{Assessment, Finding, NotAssessed, RootGap, Severity};

/// The JSON Schema of the report.
///
/// # Panics
/// Never: the schema of a type has a JSON form.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    serde_json::to_value(schemars::schema_for!(Report)).expect("a schema has a JSON form")
}

/// Writes the report.
pub(super) fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let report = report(run);
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    serde_json::to_writer_pretty(&mut out, &report)?;
    writeln!(out)?;
    out.flush()
}

fn report<'r>(run: &'r Run<'r>) -> Report<'r> {
    let assessments = run.assessments;
    let of_roots = assessments.iter().zip(run.inventories).map(|(a, of)| root(run, a, of));
    let passes = assessments.iter().filter(|_| run.passes).flat_map(|assessment| {
        assessment.passes.iter().map(|pass| PassOut {
            check: pass.check,
            subject: subject(&pass.subject, None),
            evidence: EvidenceOut {
                file: run.name(pass.evidence).to_owned(),
                line: run.position(pass.evidence).line,
            },
            root: assessment.root.clone(),
        })
    });
    let not_assessed = assessments.iter().flat_map(|assessment| {
        assessment.not_assessed.iter().map(move |open| (&*assessment.root, open))
    });
    let not_assessed = entries(not_assessed.collect(), |(root, open): &(&str, &NotAssessed)| {
        text(&NotAssessedOut {
            check: open.check,
            subject: open.subject.as_ref().map(|id| subject(id, None)),
            reason: clean(&open.reason),
            error: open.error,
            root: (*root).to_owned(),
        })
    });
    let findings: Vec<&Finding> = assessments.iter().flat_map(|a| &a.findings).collect();
    Report {
        schema: "palisade.report/v1",
        tool: Tool { name: "palisade", version: env!("CARGO_PKG_VERSION") },
        inputs: inputs(run),
        roots: of_roots.collect(),
        assumptions: assumptions(run),
        coverage: coverage(run),
        findings: entries(findings, |found| text(&finding(run, found))),
        not_assessed,
        ignored: ignored(run),
        passes: passes.collect(),
        notes: notes(run),
        matrix: matrix(run),
        checks: checks(run),
        exit: ExitOut { code: run.exit.code, reason: run.exit.reason.clone() },
    }
}

/// A list that is made while it is written.
fn entries<'r, T: Sync + 'r>(
    list: Vec<T>,
    entry: impl Fn(&T) -> serde_json::Result<Box<RawValue>> + Sync + 'r,
) -> Entries<'r> {
    let count = list.len();
    let make = move |share: Range<usize>| {
        list.get(share).unwrap_or_default().par_iter().map(&entry).collect()
    };
    Entries { count, make: Box::new(make) }
}

/// An entry of one of the long lists of the report, as it stands there: they are most of the output,
/// and are written in parallel.
fn text(entry: &impl Serialize) -> serde_json::Result<Box<RawValue>> {
    let mut indented = PrettyFormatter::new();
    for _ in ["the report", "the list"] {
        indented.begin_array(&mut io::sink()).map_err(serde_json::Error::io)?;
    }
    let mut text = Vec::with_capacity(1024);
    entry.serialize(&mut Serializer::with_formatter(&mut text, indented))?;
    let text = std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?;
    // A copy of just its length: thousands of entries are kept.
    RawValue::from_string(text.to_owned())
}

fn root(run: &Run<'_>, assessment: &Assessment, inventory: &Inventory) -> Root {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    // Documents are sorted by identity, the kind first.
    fn kind(document: &Document) -> (&str, &str) {
        (&document.id.group, &document.id.kind)
    }
    for same in inventory.documents.chunk_by(|a, b| kind(a) == kind(b)) {
        let Some((group, kind)) = same.first().map(kind) else { continue };
        let name = if group.is_empty() { kind.to_owned() } else { format!("{group}/{kind}") };
        *kinds.entry(clean(&name)).or_default() += same.len();
    }
    let gap = |gap: &RootGap| GapOut {
        reason: gap.reason,
        what: clean(&gap.what),
        hint: clean(&gap.hint),
        file: gap.at.map(|at| run.name(at).to_owned()),
        line: gap.at.map(|at| run.position(at).line),
    };
    Root {
        name: assessment.root.clone(),
        kind: assessment.kind.to_owned(),
        objects: assessment.objects,
        kinds,
        gaps: assessment.gaps.iter().map(gap).collect(),
    }
}

fn assumptions(run: &Run<'_>) -> BTreeMap<String, String> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in run.assessments.iter().flat_map(|a| &a.assumptions) {
        values.entry(name).or_default().insert(value);
    }
    let joined = |values: BTreeSet<&str>| values.into_iter().collect::<Vec<_>>().join(", ");
    values.into_iter().map(|(name, values)| (name.to_owned(), clean(&joined(values)))).collect()
}

fn inputs(run: &Run<'_>) -> Inputs {
    let mut counts = BTreeMap::new();
    for report in run.reports {
        *counts.entry(report.state.word()).or_default() += 1;
    }
    let file = |report: &crate::source::FileReport| FileOut {
        file: report.name.clone(),
        state: file_state(report.state),
        objects: report.objects,
        not_kubernetes: report.not_kubernetes,
        reason: report.reason.as_deref().map(clean),
    };
    let problem = |problem: &crate::document::Problem| {
        let position = run.position(problem.at);
        ProblemOut {
            file: run.name(problem.at).to_owned(),
            line: position.line,
            column: position.column,
            state: file_state(problem.state),
            message: clean(&problem.message),
            help: problem.help.map(str::to_owned),
        }
    };
    Inputs {
        files: run.reports.iter().map(file).collect(),
        counts,
        problems: run.problems.iter().map(problem).collect(),
    }
}

const fn file_state(state: State) -> FileState {
    match state {
        State::Analysed => FileState::Analysed,
        State::NotKubernetes => FileState::NotKubernetes,
        State::NotRendered => FileState::NotRendered,
        State::Unreadable => FileState::Unreadable,
        State::Unparsable => FileState::Unparsable,
        State::TooLarge => FileState::TooLarge,
        State::Encrypted => FileState::Encrypted,
        State::Excluded => FileState::Excluded,
    }
}

fn coverage(run: &Run<'_>) -> Coverage {
    let mut checks: BTreeMap<&'static str, TallyOut> = BTreeMap::new();
    let mut total = TallyOut::default();
    for (slug, tally) in run.assessments.iter().flat_map(|a| &a.tallies) {
        for sum in [checks.entry(slug).or_default(), &mut total] {
            sum.findings += tally.findings;
            sum.passes += tally.passes;
            sum.not_applicable += tally.not_applicable;
            sum.not_assessed += tally.not_assessed;
            sum.ignored += tally.ignored;
        }
    }
    let sum = |of: fn(&Assessment) -> usize| run.assessments.iter().map(of).sum::<usize>();
    Coverage {
        total,
        checks,
        hidden: sum(|a| a.hidden),
        outside: run.apart.changed_files.then(|| sum(|a| a.outside)),
        in_base: run.apart.base.as_ref().map(|_| sum(|a| a.in_base)),
        in_baseline: run.apart.baseline.as_ref().map(|_| sum(|a| a.in_baseline)),
        baseline_gone: run.apart.baseline.as_ref().map(|(_, gone)| *gone),
    }
}

fn subject(id: &ObjectId, container: Option<&String>) -> Subject {
    Subject {
        group: clean(&id.group),
        kind: clean(&id.kind),
        namespace: clean(&id.namespace),
        name: clean(&id.name),
        container: container.map(|name| clean(name)),
    }
}

fn finding(run: &Run<'_>, finding: &Finding) -> FindingOut {
    let label = |(i, label): (usize, &crate::finding::Label)| LabelOut {
        file: run.name(label.span).to_owned(),
        start: point(run, label.span, label.span.start),
        end: point(run, label.span, label.span.end),
        bytes: [label.span.start, label.span.end],
        primary: i == 0,
        text: clean(&label.text),
    };
    FindingOut {
        check: finding.check,
        layer: finding.layer.word(),
        severity: match finding.severity {
            Severity::Low => SeverityOut::Low,
            Severity::Medium => SeverityOut::Medium,
            Severity::High => SeverityOut::High,
            Severity::Critical => SeverityOut::Critical,
        },
        confidence: finding.confidence.word(),
        persona: finding.persona.word(),
        subject: subject(&finding.subject, finding.container.as_ref()),
        affects: finding.affects.iter().map(|id| subject(id, None)).collect(),
        message: clean(&finding.message),
        help: clean(&finding.help),
        url: url(finding.check),
        controls: finding.controls.clone(),
        frameworks: Vec::new(),
        roots: finding.roots.clone(),
        not_in: finding.not_in.clone(),
        fingerprint: finding.fingerprint.clone(),
        labels: finding.labels.iter().enumerate().map(label).collect(),
    }
}

fn point(run: &Run<'_>, span: Span, offset: u32) -> Point {
    let position = run.files.get(span.file).position(offset);
    Point { line: position.line, column: position.column }
}

fn ignored(run: &Run<'_>) -> Vec<IgnoredOut> {
    let ignored = run.assessments.iter().flat_map(|a| &a.ignored);
    let one = |ignored: &crate::finding::Ignored| {
        let waiver = &ignored.waiver;
        IgnoredOut {
            waiver: WaiverOut {
                spelling: waiver.spelling,
                file: run.name(waiver.span).to_owned(),
                line: run.position(waiver.span).line,
                reason: waiver.reason.clone(),
                owner: waiver.owner.clone(),
                until: waiver.until.clone(),
                approver: waiver.approver.clone(),
                ticket: waiver.ticket.clone(),
            },
            finding: finding(run, &ignored.finding),
        }
    };
    ignored.map(one).collect()
}

fn notes(run: &Run<'_>) -> Vec<NoteOut> {
    let note = |(at, text): (Span, String)| NoteOut {
        file: run.name(at).to_owned(),
        line: run.position(at).line,
        text: clean(&text),
    };
    run.remarks().into_iter().map(note).collect()
}

fn matrix<'r>(run: &'r Run<'r>) -> Entries<'r> {
    use crate::finding::CellState;
    let state = |state: CellState| match state {
        CellState::Effective => CellStateOut::Effective,
        CellState::Weakened => CellStateOut::Weakened,
        CellState::Void => CellStateOut::Void,
        CellState::Absent => CellStateOut::Absent,
        CellState::NotAssessed => CellStateOut::NotAssessed,
    };
    let row = move |root: &str, row: &crate::finding::Row| RowOut {
        subject: subject(&row.subject, None),
        layers: row
            .cells
            .iter()
            .map(|cell| {
                let out = CellOut { state: state(cell.state), decided_by: cell.decided_by };
                (cell.layer.word(), out)
            })
            .collect(),
        layers_left: row.layers_left,
        root: root.to_owned(),
    };
    let rows = run
        .assessments
        .iter()
        .flat_map(|assessment| assessment.matrix.iter().map(move |row| (&*assessment.root, row)));
    entries(rows.collect(), move |(root, one): &(&str, &crate::finding::Row)| text(&row(root, one)))
}

fn checks(run: &Run<'_>) -> Vec<CheckOut> {
    use sha2::{Digest, Sha256};
    let digest = |check: &crate::catalog::Check| {
        let mut hash = Sha256::new();
        for text in [env!("CARGO_PKG_VERSION"), check.slug, check.docs, check.fix] {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    };
    let out = |check: &&'static crate::catalog::Check| CheckOut {
        check: check.slug,
        engine: check.language(),
        digest: digest(check),
    };
    run.settings.enabled().iter().map(out).collect()
}
