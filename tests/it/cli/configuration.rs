//! palisade.yaml: where it is found, what it may say, and what it does.

use palisade::config::Config;
use palisade::document::FileId;
use palisade::engine::Settings;
use serde_json::Value;

use crate::program::{CLEAN, CRITICAL, LOW, Tree, slugs};

const CPU: &str = "container-without-cpu-request";
/// A configuration that shows that it was read.
const MUTE: &str = "checks: {container-without-cpu-request: {disable: true}}\n";
const ONLY: [&str; 2] = ["--exclude", "mesh,network,gateway,policy"];

/// Whether the run found the defect that [`MUTE`] hides.
fn loud(tree: &Tree, args: &[&str]) -> bool {
    let run = tree.palisade(["check", "-f", "json"]).args(ONLY).args(args).run();
    slugs(&run.json()["findings"]).contains(&CPU)
}

#[test]
fn a_configuration_is_found_from_the_first_path_up_to_the_repository() {
    let beside = Tree::new(&[("app/a.yaml", LOW), ("app/palisade.yaml", MUTE)]);
    assert!(!loud(&beside, &["app"]) && !loud(&beside, &["app/a.yaml"]));
    assert!(loud(&beside, &["."]), "a configuration below the first path is not for all of it");

    let above = Tree::new(&[("app/deep/a.yaml", LOW), ("palisade.yaml", MUTE)]);
    assert!(!loud(&above, &["app/deep"]) && !loud(&above, &["app/deep/a.yaml"]));

    let github = Tree::new(&[("app/a.yaml", LOW), (".github/palisade.yaml", MUTE)]);
    assert!(!loud(&github, &["app"]) && !loud(&github, &["."]));

    let nearer = Tree::new(&[
        ("app/a.yaml", LOW),
        ("app/palisade.yaml", "exclude: []\n"),
        ("palisade.yaml", MUTE),
    ]);
    assert!(loud(&nearer, &["app"]), "the nearest one counts, alone");
    let both = Tree::new(&[
        ("a.yaml", LOW),
        ("palisade.yaml", "exclude: []\n"),
        (".github/palisade.yaml", MUTE),
    ]);
    assert!(loud(&both, &["."]), "the one in the directory itself comes first");

    let outside =
        Tree::bare(&[("repo/.git/HEAD", ""), ("repo/a.yaml", LOW), ("palisade.yaml", MUTE)]);
    assert!(loud(&outside, &["repo"]), "nothing above the repository is read");

    let first = Tree::new(&[("a/a.yaml", LOW), ("b/b.yaml", LOW), ("b/palisade.yaml", MUTE)]);
    assert!(loud(&first, &["a", "b"]) && !loud(&first, &["b", "a"]));
}

#[test]
fn standard_input_takes_the_configuration_of_the_working_directory() {
    let tree = Tree::new(&[("palisade.yaml", MUTE), ("sub/x", "")]);
    for directory in ["", "sub"] {
        let run = tree.palisade(["check", "-", "-f", "json", "--include", "application"]);
        let json = run.dir(&tree.path(directory)).stdin(LOW).run().json();
        assert!(!slugs(&json["findings"]).contains(&CPU), "{directory:?}");
    }
}

#[test]
fn a_configuration_that_is_named_replaces_the_one_that_is_found() {
    let tree =
        Tree::new(&[("a.yaml", LOW), ("palisade.yaml", MUTE), ("other.yaml", "exclude: []\n")]);
    assert!(!loud(&tree, &["a.yaml"]));
    assert!(loud(&tree, &["a.yaml", "--config", "other.yaml"]));
    assert!(loud(&tree, &["a.yaml", "--no-config"]));
    let by_variable = |value: &str, args: &[&str]| {
        let run = tree.palisade(["check", "a.yaml", "-f", "json"]).args(ONLY).args(args);
        slugs(&run.env("PALISADE_CONFIG", value).run().json()["findings"]).contains(&CPU)
    };
    assert!(by_variable("other.yaml", &[]));
    assert!(!by_variable("other.yaml", &["--config", "palisade.yaml"]), "the flag wins");
    assert!(by_variable("palisade.yaml", &["--no-config"]), "the flag wins");
    assert!(!by_variable("", &[]), "an empty variable names nothing");
    let run = tree.palisade(["check", "a.yaml"]).env("PALISADE_CONFIG", "none.yaml").run().exit(2);
    assert!(run.stderr.contains("cannot read `none.yaml`"), "{}", run.stderr);
}

