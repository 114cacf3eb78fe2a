//! A pod template inside a kind that nobody knows is judged as the pod itself.

use std::collections::BTreeMap;

use palisade::document::{Kind, KindSet, Span};
use palisade::engine::catalog;
use palisade::finding::Finding;
use serde_json::{Map, Value, json};

use crate::oracle::dice::Dice;
use crate::support::{LibraryRun, judge, write};

const SEED: u64 = 20_261_121;
const CASES: usize = 200;

/// Deepest place of a template below `spec`.
const DEEPEST: usize = 9;

#[test]
fn a_pod_inside_an_unknown_kind_gets_the_findings_of_the_pod_at_the_moved_places() {
    let checks = of_pods();
    let mut fired: BTreeMap<&str, usize> = checks.iter().map(|slug| (*slug, 0)).collect();
    for case in 0..CASES {
        let mut dice = Dice::new(SEED, case);
        let (metadata, spec) = pod(&mut dice);
        let (carrier, place) = carrier(&mut dice, &metadata, &spec);
        let kind = carrier["kind"].as_str().expect("a kind").to_owned();
        let plain = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": merged(&metadata), "spec": spec,
        });
        let expected = told(&run(&plain), &checks, "Pod", |pointer| moved(pointer, &place));
        let found = told(&run(&carrier), &checks, &kind, str::to_owned);
        let only = |these: &[String], those: &[String]| {
            let new = these.iter().filter(|line| !those.contains(line));
            new.map(|line| format!("\n  {line}")).collect::<String>()
        };
        assert!(
            found == expected,
            "case {case}, template at {place}\n{carrier}\nthe pod alone:{}\nthe {kind} alone:{}",
            only(&expected, &found),
            only(&found, &expected),
        );
        for finding in &found {
            let slug = finding.split(' ').next().expect("a slug");
            *fired.get_mut(slug).expect("a check that is compared") += 1;
        }
    }
    let rare: Vec<_> = fired.iter().filter(|(_, count)| **count < 20).collect();
    assert!(rare.is_empty(), "these hardly spoke: {rare:?}");
}

/// The checks whose answer rests on the pod and on settings of its namespace.
fn of_pods() -> Vec<&'static str> {
    let beside = KindSet::of(&[
        Kind::Pod,
        Kind::LimitRange,
        Kind::Namespace,
        Kind::ServiceAccount,
        Kind::RoleBinding,
        Kind::ClusterRoleBinding,
    ]);
    let catalog = catalog();
    let all = catalog.checks().iter();
    let fits = |reads: KindSet| {
        reads.contains(Kind::Pod) && reads.iter().all(|kind| beside.contains(kind))
    };
    // Those about the namespace have the Namespace as subject.
    let of_namespace = |slug: &str| slug.starts_with("namespace-");
    // Policies in Rego ask for the kind of the carrier, too.
    let rust = all.filter(|check| check.language() == "rust");
    rust.filter(|check| fits(check.reads) && !of_namespace(check.slug)).map(|c| c.slug).collect()
}

fn run(object: &Value) -> LibraryRun {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "lab", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    });
    let text = format!("{namespace}\n---\n{object}\n");
    write(directory.path(), "objects.yaml", text);
    let run = judge(&[directory.path().join("objects.yaml")]);
    let read: usize = run.loaded.inventories.iter().map(|i| i.documents.len()).sum();
    assert_eq!(read, 2, "both objects are read");
    run
}

/// What the checks say of the object, as one line per finding. `kind` is taken out of the words, and
/// `place` turns pointers into those of the other object.
fn told(
    run: &LibraryRun,
    checks: &[&str],
    kind: &str,
    place: impl Fn(&str) -> String,
) -> Vec<String> {
    let mut documents = run.loaded.inventories.iter().flat_map(|i| &i.documents);
    let object = documents.find(|document| document.id.name == "asked").expect("the object");
    let title = format!("{kind} `asked`");
    // Admission refuses a pod at once; what carries one is taken, and its pods are refused.
    let words = |text: &str| {
        text.replace(&title, "`asked`").replace("is admitted, its pods are refused", "is refused")
    };
    let label = |span: Span| place(&object.pointer_of(span).to_string());
    let line = |finding: &Finding| {
        let labels: Vec<String> = finding
            .labels
            .iter()
            .map(|l| {
                let inside = object.extent.contains(l.span);
                let at = if inside { label(l.span) } else { "elsewhere".to_owned() };
                format!("{at}: {}", words(&l.text))
            })
            .collect();
        format!(
            "{} {} {} {:?} {} {labels:?} {} {:?}",
            finding.check,
            finding.severity,
            finding.confidence.word(),
            finding.container,
            words(&finding.message),
            words(&finding.help),
            finding.controls,
        )
    };
    let findings = run.assessments.iter().flat_map(|assessment| &assessment.findings);
    let about = findings.filter(|f| f.subject == object.id && checks.contains(&f.check));
    let mut lines: Vec<String> = about.map(line).collect();
    lines.sort();
    lines
}

