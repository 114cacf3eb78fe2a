//! Where reports go, and how they look there.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;

use crate::program::{CHECKS, CLEAN, CRITICAL, LOW, Ran, Tree};

#[test]
fn each_output_takes_the_format_before_it() {
    let tree = Tree::new(&[("in/a.yaml", CRITICAL), ("out/keep", "")]);
    // What is written lies outside what is read: the next run would meet it.
    let check = |args: &[&str]| tree.palisade(["check", "in"]).args(args).run().exit(1);
    let (json, sarif) = ("out/a.json", "out/a.sarif");
    let run = check(&["-f", "json", "-o", json, "-f", "human", "-f", "sarif", "-o", sarif]);
    assert!(run.stdout.contains("critical[privileged-container]"), "{}", run.stdout);
    let json: Value = serde_json::from_str(&tree.read(json)).expect("JSON");
    assert_eq!(json["schema"], "palisade.report/v1");
    let sarif: Value = serde_json::from_str(&tree.read(sarif)).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    // Without a format the output is for people.
    let run = check(&["-o", "out/a.txt"]);
    assert_eq!(run.stdout, "");
    assert!(tree.read("out/a.txt").contains("critical[privileged-container]"));
    // The file is for reading later: plain, whatever the terminal can do.
    check(&["-o", "out/b.txt", "--color", "always"]);
    assert_eq!(tree.read("out/a.txt"), tree.read("out/b.txt"));
    let dash = check(&["-f", "json", "-o", "-"]);
    assert_eq!(dash.json(), check(&["-f", "json"]).json());
    assert!(!tree.path("-").exists());
}

#[test]
fn an_object_that_a_text_shows_twice_misses_its_settings_once() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n\
               spec: {containers: [{name: web}, {name: side}]}\n";
    let fence = format!("```yaml\n{pod}```\n");
    let text = format!("{fence}\nand later once more\n\n{fence}");
    let tree = Tree::new(&[("once.md", fence.as_str()), ("twice.md", text.as_str())]);
    let missing = |file: &str| {
        let run = tree.palisade(["check", file]).run().exit(1);
        let lines = run.stdout.lines().filter(|line| line.contains(" hardening settings"));
        let words: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
        words
    };
    let once = missing("once.md");
    assert_eq!(once.len(), 1, "{once:?}");
    assert_eq!(missing("twice.md"), once);
}

#[test]
fn json_v1_is_another_name_of_json() {
    let tree = Tree::new(&[("a.yaml", LOW)]);
    let current = tree.check(["-f", "json"]).exit(1);
    assert_eq!(tree.check(["-f", "json-v1"]).exit(1).stdout, current.stdout);
}

