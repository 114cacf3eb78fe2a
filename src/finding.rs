//! What a run found out: findings, passes, what did not apply, and what was not assessed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::document::{ObjectId, Span};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Hygiene.
    Low,
    /// Weakens a control; another fault is needed.
    Medium,
    /// Removes a whole barrier, or a control claims to protect and does not.
    High,
    /// Alone enough to take over a node or the cluster.
    Critical,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word of outputs and configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Somebody has to look.
    Low,
    /// An object outside the input may change it.
    Medium,
    /// All objects that decide are in the input.
    High,
}

impl Confidence {
    /// Every confidence, the highest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// The word of outputs and the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// The layer of the defence in depth that a finding concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Network policies and Services.
    Network,
    /// Mesh identity, encryption and authorization.
    Mesh,
    /// Gateways, routes and Ingress.
    Gateway,
    /// Admission and policy engines.
    Policy,
    /// The workloads themselves.
    Application,
}

impl Layer {
    /// Every layer, from the wire to the workload.
    pub const ALL: [Self; 5] =
        [Self::Network, Self::Mesh, Self::Gateway, Self::Policy, Self::Application];

    /// The word of outputs and configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Mesh => "mesh",
            Self::Gateway => "gateway",
            Self::Policy => "policy",
            Self::Application => "application",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The first audience at whose level a check speaks; each includes the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Persona {
    /// Act on it.
    Regular,
    /// Opinions on reliability and style.
    Pedantic,
    /// Inventory, and what somebody should look at.
    Auditor,
}

impl Persona {
    /// Every audience, the widest first.
    pub const ALL: [Self; 3] = [Self::Regular, Self::Pedantic, Self::Auditor];

    /// The word of outputs and the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Pedantic => "pedantic",
            Self::Auditor => "auditor",
        }
    }
}

/// A place and what is to be seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The fact at that place.
    pub text: Cow<'static, str>,
}

/// A defect, on one object, with the place to change first among its labels.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Slug of the check.
    pub check: &'static str,
    /// Layer concerned.
    pub layer: Layer,
    /// Severity after configuration.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Audience of the check.
    pub persona: Persona,
    /// The object.
    pub subject: Arc<ObjectId>,
    /// The container, where one is concerned.
    pub container: Option<String>,
    /// Workloads that the finding concerns.
    pub affects: Vec<Arc<ObjectId>>,
    /// Subject, verb, defect.
    pub message: String,
    /// Places, the one to change first.
    pub labels: Vec<Label>,
    /// What to do: one imperative.
    pub help: Cow<'static, str>,
    /// Pod Security controls concerned.
    pub controls: Vec<&'static str>,
    /// What it means for its layer of `affects`.
    pub effect: Effect,
    /// Whether it is one of the settings that an ordinary workload misses by the handful; people
    /// read them together.
    pub hardening: bool,
    /// Whether each place leads to the last one, as the ways in lead to what is exposed.
    pub leads: bool,
    /// Names of the roots in which it was found; the engine fills it in.
    pub roots: Vec<String>,
    /// Names of the roots that hold the object without the defect; the engine fills it in.
    pub not_in: Vec<String>,
    /// Identity that survives moves and re-indentation; the engine fills it in.
    pub fingerprint: String,
}

/// What a finding means for the layer of the workloads that it affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The layer acts, and is weaker.
    Weakens,
    /// A control that claims to act does not.
    Voids,
    /// Nothing acts.
    Absence,
}

/// Most places that one finding shows.
pub const MOST_LABELS: usize = 100;

impl Finding {
    /// Adds a place. The first one added is the place to change. A finding shows at most
    /// [`MOST_LABELS`] of them: its message says how many things it is about.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<Cow<'static, str>>) -> Self {
        let label = Label { span, text: text.into() };
        if self.labels.len() < MOST_LABELS && !self.labels.contains(&label) {
            self.labels.push(label);
        }
        self
    }

    /// Marks that each place leads to the last one.
    #[must_use]
    pub fn leading(self) -> Self {
        Self { leads: true, ..self }
    }

    /// Names the container concerned.
    #[must_use]
    pub fn container(mut self, name: &str) -> Self {
        self.container = Some(name.to_owned());
        self
    }

    /// Names the workloads concerned.
    #[must_use]
    pub fn affects(mut self, workloads: impl IntoIterator<Item = Arc<ObjectId>>) -> Self {
        self.affects.extend(workloads);
        self.affects.sort();
        self.affects.dedup();
        self
    }

    /// Lowers the severity for a case that the check's docs name; never raises it.
    #[must_use]
    pub fn at_most(mut self, severity: Severity) -> Self {
        self.severity = self.severity.min(severity);
        self
    }

    /// Lowers the confidence.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = self.confidence.min(confidence);
        self
    }

    /// Says what to do in this case.
    #[must_use]
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = help.into();
        self
    }

    /// Says which layer the finding concerns, for checks on objects of every layer.
    #[must_use]
    pub const fn layer(mut self, layer: Layer) -> Self {
        self.layer = layer;
        self
    }

    /// Names Pod Security controls.
    #[must_use]
    pub fn controls(mut self, controls: impl IntoIterator<Item = &'static str>) -> Self {
        self.controls.extend(controls);
        self
    }

    /// Says that a control which is present has no effect.
    #[must_use]
    pub const fn voids(mut self) -> Self {
        self.effect = Effect::Voids;
        self
    }

    /// Says that it is a missing setting among others.
    #[must_use]
    pub const fn hardening(mut self) -> Self {
        self.hardening = true;
        self
    }

    /// Says that nothing acts in the layer.
    #[must_use]
    pub const fn absence(mut self) -> Self {
        self.effect = Effect::Absence;
        self
    }

    /// The place to change.
    #[must_use]
    pub fn primary(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }

    /// Order of outputs: by place, then by check and subject.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |f: &Self| (f.primary(), f.check);
        key(self)
            .cmp(&key(other))
            .then_with(|| self.subject.cmp(&other.subject))
            .then_with(|| self.container.cmp(&other.container))
            .then_with(|| self.message.cmp(&other.message))
    }
}

