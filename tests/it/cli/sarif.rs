//! SARIF: the rules of the standard and of the service that reads it, on every sample.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::program::{CRITICAL, LOW, Tree, check_here, samples};
use crate::support::project;

fn list<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is no list in {value}"))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {value}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn parsed(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap_or_else(|e| panic!("{e}\n{stdout}"))
}

/// The log of a tree of files.
fn log_of(files: &[(&str, &str)], args: &[&str]) -> Value {
    parsed(&Tree::new(files).check([args, &["-f", "sarif"]].concat()).stdout)
}

/// An empty text counts as a missing one.
fn no_empty_text(value: &Value, path: &str) {
    match value {
        Value::String(text) => assert!(!text.trim().is_empty(), "empty text at {path}"),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| no_empty_text(v, &format!("{path}/{i}")));
        }
        Value::Object(map) => {
            map.iter().for_each(|(key, v)| no_empty_text(v, &format!("{path}/{key}")));
        }
        _ => {}
    }
}

fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                let hex = String::from_utf8(hex).expect("two digits");
                u8::from_str_radix(&hex, 16).expect("two digits")
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// A place is one line of a file of the repository, counted from 1. Gives file, line and column.
fn place(location: &Value) -> (String, u64, u64) {
    let physical = &location["physicalLocation"];
    let artifact = &physical["artifactLocation"];
    let uri = text(artifact, "uri");
    assert!(!uri.starts_with('/') && !uri.contains([':', '\\', ' ']), "{uri}");
    assert_eq!(artifact["uriBaseId"], "ROOT");
    let region = &physical["region"];
    let [line, column, end_line, end] =
        ["startLine", "startColumn", "endLine", "endColumn"].map(|key| number(&region[key]));
    assert!(line >= 1 && column >= 1 && end_line == line && end > column, "{region}");
    (decoded(uri), line, column)
}

const SCORES: [(&str, &str, &str); 4] = [
    ("critical", "9.5", "error"),
    ("high", "8.0", "error"),
    ("medium", "5.5", "warning"),
    ("low", "2.0", "note"),
];

fn rules_are_right(run: &Value) {
    let rules = list(&run["tool"]["driver"], "rules");
    let ids: BTreeSet<&str> = rules.iter().map(|rule| text(rule, "id")).collect();
    assert_eq!(ids.len(), rules.len());
    for rule in rules {
        let id = text(rule, "id");
        let check = palisade::engine::catalog();
        let check = check.get(id).unwrap_or_else(|| panic!("{id} is no bare slug"));
        assert!(text(rule, "name").chars().count() <= 255);
        for key in ["shortDescription", "fullDescription"] {
            assert!((1..=1_024).contains(&text(&rule[key], "text").chars().count()), "{id} {key}");
        }
        assert!(
            !text(&rule["help"], "text").is_empty() && !text(&rule["help"], "markdown").is_empty()
        );
        let uri = text(rule, "helpUri");
        assert!(uri.starts_with("https://") && uri.ends_with(&format!("#{id}")), "{uri}");
        let properties = &rule["properties"];
        let tags: Vec<&str> = list(properties, "tags").iter().filter_map(Value::as_str).collect();
        assert!(tags.contains(&"security") && tags.len() <= 10, "{tags:?}");
        assert!(["very-high", "high", "medium", "low"].contains(&text(properties, "precision")));
        let score = SCORES.iter().find(|s| s.0 == check.severity.word()).expect("a severity");
        assert_eq!(text(properties, "security-severity"), score.1, "{id}");
        assert_eq!(text(&rule["defaultConfiguration"], "level"), score.2, "{id}");
    }
}

