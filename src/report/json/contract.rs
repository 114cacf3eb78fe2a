//! The members of the contract, exactly as they are written.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::config::Spelling;
use crate::finding::{Confidence, Layer, Persona};

fn one_of(words: &[&str]) -> Schema {
    json_schema!({"type": "string", "enum": words})
}

fn layers(_: &mut SchemaGenerator) -> Schema {
    one_of(&Layer::ALL.map(Layer::word))
}

fn confidences(_: &mut SchemaGenerator) -> Schema {
    one_of(&Confidence::ALL.map(Confidence::word))
}

fn personas(_: &mut SchemaGenerator) -> Schema {
    one_of(&Persona::ALL.map(Persona::word))
}

fn spellings(_: &mut SchemaGenerator) -> Schema {
    one_of(&Spelling::ALL.map(Spelling::word))
}

/// Entries that are made at a time.
const SHARE: usize = 4_096;

/// Makes the entries of a part of a list.
type Make<'r> = dyn Fn(Range<usize>) -> serde_json::Result<Vec<Box<RawValue>>> + 'r;

/// One of the long lists of the report. They are most of the output: their entries are made in
/// parallel while the list is written, and never kept all at once.
pub(super) struct Entries<'r> {
    pub(super) count: usize,
    pub(super) make: Box<Make<'r>>,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.count))?;
        for start in (0..self.count).step_by(SHARE) {
            let share = start..self.count.min(start + SHARE);
            for entry in (self.make)(share).map_err(S::Error::custom)? {
                list.serialize_element(&entry)?;
            }
        }
        list.end()
    }
}

