//! Waivers: the three spellings, what they need, what they cover, and what is said about them.

use serde_json::Value;

use crate::program::{Ran, Tree, slugs};

const ARGS: [&str; 4] = [
    "--include=privileged-container,host-pid,waiver-unused,waiver-expired,waiver-too-broad",
    "--now=2026-11-21",
    "-f",
    "json",
];

fn json(tree: &Tree) -> Value {
    tree.check(ARGS).json()
}

/// A privileged pod; `above` takes
/// lines above the field, `on` what stands behind it.
fn pod(name: &str, annotations: &str, above: &str, on: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: shop
  annotations: {{{annotations}}}
spec:
  containers:
    - name: main
      image: registry.example/main:1
      securityContext:
{above}        privileged: true{on}
"
    )
}

fn ignored(json: &Value) -> Vec<(&str, &str)> {
    json["ignored"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let check = one["check"].as_str().expect("text");
            (check, one["waiver"]["spelling"].as_str().expect("text"))
        })
        .collect()
}

/// Findings, ignored ones as (check, spelling), errors, and the exit code, of one file.
#[track_caller]
fn expect(text: &str, findings: &[&str], waived: &[(&str, &str)], code: i32) -> Value {
    let tree = Tree::new(&[("a.yaml", text)]);
    let report = tree.check(ARGS).exit(code).json();
    assert_eq!(slugs(&report["findings"]), findings, "{text}");
    assert_eq!(ignored(&report), waived, "{text}");
    report
}

const PRIVILEGED: &str = "privileged-container";

#[test]
fn a_comment_covers_its_line_or_the_line_below_it() {
    let comment = [(PRIVILEGED, "comment")];
    let on = " # palisade: ignore[privileged-container] the node agent needs it";
    expect(&pod("a", "", "", on), &[], &comment, 0);
    let above = "        # palisade: ignore[privileged-container] the node agent needs it\n";
    expect(&pod("a", "", above, ""), &[], &comment, 0);
    let dated = " # palisade: ignore[privileged-container] agent; until=2027-01-31; owner=platform; ticket=T-7";
    let report = expect(&pod("a", "", "", dated), &[], &comment, 0);
    let waiver = &report["ignored"][0]["waiver"];
    for (key, value) in
        [("reason", "agent"), ("until", "2027-01-31"), ("owner", "platform"), ("ticket", "T-7")]
    {
        assert_eq!(waiver[key], value, "{waiver}");
    }
    assert_eq!((&waiver["file"], &waiver["line"]), (&"a.yaml".into(), &12.into()));
    // One line further up, it stands above another line, and covers nothing.
    let far = "        # palisade: ignore[privileged-container] too far\n        allowPrivilegeEscalation: true\n";
    expect(&pod("a", "", far, ""), &[PRIVILEGED, "waiver-unused"], &[], 1);
    // Behind something else, it stands on that line alone.
    let behind = "        runAsUser: 0 # palisade: ignore[privileged-container] wrong line\n";
    expect(&pod("a", "", behind, ""), &[PRIVILEGED, "waiver-unused"], &[], 1);
}

#[test]
fn a_comment_may_name_several_checks() {
    let on = " # palisade: ignore[host-pid, privileged-container] both are known";
    let report = expect(&pod("a", "", "", on), &["waiver-unused"], &[(PRIVILEGED, "comment")], 1);
    let message = report["findings"][0]["message"].as_str().expect("text");
    assert!(message.contains("`host-pid`"), "{message}");
}

#[test]
fn a_text_that_only_looks_like_a_waiver_is_none() {
    let inside =
        "        seLinuxOptions: {user: \"# palisade: ignore[privileged-container] no\"}\n";
    expect(&pod("a", "", inside, ""), &[PRIVILEGED], &[], 1);
    expect(
        &pod("a", "", "", " # see palisade: ignore[privileged-container] no"),
        &[PRIVILEGED],
        &[],
        1,
    );
}

