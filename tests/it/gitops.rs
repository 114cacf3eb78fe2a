//! What objects of Flux and Argo CD apply, through the program, as its users run it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::Tree;
use crate::roots::{POD, gaps, list, text};

/// A Kustomization of Flux, with the last lines of its `spec`.
fn flux(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec:\n  path: {path}\n  sourceRef: {{kind: GitRepository, name: s}}\n{more}"
    )
}

/// An Application of Argo CD, with the last lines of its `spec`.
fn application(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\n\
         spec:\n  source: {{repoURL: here, path: {path}}}\n{more}"
    )
}

/// The objects of a tree: namespace, kind and name.
fn objects(tree: &Tree) -> Vec<String> {
    let dump = tree.check(["--dump-objects"]).exit(0).stdout;
    let lines = dump.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut objects: Vec<String> = lines
        .map(|line| {
            let object = &line["object"];
            let kind = object["kind"].as_str().unwrap_or_default();
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            format!("{}/{kind}/{name}", line["namespace"].as_str().unwrap_or_default())
        })
        .collect();
    objects.sort();
    objects
}

#[test]
fn settings_that_cannot_be_applied_are_a_gap_and_never_left_out() {
    let more = "  patches:\n  - patch: |-\n      kind: Pod\n      apiVersion: v1\n      metadata: {name: a}\n      spec:\n        containers:\n        - $patch: replace\n";
    let tree = Tree::new(&[("flux.yaml", &flux("k", "./tree", more)), ("tree/pod.yaml", POD)]);
    let report = tree.json([""; 0]);
    let found = gaps(&report);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("unsupported-feature: kustomization `tree`: "), "{found:#?}");
    assert!(list(&report, "findings").iter().all(|f| f["check"] != "privileged-container"));
}

#[test]
fn a_directory_that_applies_itself_is_one_root_with_its_settings() {
    let tag = "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: b, image: 'x:${TAG}'}]}\n";
    let more = "  targetNamespace: moved\n  postBuild: {substitute: {TAG: v9}}\n";
    let tree = Tree::new(&[
        ("clusters/one/self.yaml", &flux("one", "./clusters/one", more)),
        ("clusters/one/pod.yaml", tag),
        ("clusters/one/apps.yaml", &flux("apps", "./apps", "")),
        ("apps/pod.yaml", POD),
    ]);
    let report = tree.json([""; 0]);
    let roots: Vec<&str> = list(&report, "roots").iter().map(|root| text(root, "name")).collect();
    assert_eq!(roots, ["clusters/one"]);
    // The first is the object that someone applied by hand to begin with.
    let wanted = [
        "default/Pod/a",
        "flux-system/Kustomization/one",
        "moved/Kustomization/apps",
        "moved/Kustomization/one",
        "moved/Pod/b",
    ];
    assert_eq!(objects(&tree), wanted);
    let dump = tree.check(["--dump-objects"]).exit(0).stdout;
    assert!(dump.contains("x:v9") && !dump.contains("${TAG}"), "{dump}");
}

#[test]
fn an_application_of_applications_takes_its_own_files_only() {
    let tree = Tree::new(&[
        ("apps/all.yaml", &application("all", "apps", "  destination: {namespace: argocd}\n")),
        ("apps/web.yaml", &application("web", "web", "  destination: {namespace: web}\n")),
        ("apps/old/pod.yaml", POD),
        ("web/pod.yaml", POD),
    ]);
    let report = tree.json([""; 0]);
    let roots: Vec<&str> = list(&report, "roots").iter().map(|root| text(root, "name")).collect();
    assert_eq!(roots, ["apps"]);
    assert_eq!(objects(&tree), ["argocd/Application/all", "argocd/Application/web", "web/Pod/a"]);
}

/// An ApplicationSet: lines of its `spec` before the template, and the source and destination of that.
fn set(spec: &str, name: &str, path: &str, namespace: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: all, namespace: argocd}}\nspec:\n{spec}  \
         template:\n    metadata: {{name: '{name}'}}\n    spec:\n      source: {{repoURL: here, path: '{path}'}}\n      \
         destination: {{namespace: '{namespace}'}}\n"
    )
}

