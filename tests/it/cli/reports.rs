//! What people read: the order of findings, their places, the tables, and the end of a report.

use std::collections::BTreeMap;

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::program::{CLEAN, CRITICAL, LOW, Ran, Tree, check_here, samples};

const WIDE: &str = "160";

/// Runs `check` over all samples at once: roots of several kinds side by side.
fn all_samples(format: &str, columns: &str) -> Ran {
    let samples = samples();
    let mut args: Vec<&str> = samples.iter().map(String::as_str).collect();
    args.extend(["-f", format]);
    check_here(&args).env("COLUMNS", columns).run().exit(1)
}

/// A block of the human report: severity, check, headline and the first place.
fn blocks(text: &str) -> Vec<(String, String, String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let head = line.split(' ').next().unwrap_or_default();
        let Some((severity, slug)) = head.strip_suffix(']').and_then(|h| h.split_once('[')) else {
            continue;
        };
        let mut headline = String::new();
        let mut place = String::new();
        for line in lines.by_ref().skip(1) {
            match line.trim_start().strip_prefix("\u{256d}\u{2500}[") {
                Some(rest) => {
                    place = rest.trim_end_matches(']').to_owned();
                    break;
                }
                None => headline.push_str(
                    line.trim_start_matches([' ', '\u{d7}', '\u{26a0}', '\u{261e}', '\u{2502}']),
                ),
            }
        }
        found.push((severity.to_owned(), slug.to_owned(), headline, place));
    }
    found
}

#[test]
fn a_block_begins_with_the_place_to_change() {
    let mut singles = 0;
    for sample in samples() {
        let json = check_here(&[&sample, "-f", "json"]).run().json();
        let mut expected: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for finding in json["findings"].as_array().expect("a list") {
            let label = &finding["labels"][0];
            assert_eq!(label["primary"], true);
            let place = format!(
                "{}:{}:{}",
                label["file"].as_str().expect("text"),
                label["start"]["line"],
                label["start"]["column"]
            );
            let text = |key: &str| finding[key].as_str().expect("text").to_owned();
            *expected.entry((text("check"), text("message"), place)).or_default() += 1;
        }
        let human = check_here(&[&sample]).env("COLUMNS", WIDE).run().stdout;
        for (_, slug, headline, place) in blocks(&human).into_iter().filter(|b| b.1 != "hardening")
        {
            let key = (slug, headline, place);
            let left = expected.get_mut(&key).unwrap_or_else(|| panic!("{sample}: {key:?}"));
            assert!(*left > 0, "{sample}: {key:?} twice");
            *left -= 1;
            singles += 1;
        }
    }
    assert!(singles > 60, "only {singles} blocks were compared");
}

