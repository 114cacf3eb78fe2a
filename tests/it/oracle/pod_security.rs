//! The Pod Security evaluator against Kubernetes' own, control by control, for every version.

use std::collections::{BTreeMap, BTreeSet};

use palisade::config::Profile;
use palisade::document::{FileId, Inventory, ReadOptions, RootKind, read};
use palisade::model::pod_security::{
    Failure, Level, NEWEST, Version, Violation, control, evaluate, refusal,
};
use palisade::model::{ContainerList, Model, Pod};
use serde::Deserialize;
use serde_json::json;

use super::pods::{CREDENTIALS, Carrier, Case, case};
use super::{Oracle, cases, no_difference, say, seed};

/// Minor versions that are asked; the last ones do not exist yet and mean the newest.
const MINORS: std::ops::RangeInclusive<u32> = 0..=40;

/// Pods that are asked about unless another number is wanted.
const USUAL: usize = 3_000;

/// Fewest pods in every cell that is counted, for the usual number of pods or more.
const FEWEST: usize = 20;

#[derive(Deserialize)]
struct Description {
    controls: Vec<Forms>,
}

/// A control and the versions at which its forms begin.
#[derive(Deserialize)]
struct Forms {
    id: String,
    level: String,
    from: Vec<u32>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    panic: String,
    #[serde(default)]
    bad: String,
    #[serde(default)]
    refused: String,
    #[serde(default)]
    levels: Vec<Run>,
    #[serde(default)]
    alone: Vec<Run>,
}

/// What holds for a stretch of versions.
#[derive(Deserialize)]
struct Run {
    name: String,
    from: u32,
    to: u32,
    results: Vec<Outcome>,
    message: String,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Outcome {
    id: String,
    allowed: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    detail: String,
}

impl Outcome {
    fn new(id: &str, failure: &Option<Failure>) -> Self {
        Self {
            id: id.to_owned(),
            allowed: failure.is_none(),
            reason: failure.as_ref().map(|f| f.reason.clone()).unwrap_or_default(),
            detail: failure.as_ref().map(|f| f.detail.clone()).unwrap_or_default(),
        }
    }

    fn is_like(&self, theirs: &Self) -> bool {
        (&self.id, self.allowed, &self.reason) == (&theirs.id, theirs.allowed, &theirs.reason)
            && same_words(&self.detail, &theirs.detail)
    }
}

/// Whether two texts are the same. Where a credential was withheld, which may also move its place
/// among sorted words, the same words are enough.
fn same_words(ours: &str, theirs: &str) -> bool {
    if ours == theirs || !ours.contains(WITHHELD) {
        return ours == theirs;
    }
    let theirs = CREDENTIALS.iter().fold(theirs.to_owned(), |t, c| t.replace(c, WITHHELD));
    let words = |text: &str| {
        let mut words: Vec<String> =
            text.split([' ', ',', ';', '(', ')']).map(str::to_owned).collect();
        words.sort();
        words
    };
    words(ours) == words(&theirs)
}

const WITHHELD: &str = "<redacted>";

impl Answer {
    fn run<'a>(runs: &'a [Run], name: &str, minor: u32) -> &'a Run {
        let holds = |run: &&Run| run.name == name && (run.from..=run.to).contains(&minor);
        runs.iter().find(holds).expect("the oracle answers for every version")
    }
}

fn asked(request: &serde_json::Value) -> String {
    request.to_string()
}

/// The pod of each text, as the library reads it.
fn pods(texts: &[Case]) -> BTreeMap<String, Pod> {
    let mut documents = Vec::new();
    for (number, case) in texts.iter().enumerate() {
        let file = FileId(u32::try_from(number).expect("few cases"));
        let reading = read(file, &case.ours, &ReadOptions::default());
        assert!(reading.problems.is_empty(), "{:?} in\n{}", reading.problems, case.ours);
        documents.extend(reading.documents);
    }
    let inventory =
        Inventory::new(String::new(), RootKind::Directory, documents, Vec::new(), Vec::new());
    let model = Model::build(&inventory, &Profile::default());
    model.workloads().map(|w| (w.id.name.clone(), w.pod.clone())).collect()
}

/// Compares all cases and hands every pod with its answer to `look`.
fn compare(
    oracle: &mut Oracle,
    carrier: Carrier,
    count: usize,
    mut look: impl FnMut(&Pod, &Answer),
) {
    let made: Vec<Case> = (0..count).map(|number| case(seed(), number, carrier)).collect();
    let requests: Vec<String> = made.iter().map(|c| asked(&json!({"object": c.theirs}))).collect();
    let answers: Vec<Answer> = oracle.ask(&requests);
    let pods = pods(&made);
    let mut differences = Vec::new();
    for (case, answer) in made.iter().zip(&answers) {
        let trouble = [&answer.panic, &answer.bad, &answer.refused];
        assert!(trouble.iter().all(|t| t.is_empty()), "{trouble:?} for\n{}", case.theirs);
        match pods.get(&case.name) {
            Some(pod) => {
                differences.extend(of_pod(pod, answer).map(|d| format!("{d}\n{}", case.ours)));
                look(pod, answer);
            }
            None => differences.push(format!("no workload was read from\n{}", case.ours)),
        }
    }
    no_difference(&differences);
}