#[test]
fn a_waiver_that_cannot_be_read_counts_for_nothing_and_makes_the_run_incomplete() {
    let comments = [
        ("ignore[privileged-container]", "gives no reason"),
        ("ignore[privileged-container] ; owner=a", "gives no reason"),
        ("ignore privileged-container reason", "must name its checks in brackets"),
        ("ignore[] reason", "names no check"),
        ("ignores[privileged-container] reason", "must name its checks in brackets"),
        ("allow[privileged-container] reason", "must read `# palisade: ignore[check] reason`"),
        ("ignore[privileged-container] reason; until=soon", "`soon` is no date"),
        ("ignore[privileged-container] reason; until=2027-02-30", "`2027-02-30` is no date"),
        ("ignore[privileged-container] reason; untl=2027-01-01", "write `until`"),
        ("ignore[privileged-container] reason; owner=", "`owner` has no value"),
        ("ignore[privileged-container] reason; owner=a; owner=b", "written twice"),
        ("ignore[privileged-contaner] reason", "write `privileged-container`"),
    ];
    for (comment, why) in comments {
        let text = pod("a", "", "", &format!(" # palisade: {comment}"));
        let report = expect(&text, &[PRIVILEGED], &[], 1);
        unreadable(&report, "a.yaml:12: ", why);
        // Without a finding that decides, the run is incomplete.
        let clean = text.replace("privileged: true", "privileged: false");
        let report = expect(&clean, &[], &[], 4);
        unreadable(&report, "a.yaml:12: ", why);
    }
    let annotations = [
        (
            "palisade.dev/ignore.privileged-container: known",
            "needs `until=YYYY-MM-DD` and `owner=...`",
        ),
        ("palisade.dev/ignore.privileged-container: known; owner=a", "needs `until=YYYY-MM-DD`"),
        ("palisade.dev/ignore.privileged-container: known; until=2027-01-01", "and `owner=...`"),
        ("palisade.dev/ignore.privileged-container: \"\"", "gives no reason"),
        (
            "palisade.dev/ignore.privileged-container: \"; until=2027-01-01; owner=a\"",
            "gives no reason",
        ),
        ("palisade.dev/ignore.privileged-container: 7", "must be a string"),
        ("palisade.dev/ignore.: known; until=2027-01-01; owner=a", "must be called"),
        ("palisade.dev/ignore: known; until=2027-01-01; owner=a", "must be called"),
        (
            "palisade.dev/ignore.privileged-contaner: k; until=2027-01-01; owner=a",
            "write `privileged-container`",
        ),
    ];
    for (annotation, why) in annotations {
        let report = expect(&pod("a", annotation, "", ""), &[PRIVILEGED], &[], 1);
        unreadable(&report, "a.yaml:6: ", why);
    }
}

#[track_caller]
fn unreadable(report: &Value, place: &str, why: &str) {
    let open = report["notAssessed"].as_array().expect("a list");
    let told = open.iter().any(|open| {
        let reason = open["reason"].as_str().expect("text");
        open["error"] == true && reason.starts_with(place) && reason.contains(why)
    });
    assert!(told, "{why}: {open:#?}");
}

const ANNOTATION: &str = "palisade.dev/ignore.privileged-container: known; until=2027-06-30; owner=platform; approver=cto";

#[test]
fn an_annotation_covers_its_object_and_no_other() {
    let text = format!("{}---\n{}", pod("a", ANNOTATION, "", ""), pod("b", "", "", ""));
    let report = expect(&text, &[PRIVILEGED], &[(PRIVILEGED, "annotation")], 1);
    assert_eq!(report["findings"][0]["subject"]["name"], "b");
    let waiver = &report["ignored"][0]["waiver"];
    assert_eq!(report["ignored"][0]["subject"]["name"], "a");
    assert_eq!((&waiver["owner"], &waiver["approver"]), (&"platform".into(), &"cto".into()));
    let idle = pod("a", &ANNOTATION.replace("privileged-container", "host-pid"), "", "");
    expect(&idle, &[PRIVILEGED, "waiver-unused"], &[], 1);
}