/// Where a place of the plain pod lies in the carrier. Name and namespace are the object's own.
fn moved(pointer: &str, template: &str) -> String {
    let own = ["metadata.name", "metadata.namespace"].contains(&pointer);
    if own { pointer.to_owned() } else { format!("{template}.{pointer}") }
}

fn merged(template: &Value) -> Value {
    let mut metadata = json!({"name": "asked", "namespace": "lab"});
    let own = template.as_object().expect("a map").clone();
    metadata.as_object_mut().expect("a map").extend(own);
    metadata
}

/// An object of a random kind with the template somewhere below `spec`, and the place of it.
fn carrier(dice: &mut Dice, metadata: &Value, spec: &Value) -> (Value, String) {
    let mut node = json!({"metadata": metadata, "spec": spec});
    let mut steps = Vec::new();
    for _ in 0..dice.below(DEEPEST + 1) {
        if dice.one_in(3) {
            let before = dice.below(3);
            let mut items: Vec<Value> = (0..before).map(|_| noise(dice)).collect();
            items.push(node);
            items.extend((0..dice.below(2)).map(|_| noise(dice)));
            node = Value::Array(items);
            steps.push(format!("[{before}]"));
        } else {
            let key = key(dice);
            let mut map = Map::new();
            (0..dice.below(3)).for_each(|i| drop(map.insert(format!("a{i}"), noise(dice))));
            map.insert(key.clone(), node);
            (0..dice.below(3)).for_each(|i| drop(map.insert(format!("z{i}"), noise(dice))));
            node = Value::Object(map);
            steps.push(format!(".{key}"));
        }
    }
    let last = key(dice);
    steps.push(format!(".{last}"));
    steps.reverse();
    let kind = format!("{}{}", word(dice, true), word(dice, true));
    let object = json!({
        "apiVersion": format!("{}.example/v1", word(dice, false)),
        "kind": kind,
        "metadata": {"name": "asked", "namespace": "lab"},
        "spec": {"first": noise(dice), last: node, "zero": noise(dice)},
    });
    (object, format!("spec{}", steps.concat()))
}

fn key(dice: &mut Dice) -> String {
    let usual = ["template", "podTemplate", "workers", "head", "overrides", "server", "runner"];
    if dice.one_in(2) { dice.word(&usual).to_owned() } else { word(dice, false) }
}

/// A word that is no kind and no field of anything.
fn word(dice: &mut Dice, capital: bool) -> String {
    let mut text = String::new();
    for at in 0..2 + dice.below(3) {
        let consonant =
            dice.word(&["br", "d", "g", "kl", "m", "n", "r", "sk", "t", "v", "w", "zh"]);
        let vowel = dice.word(&["a", "e", "i", "o", "u", "oo"]);
        let syllable = format!("{consonant}{vowel}");
        let (first, rest) = syllable.split_at(1);
        let large = capital && at == 0;
        text.push_str(&if large { first.to_ascii_uppercase() } else { first.to_owned() });
        text.push_str(rest);
    }
    text
}

/// Something beside the way to the template.
fn noise(dice: &mut Dice) -> Value {
    match dice.below(6) {
        0 => json!(dice.below(100)),
        1 => json!(word(dice, false)),
        2 => json!([word(dice, false), null, true]),
        3 => json!({"replicas": dice.below(9), "metadata": {"labels": {"beside": "yes"}}}),
        4 => json!({"containers": []}),
        _ => Value::Null,
    }
}

