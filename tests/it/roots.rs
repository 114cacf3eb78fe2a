//! Charts, kustomizations and GitOps objects as what they become: through the program, as its users
//! run it. What kustomize itself says of each step is compared in `src/source/kustomize/`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::oracle::built;
use crate::program::{Tree, palisade};
use crate::support::{files_below, project};

/// The sample in a repository of its own.
fn sample() -> Tree {
    let tree = Tree::new(&[]);
    let folder = project().join("samples/gitops");
    for path in files_below(&folder) {
        let name = path.strip_prefix(&folder).expect("below").to_string_lossy().into_owned();
        tree.write(&name, std::fs::read(&path).expect("readable"));
    }
    tree
}

pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list `{key}` in {value}"))
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {value}"))
}

/// What a finding is about, whatever the place.
fn identity(finding: &Value) -> (String, String, String) {
    (
        text(finding, "check").to_owned(),
        finding["subject"].to_string(),
        text(finding, "message").to_owned(),
    )
}

#[test]
fn a_finding_is_gone_when_its_line_is_removed() {
    let tree = sample();
    let report = tree.json([""; 0]);
    let mut whole = 0;
    for finding in list(&report, "findings") {
        let label = &list(finding, "labels")[0];
        let (file, line) = (text(label, "file"), label["start"]["line"].as_u64().expect("a line"));
        assert!(!file.starts_with("rendered:"), "a place that a person can change: {finding}");
        let changed = sample();
        let before = changed.read(file);
        let lines: Vec<&str> = before.lines().collect();
        let at = usize::try_from(line - 1).expect("few lines");
        // A line that opens a block goes with the block.
        let indent = |line: &str| line.len() - line.trim_start().len();
        let own = indent(lines[at]);
        let end = (at + 1..lines.len()).find(|i| indent(lines[*i]) <= own).unwrap_or(lines.len());
        let rest: Vec<&str> = lines[..at].iter().chain(&lines[end..]).copied().collect();
        changed.write(file, rest.join("\n") + "\n");
        let after = changed.json([""; 0]);
        let shown = |label: &Value, text: &str| {
            let line = label["start"]["line"].as_u64().and_then(|n| usize::try_from(n - 1).ok());
            line.and_then(|line| text.lines().nth(line)).map(str::to_owned)
        };
        // Without the line the default may be as bad, which is then said of another place.
        let now = changed.read(file);
        let still = list(&after, "findings").iter().any(|found| {
            let place = &list(found, "labels")[0];
            identity(found) == identity(finding)
                && place["file"] == file
                && shown(place, &now) == shown(label, &before)
        });
        assert!(!still, "line {line} of {file} is removed, and it stays: {finding}");
        whole += u32::from(list(&after["inputs"], "problems").is_empty());
    }
    assert!(whole >= 5, "only {whole} of the changed trees could be read");
}

#[test]
fn roots_are_explained() {
    let told = sample().check(["--explain-roots"]).exit(4).stdout;
    for line in [
        "clusters/prod (directory): 6 objects",
        "  file: apps/base/policy.yaml",
        "  file: apps/prod/egress.yaml",
        "  applied by: Kustomization flux-system/ledger",
        "in no root:",
        "  file: apps/base/deny.yaml",
        "2 roots, 12 objects",
    ] {
        assert!(told.lines().any(|told| told == line), "`{line}` is missing in\n{told}");
    }
    assert!(told.contains("renderer-missing; install helm"), "{told}");
}

