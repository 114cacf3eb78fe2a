//! JUnit, read back by a reader of XML.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};
use serde_json::Value;

use super::{CHECK, HOSTILE, both, hostile, list, unread};
use crate::program::{OPEN, Tree, check_here, samples};

const SORTS: [&str; 3] = ["failure", "error", "skipped"];

/// Tests, failures, errors and what was skipped.
type Counts = [usize; 4];

/// The counts that an element gives.
fn given(node: Node<'_, '_>) -> Counts {
    ["tests", "failures", "errors", "skipped"].map(|name| {
        let text = node.attribute(name).unwrap_or_else(|| panic!("no {name}"));
        text.parse().expect("a number")
    })
}

fn elements<'a, 'd>(node: Node<'a, 'd>, name: &'a str) -> impl Iterator<Item = Node<'a, 'd>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

/// The counts of each suite, which are those of its test cases.
fn suites(stdout: &str) -> BTreeMap<String, Counts> {
    let document = Document::parse(stdout).unwrap_or_else(|e| panic!("{e}\n{stdout}"));
    let root = document.root_element();
    assert!(root.has_tag_name("testsuites"));
    let mut found = BTreeMap::new();
    for suite in elements(root, "testsuite") {
        let name = suite.attribute("name").expect("a name");
        let mut counts = [0; 4];
        let mut names = BTreeSet::new();
        for case in elements(suite, "testcase") {
            assert_eq!(case.attribute("classname"), Some(name));
            assert!(case.attribute("time").is_none(), "the same input gives the same bytes");
            let unique = case.attribute("name").expect("a name");
            assert!(names.insert(unique), "{name}: {unique} twice");
            counts[0] += 1;
            let reasons: Vec<_> = case.children().filter(Node::is_element).collect();
            assert!(reasons.len() <= 1);
            for reason in reasons {
                let sort = SORTS.iter().position(|sort| reason.has_tag_name(*sort));
                counts[sort.expect("a known element") + 1] += 1;
                assert!(reason.attribute("message").is_some_and(|m| !m.is_empty()), "{unique}");
            }
        }
        assert_eq!(given(suite), counts, "{name}");
        assert!(found.insert(name.to_owned(), counts).is_none(), "{name} twice");
    }
    let sum = |at: usize| found.values().map(|counts: &Counts| counts[at]).sum::<usize>();
    assert_eq!(given(root), [sum(0), sum(1), sum(2), sum(3)]);
    let mut children = document.descendants().filter(Node::is_element).map(|n| n.tag_name().name());
    let known = ["testsuites", "testsuite", "testcase", "failure", "error", "skipped"];
    assert_eq!(children.find(|name| !known.contains(name)), None);
    found
}

/// What JSON says of the same run, which was not strict.
fn of_json(report: &Value) -> BTreeMap<String, Counts> {
    let number = |value: &Value| usize::try_from(value.as_u64().expect("a number")).expect("small");
    let errors = |check: &str| {
        let open = list(report, "notAssessed").iter();
        open.filter(|open| open["check"] == check && open["error"] == true).count()
    };
    let checks = report["coverage"]["checks"].as_object().expect("a map");
    let counts = |(check, tally): (&String, &Value)| {
        let [findings, passes, open, others, ignored] =
            ["findings", "passes", "notAssessed", "notApplicable", "ignored"]
                .map(|key| number(&tally[key]));
        let errors = errors(check);
        let tests = findings + passes + open + others + ignored;
        (check.clone(), [tests, findings, errors, open - errors + others + ignored])
    };
    let mut wanted: BTreeMap<String, Counts> = checks.iter().map(counts).collect();
    let unread = unread(report);
    if unread > 0 {
        wanted.insert("inputs".to_owned(), [unread, 0, unread, 0]);
    }
    wanted
}

#[test]
fn every_sample_counts_as_json_does() {
    for sample in samples() {
        let run = check_here(&[&sample, "-f", "junit"]).run();
        let report = check_here(&[&sample, "-f", "json"]).run().json();
        assert_eq!(suites(&run.stdout), of_json(&report), "{sample}");
    }
}

#[test]
fn every_character_in_every_name_is_xml() {
    let tree = hostile(&HOSTILE);
    let (run, report) = both(&tree, "junit", &[CHECK]);
    assert_eq!(suites(&run.stdout), of_json(&report));
    let document = Document::parse(&run.stdout).expect("XML");
    let texts = document.descendants().filter_map(|node| node.attribute("name"));
    assert!(texts.clone().any(|text| text.contains("</details><script>alert(1)</script>")));
    assert!(texts.clone().any(|text| text.contains("]]>")));
    // Control characters: every one of them in one name.
    let all: String = (1..0xA0).filter_map(char::from_u32).filter(|c| c.is_control()).collect();
    let tree = hostile(&[&format!("a{all}b")]);
    let (run, report) = both(&tree, "junit", &[CHECK]);
    assert_eq!(suites(&run.stdout), of_json(&report));
}

#[test]
fn what_makes_a_run_incomplete_is_an_error_and_nothing_else_is() {
    let broken = ("broken.yaml", "kind: Pod\nmetadata: [\n");
    let only = "--include=pod-security-would-reject";
    let tree = Tree::new(&[("a.yaml", OPEN), broken]);
    let (run, report) = both(&tree, "junit", &[only]);
    let open = list(&report, "notAssessed").len();
    assert!(open > 0);
    let suites_of = |run: crate::program::Ran| suites(&run.stdout);
    let found = suites_of(run.exit(4));
    assert_eq!(found["inputs"], [1, 0, 1, 0]);
    assert_eq!(found["pod-security-would-reject"][2..], [0, open]);
    // With --strict open questions make it incomplete, too.
    std::fs::remove_file(tree.path("broken.yaml")).expect("it is there");
    let calm = suites_of(tree.check(["-f", "junit", only]).exit(0));
    assert!(!calm.contains_key("inputs"));
    let strict = suites_of(tree.check(["-f", "junit", only, "--strict"]).exit(4));
    let open = calm["pod-security-would-reject"][3];
    assert_eq!(strict["pod-security-would-reject"][2..], [open, 0]);
}

#[test]
fn reasons_say_where_and_what_to_do() {
    let tree = Tree::new(&[("a.yaml", &super::pod("web")), ("b.yaml", &super::waived("known"))]);
    let run = tree.check(["-f", "junit", CHECK]).exit(1);
    let document = Document::parse(&run.stdout).expect("XML");
    let one = |name: &str| {
        let found = document.descendants().find(|node| node.has_tag_name(name));
        found.unwrap_or_else(|| panic!("no {name} in {}", run.stdout))
    };
    let text = one("failure").text().expect("where");
    assert!(text.starts_with("at a.yaml:8:"), "{text}");
    assert!(text.contains("\nFix: ") && text.contains("#privileged-container"), "{text}");
    let reason = one("skipped").attribute("message").expect("why");
    assert!(reason.starts_with("ignored by annotation at b.yaml:3: known: "), "{reason}");
}