fn result_is_right(result: &Value, run: &Value) {
    let rule = &run["tool"]["driver"]["rules"]
        [usize::try_from(number(&result["ruleIndex"])).expect("an index")];
    assert_eq!(rule["id"], result["ruleId"]);
    let message = text(&result["message"], "text");
    let locations = list(result, "locations");
    assert_eq!(locations.len(), 1);
    let (file, line, _) = place(&locations[0]);
    let content = std::fs::read_to_string(project().join(&file)).expect("a file of the repository");
    assert!(line <= content.lines().count() as u64, "{file}:{line}");
    let logical = &list(&locations[0], "logicalLocations")[0];
    let name = text(logical, "fullyQualifiedName");
    assert!((2..=5).contains(&name.split('/').count()), "{name}");
    let related = list(result, "relatedLocations");
    assert!(related.len() <= 99);
    let mut ids = BTreeSet::new();
    for other in related {
        place(other);
        let id = number(&other["id"]);
        assert!(ids.insert(id), "{id} twice");
        assert!(message.contains(&format!("]({id})")), "{message} does not link {id}");
        assert!(!text(&other["message"], "text").is_empty());
    }
    let links = message.matches("](").count();
    assert_eq!(links, related.len(), "{message}");
    let properties = &result["properties"];
    let score = SCORES.iter().find(|s| s.1 == text(properties, "security-severity"));
    assert_eq!(Some(text(result, "level")), score.map(|s| s.2));
    assert!(["high", "medium", "low"].contains(&text(properties, "precision")));
}

#[test]
fn every_sample_keeps_the_rules_of_code_scanning() {
    let mut results = 0;
    for sample in samples() {
        let ran = check_here(&[&sample, "-f", "sarif"]).run();
        let json = check_here(&[&sample, "-f", "json"]).run().json();
        let log = parsed(&ran.stdout);
        assert_eq!(log["version"], "2.1.0");
        assert!(text(&log, "$schema").contains("sarif-2.1.0"));
        assert_eq!(list(&log, "runs").len(), 1);
        let run = &log["runs"][0];
        no_empty_text(&log, "");
        assert_eq!(run["tool"]["driver"]["name"], "palisade");
        assert_eq!(run["tool"]["driver"]["semanticVersion"], env!("CARGO_PKG_VERSION"));
        assert_eq!(run["columnKind"], "utf16CodeUnits");
        assert!(run["originalUriBaseIds"]["ROOT"].is_object());
        assert!(text(&run["automationDetails"], "id").contains('/'));
        rules_are_right(run);
        let mut hashes = BTreeSet::new();
        for result in list(run, "results") {
            result_is_right(result, run);
            let hash = text(&result["partialFingerprints"], "primaryLocationLineHash");
            assert!(hashes.insert((text(result, "ruleId"), hash)), "{sample}: {hash} twice");
            results += 1;
        }
        // The same findings at the same places as in JSON.
        let mut said: Vec<(String, String, u64)> = list(run, "results")
            .iter()
            .map(|result| {
                let (file, line, _) = place(&result["locations"][0]);
                (text(result, "ruleId").to_owned(), file, line)
            })
            .collect();
        let mut found: Vec<(String, String, u64)> = list(&json, "findings")
            .iter()
            .map(|f| {
                let label = &f["labels"][0];
                let line = number(&label["start"]["line"]);
                (text(f, "check").to_owned(), text(label, "file").to_owned(), line)
            })
            .collect();
        said.sort();
        found.sort();
        assert_eq!(said, found, "{sample}");
        let invocation = &list(run, "invocations")[0];
        assert_eq!(invocation["exitCode"], ran.code);
        assert_eq!(invocation["executionSuccessful"], true);
    }
    assert!(results > 100, "only {results}");
}

/// Rule and identity of each result.
fn identities(log: &Value) -> BTreeSet<(String, String)> {
    let results = list(&log["runs"][0], "results");
    let of = |result: &Value| {
        let hash = text(&result["partialFingerprints"], "primaryLocationLineHash");
        (text(result, "ruleId").to_owned(), hash.to_owned())
    };
    results.iter().map(of).collect()
}

#[test]
fn an_identity_survives_moves_and_new_indentation() {
    let two = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: main
          image: a
          securityContext: {privileged: true}
        - name: side
          image: b
          securityContext: {privileged: true}
";
    let base = identities(&log_of(&[("a.yaml", two)], &[]));
    assert!(base.len() > 8, "{base:?}");
    let commented = format!("# What follows is new.\n\n\n{two}");
    assert_eq!(identities(&log_of(&[("a.yaml", &commented)], &[])), base, "other lines");
    assert_eq!(identities(&log_of(&[("deploy/b.yaml", two)], &[])), base, "another file");
    let value: Value = serde_yaml::from_str(two).expect("YAML");
    let compact = format!("{value}\n");
    assert_eq!(identities(&log_of(&[("a.yaml", &compact)], &[])), base, "another layout");
    // Items of a list are known by their name, not by their number.
    let start = two.find("        - name: main").expect("it is there");
    let side = two.find("        - name: side").expect("it is there");
    let swapped = [&two[..start], &two[side..], &two[start..side]].concat();
    assert_eq!(identities(&log_of(&[("a.yaml", &swapped)], &[])), base, "another order");
    // And another object is another finding.
    let other = identities(&log_of(&[("a.yaml", &two.replace("name: web", "name: shop"))], &[]));
    assert!(other.is_disjoint(&base));
}

