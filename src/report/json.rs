//! JSON: the contract `palisade.report/v1`.

use std::collections::BTreeMap;
use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Run, url};
use crate::document::{ObjectId, Span, State};
use crate::finding::{Finding, Severity};

/// A run.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// Id of this contract.
    schema: &'static str,
    /// Who wrote it.
    tool: Tool,
    /// What was looked at.
    inputs: Inputs,
    /// Units that were judged each by itself.
    roots: Vec<Root>,
    /// What was not declared and had to be assumed.
    assumptions: BTreeMap<String, String>,
    /// Outcomes in total and per check.
    coverage: Coverage,
    /// Defects.
    findings: Vec<FindingOut>,
    /// Open questions.
    not_assessed: Vec<NotAssessedOut>,
    /// Defects that a waiver covers.
    ignored: Vec<IgnoredOut>,
    /// Proven controls; filled on request.
    passes: Vec<PassOut>,
    /// Remarks.
    notes: Vec<NoteOut>,
    /// Defence in depth, one row per workload.
    matrix: Vec<RowOut>,
    /// Checks that ran.
    checks: Vec<CheckOut>,
    /// How the run ended.
    exit: ExitOut,
}

#[derive(Serialize, JsonSchema)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Inputs {
    /// Every file that was met, once.
    files: Vec<FileOut>,
    /// Number of files by state.
    counts: BTreeMap<&'static str, usize>,
    /// Parts that gave no object and should have.
    problems: Vec<ProblemOut>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FileOut {
    file: String,
    state: FileState,
    objects: usize,
    /// Documents and fences that are no Kubernetes objects and not meant to be.
    not_kubernetes: usize,
    reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum FileState {
    Analysed,
    NotKubernetes,
    NotRendered,
    Unreadable,
    Unparsable,
    TooLarge,
    Encrypted,
    Excluded,
}

#[derive(Serialize, JsonSchema)]
struct ProblemOut {
    file: String,
    /// From 1.
    line: u32,
    /// In characters, from 1.
    column: u32,
    state: FileState,
    message: String,
    help: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Root {
    name: String,
    kind: String,
    objects: usize,
    gaps: Vec<GapOut>,
}

#[derive(Serialize, JsonSchema)]
struct GapOut {
    reason: &'static str,
    what: String,
    hint: String,
    file: Option<String>,
    line: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Coverage {
    total: TallyOut,
    checks: BTreeMap<&'static str, TallyOut>,
    /// Findings below the thresholds of the command line.
    hidden: usize,
}

#[derive(Clone, Copy, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TallyOut {
    findings: usize,
    passes: usize,
    not_applicable: usize,
    not_assessed: usize,
    ignored: usize,
}

#[derive(Serialize, JsonSchema)]
struct Subject {
    group: String,
    kind: String,
    namespace: String,
    name: String,
    container: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct FindingOut {
    check: &'static str,
    layer: &'static str,
    severity: SeverityOut,
    confidence: &'static str,
    persona: &'static str,
    subject: Subject,
    /// The workloads concerned.
    affects: Vec<Subject>,
    message: String,
    help: String,
    url: String,
    /// Pod Security controls.
    controls: Vec<&'static str>,
    frameworks: Vec<String>,
    roots: Vec<String>,
    fingerprint: String,
    /// The place to change first.
    labels: Vec<LabelOut>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SeverityOut {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Serialize, JsonSchema)]
struct LabelOut {
    file: String,
    start: Point,
    end: Point,
    /// Byte offsets, the end excluded.
    bytes: [u32; 2],
    primary: bool,
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Point {
    /// From 1.
    line: u32,
    /// In characters, from 1.
    column: u32,
}

#[derive(Serialize, JsonSchema)]
struct NotAssessedOut {
    check: &'static str,
    subject: Option<Subject>,
    reason: String,
    /// Whether the check could not run.
    error: bool,
    root: String,
}

#[derive(Serialize, JsonSchema)]
struct IgnoredOut {
    waiver: WaiverOut,
    #[serde(flatten)]
    finding: FindingOut,
}

#[derive(Serialize, JsonSchema)]
struct WaiverOut {
    spelling: &'static str,
    file: String,
    line: u32,
    reason: String,
    owner: Option<String>,
    until: Option<String>,
    approver: Option<String>,
    ticket: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct PassOut {
    check: &'static str,
    subject: Subject,
    evidence: EvidenceOut,
    root: String,
}

#[derive(Serialize, JsonSchema)]
struct EvidenceOut {
    file: String,
    line: u32,
}

#[derive(Serialize, JsonSchema)]
struct NoteOut {
    file: String,
    line: u32,
    text: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RowOut {
    subject: Subject,
    layers: BTreeMap<&'static str, CellOut>,
    layers_left: usize,
    root: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CellOut {
    state: CellStateOut,
    decided_by: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum CellStateOut {
    Effective,
    Weakened,
    Void,
    Absent,
    NotAssessed,
}

#[derive(Serialize, JsonSchema)]
struct CheckOut {
    check: &'static str,
    engine: &'static str,
    /// Hash of the check's metadata and of the version of palisade.
    digest: String,
}

#[derive(Serialize, JsonSchema)]
struct ExitOut {
    code: u8,
    reason: String,
}

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
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

fn report(run: &Run<'_>) -> Report {
    let assessments = run.assessments;
    let of_roots = assessments.iter().map(|assessment| Root {
        name: assessment.root.clone(),
        kind: assessment.kind.to_owned(),
        objects: assessment.objects,
        gaps: assessment
            .gaps
            .iter()
            .map(|gap| GapOut {
                reason: gap.reason,
                what: gap.what.clone(),
                hint: gap.hint.clone(),
                file: gap.at.map(|at| run.name(at).to_owned()),
                line: gap.at.map(|at| run.position(at).line),
            })
            .collect(),
    });
    let assumptions = assessments.iter().flat_map(|a| &a.assumptions);
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
        assessment.not_assessed.iter().map(|open| NotAssessedOut {
            check: open.check,
            subject: open.subject.as_ref().map(|id| subject(id, None)),
            reason: open.reason.to_string(),
            error: open.error,
            root: assessment.root.clone(),
        })
    });
    Report {
        schema: "palisade.report/v1",
        tool: Tool { name: "palisade", version: env!("CARGO_PKG_VERSION") },
        inputs: inputs(run),
        roots: of_roots.collect(),
        assumptions: assumptions.map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        coverage: coverage(run),
        findings: assessments.iter().flat_map(|a| &a.findings).map(|f| finding(run, f)).collect(),
        not_assessed: not_assessed.collect(),
        ignored: ignored(run),
        passes: passes.collect(),
        notes: notes(run),
        matrix: matrix(run),
        checks: checks(run),
        exit: ExitOut { code: run.exit.code, reason: run.exit.reason.clone() },
    }
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
        reason: report.reason.clone(),
    };
    let problem = |problem: &crate::document::Problem| {
        let position = run.position(problem.at);
        ProblemOut {
            file: run.name(problem.at).to_owned(),
            line: position.line,
            column: position.column,
            state: file_state(problem.state),
            message: problem.message.clone(),
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
    Coverage { total, checks, hidden: run.assessments.iter().map(|a| a.hidden).sum() }
}

fn subject(id: &ObjectId, container: Option<&String>) -> Subject {
    let clean = |text: &str| crate::document::clean(text);
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
        text: label.text.clone(),
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
        message: finding.message.clone(),
        help: finding.help.clone(),
        url: url(finding.check),
        controls: finding.controls.clone(),
        frameworks: Vec::new(),
        roots: finding.roots.clone(),
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
        text,
    };
    run.remarks().into_iter().map(note).collect()
}

fn matrix(run: &Run<'_>) -> Vec<RowOut> {
    use crate::finding::CellState;
    let state = |state| match state {
        CellState::Effective => CellStateOut::Effective,
        CellState::Weakened => CellStateOut::Weakened,
        CellState::Void => CellStateOut::Void,
        CellState::Absent => CellStateOut::Absent,
        CellState::NotAssessed => CellStateOut::NotAssessed,
    };
    let row = |root: &str, row: &crate::finding::Row| RowOut {
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
    let of_root = |a: &crate::finding::Assessment| -> Vec<RowOut> {
        a.matrix.iter().map(|r| row(&a.root, r)).collect()
    };
    run.assessments.iter().flat_map(of_root).collect()
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
        engine: "rust",
        digest: digest(check),
    };
    run.settings.enabled().iter().map(out).collect()
}
