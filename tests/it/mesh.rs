//! The mesh against recorded answers of Istio's own code, and what platform facts change.

use std::path::Path;

use palisade::config::Profile;
use palisade::document::{Inventory, ReadOptions};
use palisade::finding::Assessment;
use palisade::model::{
    Action, AuthorizationPolicy, Known, Model, PeerAuthentication, Truth, Workload,
};
use palisade::source::{Request, load};
use serde_json::{Value, json};

use crate::support::{conformance, judge, project, table};

/// Rows of a table of answers of Istio's own code.
fn istio(name: &str) -> Option<Vec<Vec<String>>> {
    conformance("istio").map(|folder| table(&folder.join(name)))
}

/// The model of some objects in JSON.
fn model(objects: &[Value]) -> Model {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let file = directory.path().join("objects.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    std::fs::write(&file, list.to_string()).expect("writable");
    let request = Request {
        paths: vec![file],
        stdin: false,
        exclude: Vec::new(),
        include_docs: false,
        options: ReadOptions::default(),
        config: None,
        storage: palisade::source::Storage::Disk,
    };
    let loaded = load(&request).unwrap_or_else(|error| panic!("{error}"));
    let inventory: &Inventory = loaded.inventories.first().expect("one root");
    assert_eq!(inventory.documents.len(), objects.len(), "every object is read");
    Model::build(inventory, &Profile::default())
}

/// The objects of a cell: one, or a list.
fn objects(cell: &str) -> Vec<Value> {
    match serde_json::from_str(cell).expect("JSON") {
        Value::Array(objects) => objects,
        object => vec![object],
    }
}

fn pod(namespace: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "asked", "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    })
}

fn asked(model: &Model) -> &Workload {
    model.workloads().find(|workload| workload.id.name == "asked").expect("the pod of the case")
}

fn peers(model: &Model) -> Vec<&PeerAuthentication> {
    model.namespaces().flat_map(|(_, part)| &part.peer_authentications).collect()
}

fn policies(model: &Model) -> Vec<&AuthorizationPolicy> {
    model.namespaces().flat_map(|(_, part)| &part.authorization_policies).collect()
}

fn cell(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", String::as_str)
}

/// Fails with every row that differs.
fn compare(name: &str, count: usize, differences: &[String], rows: usize) {
    assert_eq!(count, rows, "{name}: every row is looked at");
    assert!(
        differences.is_empty(),
        "{name}: {} differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn the_effective_mtls_mode_is_what_istio_computes() {
    let Some(rows) = istio("peer_mode.tsv") else { return };
    let mut differences = Vec::new();
    for row in &rows {
        let (namespace, port) = (cell(row, 2), cell(row, 4).parse().expect("a port"));
        let labels = serde_json::from_str(cell(row, 3)).expect("labels");
        let mut objects = objects(cell(row, 6));
        objects.push(pod(namespace, &labels));
        let model = model(&objects);
        let found = match model.mtls(asked(&model)) {
            Known(mtls) => mtls.at(port).word().to_owned(),
            unknown => format!("{unknown:?}"),
        };
        if found != cell(row, 5) {
            differences.push(format!(
                "{} port {port}: {found}, not {}",
                cell(row, 0),
                cell(row, 5)
            ));
        }
    }
    compare("peer_mode", rows.len(), &differences, 177);
}

#[test]
fn a_policy_is_refused_where_the_api_server_or_the_webhook_refuses_it() {
    let Some(rows) = istio("validation.tsv") else { return };
    let mut differences = Vec::new();
    let mut count = 0;
    for row in rows.iter().filter(|row| cell(row, 2) != "RequestAuthentication") {
        count += 1;
        let model = model(&objects(cell(row, 6)));
        let of_peer = peers(&model).into_iter().map(|peer| peer.refused.as_ref());
        let of_policy = policies(&model).into_iter().map(|policy| policy.refused.as_ref());
        let refused = of_peer.chain(of_policy).next().expect("one policy");
        if refused.is_some() != cell(row, 3).starts_with("rejected") {
            let why = refused.map_or("accepted", |why| why.value.as_str());
            differences.push(format!("{}: {why}, not {}", cell(row, 0), cell(row, 3)));
        }
    }
    compare("validation", count, &differences, 120);
}

#[test]
fn ztunnel_gets_of_a_policy_what_istio_sends() {
    let Some(rows) = istio("ztunnel.tsv") else { return };
    let mut differences = Vec::new();
    for row in &rows {
        let model = model(&objects(cell(row, 8)));
        let policy = *policies(&model).first().expect("one policy");
        let (sent, fates) = match policy.at_ztunnel() {
            None => ("not-sent", policy.rules().iter().map(|_| "not-sent").collect()),
            Some(fates) => ("sent", fates.iter().map(|fate| fate.word()).collect::<Vec<_>>()),
        };
        let fates = if fates.is_empty() { "-".to_owned() } else { fates.join(",") };
        if (sent, fates.as_str()) != (cell(row, 2), cell(row, 5)) {
            let wanted = (cell(row, 2), cell(row, 5));
            differences.push(format!("{}: {:?}, not {wanted:?}", cell(row, 0), (sent, fates)));
        }
    }
    compare("ztunnel", rows.len(), &differences, 207);
}

#[test]
fn the_policies_of_a_pod_are_those_that_istio_attaches() {
    let Some(rows) = istio("attachment.tsv") else { return };
    let mut differences = Vec::new();
    let mut count = 0;
    for row in rows.iter().filter(|row| cell(row, 2) == "pod") {
        count += 1;
        let mut objects = objects(cell(row, 6));
        objects.push(pod("shop", &json!({"app": "web"})));
        let model = model(&objects);
        let of = |action: Action| {
            let policies = policies(&model).into_iter().filter(|policy| {
                policy.action == action && model.is_for(policy, asked(&model)) == Truth::Yes
            });
            let mut names: Vec<String> =
                policies.map(|p| format!("{}/{}", p.id.namespace, p.id.name)).collect();
            names.sort();
            if names.is_empty() { "-".to_owned() } else { names.join(",") }
        };
        let found = [of(Action::Deny), of(Action::Allow), of(Action::Audit)];
        let wanted = [cell(row, 3), cell(row, 4), cell(row, 5)].map(sorted);
        if found != wanted {
            differences.push(format!("{}: {found:?}, not {wanted:?}", cell(row, 0)));
        }
    }
    compare("attachment", count, &differences, 89);
}

fn sorted(list: &str) -> String {
    let mut names: Vec<&str> = list.split(',').collect();
    names.sort_unstable();
    names.join(",")
}

/// What every case of the gateway table has besides its own objects.
fn surroundings() -> Vec<Value> {
    let namespace = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    let service = |namespace: &str, name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
        })
    };
    vec![
        namespace("infra", json!({})),
        namespace("shop", json!({"team": "a", "env": "prod"})),
        namespace("bank", json!({"team": "b"})),
        service("shop", "s"),
        service("shop", "t"),
        service("bank", "s"),
    ]
}

