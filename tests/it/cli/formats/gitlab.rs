//! GitLab Code Quality against a schema of what GitLab reads.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CHECK, HOSTILE, both, hostile, list, pod, unread};
use crate::program::{OPEN, Tree, check_here, samples};

fn schema() -> Value {
    let text = json!({"type": "string", "minLength": 1});
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "additionalProperties": false,
            "properties": {
                "description": text,
                "check_name": text,
                "fingerprint": text,
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "additionalProperties": false,
                    "properties": {
                        "path": {"type": "string", "pattern": "^[^/]"},
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "additionalProperties": false,
                            "properties": {"begin": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
            },
        },
    })
}

/// The entries of a report that GitLab can read: valid, and each with a fingerprint of its own.
fn entries(stdout: &str) -> Vec<Value> {
    let report: Value = serde_json::from_str(stdout).unwrap_or_else(|e| panic!("{e}\n{stdout}"));
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let errors: Vec<String> =
        validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let entries = report.as_array().expect("a list").clone();
    let prints: BTreeSet<&str> = entries.iter().filter_map(|e| e["fingerprint"].as_str()).collect();
    assert_eq!(prints.len(), entries.len(), "fingerprints that are shared");
    let harmful = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{2066}');
    let mut texts = entries.iter().filter_map(|entry| entry["description"].as_str());
    assert_eq!(texts.find(|text| text.contains(harmful)), None);
    entries
}

fn with_severity<'e>(entries: &'e [Value], severity: &str) -> Vec<&'e Value> {
    entries.iter().filter(|entry| entry["severity"] == severity).collect()
}

#[test]
fn every_sample_keeps_the_rules_of_code_quality() {
    for sample in samples() {
        let entries = entries(&check_here(&[&sample, "-f", "gitlab"]).run().stdout);
        let report = check_here(&[&sample, "-f", "json"]).run().json();
        let words =
            [("low", "minor"), ("medium", "major"), ("high", "critical"), ("critical", "blocker")];
        for (severity, word) in words {
            let found = list(&report, "findings").iter().filter(|f| f["severity"] == severity);
            assert_eq!(with_severity(&entries, word).len(), found.count(), "{sample} {word}");
        }
        let told = list(&report, "notAssessed").len() + list(&report, "notes").len();
        assert_eq!(with_severity(&entries, "info").len(), told + unread(&report), "{sample}");
        for entry in &entries {
            let path = entry["location"]["path"].as_str().expect("text");
            assert!(crate::support::project().join(path).exists(), "{path}");
        }
    }
}

#[test]
fn equal_findings_of_a_file_have_fingerprints_of_their_own() {
    let two = pod("web")
        .replace("- name", "- name: other\n    securityContext: {privileged: true}\n  - name");
    let tree = Tree::new(&[("a.yaml", &format!("{two}---\n{two}"))]);
    let (run, report) = both(&tree, "gitlab", &[CHECK]);
    let found = list(&report, "findings");
    assert_eq!(found.len(), 4, "{report}");
    let prints: BTreeSet<&str> = found.iter().filter_map(|f| f["fingerprint"].as_str()).collect();
    assert_eq!(prints.len(), 2, "two of them are equal");
    assert_eq!(with_severity(&entries(&run.stdout), "blocker").len(), 4);
}

#[test]
fn a_finding_that_moves_keeps_its_fingerprint() {
    let prints = |text: &str| -> Vec<String> {
        let tree = Tree::new(&[("a.yaml", text)]);
        let entries = entries(&tree.check(["-f", "gitlab"]).stdout);
        entries.iter().map(|entry| entry["fingerprint"].to_string()).collect()
    };
    let text = format!("{}---\n{OPEN}", pod("web"));
    assert_eq!(prints(&text), prints(&format!("# a line more\n\n{text}")));
}

#[test]
fn what_was_not_assessed_or_read_is_told_as_info() {
    let tree = Tree::new(&[("a.yaml", OPEN), ("broken.yaml", "kind: Pod\nmetadata: [\n")]);
    let (run, report) = both(&tree, "gitlab", &["--include=pod-security-would-reject"]);
    let entries = entries(&run.exit(4).stdout);
    let open = list(&report, "notAssessed");
    assert!(!open.is_empty());
    assert_eq!(with_severity(&entries, "info").len(), open.len() + 1);
    let broken = entries.iter().find(|entry| entry["check_name"] == "unparsable").expect("told");
    assert_eq!(broken["location"]["path"], "broken.yaml");
    let told = entries.iter().find(|entry| entry["check_name"] == open[0]["check"]).expect("told");
    let reason = open[0]["reason"].as_str().expect("text");
    assert!(told["description"].as_str().expect("text").contains(reason), "{told}");
}

#[test]
fn hostile_names_are_text_and_what_is_waived_is_left_out() {
    let tree = hostile(&HOSTILE);
    let (run, report) = both(&tree, "gitlab", &[CHECK]);
    let entries = entries(&run.stdout);
    assert_eq!(with_severity(&entries, "blocker").len(), list(&report, "findings").len());
}
