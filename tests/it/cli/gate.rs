//! Gates: the changed files of a repository, and what an earlier tree did not have.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::oracle::built;
use crate::program::{CLEAN, CRITICAL, LOW, Ran, Tree, palisade, slugs};

const CPU: &str = "--include=container-without-cpu-request,privileged-container";
const SELECTS: &str = "--include=policy-selects-nothing";
const BROKEN: &str = "kind: Pod\nmetadata: [name: x\n";

const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
";

fn pod(name: &str, app: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: {app}}}}}\n\
         spec:\n  containers:\n    - name: main\n      image: registry.example/{name}:1\n"
    )
}

/// Runs git in a tree.
#[track_caller]
fn git(tree: &Tree, arguments: &[&str]) {
    let output = tree.git(arguments).output().expect("git is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {said}");
}

/// No two commits are the same, although they are made in the same second.
fn commit(tree: &Tree) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let message = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
    git(tree, &["add", "-A"]);
    git(tree, &["commit", "-q", "--allow-empty", "-m", &message]);
}

/// A repository of one commit, on a branch that went on from `main`.
fn repository(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::bare(files);
    git(&tree, &["init", "-q"]);
    commit(&tree);
    git(&tree, &["checkout", "-q", "-b", "topic"]);
    tree
}

fn check(tree: &Tree, arguments: &[&str]) -> Ran {
    tree.palisade(["check"]).args(arguments).env("PATH", &path()).run()
}

fn path() -> String {
    std::env::var("PATH").expect("a path to git")
}

fn report(tree: &Tree, arguments: &[&str]) -> Value {
    check(tree, &[arguments, &["-f", "json"]].concat()).json()
}

/// The names of a tree's files with their contents and times, git's own among them.
fn state(directory: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let files = crate::support::files_below(directory).into_iter().map(|path| {
        let modified = path.metadata().and_then(|metadata| metadata.modified()).expect("a time");
        let content = std::fs::read(&path).expect("readable");
        (path.to_string_lossy().into_owned(), (content, modified))
    });
    files.collect()
}

#[test]
fn only_what_touches_a_changed_file_counts() {
    let greedy = LOW.replace("greedy", "other");
    let files = [("a.yaml", CLEAN), ("b.yaml", LOW), ("sub/c.yaml", greedy.as_str())];
    let tree = Tree::new(&files);
    let run = check(&tree, &["--changed-files", "a.yaml", CPU]).exit(0);
    assert!(run.stdout.contains("2 findings outside the changed files"), "{}", run.stdout);
    let all = check(&tree, &["--changed-files", "b.yaml", "sub/c.yaml", CPU]).exit(1);
    assert!(all.stdout.contains("0 findings outside the changed files"), "{}", all.stdout);
    let one = report(&tree, &["b.yaml", "--changed-files", CPU]);
    assert_eq!(slugs(&one["findings"]), ["container-without-cpu-request"]);
    assert_eq!(one["findings"][0]["labels"][0]["file"], "b.yaml");
    assert_eq!((&one["coverage"]["outside"], &one["exit"]["code"]), (&1.into(), &1.into()));
    assert_eq!(one["coverage"]["total"]["findings"], 1);
    let below = report(&tree, &["--changed-files", "sub", CPU]);
    assert_eq!(below["findings"][0]["labels"][0]["file"], "sub/c.yaml");
    let hidden = report(&tree, &["--changed-files", "b.yaml", CPU, "--min-severity", "high"]);
    assert_eq!(
        (&hidden["coverage"]["hidden"], &hidden["coverage"]["outside"]),
        (&1.into(), &0.into())
    );
}

#[test]
fn names_are_found_from_any_directory_of_the_repository() {
    let tree = Tree::new(&[("a.yaml", CLEAN), ("sub/c.yaml", LOW)]);
    let from = |args: &[&str]| {
        palisade(["check", "--changed-files", CPU]).args(args).dir(&tree.path("sub"))
    };
    from(&["c.yaml"]).run().exit(1);
    from(&["../sub/./c.yaml"]).run().exit(1);
    from(&["../a.yaml"]).run().exit(0);
}