fn judged(objects: &[Value]) -> Vec<Assessment> {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let file = directory.path().join("objects.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    std::fs::write(&file, list.to_string()).expect("writable");
    judge(&[file]).assessments
}

/// Whether a check has a finding on an object named `kind namespace/name`.
fn reports(assessments: &[Assessment], check: &str, subject: &str) -> bool {
    let mut findings = assessments.iter().flat_map(|assessment| &assessment.findings);
    findings.any(|finding| finding.check == check && finding.subject.to_string() == subject)
}

#[test]
fn a_route_is_reported_where_no_listener_takes_it_or_a_backend_is_refused() {
    let Some(rows) = istio("gateway.tsv") else { return };
    let mut differences = Vec::new();
    for row in &rows {
        let mut objects = objects(cell(row, 6));
        objects.extend(surroundings());
        let assessments = judged(&objects);
        let unattached = reports(&assessments, "unresolved-parent-ref", cell(row, 2));
        if unattached != (cell(row, 3) == "not-attached") {
            differences.push(format!("{}: {} reported {unattached}", cell(row, 0), cell(row, 2)));
        }
        let refused = reports(&assessments, "unresolved-backend", cell(row, 2));
        if refused != cell(row, 5).contains("refused") {
            differences.push(format!("{}: backend reported {refused}", cell(row, 0)));
        }
    }
    compare("gateway", rows.len(), &differences, 44);
}

#[test]
fn the_root_namespace_of_the_mesh_is_a_declared_fact() {
    let files = [(
        "objects.yaml",
        "apiVersion: v1\nkind: Namespace\n\
         metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}\n---\n\
         apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n\
         metadata: {name: default, namespace: mesh-root}\nspec: {mtls: {mode: STRICT}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n\
         spec: {containers: [{name: app, image: app}]}\n",
    )];
    let verdict = |config: &str| {
        let directory = tempfile::tempdir().expect("a scratch directory");
        write(directory.path(), &files);
        write(directory.path(), &[("palisade.yaml", config)]);
        let run = judge(&[directory.path().to_owned()]);
        reports(&run.assessments, "mtls-not-strict", "Pod shop/web")
    };
    assert!(verdict("platform: {mesh: ambient}\n"), "istio-system is the root namespace");
    assert!(!verdict("platform: {mesh: ambient, rootNamespace: mesh-root}\n"), "mesh-root is");
    assert!(!verdict("platform: {mesh: none}\n"), "without a mesh there is no mode");
}

#[test]
fn a_finding_is_lowered_only_for_the_cases_that_its_docs_name() {
    let cases: [(&str, &str, &[&str]); 13] = [
        ("exposed-to-internet", "Deployment mall/shopfront", &["medium high"]),
        ("exposed-to-internet", "Pod mall/partners", &["low high"]),
        ("namespace-without-authorization-policy", "Namespace open-house", &["high medium"]),
        ("namespace-without-authorization-policy", "Namespace half", &["medium medium"]),
        ("namespace-without-authorization-policy", "Namespace village", &["high high"]),
        ("identity-rule-without-mtls", "AuthorizationPolicy gallery/no-thieves", &["high high"]),
        ("identity-rule-without-mtls", "AuthorizationPolicy gallery/all-but-alley", &["high high"]),
        ("identity-rule-without-mtls", "AuthorizationPolicy gallery/curators", &["low high"]),
        // Whether the mesh's own namespace has a policy for all of it is known where it is there.
        ("mtls-not-strict", "Deployment bare/kiosk", &["high medium"]),
        ("mtls-not-strict", "Deployment church/spire", &["high high"]),
        ("mtls-not-strict", "StatefulSet sealed/counter", &["high high"]),
        // One of the listeners has a host of its own.
        (
            "listener-open-to-all-namespaces",
            "Gateway edge/common",
            &["high high", "high high", "high high", "high high", "medium high"],
        ),
        ("listener-plaintext", "Gateway edge/front", &["high high"]),
    ];
    for (check, subject, wanted) in cases {
        let fixture = project().join("tests/checks").join(check);
        let fixture = if fixture.is_dir() { fixture } else { fixture.with_extension("yaml") };
        let assessments = judge(&[fixture]).assessments;
        let findings = assessments.iter().flat_map(|assessment| &assessment.findings);
        let about = findings.filter(|f| f.check == check && f.subject.to_string() == subject);
        let mut found: Vec<String> =
            about.map(|f| format!("{} {}", f.severity, f.confidence.word())).collect();
        found.sort();
        assert_eq!(found, wanted, "{check} on {subject}");
    }
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(directory.join(name), text).expect("writable");
    }
}
