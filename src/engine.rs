//! From an inventory to outcomes: select, run, sort, waive. Pure and deterministic.

mod baseline;
mod compare;
mod matrix;
mod settings;
mod waive;

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use sha2::{Digest, Sha256};

pub use baseline::Baseline;
pub use compare::Earlier;
pub use settings::{Settings, UnknownName, catalog, config_schema};

use crate::catalog::{Check, Context, Given, Outcomes, Params, Run};
use crate::document::{Defect, Document, Files, Inventory, KindSet, ObjectId, Span};
use crate::finding::{Assessment, Finding, NotAssessed, RootGap, Tally};
use crate::model::{Model, View};
use crate::reach::{Reach, ReachView, cni_of};
use crate::rego;

/// Judges one root with every enabled check. Waivers are applied by [`conclude`], which sees all
/// roots.
#[must_use]
pub fn assess(inventory: &Inventory, settings: &Settings) -> Assessment {
    let model = Model::build(inventory, &settings.config.profile);
    let reach = Reach::build(&model);
    let facts: Vec<Defect> = inventory.defects.iter().chain(&reach.defects).cloned().collect();
    let checks = settings.enabled();
    let index = Index::new(inventory);
    let of_rego = evaluated(inventory, &model, &checks, settings);
    let of_rust: Vec<&Check> =
        checks.into_iter().filter(|check| !matches!(check.run, Run::Rego)).collect();
    let mut results: Vec<(&Check, Outcomes)> = of_rust
        .par_iter()
        .with_max_len(1) // some take a hundred times as long as others
        .map(|check| {
            let applies = check.reads.overlaps(inventory.kinds());
            let outcomes = if applies {
                run(check, &model, &reach, &facts, settings).0
            } else {
                Outcomes::default()
            };
            (*check, outcomes)
        })
        .chain(of_rego)
        .map(|(check, outcomes)| (check, index.settle(check, outcomes, settings, &inventory.name)))
        .collect();
    silence(&mut results);
    results.sort_unstable_by_key(|(check, _)| check.slug);
    let mut assessment = empty(inventory, &model, &reach);
    let sum = |of: fn(&Outcomes) -> usize| results.iter().map(|(_, outcomes)| of(outcomes)).sum();
    assessment.findings.reserve_exact(sum(|outcomes| outcomes.findings.len()));
    assessment.passes.reserve_exact(sum(|outcomes| outcomes.passes.len()));
    assessment.not_assessed.reserve_exact(sum(|outcomes| outcomes.not_assessed.len()));
    // Checks are in the order of their slugs, so that all together is sorted as each of them is.
    for (check, outcomes) in results {
        assessment.take(check, outcomes);
    }
    assessment.matrix = matrix::rows(&model, &assessment, settings);
    drop(reach);
    // Thousands of small parts: they are given back while the results are joined and written.
    rayon::spawn(move || drop(model));
    assessment
}

