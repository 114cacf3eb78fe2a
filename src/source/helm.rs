//! Charts, rendered by the program `helm`: version 3 or 4, without a network and without a cluster.

#[cfg(test)]
mod tests;
mod trace;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use walkdir::WalkDir;

use super::process::{self, Call, Scratch};
use crate::document::{
    self, FileId, Node, ReadOptions, Reading, Tree, clean, overwrite_redacted, read_settings,
};

/// Names the program where it is not the `helm` of PATH.
const VARIABLE: &str = "PALISADE_HELM";

/// Most characters of an error message of helm.
const MESSAGE: usize = 400;

/// Texts that were read: what has this name in outputs.
pub(super) type Texts<'t> = BTreeMap<String, (FileId, &'t str)>;

/// A chart and how it is installed.
#[derive(Clone, Debug, Default)]
pub(super) struct Release {
    /// Real path of the chart's directory.
    pub(super) chart: PathBuf,
    /// The directory's name in outputs.
    pub(super) chart_name: String,
    /// What tells several renderings of one chart apart: `prod`.
    pub(super) environment: Option<String>,
    /// Real path of the directory that no symbolic link in the chart may leave.
    pub(super) base: PathBuf,
    /// Name of the release.
    pub(super) name: String,
    /// Namespace of objects that name none.
    pub(super) namespace: String,
    /// Values over those of the chart; a later entry wins.
    pub(super) values: Vec<Values>,
    /// Single values over all others: `image.tag=1.2`.
    pub(super) sets: Vec<String>,
    /// Version of Kubernetes: `1.34`.
    pub(super) kube_version: Option<String>,
    /// What the cluster serves beyond Kubernetes: `cilium.io/v2`.
    pub(super) api_versions: Vec<String>,
}

/// Values of a release.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// A file: its name in outputs and its real path.
    File { name: String, path: PathBuf },
    /// A text that a GitOps object holds. Never from a Secret: it is written to a scratch file.
    Text(String),
}

/// What a chart gave.
#[derive(Debug)]
pub(super) struct Rendered {
    /// Name of the virtual file.
    pub(super) name: String,
    /// Its text, values of Secrets overwritten.
    pub(super) text: String,
    /// What was read from it; every object knows its template.
    pub(super) reading: Reading,
    /// Whether a template asks the cluster, which answers nothing here: objects may differ there.
    pub(super) looks_up: bool,
}

/// Why a chart is not rendered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no helm.
    Missing,
    /// Charts that it depends on are not in its directory `charts`.
    MissingDependency { names: Vec<String> },
    /// Values that are no map.
    BadValues { name: String, message: String },
    /// Helm refuses it.
    Failed {
        message: String,
        /// The template by its name in outputs, and the line, where helm says them.
        at: Option<(String, Option<u32>)>,
    },
}

impl Failure {
    fn of(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), at: None }
    }

    /// The reason for people: lower case, no full stop.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Missing => "helm is not installed".to_owned(),
            Self::MissingDependency { names } => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                format!("missing dependency: {}", names.join(", "))
            }
            Self::BadValues { name, message } => format!("`{name}`: {message}"),
            Self::Failed { message, .. } => message.clone(),
        }
    }

    /// What to do about it.
    pub(super) fn hint(&self, chart: &str) -> String {
        match self {
            Self::Missing => {
                format!("install helm, or pipe `helm template {chart} | palisade check -`")
            }
            Self::MissingDependency { .. } => format!("run `helm dependency build {chart}`"),
            Self::BadValues { name, .. } => format!("mend `{name}`"),
            Self::Failed { .. } => format!("`helm template {chart}` shows the error"),
        }
    }
}

/// Renders a chart into the virtual file `file`. A library chart gives nothing, as it is meant to.
///
/// # Errors
/// Says why there is nothing: one failing template means no output at all.
pub(super) fn render(
    release: &Release,
    texts: &Texts<'_>,
    file: FileId,
    options: &ReadOptions,
) -> Result<Rendered, Failure> {
    let program = process::find(process::named(VARIABLE).unwrap_or_else(|| "helm".into()));
    render_with(program.as_deref(), release, texts, file, options)
}

