//! The formats for other programs: each is read back by a reader of its own and compared with the JSON
//! report, also where names in the manifests try to be more than names.

mod csv;
mod github;
mod gitlab;
mod junit;
mod markdown;

use serde_json::Value;

use crate::program::{Ran, Tree};

/// Names that are something else to some reader.
const HOSTILE: [&str; 20] = [
    "::error::owned",
    "::error file=a,line=1::b%0A::warning::c%",
    "##[error]owned",
    "]]>",
    "=cmd()",
    "+1",
    "-1",
    "@everyone",
    "\t=tab",
    "\u{1b}[31mred\u{7}",
    "\u{202e}slate\u{2066}",
    "\u{fffe}\u{ffff}\u{0}",
    "a,b:c",
    "a\r\n::error::b\n# c\n\n- d",
    "</details><script>alert(1)</script>",
    "[x](javascript:1) ![y](z) <https://evil.example> #1",
    "a | b \\| c \\",
    "`@everyone` ``<b>`` `",
    "https://evil.example/x www.evil.example me@evil.example **b** _i_ ~~s~~",
    "&lt;&#64;everyone\"'>",
];

/// A text in quotes, for YAML: what is not ASCII is escaped, as some of it may not stand in a file.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).expect("JSON");
    let escaped = |c: char| match c {
        ' '..='~' => c.to_string(),
        _ => format!("\\u{:04x}", u32::from(c)),
    };
    json.chars().map(escaped).collect()
}

/// A pod with one finding, whose name, namespace and container are what is given.
fn pod(name: &str) -> String {
    let name = quoted(name);
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {name}}}\nspec:\n  containers:\n  - name: \
         {name}\n    image: {name}\n    securityContext: {{privileged: true}}\n"
    )
}

/// A pod whose finding is waived for the reason that is given.
fn waived(reason: &str) -> String {
    let text = format!("{reason}; until=2099-01-01; owner={}", reason.replace(';', ","));
    let text = quoted(&text);
    let annotation = format!("annotations: {{palisade.dev/ignore.privileged-container: {text}}}");
    pod("waived").replace("name: \"waived\",", &format!("name: waived, {annotation},"))
}

/// The check that speaks of these pods.
const CHECK: &str = "--include=privileged-container";

/// A repository with a hostile name in every place, a file name among them.
fn hostile(names: &[&str]) -> Tree {
    let tree = Tree::new(&[("palisade.yaml", "exclude: []\n")]);
    for (i, name) in names.iter().enumerate() {
        tree.write(&format!("named/{i}.yaml"), pod(name));
        tree.write(&format!("waived/{i}.yaml"), waived(name));
        // What a name of a file cannot hold.
        let file: String = name.chars().filter(|c| !matches!(c, '\0' | '/')).collect();
        tree.write(&format!("files/{file}.yaml"), pod("plain"));
        tree.write(&format!("broken/{file}.yaml"), "kind: Pod\nmetadata: [\n");
    }
    tree
}

/// The report of a tree in a format, and as JSON.
fn both(tree: &Tree, format: &str, args: &[&str]) -> (Ran, Value) {
    let more = [args, &["-f", format]].concat();
    (tree.check(&more), tree.json(args))
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is no list in {value}"))
}

/// How many files were not read or rendered to the end, and parts of roots that were not rendered.
fn unread(report: &Value) -> usize {
    const FILES: [&str; 4] = ["unreadable", "unparsable", "too-large", "not-rendered"];
    const PARTS: [&str; 4] =
        ["renderer-missing", "renderer-failed", "missing-dependency", "unsupported-feature"];
    let word = |value: &Value, key: &str, words: &[&str]| {
        value[key].as_str().is_some_and(|word| words.contains(&word))
    };
    let files = list(&report["inputs"], "files").iter().filter(|f| word(f, "state", &FILES));
    let gaps = list(report, "roots").iter().flat_map(|root| list(root, "gaps"));
    files.count() + gaps.filter(|gap| word(gap, "reason", &PARTS)).count()
}

#[test]
fn the_hostile_names_arrive() {
    let tree = hostile(&HOSTILE);
    let report = tree.json([CHECK]);
    assert_eq!(list(&report, "findings").len(), 2 * HOSTILE.len());
    assert_eq!(list(&report, "ignored").len(), HOSTILE.len(), "{}", report["notAssessed"]);
    assert_eq!(unread(&report), HOSTILE.len());
}

#[test]
fn several_formats_are_written_in_one_run() {
    let tree = Tree::new(&[("in/a.yaml", &pod("web")), ("out/keep", "")]);
    let outputs = ["junit", "gitlab", "markdown", "csv", "sarif"];
    let mut args = vec!["check".to_owned(), "in".to_owned()];
    for format in outputs {
        args.extend(["-f", format, "-o"].map(str::to_owned));
        args.push(format!("out/{format}"));
    }
    args.extend(["-f", "github"].map(str::to_owned));
    let run = tree.palisade(args).run().exit(1);
    assert!(run.stdout.starts_with("::error file=in/a.yaml,"), "{}", run.stdout);
    for format in outputs {
        let alone = tree.palisade(["check", "in", "-f", format]).run().exit(1);
        assert_eq!(tree.read(&format!("out/{format}")), alone.stdout, "{format}");
    }
}
