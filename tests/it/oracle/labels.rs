//! The labels of namespaces against Kubernetes' own reading of them.

use palisade::config::Profile;
use palisade::document::{FileId, Inventory, ReadOptions, RootKind, read};
use palisade::model::Model;
use palisade::model::pod_security::{NEWEST, Version};
use serde::Deserialize;
use serde_json::{Value, json};

use super::dice::Dice;
use super::{Oracle, cases, no_difference, say, seed};

#[derive(Deserialize)]
struct Answer {
    modes: Modes,
}

#[derive(Deserialize)]
struct Modes {
    enforce: String,
}

fn labels(number: usize) -> Value {
    let mut dice = Dice::new(seed(), number);
    let levels = ["privileged", "baseline", "restricted", "Baseline", "", "strict", " baseline"];
    let versions = [
        "latest",
        "v1.0",
        "v1.8",
        "v1.25",
        "v1.37",
        "v1.38",
        "v1.999",
        "v1.007",
        "v1.00",
        "v1.",
        "v1",
        "1.25",
        "v2.0",
        "Latest",
        "",
        "v1.25.3",
        "v1.-1",
        "v1.+5",
        "v1.99999999999999999999",
        "v1.4294967296",
        "v1.9223372036854775807",
        "v1.2\u{663}",
        " v1.25",
        "v1.25 ",
    ];
    let mut labels = json!({"team": "a"});
    let mut set = |key: &str, value: &str| {
        let labels = labels.as_object_mut().expect("it is a map");
        labels.insert(format!("pod-security.kubernetes.io/{key}"), json!(value));
    };
    for mode in ["enforce", "audit", "warn"] {
        if !dice.one_in(6) {
            set(mode, dice.word(&levels));
        }
        if !dice.one_in(4) {
            set(&format!("{mode}-version"), dice.word(&versions));
        }
    }
    labels
}

/// What the labels enforce as the library reads them, in the oracle's words.
fn enforced(labels: &Value) -> Option<String> {
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "n", "labels": labels},
    });
    let reading = read(FileId(0), &namespace.to_string(), &ReadOptions::default());
    let inventory = Inventory::new(
        String::new(),
        RootKind::Directory,
        reading.documents,
        Vec::new(),
        Vec::new(),
    );
    let model = Model::build(&inventory, &Profile::default());
    let namespace = model.part("n").and_then(|part| part.namespace.as_ref()).expect("it is there");
    let enforcement = namespace.enforcement()?;
    Some(format!("{}:{}", enforcement.level.word(), enforcement.version))
}

/// `latest` and versions to come mean the newest one that is known.
fn in_known_versions(enforce: &str) -> String {
    let (level, version) = enforce.split_once(':').expect("level and version");
    let minor = version.strip_prefix("v1.").and_then(|minor| minor.parse::<u64>().ok());
    match minor.and_then(|minor| u32::try_from(minor).ok()).filter(|minor| *minor <= NEWEST) {
        Some(minor) => format!("{level}:{}", Version::of_minor(minor)),
        None => format!("{level}:{}", Version::LATEST),
    }
}

#[test]
fn namespace_labels_enforce_what_kubernetes_reads_in_them() {
    let Some(mut oracle) = Oracle::start("pod-security") else { return };
    let made: Vec<Value> = (0..cases(1_000)).map(labels).collect();
    let requests: Vec<String> = made.iter().map(|l| json!({"labels": l}).to_string()).collect();
    let answers: Vec<Answer> = oracle.ask(&requests);
    let mut differences = Vec::new();
    for (labels, answer) in made.iter().zip(answers) {
        let theirs = in_known_versions(&answer.modes.enforce);
        let ours = enforced(labels);
        let level_is_set = labels.get("pod-security.kubernetes.io/enforce").is_some();
        // Without the label the API server's own default holds, which no manifest shows.
        let same = if level_is_set { ours.as_ref() == Some(&theirs) } else { ours.is_none() };
        if !same {
            differences.push(format!("ours {ours:?}, theirs {theirs}, for {labels}"));
        }
    }
    no_difference(&differences);
    say(&format!("oracle pod-security: labels of {} namespaces, no difference", made.len()));
}