fn render_with(
    program: Option<&Path>,
    release: &Release,
    texts: &Texts<'_>,
    file: FileId,
    options: &ReadOptions,
) -> Result<Rendered, Failure> {
    let suffix = release.environment.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let name = format!("rendered:{}{suffix}", release.chart_name);
    let limit = options.limits.file_bytes;
    let chart = Chart::read(release, limit)?;
    if chart.is_library {
        let (text, reading) = (String::new(), Reading::empty());
        return Ok(Rendered { name, text, reading, looks_up: false });
    }
    check_release(release)?;
    let values = values_of(release, texts, limit)?;
    let program = program.ok_or(Failure::Missing)?;
    let scratch = Scratch::new()
        .map_err(|error| Failure::of(format!("no scratch directory can be made: {error}")))?;
    let arguments = arguments(release, &scratch)?;
    let directory = &release.chart;
    let call = Call { program, arguments: &arguments, directory, scratch: &scratch };
    let output = process::run(&call).map_err(|failure| translated(failure, release, &chart))?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let default_namespace = Some(release.namespace.clone()).filter(|name| !name.is_empty());
    let options = ReadOptions { default_namespace, ..options.clone() };
    let mut reading = document::read(file, &text, &options);
    let origins = trace::Origins::of(&values, &release.sets);
    let traced = trace::Traced { text: &text, file, chart: &chart, release, texts, origins };
    traced.mark(&mut reading.documents);
    let text = overwrite_redacted(text, &reading);
    Ok(Rendered { name, text, reading, looks_up: chart.looks_up })
}

/// What is known of a chart before helm is asked.
#[derive(Debug, Default)]
struct Chart {
    /// Its name in Chart.yaml, with which helm begins the names of templates.
    name: String,
    is_library: bool,
    looks_up: bool,
    /// Texts of the files that hold named templates.
    helpers: Vec<String>,
}

/// A call of `lookup` inside an action that is no comment.
static LOOKUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{-?\s*(?:[^/}\s][^}]*?[^\w.}])?lookup\s").expect("the pattern is valid")
});

impl Chart {
    fn read(release: &Release, limit: u64) -> Result<Self, Failure> {
        let file = release.chart.join("Chart.yaml");
        let tree =
            settings(&file, limit).map_err(|why| Failure::of(format!("Chart.yaml: {why}")))?;
        let root = tree.as_ref().map(Tree::root);
        let text = |key: &str| root?.get(key)?.as_str();
        let Some(name) = text("name") else {
            return Err(Failure::of("Chart.yaml: it has no `name`"));
        };
        let is_library = text("type") == Some("library");
        let mut chart = Self { name: name.to_owned(), is_library, ..Self::default() };
        chart.walk(release, limit)?;
        // Charts of version 1 have a file of their own for them.
        let more = settings(&release.chart.join("requirements.yaml"), limit).unwrap_or_default();
        let lists = [root, more.as_ref().map(Tree::root)];
        let lists = lists.into_iter().flatten().filter_map(|root| root.get("dependencies"));
        let wanted = lists.flat_map(Node::children).filter_map(|item| item.get("name")?.as_str());
        let wanted: Vec<&str> = wanted.collect();
        if !wanted.is_empty() && !is_library {
            let there = Vendored::read(&release.chart.join("charts"), limit);
            let missing = wanted.into_iter().filter(|name| !there.has(name)).map(clean);
            let names: Vec<String> = missing.collect();
            if !names.is_empty() {
                return Err(Failure::MissingDependency { names });
            }
        }
        Ok(chart)
    }

