//! No file is lost: what a run says about the files of a tree is compared with a listing of the tree
//! that knows nothing of the program.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::oracle::dice::Dice;
use crate::program::{CLEAN, Tree};
use crate::support::project;

/// Directories that are one entry, skipped whole.
const WHOLE: [&str; 4] = [".git", "node_modules", "vendor", "left-out"];

/// Every path below a directory that is no directory itself, and each directory that is skipped whole,
/// by its name relative to `root`.
fn listing(root: &Path) -> Vec<String> {
    let mut walk = walkdir::WalkDir::new(root).min_depth(1).into_iter();
    let mut found = Vec::new();
    while let Some(entry) = walk.next() {
        let entry = entry.expect("the scratch tree is readable");
        let name = entry.path().strip_prefix(root).expect("below the root");
        let whole = WHOLE.iter().any(|whole| entry.file_name().to_string_lossy() == *whole);
        if entry.file_type().is_dir() && whole {
            walk.skip_current_dir();
        } else if entry.file_type().is_dir() {
            continue;
        }
        found.push(name.to_string_lossy().replace('\\', "/"));
    }
    found.sort();
    found
}

/// File and state of every entry of a report, in its order.
fn states(report: &Value) -> Vec<(String, String)> {
    let files = report["inputs"]["files"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    files.iter().map(|file| (text(&file["file"]), text(&file["state"]))).collect()
}

/// Demands that a report has every path of a tree, each once, and counts them right.
fn complete(report: &Value, listing: &[String]) -> BTreeMap<String, String> {
    let states = states(report);
    let names: Vec<&String> = states.iter().map(|(name, _)| name).collect();
    assert_eq!(names, listing.iter().collect::<Vec<_>>(), "each path once, sorted by name");
    let counts = report["inputs"]["counts"].as_object().expect("counts");
    for (state, count) in counts {
        let have = states.iter().filter(|(_, s)| s == state).count();
        assert_eq!(count.as_u64(), Some(have as u64), "{state}");
    }
    let counted: u64 = counts.values().filter_map(Value::as_u64).sum();
    assert_eq!(counted, states.len() as u64, "every state is counted");
    states.into_iter().collect()
}

fn document(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\n")
}

#[test]
fn every_path_of_a_tree_ends_in_the_state_that_it_must_have() {
    let tree = Tree::bare(&[
        (".gitignore", "ignored.yaml\n/left-out/\n*.gen.yaml\n!kept.gen.yaml\n"),
        (".palisadeignore", "mine.json\n"),
        ("palisade.yaml", "exclude: [\"not/**\"]\nlimits: {fileBytes: 2000}\n"),
        ("not/this.yaml", "a: [\n"),
        ("ignored.yaml", "a: [\n"),
        ("deep/ignored.yaml", "a: [\n"),
        ("deep/x.gen.yaml", "a: [\n"),
        ("deep/kept.gen.yaml", &document("kept")),
        ("deep/.gitignore", "own.yaml\n"),
        ("deep/own.yaml", "a: [\n"),
        ("own.yaml", &document("own")),
        ("mine.json", "{"),
        ("left-out/a.yaml", "a: [\n"),
        ("node_modules/a.yaml", "a: [\n"),
        ("deep/vendor/a.yaml", "a: [\n"),
        (".git/config.yaml", "a: [\n"),
        ("clean.yaml", CLEAN),
        ("upper.YAML", &document("upper")),
        ("short.yml", &document("short")),
        (
            "object.json",
            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"j\"}}",
        ),
        ("empty.yaml", ""),
        ("comment.yaml", "# nothing\n"),
        ("values.yaml", "replicas: 1\n"),
        ("broken.yaml", "a: [\n"),
        ("nameless.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"),
        ("half.yaml", &format!("{}---\na: [\n", document("half"))),
        ("template.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .x }}}\n"),
        ("large.yaml", &document("large").repeat(40)),
        ("git-crypt.yaml", "\0GITCRYPT\0 of all things"),
        ("chart/Chart.yaml", "name: web\nversion: 1.0.0\n"),
        ("chart/templates/pod.yaml", CLEAN),
        ("chart/README.md", "# Chart\n"),
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", CLEAN),
        ("README.md", "# Text\n"),
        ("program.rs", "fn main() {}\n"),
        ("name with blanks \u{e9}.yaml", &document("blanks")),
    ]);
    tree.write("elf.yaml", b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x02\0");
    tree.write(
        "utf16.yaml",
        document("wide").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
    );
    let mut wanted: Vec<(&str, &str)> = vec![
        (".git", "excluded"),
        (".gitignore", "excluded"),
        (".palisadeignore", "excluded"),
        ("README.md", "excluded"),
        ("base/kustomization.yaml", "not-kubernetes"),
        ("base/pod.yaml", "analysed"),
        ("broken.yaml", "unparsable"),
        ("chart/Chart.yaml", "not-rendered"),
        ("chart/README.md", "excluded"),
        ("chart/templates/pod.yaml", "not-rendered"),
        ("clean.yaml", "analysed"),
        ("comment.yaml", "not-kubernetes"),
        ("deep/.gitignore", "excluded"),
        ("deep/ignored.yaml", "excluded"),
        ("deep/kept.gen.yaml", "analysed"),
        ("deep/own.yaml", "excluded"),
        ("deep/vendor", "excluded"),
        ("deep/x.gen.yaml", "excluded"),
        ("elf.yaml", "encrypted"),
        ("empty.yaml", "not-kubernetes"),
        ("git-crypt.yaml", "encrypted"),
        ("half.yaml", "unparsable"),
        ("ignored.yaml", "excluded"),
        ("large.yaml", "too-large"),
        ("left-out", "excluded"),
        ("mine.json", "excluded"),
        ("name with blanks \u{e9}.yaml", "analysed"),
        ("nameless.yaml", "unparsable"),
        ("node_modules", "excluded"),
        ("not/this.yaml", "excluded"),
        ("object.json", "analysed"),
        ("own.yaml", "analysed"),
        ("palisade.yaml", "not-kubernetes"),
        ("program.rs", "excluded"),
        ("short.yml", "analysed"),
        ("template.yaml", "not-rendered"),
        ("upper.YAML", "analysed"),
        ("utf16.yaml", "unparsable"),
        ("values.yaml", "not-kubernetes"),
    ];
    wanted.extend(special(&tree));
    wanted.sort_unstable();
    let listing = listing(&tree.path(""));
    let found = complete(&tree.json([""; 0]), &listing);
    for (name, state) in &wanted {
        assert_eq!(found.get(*name).map(String::as_str), Some(*state), "{name}");
    }
    assert_eq!(found.len(), wanted.len(), "nothing else is there");
}

/// Files that only some systems have: links, to a file, to a directory, to themselves, out of the
/// tree and to nothing; a pipe; a file that may not be read.
#[cfg(unix)]
fn special(tree: &Tree) -> Vec<(&'static str, &'static str)> {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let links = [
        ("link.yaml", "clean.yaml"),
        ("deep/link", "../deep"),
        ("loop.yaml", "loop.yaml"),
        ("outside.yaml", "/etc/hostname"),
        ("nowhere.yaml", "no/such/file"),
    ];
    for (name, target) in links {
        symlink(target, tree.path(name)).expect("the scratch tree is writable");
    }
    let mut wanted: Vec<_> = links.into_iter().map(|(name, _)| (name, "excluded")).collect();
    let made = Command::new("mkfifo").arg(tree.path("pipe.yaml")).status();
    wanted.extend(made.is_ok_and(|status| status.success()).then_some(("pipe.yaml", "excluded")));
    tree.write("closed.yaml", document("closed"));
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(tree.path("closed.yaml"), closed).expect("our own file");
    // Whoever may do everything reads it all the same.
    let readable = std::fs::read(tree.path("closed.yaml")).is_ok();
    wanted.push(("closed.yaml", if readable { "analysed" } else { "unreadable" }));
    wanted
}

#[cfg(not(unix))]
fn special(_: &Tree) -> Vec<(&'static str, &'static str)> {
    Vec::new()
}

/// Kinds of random files: how they are called, what is in them, what becomes of them.
const KINDS: [(&str, &str, &str); 8] = [
    ("good-N.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cN}\n", "analysed"),
    ("bad-N.yaml", "a: [\n", "unparsable"),
    ("other-N.json", "{\"a\": N}\n", "not-kubernetes"),
    ("secret-N.yml", "\0GITCRYPT\0", "encrypted"),
    ("text-N.txt", "hello\n", "excluded"),
    ("ignored-N.yaml", "a: [\n", "excluded"),
    ("template-N.yaml", "apiVersion: {{ .x }}\n", "not-rendered"),
    ("none", "text without extension\n", "excluded"),
];

#[test]
fn random_trees_are_reported_path_by_path() {
    for case in 0..12 {
        let mut dice = Dice::new(11, case);
        let tree = Tree::new(&[(".gitignore", "ignored-*\n")]);
        let mut wanted = BTreeMap::new();
        for number in 0..dice.below(60) {
            let mut name = String::new();
            for _ in 0..dice.below(4) {
                name.push_str(dice.word(&["a/", "b/", "\u{e9}/", "c d/", ".hidden/"]));
            }
            let (file, text, state) = *dice.pick(&KINDS);
            let number = number.to_string();
            name.push_str(&file.replace('N', &number));
            tree.write(&name, text.replace('N', &number));
            wanted.insert(name, state);
        }
        let found = complete(&tree.json([""; 0]), &listing(&tree.path("")));
        for (name, state) in &wanted {
            assert_eq!(found.get(name).map(String::as_str), Some(*state), "case {case}: {name}");
        }
        assert_eq!(found.len(), wanted.len() + 2, "beside them only .git and .gitignore");
    }
}

#[test]
fn the_projects_own_files_are_all_reported() {
    for directory in ["samples", "tests/yaml"] {
        let root = project().join(directory);
        let ran =
            crate::program::palisade(["check", ".", "-f", "json", "--no-config"]).dir(&root).run();
        let report: Value = serde_json::from_str(&ran.stdout).expect("a report");
        let prefix = format!("{directory}/");
        let strip = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_owned();
        let found: Vec<String> = states(&report).iter().map(|(name, _)| strip(name)).collect();
        assert_eq!(found, listing(&root), "{directory}");
    }
}