#[test]
fn an_output_is_replaced_whole_and_nothing_is_left_beside_it() {
    let tree = Tree::new(&[("in/a.yaml", LOW), ("out/a.json", "old and much longer than {}")]);
    tree.palisade(["check", "in", "-f", "json", "-o", "out/a.json"]).run().exit(1);
    serde_json::from_str::<Value>(&tree.read("out/a.json")).expect("the new report alone");
    let beside: Vec<_> = std::fs::read_dir(tree.path("out")).expect("a directory").collect();
    assert_eq!(beside.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed_only_inside_its_directory() {
    let tree = Tree::new(&[("in/a.yaml", LOW), ("out/real.json", ""), ("elsewhere.json", "mine")]);
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, tree.path(name)).expect("links can be made");
    };
    link("real.json", "out/inside.json");
    link("../elsewhere.json", "out/outside.json");
    tree.palisade(["check", "in", "-f", "json", "-o", "out/inside.json"]).run().exit(1);
    assert!(tree.path("out/inside.json").is_symlink());
    assert!(tree.read("out/real.json").contains("palisade.report/v1"));
    let run = tree.palisade(["check", "in", "-f", "json", "-o", "out/outside.json"]).run().exit(2);
    assert!(run.stderr.contains("leads out of its directory"), "{}", run.stderr);
    assert_eq!(tree.read("elsewhere.json"), "mine");
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let tree = Tree::new(&[("a.yaml", LOW)]);
    let twice = ["-f", "json", "-o", "/dev/null", "-f", "sarif", "-o", "/dev/null"];
    let run = tree.check(twice).exit(1);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_takes_nothing_is_an_error() {
    let tree = Tree::new(&[("a.yaml", CLEAN)]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let mut run = tree.palisade(["check", "a.yaml", CHECKS]);
    let run = run.command.stdout(full).stderr(Stdio::piped()).output().expect("the program starts");
    assert_eq!(run.status.code(), Some(2));
    let stderr = String::from_utf8(run.stderr).expect("UTF-8");
    assert!(stderr.contains("cannot write `standard output`"), "{stderr}");
}

/// Pods enough for a report that no pipe holds at once.
fn many() -> String {
    let pod = |i: usize| CRITICAL.replace("mighty", &format!("mighty-{i}"));
    (0..400).map(pod).collect::<Vec<_>>().join("---\n")
}

#[test]
fn a_reader_that_leaves_early_changes_nothing_but_the_length() {
    let tree = Tree::new(&[("a.yaml", &many())]);
    let formats =
        ["human", "table", "json", "sarif", "junit", "github", "gitlab", "markdown", "csv"];
    for (format, code) in formats.map(|format| (format, 1)) {
        for lines in [0, 1] {
            let mut run = tree.palisade(["check", "a.yaml", "-f", format]);
            let command = run.command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().expect("the program starts");
            let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
            for _ in 0..lines {
                reader.read_line(&mut String::new()).expect("a line");
            }
            drop(reader);
            let mut stderr = String::new();
            let mut errors = child.stderr.take().expect("a pipe");
            errors.read_to_string(&mut stderr).expect("UTF-8");
            let status = child.wait().expect("the program ends");
            assert_eq!((status.code(), stderr.as_str()), (Some(code), ""), "{format} {lines}");
        }
    }
}

#[test]
fn colours_follow_the_command_line_then_the_variables() {
    let tree = Tree::new(&[("a.yaml", CRITICAL)]);
    type Variables = &'static [(&'static str, &'static str)];
    let rows: &[(Variables, &[&str], bool)] = &[
        (&[], &[], false),
        (&[], &["--color", "auto"], false),
        (&[], &["--color", "always"], true),
        (&[("NO_COLOR", "1")], &["--color", "always"], true),
        (&[("FORCE_COLOR", "1")], &[], true),
        (&[("FORCE_COLOR", "0")], &[], false),
        (&[("FORCE_COLOR", "1")], &["--color", "never"], false),
        (&[("CLICOLOR_FORCE", "1")], &[], true),
        (&[("CLICOLOR_FORCE", "0")], &[], false),
        (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], &[], false),
        (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], &[], false),
        (&[("NO_COLOR", ""), ("FORCE_COLOR", "1")], &[], true),
        (&[("TERM", "xterm-256color")], &[], false),
    ];
    for (variables, args, colours) in rows {
        let mut run = tree.palisade(["check", "a.yaml"]).args(*args);
        for (name, value) in *variables {
            run = run.env(name, value);
        }
        let run = run.run().exit(1);
        assert_eq!(run.stdout.contains('\u{1b}'), *colours, "{variables:?} {args:?}");
        assert!(
            !run.stdout.contains("\u{1b}]8;"),
            "links are for terminals: {variables:?} {args:?}"
        );
    }
    let coloured = tree.check(["--color", "always"]).exit(1).stdout;
    assert_eq!(without_colours(&coloured), tree.check([""; 0]).exit(1).stdout);
    // Data has none, whatever is asked for.
    for format in ["json", "sarif"] {
        assert!(!tree.check(["-f", format, "--color", "always"]).stdout.contains('\u{1b}'));
    }
}

/// The text without `ESC [ ... m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}