#[test]
fn a_waiver_ends_with_its_last_day() {
    let expired = |until: &str, now: &str| {
        let annotation = ANNOTATION.replace("2027-06-30", until);
        let tree = Tree::new(&[("a.yaml", &pod("a", &annotation, "", ""))]);
        let run = tree.check([
            "--include=privileged-container,waiver-expired",
            "--now",
            now,
            "-f",
            "json",
        ]);
        (run.code, slugs(&run.json()["findings"]).join(" "))
    };
    assert_eq!(expired("2026-11-21", "2026-11-20"), (0, String::new()));
    assert_eq!(expired("2026-11-21", "2026-11-21"), (0, String::new()));
    assert_eq!(expired("2026-11-21", "2026-11-21T23:59:59Z"), (0, String::new()));
    let both = "privileged-container waiver-expired".to_owned();
    assert_eq!(expired("2026-11-21", "2026-11-22"), (1, both.clone()));
    // The day is that of UTC.
    assert_eq!(expired("2026-11-21", "2026-11-21T23:30:00-02:00"), (1, both));
    assert_eq!(expired("2026-11-21", "2026-11-22T00:30:00+02:00"), (0, String::new()));
}

fn configured(matches: &str) -> String {
    format!(
        "waivers:\n  - check: privileged-container\n    match: {{{matches}}}\n    \
         reason: known\n    owner: platform\n    until: \"2027-06-30\"\n"
    )
}

#[test]
fn all_globs_of_a_configured_waiver_have_to_match() {
    let rows: &[(&str, bool)] = &[
        ("name: a", true),
        ("name: \"?\"", true),
        ("name: b", false),
        ("file: \"*.yaml\"", true),
        ("file: \"deploy/**\"", true),
        ("file: \"base/**\"", false),
        ("name: a, namespace: shop", true),
        ("name: a, namespace: \"sh*\"", true),
        ("name: a, namespace: other", false),
        ("name: a, kind: Pod", true),
        ("name: a, kind: Deployment", false),
        ("name: a, namespace: shop, kind: Pod, file: deploy/a.yaml", true),
        ("name: a, namespace: shop, kind: Pod, file: deploy/b.yaml", false),
    ];
    for (matches, covers) in rows {
        let tree = Tree::new(&[
            ("deploy/a.yaml", &pod("a", "", "", "")),
            ("palisade.yaml", &configured(matches)),
        ]);
        let report = json(&tree);
        let expected: &[(&str, &str)] =
            if *covers { &[(PRIVILEGED, "configuration")] } else { &[] };
        assert_eq!(ignored(&report), expected, "{matches}");
        let left: &[&str] = if *covers { &[] } else { &[PRIVILEGED, "waiver-unused"] };
        assert_eq!(slugs(&report["findings"]), left, "{matches}");
    }
}

#[test]
fn a_waiver_for_everything_is_too_broad() {
    for matches in ["", "namespace: shop", "kind: Pod", "name: \"*\"", "name: \"**\", file: \"*\""]
    {
        let tree = Tree::new(&[
            ("a.yaml", &pod("a", "", "", "")),
            ("palisade.yaml", &configured(matches)),
        ]);
        let report = json(&tree);
        assert_eq!(slugs(&report["findings"]), ["waiver-too-broad"], "{matches:?}");
        let label = &report["findings"][0]["labels"][0];
        assert_eq!((&label["file"], &label["start"]["line"]), (&"palisade.yaml".into(), &2.into()));
        assert_eq!(ignored(&report).len(), 1, "it covers all the same");
    }
    // One that hides more objects than one expects is, too, whatever it names.
    let pods: Vec<String> = (0..21).map(|i| pod(&format!("a-{i}"), "", "", "")).collect();
    let hides = |count: usize, config: &str| {
        let text = pods[..count].join("---\n");
        let tree = Tree::new(&[("a.yaml", &text), ("palisade.yaml", config)]);
        let report = json(&tree);
        assert_eq!(ignored(&report).len(), count);
        slugs(&report["findings"]).join(" ")
    };
    assert_eq!(hides(20, &configured("name: \"a-*\"")), "");
    assert_eq!(hides(21, &configured("name: \"a-*\"")), "waiver-too-broad");
    let strict = "checks: {waiver-too-broad: {params: {max: 2}}}\n";
    assert_eq!(hides(2, &format!("{strict}{}", configured("name: \"a-*\""))), "");
    assert_eq!(hides(3, &format!("{strict}{}", configured("name: \"a-*\""))), "waiver-too-broad");
}