#[test]
fn the_applications_of_a_set_are_what_its_generators_give() {
    let list = "  generators:\n  - list:\n      elements: [{team: red}, {team: blue}]\n";
    let directories = "  goTemplate: true\n  generators:\n  - git:\n      directories: [{path: 'apps/*'}, {path: apps/blue, exclude: true}]\n";
    let files = "  goTemplate: true\n  generators:\n  - git:\n      files: [{path: 'config/*.json'}]\n      values: {where: '{{ .team }}-{{ index .tiers 1 }}'}\n";
    let matrix = "  generators:\n  - matrix:\n      generators:\n      - list: {elements: [{team: red}]}\n      - git: {directories: [{path: 'apps/{{team}}'}]}\n";
    let cases = [
        (
            list,
            set(list, "{{team}}", "apps/{{team}}", "x-{{ team }}"),
            vec!["x-blue/Pod/a", "x-red/Pod/a"],
        ),
        (
            directories,
            set(
                directories,
                "{{ .path.basename }}",
                "{{.path.path}}",
                "{{ index .path.segments 1 }}",
            ),
            vec!["green/Pod/a", "red/Pod/a"],
        ),
        (
            files,
            set(files, "{{ .team | lower }}", "apps/{{ .team }}", "{{ .values.where }}"),
            vec!["red-gold/Pod/a"],
        ),
        (
            matrix,
            set(matrix, "{{path.basename}}", "{{path}}", "{{team}}-{{path[0]}}"),
            vec!["red-apps/Pod/a"],
        ),
    ];
    for (what, text, wanted) in cases {
        let tree = Tree::new(&[
            ("sets/all.yaml", &text),
            ("apps/red/pod.yaml", POD),
            (
                "apps/red/old.yaml",
                &format!("# +argocd:skip-file-rendering\n{}", POD.replace("name: a", "name: old")),
            ),
            ("apps/blue/pod.yaml", POD),
            ("apps/green/pod.yaml", POD),
            ("config/red.json", "{\"team\": \"red\", \"tiers\": [\"iron\", \"gold\"]}\n"),
        ]);
        // Siblings that nothing applies are roots that share all else.
        let mut found = objects(&tree);
        found.dedup();
        let pods: Vec<&String> =
            found.iter().filter(|o| o.contains("/Pod/") && !o.starts_with("default")).collect();
        assert_eq!(pods, wanted, "{what}: {found:#?}");
        let report = tree.json([""; 0]);
        assert_eq!(gaps(&report), [""; 0], "{what}");
        let line = privileged(&report);
        assert!(line.iter().all(|file| file.ends_with("pod.yaml")), "{line:?}");
    }
}

/// The files of the findings about privileged containers.
fn privileged(report: &Value) -> Vec<String> {
    let findings = list(report, "findings").iter().filter(|f| f["check"] == "privileged-container");
    findings.map(|finding| text(&list(finding, "labels")[0], "file").to_owned()).collect()
}

#[test]
fn a_set_whose_generators_the_files_do_not_tell_is_a_gap() {
    let cases = [
        ("  generators:\n  - clusters: {}\n", "the generator `clusters` (6)"),
        (
            "  generators:\n  - list: {elements: [{team: red}]}\n    selector: {matchLabels: {team: red}}\n",
            "a generator with several parts (6)",
        ),
        (
            "  generators:\n  - git: {directories: [{path: 'none/*'}]}\n",
            "no directory that was read (6)",
        ),
        ("  generators:\n  - list: {elements: [{team: 3}]}\n", "a parameter that is no string (6)"),
        (
            "  templatePatch: x\n  generators:\n  - list: {elements: [{team: red}]}\n",
            "`templatePatch` (5)",
        ),
        (
            "  goTemplate: true\n  generators:\n  - list: {elements: [{group: red}]}\n",
            "the template `{{team}}` (9)",
        ),
        (
            "  generators:\n  - git: {files: [{path: '*.json'}]}\n",
            "whether a star takes directories (6)",
        ),
    ];
    for (spec, wanted) in cases {
        let tree = Tree::new(&[
            ("all.yaml", &set(spec, "{{team}}", "apps/{{team}}", "x")),
            ("apps/red/pod.yaml", POD),
            ("a.json", "{\"team\": \"red\"}"),
            ("apps/red/b.json", "{\"team\": \"red\"}"),
        ]);
        let found = gaps(&tree.json([""; 0]));
        let wanted = format!("made-elsewhere: ApplicationSet `all`: {wanted}");
        assert!(found.contains(&wanted), "{wanted} is not in {found:#?}");
    }
}