/// The first difference of a pod, if there is one.
fn of_pod(pod: &Pod, answer: &Answer) -> Option<String> {
    for level in [Level::Privileged, Level::Baseline, Level::Restricted] {
        for minor in MINORS {
            let results = evaluate(pod, level, Version::of_minor(minor));
            let theirs = Answer::run(&answer.levels, level.word(), minor);
            let ours: Vec<Outcome> =
                results.iter().map(|r| Outcome::new(r.id, &r.failure)).collect();
            let message = refusal(&results).unwrap_or_default();
            let alike = ours.len() == theirs.results.len()
                && ours.iter().zip(&theirs.results).all(|(a, b)| a.is_like(b));
            if !alike || !same_words(&message, &theirs.message) {
                let word = level.word();
                let pairs = ours.iter().zip(&theirs.results).find(|(a, b)| !a.is_like(b));
                return Some(format!("{word}:v1.{minor}: ours and theirs: {pairs:#?}"));
            }
            let failures = results.iter().filter_map(|r| Some((r.id, r.failure.as_ref()?)));
            for (id, failure) in failures {
                if failure.violations.is_empty() {
                    return Some(format!("{id} at v1.{minor} is refused at no place"));
                }
                let unnamed =
                    failure.violations.iter().find(|v| !is_named(pod, v, &failure.detail));
                if let Some(violation) = unnamed.filter(|v| !v.missing) {
                    return Some(format!("{id}: {violation:?} is not in: {}", failure.detail));
                }
            }
        }
    }
    for run in &answer.alone {
        for minor in run.from..=run.to {
            let ours = control(pod, &run.name, Version::of_minor(minor));
            let theirs = run.results.first();
            let same = match (&ours, theirs) {
                (None, None) => true,
                (Some(failure), Some(theirs)) => Outcome::new(&run.name, failure).is_like(theirs),
                _ => false,
            };
            if !same {
                return Some(format!("{} alone at v1.{minor}: {ours:?}, {theirs:?}", run.name));
            }
        }
    }
    None
}

/// Whether the words of a refusal name the container of a violation.
fn is_named(pod: &Pod, violation: &Violation, detail: &str) -> bool {
    let container = violation.container.and_then(|index| pod.containers.get(index));
    container.is_none_or(|container| detail.contains(&format!("\"{}\"", container.name)))
}

/// How many pods were seen in each cell.
#[derive(Default)]
struct Counts {
    /// By level, control and version window: allowed and refused.
    verdicts: BTreeMap<(String, String, u32), [usize; 2]>,
    /// By control and version: pods that its form judges otherwise than the form before.
    edges: BTreeMap<(String, u32), usize>,
    /// By control and place: violations.
    places: BTreeMap<(&'static str, &'static str), usize>,
}

impl Counts {
    fn add(&mut self, controls: &[Forms], windows: &BTreeSet<u32>, pod: &Pod, answer: &Answer) {
        for level in ["baseline", "restricted"] {
            for window in windows {
                for outcome in &Answer::run(&answer.levels, level, *window).results {
                    let cell = (level.to_owned(), outcome.id.clone(), *window);
                    let [allowed, refused] = self.verdicts.entry(cell).or_default();
                    *if outcome.allowed { allowed } else { refused } += 1;
                }
            }
        }
        for control in controls {
            for from in control.from.iter().skip(1) {
                let before = Answer::run(&answer.alone, &control.id, from - 1);
                let after = Answer::run(&answer.alone, &control.id, *from);
                let differ = before.results != after.results;
                *self.edges.entry((control.id.clone(), *from)).or_default() += usize::from(differ);
            }
        }
        let mut places = BTreeSet::new();
        let asked = [(Level::Baseline, 0), (Level::Baseline, NEWEST), (Level::Restricted, NEWEST)];
        for (level, minor) in asked {
            for result in evaluate(pod, level, Version::of_minor(minor)) {
                let violations = result.failure.iter().flat_map(|f| &f.violations);
                places.extend(violations.map(|v| (result.id, place(pod, v))));
            }
        }
        for place in places {
            *self.places.entry(place).or_default() += 1;
        }
    }

