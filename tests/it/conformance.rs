//! Agreement with verdicts that others gave: the tables of the conformance folder, each case through
//! the command line, as a user runs it.
//!
//! The folder is `../shared` beside the project, or what `PALISADE_SHARED` names. A case that differs
//! with a reason stands in `tests/conformance-reasons.tsv`; a reason that no longer excuses anything
//! is stale and fails, like a table of which nothing was run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde_json::Value;

use crate::support::{conformance, files_below, project, say};

/// Longest time for one case.
const LIMIT: Duration = Duration::from_secs(10);

/// How one run of the program ended.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
    command: String,
}

/// Runs `palisade check` and ends it after the limit.
fn check(arguments: &[&str]) -> Ran {
    let binary = env!("CARGO_BIN_EXE_palisade");
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (out, err) = (scratch.path().join("out"), scratch.path().join("err"));
    let file = |path: &Path| std::fs::File::create(path).expect("a scratch file");
    let mut child = Command::new(binary)
        .args(["check", "--no-config", "--color", "never"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(file(&out))
        .stderr(file(&err))
        .env_remove("RUST_BACKTRACE")
        // The same on every machine, whatever is installed.
        .env("PALISADE_HELM", "none")
        .env("PALISADE_KUSTOMIZE", "none")
        .spawn()
        .expect("the program starts");
    let end = Instant::now() + LIMIT;
    let code = loop {
        match child.try_wait().expect("the program can be waited for") {
            Some(status) => break status.code(),
            None if Instant::now() > end => {
                child.kill().expect("it is our own process");
                child.wait().expect("it ends");
                break None;
            }
            #[allow(clippy::disallowed_methods, reason = "it waits for a process, up to a limit")]
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let text = |path: &Path| {
        String::from_utf8(std::fs::read(path).expect("it was created")).expect("reports are UTF-8")
    };
    let command = format!("palisade check --no-config {}", arguments.join(" "));
    Ran { code, out: text(&out), err: text(&err), command }
}

/// What is wrong with a run whatever it found.
fn broken(ran: &Ran) -> Option<String> {
    match ran.code {
        None => Some("did not end in 10 s".to_owned()),
        Some(0 | 1 | 3 | 4) if ran.err.contains("fault of palisade") => {
            Some(format!("speaks of an internal error: {}", ran.err))
        }
        Some(0 | 1 | 3 | 4) => None,
        Some(code) => Some(format!("ends with {code}: {}", ran.err)),
    }
}

fn json(ran: &Ran) -> Result<Value, String> {
    if let Some(problem) = broken(ran) {
        return Err(problem);
    }
    serde_json::from_str(&ran.out).map_err(|error| format!("the report is no JSON: {error}"))
}

/// Rows of a tab-separated table with a header line.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines().map(|line| line.split('\t'));
    let header: Vec<&str> = lines.next().map(Iterator::collect).unwrap_or_default();
    let row = |cells: std::str::Split<'_, char>| {
        header.iter().zip(cells).map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect()
    };
    lines.map(row).collect()
}

fn cell<'r>(row: &'r BTreeMap<String, String>, column: &str) -> &'r str {
    row.get(column).unwrap_or_else(|| panic!("the table has no column `{column}`"))
}

/// One case that differs.
struct Differs {
    case: String,
    how: String,
    command: String,
}

/// Prints the account of a table and fails where something differs without a reason.
fn settle(table: &str, wanted: usize, ran: usize, differing: &[Differs]) {
    let reasons = rows(&project().join("tests/conformance-reasons.tsv"));
    let of_table = reasons.iter().filter(|row| cell(row, "table") == table);
    let excused: BTreeSet<&str> = of_table
        .inspect(|row| {
            let classes = ["upstream-wrong", "different-by-design", "kind-not-modelled", "not-yet"];
            assert!(classes.contains(&cell(row, "class")), "unknown class: {row:?}");
        })
        .map(|row| cell(row, "case"))
        .collect();
    let (with, without): (Vec<&Differs>, Vec<&Differs>) =
        differing.iter().partition(|differs| excused.contains(differs.case.as_str()));
    let agreed = ran - differing.len();
    say(&format!(
        "conformance: {table}: {wanted} cases, {ran} run, {agreed} agreed, {} differ with a reason, \
         {} without",
        with.len(),
        without.len()
    ));
    let mut complaint = String::new();
    for Differs { case, how, command } in &without {
        let _ = writeln!(complaint, "{case}: {how}\n    {command}");
    }
    let stale = excused.iter().filter(|case| !with.iter().any(|differs| differs.case == **case));
    for case in stale {
        let _ = writeln!(complaint, "{case}: its reason is stale, it agrees now");
    }
    assert!(complaint.is_empty(), "{table}:\n{complaint}");
    assert!(ran == wanted && ran > 0, "{table}: {ran} of {wanted} cases were run");
}