#[test]
fn an_identity_does_not_know_the_version_of_the_api() {
    let policy = |version: &str| {
        format!(
            "apiVersion: policy/{version}\nkind: Custom\nmetadata: {{name: a, namespace: shop}}\n\
             spec: {{template: {{spec: {{containers: [{{name: main, image: a, securityContext: \
             {{privileged: true}}}}]}}}}}}\n"
        )
    };
    let of = |version: &str| {
        identities(&log_of(&[("a.yaml", &policy(version))], &["--include=privileged-container"]))
    };
    assert_eq!(of("v1").len(), 1);
    assert_eq!(of("v1"), of("v1beta1"));
}

#[test]
fn findings_that_share_an_identity_are_told_apart() {
    let fence = format!("```yaml\n{CRITICAL}```\n");
    let tree = Tree::new(&[("a.md", &fence), ("b.md", &fence)]);
    let args = ["check", "a.md", "b.md", "-f", "sarif", "--include=privileged-container"];
    let log = parsed(&tree.palisade(args).run().exit(1).stdout);
    let results = list(&log["runs"][0], "results");
    let hashes: Vec<&str> = results
        .iter()
        .map(|r| text(&r["partialFingerprints"], "primaryLocationLineHash"))
        .collect();
    assert_eq!(hashes.len(), 2);
    assert_ne!(hashes[0], hashes[1]);
    let print = hashes[0].split(':').next();
    assert_eq!(print, hashes[1].split(':').next(), "one identity, and the root behind it");
    // The same object twice in one root.
    let twice = format!("{CRITICAL}---\n{CRITICAL}");
    let log = log_of(&[("a.yaml", &twice)], &["--include=privileged-container"]);
    assert_eq!(list(&log["runs"][0], "results").len(), 2);
    assert_eq!(identities(&log).len(), 2);
}

#[test]
fn columns_are_counted_in_utf_16() {
    let line = "      - {name: \"\u{1f600}\u{e9}\", image: a, securityContext: {privileged: true}}";
    let text_of = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: shop}}\nspec:\n  containers:\n{line}\n"
    );
    let log = log_of(&[("a.yaml", &text_of)], &["--include=privileged-container"]);
    let (_, found, column) = place(&log["runs"][0]["results"][0]["locations"][0]);
    let before = &line[..line.find("true").expect("it is there")];
    assert_eq!((found, column), (6, before.encode_utf16().count() as u64 + 1));
    assert_ne!(column, before.chars().count() as u64 + 1, "else this would show nothing");
}

#[test]
fn a_name_is_percent_encoded_in_its_address() {
    let log = log_of(&[("a b/\u{e9}%[1].yaml", CRITICAL)], &["--include=privileged-container"]);
    let location = &log["runs"][0]["results"][0]["locations"][0];
    let uri = text(&location["physicalLocation"]["artifactLocation"], "uri");
    assert_eq!(uri, "a%20b/%C3%A9%25%5B1%5D.yaml");
    assert_eq!(place(location).0, "a b/\u{e9}%[1].yaml");
}

#[test]
fn a_name_cannot_make_a_link() {
    let name = "\"[click](https://evil.example) ](1)\"";
    let text_of = "\
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: shop}
spec: {selector: {app: checkout}}
---
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: shop, labels: {app: check-out}}
spec: {containers: [{name: NAME, image: a, securityContext: {privileged: true}}]}
"
    .replace("NAME", name);
    let log = log_of(&[("a.yaml", &text_of)], &[]);
    let results = list(&log["runs"][0], "results");
    assert!(results.len() > 5);
    for result in results {
        let message = text(&result["message"], "text");
        let related = list(result, "relatedLocations").len();
        assert_eq!(message.matches("](").count(), related, "{message}");
        assert!(!message.contains("](https"), "{message}");
    }
}

