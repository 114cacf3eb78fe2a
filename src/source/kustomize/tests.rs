//! What a kustomization gives, where its values point to, and what is refused.

use super::generated_tests::Forest;
use super::{Build, Refused, render};
use crate::document::{NamespaceSource, Node, Span, Style, Value, write_object};
use crate::source::store::Store;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  template: {spec: {containers: [{name: main, image: nginx:1}]}}
";

fn built(texts: &[(&str, &str)], directory: &str) -> Build {
    render(&Store::of_texts(texts), directory).unwrap_or_else(|refused| match refused {
        Refused::Unsupported { what, .. } => panic!("unsupported: {what}"),
        Refused::Broken { message, .. } => panic!("broken: {message}"),
    })
}

fn refused(texts: &[(&str, &str)], directory: &str) -> String {
    match render(&Store::of_texts(texts), directory) {
        Ok(_) => "rendered".to_owned(),
        Err(Refused::Unsupported { what, .. }) => format!("unsupported: {what}"),
        Err(Refused::Broken { message, .. }) => message,
    }
}

/// The text at a place.
fn at<'t>(texts: &[(&str, &'t str)], span: Span) -> &'t str {
    let (_, text) = texts.get(span.file.0 as usize).expect("a text");
    text.get(span.start as usize..span.end as usize).expect("inside")
}

#[test]
fn values_point_to_the_line_that_set_them() {
    let texts = [
        ("base/web.yaml", WEB),
        ("base/kustomization.yaml", "resources: [web.yaml]\nnamePrefix: a-\n"),
        (
            "over/patch.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 7}\n",
        ),
        (
            "over/kustomization.yaml",
            "resources:\n- ../base\nnamespace: prod\npatches: [{path: patch.yaml}]\nimages: [{name: nginx, newTag: v2}]\n",
        ),
    ];
    let build = built(&texts, "over");
    let [web] = build.objects.as_slice() else { panic!("one object") };
    let place = |path: &[&str]| at(&texts, web.root().path(path).expect("there").span());
    assert_eq!(place(&["spec", "replicas"]), "7");
    assert_eq!(place(&["metadata", "namespace"]), "prod");
    assert_eq!(place(&["metadata", "name"]), "a-");
    assert_eq!(place(&["kind"]), "Deployment");
    let pods = web.root().path(&["spec", "template", "spec", "containers"]).expect("there");
    let image = pods.children().next().and_then(|main| main.get("image")).expect("there");
    assert_eq!((at(&texts, image.span()), image.as_str()), ("v2", Some("nginx:v2")));
    assert_eq!(web.id.to_string(), "Deployment prod/a-web");
    assert_eq!(web.namespace, NamespaceSource::Given);
    let rendering = web.rendering.as_ref().expect("rendered");
    assert_eq!(at(&texts, rendering.by), "../base");
    let overridden: Vec<&str> =
        rendering.sources.iter().map(|(_, old, _)| at(&texts, *old)).collect();
    assert_eq!(overridden, ["web", "1", "nginx:1"]);
    let files: Vec<&str> = build.files.iter().map(String::as_str).collect();
    assert_eq!(
        files,
        ["base/kustomization.yaml", "base/web.yaml", "over/kustomization.yaml", "over/patch.yaml"]
    );
}

#[test]
fn an_object_that_nothing_changes_keeps_its_tree() {
    let texts = [("a/web.yaml", WEB), ("a/kustomization.yaml", "resources: [web.yaml]\n")];
    let store = Store::of_texts(&texts);
    let build = render(&store, "a").unwrap_or_default();
    let source = store.file("a/web.yaml").and_then(|held| held.documents.first()).expect("read");
    let web = build.objects.first().expect("rendered");
    assert!(std::sync::Arc::ptr_eq(&web.tree, &source.tree));
    assert!(web.rendering.is_some());
}

#[test]
fn values_of_generated_secrets_are_dropped() {
    let kustomization = "secretGenerator: [{name: s, literals: [token=hunter2hunter2]}]\n";
    let build = built(&[("kustomization.yaml", kustomization)], ".");
    let secret = build.objects.first().expect("made");
    let mut json = String::new();
    write_object(secret, &mut json);
    assert!(json.contains("\"token\":\"<redacted>\""), "{json}");
    assert_eq!(secret.id.to_string(), "Secret default/s");
}

#[test]
fn credentials_that_a_patch_brings_are_withheld() {
    let patch = "patches:\n- patch: |\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: s}\n    stringData: {token: hunter2hunter2}\n";
    let kustomization = format!("resources: [s.yaml]\n{patch}");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
    let build = built(&[("s.yaml", secret), ("kustomization.yaml", &kustomization)], ".");
    let mut json = String::new();
    write_object(build.objects.first().expect("there"), &mut json);
    assert!(!json.contains("hunter2"), "{json}");
}