#[test]
fn pod_security_agrees_with_the_fixtures_of_kubernetes() {
    let Some(folder) = conformance("pss") else { return };
    let cases = rows(&folder.join("cases.tsv"));
    let one = |case: &BTreeMap<String, String>| {
        let file = folder.join(cell(case, "file"));
        let level = format!("{}:{}", cell(case, "level"), cell(case, "version"));
        let ran = check(&[&file.to_string_lossy(), "--pss", &level, "-f", "json"]);
        let how = match json(&ran) {
            Ok(report) => pod_security_differs(case, &report)?,
            Err(problem) => problem,
        };
        Some(Differs { case: cell(case, "file").to_owned(), how, command: ran.command })
    };
    let differing: Vec<Differs> = cases.par_iter().filter_map(one).collect();
    settle("pss", 856, cases.len(), &differing);
}

fn pod_security_differs(case: &BTreeMap<String, String>, report: &Value) -> Option<String> {
    let refused: Vec<&Value> = findings(report, "pod-security-would-reject").collect();
    let controls: Vec<&str> = refused
        .iter()
        .flat_map(|finding| finding["controls"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let judged = report["inputs"]["files"][0]["objects"] == 1;
    match cell(case, "expected") {
        _ if !judged => Some("the pod was not seen".to_owned()),
        "pass" => (!refused.is_empty()).then(|| format!("refused for {controls:?}")),
        "fail" => {
            let wanted = cell(case, "reported_as");
            (!controls.contains(&wanted)).then(|| format!("`{wanted}` is not in {controls:?}"))
        }
        other => panic!("the table expects `{other}`"),
    }
}

fn findings<'r>(report: &'r Value, check: &str) -> impl Iterator<Item = &'r Value> {
    let all = report["findings"].as_array().into_iter().flatten();
    all.filter(move |finding| finding["check"] == check)
}

fn has(report: &Value, check: &str, line: u64) -> bool {
    findings(report, check).any(|finding| finding["labels"][0]["start"]["line"] == line)
}

#[test]
fn every_fence_of_the_recipes_ends_in_a_state() {
    let Some(folder) = conformance("recipes") else { return };
    let mut differing = Vec::new();
    let (mut documents, mut yaml) = (0, 0);
    for entry in std::fs::read_dir(&folder).expect("readable").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".md") || name == "README.md" {
            continue;
        }
        documents += 1;
        let text = std::fs::read_to_string(&path).expect("the recipes are UTF-8");
        let marks: Vec<&str> =
            text.lines().map(str::trim_start).filter(|line| line.starts_with("```")).collect();
        yaml += marks.iter().filter(|mark| mark.trim_end() == "```yaml").count();
        let ran = check(&[&path.to_string_lossy(), "-f", "json", "--persona", "auditor"]);
        let how = match json(&ran) {
            Ok(report) => recipe_differs(&report, &text, marks.len() / 2),
            Err(problem) => Some(problem),
        };
        if let Some(how) = how {
            differing.push(Differs { case: name, how, command: ran.command });
        }
    }
    assert_eq!(yaml, 18, "the recipes hold 18 fences marked as YAML");
    settle("recipes", 15, documents, &differing);
}

/// Each fence holds one document here, so that documents and fences are as many.
fn recipe_differs(report: &Value, text: &str, fences: usize) -> Option<String> {
    let file = &report["inputs"]["files"][0];
    let seen = file["objects"].as_u64()? + file["notKubernetes"].as_u64()?;
    if seen != fences as u64 {
        return Some(format!("{seen} of {fences} fences end in a state"));
    }
    if !matches!(file["state"].as_str(), Some("analysed" | "not-kubernetes")) {
        return Some(format!("a fragment is an error: {file}"));
    }
    let lines: Vec<&str> = text.lines().collect();
    let labels = report["findings"].as_array().into_iter().flatten();
    for label in labels.flat_map(|f| f["labels"].as_array().into_iter().flatten()) {
        let (line, column) = (label["start"]["line"].as_u64()?, label["start"]["column"].as_u64()?);
        let [start, _] = [label["bytes"][0].as_u64()?, label["bytes"][1].as_u64()?];
        let before: usize = lines.iter().take(line as usize - 1).map(|l| l.len() + 1).sum();
        if before + column as usize - 1 != start as usize {
            return Some(format!("a label is outside the document's own lines: {label}"));
        }
    }
    None
}