/// A control that works, with what proves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pass {
    /// Slug of the check.
    pub check: &'static str,
    /// The object.
    pub subject: Arc<ObjectId>,
    /// Where the proof is written.
    pub evidence: Span,
}

/// A question that was not answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotAssessed {
    /// Slug of the check.
    pub check: &'static str,
    /// The object, where one is concerned.
    pub subject: Option<Arc<ObjectId>>,
    /// What is missing, and what would settle it.
    pub reason: Arc<str>,
    /// Whether the check failed to run: the run is then incomplete.
    pub error: bool,
}

/// How many outcomes of each sort there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Findings that are shown.
    pub findings: usize,
    /// Passes.
    pub passes: usize,
    /// Subjects to which a check does not apply.
    pub not_applicable: usize,
    /// Open questions.
    pub not_assessed: usize,
    /// Findings that a waiver covers.
    pub ignored: usize,
}

impl Tally {
    /// Sum of two tallies.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            findings: self.findings + other.findings,
            passes: self.passes + other.passes,
            not_applicable: self.not_applicable + other.not_applicable,
            not_assessed: self.not_assessed + other.not_assessed,
            ignored: self.ignored + other.ignored,
        }
    }
}

/// What a layer does for a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CellState {
    /// A pass proves it and no finding takes it back.
    Effective,
    /// It acts, and findings weaken it.
    Weakened,
    /// Something claims to act and does not.
    Void,
    /// Nothing acts.
    Absent,
    /// It could not be told.
    NotAssessed,
}

impl CellState {
    /// The word of outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::Weakened => "weakened",
            Self::Void => "void",
            Self::Absent => "absent",
            Self::NotAssessed => "not-assessed",
        }
    }
}

/// One cell of the defence-in-depth table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Layer.
    pub layer: Layer,
    /// State.
    pub state: CellState,
    /// Slug of the check that decided.
    pub decided_by: Option<&'static str>,
}

/// One row of the defence-in-depth table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The workload.
    pub subject: Arc<ObjectId>,
    /// One cell per layer, in the order of [`Layer::ALL`].
    pub cells: Vec<Cell>,
    /// How many of network, mesh and gateway are proven to act, weakened or not.
    pub layers_left: usize,
}

/// A finding that a waiver covers.
#[derive(Clone, Debug)]
pub struct Ignored {
    /// The finding.
    pub finding: Finding,
    /// The waiver.
    pub waiver: AppliedWaiver,
}

/// What outputs say about the waiver of an ignored finding.
#[derive(Clone, Debug)]
pub struct AppliedWaiver {
    /// How it is spelt: comment, annotation or configuration.
    pub spelling: &'static str,
    /// Whether it stands in the scanned text.
    pub in_source: bool,
    /// Place.
    pub span: Span,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Last valid day.
    pub until: Option<String>,
    /// Who approved it.
    pub approver: Option<String>,
    /// Where it is discussed.
    pub ticket: Option<String>,
}

/// Something that a root should have and has not.
#[derive(Clone, Debug)]
pub struct RootGap {
    /// Why, as a word.
    pub reason: &'static str,
    /// What.
    pub what: String,
    /// Where, if there is a place.
    pub at: Option<Span>,
    /// What to do about it.
    pub hint: String,
}

/// All outcomes of one root, sorted.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Name of the root.
    pub root: String,
    /// What the root is, as a word.
    pub kind: &'static str,
    /// Number of its objects.
    pub objects: usize,
    /// What is missing from it.
    pub gaps: Vec<RootGap>,
    /// What was assumed about the platform, as (name, value).
    pub assumptions: Vec<(&'static str, String)>,
    /// Defects.
    pub findings: Vec<Finding>,
    /// Defects that a waiver covers.
    pub ignored: Vec<Ignored>,
    /// Open questions.
    pub not_assessed: Vec<NotAssessed>,
    /// Proven controls.
    pub passes: Vec<Pass>,
    /// Defence in depth, one row per workload.
    pub matrix: Vec<Row>,
    /// Outcomes per check, every check that ran included.
    pub tallies: std::collections::BTreeMap<&'static str, Tally>,
    /// Findings hidden by `--min-severity`, `--min-confidence` or the persona.
    pub hidden: usize,
    /// Findings that do not touch the changed files, where only those count.
    pub outside: usize,
    /// Findings that the tree has already with which it is compared.
    pub in_base: usize,
    /// Findings that the baseline knows.
    pub in_baseline: usize,
    /// Policies that the API server or an agent refuses, with the place of the reason.
    pub refused: Vec<(Arc<ObjectId>, Span)>,
}
