//! Every sample prints what its `expected.txt` says, as its user would run it.

use std::process::Command;

use crate::support::{bless, project, shared};

/// The first line of each `expected.txt` is the command, the rest is what it prints.
#[test]
fn every_sample_prints_what_is_expected() {
    let mut stale = Vec::new();
    let mut seen = 0;
    let samples = std::fs::read_dir(project().join("samples")).expect("the samples are there");
    for sample in samples.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let path = sample.join("expected.txt");
        let expected = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let command = expected.lines().next().expect("the command stands on the first line");
        let printed = format!("{command}\n{}", run(command));
        if !bless(&path, &printed) {
            stale.push(path);
        }
        seen += 1;
    }
    assert!(seen >= 6, "only {seen} samples were run");
    assert!(stale.is_empty(), "other than expected: {stale:?}; run with PALISADE_BLESS=1 and look");
}

/// A block that starts with a command shows what it prints, here and now.
#[test]
fn the_output_in_the_readme_is_real() {
    let path = project().join("README.md");
    let text = std::fs::read_to_string(&path).expect("README.md is there");
    let (before, rest) = text.split_once("```console\n").expect("README.md shows an output");
    let (block, after) = rest.split_once("```").expect("the block ends");
    let command = block.lines().next().expect("the command stands on the first line");
    let printed = run(command);
    let real = format!("{before}```console\n{command}\n{printed}```{after}");
    assert!(bless(&path, &real), "README.md shows another output than `{command}` prints");
}

fn run(command: &str) -> String {
    let words = command.strip_prefix("$ palisade ").expect("`$ palisade ...`").split(' ');
    let output = palisade(words, "100");
    String::from_utf8(output.stdout).expect("reports are UTF-8")
}

fn palisade<'a>(words: impl Iterator<Item = &'a str>, width: &str) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(words)
        .current_dir(project())
        .env_clear()
        .env("COLUMNS", width)
        .output()
        .expect("the program starts")
}

#[test]
fn a_workload_with_everything_done_right_gets_no_word() {
    let output = palisade(["check", "samples/hardened", "-f", "json"].into_iter(), "100");
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for silent in ["findings", "notAssessed", "ignored", "notes"] {
        let list = report[silent].as_array().expect("a list");
        assert!(list.is_empty(), "{silent}: {list:#?}");
    }
    let total = &report["coverage"]["total"];
    assert!(total["passes"].as_u64() > Some(100), "it was looked at: {total}");
    for row in report["matrix"].as_array().expect("a list") {
        for layer in ["network", "mesh", "policy", "application"] {
            assert_eq!(row["layers"][layer]["state"], "effective", "{layer} of {}", row["subject"]);
        }
    }
}

/// The documents that palisade was first built for. They are read where they lie, never copied.
#[test]
fn every_fence_of_the_first_documents_ends_in_a_state() {
    let Some(folder) = shared().map(|shared| shared.join("seeds")).filter(|path| path.is_dir())
    else {
        return;
    };
    let mut documents = 0;
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        let text = std::fs::read_to_string(&path).expect("the documents are UTF-8");
        let output = palisade(
            ["check", "--no-config", "-f", "json", &path.to_string_lossy()].into_iter(),
            "100",
        );
        assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{path:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{path:?}: {output:?}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let file = &report["inputs"]["files"][0];
        let fences = text.lines().filter(|line| line.trim_start().starts_with("```")).count() / 2;
        let stated = file["objects"].as_u64().expect("a number")
            + file["notKubernetes"].as_u64().expect("a number");
        assert_eq!(report["inputs"]["problems"].as_array().map(Vec::len), Some(0), "{path:?}");
        // A script in a fence may hold several manifests, never fewer states than fences.
        assert!(stated >= fences as u64, "{path:?}: {stated} states for {fences} fences");
        documents += 1;
    }
    assert!(documents >= 5, "only {documents} documents were read");
}