#[test]
fn an_earlier_line_of_the_same_file_does_not_come_before_the_place_to_change() {
    let text = "\
apiVersion: v1
kind: Pod
metadata:
  name: till
  namespace: shop
  labels: {app: checkout}
spec: {containers: [{name: main, image: a}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: till, namespace: shop}
spec:
  podSelector: {matchLabels: {app: check-out}}
  policyTypes: [Ingress]
";
    let tree = Tree::new(&[("a.yaml", text)]);
    let human = tree.check(["--include", "policy-selects-nothing"]).exit(1).stdout;
    let places: Vec<&str> = human.lines().filter(|l| l.contains("\u{256d}\u{2500}[")).collect();
    assert!(places.len() >= 2, "{human}");
    assert!(places[0].contains("[a.yaml:13:36]"), "{human}");
    assert!(places[1].contains("[a.yaml:6:17]"), "{human}");
    assert!(!human.contains("seen together with"), "it is the same file\n{human}");
}

#[test]
fn findings_of_all_roots_are_sorted_by_severity() {
    let rank = |severity: &str| {
        let order = ["critical", "high", "medium", "low"];
        order.iter().position(|s| *s == severity).unwrap_or_else(|| panic!("{severity}"))
    };
    // The roots one after the other are not sorted: else this would show nothing.
    let json = all_samples("json", WIDE).json();
    let findings = json["findings"].as_array().expect("a list");
    let severities: Vec<usize> =
        findings.iter().map(|f| rank(f["severity"].as_str().expect("text"))).collect();
    assert!(!severities.is_sorted());
    assert!(json["roots"].as_array().expect("a list").len() > 4);

    let human = all_samples("human", WIDE).stdout;
    let shown: Vec<usize> = blocks(&human).iter().map(|block| rank(&block.0)).collect();
    assert!(shown.len() > 100 && shown.is_sorted(), "{shown:?}");

    let table = all_samples("table", WIDE).stdout;
    let cells = table.lines().filter_map(|line| line.strip_prefix("\u{2502} "));
    let words = cells.filter_map(|line| line.split(' ').next()).filter(|word| !word.is_empty());
    let shown: Vec<usize> =
        words.filter(|w| !["severity", "workload"].contains(w)).map(rank).collect();
    assert!(shown.is_sorted(), "{shown:?}");
    assert_eq!(shown.len(), findings.len());

    let sarif: Value = serde_json::from_str(&all_samples("sarif", WIDE).stdout).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("a list");
    let score = |result: &Value| -> f64 {
        result["properties"]["security-severity"].as_str().expect("text").parse().expect("a number")
    };
    assert!(results.iter().map(score).is_sorted_by(|a, b| a >= b));
    assert_eq!(results.len(), findings.len());
}

#[test]
fn names_in_the_table_are_whole() {
    let json = all_samples("json", WIDE).json();
    for columns in ["80", "100", WIDE] {
        let table = all_samples("table", columns).stdout;
        let cells: Vec<&str> =
            table.lines().flat_map(|l| l.split('\u{2506}')).map(str::trim).collect();
        for finding in json["findings"].as_array().expect("a list") {
            let label = &finding["labels"][0];
            let place =
                format!("{}:{}", label["file"].as_str().expect("text"), label["start"]["line"]);
            let check = finding["check"].as_str().expect("text");
            assert!(cells.contains(&place.as_str()), "{place} is broken in {columns} columns");
            assert!(cells.contains(&check), "{check} is broken in {columns} columns");
        }
        let limit: usize = columns.parse().expect("a number");
        let wide = table.lines().find(|line| line.width() > limit);
        assert_eq!(wide, None);
    }
    // Narrower ones are a list, in which nothing has to be broken.
    let list = all_samples("table", "60").stdout;
    assert!(list.starts_with("critical: "), "{list}");
    assert!(list.contains("\n  samples/agent-bruno/rotate-keys.sh:26\n"), "{list}");
}

#[test]
fn a_place_that_no_column_can_hold_is_broken_behind_a_slash() {
    let directory = "a-team-with-a-long-name/environments/production-europe-west/manifests";
    let tree = Tree::new(&[(&format!("{directory}/pod.yaml"), LOW)]);
    let args = ["-f", "table", "--include", "container-without-cpu-request"];
    let table = tree.check(args).exit(1).stdout;
    let cells = table
        .lines()
        .filter(|l| l.starts_with('\u{2502}'))
        .filter_map(|l| l.split('\u{2506}').nth(1));
    let broken: Vec<&str> = cells.map(str::trim).skip(2).take(2).collect();
    assert_eq!(broken.concat(), format!("{directory}/pod.yaml:6"), "{table}");
    assert!(broken[0].ends_with('/'), "{table}");
}

#[test]
fn every_root_has_its_own_table_of_layers() {
    let text = check_here(&["samples/agent-bruno"]).run().stdout;
    for root in ["samples/agent-bruno/deployment.md", "samples/agent-bruno/rotate-keys.sh"] {
        assert!(text.contains(&format!("\nDefence in depth of {root}\n")), "{text}");
    }
    for workload in ["reader/reader", "reader-dev/reader", "reader/rotate-reader-keys"] {
        assert!(text.contains(&format!("\u{2502} {workload} ")), "{workload} is broken\n{text}");
    }
    let one = check_here(&["samples/coagents/trips.yaml"]).run().stdout;
    assert!(one.contains("\nDefence in depth\n"), "{one}");
}

#[test]
fn as_much_of_a_long_line_is_shown_as_its_labels_leave_room_for() {
    let text = CRITICAL.split("spec:").next().expect("its head").to_owned()
        + "spec:\n  containers: [{name: main, image: a, securityContext: {privileged: true}}]\n";
    let tree = Tree::new(&[("a.yaml", &text)]);
    let at = |columns: &str| {
        let run = tree.palisade(["check", "a.yaml", "--include", "privileged-container"]);
        let human = run.env("COLUMNS", columns).run().exit(1).stdout;
        let line = human.lines().find(|l| l.starts_with(" 5 \u{2502}")).map(str::to_owned);
        assert!(human.contains("every isolation is off"), "{human}");
        line.expect("the line")
    };
    assert!(at("160").contains("  containers: [{name: main"), "{}", at("160"));
    assert!(at("100").contains("[{name: main, image: a"), "{}", at("100"));
    for columns in ["40", "60", "80", "100", "160"] {
        assert!(at(columns).contains("privileged: true") || columns == "40", "{}", at(columns));
        assert!(at(columns).contains("true"), "{}", at(columns));
    }
}

#[test]
fn a_help_of_several_entries_tells_where_each_begins() {
    let tree = Tree::new(&[("a.yaml", CRITICAL)]);
    let human = tree.palisade(["check", "a.yaml"]).env("COLUMNS", "80").run().exit(1).stdout;
    let group = human.split("high[hardening]").nth(1).expect("a group");
    let help = group.split("  help: ").nth(1).and_then(|rest| rest.split("\n\n").next());
    let lines: Vec<&str> = help.expect("help").lines().skip(1).collect();
    assert!(lines.len() > 6, "some entries are wrapped\n{human}");
    for line in lines {
        let word = line.split_whitespace().next().unwrap_or_default();
        let entry = word.ends_with(':') && !word.starts_with('`');
        let indent = line.len() - line.trim_start().len();
        assert_eq!(indent, if entry { 8 } else { 10 }, "{line:?}");
    }
}

#[test]
fn a_value_that_is_withheld_is_shown_as_asterisks_where_it_stands() {
    let text = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data:
  settings.ini: |
    [backup]
    bucket = backups
    secret_key = Yt5RkQ8wZb3nXv6Lc1Jm9Pf2Hd7Gs4Ae
";
    let tree = Tree::new(&[("a.yaml", text)]);
    let human = tree.check(["--include", "secret-in-configmap"]).exit(1).stdout;
    let line = human.lines().find(|line| line.starts_with(" 8 \u{2502}")).expect("the line");
    assert_eq!(line.split_once('\u{2502}').map(|l| l.1.trim()), Some("********"), "{human}");
    assert!(human.contains("[a.yaml:8:18]"), "{human}");
}

#[test]
fn a_document_without_a_manifest_is_no_root_of_the_totals() {
    let tree = Tree::new(&[("a.yaml", CLEAN), ("README.md", "# Nothing to apply\n")]);
    let text = tree.check(["--include-docs", "--include", "privileged-container"]).exit(0).stdout;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("2 objects of 2 kinds in 1 root "), "{text}");
}

