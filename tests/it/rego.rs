//! Policies in Rego: the bundled ones on both engines, and the user's own.

use serde_json::Value;

use crate::program::{LOW, Ran, Tree, palisade, slugs};
use crate::support::project;

/// A policy of the form of the bundled ones, about every pod.
fn policy(layer: &str, name: &str, reads: &str, body: &str) -> String {
    format!(
        "# METADATA\n# title: a rule of our own\n# description: |-\n#   Flags what we do not want.\n\
         # custom:\n#   severity: medium\n#   reads: [{reads}]\n#   fix: do otherwise\n\
         #   parameters:\n#     words: {{type: texts, doc: words that are allowed}}\n\
         package palisade.{layer}.{name}\n\nimport rego.v1\n\n{body}\n"
    )
}

fn check(tree: &Tree, arguments: &[&str]) -> Ran {
    tree.palisade(["check", "."]).args(arguments).run()
}

#[test]
fn bundled_policies_say_the_same_on_both_engines() {
    let mut spoke = 0;
    let directory = project().join("tests/checks");
    let catalog = palisade::engine::catalog();
    for check in catalog.checks().iter().filter(|check| check.language() == "rego") {
        let slug = check.slug;
        let (file, folder) = (directory.join(format!("{slug}.yaml")), directory.join(slug));
        let path = if file.is_file() { file } else { folder };
        let run = palisade(["check", "-f", "json", "--rego-engine", "verify", "--include", slug])
            .args([&path])
            .dir(&project())
            .run()
            .exit(1);
        let report = run.json();
        let errors = report["notAssessed"].as_array().expect("a list").iter();
        let errors: Vec<&Value> = errors.filter(|open| open["error"] == true).collect();
        assert!(errors.is_empty(), "{slug}: {errors:?}");
        spoke += report["findings"].as_array().expect("a list").len();
    }
    assert!(spoke > 250, "they found {spoke} things only");
}

#[test]
fn a_policy_of_the_user_is_a_check_like_any_other() {
    let body = "violation contains {\"msg\": msg, \"path\": path} if {\n\
                \tsome container in input.palisade.containers\n\
                \tnot container.name in object.get(data.palisade.params, [\"odd-name\", \"words\"], [])\n\
                \tpath := array.concat(container.path, [\"name\"])\n\
                \tmsg := sprintf(\"%s has an odd name\", [input.palisade.title])\n}\n";
    let tree = Tree::new(&[
        ("own/odd-name.rego", &policy("application", "odd_name", "Pod", body)),
        ("own/odd-name_test.rego", "this is no policy"),
        ("pod.yaml", LOW),
    ]);
    let own = ["--policy", "own", "--include", "odd-name"];
    let run = check(&tree, &own).exit(1);
    assert!(
        run.stdout.contains("has an odd name") && run.stdout.contains("medium"),
        "{}",
        run.stdout
    );
    tree.write("palisade.yaml", "checks:\n  odd-name:\n    params: {words: [main]}\n");
    check(&tree, &own).exit(0);
    // Its name may be waived, and stands in the configuration only while it is there.
    check(&tree, &["--include", "host-network"]).exit(2);
}

#[test]
fn policies_for_conftest_run_as_they_are() {
    let new = "package main\n\nimport rego.v1\n\ndeny contains msg if {\n\tinput.kind == \"Pod\"\n\tmsg := \"no pods here\"\n}\n";
    let old = "package main\n\nwarn[msg] {\n\tinput.kind == \"Pod\"\n\tmsg := {\"msg\": \"an old rule\", \"path\": [\"spec\"]}\n}\n";
    let tree = Tree::new(&[
        ("own/a.rego", new),
        ("own/b.rego", old),
        (
            "pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers: [{name: a}]\n",
        ),
    ]);
    let run =
        check(&tree, &["--policy", "own", "--include", "conftest-main", "-f", "json"]).exit(1);
    let report = run.json();
    assert_eq!(slugs(&report["findings"]), ["conftest-main", "conftest-main"]);
    let found: Vec<(&str, &str, u64)> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| {
            let line = finding["labels"][0]["start"]["line"].as_u64().expect("a line");
            let text = |key: &str| finding[key].as_str().expect("a text");
            (text("message"), text("severity"), line)
        })
        .collect();
    assert_eq!(found, [("no pods here", "high", 4), ("an old rule", "low", 5)]);
}

