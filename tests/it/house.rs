//! The rules that hold the house up: who may know whom, what a check consists of, how long things
//! may get, and that generated files are fresh.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use palisade::document::DefectKind;
use palisade::engine::{catalog, config_schema};
use palisade::finding::Layer;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::support::{bless, files_below, project};

/// A module may import only from modules to its left.
const LINE: [&str; 13] = [
    "document", "finding", "config", "model", "reach", "catalog", "checks", "rego", "engine",
    "source", "fixture", "report", "cli",
];

/// Slugs that existed once. They are never used again.
const RETIRED: [&str; 0] = [];

struct Source {
    /// Path below `src/`.
    name: String,
    text: String,
    syntax: syn::File,
}

fn sources() -> Vec<Source> {
    let root = project().join("src");
    let source = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
        let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        Source { name, text, syntax }
    };
    files_below(&root).into_iter().map(source).collect()
}

/// The top-level module that a file belongs to.
fn module(name: &str) -> &str {
    let first = name.split('/').next().unwrap_or(name);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Every path of a file that begins with one word, as its next two words.
struct Paths {
    of: &'static str,
    found: BTreeSet<(String, String)>,
}

impl Paths {
    fn under(source: &Source, of: &'static str) -> BTreeSet<(String, String)> {
        let mut paths = Self { of, found: BTreeSet::new() };
        paths.visit_file(&source.syntax);
        paths.found
    }

    fn of_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.of_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.of_tree(item, before));
            }
            syn::UseTree::Name(name) => self.keep(before, &name.ident.to_string()),
            syn::UseTree::Rename(name) => self.keep(before, &name.ident.to_string()),
            syn::UseTree::Glob(_) => self.keep(before, "*"),
        }
    }

    fn keep(&mut self, before: &[String], last: &str) {
        let words: Vec<&str> = before.iter().map(String::as_str).chain([last]).collect();
        if let [first, second, rest @ ..] = words.as_slice()
            && *first == self.of
        {
            let third = rest.first().copied().unwrap_or_default();
            self.found.insert(((*second).to_owned(), third.to_owned()));
        }
    }
}

impl Visit<'_> for Paths {
    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.of_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let Some((last, before)) = words.split_last() {
            self.keep(before, last);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, found: &syn::Macro) {
        // What a macro is given is not parsed; the words of its text are looked at instead.
        let words: Vec<String> =
            found.tokens.to_string().split_whitespace().map(str::to_owned).collect();
        for part in words.windows(5) {
            if let [first, colons, second, more, third] = part
                && *first == self.of
                && colons == "::"
            {
                let third = if more == "::" { third.clone() } else { String::new() };
                self.found.insert((second.clone(), third));
            }
        }
        visit::visit_macro(self, found);
    }
}