/// What the policies in Rego say; nothing about those that no object asks for.
fn evaluated(
    inventory: &Inventory,
    model: &Model,
    checks: &[&'static Check],
    settings: &Settings,
) -> Vec<(&'static Check, Outcomes)> {
    let of_rego = |check: &&&Check| matches!(check.run, Run::Rego);
    let checks: Vec<&'static Check> = checks.iter().filter(of_rego).copied().collect();
    let touched = Cell::new(KindSet::default());
    let workloads = View::new(model, &touched).workloads().collect();
    let (params, runtime) = (&settings.params, &settings.rego);
    let request = rego::Request { runtime, checks: &checks, inventory, model, workloads, params };
    let mut said = rego::evaluate(&request);
    let silent =
        checks.iter().filter(|check| !said.iter().any(|(other, _)| other.slug == check.slug));
    let silent: Vec<_> = silent.map(|check| (*check, Outcomes::default())).collect();
    said.extend(silent);
    said
}

/// One field, one voice: where a check speaks, the more general ones that it names are silent about
/// the same field of the same object.
fn silence(results: &mut [(&Check, Outcomes)]) {
    let mut spoken: BTreeMap<&str, BTreeMap<Arc<ObjectId>, Vec<Span>>> = BTreeMap::new();
    for (check, outcomes) in results.iter() {
        for general in check.instead_of {
            let places = spoken.entry(general).or_default();
            for finding in &outcomes.findings {
                let of_object = places.entry(Arc::clone(&finding.subject)).or_default();
                of_object.extend(finding.primary());
            }
        }
    }
    for (check, outcomes) in results {
        let Some(places) = spoken.get(check.slug) else { continue };
        outcomes.findings.retain(|finding| {
            let of_object = places.get(&finding.subject).map(Vec::as_slice).unwrap_or_default();
            let same =
                |at: Span| of_object.iter().any(|other| other.contains(at) || at.contains(*other));
            !finding.primary().is_some_and(same)
        });
    }
}

/// Applies waivers over all roots, then what the configuration and the command line hide, and joins
/// findings that several roots share.
pub fn conclude(
    assessments: &mut [Assessment],
    inventories: &[Arc<Inventory>],
    files: &Files,
    settings: &Settings,
) {
    conclude_within(assessments, inventories, files, settings, &|_| true);
}

/// The same, where only some findings count: the others are counted apart. A finding of several roots
/// counts if it does in one of them.
pub fn conclude_within(
    assessments: &mut [Assessment],
    inventories: &[Arc<Inventory>],
    files: &Files,
    settings: &Settings,
    within: &(dyn Fn(&Finding) -> bool + Sync),
) {
    for (assessment, inventory) in assessments.iter_mut().zip(inventories) {
        assessment.findings.retain_mut(|finding| settings.keep(finding, files));
        settings.drop_disabled(assessment, inventory, files);
    }
    waive::apply(assessments, inventories, files, settings);
    for assessment in assessments.iter_mut() {
        assessment.findings.par_sort_by(Finding::order);
        assessment.ignored.sort_by(|a, b| a.finding.order(&b.finding));
        assessment.not_assessed.par_sort();
    }
    let findings = || assessments.iter().flat_map(|assessment| &assessment.findings);
    let counting: Option<HashSet<Key>> = (!findings().all(within))
        .then(|| findings().filter(|finding| within(finding)).map(key).collect());
    join_roots(assessments, inventories);
    for assessment in assessments.iter_mut() {
        let counts =
            |finding: &Finding| counting.as_ref().is_none_or(|c| c.contains(&key(finding)));
        settings.hide(assessment, counts);
        count(assessment);
    }
}

/// Runs one check and tells which kinds it asked for. A panic becomes an `error` outcome.
fn run(
    check: &'static Check,
    model: &Model,
    reach: &Reach<'_>,
    facts: &[Defect],
    settings: &Settings,
) -> (Outcomes, KindSet) {
    let touched = Cell::new(KindSet::default());
    let no_params = Params::default();
    let given = Given {
        params: settings.params.get(check.slug).unwrap_or(&no_params),
        pod_security: settings.pod_security,
        profile: &settings.config.profile,
        facts,
    };
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        let mut out = Outcomes::default();
        let (view, reach) = (View::new(model, &touched), ReachView::new(reach, &touched));
        let cx = Context::new(check, view, reach, given, &touched);
        if let Run::Rust(find) = check.run {
            find(&cx, &mut out);
        }
        out
    }));
    let outcomes = guarded.unwrap_or_else(|_| {
        let reason = "the check failed to run: a fault of palisade, please report it";
        let failed = NotAssessed {
            check: check.slug,
            subject: None,
            reason: Arc::from(reason),
            error: true,
        };
        Outcomes { not_assessed: vec![failed], ..Outcomes::default() }
    });
    (outcomes, touched.get())
}

/// The kinds that a check asks for on an inventory; a test holds them against what it declares.
#[must_use]
pub fn kinds_touched(check: &'static Check, inventory: &Inventory, settings: &Settings) -> KindSet {
    // A policy is asked about the kinds that it names, and no others.
    if matches!(check.run, Run::Rego) {
        return check.reads;
    }
    let model = Model::build(inventory, &settings.config.profile);
    let reach = Reach::build(&model);
    let facts: Vec<Defect> = inventory.defects.iter().chain(&reach.defects).cloned().collect();
    run(check, &model, &reach, &facts, settings).1
}

fn empty(inventory: &Inventory, model: &Model, reach: &Reach<'_>) -> Assessment {
    let gaps = inventory.gaps.iter().map(|gap| RootGap {
        reason: gap.reason.word(),
        what: gap.what.clone(),
        at: gap.at,
        hint: gap.hint.clone(),
    });
    Assessment {
        root: inventory.name.clone(),
        kind: inventory.kind.word(),
        objects: inventory.documents.len(),
        gaps: gaps.collect(),
        assumptions: assumptions(inventory, model),
        findings: Vec::new(),
        ignored: Vec::new(),
        not_assessed: Vec::new(),
        passes: Vec::new(),
        matrix: Vec::new(),
        tallies: BTreeMap::new(),
        hidden: 0,
        outside: 0,
        in_base: 0,
        in_baseline: 0,
        refused: reach.refused.iter().cloned().chain(model.refused_by_mesh()).collect(),
    }
}