/// The metadata and the specification of a pod that does many things wrong.
fn pod(dice: &mut Dice) -> (Value, Value) {
    let mut metadata = Map::new();
    if dice.one_in(2) {
        metadata.insert("labels".to_owned(), json!({"app": word(dice, false)}));
    }
    if dice.one_in(4) {
        let kind = dice.word(&["unconfined", "runtime/default"]);
        let key = "container.apparmor.security.beta.kubernetes.io/main";
        metadata.insert("annotations".to_owned(), json!({key: kind}));
    }
    let mut spec = Map::new();
    for key in ["hostNetwork", "hostPID", "hostIPC", "automountServiceAccountToken"] {
        if dice.one_in(3) {
            spec.insert(key.to_owned(), json!(!dice.one_in(3)));
        }
    }
    if dice.one_in(3) {
        spec.insert("serviceAccountName".to_owned(), json!(word(dice, false)));
    }
    if dice.one_in(2) {
        spec.insert("securityContext".to_owned(), security(dice, true));
    }
    if dice.one_in(2) {
        let path = dice.word(&["/", "/var/run/docker.sock", "/var/log", "/srv"]);
        let volumes = json!([
            {"name": "scratch", "emptyDir": {}},
            {"name": "node", "hostPath": {"path": path}},
        ]);
        spec.insert("volumes".to_owned(), volumes);
    }
    spec.insert("containers".to_owned(), containers(dice, "main", 1));
    if dice.one_in(2) {
        spec.insert("initContainers".to_owned(), containers(dice, "before", 0));
    }
    if dice.one_in(4) {
        spec.insert("ephemeralContainers".to_owned(), containers(dice, "debug", 0));
    }
    (Value::Object(metadata), Value::Object(spec))
}

fn containers(dice: &mut Dice, name: &str, least: usize) -> Value {
    let count = least + dice.below(3);
    let named = |i: usize| if i == 0 { name.to_owned() } else { format!("{name}-{i}") };
    Value::Array((0..count).map(|i| container(dice, &named(i))).collect())
}

fn container(dice: &mut Dice, name: &str) -> Value {
    let mut container = Map::new();
    let mut put = |key: &str, value: Value| drop(container.insert(key.to_owned(), value));
    put("name", json!(name));
    put("image", json!(dice.word(&["tool", "tool:latest", "registry.example/tool:1.2"])));
    if !dice.one_in(4) {
        put("securityContext", security(dice, false));
    }
    if dice.one_in(2) {
        put("resources", json!({"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}));
    }
    if dice.one_in(3) {
        let value = format!("{}-Q7x{}T9", word(dice, false), dice.below(9000) + 1000);
        put(
            "env",
            json!([{"name": "MODE", "value": "fast"}, {"name": "DB_PASSWORD", "value": value}]),
        );
    }
    if dice.one_in(3) {
        let value = format!("{}-K4v{}Z2", word(dice, false), dice.below(9000) + 1000);
        put("args", json!(["serve", format!("--password={value}"), "--port=80"]));
    }
    if dice.one_in(3) {
        put("ports", json!([{"containerPort": 80, "hostPort": 8080 + dice.below(10)}]));
    }
    Value::Object(container)
}

/// A security context; some fields exist for the pod only, some for containers only.
fn security(dice: &mut Dice, of_pod: bool) -> Value {
    let mut context = Map::new();
    let mut put = |key: &str, value: Value| drop(context.insert(key.to_owned(), value));
    if dice.one_in(2) {
        put("runAsNonRoot", json!(dice.one_in(2)));
    }
    if dice.one_in(2) {
        put("runAsUser", json!(dice.word(&["0", "1000"]).parse::<u32>().expect("a number")));
    }
    if dice.one_in(2) {
        let kind = dice.word(&["RuntimeDefault", "Unconfined"]);
        put("seccompProfile", json!({"type": kind}));
    }
    if of_pod {
        return Value::Object(context);
    }
    if dice.one_in(2) {
        put("privileged", json!(dice.one_in(2)));
    }
    if dice.one_in(2) {
        put("allowPrivilegeEscalation", json!(dice.one_in(2)));
    }
    if dice.one_in(2) {
        let added = dice.word(&["SYS_ADMIN", "NET_BIND_SERVICE", "CHOWN"]);
        put("capabilities", json!({"drop": [dice.word(&["ALL", "KILL"])], "add": [added]}));
    }
    Value::Object(context)
}
