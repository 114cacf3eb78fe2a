//! What a check is: metadata, and a function over facts.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Profile;
use crate::document::{Defect, DefectKind, Kind, KindSet, ObjectId, Span};
use crate::finding::{Confidence, Effect, Finding, Layer, NotAssessed, Pass, Persona, Severity};
use crate::model::View;
use crate::model::pod_security::{Level, Version};
use crate::reach::ReachView;

/// The part of a check in the defence-in-depth table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellRole {
    /// Its passes make its layer effective.
    Decides,
    /// Only its findings count.
    Judges,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A list of strings.
    Texts,
    /// A list of `source -> destination`.
    Pairs,
    /// A number of at least one.
    Number,
}

/// A parameter that palisade.yaml may set under `checks.<slug>.params`.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: ParamKind,
    /// Meaning and default.
    pub doc: &'static str,
}

/// A check: the same for Rust and for Rego.
#[derive(Debug)]
pub struct Check {
    /// Its only identity.
    pub slug: &'static str,
    /// The defect in a few words.
    pub title: &'static str,
    /// Documentation in Markdown.
    pub docs: &'static str,
    /// Layer of its findings.
    pub layer: Layer,
    /// Its part in the defence-in-depth table.
    pub cell: CellRole,
    /// Severity unless configured otherwise.
    pub severity: Severity,
    /// Audience.
    pub persona: Persona,
    /// Kinds that it asks for.
    pub reads: KindSet,
    /// Defects that it words.
    pub voices: &'static [DefectKind],
    /// Parameters.
    pub params: &'static [Param],
    /// What to do: one imperative.
    pub fix: &'static str,
    /// Nearest ids of other tools, as (tool, id).
    pub aliases: &'static [(&'static str, &'static str)],
    /// More general checks that are silent where this one speaks of the same field.
    pub instead_of: &'static [&'static str],
    /// The check itself.
    pub run: Run,
}

/// How a check is run.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// By a function over facts.
    Rust(fn(&Context<'_>, &mut Outcomes)),
    /// By a policy in Rego.
    Rego,
}

impl Check {
    /// A finding of this check about an object.
    #[must_use]
    pub fn finding(&self, subject: &Arc<ObjectId>, message: impl Into<String>) -> Finding {
        Finding {
            check: self.slug,
            layer: self.layer,
            severity: self.severity,
            confidence: Confidence::High,
            persona: self.persona,
            subject: Arc::clone(subject),
            container: None,
            affects: Vec::new(),
            message: message.into(),
            labels: Vec::new(),
            help: self.fix.into(),
            controls: Vec::new(),
            effect: Effect::Weakens,
            leads: false,
            hardening: false,
            roots: Vec::new(),
            not_in: Vec::new(),
            fingerprint: String::new(),
        }
    }

    /// What it is written in.
    #[must_use]
    pub const fn language(&self) -> &'static str {
        match self.run {
            Run::Rust(_) => "rust",
            Run::Rego => "rego",
        }
    }

    /// The first paragraph of the documentation.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.docs.split("\n\n").next().unwrap_or_default().trim()
    }
}