#[test]
fn remote_bases_are_gaps_and_the_rest_is_rendered() {
    let remote = [
        "https://github.com/a/b//c?ref=v1",
        "git@github.com:a/b.git",
        "github.com/a/b/deploy?ref=main",
        "ssh://git@host/a/b",
        "host.example/owner/repo//path?ref=v1",
        "git::https://example.com/a",
    ];
    for base in remote {
        let kustomization = format!("resources: ['{base}', web.yaml]\n");
        let build = built(&[("web.yaml", WEB), ("kustomization.yaml", &kustomization)], ".");
        assert_eq!((build.gaps.len(), build.objects.len()), (1, 1), "{base}");
    }
}

#[test]
fn what_kustomize_refuses_is_refused() {
    let cases = [
        ("resources: [absent.yaml]\n", "`absent.yaml` does not exist"),
        (
            "resources: [web.yaml, web.yaml]\n",
            "the kustomization has Deployment `web` twice: already registered id",
        ),
        ("resource: [web.yaml]\n", "the kustomization has an unknown field `resource`"),
        ("resources: [.]\n", "`.` leads back to a directory that is being built"),
        ("kind: Kustomization\n", "the kustomization is empty"),
        (
            "resources: [web.yaml]\nreplicas: [{name: api, count: 1}]\n",
            "no workload with replicas is called `api`",
        ),
        ("resources: [web.yaml]\npatches: [{path: absent.yaml}]\n", "`absent.yaml` does not exist"),
        (
            "resources: [web.yaml]\npatches: [{patch: '{kind: Service, metadata: {name: x}}'}]\n",
            "no object is what this patch is for: Service `x`",
        ),
        ("configMapGenerator: [{name: a, files: [absent]}]\n", "`absent` does not exist"),
        (
            "resources: [sub]\n",
            "`sub` has several kustomization files: sub/kustomization.yaml, sub/kustomization.yml",
        ),
        ("helmCharts: [{name: x}]\n", "unsupported: helmCharts"),
        ("resources: [web.yaml]\nreplacements: [{}]\n", "unsupported: replacements"),
        (
            "Resources: [web.yaml]\n",
            "unsupported: the field `Resources`, whose name is spelt otherwise",
        ),
        ("resources: [on.yaml]\n", "unsupported: a boolean other than `true` and `false`"),
    ];
    for (kustomization, expected) in cases {
        let texts = [
            ("web.yaml", WEB),
            ("on.yaml", "apiVersion: v1\nkind: X\nmetadata: {name: x}\nspec: {a: on}\n"),
            ("sub/kustomization.yaml", "resources: [a]\n"),
            ("sub/kustomization.yml", "resources: [a]\n"),
            ("kustomization.yaml", kustomization),
        ];
        assert_eq!(refused(&texts, "."), expected, "{kustomization}");
    }
}

#[test]
fn a_namespace_may_not_make_two_objects_one() {
    let two = format!("{WEB}---\n{}", WEB.replace("name: web}", "name: web, namespace: b}"));
    let texts = [
        ("web.yaml", two.as_str()),
        ("kustomization.yaml", "resources: [web.yaml]\nnamespace: c\n"),
    ];
    assert_eq!(refused(&texts, "."), "the namespace `c` makes two objects Deployment `web`");
}

/// The scalars below a node that are written without quotes.
fn scalars<'n>(node: Node<'n>, found: &mut Vec<(Node<'n>, &'n str)>) {
    match node.value() {
        Value::Str(text) if node.style() == Style::Plain => found.push((node, text)),
        _ => node.children().for_each(|child| scalars(child, found)),
    }
}

#[test]
fn a_value_stands_where_its_place_says_in_generated_trees() {
    let (mut exact, mut made) = (0_usize, 0_usize);
    for case in 0..400 {
        let forest = Forest::new(case);
        let texts: Vec<(&str, &str)> =
            forest.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let Ok(build) = render(&Store::of_texts(&texts), &forest.root) else { continue };
        for object in &build.objects {
            let mut found = Vec::new();
            scalars(object.root(), &mut found);
            for (node, text) in found {
                let Span { file, start, end } = node.span();
                let whole = texts.get(file.0 as usize).expect("a file of the tree").1;
                let written = whole.get(start as usize..end as usize).expect("inside its file");
                if written == text {
                    exact += 1;
                } else {
                    // What a transformer makes of two texts stands at the one that it adds.
                    let parts = written.split(|c: char| !c.is_ascii_alphanumeric());
                    let known = parts.filter(|part| !part.is_empty()).any(|p| text.contains(p));
                    assert!(known, "case {case}: `{text}` is said to be written as `{written}`");
                    made += 1;
                }
            }
        }
    }
    assert!(exact > 2_000 && exact > 20 * made, "{exact} exact, {made} made");
}