#[test]
fn the_recipes_are_read_as_their_text_says() {
    let Some(folder) = conformance("recipes") else { return };
    let table = rows(&folder.join("readings.tsv"));
    let mut differing = Vec::new();
    for row in &table {
        let id = cell(row, "id");
        let (report, command) = with_pods(&folder, cell(row, "file"), id);
        if let Some(how) = reading_differs(id, &report) {
            differing.push(Differs { case: id.to_owned(), how, command });
        }
    }
    settle("readings", 9, table.len(), &differing);
}

/// The recipes create their pods on the command line. They are written out here, behind the text, so
/// that the readings can be told from the outcomes per pod; no line of the recipe moves. Where the
/// policies of a recipe name no namespace neither do its pods: both go where the command points.
fn with_pods(folder: &Path, file: &str, id: &str) -> (Value, String) {
    let mut text = std::fs::read_to_string(folder.join(file)).expect("the recipe is there");
    if id == "R2" {
        let first = "01-deny-all-traffic-to-an-application.md";
        let more = std::fs::read_to_string(folder.join(first)).expect("the recipe is there");
        let _ = write!(text, "\n{more}");
    }
    let named = text.contains("namespace: default");
    let place = if named { "namespace: default, " } else { "" };
    for app in ["web", "foo", "bystander"] {
        let _ = write!(
            text,
            "\n```yaml\napiVersion: v1\nkind: Pod\nmetadata: {{name: {app}, {place}\
             labels: {{app: {app}}}}}\nspec: {{containers: [{{name: main}}]}}\n```\n"
        );
    }
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let path = scratch.path().join("recipe.md");
    std::fs::write(&path, text).expect("a scratch file");
    let ran = check(&[&path.to_string_lossy(), "-f", "json", "--passes", "--persona", "auditor"]);
    (json(&ran).unwrap_or_else(|problem| panic!("{id}: {problem}")), ran.command)
}

/// What the report has to say of a reading, and what it must not say.
fn reading_differs(id: &str, report: &Value) -> Option<String> {
    let isolated = |pod: &str, direction: &str| {
        let check = format!("{direction}-not-isolated");
        let of_pod = |item: &&Value| item["check"] == *check && item["subject"]["name"] == pod;
        report["passes"].as_array().into_iter().flatten().any(|item| of_pod(&item))
    };
    let open = |pod: &str, direction: &str| {
        let check = format!("{direction}-not-isolated");
        let none = ["pod-without-network-policy", check.as_str()];
        let all = report["findings"].as_array().into_iter().flatten();
        all.filter(|finding| none.iter().any(|check| finding["check"] == *check)).any(|finding| {
            let affected = finding["affects"].as_array().into_iter().flatten();
            affected.chain([&finding["subject"]]).any(|subject| subject["name"] == pod)
        })
    };
    let found = |check: &str| findings(report, check).next().is_some();
    let holds: &[(&str, bool)] = &match id {
        "R1" => [
            ("web is isolated for ingress", isolated("web", "ingress")),
            ("web is not isolated for egress", open("web", "egress")),
            ("others are not isolated", open("bystander", "ingress")),
        ],
        "R2" => [
            ("the empty rule opens web", has(report, "policy-allows-everything", 30)),
            ("the rule is the only one", findings(report, "policy-allows-everything").count() == 1),
            ("web is not isolated for egress", open("web", "egress")),
        ],
        "R3" => [
            ("every pod is isolated for ingress", isolated("bystander", "ingress")),
            ("no pod is isolated for egress", open("bystander", "egress")),
            ("nor web", open("web", "egress")),
        ],
        "R4" => [
            ("every pod is selected", isolated("bystander", "ingress")),
            ("its own namespace is the peer", has(report, "whole-namespace-peer", 40)),
            ("no selector is empty-handed", !found("peer-selects-nothing")),
        ],
        "R5" => [
            ("every namespace is admitted", has(report, "all-namespaces-peer", 39)),
            ("the world is not", !found("policy-allows-everything")),
            ("web is isolated for ingress", isolated("web", "ingress")),
        ],
        "R6" => [
            ("not every pod of the namespaces", !found("whole-namespace-peer")),
            ("not these pods of every namespace", !found("all-namespaces-peer")),
            ("web is isolated for ingress", isolated("web", "ingress")),
        ],
        "R7a" | "R7b" => [
            ("foo is isolated for egress", isolated("foo", "egress")),
            ("two steps are not two objects", !found("object-defined-twice")),
            ("nothing outside is reachable", !found("egress-to-world")),
        ],
        "R8" => [
            ("foo is isolated for egress", isolated("foo", "egress")),
            ("nothing outside is reachable", !found("egress-to-world")),
            ("nor everything", !found("policy-allows-everything")),
        ],
        other => panic!("the runner does not know the reading `{other}`"),
    };
    let missing: Vec<&str> = holds.iter().filter(|(_, ok)| !ok).map(|(what, _)| *what).collect();
    (!missing.is_empty()).then(|| format!("the report does not show: {}", missing.join("; ")))
}