#[test]
fn a_policy_with_a_mistake_ends_the_run_at_its_place() {
    let violation = "violation contains {\"msg\": \"x\", \"path\": []} if input.kind";
    let fine = policy("application", "own", "Pod", violation);
    let cases = [
        ("own.rego", "package palisade.application.own\n".to_owned(), "the policy has no METADATA"),
        ("own.rego", policy("kernel", "own", "Pod", violation), "names no layer"),
        ("own.rego", policy("application", "own", "Pods", violation), "no kind is called `Pods`"),
        ("own.rego", fine.replace("severity: medium", "severity: bad"), "must not be `bad`"),
        ("own.rego", fine.replace("#   fix: do otherwise\n", ""), "`custom` has no `fix`"),
        ("Own_Rule.rego", fine.clone(), "is no name for a check"),
        ("host-network.rego", fine.clone(), "another check is called `host-network`"),
        ("own.rego", policy("application", "own", "Pod", "violation contains {"), "own.rego:"),
        (
            "own.rego",
            policy("application", "own", "Pod", "violation contains http.send({}) if true"),
            "`http.send`",
        ),
        (
            "own.rego",
            policy(
                "application",
                "own",
                "Pod",
                "violation contains {\"msg\": \"x\", \"path\": []} if time.now_ns() > 0",
            ),
            "`time.now_ns`",
        ),
        ("own.rego", "violation := 1\n".to_owned(), "own.rego has no package"),
    ];
    for (name, text, said) in cases {
        let tree = Tree::new(&[("pod.yaml", LOW)]);
        tree.write(&format!("own/{name}"), &text);
        let run = check(&tree, &["--policy", "own"]).exit(2);
        assert!(run.stderr.contains(said), "{text}\n{}", run.stderr);
        assert!(run.stderr.contains(name), "{}", run.stderr);
    }
    let tree = Tree::new(&[("pod.yaml", LOW), ("own/readme.md", "")]);
    check(&tree, &["--policy", "own"]).exit(2);
    check(&tree, &["--policy", "none"]).exit(2);
}

#[test]
fn a_policy_that_fails_is_never_a_pass() {
    let cases = [
        "violation contains \"a text\" if input.kind",
        "violation contains {\"msg\": \"x\"} if input.kind",
        "violation contains {\"msg\": \"\", \"path\": []} if input.kind",
        "violation := 3 if input.kind",
    ];
    for body in cases {
        let tree = Tree::new(&[
            ("own/own.rego", &policy("application", "own", "Pod", body)),
            ("pod.yaml", LOW),
        ]);
        let run = check(&tree, &["--policy", "own", "--include", "own", "-f", "json"]).exit(4);
        let report = run.json();
        let open = &report["notAssessed"][0];
        assert!(open["error"] == true, "{body}: {report}");
        let reason = open["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("the policy failed: "), "{body}: {reason}");
        assert_eq!(report["coverage"]["total"]["passes"], 0, "{body}");
    }
    // What does not end is cut when it is tried out.
    let endless = "violation contains {\"msg\": \"x\", \"path\": []} if {\n\
                   \tsome a in numbers.range(1, 20000)\n\tsome b in numbers.range(1, 20000)\n\ta * b < 0\n}";
    let tree = Tree::new(&[
        ("own/own.rego", &policy("application", "own", "Pod", endless)),
        ("pod.yaml", LOW),
    ]);
    let run = check(&tree, &["--policy", "own", "--include", "own"]).exit(2);
    assert!(run.stderr.contains("own.rego"), "{}", run.stderr);
}

/// The machine of regorus hands what is undefined to a function that does not look at it.
#[test]
fn the_example_of_the_documentation_finds_what_it_says() {
    let page = std::fs::read_to_string(project().join("docs/policies.md")).expect("readable");
    let example = page.split("```rego\n").nth(1).and_then(|rest| rest.split("```").next());
    let tree = Tree::new(&[
        ("own/team-label-missing.rego", example.expect("an example")),
        ("pod.yaml", LOW),
    ]);
    let run = check(&tree, &["--policy", "own", "--include", "team-label-missing"]).exit(1);
    assert!(run.stdout.contains("Pod `greedy` names no team"), "{}", run.stdout);
    let labelled = LOW.replace("namespace: shop", "namespace: shop, labels: {team: red}");
    tree.write("pod.yaml", labelled);
    check(&tree, &["--policy", "own", "--include", "team-label-missing"]).exit(0);
}

#[test]
fn no_bundled_function_leaves_an_argument_unseen() {
    for path in crate::support::files_below(&project().join("policies")) {
        let text = std::fs::read_to_string(&path).expect("readable");
        let unseen = |line: &&str| {
            let head = line.split(')').next().unwrap_or_default();
            let parameters = head.split_once('(').map_or("", |(_, parameters)| parameters);
            let is_rule = line.starts_with(|c: char| c.is_ascii_lowercase());
            is_rule && parameters.split(',').any(|name| name.trim() == "_")
        };
        let found: Vec<&str> = text.lines().filter(unseen).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}