fn notifications(log: &Value) -> &Vec<Value> {
    list(&log["runs"][0]["invocations"][0], "toolExecutionNotifications")
}

#[test]
fn what_was_not_evaluated_is_notified() {
    let broken = "kind: Pod\nmetadata: [\n";
    let low = ["--include=container-without-cpu-request"];
    let alone = log_of(&[("broken.yaml", broken)], &low);
    let invocation = &alone["runs"][0]["invocations"][0];
    assert_eq!(
        (&invocation["exitCode"], &invocation["executionSuccessful"]),
        (&4.into(), &false.into())
    );
    assert_eq!(list(&alone["runs"][0], "results").len(), 0, "an empty list, not none");
    let beside = log_of(&[("broken.yaml", broken), ("a.yaml", LOW)], &low);
    for log in [&alone, &beside] {
        let errors: Vec<&Value> =
            notifications(log).iter().filter(|n| n["level"] == "error").collect();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(text(&errors[0]["message"], "text").starts_with("unparsable: "));
        let (file, line, _) = place(&errors[0]["locations"][0]);
        assert_eq!((file.as_str(), line), ("broken.yaml", 2));
    }
    let chart =
        [("chart/Chart.yaml", "name: a\nversion: 1.0.0\n"), ("chart/templates/a.yaml", LOW)];
    let log = log_of(&chart, &low);
    let gap = notifications(&log).iter().find(|n| n["level"] == "warning").expect("a gap");
    let said = text(&gap["message"], "text");
    assert!(said.starts_with("renderer-missing: ") && said.contains("helm template"), "{said}");
    let open = log_of(&[("a.yaml", LOW)], &["--include=namespace-without-pod-security"]);
    let note =
        notifications(&open).iter().find(|n| n["level"] == "note").expect("an open question");
    assert_eq!(note["associatedRule"]["id"], "namespace-without-pod-security");
    let said = text(&note["message"], "text");
    assert!(said.contains("Namespace `shop` is not in the input"), "{said}");
}

#[test]
fn what_consumers_would_cut_is_cut_by_severity_and_said() {
    let pod = |i: usize| {
        let pod = CRITICAL.replace("mighty", &format!("mighty-{i}"));
        pod.replace("      resources: {requests: {cpu: 100m}}\n", "")
    };
    let text_of = (0..2_501).map(pod).collect::<Vec<_>>().join("---\n");
    let include = "--include=privileged-container,container-without-cpu-request";
    let log = log_of(&[("a.yaml", &text_of)], &[include]);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for result in list(&log["runs"][0], "results") {
        *counts.entry(text(result, "ruleId")).or_default() += 1;
    }
    let expected = [("container-without-cpu-request", 2_499), ("privileged-container", 2_501)];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
    let said: Vec<&str> = notifications(&log).iter().map(|n| text(&n["message"], "text")).collect();
    let cut = "2 results of lower severity were cut: consumers keep 5000";
    assert!(said.contains(&cut), "{said:?}");
}

#[test]
fn each_way_in_leads_to_what_is_exposed() {
    let manifests = "\
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {type: LoadBalancer, externalIPs: [192.0.2.7], selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: till, namespace: shop, labels: {app: shop}}
spec: {containers: [{name: main, image: a}]}
";
    let log = log_of(&[("shop.yaml", manifests)], &["--include=exposed-to-internet"]);
    let flows = list(&list(&list(&log, "runs")[0], "results")[0], "codeFlows");
    let lines = |flow: &Value| -> Vec<u64> {
        let hops = list(&list(flow, "threadFlows")[0], "locations");
        hops.iter().map(|hop| place(&hop["location"]).1).collect()
    };
    assert_eq!(flows.iter().map(lines).collect::<Vec<_>>(), [[4, 8], [4, 8]]);
    let words = |flow: &Value| {
        let hop = &list(&list(flow, "threadFlows")[0], "locations")[0];
        text(&hop["location"]["message"], "text").to_owned()
    };
    let ways = ["nodes accept traffic for these addresses", "a load balancer leads to it"];
    assert_eq!(flows.iter().map(words).collect::<Vec<_>>(), ways);
}