    /// Looks at every file once. Helm follows symbolic links, so one that leaves the base would
    /// bring any file of this machine into the output.
    fn walk(&mut self, release: &Release, limit: u64) -> Result<(), Failure> {
        for entry in WalkDir::new(&release.chart).follow_links(true).sort_by_file_name() {
            // What cannot be read is helm's to report.
            let Ok(entry) = entry else { continue };
            let inside = |real: PathBuf| real.starts_with(&release.base);
            let path = entry.path();
            let name = path.strip_prefix(&release.chart).unwrap_or(path);
            if entry.path_is_symlink() && !path.canonicalize().is_ok_and(inside) {
                let name = clean(&name.to_string_lossy());
                let message = format!("`{name}` is a symbolic link that leaves the repository");
                return Err(Failure::of(message));
            }
            let in_templates = name.components().any(|part| part.as_os_str() == "templates");
            if !in_templates || !entry.file_type().is_file() {
                continue;
            }
            let Ok(Some(bytes)) = super::read_file(path, limit) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            self.looks_up |= LOOKUP.is_match(&text);
            if path.extension().is_some_and(|extension| extension == "tpl") {
                self.helpers.push(text.into_owned());
            }
        }
        Ok(())
    }
}

/// The charts in the directory `charts`.
struct Vendored {
    names: Vec<String>,
    /// Names of archives, whose content is left to helm.
    archives: Vec<String>,
}

impl Vendored {
    fn read(directory: &Path, limit: u64) -> Self {
        let (mut names, mut archives) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if let Ok(Some(tree)) = settings(&entry.path().join("Chart.yaml"), limit) {
                names.extend(tree.root().get("name").and_then(Node::as_str).map(str::to_owned));
            } else if entry.path().extension().is_some_and(|extension| extension == "tgz") {
                archives.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Self { names, archives }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|found| found == name)
            || self.archives.iter().any(|archive| archive.starts_with(name))
    }
}

/// A file that is one YAML document.
fn settings(path: &Path, limit: u64) -> Result<Option<Tree>, String> {
    let bytes = super::read_file(path, limit).map_err(|error| clean(&error.to_string()))?;
    let bytes = bytes.ok_or_else(|| format!("it has more than {limit} bytes"))?;
    // It is not among the texts of the run, so nothing can point into it.
    let read = read_settings(trace::NOWHERE, &String::from_utf8_lossy(&bytes));
    read.map(|(tree, _)| tree).map_err(|problem| problem.message)
}

/// Names become arguments, and none of them may look like a flag.
fn check_release(release: &Release) -> Result<(), Failure> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        let part = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
        Regex::new(&format!(r"^{part}(\.{part})*$")).expect("the pattern is valid")
    });
    const LONGEST: usize = 53;
    if release.name.len() > LONGEST || !NAME.is_match(&release.name) {
        let name = document::excerpt(&release.name);
        return Err(Failure::of(format!("`{name}` cannot be the name of a release")));
    }
    Ok(())
}

/// The values, weakest first, each with the file that its places are in.
fn values_of(release: &Release, texts: &Texts<'_>, limit: u64) -> Result<Vec<Tree>, Failure> {
    let own = format!("{}/values.yaml", release.chart_name);
    // A broken values.yaml of the chart is helm's to report.
    let own = texts.get(&own).and_then(|(file, text)| read_settings(*file, text).ok()?.0);
    let mut trees: Vec<Tree> = own.into_iter().collect();
    for values in &release.values {
        let (name, read) = match values {
            Values::Text(text) => {
                ("the values of the release", read_settings(trace::NOWHERE, text))
            }
            Values::File { name, path } => {
                let bad = |message| Failure::BadValues { name: name.clone(), message };
                let read = match texts.get(name) {
                    Some((file, text)) => read_settings(*file, text),
                    None => {
                        settings(path, limit).map_err(bad).map(|tree| Ok((tree, Vec::new())))?
                    }
                };
                (name.as_str(), read)
            }
        };
        let bad = |message| Failure::BadValues { name: name.to_owned(), message };
        let (tree, _) = read.map_err(|problem| bad(problem.message))?;
        let Some(tree) = tree else { continue };
        if !tree.root().is_map() && !tree.root().is_null() {
            return Err(bad("values must be a map".to_owned()));
        }
        trees.push(tree);
    }
    Ok(trees)
}