#[test]
fn a_changed_file_is_judged_with_its_neighbours() {
    let web = pod("web", "web");
    let tree = Tree::new(&[("policy.yaml", POLICY), ("sub/web.yaml", &web)]);
    // Alone, nobody could tell whether it selects something.
    check(&tree, &["--changed-files", "policy.yaml", SELECTS]).exit(0);
    tree.write("sub/web.yaml", pod("web", "api"));
    let policy = report(&tree, &["--changed-files", "policy.yaml", SELECTS]);
    assert_eq!(slugs(&policy["findings"]), ["policy-selects-nothing"]);
}

#[test]
fn a_shared_file_belongs_to_every_environment() {
    let files = [("dev/web.yaml", pod("web", "api")), ("prod/web.yaml", pod("web", "web"))];
    let tree = Tree::new(&[("shared/policy.yaml", POLICY)]);
    files.iter().for_each(|(name, text)| tree.write(name, text));
    let whole = report(&tree, &[".", SELECTS]);
    let shared = report(&tree, &["--changed-files", "shared/policy.yaml", SELECTS]);
    assert_eq!(whole["findings"], shared["findings"]);
    assert_eq!(slugs(&shared["findings"]), ["policy-selects-nothing"]);
    let roots = |report: &Value| report["roots"].as_array().map(Vec::len);
    assert_eq!(roots(&shared), Some(2));
    // Environments that share nothing are judged apart.
    std::fs::remove_file(tree.path("shared/policy.yaml")).expect("it is there");
    let dev = report(&tree, &["--changed-files", "dev/web.yaml", CPU]);
    assert_eq!(roots(&dev), Some(1));
    let whole = report(&tree, &[".", CPU]);
    assert_eq!(dev["findings"][0], whole["findings"][0]);
    assert_eq!(dev["findings"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_base_belongs_to_all_its_overlays() {
    let on_base = "resources: [../../base]\n";
    let patched = "resources: [../../base]\npatches: [{path: patch.yaml}]\n";
    let tree = Tree::new(&[
        (
            "base/kustomization.yaml",
            "resources: [pod.yaml]\nconfigMapGenerator: [{files: [a=x.ini]}]",
        ),
        ("base/pod.yaml", LOW),
        ("base/x.ini", "a = b\n"),
        ("overlays/dev/kustomization.yaml", on_base),
        ("overlays/prod/kustomization.yaml", patched),
        ("overlays/prod/patch.yaml", LOW),
        ("other/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("other/pod.yaml", LOW),
        ("chart/Chart.yaml", "name: web\nversion: 1.0.0\n"),
        ("chart/values.yaml", "name: web\n"),
        ("plain.yaml", CLEAN),
    ]);
    let roots = |file: &str| -> Vec<String> {
        let report = report(&tree, &["--changed-files", file, CPU]);
        let roots = report["roots"].as_array().expect("a list").iter();
        roots.map(|root| root["name"].as_str().expect("a name").to_owned()).collect()
    };
    for file in ["base/pod.yaml", "base/x.ini", "base/kustomization.yaml"] {
        assert_eq!(roots(file), ["overlays/dev", "overlays/prod"], "{file}");
    }
    // What shares a file with it is judged beside it.
    assert_eq!(roots("overlays/prod/patch.yaml"), ["overlays/dev", "overlays/prod"]);
    assert_eq!(roots("other/pod.yaml"), ["other"]);
    assert_eq!(roots("chart/values.yaml"), ["chart"]);
    // A base that cannot be read is a gap of its overlays, and of no other root.
    tree.write("base/pod.yaml", BROKEN);
    let code = |file: &str| check(&tree, &["--changed-files", file, CPU, "--exit-zero"]).code;
    assert_eq!((code("overlays/dev/kustomization.yaml"), code("other/pod.yaml")), (4, 0));
}

#[test]
fn a_file_that_is_gone_is_no_mistake() {
    let tree = Tree::new(&[("a.yaml", CLEAN), ("b.yaml", LOW)]);
    check(&tree, &["--changed-files", "gone.yaml", "no/longer/there.yaml", CPU]).exit(0);
    check(&tree, &["--changed-files", "gone.yaml", "b.yaml", CPU]).exit(1);
    check(&tree, &["gone.yaml", CPU]).exit(2);
}

#[test]
fn without_a_repository_a_context_is_needed() {
    let tree = Tree::bare(&[("a.yaml", CLEAN), ("sub/b.yaml", LOW), ("sub/c.yaml", CRITICAL)]);
    let run = check(&tree, &["--changed-files", "sub/b.yaml", CPU]).exit(2);
    assert!(run.stderr.contains("`sub/b.yaml` is in no git work tree"), "{}", run.stderr);
    assert!(run.stderr.contains("--context-dir DIR"), "{}", run.stderr);
    let context = |dir: &str, file: &str| {
        report(&tree, &["--changed-files", file, "--context-dir", dir, CPU])
    };
    let sub = context("sub", "sub/b.yaml");
    assert_eq!(sub["inputs"]["files"].as_array().map(Vec::len), Some(2));
    assert_eq!(sub["coverage"]["outside"], 1);
    // A changed file outside of the context is read with it.
    let other = context("sub", "a.yaml");
    assert_eq!(other["inputs"]["files"].as_array().map(Vec::len), Some(3));
    assert_eq!((&other["coverage"]["outside"], &other["exit"]["code"]), (&2.into(), &0.into()));
    check(&tree, &["a.yaml", "--context-dir", "sub"]).exit(2);
    check(&tree, &["--changed-files", "a.yaml", "--context-dir", "none"]).exit(2);
    check(&tree, &["--changed-files", "-"]).exit(2);
}

#[test]
fn only_gaps_of_concerned_roots_make_a_run_incomplete() {
    let tree = Tree::new(&[("a/clean.yaml", CLEAN), ("b/broken.yaml", BROKEN), ("docs/x.md", "")]);
    // All plain files make one root, and what is no manifest belongs to none.
    check(&tree, &["--changed-files", "a/clean.yaml", CPU]).exit(4);
    check(&tree, &["--changed-files", "b/broken.yaml", CPU]).exit(4);
    check(&tree, &["--changed-files", "docs/x.md", CPU]).exit(0);
    let chart = Tree::new(&[
        ("clean.yaml", CLEAN),
        ("chart/Chart.yaml", "name: web\nversion: 1.0.0\n"),
        ("chart/values.yaml", "name: web\n"),
        ("chart/templates/pod.yaml", "kind: {{ .Values.kind }}\n"),
    ]);
    check(&chart, &[".", CPU]).exit(4);
    check(&chart, &["--changed-files", "clean.yaml", CPU]).exit(0);
}

#[test]
fn what_is_said_about_waivers_is_restricted_alike() {
    let unused = CLEAN.replace(
        "name: clean,",
        "name: clean, annotations: {palisade.dev/ignore.host-network: \"no reason; until=2099-01-01; owner=me\"},",
    );
    let include = "--include=waiver-unused,host-network";
    let tree = repository(&[("a.yaml", &unused), ("b.yaml", CLEAN)]);
    check(&tree, &["--changed-files", "a.yaml", include]).exit(1);
    let other = report(&tree, &["--changed-files", "b.yaml", include]);
    assert_eq!((&other["coverage"]["outside"], &other["exit"]["code"]), (&1.into(), &0.into()));
    check(&tree, &[".", "--diff-base", "main", include]).exit(0);
    let waiver = "waivers:\n  - {check: host-network, match: {name: none}, reason: a reason, owner: me, until: 2099-01-01}\n";
    tree.write("palisade.yaml", waiver);
    let config = report(&tree, &["--changed-files", "palisade.yaml", include]);
    assert_eq!(slugs(&config["findings"]), ["waiver-unused"]);
    check(&tree, &["--changed-files", "b.yaml", include]).exit(0);
    // The earlier tree is judged by the configuration that was there.
    let new = report(&tree, &[".", "--diff-base", "main", include]);
    assert_eq!(slugs(&new["findings"]), ["waiver-unused"]);
    assert_eq!(new["coverage"]["inBase"], 1);
}

#[test]
fn only_what_is_not_in_the_base_counts() {
    let tree = repository(&[("a.yaml", CLEAN), ("b.yaml", LOW)]);
    let before = state(&tree.path("."));
    let same = check(&tree, &[".", "--diff-base", "main", CPU]).exit(0);
    assert!(same.stdout.contains("1 finding is in main already"), "{}", same.stdout);
    assert!(before == state(&tree.path(".")), "something was written into the work tree");
    // Moved and re-indented, it is the same; one more of the sort is new.
    std::fs::remove_file(tree.path("b.yaml")).expect("it is there");
    tree.write("sub/moved.yaml", format!("# a comment\n{LOW}"));
    tree.write("new.yaml", CRITICAL);
    let more = report(&tree, &[".", "--diff-base", "main", CPU]);
    assert_eq!(slugs(&more["findings"]), ["privileged-container"]);
    assert_eq!((&more["coverage"]["inBase"], &more["exit"]["code"]), (&1.into(), &1.into()));
    assert_eq!(more["coverage"]["total"]["findings"], 1);
    // Mended, it is in no count.
    tree.write("sub/moved.yaml", CLEAN);
    std::fs::remove_file(tree.path("new.yaml")).expect("it is there");
    let mended = report(&tree, &[".", "--diff-base", "main", CPU]);
    assert_eq!((&mended["coverage"]["inBase"], &mended["exit"]["code"]), (&0.into(), &0.into()));
}

#[test]
fn the_base_is_where_the_branches_went_apart() {
    let tree = repository(&[("a.yaml", CLEAN)]);
    git(&tree, &["checkout", "-q", "main"]);
    tree.write("b.yaml", LOW);
    commit(&tree);
    git(&tree, &["checkout", "-q", "topic"]);
    tree.write("b.yaml", LOW);
    commit(&tree);
    check(&tree, &[".", "--diff-base", "main", CPU]).exit(1);
    check(&tree, &[".", "--diff-base", "HEAD", CPU]).exit(0);
    git(&tree, &["tag", "-m", "a tag", "v1"]);
    check(&tree, &[".", "--diff-base", "v1", CPU]).exit(0);
}

#[test]
fn a_page_tells_what_is_new_and_counts_the_rest() {
    let tree = repository(&[("a.yaml", &pod("old", "old"))]);
    tree.write("b.yaml", pod("new", "new"));
    let args = [".", "--diff-base", "main", CPU, "-f", "markdown"];
    let text = check(&tree, &args).exit(1).stdout;
    assert!(text.starts_with("## palisade: 1 new finding\n"), "{text}");
    assert!(text.contains("\n- 1 finding is in main already\n"), "{text}");
    assert!(text.contains("| `b.yaml:6` |") && !text.contains("a.yaml:"), "{text}");
}

#[test]
fn findings_are_compared_as_often_as_they_occur() {
    let tree = repository(&[("dev/a.yaml", LOW), ("prod/a.yaml", LOW)]);
    tree.write("staging/a.yaml", LOW);
    let new = report(&tree, &[".", "--diff-base", "main", CPU]);
    assert_eq!(new["findings"][0]["labels"][0]["file"], "staging/a.yaml");
    assert_eq!(
        (&new["coverage"]["inBase"], &new["coverage"]["total"]["findings"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn both_restrictions_hold_together() {
    let tree = repository(&[("a.yaml", CLEAN), ("b.yaml", LOW)]);
    tree.write("a.yaml", LOW.replace("greedy", "hungry"));
    tree.write("c.yaml", CRITICAL);
    let both = |file: &str| report(&tree, &["--changed-files", file, "--diff-base", "main", CPU]);
    let (a, b) = (both("a.yaml"), both("b.yaml"));
    assert_eq!(slugs(&a["findings"]), ["container-without-cpu-request"]);
    assert_eq!((&a["coverage"]["outside"], &a["coverage"]["inBase"]), (&2.into(), &0.into()));
    assert_eq!((&b["coverage"]["outside"], &b["coverage"]["inBase"]), (&2.into(), &1.into()));
    assert_eq!(b["exit"]["code"], 0);
}

#[test]
fn the_base_has_the_ignore_files_and_links_that_it_had() {
    let tree = repository(&[
        ("ignored/b.yaml", LOW),
        ("a.yaml", CLEAN),
        (".palisadeignore", "/ignored/\n"),
        ("node_modules/c.yaml", CRITICAL),
    ]);
    std::os::unix::fs::symlink("ignored/b.yaml", tree.path("link.yaml")).expect("writable");
    commit(&tree);
    tree.write(".palisadeignore", "# nothing\n");
    let new = report(&tree, &[".", "--diff-base", "HEAD", CPU]);
    assert_eq!(slugs(&new["findings"]), ["container-without-cpu-request"]);
    assert_eq!(new["coverage"]["inBase"], 0);
}

#[test]
fn a_base_that_was_broken_is_no_error() {
    let tree = repository(&[("a.yaml", CLEAN), ("b.yaml", BROKEN)]);
    tree.write("b.yaml", LOW);
    let run = check(&tree, &[".", "--diff-base", "main", CPU]).exit(1);
    let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = "0 findings are in main already; 1 file there was not read or rendered";
    assert!(text.contains(said), "{}", run.stdout);
    // Nor is a configuration with mistakes.
    let tree = repository(&[("a.yaml", LOW), ("palisade.yaml", "nonsense: true\n")]);
    tree.write("palisade.yaml", "exclude: []\n");
    check(&tree, &[".", "--diff-base", "main", CPU]).exit(0);
}

#[test]
fn a_base_that_cannot_be_read_is_explained() {
    let tree = repository(&[("a.yaml", LOW)]);
    let refused = |arguments: &[&str], said: &[&str]| {
        let run = check(&tree, arguments).exit(2);
        assert_eq!(run.stdout, "", "{arguments:?}");
        for text in said {
            assert!(run.stderr.contains(text), "{arguments:?}: no {text:?} in\n{}", run.stderr);
        }
    };
    refused(
        &[".", "--diff-base", "nope"],
        &["`nope` is no commit of this repository", "help: name"],
    );
    refused(&[".", "--diff-base=--all"], &["`--all` is no commit"]);
    refused(&[".", "--diff-base", ""], &["`` is no commit"]);
    refused(&[".", "--diff-base", "HEAD:a.yaml"], &["is no commit"]);
    refused(&["-", "--diff-base", "main"], &["standard input is in no git work tree"]);
    refused(&["none.yaml", "--diff-base", "main"], &["cannot find `none.yaml`"]);
    let bare = Tree::bare(&[("a.yaml", LOW)]);
    let run = check(&bare, &[".", "--diff-base", "main"]).exit(2);
    assert!(run.stderr.contains("`.` is in no git work tree"), "{}", run.stderr);
    git(&tree, &["checkout", "-q", "--orphan", "alone"]);
    commit(&tree);
    refused(&[".", "--diff-base", "main"], &["`main` and HEAD share no commit"]);
}

#[test]
fn a_shallow_clone_says_what_it_lacks() {
    let tree = repository(&[("a.yaml", LOW)]);
    commit(&tree);
    let clone = Tree::bare(&[]);
    let from = format!("file://{}", tree.path(".").display());
    git(&clone, &["clone", "-q", "--depth=1", "--branch=topic", &from, "here"]);
    let run = palisade(["check", ".", "--diff-base", "origin/main"]).dir(&clone.path("here"));
    let run = run.env("PATH", &path()).run().exit(2);
    assert!(run.stderr.contains("this clone is shallow"), "{}", run.stderr);
    assert!(run.stderr.contains("`fetch-depth: 0`"), "{}", run.stderr);
}

#[test]
fn nothing_of_the_repositorys_configuration_is_run() {
    let tree = repository(&[("a.yaml", LOW), (".gitattributes", "*.yaml filter=own diff=own\n")]);
    let touch = format!("touch {}", tree.path("ran").display());
    let keys = [
        "core.fsmonitor",
        "core.pager",
        "filter.own.smudge",
        "diff.own.textconv",
        "core.sshCommand",
    ];
    keys.iter().for_each(|key| git(&tree, &["config", key, &touch]));
    check(&tree, &[".", "--diff-base", "main", CPU]).exit(0);
    assert!(!tree.path("ran").exists(), "a program of the repository was run");
}

#[test]
fn the_help_says_what_the_gates_do() {
    let help = palisade(["check", "--help"]).run().exit(0).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "--changed-files",
        "--context-dir <DIR>",
        "--diff-base <REF>",
        "the merge base of REF and HEAD",
    ] {
        assert!(help.contains(said), "no {said:?} in {help}");
    }
    let readme = std::fs::read_to_string(crate::support::project().join("README.md"));
    let readme = readme.expect("it is there");
    assert!(readme.contains("palisade check --changed-files"), "README.md lacks it");
    assert!(readme.contains("palisade check . --diff-base origin/main"), "README.md lacks it");
}

#[test]
fn what_other_programs_render_is_compared_with_what_they_rendered_before() {
    let template = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  hostNetwork: {{ .Values.host }}\n  hostPID: {{ include \"pid\" . }}\n  containers: [{name: web, image: web}]\n";
    // A replacement is left to kustomize.
    let kustomization = "resources: [pod.yaml]\nreplacements:\n- source: {kind: Pod, fieldPath: metadata.name}\n  \
         targets: [{select: {kind: Pod}, fieldPaths: [spec.hostname], options: {create: true}}]\n";
    let pod = |line: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: own}}\nspec:\n  hostIPC: true\n{line}  containers: [{{name: own, image: own}}]\n"
        )
    };
    let tree = repository(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("chart/values.yaml", "host: false\n"),
        ("chart/templates/_pid.tpl", "{{ define \"pid\" }}true{{ end }}"),
        ("chart/templates/pod.yaml", template),
        ("own/kustomization.yaml", kustomization),
        ("own/pod.yaml", &pod("")),
    ]);
    tree.write("chart/values.yaml", "host: true\n");
    tree.write("own/pod.yaml", pod("  hostNetwork: true\n"));
    let (Some(helm), Some(kustomize)) = (built("helm4"), built("kustomize")) else { return };
    let checks = "host-network,host-pid,host-ipc";
    let run = tree
        .palisade(["check", ".", "--diff-base", "main", "--include", checks, "-f", "json"])
        .env("PATH", &path())
        .env("PALISADE_HELM", &helm.to_string_lossy())
        .env("PALISADE_KUSTOMIZE", &kustomize.to_string_lossy())
        .run();
    let report = run.json();
    assert_eq!(slugs(&report["findings"]), ["host-network", "host-network"], "{report}");
    assert_eq!(report["coverage"]["inBase"], 2, "{report}");
}

#[test]
fn a_baseline_holds_what_is_known() {
    let tree = Tree::new(&[("a.yaml", LOW)]);
    check(&tree, &[CPU, "."]).exit(1);
    let run = check(&tree, &[CPU, ".", "--write-baseline", "known.json"]).exit(0);
    assert!(run.stdout.contains("1 finding is in the baseline known.json"), "{}", run.stdout);
    let text = tree.read("known.json");
    assert!(text.contains("\"check\": \"container-without-cpu-request\""), "{text}");
    check(&tree, &[CPU, ".", "--baseline", "known.json"]).exit(0);
    // Lines before it, another file and another message are the same finding; a second pod is not.
    tree.write("b.yaml", LOW.replace("greedy", "other"));
    tree.write("a.yaml", format!("# a comment\n{LOW}"));
    let report = report(&tree, &[CPU, ".", "--baseline", "known.json"]);
    assert_eq!(slugs(&report["findings"]), ["container-without-cpu-request"]);
    assert_eq!(report["findings"][0]["labels"][0]["file"], "b.yaml");
    assert_eq!(report["coverage"]["inBaseline"], 1);
    assert_eq!(report["coverage"]["total"]["findings"], 1);
    // What is mended is told.
    tree.write("a.yaml", CLEAN);
    tree.write("b.yaml", "");
    let run = check(&tree, &[CPU, ".", "--baseline", "known.json"]).exit(0);
    assert!(run.stdout.contains("1 of its entries are gone"), "{}", run.stdout);
    for (text, said) in [
        ("{\"schema\": \"palisade.baseline/v9\"}", "it is `palisade.baseline/v9`"),
        ("{\"schema\": \"palisade.baseline/v1\", \"findings\": [{}]}", "an entry has no `root`"),
        ("{", "known.json"),
        ("", "the file is empty"),
    ] {
        tree.write("known.json", text);
        let run = check(&tree, &[CPU, ".", "--baseline", "known.json"]).exit(2);
        assert!(run.stderr.contains(said), "{text}: {}", run.stderr);
    }
    check(&tree, &[CPU, ".", "--baseline", "none.json"]).exit(2);
}
