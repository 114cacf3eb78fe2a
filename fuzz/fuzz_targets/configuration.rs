//! palisade.yaml: every mistake has its place, and what is accepted can be run with.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use palisade::config::{Config, ConfigError, Waiver};
use palisade::document::{
    File, FileId, Files, Inventory, ReadOptions, RootKind, Span, read, read_settings, write_json,
};
use palisade::engine::{Settings, assess, conclude, config_schema};

mod places;

const CONFIG: FileId = FileId(0);
const MANIFEST: FileId = FileId(1);

/// A little cluster with findings that a configuration can lower, drop and waive.
const CLUSTER: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  hostNetwork: true
  containers:
    - name: web
      image: web:1
      securityContext: {privileged: true, capabilities: {add: [NET_ADMIN]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
    - to: [{ipBlock: {cidr: 0.0.0.0/0}}]
    - to: [{namespaceSelector: {}}]
";

static INVENTORY: LazyLock<Arc<Inventory>> = LazyLock::new(|| {
    let reading = read(MANIFEST, CLUSTER, &ReadOptions::default());
    let (documents, defects) = (reading.documents, reading.defects);
    let name = "shop".to_owned();
    Arc::new(Inventory::new(name, RootKind::Directory, documents, defects, Vec::new()))
});

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&config_schema()).expect("the schema is one"));

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (config, errors) = Config::read_all(CONFIG, &text);
    assert_eq!(Config::read(CONFIG, &text).is_ok(), errors.is_empty());
    worded(&text, &errors);
    for (name, at) in &config.named {
        inside(&text, *at, name);
    }
    config.waivers.iter().for_each(|waiver| waiver_fits(&text, waiver));
    let today = "2026-11-21".parse().expect("a date");
    let settings = match Settings::new(config, today) {
        Ok(settings) => settings,
        Err(more) => return worded(&text, &more),
    };
    if errors.is_empty() {
        accepted(&text);
        run(&text, &settings);
    }
});

fn inside(text: &str, span: Span, what: &str) {
    places::assert_inside(text, CONFIG, span, what);
}

fn worded(text: &str, errors: &[ConfigError]) {
    for ConfigError { at, message, help } in errors {
        inside(text, *at, message);
        for line in std::iter::once(message).chain(help) {
            assert!(!line.is_empty() && !line.chars().any(char::is_control), "{line:?}");
        }
    }
}

fn waiver_fits(text: &str, waiver: &Waiver) {
    let Waiver { check_span, span, until_span, .. } = waiver;
    for at in [check_span, span, until_span] {
        inside(text, *at, "a waiver");
    }
}

/// What the reader accepts, the published schema accepts, too.
fn accepted(text: &str) {
    let Ok((Some(tree), _)) = read_settings(CONFIG, text) else { return };
    let mut json = String::new();
    write_json(tree.root(), &mut json);
    let value: serde_json::Value = serde_json::from_str(&json).expect("a configuration is JSON");
    let errors: Vec<String> = SCHEMA.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "the schema refuses {json}: {errors:?}");
}

fn run(text: &str, settings: &Settings) {
    let inventories = [Arc::clone(&INVENTORY)];
    let mut assessments = [assess(&INVENTORY, settings)];
    let config = File::new("palisade.yaml".to_owned(), text.to_owned());
    let manifest = File::new("deploy/shop.yaml".to_owned(), CLUSTER.to_owned());
    let files = Files::new(vec![config, manifest]);
    conclude(&mut assessments, &inventories, &files, settings);
    let [assessment] = &assessments;
    for label in assessment.findings.iter().flat_map(|finding| &finding.labels) {
        let text = files.get(label.span.file).text();
        places::assert_inside(text, label.span.file, label.span, &label.text);
    }
    assert!(assessment.not_assessed.iter().all(|open| !open.error), "a check failed to run");
}
