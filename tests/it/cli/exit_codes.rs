//! Exit codes: input state x findings x flags, one row each.

use crate::program::{CHECKS, CLEAN, CRITICAL, LOW, OPEN, Tree};

const BROKEN: &str = "kind: Pod\nmetadata: [name: x\n";
const OTHER: &str = "hello: world\n";
const CHART: &str = "name: web\nversion: 1.0.0\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Values.name }}}\n";
const ENCRYPTED: &str = "\0GITCRYPT\0 of all things";
const BAD_WAIVER: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings # palisade: ignore[privileged-contaner] a slip of the pen
  namespace: shop
";
const SMALL: &str = "limits: {fileBytes: 40}\n";

/// Files of a row.
type Files = &'static [(&'static str, &'static str)];

const EMPTY: Files = &[];
const NOT_KUBERNETES: Files = &[("a.yaml", OTHER)];
const ONLY_CLEAN: Files = &[("clean.yaml", CLEAN)];
const ONLY_LOW: Files = &[("clean.yaml", CLEAN), ("low.yaml", LOW)];
const ONLY_CRITICAL: Files = &[("critical.yaml", CRITICAL)];
const BOTH: Files = &[("critical.yaml", CRITICAL), ("low.yaml", LOW)];
const ONLY_BROKEN: Files = &[("broken.yaml", BROKEN)];
const BROKEN_CLEAN: Files = &[("broken.yaml", BROKEN), ("clean.yaml", CLEAN)];
const BROKEN_LOW: Files = &[("broken.yaml", BROKEN), ("low.yaml", LOW)];
const TOO_LARGE: Files = &[("large.yaml", CLEAN), ("palisade.yaml", SMALL)];
const TEMPLATES: Files = &[("chart/Chart.yaml", CHART), ("chart/templates/pod.yaml", TEMPLATE)];
const TEMPLATES_LOW: Files =
    &[("chart/Chart.yaml", CHART), ("chart/templates/pod.yaml", TEMPLATE), ("low.yaml", LOW)];
const TEMPLATE_ALONE: Files = &[("pod.yaml", TEMPLATE)];
const ONLY_ENCRYPTED: Files = &[("secret.yaml", ENCRYPTED)];
const ENCRYPTED_CLEAN: Files = &[("secret.yaml", ENCRYPTED), ("clean.yaml", CLEAN)];
const ENCRYPTED_LOW: Files = &[("secret.yaml", ENCRYPTED), ("low.yaml", LOW)];
const NOT_ASSESSED: Files = &[("open.yaml", OPEN)];
const NOT_ASSESSED_LOW: Files = &[("open.yaml", OPEN), ("low.yaml", LOW)];
const UNREADABLE_WAIVER: Files = &[("waiver.yaml", BAD_WAIVER)];

const CPU: &str = "container-without-cpu-request";
const PRIVILEGED: &str = "privileged-container";