fn arguments(release: &Release, scratch: &Scratch) -> Result<Vec<OsString>, Failure> {
    let mut arguments: Vec<OsString> = ["template", &release.name].map(OsString::from).into();
    arguments.push(release.chart.clone().into());
    arguments.push(format!("--namespace={}", release.namespace).into());
    arguments.extend(["--include-crds", "--skip-tests"].map(OsString::from));
    let version = release.kube_version.iter();
    arguments.extend(version.map(|version| format!("--kube-version={version}").into()));
    let groups = release.api_versions.iter();
    arguments.extend(groups.map(|group| format!("--api-versions={}", listed(group)).into()));
    for (index, values) in release.values.iter().enumerate() {
        let path = match values {
            Values::File { path, .. } => path.clone(),
            Values::Text(text) => {
                scratch.write(&format!("values-{index}.yaml"), text).map_err(|error| {
                    Failure::of(format!("a scratch file cannot be written: {error}"))
                })?
            }
        };
        let Some(path) = path.to_str() else {
            let name = clean(&path.to_string_lossy());
            return Err(Failure::of(format!("the path `{name}` is not UTF-8")));
        };
        arguments.push(format!("--values={}", listed(path)).into());
    }
    arguments.extend(release.sets.iter().map(|set| format!("--set={set}").into()));
    Ok(arguments)
}

/// One entry of a flag that takes a list: helm reads it as a line of CSV.
fn listed(entry: &str) -> String {
    if entry.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", entry.replace('"', "\"\""))
    } else {
        entry.to_owned()
    }
}

/// What helm's failure means.
fn translated(failure: process::Failure, release: &Release, chart: &Chart) -> Failure {
    let said = match failure {
        process::Failure::NotFound => return Failure::Missing,
        process::Failure::Failed { message } => message,
        other => return Failure::of(other.message()),
    };
    // Warnings and logs come before it.
    let error = said.rfind("\nError: ").map_or(said.as_str(), |at| said.split_at(at + 1).1);
    let error = error.strip_prefix("Error: ").unwrap_or(error);
    if let Some((_, names)) = error.split_once("missing in charts/ directory: ") {
        let names = names.lines().next().unwrap_or_default().split(", ");
        return Failure::MissingDependency { names: names.map(clean).collect() };
    }
    let error = error.split("\n\nUse --debug").next().unwrap_or(error);
    let mut error = error.split_whitespace().collect::<Vec<_>>().join(" ");
    for (path, name) in [(&release.chart, release.chart_name.as_str()), (&release.base, ".")] {
        if path.components().count() > 1 {
            error = error.replace(&*path.to_string_lossy(), name);
        }
    }
    let at = place(&error, release, chart);
    let mut message: String = clean(&error).chars().take(MESSAGE).collect();
    if message.len() < error.len() {
        message.push('\u{2026}');
    }
    Failure::Failed { message, at }
}

/// The template and line that an error names. The last one is the innermost: the place in the named
/// template, not that of its `include`.
fn place(error: &str, release: &Release, chart: &Chart) -> Option<(String, Option<u32>)> {
    let name = regex::escape(&chart.name);
    let pattern = format!(r#"(?:^|[\s("'<]){name}/([^\s:()"'<>]+)(?::(\d+))?"#);
    let found: Vec<(String, Option<u32>)> = Regex::new(&pattern)
        .ok()?
        .captures_iter(error)
        .filter_map(|found| {
            let template = found.get(1)?.as_str();
            let line = found.get(2).and_then(|line| line.as_str().parse().ok());
            Some((format!("{}/{template}", release.chart_name), line))
        })
        .collect();
    let with_line = found.iter().rfind(|(_, line)| line.is_some());
    with_line.or(found.last()).cloned()
}