#[test]
fn every_file_of_the_corpora_ends_in_one_state() {
    let Some(folder) = conformance("corpus") else { return };
    let trees = ["gateway-api", "home-ops", "microservices-demo", "netpol-invalid"];
    let mut differing = Vec::new();
    for tree in trees {
        let path = folder.join(tree);
        let argument = path.to_string_lossy();
        let mut how = Vec::new();
        let formats =
            ["human", "table", "json", "sarif", "junit", "github", "gitlab", "markdown", "csv"];
        for format in formats {
            let alone = check(&[&argument, "-f", format, "--jobs", "1"]);
            let many = check(&[&argument, "-f", format, "--jobs", "4"]);
            how.extend(broken(&alone));
            if alone.out != many.out || alone.code != many.code {
                how.push(format!("{format}: other bytes with 4 threads than with 1"));
            }
            if format == "json" {
                how.extend(states_differ(&path, &alone));
                how.extend(roots_differ(tree, &alone));
            }
        }
        if !how.is_empty() {
            let command = format!("palisade check --no-config {argument}");
            differing.push(Differs { case: tree.to_owned(), how: how.join("; "), command });
        }
    }
    settle("corpus", 4, trees.len(), &differing);
}

/// How many roots a tree has, and how many gaps for which reasons.
fn roots_differ(tree: &str, ran: &Ran) -> Option<String> {
    let report = json(ran).ok()?;
    let roots = report["roots"].as_array()?;
    let mut gaps: BTreeMap<&str, usize> = BTreeMap::new();
    for gap in roots.iter().filter_map(|root| root["gaps"].as_array()).flatten() {
        *gaps.entry(gap["reason"].as_str()?).or_default() += 1;
    }
    let found = format!("{} roots, gaps {gaps:?}", roots.len());
    let wanted = match tree {
        "gateway-api" => "1 roots, gaps {}",
        // Remote charts, what operators make, and three files that are no part of the tree.
        "home-ops" => {
            "2 roots, gaps {\"made-elsewhere\": 154, \"remote-chart\": 77, \"renderer-failed\": 3}"
        }
        "microservices-demo" => "6 roots, gaps {\"other-root\": 5}",
        _ => "20 roots, gaps {\"template-not-rendered\": 4, \"unparsable\": 1}",
    };
    (found != wanted).then(|| format!("{found}, and not {wanted}"))
}

/// Each file on disk once, in one of the states.
fn states_differ(tree: &Path, ran: &Ran) -> Option<String> {
    let report = match json(ran) {
        Ok(report) => report,
        Err(problem) => return Some(problem),
    };
    let mut stated: Vec<&str> = report["inputs"]["files"]
        .as_array()?
        .iter()
        .inspect(|file| assert!(file["state"].is_string(), "a file without a state: {file}"))
        .filter_map(|file| file["file"].as_str())
        .collect();
    stated.sort_unstable();
    let on_disk = files_below(tree);
    let same = on_disk.len() == stated.len()
        && stated.iter().all(|name| on_disk.iter().any(|path| path.ends_with(name)));
    (!same).then(|| format!("{} files on disk, {} with a state", on_disk.len(), stated.len()))
}
