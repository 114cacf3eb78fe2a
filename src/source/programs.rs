//! What other programs render: charts by helm, and the kustomizations that are not rendered natively.
//! Each gives a virtual file beside those that were read.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::external;
use super::gather::Gathered;
use super::helm::{self, Failure, Release, Texts, Values};
use super::kustomize::{Build, remote_gap};
use super::process::{self, Scratch};
use super::read::Role;
use super::storage::Storage;
use super::{Environment, Request};
use crate::document::{
    Document, File, FileId, Gap, GapReason, ObjectId, Problem, Reading, Span, narrow,
};

/// Most API versions that helm is told of.
const VERSIONS: usize = 1_000;
/// The name of the directory that an earlier tree is written to.
const TREE: &str = "tree";

/// The programs of a run, and the texts that they gave.
pub(super) struct Programs<'g> {
    gathered: &'g Gathered,
    request: &'g Request,
    texts: RefCell<Vec<File>>,
    /// What was rendered, by how: a chart that is installed twice alike is one text.
    charts: RefCell<BTreeMap<String, Build>>,
    problems: RefCell<Vec<Problem>>,
    /// What the cluster serves beyond Kubernetes, as far as the input shows it.
    versions: OnceCell<Vec<String>>,
    /// An earlier tree as it was written for them.
    earlier: OnceCell<Result<Scratch, String>>,
    /// Every text that was read, by its name.
    read: OnceCell<Texts<'g>>,
}

impl<'g> Programs<'g> {
    pub(super) fn new(gathered: &'g Gathered, request: &'g Request) -> Self {
        let (texts, charts, problems) = Default::default();
        let (versions, earlier, read) = Default::default();
        Self { gathered, request, texts, charts, problems, versions, earlier, read }
    }

    fn versions(&self) -> &[String] {
        self.versions.get_or_init(|| {
            let documents = self.gathered.store.files.values().flat_map(|held| &held.documents);
            let custom = documents.filter(|document| document.id.group.contains('.'));
            let kinds: BTreeSet<(&str, &str, &str)> =
                custom.map(|d| (&*d.id.group, &*d.version, &*d.id.kind)).collect();
            let named = kinds.into_iter().flat_map(|(group, version, kind)| {
                [format!("{group}/{version}"), format!("{group}/{version}/{kind}")]
            });
            named.collect::<BTreeSet<String>>().into_iter().take(VERSIONS).collect()
        })
    }