#[test]
fn a_waiver_whose_check_did_not_run_is_not_unused() {
    let clean = pod("a", ANNOTATION, "", "").replace("privileged: true", "privileged: false");
    let tree = Tree::new(&[("a.yaml", &clean)]);
    let of = |include: &str| {
        let run = tree.check([include, "--now=2026-11-21", "-f", "json"]);
        slugs(&run.json()["findings"]).join(" ")
    };
    assert_eq!(of("--include=privileged-container,waiver-unused"), "waiver-unused");
    assert_eq!(of("--include=host-pid,waiver-unused"), "");
    // And one of the configuration that is for objects which were not read.
    let tree = Tree::new(&[
        ("a/a.yaml", &clean.replace(ANNOTATION, "")),
        ("b/b.yaml", &clean.replace(ANNOTATION, "").replace("name: a", "name: b")),
        ("palisade.yaml", &configured("file: \"b/**\"")),
    ]);
    let part = tree.palisade(["check", "a"]).args(ARGS).run().json();
    assert_eq!(slugs(&part["findings"]), [""; 0]);
    assert_eq!(slugs(&json(&tree)["findings"]), ["waiver-unused"]);
}

/// One pod for each spelling.
fn three() -> Tree {
    let comment = pod("one", "", "", " # palisade: ignore[privileged-container] by comment");
    let annotation = pod("two", &ANNOTATION.replace("known", "by annotation"), "", "");
    Tree::new(&[
        ("one.yaml", &comment),
        ("two.yaml", &annotation),
        ("three.yaml", &pod("three", "", "", "")),
        ("palisade.yaml", &configured("name: three")),
    ])
}

#[test]
fn what_is_suppressed_stays_in_json() {
    let tree = three();
    let waived = json(&tree);
    assert_eq!(waived["exit"]["code"], 0);
    let plain = tree.check(ARGS.into_iter().chain(["--no-ignores"])).exit(1).json();
    assert_eq!(ignored(&plain), []);
    let findings = plain["findings"].as_array().expect("a list");
    let hidden = waived["ignored"].as_array().expect("a list");
    assert_eq!((findings.len(), hidden.len()), (3, 3));
    for finding in findings {
        let same = |one: &&Value| one["fingerprint"] == finding["fingerprint"];
        let mut one = hidden.iter().find(same).expect("it stays visible").clone();
        let waiver = one.as_object_mut().and_then(|map| map.remove("waiver")).expect("its waiver");
        assert_eq!(one, *finding, "all members of the finding");
        for key in ["spelling", "file", "line", "reason", "owner", "until", "approver", "ticket"] {
            assert!(waiver.get(key).is_some(), "no {key} in {waiver}");
        }
    }
    assert_eq!(waived["coverage"]["total"]["ignored"], 3);
    assert_eq!(waived["coverage"]["total"]["findings"], 0);
    // A risk that is accepted still weakens its layer.
    assert_eq!(waived["matrix"], plain["matrix"]);
}