#[test]
fn names_cannot_steer_a_terminal_in_any_format() {
    let name = "\\e[31mred\\a\\r\\u202Eslate\\u0085";
    let text = CRITICAL
        .replace("mighty,", &format!("\"{name}\","))
        .replace("main", &format!("\"{name}\""));
    let tree = Tree::new(&[("a.yaml", &text)]);
    let formats =
        ["human", "table", "json", "sarif", "junit", "github", "gitlab", "markdown", "csv"];
    for format in formats {
        // The line breaks of CSV have two characters.
        let out = tree.check(["-f", format]).exit(1).stdout.replace("\r\n", "\n");
        assert!(out.contains("red"), "{out}");
        let texts = match serde_json::from_str::<Value>(&out) {
            Ok(json) => strings(&json).join("\n"),
            Err(_) => out,
        };
        let harmful = |c: &char| (c.is_control() && !matches!(c, '\n' | '\t')) || *c == '\u{202e}';
        assert_eq!(texts.chars().find(harmful), None, "{format}: {texts:?}");
    }
}

/// Every text of a JSON value.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(strings).collect(),
        Value::Object(map) => {
            map.iter().flat_map(|(key, v)| [vec![key.clone()], strings(v)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

fn custom(kind: &str, name: &str) -> String {
    format!(
        "apiVersion: agents.example/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{}}\n"
    )
}

#[test]
fn what_a_controller_makes_of_unknown_kinds_is_missing_and_not_clean() {
    let mut objects: Vec<String> = ["a", "b", "c"].map(|name| custom("Agent", name)).to_vec();
    objects.extend([custom("Route", "r"), CLEAN.to_owned()]);
    let tree = Tree::new(&[("all.yaml", &objects.join("---\n"))]);
    let none: [&str; 0] = [];
    let text = tree.check(["--include", "privileged-container"]).exit(0).stdout;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let missing = "Missing from the input - made-elsewhere: Agent `a`, Agent `b`, Agent `c` and 1 \
                   more; check what its controller makes of it";
    assert!(words.contains(missing), "{text}");
    assert!(text.ends_with("exit 0: no finding, but not everything could be assessed\n"), "{text}");
    let table = tree.check(["--include", "privileged-container", "-f", "table"]).exit(0).stdout;
    assert!(table.contains("made-elsewhere: Agent `a`"), "{table}");
    let json = tree.json(none);
    let gaps = json["roots"][0]["gaps"].as_array().expect("a list");
    assert_eq!(gaps.len(), 4, "{gaps:#?}");
}

#[test]
fn every_reason_for_which_something_is_missing_is_told_once() {
    let tree = Tree::new(&[
        ("clean.yaml", CLEAN),
        ("agent.yaml", &custom("Agent", "a")),
        ("chart/Chart.yaml", "name: web\nversion: 1.0.0\n"),
        ("chart/templates/a.yaml", "kind: Pod\nmetadata: {name: {{ .Values.name }}}\n"),
        ("chart/templates/b.yaml", "kind: Pod\nmetadata: {name: {{ .Values.other }}}\n"),
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", CLEAN),
        ("secret.yaml", "\0GITCRYPT\0 of all things"),
        ("variable.yaml", &LOW.replace("shop", "\"${NAMESPACE}\"")),
        ("broken.yaml", "kind: Pod\nmetadata: [\n"),
    ]);
    let json = tree.json(["--include", "privileged-container"]);
    let gaps = json["roots"][0]["gaps"].as_array().expect("a list");
    for format in ["human", "table"] {
        let text = tree.check(["--include", "privileged-container", "-f", format]).exit(4).stdout;
        for gap in gaps {
            let (reason, what) =
                (gap["reason"].as_str().expect("text"), gap["what"].as_str().expect("text"));
            let name = what.trim_matches('`');
            assert!(text.contains(name), "{format}: {reason} {name} is silent\n{text}");
        }
        for reason in ["made-elsewhere", "other-root", "renderer-missing", "unresolved-variable"] {
            assert!(text.contains(&format!("\n  - {reason}: ")), "{format}: {reason}\n{text}");
        }
        let chart = text.matches("helm template").count();
        assert_eq!(chart, 1, "one entry for both templates of the chart\n{text}");
        assert!(text.contains("encrypted: secret.yaml"), "{format}\n{text}");
    }
}

#[test]
fn one_of_something_is_not_several() {
    let plural = [
        "files",
        "objects",
        "kinds",
        "roots",
        "findings",
        "checks",
        "questions",
        "results",
        "workloads",
        "times",
        "values",
        "settings",
        "waivers",
        "mistakes",
        "rules",
        "lines",
    ];
    let waived = LOW.replace(
        "- name: main",
        "- name: main # palisade: ignore[container-without-cpu-request] known",
    );
    let trees: [&[(&str, &str)]; 6] = [
        &[("a.yaml", CLEAN)],
        &[("a.yaml", LOW)],
        &[("a.yaml", CRITICAL), ("b.yaml", "kind: Pod\nmetadata: [\n")],
        &[("a.yaml", &waived)],
        &[("a.yaml", "\0GITCRYPT\0 of all things")],
        &[("a.yaml", LOW), ("palisade.yaml", "excluded: []\n")],
    ];
    let mut texts: Vec<String> = Vec::new();
    for files in trees {
        let tree = Tree::new(files);
        let formats = ["human", "table", "sarif", "junit", "github", "gitlab", "markdown"];
        let formats = formats.map(|format| ["-f", format].to_vec());
        for args in formats.into_iter().chain([vec!["--strict"]]) {
            let run = tree.check(args);
            texts.extend([run.stdout, run.stderr]);
        }
    }
    texts.extend(
        ["human", "table", "sarif", "github", "markdown"]
            .map(|format| all_samples(format, WIDE).stdout),
    );
    for text in texts {
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || "(),;\"".contains(c)).collect();
        for pair in words.windows(3) {
            assert!(!(pair[0] == "1" && plural.contains(&pair[1])), "{pair:?} in\n{text}");
            let many = pair[0].parse::<u64>().is_ok_and(|n| n != 1);
            let singular = plural.iter().any(|word| word.strip_suffix('s') == Some(pair[1]));
            assert!(!(many && singular), "{pair:?} in\n{text}");
        }
    }
}

#[test]
fn a_layer_that_no_check_was_asked_about_is_not_called_absent() {
    let tree = Tree::new(&[("pod.yaml", CLEAN)]);
    let state =
        |args: &[&str], layer: &str| tree.json(args)["matrix"][0]["layers"][layer]["state"].clone();
    assert_eq!(state(&[], "network"), "absent");
    assert_eq!(state(&["--include=privileged-container"], "network"), "not-assessed");
    assert_eq!(state(&["--include=ingress-not-isolated"], "network"), "absent");
    assert_eq!(state(&["--exclude=ingress-not-isolated"], "mesh"), "absent");
}

#[test]
fn of_one_object_a_thousand_findings_of_a_check_are_listed_and_the_rest_is_counted() {
    let container =
        |n: usize| format!("    - {{name: c{n}, securityContext: {{privileged: true}}}}\n");
    let containers: String = (0..1_234).map(container).collect();
    let head = "apiVersion: v1\nkind: Pod\nmetadata: {name: crowd, namespace: shop}\nspec:\n";
    let tree = Tree::new(&[("pod.yaml", &format!("{head}  containers:\n{containers}"))]);
    let report = tree.json(["--include=privileged-container"]);
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(report["notAssessed"][0]["subject"]["name"], "crowd");
    let reason = "234 more findings about it are not listed; split the object";
    assert_eq!(report["notAssessed"][0]["reason"], reason);
    assert_eq!(report["exit"]["code"], 1);
}