#[test]
fn a_module_imports_only_from_modules_to_its_left() {
    let place = |name: &str| LINE.iter().position(|module| *module == name);
    let mut wrong = Vec::new();
    for source in sources() {
        let own = module(&source.name);
        if ["lib", "main"].contains(&own) {
            continue;
        }
        let Some(own_place) = place(own) else {
            wrong.push(format!("`{own}` has no place in the line"));
            continue;
        };
        for (imported, _) in Paths::under(&source, "crate") {
            match place(&imported) {
                Some(other) if other <= own_place => {}
                _ => wrong.push(format!("{} imports `{imported}`", source.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let docs = std::fs::read_to_string(project().join("src/lib.rs")).expect("readable");
    assert!(docs.replace("\n//! ", " ").contains(&LINE.join(", ")), "lib.rs shows another line");
}

#[test]
fn the_test_of_the_line_sees_nested_and_written_out_imports() {
    let seen = |text: &str| {
        let syntax = syn::parse_file(text).expect("the text is Rust");
        let source = Source { name: String::new(), text: String::new(), syntax };
        Paths::under(&source, "crate").into_iter().map(|(first, _)| first).collect::<Vec<_>>()
    };
    assert_eq!(seen("use crate::{a, b::{c, d as e}};"), ["a", "b", "b"]);
    assert_eq!(seen("fn f() { let x: crate::a::B = crate::c::d(); }"), ["a", "c"]);
    assert_eq!(seen("fn f() { assert!(crate::a::B.len() == 1); }"), ["a"]);
}

#[test]
fn only_the_rooms_at_the_rim_know_the_outside() {
    let mut wrong = Vec::new();
    for source in sources() {
        let (name, own) = (&source.name, module(&source.name));
        let at_rim = ["source", "cli"].contains(&own);
        for (part, what) in Paths::under(&source, "std") {
            let process = part == "process" && !(own == "main" && what == "ExitCode");
            let socket =
                part == "net" && ["TcpListener", "TcpStream", "UdpSocket"].contains(&&*what);
            let outside = ["fs", "env", "thread"].contains(&&*part) || process || socket;
            if outside && !at_rim && own != "main" {
                wrong.push(format!("{name} uses std::{part}"));
            }
        }
        for (dependency, rooms) in [("tokio", ["source", "cli"]), ("kube", ["source", "source"])] {
            if !Paths::under(&source, dependency).is_empty() && !rooms.contains(&own) {
                wrong.push(format!("{name} uses {dependency}"));
            }
        }
        if own == "checks" {
            let raw = ["Tree", "Node", "Value"];
            let of_document = Paths::under(&source, "crate");
            let raw = of_document.iter().any(|(m, t)| m == "document" && raw.contains(&t.as_str()));
            if raw || !Paths::under(&source, "serde_json").is_empty() {
                wrong.push(format!("{name} reads raw objects"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Check files by layer: path below `src/`, slug.
fn check_files() -> Vec<(Layer, String, String)> {
    let mut found = Vec::new();
    for layer in Layer::ALL {
        for path in files_below(&project().join("src/checks").join(layer.word())) {
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            if stem != "mod" {
                let name = format!("checks/{}/{stem}.rs", layer.word());
                found.push((layer, name, stem.replace('_', "-")));
            }
        }
    }
    found
}

/// The bundled policies: layer and slug.
fn policy_files() -> Vec<(Layer, String)> {
    let mut found = Vec::new();
    for layer in Layer::ALL {
        let folder = project().join("policies").join(layer.word());
        for path in crate::support::files_below(&folder) {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let slug = name.strip_suffix(".rego").unwrap_or_else(|| panic!("{name} is no policy"));
            found.push((layer, slug.to_owned()));
        }
    }
    found
}

#[test]
fn the_checks_on_disk_are_the_checks_in_the_lists() {
    let catalog = catalog();
    let files = check_files();
    let policies = policy_files();
    let all = files.iter().map(|(layer, _, slug)| (slug.as_str(), *layer));
    let of_rego = policies.iter().map(|(layer, slug)| (slug.as_str(), *layer));
    let on_disk: BTreeSet<(&str, Layer)> = all.chain(of_rego).collect();
    let listed: BTreeSet<(&str, Layer)> =
        catalog.checks().iter().map(|check| (check.slug, check.layer)).collect();
    assert_eq!(on_disk, listed);
    assert_eq!(listed.len(), catalog.checks().len(), "a slug is listed twice");
    for check in catalog.checks() {
        let slug = check.slug;
        let kebab = slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(kebab && slug.len() <= 56, "`{slug}` is no slug");
        assert!(!["no-", "disallow-", "enforce-"].iter().any(|p| slug.starts_with(p)), "`{slug}`");
        assert!(!RETIRED.contains(&slug), "`{slug}` was retired");
    }
}

#[test]
fn a_slug_stands_only_in_the_file_of_its_check() {
    let sources = sources();
    for (_, file, slug) in check_files() {
        let quoted = format!("\"{slug}\"");
        let elsewhere: Vec<&str> = sources
            .iter()
            .filter(|source| source.name != file && source.text.contains(&quoted))
            .map(|source| source.name.as_str())
            .collect();
        assert!(elsewhere.is_empty(), "{slug} is named in {elsewhere:?}");
    }
}

#[test]
fn every_check_is_documented_under_the_same_headings() {
    for check in catalog().checks() {
        let headings: Vec<&str> =
            check.docs.lines().filter_map(|line| line.trim().strip_prefix("## ")).collect();
        assert_eq!(headings, ["Why it matters", "Fix", "Known gaps"], "{}", check.slug);
        let first = check.summary().replace('\n', " ");
        assert!(first.starts_with("Flags ") && first.ends_with('.'), "{}: {first}", check.slug);
        let sections = check.docs.split("## ").skip(1);
        for section in sections {
            let body = section.split_once('\n').map_or("", |(_, body)| body).trim();
            assert!(body.ends_with(['.', '`', ':', ')']), "{}: {section}", check.slug);
        }
        let fix = check.fix;
        assert!(fix.starts_with(char::is_lowercase) || fix.starts_with('`'), "{}", check.slug);
        assert!(!fix.ends_with('.'), "{}", check.slug);
        assert!(check.title.len() <= 60 && !check.title.ends_with('.'), "{}", check.slug);
    }
}

#[test]
fn every_defect_has_one_voice() {
    let catalog = catalog();
    for defect in DefectKind::ALL {
        let voices: Vec<&str> = catalog
            .checks()
            .iter()
            .filter(|check| check.voices.contains(&defect))
            .map(|check| check.slug)
            .collect();
        assert_eq!(voices.len(), 1, "{defect:?} is worded by {voices:?}");
    }
}

/// Names and lengths of the functions of a file.
#[derive(Default)]
struct Functions(Vec<(String, usize)>);

impl Functions {
    fn keep(&mut self, name: &syn::Ident, span: proc_macro2::Span) {
        self.0.push((name.to_string(), span.end().line - span.start().line + 1));
    }
}

impl Visit<'_> for Functions {
    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        self.keep(&item.sig.ident, item.block.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
        self.keep(&item.sig.ident, item.block.span());
        visit::visit_impl_item_fn(self, item);
    }
}

#[test]
fn files_and_functions_keep_their_budgets() {
    const FILE: usize = 600;
    const FUNCTION: usize = 80;
    const MAIN: usize = 40;
    const CHECK: usize = 150;
    let checks: BTreeSet<String> = check_files().into_iter().map(|(_, file, _)| file).collect();
    let mut over = Vec::new();
    for source in sources() {
        let (name, lines) = (&source.name, source.text.lines().count());
        let budget = if name == "main.rs" { MAIN } else { FILE };
        if lines > budget {
            over.push(format!("{name} has {lines} lines, more than {budget}"));
        }
        let code = source.text.lines().map(str::trim);
        let code = code.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        if checks.contains(name) && code > CHECK {
            over.push(format!("{name} has {code} lines of code, more than {CHECK}"));
        }
        let mut functions = Functions::default();
        functions.visit_file(&source.syntax);
        let long = functions.0.into_iter().filter(|(_, lines)| *lines > FUNCTION);
        over.extend(long.map(|(function, lines)| format!("{name}: {function} has {lines} lines")));
    }
    for path in files_below(&project().join("tests/it")) {
        let lines = std::fs::read_to_string(&path).expect("UTF-8").lines().count();
        if lines > FILE {
            over.push(format!("{} has {lines} lines, more than {FILE}", path.display()));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}

#[test]
fn generated_files_are_fresh() {
    let pretty = |schema: &serde_json::Value| {
        let text = serde_json::to_string_pretty(schema).expect("JSON");
        format!("{text}\n")
    };
    let list = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["checks", "--format", "markdown"])
        .output()
        .expect("the program starts");
    let list = String::from_utf8(list.stdout).expect("documentation is UTF-8");
    let files: BTreeMap<&str, String> = BTreeMap::from([
        ("docs/checks.md", list),
        ("schemas/report.schema.json", pretty(&palisade::report::json_schema())),
        ("schemas/palisade.schema.json", pretty(&config_schema())),
    ]);
    let stale: Vec<&str> = files
        .iter()
        .filter(|(name, text)| !bless(&project().join(Path::new(name)), text))
        .map(|(name, _)| *name)
        .collect();
    assert!(stale.is_empty(), "not fresh: {stale:?}; run with PALISADE_BLESS=1");
}

/// Ids of rules in a text: one of the letters of the tables and up to two digits.
fn rules_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| {
        let number = word.strip_prefix(['S', 'N', 'C', 'M', 'G', 'E']).unwrap_or_default();
        (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[test]
fn every_rule_that_code_or_tests_cite_is_in_the_list_of_rules() {
    let list = std::fs::read_to_string(project().join("docs/semantics.md")).expect("the rules");
    let rows = list.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
    let known: BTreeSet<&str> = rows.collect();
    let mut cited = 0;
    for file in ["src", "tests/it"].iter().flat_map(|folder| files_below(&project().join(folder))) {
        let text = std::fs::read_to_string(&file).expect("sources are text");
        for (number, line) in text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else { continue };
            for rule in rules_in(comment) {
                cited += 1;
                let place = format!("{}:{}", file.display(), number + 1);
                assert!(
                    known.contains(rule),
                    "{place} cites {rule}, which docs/semantics.md lacks"
                );
            }
        }
    }
    assert!(cited > 100, "{cited} citations were looked at");
}