#[test]
fn helm_3_and_helm_4_give_the_same_findings() {
    let found = |name: &str| -> Option<(Value, Value)> {
        let program = built(name)?;
        let tree = sample();
        let run = tree.palisade(["check", ".", "-f", "json"]);
        let report = run.env("PALISADE_HELM", &program.to_string_lossy()).run().exit(1).json();
        Some((report["findings"].clone(), report["roots"].clone()))
    };
    let (Some(three), Some(four)) = (found("helm3"), found("helm4")) else { return };
    let strip = |(findings, roots): (Value, Value)| {
        let places = |finding: &Value| {
            let labels = list(finding, "labels").iter().filter(|label| {
                // The texts of the two differ in blank lines.
                !text(label, "file").starts_with("rendered:")
            });
            (identity(finding), labels.cloned().collect::<Vec<_>>())
        };
        let findings: Vec<_> = findings.as_array().expect("a list").iter().map(places).collect();
        (findings, roots)
    };
    let program = built("helm4").expect("it was built").to_string_lossy().into_owned();
    let tree = sample();
    let run = tree.palisade(["check", ".", "-f", "sarif"]).env("PALISADE_HELM", &program).run();
    let log: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let results = list(&log["runs"][0], "results");
    let result = results.iter().find(|result| result["ruleId"] == "privileged-container");
    let place = &result.expect("it is there")["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "charts/reports/templates/deployment.yaml");
    assert!(!run.stdout.contains("rendered:"), "a virtual file is no place for a code view");
    assert!(run.stdout.contains("Rendered: privileged: true"));
    let three = strip(three);
    let privileged = three.0.iter().find(|(id, _)| id.0 == "privileged-container");
    let (_, labels) = privileged.expect("the chart runs a container privileged");
    let places: BTreeSet<String> = labels
        .iter()
        .map(|label| format!("{}:{}", text(label, "file"), label["start"]["line"]))
        .collect();
    assert!(places.contains("charts/reports/values.yaml:2"), "{places:?}");
    assert!(places.contains("charts/reports/templates/deployment.yaml:23"), "{places:?}");
    assert_eq!(three, strip(four));
}

/// The gaps of a tree, each as its reason and what is missing.
pub(crate) fn gaps(report: &Value) -> Vec<String> {
    let gaps = list(report, "roots").iter().flat_map(|root| list(root, "gaps"));
    gaps.map(|gap| format!("{}: {} ({})", text(gap, "reason"), text(gap, "what"), gap["line"]))
        .collect()
}

pub(crate) const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    securityContext: {privileged: true}\n";

/// Files of a tree, and the start of the only gap that it has.
type Bad<'b> = (&'b [(&'b str, &'b str)], &'b str);

#[test]
fn what_cannot_be_rendered_is_one_gap_and_the_rest_is_judged() {
    let cases: &[Bad<'_>] = &[
        (
            &[
                ("a/kustomization.yaml", "resources: [../b]\n"),
                ("b/kustomization.yaml", "resources: [../a]\n"),
                ("c/kustomization.yaml", "resources: [../a]\n"),
            ],
            "renderer-failed: kustomization `c`: ",
        ),
        (
            &[("a/kustomization.yaml", "resources:\n- gone.yaml\n")],
            "renderer-failed: kustomization `a`: `gone.yaml` does not exist (2)",
        ),
        (
            &[
                ("a/kustomization.yaml", "resources: [pod.yaml]\n"),
                ("a/kustomization.yml", "resources: [pod.yaml]\n"),
                ("a/pod.yaml", POD),
            ],
            "renderer-failed: kustomization `a`: `a` has several kustomization files",
        ),
        (
            &[
                ("a/kustomization.yaml", "resources:\n- one.yaml\n- two.yaml\n"),
                ("a/one.yaml", POD),
                ("a/two.yaml", POD),
            ],
            "renderer-failed: kustomization `a`: the kustomization has Pod `a` twice",
        ),
        (
            &[
                (
                    "a/kustomization.yaml",
                    "resources: [pod.yaml]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: Pod\n    metadata: {name: other}\n",
                ),
                ("a/pod.yaml", POD),
            ],
            "renderer-failed: kustomization `a`: ",
        ),
        (
            &[
                ("a/kustomization.yaml", "resources: [pod.yaml]\nsurprise: true\n"),
                ("a/pod.yaml", POD),
            ],
            "renderer-failed: kustomization `a`: ",
        ),
        (
            &[("a/kustomization.yaml", "configMapGenerator:\n- name: x\n  files: [gone.ini]\n")],
            "renderer-failed: kustomization `a`: `gone.ini` does not exist",
        ),
        (
            &[("a/kustomization.yaml", "resources:\n- ../../outside.yaml\n")],
            "renderer-missing: kustomization `a`: it needs `a path outside what was read`",
        ),
        (
            &[
                (
                    "a/kustomization.yaml",
                    "resources: [pod.yaml]\nreplacements: []\nvars: [{name: X}]\n",
                ),
                ("a/pod.yaml", POD),
            ],
            "renderer-missing: kustomization `a`: it needs ",
        ),
        (
            &[(
                "chart/Chart.yaml",
                "apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies:\n- {name: cache, version: 1.0.0, repository: 'file://cache'}\n",
            )],
            "missing-dependency: chart `chart`: missing dependency: `cache` (1)",
        ),
        // Each is used, but only by the other.
        (
            &[
                ("a/kustomization.yaml", "resources: [../b]\n"),
                ("b/kustomization.yaml", "resources: [../a]\n"),
            ],
            "renderer-failed: kustomization `a`: ",
        ),
        (
            &[
                ("a/kustomization.yaml", "resources: [pod.yaml]\n"),
                (
                    "a/pod.yaml",
                    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nmetadata: {name: b}\n",
                ),
            ],
            "renderer-failed: kustomization `a`: ",
        ),
        (
            &[
                ("a/kustomization.yaml", "resources: [pod.yaml]\n"),
                (
                    "a/pod.yaml",
                    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\nreplicas: 3\n",
                ),
            ],
            "renderer-failed: kustomization `a`: ",
        ),
        (
            &[("chart/Chart.yaml", "version: 1.0.0\n")],
            "renderer-failed: chart `chart`: Chart.yaml: it has no `name` (1)",
        ),
    ];
    for (files, wanted) in cases {
        let tree = Tree::new(files);
        tree.write("plain.yaml", POD);
        let report = tree.json([""; 0]);
        let mut found = gaps(&report);
        found.retain(|gap| !gap.starts_with("other-root"));
        assert_eq!(found.len(), 1, "{files:?}: {found:#?}");
        assert!(found[0].starts_with(wanted), "{files:?}: {found:#?}");
        let judged = list(&report, "findings").iter().filter(|finding| {
            finding["check"] == "privileged-container"
                && list(finding, "labels")[0]["file"] == "plain.yaml"
        });
        assert_eq!(judged.count(), 1, "{files:?}: the rest is judged");
        tree.check(["--include", "host-network"]).exit(4);
    }
}

#[test]
fn what_lies_on_other_hosts_is_known_to_be_missing() {
    let tree = Tree::new(&[
        ("a/kustomization.yaml", "resources:\n- https://example.org/base?ref=v1\n- pod.yaml\n"),
        ("a/pod.yaml", POD),
        (
            "release.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r, namespace: shop}\nspec: {chart: {spec: {chart: r, sourceRef: {kind: HelmRepository, name: r}}}}\n",
        ),
        (
            "app.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: p, namespace: argocd}\nspec:\n  source: {repoURL: 'https://charts.example.org', chart: p, targetRevision: 1.0.0}\n  destination: {namespace: pay}\n",
        ),
    ]);
    let report = tree.json([""; 0]);
    let found = gaps(&report);
    let has = |start: &str| found.iter().any(|gap| gap.starts_with(start));
    assert!(has("remote-base: "), "{found:#?}");
    assert!(has("remote-chart: HelmRelease `r`"), "{found:#?}");
    assert!(has("remote-chart: Application `p`"), "{found:#?}");
    let rendered = list(&report, "findings").iter().find(|f| f["check"] == "privileged-container");
    assert_eq!(list(rendered.expect("the rest is judged"), "labels")[0]["file"], "a/pod.yaml");
    tree.check(["--include", "host-network"]).exit(0);
    tree.check(["--include", "host-network", "--strict"]).exit(4);
}

#[test]
fn an_environment_gives_its_values_to_charts() {
    let Some(program) = built("helm4") else { return };
    let program = program.to_string_lossy().into_owned();
    let tree = Tree::new(&[
        ("palisade.yaml", "environments:\n  prod: {values: [prod.yaml]}\n  dev: {}\n"),
        ("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("web/values.yaml", "privileged: false\n"),
        ("web/prod.yaml", "privileged: true\n"),
        (
            "web/templates/pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    securityContext:\n      privileged: {{ .Values.privileged }}\n",
        ),
    ]);
    let run = |args: &[&str]| {
        let run = tree.palisade(["check", ".", "-f", "json", "--include", "privileged-container"]);
        run.args(args).env("PALISADE_HELM", &program).run().json()
    };
    let both = run(&[]);
    let names: Vec<&str> = list(&both, "roots").iter().map(|root| text(root, "name")).collect();
    assert_eq!(names, ["web (prod)", "web (dev)"]);
    let finding = &list(&both, "findings")[0];
    assert_eq!(list(finding, "roots"), ["web (prod)"]);
    assert!(list(finding, "labels").iter().any(|label| label["file"] == "web/prod.yaml"));
    assert_eq!(list(&run(&["--env", "dev"]), "findings").len(), 0);
    assert_eq!(list(&run(&["--env", "dev", "--set", "privileged=true"]), "findings").len(), 1);
    // The chart alone, as its user would name it, with a file that lies elsewhere.
    tree.write("elsewhere.yaml", "privileged: true\n");
    let only = ["--include", "privileged-container", "-f", "json"];
    let run = tree.palisade(["check", "web", "--values", "elsewhere.yaml", "--env", "dev"]);
    let alone = run.args(only).env("PALISADE_HELM", &program).run().exit(1).json();
    let finding = &list(&alone, "findings")[0];
    assert_eq!(finding["subject"]["namespace"], "default");
    let places: Vec<&str> = list(finding, "labels").iter().map(|l| text(l, "file")).collect();
    assert!(places.contains(&"elsewhere.yaml") && !places.contains(&"palisade.yaml"), "{places:?}");
    // A chart without findings was looked at all the same.
    tree.palisade(["check", "web", "--env", "dev"])
        .args(only)
        .env("PALISADE_HELM", &program)
        .run()
        .exit(0);
    let unknown = tree.check(["--env", "prd"]).exit(2);
    assert!(unknown.stderr.contains("write `prod`"), "{}", unknown.stderr);
    let missing =
        palisade(["check", ".", "--values", "none.yaml"]).dir(&tree.path(".")).run().exit(2);
    assert!(missing.stderr.contains("none.yaml"), "{}", missing.stderr);
}

#[test]
fn a_root_that_is_named_is_one_root_and_nothing_inside_it_is_another() {
    let tree = Tree::new(&[
        (
            "palisade.yaml",
            "roots:\n- {path: live, name: production, variables: {WHERE: shop}}\n- path: gone\n",
        ),
        ("live/a/kustomization.yaml", "namespace: pay\nresources: [pod.yaml]\n"),
        ("live/a/pod.yaml", POD),
        ("live/b.yaml", &POD.replace("name: a}", "name: b, namespace: '${WHERE}'}")),
        ("other.yaml", POD),
    ]);
    let told = tree.check(["--explain-roots"]).exit(4).stdout;
    assert!(told.contains("root `gone`: nothing was read in `gone`"), "{told}");
    for line in [". (directory): 1 object", "production (directory): 2 objects"] {
        assert!(told.lines().any(|told| told == line), "`{line}` is missing in\n{told}");
    }
    let report = tree.json(["--include", "privileged-container"]);
    let mut subjects: Vec<String> = list(&report, "findings")
        .iter()
        .map(|finding| {
            let subject = &finding["subject"];
            format!("{}/{}", text(subject, "namespace"), text(subject, "name"))
        })
        .collect();
    subjects.sort();
    assert_eq!(subjects, ["default/a", "pay/a", "shop/b"]);
}

#[test]
fn a_waiver_beside_the_patched_value_counts_and_no_secret_is_shown() {
    let secret = "hunter2-plum-93";
    let tree = Tree::new(&[
        (
            "kustomization.yaml",
            &format!(
                "resources: [pod.yaml, secret.yaml]\nsecretGenerator:\n- name: s\n  literals: [key={secret}]\n\
                 patches:\n- path: patch.yaml\n- target: {{kind: Secret, name: t}}\n  path: ops.yaml\n\
                 - target: {{kind: Secret, name: t}}\n  patch: |-\n    kind: Secret\n    apiVersion: v1\n    \
                 metadata: {{name: t}}\n    stringData:\n      more: {secret}\n"
            ),
        ),
        (
            "pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a}]}\n",
        ),
        (
            "secret.yaml",
            &format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: t}}\nstringData: {{own: {secret}}}\n"
            ),
        ),
        ("ops.yaml", &format!("- op: add\n  path: /stringData/extra\n  value: {secret}\n")),
        (
            "patch.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  # palisade: ignore[host-network] the node's own agent\n  hostNetwork: true\n",
        ),
    ]);
    for flags in [
        &["-f", "human"][..],
        &["-f", "table"],
        &["-f", "json"],
        &["-f", "sarif"],
        &["-f", "junit"],
        &["-f", "github"],
        &["-f", "gitlab"],
        &["-f", "markdown"],
        &["-f", "csv"],
        &["--dump-objects"],
        &["--explain-roots"],
    ] {
        let run = tree.check(flags);
        assert!(run.code < 2, "{flags:?}: {}", run.stderr);
        assert!(
            !run.stdout.contains(secret) && !run.stderr.contains(secret),
            "{flags:?}: {}",
            run.stdout
        );
    }
    let dump = tree.check(["--dump-objects"]).stdout;
    let object =
        dump.lines().find(|line| line.contains("\"name\":\"t\"")).expect("the Secret is there");
    for key in ["own", "more", "extra"] {
        assert!(object.contains(&format!("\"{key}\":\"<redacted>\"")), "{object}");
    }
    let report = tree.json(["--include", "host-network"]);
    assert_eq!(list(&report, "findings").len(), 0, "{report}");
    let ignored = &list(&report, "ignored")[0];
    assert_eq!(list(ignored, "labels")[0]["file"], "patch.yaml");
}