#[test]
fn options_come_from_the_environment_unless_a_flag_says_otherwise() {
    let tree = Tree::new(&[("a.yaml", LOW)]);
    let run = |name: &str, value: &str, args: &[&str]| {
        tree.palisade(["check", "a.yaml"]).args(ONLY).args(args).env(name, value).run()
    };
    run("PALISADE_FAIL_ON", "critical", &[]).exit(0);
    run("PALISADE_FAIL_ON", "critical", &["--fail-on", "low"]).exit(1);
    run("PALISADE_MIN_SEVERITY", "critical", &[]).exit(0);
    let bad = run("PALISADE_PSS", "strict", &[]).exit(2);
    assert!(bad.stderr.contains("strict"), "{}", bad.stderr);
}

#[test]
fn a_configuration_that_is_no_text_ends_the_run() {
    let tree = Tree::new(&[("a.yaml", LOW)]);
    tree.write("palisade.yaml", b"checks: \xff\xfe\n");
    let run = tree.check([""; 0]).exit(2);
    assert!(run.stderr.contains("cannot read `"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

/// A mistake: the text, its line and column, and what is said about it.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

const MISTAKES: &[Mistake] = &[
    ("exlude: []\n", "1:1", &["the configuration has no key `exlude`", "help: write `exclude`"]),
    ("zzz: 1\n", "1:1", &["the configuration has no key `zzz`", "use one of: exclude, platform"]),
    ("[]\n", "1:1", &["the configuration must be a map"]),
    ("exclude: a\n", "1:10", &["`exclude` of the configuration must be a list of strings"]),
    ("exclude: [a, 1]\n", "1:14", &["an item of `exclude` must be a string"]),
    ("exclude: [\"a[\"]\n", "1:11", &["`a[` is no glob"]),
    ("platform: {cni: celium}\n", "1:17", &["must not be `celium`", "write `cilium`"]),
    ("platform:\n  mesh: linkerd\n", "2:9", &["must not be `linkerd`", "sidecar, ambient, none"]),
    ("platform: {cin: cilium}\n", "1:12", &["`platform` has no key `cin`", "write `cni`"]),
    (
        "platform: {kubernetesVersion: 1.30}\n",
        "1:31",
        &["must be a string", "put quotes around it"],
    ),
    ("platform: {kubernetesVersion: \"2.1\"}\n", "1:31", &["`2.1` is no Kubernetes version"]),
    ("platform: {podCIDRs: [10.0.0.0/33]}\n", "1:23", &["`10.0.0.0/33` is no range of addresses"]),
    (
        "checks:\n  privileged-contaner: {disable: true}\n",
        "2:3",
        &["no check is called `privileged-contaner`", "write `privileged-container`"],
    ),
    (
        "checks: {zzzz: {}}\n",
        "1:10",
        &["no check is called `zzzz`", "`palisade checks` lists them"],
    ),
    (
        "checks: {host-pid: {severty: low}}\n",
        "1:21",
        &["a check has no key `severty`", "write `severity`"],
    ),
    ("checks: {host-pid: {severity: hihg}}\n", "1:31", &["must not be `hihg`", "write `high`"]),
    ("checks: {host-pid: {severity: 3}}\n", "1:31", &["`severity` of a check must be a string"]),
    ("checks: {host-pid: {disable: \"true\"}}\n", "1:30", &["must be true or false"]),
    ("checks: [host-pid]\n", "1:9", &["`checks` must be a map of slugs"]),
    (
        "checks: {host-pid: {params: {allow: []}}}\n",
        "1:30",
        &["`host-pid` has no parameter `allow`", "this check has no parameters"],
    ),
    (
        "checks: {waiver-too-broad: {params: {mx: 3}}}\n",
        "1:38",
        &["has no parameter `mx`", "write `max`"],
    ),
    ("checks: {waiver-too-broad: {params: {max: 0}}}\n", "1:43", &["`max` must be a number"]),
    ("checks: {waiver-too-broad: {params: {max: [1]}}}\n", "1:43", &["`max` must be a number"]),
    (
        "checks: {cross-namespace-flow-not-allowed: {params: {allow: [web]}}}\n",
        "1:62",
        &["`web` is no pair", "write `source -> destination`"],
    ),
    (
        "checks: {cross-namespace-flow-not-allowed: {params: {allow:\n  \
         [one two -> a-name-that-is-longer-than-what-a-message-repeats-of-it]}}}\n",
        "2:4",
        &["is-longer-than-what-a-message-repeats\u{2026}`"],
    ),
    ("overrides: {paths: [a]}\n", "1:12", &["`overrides` must be a list"]),
    ("overrides: [{checks: {}}]\n", "1:13", &["the override names no `paths`"]),
    (
        "overrides: [{paths: [a], path: [a]}]\n",
        "1:26",
        &["an override has no key `path`", "write `paths`"],
    ),
    (
        "overrides: [{paths: [a], checks: {host-pid: {params: {}}}}]\n",
        "1:46",
        &["a check has no key `params`"],
    ),
    (
        "overrides: [{paths: [a], checks: {host-pdi: {disable: true}}}]\n",
        "1:35",
        &["no check is called `host-pdi`", "write `host-pid`"],
    ),
    (
        "waivers: [{check: host-pid, owner: a, until: 2027-01-01}]\n",
        "1:11",
        &["the waiver has no `reason`", "give `check`, `match`, `reason`"],
    ),
    ("waivers: [{check: host-pid, reason: r, until: 2027-01-01}]\n", "1:11", &["has no `owner`"]),
    ("waivers: [{check: host-pid, reason: r, owner: o}]\n", "1:11", &["has no `until`"]),
    (
        "waivers: [{check: host-pid, reason: r, owner: o, until: 2027-02-30}]\n",
        "1:57",
        &["`2027-02-30` is no date: write YYYY-MM-DD"],
    ),
    (
        "waivers: [{check: host-pid, reason: r, owner: o, until: 1.1.2027}]\n",
        "1:57",
        &["`1.1.2027` is no date"],
    ),
    (
        "waivers: [{check: host-pid, reason: r, owner: o, until: 20270101}]\n",
        "1:57",
        &["`until` of a waiver must be a string", "put quotes around it"],
    ),
    (
        "waivers: [{check: host-pid, reason: \" \", owner: o, until: 2027-01-01}]\n",
        "1:37",
        &["`reason` of a waiver is empty"],
    ),
    (
        "waivers: [{check: host-pdi, reason: r, owner: o, until: 2027-01-01}]\n",
        "1:19",
        &["no check is called `host-pdi`"],
    ),
    (
        "waivers: [{check: host-pid, match: {nmae: x}, reason: r, owner: o, until: 2027-01-01}]\n",
        "1:37",
        &["`match` has no key `nmae`", "write `name`"],
    ),
    ("limits: {fileBytes: 0}\n", "1:21", &["must be a number from 1 to"]),
    ("limits: {documents: many}\n", "1:21", &["must be a number from 1 to"]),
    ("limits: {files: 3}\n", "1:10", &["`limits` has no key `files`"]),
    ("exclude: []\nlimits: {}\nexclude: [a]\n", "3:1", &["exclude"]),
    ("checks:\n  host-pid: {disable: true, disable: false}\n", "2:29", &["disable"]),
    ("checks: {\n", "1:9", &["`{` is not closed", "close every bracket"]),
];

#[test]
fn every_mistake_in_the_configuration_has_its_place_and_its_cure() {
    let mut wrong = Vec::new();
    for (text, place, said) in MISTAKES {
        let tree = Tree::new(&[("a.yaml", LOW), ("palisade.yaml", text)]);
        let run = tree.check(["--color", "never"]);
        let words = run.stderr.split_whitespace().filter(|w| *w != "\u{2502}");
        let words = words.collect::<Vec<_>>().join(" ");
        let at = format!("[palisade.yaml:{place}]");
        let missing = said.iter().find(|text| !words.contains(**text));
        if run.code != 2 || !run.stderr.contains(&at) || missing.is_some() || !run.stdout.is_empty()
        {
            wrong.push(format!("{text}: {} {at} {missing:?}\n{}", run.code, run.stderr));
        }
        assert!(words.contains("error: palisade.yaml has 1 mistake"), "{text}\n{}", run.stderr);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_at_once_in_their_order() {
    let text = "platfrom: {}\nchecks:\n  host-pdi: {}\nwaivers: [{check: zzzz}]\nlimits: 3\n";
    let tree = Tree::new(&[("a.yaml", LOW), ("ci/rules.yaml", text)]);
    let run = tree.check(["--config", "ci/rules.yaml"]).exit(2);
    let places: Vec<&str> =
        run.stderr.lines().filter_map(|l| l.split_once("[ci/rules.yaml:")).map(|l| l.1).collect();
    assert!(places.len() >= 5, "{}", run.stderr);
    let line = |place: &&str| place.split(':').next().and_then(|n| n.parse::<u32>().ok());
    assert!(places.iter().map(line).is_sorted(), "{places:?}");
    let count = format!("error: ci/rules.yaml has {} mistakes", places.len());
    assert!(run.stderr.contains(&count), "{}", run.stderr);
}

fn severities(json: &Value) -> Vec<(&str, &str, &str)> {
    json["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|f| {
            let of = |key: &str| f[key].as_str().expect("text");
            (f["labels"][0]["file"].as_str().expect("text"), of("check"), of("severity"))
        })
        .collect()
}

#[test]
fn severity_and_disable_hold_for_the_whole_run() {
    let only = ["--exclude", "mesh,network,gateway,policy", "--include", "application"];
    let config =
        "checks:\n  privileged-container: {severity: low}\n  seccomp-not-set: {disable: true}\n";
    let plain = Tree::new(&[("a.yaml", CRITICAL)]);
    let tuned = Tree::new(&[("a.yaml", CRITICAL), ("palisade.yaml", config)]);
    let (before, after) = (plain.json(only), tuned.json(only));
    assert!(severities(&before).contains(&("a.yaml", "privileged-container", "critical")));
    assert!(severities(&before).iter().any(|(_, check, _)| *check == "seccomp-not-set"));
    let expected: Vec<_> = severities(&before)
        .into_iter()
        .filter(|(_, check, _)| *check != "seccomp-not-set")
        .map(|(file, check, was)| {
            (file, check, if check == "privileged-container" { "low" } else { was })
        })
        .collect();
    assert_eq!(severities(&after), expected);
    tuned.check(["--include", "privileged-container", "--fail-on", "medium"]).exit(0);
    let run =
        tuned.palisade(["check", ".", "--fail-on", "medium"]).args(["--include", "application"]);
    let run = run.args(["--exclude", "token-automounted"]).run();
    assert!(!run.stdout.contains("critical["), "{}", run.stdout);
}

#[test]
fn overrides_hold_for_their_paths_and_later_ones_win() {
    let config = "\
checks: {container-without-cpu-request: {severity: medium}}
overrides:
  - paths: [\"legacy/**\", \"old-*.yaml\"]
    checks:
      container-without-cpu-request: {severity: high}
      privileged-container: {disable: true}
  - paths: [\"legacy/kept/**\"]
    checks:
      privileged-container: {disable: false, severity: low}
";
    let files = ["new.yaml", "old-a.yaml", "legacy/a.yaml", "legacy/kept/a.yaml"];
    let pods: Vec<(&str, String)> = files
        .iter()
        .enumerate()
        .map(|(i, name)| {
            (*name, format!("{LOW}---\n{CRITICAL}").replace("shop", &format!("shop-{i}")))
        })
        .collect();
    let mut all: Vec<(&str, &str)> =
        pods.iter().map(|(name, text)| (*name, text.as_str())).collect();
    all.push(("palisade.yaml", config));
    let json = Tree::new(&all).json(["--include", "privileged-container", "--include", CPU]);
    let mut found = severities(&json);
    found.sort_unstable();
    let privileged = "privileged-container";
    let expected = [
        ("legacy/a.yaml", CPU, "high"),
        ("legacy/kept/a.yaml", CPU, "high"),
        ("legacy/kept/a.yaml", privileged, "low"),
        ("new.yaml", CPU, "medium"),
        ("new.yaml", privileged, "critical"),
        ("old-a.yaml", CPU, "high"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn parameters_reach_their_check() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec: {containers: [{name: a, image: a, securityContext: {capabilities: {drop: [ALL], add: [CHOWN]}}}]}
";
    let args = ["--include", "capability-added", "--persona", "auditor"];
    let of = |config: &str| {
        let tree = Tree::new(&[("a.yaml", text), ("palisade.yaml", config)]);
        slugs(&tree.json(args)["findings"]).len()
    };
    let param = palisade::engine::catalog()
        .get("capability-added")
        .and_then(|check| check.params.first())
        .map(|param| param.name)
        .expect("the allowed capabilities are a parameter");
    assert_eq!(of("exclude: []\n"), 1);
    assert_eq!(of(&format!("checks: {{capability-added: {{params: {{{param}: [CHOWN]}}}}}}\n")), 0);
    assert_eq!(of(&format!("checks: {{capability-added: {{params: {{{param}: [KILL]}}}}}}\n")), 1);
}

#[test]
fn what_the_configuration_excludes_is_listed_and_not_judged() {
    let config = "exclude: [\"vendor/**\", \"*.tmp.yaml\"]\n";
    let files = [
        ("a.yaml", LOW),
        ("vendor/b.yaml", CRITICAL),
        ("c.tmp.yaml", CRITICAL),
        ("palisade.yaml", config),
    ];
    let json = Tree::new(&files).json(["--include", "privileged-container"]);
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(0));
    let excluded: Vec<&str> = json["inputs"]["files"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|file| file["state"] == "excluded")
        .map(|file| file["file"].as_str().expect("text"))
        .collect();
    assert!(excluded.iter().any(|name| name.starts_with("vendor")), "{excluded:?}");
    assert!(excluded.contains(&"c.tmp.yaml"), "{excluded:?}");
}

/// Whether the reader takes a configuration.
fn reads(text: &str) -> bool {
    let (config, errors) = Config::read_all(FileId(0), text);
    errors.is_empty() && Settings::new(config, "2026-11-21".parse().expect("a date")).is_ok()
}

const ACCEPTED: &[&str] = &[
    "",
    "{}\n",
    "# nothing\n",
    "exclude: []\n",
    "exclude: [\"a/**\", b.yaml]\n",
    "exclude:\nplatform:\nchecks:\noverrides:\nwaivers:\nlimits:\n",
    "platform: {cni: cilium, cniVersion: \"1.17\", mesh: ambient, rootNamespace: mesh}\n",
    "platform: {trustDomain: example.org, podCIDRs: [10.0.0.0/8, \"fd00::/8\"]}\n",
    "platform: {kubernetesVersion: \"1.34\"}\n",
    "platform: {kubernetesVersion: v1.31.4-gke.1}\n",
    "platform: {cni: none, mesh: none, podCIDRs: []}\n",
    "checks: {host-pid: {severity: low, disable: false}}\n",
    "checks: {host-pid: , host-ipc: {}, host-port: {severity: , disable: , params: }}\n",
    "checks: {waiver-too-broad: {params: {max: 3}}}\n",
    "checks: {cross-namespace-flow-not-allowed: {params: {allow: [\"a -> b\", \"a->*\"]}}}\n",
    "checks: {capability-added: {params: {}}}\n",
    "overrides: []\n",
    "overrides: [{paths: [a], checks: {host-pid: {severity: low, disable: true}}}]\n",
    "overrides: [{paths: [a, b]}]\n",
    "overrides: [{paths: [a], checks: }]\n",
    "waivers: []\n",
    "waivers: [{check: host-pid, reason: r, owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, match: {namespace: a, kind: b, name: c, file: d}, reason: r, \
     owner: o, until: \"2027-01-01\", approver: a, ticket: t}]\n",
    "waivers: [{check: host-pid, match: , reason: r, owner: o, until: \"2028-02-29\", ticket: }]\n",
    "limits: {fileBytes: 1, documents: 2, anchors: 3}\n",
    "limits: {fileBytes: 1073741824}\n",
    "limits: {fileBytes: }\n",
];

const REFUSED: &[&str] = &[
    "[]\n",
    "text\n",
    "3\n",
    "exlude: []\n",
    "exclude: a\n",
    "exclude: [1]\n",
    "exclude: [\"\"]\n",
    "exclude: [\" \"]\n",
    "exclude: [null]\n",
    "exclude: {a: b}\n",
    "platform: []\n",
    "platform: {cin: cilium}\n",
    "platform: {cni: weave}\n",
    "platform: {cni: 1}\n",
    "platform: {mesh: \"\"}\n",
    "platform: {cniVersion: 1.17}\n",
    "platform: {cniVersion: \"\"}\n",
    "platform: {podCIDRs: 10.0.0.0/8}\n",
    "platform: {podCIDRs: [1]}\n",
    "platform: {kubernetesVersion: 1.3}\n",
    "platform: {kubernetesVersion: \"2.0\"}\n",
    "platform: {kubernetesVersion: \"1.034\"}\n",
    "platform: {kubernetesVersion: \"1.34-rc\"}\n",
    "checks: []\n",
    "checks: {zzzz: {}}\n",
    "checks: {host-pid: []}\n",
    "checks: {host-pid: true}\n",
    "checks: {host-pid: {severity: HIGH}}\n",
    "checks: {host-pid: {severity: none}}\n",
    "checks: {host-pid: {disable: \"true\"}}\n",
    "checks: {host-pid: {disable: 1}}\n",
    "checks: {host-pid: {enabled: true}}\n",
    "checks: {host-pid: {params: []}}\n",
    "checks: {host-pid: {params: {max: 1}}}\n",
    "checks: {waiver-too-broad: {params: {max: 0}}}\n",
    "checks: {waiver-too-broad: {params: {max: -1}}}\n",
    "checks: {waiver-too-broad: {params: {max: 1.5}}}\n",
    "checks: {waiver-too-broad: {params: {max: \"3\"}}}\n",
    "checks: {cross-namespace-flow-not-allowed: {params: {allow: \"a -> b\"}}}\n",
    "checks: {cross-namespace-flow-not-allowed: {params: {allow: [a]}}}\n",
    "checks: {cross-namespace-flow-not-allowed: {params: {allow: [\"a b -> c\"]}}}\n",
    "checks: {cross-namespace-flow-not-allowed: {params: {allow: [1]}}}\n",
    "overrides: {}\n",
    "overrides: [a]\n",
    "overrides: [{}]\n",
    "overrides: [{paths: []}]\n",
    "overrides: [{paths: a}]\n",
    "overrides: [{checks: {}}]\n",
    "overrides: [{paths: [a], checks: []}]\n",
    "overrides: [{paths: [a], checks: {zzzz: {}}}]\n",
    "overrides: [{paths: [a], checks: {host-pid: {params: {}}}}]\n",
    "waivers: {}\n",
    "waivers: [a]\n",
    "waivers: [{}]\n",
    "waivers: [{reason: r, owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, reason: r, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, reason: r, owner: o}]\n",
    "waivers: [{check: host-pid, reason: , owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, reason: r, owner: \"\", until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, reason: r, owner: o, until: \"2027-02-30\"}]\n",
    "waivers: [{check: host-pid, reason: r, owner: o, until: \"27-01-01\"}]\n",
    "waivers: [{check: host-pid, reason: r, owner: o, until: \"2027-01-01T00:00:00Z\"}]\n",
    "waivers: [{check: host-pid, reason: r, owner: o, until: 20270101}]\n",
    "waivers: [{check: host-pdi, reason: r, owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, match: a, reason: r, owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, match: {nmae: a}, reason: r, owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, match: {name: 1}, reason: r, owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, match: {name: \"\"}, reason: r, owner: o, until: \"2027-01-01\"}]\n",
    "waivers: [{check: host-pid, reason: r, owner: o, until: \"2027-01-01\", expires: x}]\n",
    "limits: []\n",
    "limits: {fileBytes: 0}\n",
    "limits: {fileBytes: 1073741825}\n",
    "limits: {fileBytes: 1.5}\n",
    "limits: {documents: \"5\"}\n",
    "limits: {depth: 5}\n",
];

/// What no schema can say, and the reader refuses nevertheless.
const BEYOND_A_SCHEMA: &[&str] = &[
    "exclude: [\"a[\"]\n",
    "platform: {podCIDRs: [10.0.0.0/33]}\n",
    "overrides: [{paths: [\"{a\"]}]\n",
    "waivers: [{check: host-pid, match: {name: \"a[\"}, reason: r, owner: o, until: \"2027-01-01\"}]\n",
];

#[test]
fn the_published_schema_and_the_reader_agree() {
    // Another test holds the published file against this one.
    let schema = palisade::engine::config_schema();
    let schema =
        jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    let valid = |text: &str| {
        let value: Value = serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        schema.is_valid(&value)
    };
    let mut wrong = Vec::new();
    let rows = [(ACCEPTED, true, true), (REFUSED, false, false), (BEYOND_A_SCHEMA, false, true)];
    for (texts, read, by_schema) in rows {
        for text in texts {
            if (reads(text), valid(text)) != (read, by_schema) {
                wrong.push(format!("reader {}, schema {}: {text}", reads(text), valid(text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join(""));
}

#[test]
fn the_configuration_that_init_writes_is_valid_with_its_comments_removed() {
    let tree = Tree::new(&[("a.yaml", LOW)]);
    tree.palisade(["init"]).run().exit(0);
    let text = tree.read("palisade.yaml");
    // The prose stands in sentences; the settings are what looks like YAML.
    let settings: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| {
            let word = line.trim_start().trim_start_matches("- ");
            let key = word.split(':').next().unwrap_or_default();
            line.starts_with([' ', '-'])
                || key.chars().all(char::is_alphanumeric) && word.ends_with(':')
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let sections =
        ["exclude:", "platform:", "roots:", "environments:", "checks:", "overrides:", "waivers:"];
    for section in sections {
        assert!(settings.contains(section), "{settings}");
    }
    assert!(reads(&settings), "{settings}");
    tree.write("clusters/prod/clean.yaml", CLEAN);
    tree.write("palisade.yaml", &settings);
    tree.check(["--include", "privileged-container"]).exit(0);
}