    /// Prints the counts, windows that count alike as one, and gives the cells that too few pods are in.
    fn thin(&self) -> Vec<String> {
        let mut thin = Vec::new();
        let mut line = (String::new(), [usize::MAX; 2]);
        for ((level, id, window), counts) in &self.verdicts {
            let head = format!("{level:10} {id}:");
            if !line.0.starts_with(&head) {
                println!("{}", line.0);
                line = (head.clone(), [usize::MAX; 2]);
            }
            if line.1 != *counts {
                let [allowed, refused] = counts;
                line.0.push_str(&format!(" from v1.{window} {allowed} allowed {refused} refused;"));
                line.1 = *counts;
            }
            let few = counts.iter().any(|count| *count < FEWEST);
            thin.extend(few.then(|| format!("{head} from v1.{window} {counts:?}")));
        }
        println!("{}", line.0);
        for ((id, from), count) in &self.edges {
            let cell = format!("{id:37} judged otherwise from v1.{from}");
            println!("{cell} {count:6}");
            thin.extend((*count < FEWEST).then_some(cell));
        }
        for ((id, place), count) in &self.places {
            let cell = format!("{id:37} violated at {place}");
            println!("{cell} {count:6}");
            thin.extend((*count < FEWEST).then_some(cell));
        }
        for (control, places) in PLACES {
            for place in *places {
                let seen = self.places.contains_key(&(control, place));
                thin.extend((!seen).then(|| format!("{control} is never violated at {place}")));
            }
        }
        thin
    }
}

fn place(pod: &Pod, violation: &Violation) -> &'static str {
    let container = violation.container.and_then(|index| pod.containers.get(index));
    match container.map(|container| container.list) {
        None => "the pod",
        Some(ContainerList::Main) => "containers",
        Some(ContainerList::Init) => "initContainers",
        Some(ContainerList::Ephemeral) => "ephemeralContainers",
    }
}

const POD: &[&str] = &["the pod"];
const CONTAINERS: &[&str] = &["containers", "initContainers", "ephemeralContainers"];
const BOTH: &[&str] = &["the pod", "containers", "initContainers", "ephemeralContainers"];

/// Where each control's fields may stand.
const PLACES: &[(&str, &[&str])] = &[
    ("appArmorProfile", BOTH),
    ("capabilities_baseline", CONTAINERS),
    ("hostNamespaces", POD),
    ("hostPathVolumes", POD),
    ("hostPorts", CONTAINERS),
    ("hostProbesAndHostLifecycle", CONTAINERS),
    ("privileged", CONTAINERS),
    ("procMount", CONTAINERS),
    ("seLinuxOptions", BOTH),
    ("seccompProfile_baseline", BOTH),
    ("sysctls", POD),
    ("windowsHostProcess", BOTH),
    ("allowPrivilegeEscalation", CONTAINERS),
    ("capabilities_restricted", CONTAINERS),
    ("procMount_restricted", CONTAINERS),
    ("restrictedVolumes", POD),
    ("runAsNonRoot", BOTH),
    ("runAsUser", BOTH),
    ("seccompProfile_restricted", BOTH),
];

#[test]
fn pods_are_judged_as_kubernetes_judges_them() {
    let Some(mut oracle) = Oracle::start("pod-security") else { return };
    let described: Vec<Description> = oracle.ask(&[asked(&json!({"describe": true}))]);
    let controls: Vec<Forms> = described.into_iter().flat_map(|d| d.controls).collect();
    let named: BTreeSet<&str> = controls.iter().map(|control| control.id.as_str()).collect();
    assert_eq!(named, PLACES.iter().map(|(id, _)| *id).collect(), "the controls that there are");
    assert!(controls.iter().all(|c| matches!(c.level.as_str(), "baseline" | "restricted")));
    let windows: BTreeSet<u32> = controls.iter().flat_map(|c| c.from.iter().copied()).collect();
    let count = cases(USUAL);
    let mut counts = Counts::default();
    compare(&mut oracle, Carrier::Pod, count, |pod, answer| {
        counts.add(&controls, &windows, pod, answer);
    });
    let thin = counts.thin();
    let thin = if count < USUAL { Vec::new() } else { thin };
    assert!(thin.is_empty(), "cells with fewer than {FEWEST} pods:\n{}", thin.join("\n"));
    say(&format!(
        "oracle pod-security: {count} pods, {} cells, no difference",
        counts.verdicts.len() * 2 + counts.edges.len() + counts.places.len(),
    ));
}

#[test]
fn pods_in_templates_are_judged_as_kubernetes_judges_them() {
    let Some(mut oracle) = Oracle::start("pod-security") else { return };
    let count = cases(1_000);
    for (carrier, word) in [(Carrier::Known, "known"), (Carrier::Custom, "custom")] {
        let mut refused = 0;
        compare(&mut oracle, carrier, count, |_, answer| {
            refused += usize::from(!Answer::run(&answer.levels, "baseline", 37).message.is_empty());
        });
        assert!(refused > count / 10 && refused < count * 9 / 10, "{refused} of {count} refused");
        say(&format!("oracle pod-security: {count} templates of {word} kinds, no difference"));
    }
}