/// What was not declared and had to be assumed; nothing about a root without objects.
fn assumptions(inventory: &Inventory, model: &Model) -> Vec<(&'static str, String)> {
    let profile = &model.profile;
    let mut assumed = Vec::new();
    if inventory.documents.is_empty() {
        return assumed;
    }
    if profile.cni.is_none() {
        assumed.push(("cni", cni_of(model).word().to_owned()));
    }
    if let (None, Some(mesh)) = (profile.mesh, model.mesh()) {
        assumed.push(("mesh", mesh.word().to_owned()));
        if profile.root_namespace.is_none() {
            assumed.push(("rootNamespace", profile.root_namespace().to_owned()));
        }
        if profile.trust_domain.is_none() {
            assumed.push(("trustDomain", profile.trust_domain().to_owned()));
        }
    }
    assumed
}

impl Assessment {
    fn take(&mut self, check: &'static Check, outcomes: Outcomes) {
        let Outcomes { findings, passes, not_assessed, not_applicable } = outcomes;
        self.tallies.insert(check.slug, Tally { not_applicable, ..Tally::default() });
        self.findings.extend(findings);
        self.passes.extend(passes);
        self.not_assessed.extend(not_assessed);
    }
}

/// Most findings of one check about one object that are listed: more hide the rest of a report.
const MOST_OF_ONE: usize = 1_000;

/// Finds the object that a place belongs to.
struct Index<'i> {
    inventory: &'i Inventory,
    /// Objects by where their text begins.
    places: Vec<&'i Document>,
}

impl<'i> Index<'i> {
    fn new(inventory: &'i Inventory) -> Self {
        let mut places: Vec<&Document> = inventory.documents.iter().collect();
        places.sort_by_key(|document| (document.extent.file, document.extent.start));
        Self { inventory, places }
    }

    fn document(&self, span: Span) -> Option<&'i Document> {
        let start = |d: &Document| (d.extent.file, d.extent.start);
        let before = self.places.partition_point(|d| start(d) <= (span.file, span.start));
        let candidate = before.checked_sub(1).and_then(|at| self.places.get(at))?;
        candidate.extent.contains(span).then_some(*candidate)
    }

    /// The object that the primary place of a finding belongs to: its subject where a renderer put
    /// the value there.
    fn holder(&self, finding: &Finding) -> Option<(Span, &'i Document)> {
        let at = finding.primary()?;
        Some((at, self.document(at).or_else(|| self.inventory.named(&finding.subject))?))
    }

    /// A finding about a rendered object shows where the value comes from, and what rendered it.
    fn with_sources(&self, finding: Finding) -> Finding {
        let Some((at, document)) = self.holder(&finding) else { return finding };
        let Some(rendering) = &document.rendering else { return finding };
        let sources = rendering.sources.iter().filter(|(value, ..)| *value == at);
        let finding = sources.fold(finding, |f, (_, from, text)| f.label(*from, *text));
        let by = rendering.by;
        let whole = by.start == by.end; // no line of the file, but all of it
        let mut places = finding.labels.iter().map(|label| label.span);
        let shown = places.any(|place| place == by || whole && place.file == by.file);
        if shown { finding } else { finding.label(rendering.by, rendering.text) }
    }

    /// The outcomes of a check, sorted, with one finding per subject and field, as severe as the
    /// configuration wants it, and with its fingerprint.
    fn settle(
        &self,
        check: &Check,
        outcomes: Outcomes,
        settings: &Settings,
        root: &str,
    ) -> Outcomes {
        let mut seen = HashSet::new();
        let mut of_subject: BTreeMap<Arc<ObjectId>, usize> = BTreeMap::new();
        let mut findings = Vec::with_capacity(outcomes.findings.len());
        for mut finding in outcomes.findings {
            let subject = Arc::clone(&finding.subject);
            // Fields that a policy misses are shown at the part that lacks them all.
            let words = matches!(check.run, Run::Rego).then(|| finding.message.clone());
            let container = finding.container.clone();
            if !seen.insert((Arc::clone(&subject), container, finding.primary(), words)) {
                continue;
            }
            let count = of_subject.entry(subject).or_default();
            *count += 1;
            if *count > MOST_OF_ONE {
                continue;
            }
            // Thousands of them are kept until the report is written.
            finding.labels.shrink_to_fit();
            finding.severity = settings.severity(check, finding.severity);
            finding.fingerprint = self.fingerprint(&finding);
            finding.roots = vec![root.to_owned()];
            findings.push(self.with_sources(finding));
        }
        let mut settled = Outcomes { findings, ..outcomes };
        for (subject, count) in of_subject.into_iter().filter(|(_, count)| *count > MOST_OF_ONE) {
            let more = count - MOST_OF_ONE;
            let reason = format!("{more} more findings about it are not listed; split the object");
            let (check, subject) = (check.slug, Some(subject));
            let open = NotAssessed { check, subject, reason: reason.into(), error: true };
            settled.not_assessed.push(open);
        }
        settled.passes.sort();
        settled.not_assessed.sort();
        settled.not_assessed.dedup();
        settled
    }

    /// Hash of check, object and field pointer with list items by their name: never a line, an
    /// offset or the API version.
    fn fingerprint(&self, finding: &Finding) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update(text.as_bytes());
            hash.update([0]);
        };
        let subject = &finding.subject;
        add(finding.check);
        for part in [&subject.group, &subject.kind, &subject.namespace, &subject.name] {
            add(part);
        }
        add(finding.container.as_deref().unwrap_or_default());
        if let Some((at, document)) = self.holder(finding) {
            if document.id != finding.subject {
                add(&document.id.to_string());
            }
            add(&document.pointer_of(at).stable());
        }
        hex(&hash.finalize())
    }
}