#[test]
fn errors_in_the_configuration_are_coloured_as_asked() {
    let tree = Tree::new(&[("a.yaml", LOW), ("palisade.yaml", "platfrom: {}\n")]);
    assert!(tree.check(["--color", "always"]).exit(2).stderr.contains('\u{1b}'));
    assert!(!tree.check(["--color", "never"]).exit(2).stderr.contains('\u{1b}'));
    let forced = tree.palisade(["check", "."]).env("FORCE_COLOR", "1").run().exit(2);
    assert!(forced.stderr.contains('\u{1b}'));
}

fn at_width(tree: &Tree, columns: &str, format: &str) -> Ran {
    tree.palisade(["check", ".", "-f", format]).env("COLUMNS", columns).run().exit(1)
}

#[test]
fn a_report_is_as_wide_as_the_terminal() {
    use unicode_width::UnicodeWidthStr as _;
    let tree = Tree::new(&[("a.yaml", CRITICAL), ("b.yaml", LOW)]);
    for format in ["human", "table"] {
        for columns in [40, 60, 80, 100, 160] {
            let text = at_width(&tree, &columns.to_string(), format).stdout;
            // An address is not broken, and neither is the name of a check: one could not search
            // for it.
            let word =
                |line: &str| line.split_whitespace().filter(|w| w.chars().count() > 3).count() <= 1;
            let wide =
                text.lines().find(|l| l.width() > columns && !l.contains("https://") && !word(l));
            assert_eq!(wide, None, "{format} at {columns}");
        }
        let most = at_width(&tree, "160", format).stdout;
        assert_eq!(at_width(&tree, "500", format).stdout, most, "wider text is not read");
        let least = at_width(&tree, "40", format).stdout;
        assert_eq!(at_width(&tree, "10", format).stdout, least, "narrower text is not either");
        let plain = tree.check(["-f", format]).stdout;
        for nonsense in ["", "0", "-5", "wide"] {
            assert_eq!(at_width(&tree, nonsense, format).stdout, plain, "{nonsense:?}");
        }
        assert_eq!(at_width(&tree, "100", format).stdout, plain, "without a terminal it is 100");
    }
}

#[test]
fn a_log_of_a_ci_service_gets_no_commands() {
    let hostile = "\
apiVersion: v1
kind: Pod
metadata:
  # ##[error]owned ##vso[task.setvariable]x
  name: \"::error file=a::owned\"
  namespace: shop
spec: {containers: [{name: \"##[group]x\", image: a, securityContext: {privileged: true}}]}
";
    let tree = Tree::new(&[("a.yaml", hostile)]);
    for format in ["human", "table"] {
        for columns in ["40", "100"] {
            for variable in ["GITHUB_ACTIONS", "TF_BUILD"] {
                let run = tree.palisade(["check", ".", "-f", format]).env("COLUMNS", columns);
                let text = run.env(variable, "true").run().exit(1).stdout;
                for line in text.lines() {
                    assert!(!line.trim_start().starts_with("::"), "{line}");
                    assert!(!line.contains("##[") && !line.contains("##vso["), "{line}");
                }
            }
        }
        // Elsewhere the text is shown as it is.
        assert!(tree.check(["-f", format]).stdout.contains("##[group]x"));
    }
    let data = tree.palisade(["check", ".", "-f", "json"]).env("GITHUB_ACTIONS", "true").run();
    assert_eq!(data.exit(1).json(), tree.json([""; 0]));
}

#[test]
fn standard_output_carries_the_report_and_nothing_else() {
    let tree = Tree::new(&[("a.yaml", LOW), ("b.yaml", "a: [\n"), ("c.md", "# text\n")]);
    for format in ["json", "sarif"] {
        let run = tree.check(["-f", format]).exit(1);
        serde_json::from_str::<Value>(&run.stdout).expect("one JSON text");
        assert!(run.stdout.ends_with("}\n") && run.stderr.is_empty());
    }
}