#[test]
fn an_exit_code_says_what_the_input_was_and_what_was_asked_for() {
    let rows: &[(&str, Files, &[&str], i32)] = &[
        ("clean", ONLY_CLEAN, &[], 0),
        ("clean", ONLY_CLEAN, &["--strict"], 0),
        ("clean", ONLY_CLEAN, &["--fail-on", "low", "--fail-on-check", PRIVILEGED], 0),
        // Findings.
        ("low", ONLY_LOW, &[], 1),
        ("low", ONLY_LOW, &["--fail-on", "low"], 1),
        ("low", ONLY_LOW, &["--fail-on", "medium"], 0),
        ("low", ONLY_LOW, &["--fail-on", "critical"], 0),
        ("low", ONLY_LOW, &["--fail-on", "high", "--fail-on-check", CPU], 1),
        ("low", ONLY_LOW, &["--fail-on", "high", "--fail-on-check", PRIVILEGED], 0),
        ("low", ONLY_LOW, &["--warn-on-check", CPU], 0),
        ("low", ONLY_LOW, &["--warn-on-check", PRIVILEGED], 1),
        ("low, named twice", ONLY_LOW, &["--warn-on-check", CPU, "--fail-on-check", CPU], 1),
        ("low", ONLY_LOW, &["--min-severity", "medium"], 0),
        ("low", ONLY_LOW, &["--min-severity", "low"], 1),
        ("low, hidden", ONLY_LOW, &["--min-severity", "medium", "--fail-on-check", CPU], 0),
        ("low", ONLY_LOW, &["--exit-zero"], 0),
        ("low", ONLY_LOW, &["--allow-incomplete"], 1),
        ("low", ONLY_LOW, &["--strict"], 1),
        ("critical", ONLY_CRITICAL, &[], 1),
        ("critical", ONLY_CRITICAL, &["--fail-on", "critical"], 1),
        ("critical", ONLY_CRITICAL, &["--min-severity", "critical"], 1),
        ("critical", ONLY_CRITICAL, &["--warn-on-check", PRIVILEGED], 0),
        ("critical", ONLY_CRITICAL, &["--exit-zero", "--fail-on", "critical"], 0),
        ("both", BOTH, &["--fail-on", "high"], 1),
        ("both", BOTH, &["--warn-on-check", PRIVILEGED], 1),
        ("both", BOTH, &["--warn-on-check", PRIVILEGED, "--fail-on", "medium"], 0),
        (
            "both",
            BOTH,
            &["--warn-on-check", "privileged-container,container-without-cpu-request"],
            0,
        ),
        // Incomplete.
        ("broken", ONLY_BROKEN, &[], 4),
        ("broken", ONLY_BROKEN, &["--allow-incomplete"], 0),
        ("broken", ONLY_BROKEN, &["--exit-zero"], 4),
        ("broken", ONLY_BROKEN, &["--strict"], 4),
        ("broken", ONLY_BROKEN, &["--strict", "--allow-incomplete"], 0),
        ("broken and clean", BROKEN_CLEAN, &[], 4),
        ("broken and clean", BROKEN_CLEAN, &["--allow-incomplete"], 0),
        ("broken and low", BROKEN_LOW, &[], 1),
        ("broken and low", BROKEN_LOW, &["--allow-incomplete"], 1),
        ("broken and low", BROKEN_LOW, &["--fail-on", "high"], 4),
        ("broken and low", BROKEN_LOW, &["--min-severity", "high"], 4),
        ("broken and low", BROKEN_LOW, &["--warn-on-check", CPU], 4),
        ("broken and low", BROKEN_LOW, &["--exit-zero"], 0),
        ("broken and low", BROKEN_LOW, &["--exit-zero", "--fail-on", "high"], 4),
        ("too large", TOO_LARGE, &[], 4),
        ("too large", TOO_LARGE, &["--allow-incomplete"], 0),
        ("templates", TEMPLATES, &[], 4),
        ("templates", TEMPLATES, &["--allow-incomplete"], 0),
        ("templates and low", TEMPLATES_LOW, &[], 1),
        ("templates and low", TEMPLATES_LOW, &["--fail-on", "high"], 4),
        ("a template outside a chart", TEMPLATE_ALONE, &[], 4),
        ("unreadable waiver", UNREADABLE_WAIVER, &[], 4),
        ("unreadable waiver", UNREADABLE_WAIVER, &["--allow-incomplete"], 0),
        ("unreadable waiver", UNREADABLE_WAIVER, &["--exit-zero"], 4),
        ("unreadable waiver", UNREADABLE_WAIVER, &["--no-ignores"], 0),
        // Nothing to check.
        ("empty", EMPTY, &[], 3),
        ("empty", EMPTY, &["--allow-incomplete"], 3),
        ("empty", EMPTY, &["--exit-zero"], 3),
        ("empty", EMPTY, &["--strict"], 3),
        ("not Kubernetes", NOT_KUBERNETES, &[], 3),
        // Encrypted and unknown: counted only with --strict.
        ("encrypted", ONLY_ENCRYPTED, &[], 3),
        ("encrypted", ONLY_ENCRYPTED, &["--strict"], 4),
        ("encrypted", ONLY_ENCRYPTED, &["--strict", "--allow-incomplete"], 0),
        ("encrypted and clean", ENCRYPTED_CLEAN, &[], 0),
        ("encrypted and clean", ENCRYPTED_CLEAN, &["--strict"], 4),
        ("encrypted and low", ENCRYPTED_LOW, &["--strict"], 1),
        ("not assessed", NOT_ASSESSED, &[], 0),
        ("not assessed", NOT_ASSESSED, &["--strict"], 4),
        ("not assessed", NOT_ASSESSED, &["--strict", "--exit-zero"], 4),
        ("not assessed", NOT_ASSESSED, &["--strict", "--allow-incomplete"], 0),
        ("not assessed and low", NOT_ASSESSED_LOW, &["--strict"], 1),
        ("not assessed and low", NOT_ASSESSED_LOW, &["--strict", "--fail-on", "high"], 4),
    ];
    let mut wrong = Vec::new();
    for (name, files, flags, code) in rows {
        let tree = Tree::new(files);
        let args = || flags.iter().copied().chain([CHECKS]);
        let human = tree.check(args());
        if human.code != *code {
            wrong.push(format!("{name} {flags:?}: {} instead of {code}", human.code));
        }
        // The last line of the report gives the code, and so does every other format.
        let last = human.stdout.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("exit {}: ", human.code)), "{name} {flags:?}: {last}");
        assert_eq!(human.stderr, "", "{name} {flags:?}");
        let json = tree.json(args());
        assert_eq!(json["exit"]["code"], human.code, "{name} {flags:?}");
        assert_eq!(
            last,
            format!("exit {}: {}", human.code, json["exit"]["reason"].as_str().expect("text"))
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_reason_of_an_exit_code_counts_what_decided_it() {
    let rows: &[(Files, &[&str], &str)] = &[
        (ONLY_CLEAN, &[], "exit 0: clean"),
        (ONLY_LOW, &[], "exit 1: 1 finding at or above low"),
        (ONLY_LOW, &["--exit-zero"], "exit 0: 1 finding at or above low, and --exit-zero"),
        (ONLY_LOW, &["--fail-on=high"], "exit 0: no finding at or above high"),
        (ONLY_LOW, &["--min-severity=high"], "exit 0: no finding at or above low"),
        (BOTH, &[], "exit 1: 2 findings at or above low"),
        (BOTH, &["--fail-on=high"], "exit 1: 1 finding at or above high"),
        (
            BOTH,
            &["--fail-on=high", "--fail-on-check", CPU],
            "exit 1: 1 finding at or above high, and 1 of --fail-on-check",
        ),
        (
            ONLY_LOW,
            &["--fail-on=high", "--fail-on-check", CPU],
            "exit 1: 1 finding of --fail-on-check",
        ),
        (EMPTY, &[], "exit 3: no Kubernetes object was found"),
        (
            &[("guide.md", "# Guide\n"), ("apply.sh", "exit 0\n")],
            &[],
            "exit 3: no Kubernetes object was found; `--include-docs` reads documents and \
             scripts, too",
        ),
        (
            &[("guide.md", "# Guide\n")],
            &["--include-docs"],
            "exit 3: no Kubernetes object was found",
        ),
        (&[("photo.png", "")], &[], "exit 3: no Kubernetes object was found"),
        (BROKEN_CLEAN, &[], "exit 4: incomplete: 1 file was not read or rendered to the end"),
        (TEMPLATES, &[], "exit 4: incomplete: 2 files were not read or rendered to the end"),
        (
            BROKEN_CLEAN,
            &["--allow-incomplete"],
            "exit 0: incomplete: 1 file was not read or rendered to the end, and --allow-incomplete",
        ),
        (UNREADABLE_WAIVER, &[], "exit 4: incomplete: a check or waiver could not be run or read"),
        (NOT_ASSESSED, &["--strict"], "exit 4: incomplete: 1 question not assessed, and --strict"),
        (ONLY_ENCRYPTED, &["--strict"], "exit 4: incomplete: 1 file encrypted, and --strict"),
    ];
    for (files, flags, reason) in rows {
        let run = Tree::new(files).check(flags.iter().copied().chain([CHECKS]));
        let lines: Vec<&str> = run.stdout.lines().collect();
        let start = lines.iter().rposition(|line| line.starts_with("exit ")).expect("a last line");
        let last: Vec<&str> = lines[start..].iter().map(|line| line.trim()).collect();
        assert_eq!(last.join(" "), *reason, "{flags:?}");
    }
}

#[test]
fn what_cannot_be_opened_makes_a_run_incomplete() {
    let tree = Tree::new(ONLY_CLEAN);
    let run = tree.palisade(["check", "clean.yaml", "/dev/null", CHECKS]).run().exit(4);
    assert!(run.stdout.contains("unreadable"), "{}", run.stdout);
    tree.palisade(["check", "/dev/null", "--allow-incomplete"]).run().exit(0);
}

#[test]
fn standard_input_has_the_same_codes() {
    let check = |text: &str| {
        let tree = Tree::new(&[]);
        tree.palisade(["check", "-", CHECKS]).stdin(text).run().code
    };
    assert_eq!(check(CLEAN), 0);
    assert_eq!(check(LOW), 1);
    assert_eq!(check(BROKEN), 4);
    assert_eq!(check(""), 3);
    assert_eq!(check(&format!("{BROKEN}---\n{LOW}")), 1);
}

#[test]
fn a_dump_of_objects_has_no_findings_but_can_be_incomplete() {
    let dump = |files: Files, flags: &[&str]| {
        Tree::new(files).check(flags.iter().copied().chain(["--dump-objects"]))
    };
    let clean = dump(BOTH, &[]).exit(0);
    assert_eq!(clean.stdout.lines().count(), 2);
    assert_eq!(clean.stderr, "");
    let broken = dump(BROKEN_LOW, &[]).exit(4);
    assert_eq!(broken.stdout.lines().count(), 1);
    assert!(broken.stderr.starts_with("unparsable: broken.yaml:2: "), "{}", broken.stderr);
    dump(BROKEN_LOW, &["--allow-incomplete"]).exit(0);
    dump(EMPTY, &[]).exit(3);
    let templates = dump(TEMPLATES, &[]).exit(4);
    assert!(templates.stderr.contains("not-rendered: chart/templates/pod.yaml"));
    dump(ONLY_ENCRYPTED, &[]).exit(3);
}