#[test]
fn what_is_suppressed_stays_in_sarif() {
    let tree = three();
    let sarif = |more: &[&str]| -> Value {
        let run: Ran = tree.check([&ARGS[..2], &["-f", "sarif"], more].concat());
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let log = sarif(&[]);
    let results = log["runs"][0]["results"].as_array().expect("a list");
    let mut found: Vec<(&str, &str, &str, u64)> = results
        .iter()
        .map(|result| {
            let list = result["suppressions"].as_array().expect("suppressions");
            assert_eq!(list.len(), 1);
            let one = &list[0];
            assert_eq!(one["status"], "accepted");
            let place = &one["location"]["physicalLocation"];
            (
                one["kind"].as_str().expect("text"),
                one["justification"].as_str().expect("text"),
                place["artifactLocation"]["uri"].as_str().expect("text"),
                place["region"]["startLine"].as_u64().expect("a number"),
            )
        })
        .collect();
    found.sort_unstable();
    let expected = [
        ("external", "known", "palisade.yaml", 2),
        ("inSource", "by annotation", "two.yaml", 6),
        ("inSource", "by comment", "one.yaml", 12),
    ];
    assert_eq!(found, expected);
    let plain = sarif(&["--no-ignores"]);
    let plain = plain["runs"][0]["results"].as_array().expect("a list").clone();
    assert!(plain.iter().all(|result| result.get("suppressions").is_none()));
    let hashes = |results: &[Value]| {
        let of = |r: &Value| r["partialFingerprints"]["primaryLocationLineHash"].to_string();
        let mut hashes: Vec<String> = results.iter().map(of).collect();
        hashes.sort();
        hashes
    };
    assert_eq!(hashes(results), hashes(&plain), "a waiver does not change an identity");
}

#[test]
fn the_report_for_people_counts_what_is_suppressed() {
    let tree = three();
    let text = tree.check(&ARGS[..2]).exit(0).stdout;
    assert!(text.contains("3 ignored"), "{text}");
    assert!(!text.contains("[privileged-container]"), "{text}");
}

#[test]
fn a_waiver_of_the_configuration_is_for_all_roots_and_judged_once() {
    let fence = |name: &str| format!("# Guide\n\n```yaml\n{}```\n", pod(name, "", "", ""));
    let of = |name: &str| {
        let tree = Tree::new(&[
            ("a.md", &fence("a")),
            ("b.md", &fence("b")),
            ("palisade.yaml", &configured(&format!("name: {name}"))),
        ]);
        let report = tree.check(ARGS.into_iter().chain(["--include-docs"])).exit(1).json();
        assert_eq!(report["roots"].as_array().map(Vec::len), Some(2));
        let findings = slugs(&report["findings"]).join(" ");
        (findings, report["ignored"].as_array().map(Vec::len))
    };
    assert_eq!(of("a"), (PRIVILEGED.to_owned(), Some(1)));
    assert_eq!(of("b"), (PRIVILEGED.to_owned(), Some(1)));
    let unused = format!("{PRIVILEGED} {PRIVILEGED} waiver-unused");
    assert_eq!(of("c"), (unused, Some(0)));
}

#[test]
fn a_waiver_in_a_file_that_two_roots_share_counts_once() {
    let on = " # palisade: ignore[privileged-container] known";
    let shared = pod("shared", "", "", on);
    let own = pod("own", "", "", "").replace("privileged: true", "privileged: false");
    let tree =
        Tree::new(&[("base.yaml", &shared), ("dev/own.yaml", &own), ("prod/own.yaml", &own)]);
    let report = json(&tree);
    assert_eq!(report["roots"].as_array().map(Vec::len), Some(2));
    assert_eq!(slugs(&report["findings"]), [""; 0]);
    assert_eq!(ignored(&report), [(PRIVILEGED, "comment")]);
    assert_eq!(report["ignored"][0]["roots"], serde_json::json!(["dev", "prod"]));
    let idle = shared.replace("privileged: true", "privileged: false");
    tree.write("base.yaml", &idle);
    assert_eq!(slugs(&json(&tree)["findings"]), ["waiver-unused"], "once, not once for each root");
}

#[test]
fn a_comment_in_a_list_belongs_to_the_item_around_it() {
    let on = " # palisade: ignore[privileged-container] known";
    let item = |text: &str| {
        let lines = text.lines().enumerate();
        let indented =
            lines.map(|(i, line)| format!("{}{line}\n", if i == 0 { "- " } else { "  " }));
        indented.collect::<String>()
    };
    let (a, b) = (item(&pod("a", "", "", on)), item(&pod("b", "", "", "")));
    for items in [[&a, &b], [&b, &a]] {
        let text = format!("apiVersion: v1\nkind: List\nitems:\n{}{}", items[0], items[1]);
        let report = expect(&text, &[PRIVILEGED], &[(PRIVILEGED, "comment")], 1);
        assert_eq!(report["findings"][0]["subject"]["name"], "b");
    }
    let idle = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}{}",
        a.replace("privileged: true", "privileged: false"),
        b.replace("privileged: true", "privileged: false")
    );
    expect(&idle, &["waiver-unused"], &[], 1);
}

#[test]
fn a_waiver_in_a_fence_or_heredoc_holds_like_one_in_a_file() {
    let on = " # palisade: ignore[privileged-container] shown as a bad example";
    let fence = format!("# Guide\n\n```yaml\n{}```\n", pod("a", "", "", on));
    let script = format!("kubectl apply -f - <<'EOF'\n{}EOF\n", pod("b", "", "", on));
    let tree = Tree::new(&[("guide.md", &fence), ("apply.sh", &script)]);
    let run = tree.palisade(["check", "guide.md", "apply.sh"]).args(ARGS).run().exit(0).json();
    assert_eq!(ignored(&run), [(PRIVILEGED, "comment"), (PRIVILEGED, "comment")]);
}
