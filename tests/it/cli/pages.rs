//! The commands beside `check`: explain, checks, init, completions, help, version.

use palisade::engine::catalog;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::program::{CLEAN, Ran, Tree, palisade};

#[test]
fn every_check_is_explained_with_all_that_is_known_of_it() {
    for check in catalog().checks() {
        let page = palisade(["explain", check.slug]).run().exit(0);
        let (text, slug) = (&page.stdout, check.slug);
        assert_eq!(page.stderr, "");
        let about = format!(
            "layer {}, severity {}, persona {}",
            check.layer,
            check.severity,
            check.persona.word()
        );
        let comment = format!("# palisade: ignore[{slug}] reason; until=YYYY-MM-DD; owner=team");
        for part in [&format!("{slug}: {}", check.title), &about, &comment] {
            assert!(text.contains(part.as_str()), "{slug}: no {part:?} in\n{text}");
        }
        for heading in ["Why it matters", "Fix", "Known gaps", "Allow it"] {
            assert!(text.contains(&format!("\n{heading}\n")), "{slug}: no {heading:?} in\n{text}");
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(text).contains(&words(check.summary())), "{slug}\n{text}");
        for param in check.params {
            assert!(words(text).contains(&words(param.doc)), "{slug}: {}", param.name);
        }
        for (tool, id) in check.aliases {
            assert!(text.contains(&format!("  {tool}: {id}\n")), "{slug}");
        }
        assert!(text.ends_with(&format!("{}\n", palisade::report::url(slug))), "{slug}");
        assert!(!text.contains("##"), "{slug}: markup in\n{text}");
        fits(&page, 100);
        fits(&palisade(["explain", slug]).env("COLUMNS", "60").run().exit(0), 60);
    }
}

/// No line is wider, those excepted that hold one long word.
fn fits(page: &Ran, columns: usize) {
    for line in page.stdout.lines().filter(|line| line.width() > columns) {
        let words = line.split_whitespace().count();
        let command = line.contains("# palisade: ignore[") || line.contains("https://");
        assert!(words == 1 || command, "wider than {columns}: {line}");
    }
}

#[test]
fn the_lists_of_checks_hold_the_same_checks() {
    let catalog = catalog();
    let slugs: Vec<&str> = catalog.checks().iter().map(|check| check.slug).collect();
    let json: Value =
        serde_json::from_str(&palisade(["checks", "-f", "json"]).run().exit(0).stdout)
            .expect("JSON");
    let listed: Vec<&str> = json
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| c["check"].as_str().expect("text"))
        .collect();
    assert_eq!(listed, slugs);
    for (entry, check) in json.as_array().expect("a list").iter().zip(catalog.checks()) {
        assert_eq!(entry["title"], check.title);
        assert_eq!(entry["layer"], check.layer.word());
        assert_eq!(entry["severity"], check.severity.word());
        assert_eq!(entry["persona"], check.persona.word());
        assert_eq!(entry["params"].as_array().map(Vec::len), Some(check.params.len()));
    }
    let markdown = palisade(["checks", "-f", "markdown"]).run().exit(0).stdout;
    let mut headings: Vec<&str> =
        markdown.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    headings.sort_unstable();
    assert_eq!(headings, slugs);
    let table = palisade(["checks"]).run().exit(0);
    for slug in &slugs {
        assert!(
            table.stdout.contains(&format!("\u{2502} {slug} ")),
            "{slug} is broken\n{}",
            table.stdout
        );
    }
    assert!(
        table
            .stdout
            .ends_with(&format!("{} checks; `palisade explain CHECK` tells more\n", slugs.len()))
    );
    fits(&table, 100);
    fits(&palisade(["checks"]).env("COLUMNS", "60").run().exit(0), 60);
}

#[test]
fn init_writes_a_configuration_once() {
    let tree = Tree::new(&[("a.yaml", CLEAN)]);
    let run = tree.palisade(["init"]).run().exit(0);
    assert_eq!(run.stdout, "wrote ./palisade.yaml\n");
    let written = tree.read("palisade.yaml");
    tree.write("palisade.yaml", "exclude: []\n");
    let again = tree.palisade(["init"]).run().exit(2);
    assert!(again.stderr.contains("it exists already"), "{}", again.stderr);
    assert!(again.stderr.contains("help: use `--force` to replace it"), "{}", again.stderr);
    assert_eq!(tree.read("palisade.yaml"), "exclude: []\n");
    tree.palisade(["init", "--force"]).run().exit(0);
    assert_eq!(tree.read("palisade.yaml"), written);
    std::fs::create_dir(tree.path("sub")).expect("writable");
    tree.palisade(["init", "sub"]).run().exit(0);
    assert_eq!(tree.read("sub/palisade.yaml"), written);
    // What it wrote changes nothing until somebody edits it.
    let before = tree.palisade(["check", "a.yaml", "--no-config"]).run();
    assert_eq!(tree.palisade(["check", "a.yaml"]).run().stdout, before.stdout);
}

#[test]
fn shells_get_a_script_that_knows_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = palisade(["completions", shell]).run().exit(0);
        assert_eq!(script.stderr, "");
        for word in ["check", "explain", "checks", "init", "completions", "fail-on", "dump-objects"]
        {
            assert!(script.stdout.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn help_reads_well_in_100_columns() {
    let pages: [&[&str]; 7] = [
        &["--help"],
        &["check", "--help"],
        &["explain", "--help"],
        &["checks", "--help"],
        &["init", "--help"],
        &["completions", "--help"],
        &["check", "-h"],
    ];
    for args in pages {
        let page = palisade(args).env("COLUMNS", "100").run().exit(0);
        assert_eq!(page.stderr, "");
        fits(&page, 100);
        assert!(!page.stdout.contains('\u{1b}'));
        // Every option says what it does: lower case would be a slip.
        assert!(page.stdout.contains("Usage: palisade"), "{}", page.stdout);
    }
    let long = palisade(["check", "--help"]).run().exit(0).stdout;
    for heading in ["Output:", "Selection:", "Exit code:", "Input:", "Run:"] {
        assert!(long.contains(&format!("\n{heading}\n")), "{heading}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let run = palisade(["--version"]).run().exit(0);
    assert_eq!(run.stdout, format!("palisade {}\n", env!("CARGO_PKG_VERSION")));
}