/// Makes the static `CHECK` of a check file. The documentation comment becomes the docs page.
macro_rules! check {
    (
        $(#[doc = $doc:literal])*
        $slug:literal {
            run: $run:expr,
            title: $title:literal,
            layer: $layer:expr,
            cell: $cell:expr,
            severity: $severity:expr,
            persona: $persona:expr,
            reads: $reads:expr,
            $(voices: $voices:expr,)?
            $(params: $params:expr,)?
            fix: $fix:literal,
            aliases: $aliases:expr,
        }
    ) => {
        /// The check of this file.
        pub(crate) static CHECK: $crate::catalog::Check = $crate::catalog::Check {
            slug: $slug,
            title: $title,
            docs: concat!($($doc, "\n"),*),
            layer: $layer,
            cell: $cell,
            severity: $severity,
            persona: $persona,
            reads: $crate::document::KindSet::of($reads),
            voices: $crate::catalog::first(&[$($voices,)? &[]]),
            params: $crate::catalog::first_param(&[$($params,)? &[]]),
            fix: $fix,
            aliases: $aliases,
            instead_of: &[],
            run: $crate::catalog::Run::Rust($run),
        };
    };
}
pub(crate) use check;

/// The value that a check gives, or the default behind it.
pub(crate) const fn first(given: &[&'static [DefectKind]]) -> &'static [DefectKind] {
    match given {
        [first, ..] => first,
        [] => &[],
    }
}

/// The parameters that a check gives, or none.
pub(crate) const fn first_param(given: &[&'static [Param]]) -> &'static [Param] {
    match given {
        [first, ..] => first,
        [] => &[],
    }
}

/// Values of parameters, as configured.
#[derive(Clone, Debug, Default)]
pub struct Params {
    texts: BTreeMap<String, Vec<String>>,
    numbers: BTreeMap<String, u64>,
}

impl Params {
    /// Sets a list.
    pub fn set_texts(&mut self, name: &str, texts: Vec<String>) {
        self.texts.insert(name.to_owned(), texts);
    }

    /// Sets a number.
    pub fn set_number(&mut self, name: &str, number: u64) {
        self.numbers.insert(name.to_owned(), number);
    }

    /// A list, where it is configured.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<&[String]> {
        self.texts.get(name).map(Vec::as_slice)
    }

    /// Every list that is configured.
    pub fn all_texts(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.texts.iter().map(|(name, texts)| (name.as_str(), texts.as_slice()))
    }

    /// Every number that is configured.
    pub fn all_numbers(&self) -> impl Iterator<Item = (&str, u64)> {
        self.numbers.iter().map(|(name, number)| (name.as_str(), *number))
    }

    /// A number, where it is configured.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.numbers.get(name).copied()
    }
}

/// Pod Security as the command line asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PodSecurity {
    /// Level and version instead of the namespaces' labels.
    pub instead: Option<(Level, Version)>,
    /// Version of standalone checks.
    pub version: Option<Version>,
}

impl PodSecurity {
    /// Version of checks that are not about a namespace.
    #[must_use]
    pub fn version(&self) -> Version {
        let asked = self.instead.map(|(_, version)| version);
        asked.or(self.version).unwrap_or(Version::LATEST)
    }

    /// Whether only the baseline level is asked for.
    #[must_use]
    pub fn baseline_only(&self) -> bool {
        self.instead.is_some_and(|(level, _)| level == Level::Baseline)
    }
}

/// What a check sees: facts, through views that record the kinds it asks for.
#[derive(Debug)]
pub struct Context<'a> {
    /// What the objects mean.
    pub model: View<'a>,
    /// Who may talk to whom.
    pub reach: ReachView<'a>,
    /// Parameters of this check.
    pub params: &'a Params,
    /// Pod Security as asked for.
    pub pod_security: PodSecurity,
    /// Declared facts.
    pub profile: &'a Profile,
    facts: &'a [Defect],
    voices: &'static [DefectKind],
    touched: &'a Cell<KindSet>,
}

impl<'a> Context<'a> {
    /// The context of one check.
    pub(crate) fn new(
        check: &Check,
        model: View<'a>,
        reach: ReachView<'a>,
        given: Given<'a>,
        touched: &'a Cell<KindSet>,
    ) -> Self {
        Self {
            model,
            reach,
            params: given.params,
            pod_security: given.pod_security,
            profile: given.profile,
            facts: given.facts,
            voices: check.voices,
            touched,
        }
    }

    /// The defects that this check words.
    pub fn facts(&self) -> impl Iterator<Item = &'a Defect> {
        self.touched.set(self.touched.get().union(KindSet::of(&[Kind::Any])));
        let voices = self.voices;
        self.facts.iter().filter(move |defect| voices.contains(&defect.kind))
    }
}

/// What a run gives to every check.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) params: &'a Params,
    pub(crate) pod_security: PodSecurity,
    pub(crate) profile: &'a Profile,
    pub(crate) facts: &'a [Defect],
}

/// What one check said. Silence is not an outcome.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    /// Defects.
    pub findings: Vec<Finding>,
    /// Proven controls.
    pub passes: Vec<Pass>,
    /// Open questions.
    pub not_assessed: Vec<NotAssessed>,
    /// Subjects to which the check does not apply.
    pub not_applicable: usize,
}

impl Outcomes {
    /// Records a finding.
    ///
    /// # Panics
    /// In debug builds where the finding has no place: every finding names the line to change.
    pub fn push(&mut self, finding: Finding) {
        debug_assert!(!finding.labels.is_empty(), "a finding of {} has no label", finding.check);
        self.findings.push(finding);
    }

    /// Records a control that works, and where the proof stands.
    pub fn pass(&mut self, check: &Check, subject: &Arc<ObjectId>, evidence: Span) {
        let subject = Arc::clone(subject);
        self.passes.push(Pass { check: check.slug, subject, evidence });
    }

    /// Adds what was said about another subject.
    pub fn join(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.passes.extend(other.passes);
        self.not_assessed.extend(other.not_assessed);
        self.not_applicable += other.not_applicable;
    }

    /// Records a subject to which the check does not apply.
    pub fn not_applicable(&mut self) {
        self.not_applicable += 1;
    }

    /// Records a question that the input does not answer.
    pub fn not_assessed(&mut self, check: &Check, subject: &Arc<ObjectId>, reason: Arc<str>) {
        let subject = Some(Arc::clone(subject));
        self.not_assessed.push(NotAssessed { check: check.slug, subject, reason, error: false });
    }
}

/// All checks of a run.
#[derive(Debug)]
pub struct Catalog(Vec<&'static Check>);

impl Catalog {
    /// A catalog of checks, sorted by slug.
    #[must_use]
    pub fn new(mut checks: Vec<&'static Check>) -> Self {
        checks.sort_by_key(|check| check.slug);
        Self(checks)
    }

    /// The checks, sorted by slug.
    #[must_use]
    pub fn checks(&self) -> &[&'static Check] {
        &self.0
    }

    /// A check by its slug.
    #[must_use]
    pub fn get(&self, slug: &str) -> Option<&'static Check> {
        let at = self.0.binary_search_by_key(&slug, |check| check.slug).ok()?;
        self.0.get(at).copied()
    }
}