#[test]
fn an_application_gives_its_namespace_and_a_variable_without_value_stays_open() {
    let tree = Tree::new(&[
        (
            "apps/app.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: p, namespace: argocd}\nspec:\n  source: {repoURL: here, path: manifests}\n  destination: {server: 'https://kubernetes.default.svc', namespace: pay}\n  syncPolicy:\n    syncOptions: [CreateNamespace=true]\n    managedNamespaceMetadata: {labels: {pod-security.kubernetes.io/enforce: privileged}}\n",
        ),
        ("manifests/pod.yaml", POD),
        ("manifests/deep/pod.yaml", POD),
        (
            "flux/ks.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k, namespace: flux-system}\nspec:\n  path: ./tree\n  targetNamespace: moved\n  sourceRef: {kind: GitRepository, name: g}\n  postBuild: {substituteFrom: [{kind: Secret, name: s}]}\n",
        ),
        (
            "tree/pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: b, image: 'x:${TAG}'}]}\n",
        ),
    ]);
    let dump = tree.check(["--dump-objects"]).exit(0).stdout;
    let namespaces: BTreeSet<(String, String)> = dump
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|line| {
            let object = &line["object"];
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            (
                format!("{} {name}", object["kind"].as_str().unwrap_or_default()),
                line["namespace"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let has = |what: &str, namespace: &str| {
        assert!(
            namespaces.contains(&(what.to_owned(), namespace.to_owned())),
            "{what} in {namespace}: {namespaces:#?}"
        );
    };
    has("Pod a", "pay");
    has("Pod b", "moved");
    has("Namespace pay", "");
    assert!(dump.contains("x:${TAG}"), "what a Secret defines is not known: {dump}");
    let notes = tree.json([""; 0])["notes"].clone();
    let note = notes.as_array().expect("a list").iter().find(|note| note["file"] == "flux/ks.yaml");
    let note = note.expect("the variable is told");
    assert_eq!(note["line"], 3);
    assert!(text(note, "text").starts_with("no value is known for `TAG`"), "{note}");
    assert_eq!(
        dump.matches("\"name\":\"a\"").count(),
        2,
        "without `recurse` only its own files: {dump}"
    );
}

#[test]
fn another_cluster_and_another_source_are_roots_of_their_own() {
    let ks = |name: &str, path: &str, kind: &str, more: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
             spec:\n  path: {path}\n  sourceRef: {{kind: {kind}, name: s}}\n{more}"
        )
    };
    let tree = Tree::new(&[
        ("flux/here.yaml", &ks("here", "./here", "GitRepository", "")),
        (
            "flux/there.yaml",
            &ks("there", "./there", "GitRepository", "  kubeConfig: {secretRef: {name: edge}}\n"),
        ),
        ("flux/artifact.yaml", &ks("artifact", "./artifact", "OCIRepository", "")),
        ("here/pod.yaml", POD),
        ("there/pod.yaml", POD),
        ("artifact/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("artifact/pod.yaml", POD),
        // What applies this directory is applied by nobody.
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", POD),
        ("base/forgotten.yaml", &ks("lost", "./lost", "GitRepository", "")),
        (
            "lost/policy.yaml",
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec: {podSelector: {}}\n",
        ),
    ]);
    let report = tree.json([""; 0]);
    let roots: Vec<(&str, u64)> = list(&report, "roots")
        .iter()
        .map(|root| (text(root, "name"), root["objects"].as_u64().expect("a number")))
        .collect();
    let wanted = [(".", 4), (". (edge)", 1), ("artifact", 1), ("base", 1), ("lost", 2)];
    assert_eq!(roots, wanted);
    let checks: Vec<&str> = list(&report, "findings").iter().map(|f| text(f, "check")).collect();
    assert!(!checks.contains(&"orphan-policy-file") && !checks.contains(&"object-defined-twice"));
    assert_eq!(checks.iter().filter(|check| **check == "privileged-container").count(), 4);
}
