//! A small chart, rendered by both versions of helm.

use std::path::{Path, PathBuf};

use super::{Failure, Release, Rendered, Texts, Values, listed, render_with};
use crate::document::{Document, FileId, NamespaceSource, ReadOptions, Span};
use crate::source::oracle;

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";

const SERVICE: &str = "# Source: elsewhere/x.yaml
apiVersion: v1
kind: Service
metadata:
  name: fixed
  labels: {app: {{ include \"label\" . }}, tier: literal-tier}
spec: {ports: [{port: {{ .Values.port }}}]}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}-account
  namespace: {{ .Values.elsewhere | quote }}
{{- if .Values.inline }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Values.inline.name }}}
data: {version: \"{{ .Capabilities.KubeVersion.Minor }}\", image: {{ .Values.image }}}
{{- end }}
{{- if .Capabilities.APIVersions.Has \"cilium.io/v2\" }}
---
apiVersion: v1
kind: Secret
metadata: {name: guarded}
stringData: {password: {{ .Values.password }}}
{{- end }}
";

const VALUES: &str = "port: 8443\nelsewhere: other\nlabel: my-label\ntier: literal-tier\n\
                      image: overridden\npassword: correct-horse-battery\n";

const HELPERS: &str = "{{ define \"label\" }}{{ .Values.label }}{{ end }}\n";

/// A repository with the chart `charts/web`, and what was read of it.
struct Repository {
    directory: tempfile::TempDir,
    files: Vec<(String, String)>,
}

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let mut repository = Self { directory, files: Vec::new() };
        for (name, text) in [("Chart.yaml", CHART), ("templates/_helpers.tpl", HELPERS)] {
            repository.write(&format!("charts/web/{name}"), text);
        }
        files.iter().for_each(|(name, text)| repository.write(name, text));
        repository
    }

    /// The chart of these tests.
    fn usual() -> Self {
        let values = ("charts/web/values.yaml", VALUES);
        Self::new(&[("charts/web/templates/all.yaml", SERVICE), values])
    }

    fn root(&self) -> PathBuf {
        self.directory.path().canonicalize().expect("it is there")
    }

    fn write(&mut self, name: &str, text: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("writable");
        std::fs::write(path, text).expect("writable");
        self.files.retain(|(known, _)| known != name);
        self.files.push((name.to_owned(), text.to_owned()));
    }

    fn release(&self) -> Release {
        Release {
            chart: self.root().join("charts/web"),
            chart_name: "charts/web".to_owned(),
            base: self.root(),
            name: "web".to_owned(),
            namespace: "shop".to_owned(),
            ..Release::default()
        }
    }

    fn render(&self, program: Option<&Path>, release: &Release) -> Result<Rendered, Failure> {
        let numbered = self.files.iter().zip(1..);
        let texts: Texts<'_> = numbered
            .map(|((name, text), id)| (name.clone(), (FileId(id), text.as_str())))
            .collect();
        render_with(program, release, &texts, FileId(99), &ReadOptions::default())
    }

    /// The text that a place is about, with the name of its file.
    fn shown(&self, rendered: &Rendered, span: Span) -> String {
        let (start, end) = (span.start as usize, span.end as usize);
        let own = (rendered.name.clone(), rendered.text.clone());
        let number = usize::try_from(span.file.0).expect("small");
        let (name, text) = self.files.get(number - 1).unwrap_or(&own);
        format!("{name}: {}", text.get(start..end).expect("a span lies in its text"))
    }
}

fn programs() -> Vec<PathBuf> {
    ["helm3", "helm4"].into_iter().filter_map(oracle::program).collect()
}

fn named<'r>(rendered: &'r Rendered, name: &str) -> &'r Document {
    let mut documents = rendered.reading.documents.iter();
    documents.find(|document| document.id.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn objects_know_their_template_and_the_values_in_them() {
    for program in programs() {
        let repository = Repository::usual();
        let release = repository.release();
        let rendered = repository.render(Some(&program), &release).expect("it renders");
        assert_eq!(rendered.name, "rendered:charts/web");
        assert!(rendered.reading.problems.is_empty() && !rendered.looks_up);
        assert_eq!(rendered.reading.documents.len(), 2, "{}", rendered.text);
        let service = named(&rendered, "fixed");
        assert_eq!(service.id.namespace, "shop");
        assert_eq!(service.namespace, NamespaceSource::Given);
        let rendering = service.rendering.as_ref().expect("it is rendered");
        let by = repository.shown(&rendered, rendering.by);
        assert_eq!(
            (by.as_str(), rendering.text),
            ("charts/web/templates/all.yaml: name: fixed", "the template")
        );
        let sources = rendering.sources.iter().map(|(at, from, text)| {
            let (at, from) = (repository.shown(&rendered, *at), repository.shown(&rendered, *from));
            format!("{at} | {from} | {text}")
        });
        let expected = [
            "rendered:charts/web: my-label | charts/web/values.yaml: my-label | set here",
            "rendered:charts/web: 8443 | charts/web/values.yaml: 8443 | set here",
        ];
        assert_eq!(sources.collect::<Vec<_>>(), expected);
        let account = named(&rendered, "web-account");
        assert_eq!(
            (&*account.id.namespace, account.namespace),
            ("other", NamespaceSource::Written)
        );
        let by = account.rendering.as_ref().expect("it is rendered").by;
        assert_eq!(repository.shown(&rendered, by), "charts/web/templates/all.yaml: ");
    }
}

#[test]
fn values_flags_and_capabilities_reach_the_chart() {
    for program in programs() {
        let mut repository = Repository::usual();
        repository.write("envs/prod, \"eu\".yaml", "image: registry/web\n");
        let mut release = repository.release();
        release.environment = Some("prod".to_owned());
        release.values = vec![
            Values::File {
                name: "envs/prod, \"eu\".yaml".to_owned(),
                path: repository.root().join("envs/prod, \"eu\".yaml"),
            },
            Values::Text("inline: {name: from-text}\nelsewhere: from-text\n".to_owned()),
        ];
        release.sets = vec!["elsewhere=from-flag".to_owned()];
        release.kube_version = Some("1.33.0".to_owned());
        release.api_versions =
            vec!["cilium.io/v2".to_owned(), "gateway.networking.k8s.io/v1".to_owned()];
        let rendered = repository.render(Some(&program), &release).expect("it renders");
        assert_eq!(rendered.name, "rendered:charts/web (prod)");
        assert_eq!(named(&rendered, "web-account").id.namespace, "from-flag");
        let inline = named(&rendered, "from-text");
        let data = |key: &str| inline.root().path(&["data", key])?.as_str();
        assert_eq!(data("version"), Some("33"));
        let sources = &inline.rendering.as_ref().expect("it is rendered").sources;
        let sources = sources.iter().map(|(_, from, _)| repository.shown(&rendered, *from));
        let expected = ["envs/prod, \"eu\".yaml: registry/web"];
        assert_eq!(sources.collect::<Vec<_>>(), expected);
        named(&rendered, "guarded");
        assert!(!rendered.text.contains("correct-horse"), "{}", rendered.text);
    }
}

#[test]
fn a_failing_template_is_named_with_its_line() {
    let cases = [
        ("x: 1\ny: {{ .Values.no.such }}\n", "templates/bad.yaml", Some(2), "nil pointer"),
        ("x: {{ .Values\n", "templates/bad.yaml", Some(1), "unclosed action"),
        ("x: {{ include \"deep\" . }}\n", "templates/_deep.tpl", Some(2), "nil pointer"),
        ("x: [\n", "templates/bad.yaml", None, "YAML parse error"),
        ("\n{{ fail \"no\\nway\" }}\n", "templates/bad.yaml", Some(2), "no way"),
    ];
    for program in programs() {
        let mut repository = Repository::usual();
        let deep = "{{ define \"deep\" }}\n{{ .Values.no.such }}{{ end }}\n";
        repository.write("charts/web/templates/_deep.tpl", deep);
        for (template, file, line, words) in cases {
            repository.write("charts/web/templates/bad.yaml", template);
            let failure = repository.render(Some(&program), &repository.release()).map(|_| ());
            let Err(Failure::Failed { message, at }) = failure else { panic!("{template} fails") };
            assert_eq!(at, Some((format!("charts/web/{file}"), line)), "{template}: {message}");
            assert!(message.contains(words) && !message.contains("--debug"), "{message}");
            let root = repository.root();
            assert!(!message.contains(&*root.to_string_lossy()), "{message}");
        }
    }
}

#[test]
fn a_missing_dependency_is_named_before_helm_is_asked() {
    let dependencies = "dependencies:\n- {name: redis, version: 1.0.0, repository: x}\n\
                        - {name: sub, version: 1.0.0}\n- {name: packed, version: 1.0.0}\n";
    let chart = format!("{CHART}{dependencies}");
    let mut repository = Repository::new(&[
        ("charts/web/Chart.yaml", &chart),
        ("charts/web/charts/any/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
        ("charts/web/charts/packed-1.0.0.tgz", ""),
    ]);
    let missing = |names: &[&str]| Failure::MissingDependency {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let failure = repository.render(None, &repository.release()).map(|_| ());
    assert_eq!(failure, Err(missing(&["redis"])));
    let failure = missing(&["redis"]);
    assert_eq!(failure.message(), "missing dependency: `redis`");
    assert_eq!(failure.hint("charts/web"), "run `helm dependency build charts/web`");
    // What helm itself says, where the file names look as if all were there.
    std::fs::remove_file(repository.root().join("charts/web/charts/packed-1.0.0.tgz"))
        .expect("there");
    let other = "apiVersion: v2\nname: packed\nversion: 1.0.0\n";
    repository.write("charts/web/charts/_packed/Chart.yaml", other);
    repository.write("charts/web/charts/redis/Chart.yaml", &other.replace("packed", "redis"));
    for program in programs() {
        let failure = repository.render(Some(&program), &repository.release()).map(|_| ());
        assert_eq!(failure, Err(missing(&["packed"])), "{}", program.display());
    }
}

#[test]
fn what_cannot_be_rendered_fails_without_helm() {
    let mut repository = Repository::usual();
    repository.write("list.yaml", "- a\n");
    repository.write("broken.yaml", "a: [\n");
    let fails = |release: &Release| {
        let failure = repository.render(None, release).map(|_| ());
        failure.expect_err("it fails").message()
    };
    assert_eq!(repository.render(None, &repository.release()).map(|_| ()), Err(Failure::Missing));
    for (name, message) in
        [("list.yaml", "values must be a map"), ("broken.yaml", "not valid YAML")]
    {
        let mut release = repository.release();
        let path = repository.root().join(name);
        release.values = vec![Values::File { name: name.to_owned(), path }];
        let said = fails(&release);
        assert!(said.starts_with(&format!("`{name}`: {message}")), "{said}");
    }
    for name in ["--post-renderer=x", "Web", "", &"a".repeat(54)] {
        let release = Release { name: name.to_owned(), ..repository.release() };
        assert!(fails(&release).ends_with("cannot be the name of a release"), "{name}");
    }
    let release = Release { chart: repository.root(), ..repository.release() };
    assert!(fails(&release).starts_with("Chart.yaml: "));
}

#[test]
fn library_charts_give_nothing_and_lookups_are_noticed() {
    let mut repository = Repository::usual();
    let lookups = [
        ("{{- $x := lookup \"v1\" \"Secret\" \"a\" \"b\" }}\n", true),
        ("{{ if (lookup \"v1\" \"Secret\" \"a\" \"b\") }}{{ end }}\n", true),
        ("{{/* lookup of things */}}\n# a lookup of names\n{{ .Values.lookup | quote }}\n", false),
    ];
    for program in programs() {
        for (template, expected) in lookups {
            repository.write("charts/web/templates/asks.yaml", template);
            let rendered = repository.render(Some(&program), &repository.release());
            assert_eq!(rendered.expect("it renders").looks_up, expected, "{template}");
        }
    }
    repository.write("charts/web/Chart.yaml", &format!("{CHART}type: library\n"));
    let rendered = repository.render(None, &repository.release()).expect("nothing to render");
    assert!(rendered.reading.documents.is_empty() && rendered.text.is_empty());
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_that_leaves_the_repository_is_refused() {
    let repository = Repository::usual();
    let templates = repository.root().join("charts/web/templates");
    std::os::unix::fs::symlink("all.yaml", templates.join("inside.txt")).expect("writable");
    assert_eq!(repository.render(None, &repository.release()).map(|_| ()), Err(Failure::Missing));
    std::os::unix::fs::symlink("/etc", templates.join("outside")).expect("writable");
    let failure = repository.render(None, &repository.release()).map(|_| ());
    let message = failure.expect_err("it is refused").message();
    assert_eq!(message, "`templates/outside` is a symbolic link that leaves the repository");
}

#[test]
fn entries_of_lists_are_quoted_as_csv() {
    for (entry, expected) in [("a b", "a b"), ("a,b", "\"a,b\""), ("a\"", "\"a\"\"\"")] {
        assert_eq!(listed(entry), expected);
    }
}

#[test]
fn the_chart_that_helm_creates_is_rendered() {
    for program in programs() {
        let mut repository = Repository::usual();
        let root = repository.root();
        let created = std::process::Command::new(&program)
            .args(["create", "charts/fresh"])
            .current_dir(&root)
            .env("HOME", &root)
            .output();
        assert!(created.expect("helm starts").status.success());
        for file in ["Chart.yaml", "values.yaml", "templates/service.yaml"] {
            let name = format!("charts/fresh/{file}");
            let text = std::fs::read_to_string(root.join(&name)).expect("helm has written it");
            repository.write(&name, &text);
        }
        let chart_name = "charts/fresh".to_owned();
        let release =
            Release { chart: root.join("charts/fresh"), chart_name, ..repository.release() };
        let rendered = repository.render(Some(&program), &release).expect("it renders");
        assert!(rendered.reading.problems.is_empty() && !rendered.looks_up);
        let mut found = Vec::new();
        for document in &rendered.reading.documents {
            let rendering = document.rendering.as_ref().expect("it is rendered");
            let by = repository.shown(&rendered, rendering.by);
            found.push(format!("{}: {}, {by}", document.id, rendering.text));
        }
        // Only the template of the Service was read.
        let expected = [
            "ServiceAccount shop/web-fresh: the chart, charts/fresh/Chart.yaml: ",
            "Service shop/web-fresh: the template, charts/fresh/templates/service.yaml: ",
            "Deployment shop/web-fresh: the chart, charts/fresh/Chart.yaml: ",
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn charts_below_and_definitions_know_their_files() {
    let crds = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
                metadata: {name: xs.example.org}\n---\n# Source: elsewhere/y.yaml\n\
                apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
                metadata: {name: ys.example.org}\n";
    let config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: below}\n";
    let repository = Repository::new(&[
        ("charts/web/crds/all.yaml", crds),
        ("charts/web/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
        ("charts/web/charts/sub/templates/a.yaml", config_map),
    ]);
    for program in programs() {
        let rendered = repository.render(Some(&program), &repository.release());
        let rendered = rendered.expect("it renders");
        let found = rendered.reading.documents.iter().map(|document| {
            repository.shown(&rendered, document.rendering.as_ref().expect("it is rendered").by)
        });
        let expected = [
            "charts/web/crds/all.yaml: metadata: {name: xs.example.org}",
            "charts/web/crds/all.yaml: metadata: {name: ys.example.org}",
            "charts/web/charts/sub/templates/a.yaml: metadata: {name: below}",
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