    fn read(&self) -> &Texts<'g> {
        let gathered = self.gathered;
        self.read.get_or_init(|| {
            let held = gathered.store.files.iter();
            let texts = held.filter_map(|(name, held)| {
                let file = gathered.texts.get(held.id.0 as usize)?;
                Some((name.clone(), (held.id, file.text())))
            });
            texts.collect()
        })
    }

    /// The texts that were made, in the order of their ids, and what could not be read of them.
    pub(super) fn into_parts(self) -> (Vec<File>, Vec<Problem>) {
        (self.texts.into_inner(), self.problems.into_inner())
    }

    /// The id of the next text.
    fn next(&self) -> FileId {
        FileId(narrow(self.gathered.texts.len() + self.texts.borrow().len()))
    }

    fn keep(&self, name: String, text: String, reading: Reading) -> Vec<Document> {
        self.texts.borrow_mut().push(File::new(name, text));
        self.problems.borrow_mut().extend(reading.problems);
        reading.documents
    }

    /// The names of a chart's files.
    fn files_of(&self, chart: &str) -> impl Iterator<Item = &'g String> + use<'g> {
        let (parts, prefix) = (&self.gathered.parts, format!("{chart}/"));
        let whole = chart == ".";
        let first = if whole { String::new() } else { prefix.clone() };
        let below = parts.range(first..).take_while(move |(n, _)| whole || n.starts_with(&prefix));
        below.filter(|(_, part)| part.role == Role::Chart).map(|(name, _)| name)
    }

    /// Where the tree lies on the disk, for programs that read it there. An earlier tree is written
    /// into a directory of its own; `directory` is what needs all of its files.
    fn base(&self, directory: &str) -> Result<PathBuf, String> {
        let store = &self.gathered.store;
        let Storage::Memory(snapshot) = &store.storage else { return Ok(store.directory.clone()) };
        let say = |error: std::io::Error| format!("the earlier tree cannot be written: {error}");
        let write = || {
            let scratch = Scratch::new().map_err(say)?;
            snapshot.write(&scratch.path().join(TREE)).map_err(say)?;
            Ok(scratch)
        };
        let scratch = self.earlier.get_or_init(write).as_ref().map_err(String::clone)?;
        let root = scratch.path().join(TREE);
        let whole = store.directory.join(directory);
        snapshot.complete(&root, &whole, store.limit).map_err(say)?;
        let inside = store.directory.strip_prefix(snapshot.root()).unwrap_or(Path::new(""));
        Ok(root.join(inside))
    }

    /// Renders a chart. `defaults` has the name and namespace of the release, and its values.
    pub(super) fn chart(&self, chart: &str, defaults: Release) -> Build {
        let release = Release {
            chart_name: chart.to_owned(),
            kube_version: self.request.kubernetes_version.clone(),
            api_versions: self.versions().to_vec(),
            ..defaults
        };
        let how = format!("{release:?}");
        if let Some(known) = self.charts.borrow().get(&how) {
            return known.clone();
        }
        let build = match self.base(chart) {
            Ok(base) => {
                let values = release.values.into_iter().map(|values| self.placed(values, &base));
                let values = values.collect();
                let place = base.join(chart);
                self.rendered(chart, &Release { chart: place, base, values, ..release })
            }
            Err(message) => {
                let failure = Failure::Failed { message, at: None };
                self.failed(chart, &release.namespace, &failure)
            }
        };
        self.charts.borrow_mut().insert(how, build.clone());
        build
    }

    fn rendered(&self, chart: &str, release: &Release) -> Build {
        match helm::render(release, self.read(), self.next(), &self.request.options) {
            Ok(rendered) => {
                let files = self.files_of(chart).cloned().collect();
                let mut gaps = Vec::new();
                if rendered.looks_up {
                    gaps.push(Gap {
                        reason: GapReason::MadeElsewhere,
                        what: format!("chart `{chart}`"),
                        at: None,
                        hint: "a template asks the cluster with `lookup`".to_owned(),
                        namespace: None,
                    });
                }
                let objects = self.keep(rendered.name, rendered.text, rendered.reading);
                Build { objects, files, gaps, ..Build::default() }
            }
            Err(failure) => self.failed(chart, &release.namespace, &failure),
        }
    }

    /// Values whose file has its real path.
    fn placed(&self, values: Values, base: &Path) -> Values {
        match values {
            Values::File { name, path } => {
                let inside = path.strip_prefix(&self.gathered.store.directory).unwrap_or(&path);
                Values::File { path: base.join(inside), name }
            }
            Values::Text(_) => values,
        }
    }

    /// The release of a chart that nothing installs.
    pub(super) fn defaults(&self, chart: &str, environment: Option<&Environment>) -> Release {
        let charts = &self.request.charts;
        let own =
            charts.values.iter().map(|path| (path.to_string_lossy().into_owned(), path.clone()));
        let of_environment = environment.into_iter().flat_map(|e| &e.values).map(|written| {
            let base = &self.gathered.store.directory;
            let place = base.join(written);
            let is_file = self.gathered.store.storage.is_file(&place);
            let place = if is_file { place } else { base.join(chart).join(written) };
            (written.clone(), place)
        });
        let file = |(written, path): (String, PathBuf)| {
            // As the file was read, so that places in it can be shown.
            let real = path.canonicalize().unwrap_or(path);
            let inside = real.strip_prefix(&self.gathered.store.directory).ok();
            let name = inside.map(|path| path.to_string_lossy().replace('\\', "/"));
            Values::File { name: name.unwrap_or(written), path: real }
        };
        let sets = environment.into_iter().flat_map(|e| &e.sets).chain(&charts.sets).cloned();
        let name = chart.rsplit('/').next().filter(|name| *name != ".");
        Release {
            environment: environment.map(|environment| environment.name.clone()),
            name: name.unwrap_or("release").to_ascii_lowercase(),
            namespace: self.request.options.default_namespace.clone().unwrap_or_default(),
            values: of_environment.chain(own).map(file).collect(),
            sets: sets.collect(),
            ..Release::default()
        }
    }

    fn failed(&self, chart: &str, namespace: &str, failure: &Failure) -> Build {
        let place = match failure {
            Failure::Failed { at: Some((name, line)), .. } => self.line(name, *line),
            Failure::BadValues { name, .. } => self.line(name, None),
            _ => self.line(&format!("{chart}/Chart.yaml"), None),
        };
        let reason = match failure {
            Failure::Missing => GapReason::RendererMissing,
            Failure::MissingDependency { .. } => GapReason::MissingDependency,
            Failure::BadValues { .. } | Failure::Failed { .. } => GapReason::RendererFailed,
        };
        let gap = Gap {
            reason,
            what: format!("chart `{chart}`: {}", failure.message()),
            at: place,
            hint: failure.hint(chart),
            namespace: Some(namespace.to_owned()).filter(|n| !n.is_empty()),
        };
        Build { gaps: vec![gap], failed: vec![chart.to_owned()], ..Build::default() }
    }

    /// The place of a line of a file, from 1.
    fn line(&self, name: &str, line: Option<u32>) -> Option<Span> {
        let held = self.gathered.store.file(name)?;
        let Some(line) = line else { return Some(Span::start_of(held.id)) };
        let file = self.gathered.texts.get(held.id.0 as usize)?;
        let (start, end) = file.line_range((line as usize).saturating_sub(1));
        Some(Span { file: held.id, start, end })
    }

    /// Renders a kustomization by kustomize itself. `at` and `what` say why not natively.
    pub(super) fn kustomization(&self, directory: &str, at: Span, what: &str) -> Build {
        // Kustomize would open the network at once.
        let remote = super::discover::remote_bases(self.gathered, directory);
        if !remote.is_empty() {
            let gaps = remote.iter().map(|(path, at)| remote_gap(path, *at)).collect();
            return Build { gaps, failed: vec![directory.to_owned()], ..Build::default() };
        }
        let failed = |reason, why: &str, hint: String| {
            let what = format!("kustomization `{directory}`: it needs `{what}`: {why}");
            let gap = Gap { reason, what, at: Some(at), hint, namespace: None };
            Build { gaps: vec![gap], failed: vec![directory.to_owned()], ..Build::default() }
        };
        let base = match self.base(directory) {
            Ok(base) => base,
            Err(why) => {
                let hint = "free some space for temporary files".to_owned();
                return failed(GapReason::RendererFailed, &why, hint);
            }
        };
        let place = if directory == "." { base.clone() } else { base.join(directory) };
        let kustomization =
            external::Kustomization { directory: place, name: directory.to_owned(), base };
        let lookup = |name: &str, id: &ObjectId| {
            let held = self.gathered.store.file(name)?;
            let of_kind = |document: &&Document| {
                document.id.kind == id.kind && id.name.contains(&document.id.name)
            };
            let found = held.documents.iter().find(of_kind).map(|document| document.head);
            found.or_else(|| Some(Span::start_of(held.id)))
        };
        let options = &self.request.options;
        match external::render(&kustomization, self.next(), options, &lookup) {
            Ok(rendered) => {
                let files = super::discover::reachable_files(self.gathered, directory);
                let objects = self.keep(rendered.name, rendered.text, rendered.reading);
                Build { objects, files, ..Build::default() }
            }
            Err(failure) => {
                let (reason, hint) = match failure {
                    process::Failure::NotFound => (
                        GapReason::RendererMissing,
                        format!("install kustomize, or pipe `kustomize build {directory}` in"),
                    ),
                    _ => (
                        GapReason::RendererFailed,
                        format!("`kustomize build {directory}` shows the error"),
                    ),
                };
                failed(reason, &failure.message(), hint)
            }
        }
    }
}