/// A run.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'r> {
    /// Id of this contract.
    pub(super) schema: &'static str,
    /// Who wrote it.
    pub(super) tool: Tool,
    /// What was looked at.
    pub(super) inputs: Inputs,
    /// Units that were judged each by itself.
    pub(super) roots: Vec<Root>,
    /// What was not declared and had to be assumed; several values where roots differ.
    pub(super) assumptions: BTreeMap<String, String>,
    /// Outcomes in total and per check.
    pub(super) coverage: Coverage,
    /// Defects.
    #[schemars(with = "Vec<FindingOut>")]
    pub(super) findings: Entries<'r>,
    /// Open questions.
    #[schemars(with = "Vec<NotAssessedOut>")]
    pub(super) not_assessed: Entries<'r>,
    /// Defects that a waiver covers.
    pub(super) ignored: Vec<IgnoredOut>,
    /// Proven controls; filled on request.
    pub(super) passes: Vec<PassOut>,
    /// Remarks.
    pub(super) notes: Vec<NoteOut>,
    /// Defence in depth, one row per workload.
    #[schemars(with = "Vec<RowOut>")]
    pub(super) matrix: Entries<'r>,
    /// Checks that ran.
    pub(super) checks: Vec<CheckOut>,
    /// How the run ended.
    pub(super) exit: ExitOut,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Inputs {
    /// Every file that was met, once.
    pub(super) files: Vec<FileOut>,
    /// Number of files by state.
    pub(super) counts: BTreeMap<&'static str, usize>,
    /// Parts that gave no object and should have.
    pub(super) problems: Vec<ProblemOut>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileOut {
    pub(super) file: String,
    pub(super) state: FileState,
    pub(super) objects: usize,
    /// Documents and fences that are no Kubernetes objects and not meant to be.
    pub(super) not_kubernetes: usize,
    pub(super) reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FileState {
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
pub(super) struct ProblemOut {
    pub(super) file: String,
    /// From 1.
    pub(super) line: u32,
    /// In characters, from 1.
    pub(super) column: u32,
    pub(super) state: FileState,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Root {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) objects: usize,
    /// Number of objects by `group/Kind`, or `Kind` in the core group.
    pub(super) kinds: BTreeMap<String, usize>,
    pub(super) gaps: Vec<GapOut>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct GapOut {
    pub(super) reason: &'static str,
    pub(super) what: String,
    pub(super) hint: String,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Coverage {
    pub(super) total: TallyOut,
    pub(super) checks: BTreeMap<&'static str, TallyOut>,
    /// Findings below the thresholds of the command line.
    pub(super) hidden: usize,
    /// Findings that touch no changed file; with `--changed-files` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outside: Option<usize>,
    /// Findings that the earlier tree has, too; with `--diff-base` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_base: Option<usize>,
    /// Findings that the baseline knows; with `--baseline` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_baseline: Option<usize>,
    /// Entries of the baseline that are no longer found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) baseline_gone: Option<usize>,
}

#[derive(Clone, Copy, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TallyOut {
    pub(super) findings: usize,
    pub(super) passes: usize,
    pub(super) not_applicable: usize,
    pub(super) not_assessed: usize,
    pub(super) ignored: usize,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Subject {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) container: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct FindingOut {
    pub(super) check: &'static str,
    #[schemars(schema_with = "layers")]
    pub(super) layer: &'static str,
    pub(super) severity: SeverityOut,
    #[schemars(schema_with = "confidences")]
    pub(super) confidence: &'static str,
    #[schemars(schema_with = "personas")]
    pub(super) persona: &'static str,
    pub(super) subject: Subject,
    /// The workloads concerned.
    pub(super) affects: Vec<Subject>,
    pub(super) message: String,
    pub(super) help: String,
    pub(super) url: String,
    /// Pod Security controls.
    pub(super) controls: Vec<&'static str>,
    pub(super) frameworks: Vec<String>,
    pub(super) roots: Vec<String>,
    /// Names of the roots that hold the object without the defect: an overlay mends it there.
    #[serde(rename = "notIn")]
    pub(super) not_in: Vec<String>,
    pub(super) fingerprint: String,
    /// The place to change first.
    pub(super) labels: Vec<LabelOut>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SeverityOut {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct LabelOut {
    pub(super) file: String,
    pub(super) start: Point,
    pub(super) end: Point,
    /// Byte offsets, the end excluded.
    pub(super) bytes: [u32; 2],
    pub(super) primary: bool,
    pub(super) text: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Point {
    /// From 1.
    pub(super) line: u32,
    /// In characters, from 1.
    pub(super) column: u32,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct NotAssessedOut {
    pub(super) check: &'static str,
    pub(super) subject: Option<Subject>,
    pub(super) reason: String,
    /// Whether the check could not run.
    pub(super) error: bool,
    pub(super) root: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct IgnoredOut {
    pub(super) waiver: WaiverOut,
    #[serde(flatten)]
    pub(super) finding: FindingOut,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct WaiverOut {
    #[schemars(schema_with = "spellings")]
    pub(super) spelling: &'static str,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) reason: String,
    pub(super) owner: Option<String>,
    pub(super) until: Option<String>,
    pub(super) approver: Option<String>,
    pub(super) ticket: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct PassOut {
    pub(super) check: &'static str,
    pub(super) subject: Subject,
    pub(super) evidence: EvidenceOut,
    pub(super) root: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct EvidenceOut {
    pub(super) file: String,
    pub(super) line: u32,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct NoteOut {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) text: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RowOut {
    pub(super) subject: Subject,
    pub(super) layers: BTreeMap<&'static str, CellOut>,
    pub(super) layers_left: usize,
    pub(super) root: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CellOut {
    pub(super) state: CellStateOut,
    pub(super) decided_by: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CellStateOut {
    Effective,
    Weakened,
    Void,
    Absent,
    NotAssessed,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct CheckOut {
    pub(super) check: &'static str,
    pub(super) engine: &'static str,
    /// Hash of the check's metadata and of the version of palisade.
    pub(super) digest: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ExitOut {
    pub(super) code: u8,
    pub(super) reason: String,
}
