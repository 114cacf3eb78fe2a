//! What a caller did wrong is said on standard error, with what to do about it: exit code 2.

use crate::program::{CLEAN, LOW, Tree, palisade};

#[test]
fn every_mistake_of_a_caller_is_explained_and_ends_with_2() {
    let rows: &[(&[&str], &[&str])] = &[
        (&["check"], &["<PATH|->", "--help"]),
        (&["check", "a.yaml", "--formt", "json"], &["unexpected argument '--formt'", "'--format'"]),
        (&["chek", "a.yaml"], &["unrecognized subcommand 'chek'", "'check'"]),
        (&["check", "a.yaml", "--fail-on", "hihg"], &["invalid value 'hihg'", "'high'"]),
        (&["check", "a.yaml", "-f", "jsn"], &["invalid value 'jsn'", "'json'"]),
        (&["check", "a.yaml", "--jobs", "0"], &["invalid value '0' for '--jobs <N>'"]),
        (&["check", "missing.yaml"], &["cannot find `missing.yaml`", "help: name files"]),
        (&["check", "a.yaml", "missing/"], &["cannot find `missing/`"]),
        (
            &["check", "a.yaml", "--include", "privleged-container"],
            &["`privleged-container` is no check or layer", "write `privileged-container`"],
        ),
        (
            &["check", "a.yaml", "--exclude", "mesh,netwrok"],
            &["`netwrok` is no check or layer", "write `network`"],
        ),
        (
            &["check", "a.yaml", "--include", "zzzzzz"],
            &["`zzzzzz` is no check or layer", "`palisade checks` lists them all"],
        ),
        (
            &["check", "a.yaml", "--fail-on-check", "privileged-containers"],
            &["`privileged-containers` is no check\n", "write `privileged-container`"],
        ),
        (
            &["check", "a.yaml", "--warn-on-check", "network"],
            &["`network` is no check\n", "`palisade checks` lists them all"],
        ),
        (
            &["check", "a.yaml", "--include", "mesh", "--exclude", "mesh"],
            &["no check is left to run", "help: include a check"],
        ),
        (&["check", "-", "-"], &["standard input is named twice", "write `-` once"]),
        (&["check", "a.yaml", "--now", "soon"], &["`soon` is no time", "2027-01-31"]),
        (
            &["check", "a.yaml", "--pss", "strict"],
            &["`strict` is no Pod Security level", "baseline"],
        ),
        (
            &["check", "a.yaml", "--pss", "baseline:v9"],
            &["`baseline:v9` is no Pod Security version"],
        ),
        (
            &["check", "a.yaml", "--kubernetes-version", "latest"],
            &["`latest` is no Kubernetes version", "write it like 1.34"],
        ),
        (
            &["check", "a.yaml", "--config", "none.yaml"],
            &["cannot read `none.yaml`", "help: name a readable file"],
        ),
        (&["check", "a.yaml", "--config", "dir"], &["cannot read `dir`"]),
        (&["check", "a.yaml", "--config", "a.yaml", "--no-config"], &["--no-config"]),
        (&["check", "a.yaml", "--dump-objects", "-f", "json"], &["cannot be used with '--format"]),
        (&["check", "a.yaml", "--dump-objects", "-o", "x"], &["cannot be used with '--output"]),
        // Outputs.
        (
            &["check", "a.yaml", "-o", "none/out.txt"],
            &["cannot write `none/out.txt`", "help: name"],
        ),
        (&["check", "a.yaml", "-o", "dir"], &["cannot write `dir`"]),
        (
            &["check", "a.yaml", "-f", "json", "-f", "sarif"],
            &["several formats would go to standard output", "help: write each `--output`"],
        ),
        (
            &["check", "a.yaml", "-f", "json", "-o", "-", "-f", "sarif"],
            &["several formats would go to standard output"],
        ),
        (
            &["check", "a.yaml", "-o", "x", "-f", "json"],
            &["the output `x` has no format before it"],
        ),
        (
            &["check", "a.yaml", "-f", "json", "-o", "x", "-o", "y"],
            &["the output `y` has no format before it"],
        ),
        (
            &["check", "a.yaml", "-f", "json", "-o", "x", "-f", "sarif", "-o", "./x"],
            &["two formats would go to `./x`"],
        ),
        (
            &["check", "dir", "a.yaml", "-f", "json", "-o", "dir/../a.yaml"],
            &["the output `dir/../a.yaml` would overwrite an input"],
        ),
        // The other commands.
        (
            &["explain", "mtls-not-strct"],
            &["`mtls-not-strct` is no check", "write `mtls-not-strict`"],
        ),
        (&["explain", "zzzzzz"], &["`zzzzzz` is no check", "`palisade checks` lists them all"]),
        (&["explain"], &["<CHECK>"]),
        (&["checks", "--format", "yaml"], &["invalid value 'yaml'", "markdown"]),
        (&["completions", "tcsh"], &["invalid value 'tcsh'", "bash"]),
        (&["init", "none"], &["cannot write `none/palisade.yaml`", "help: name a directory"]),
    ];
    let tree = Tree::new(&[("a.yaml", CLEAN), ("dir/b.yaml", CLEAN)]);
    for (args, said) in rows {
        let run = tree.palisade(*args).run();
        assert_eq!(run.code, 2, "{args:?}\n{}\n{}", run.stdout, run.stderr);
        assert_eq!(run.stdout, "", "{args:?}");
        for text in *said {
            assert!(run.stderr.contains(text), "{args:?}: no {text:?} in\n{}", run.stderr);
        }
        assert!(run.stderr.starts_with("error: "), "{args:?}\n{}", run.stderr);
    }
    assert_eq!(tree.read("a.yaml"), CLEAN, "an input was overwritten");
    assert!(!tree.path("x").exists(), "an output was written although the call was wrong");
}

#[test]
fn without_a_command_the_help_is_shown_as_an_error() {
    let none: [&str; 0] = [];
    let run = palisade(none).run().exit(2);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("Usage: palisade <COMMAND>"), "{}", run.stderr);
}

#[test]
fn names_in_messages_cannot_steer_a_terminal() {
    let tree = Tree::new(&[]);
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}x";
    for args in [["check", hostile], ["explain", hostile], ["init", hostile]] {
        let run = tree.palisade(args).run().exit(2);
        let harmless = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(run.stderr.chars().all(harmless), "{:?}", run.stderr);
    }
}

#[test]
fn a_check_that_is_named_runs_whatever_the_configuration_says() {
    let config = "checks: {container-without-cpu-request: {disable: true}}\n";
    let tree = Tree::new(&[("a.yaml", LOW), ("palisade.yaml", config)]);
    tree.check(["--include", "application", "--min-severity", "low"]).exit(1);
    let of_layer = tree.json(["--include", "application"]);
    let slugs = crate::program::slugs(&of_layer["findings"]);
    assert!(!slugs.contains(&"container-without-cpu-request"), "{slugs:?}");
    let named = tree.json(["--include", "container-without-cpu-request"]);
    assert_eq!(crate::program::slugs(&named["findings"]), ["container-without-cpu-request"]);
}