/// The first 16 bytes of a digest.
fn hex(digest: &[u8]) -> String {
    let nibbles = digest.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}

fn count(assessment: &mut Assessment) {
    let tallies = &mut assessment.tallies;
    let mut add = |slug: &'static str, number: usize, one: fn(&mut Tally) -> &mut usize| {
        *one(tallies.entry(slug).or_default()) += number;
    };
    assessment.findings.iter().for_each(|f| add(f.check, 1, |tally| &mut tally.findings));
    for of_one in assessment.passes.chunk_by(|a, b| a.check == b.check) {
        let check = of_one.first().map(|pass| pass.check);
        check.into_iter().for_each(|c| add(c, of_one.len(), |tally| &mut tally.passes));
    }
    assessment.not_assessed.iter().for_each(|n| add(n.check, 1, |tally| &mut tally.not_assessed));
    assessment.ignored.iter().for_each(|i| add(i.finding.check, 1, |tally| &mut tally.ignored));
}

/// Counts the findings again after some were taken out.
fn recount(assessment: &mut Assessment) {
    assessment.tallies.values_mut().for_each(|tally| tally.findings = 0);
    for finding in &assessment.findings {
        assessment.tallies.entry(finding.check).or_default().findings += 1;
    }
}

/// One defect in several roots is printed once, with the list of roots.
fn join_roots(assessments: &mut [Assessment], inventories: &[Arc<Inventory>]) {
    if assessments.len() < 2 {
        return;
    }
    join(assessments, |assessment| &mut assessment.findings, |finding| finding);
    join(assessments, |assessment| &mut assessment.ignored, |ignored| &mut ignored.finding);
    let heads = |inventory: &Arc<Inventory>| -> HashSet<Span> {
        inventory.documents.iter().map(|document| document.head).collect()
    };
    let heads: Vec<HashSet<Span>> = inventories.par_iter().map(heads).collect();
    let names: Vec<String> = assessments.iter().map(|a| a.root.clone()).collect();
    for (assessment, inventory) in assessments.iter_mut().zip(inventories) {
        for finding in &mut assessment.findings {
            let Some(document) = inventory.named(&finding.subject) else { continue };
            let holds = |heads: &HashSet<Span>| heads.contains(&document.head);
            let roots = names.iter().zip(&heads).filter(|(_, heads)| holds(heads));
            let without = roots.filter(|(name, _)| !finding.roots.contains(name));
            finding.not_in = without.map(|(name, _)| name.clone()).collect();
        }
    }
}

/// What makes findings of several roots one.
type Key = (&'static str, Option<Span>, Option<String>, String);

fn key(finding: &Finding) -> Key {
    (finding.check, finding.primary(), finding.container.clone(), finding.message.clone())
}

/// Keeps the first of equal entries of all roots and gives it the roots of the others. Equal is what
/// stands at one place, whatever the namespaces into which the roots put it.
fn join<T>(
    assessments: &mut [Assessment],
    list: impl Fn(&mut Assessment) -> &mut Vec<T>,
    finding: impl Fn(&mut T) -> &mut Finding,
) {
    let mut first: BTreeMap<Key, (usize, usize)> = BTreeMap::new();
    let mut more: Vec<((usize, usize), String)> = Vec::new();
    for (at, assessment) in assessments.iter_mut().enumerate() {
        let root = assessment.root.clone();
        let mut kept = Vec::new();
        for mut entry in std::mem::take(list(assessment)) {
            let key = key(finding(&mut entry));
            match first.get(&key) {
                // A finding that one root holds twice is two findings.
                Some(place) if place.0 != at => more.push((*place, root.clone())),
                _ => {
                    first.insert(key, (at, kept.len()));
                    kept.push(entry);
                }
            }
        }
        *list(assessment) = kept;
    }
    for ((at, nth), root) in more {
        if let Some(entry) = assessments.get_mut(at).and_then(|a| list(a).get_mut(nth)) {
            let roots = &mut finding(entry).roots;
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
    }
}
