//! Every file of a run, read once: those of the arguments, and what their kustomizations refer to
//! elsewhere in the repository.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use super::files::{Entry, What, walk};
use super::gitops;
use super::names::{Base, NameError};
use super::read::{Outcome, Parsed, Role, read_entry};
use super::storage::Storage;
use super::store::{Held, KUSTOMIZATIONS, Store, join, parent};
use super::{FileReport, Request};
use crate::document::{
    Defect, DefectKind, Document, File, FileId, Gap, GapReason, Node, Note, Parted, Problem,
    Reading, RootKind, Span, State, Tree, excerpt,
};

/// Everything that was read, before it is divided into roots.
pub(super) struct Gathered {
    pub(super) store: Store,
    pub(super) texts: Vec<File>,
    pub(super) reports: BTreeMap<String, FileReport>,
    pub(super) parts: BTreeMap<String, Part>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<Note>,
}

impl Gathered {
    /// The directories that an object of Flux or Argo CD applies, as far as they exist.
    pub(super) fn applied_by(&self, document: &Document) -> Vec<String> {
        if !gitops::applies(document) {
            return Vec::new();
        }
        let Some(file) = self.texts.get(document.head.file.0 as usize) else { return Vec::new() };
        let paths = applied_paths(document, &self.store, file.name()).into_iter();
        paths.filter_map(|path| self.store.resolve(&path, file.name())).collect()
    }

    /// Whether a directory is that of a chart.
    pub(super) fn is_chart(&self, directory: &str) -> bool {
        let own = join(directory, "Chart.yaml").and_then(|name| self.parts.get(&name));
        own.is_some_and(|part| part.chart.as_deref() == Some(directory))
    }
}

/// What is to be known of a file besides its objects.
pub(super) struct Part {
    pub(super) role: Role,
    pub(super) kind: RootKind,
    /// The chart that it belongs to.
    pub(super) chart: Option<String>,
    pub(super) defects: Vec<Defect>,
    pub(super) gaps: Vec<Gap>,
}

/// Reads everything.
pub(super) fn gather(request: &Request) -> Result<Gathered, NameError> {
    let base = match &request.storage {
        Storage::Disk => Base::of(&request.paths)?,
        Storage::Memory(snapshot) => Base::at(snapshot.root()),
    };
    let mut entries = walk(request, &base)?;
    let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
    let mut patches = BTreeSet::new();
    entries.extend(values(request, &base, &entries));
    let mut known: HashSet<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let mut read = 0;
    let mut applied = BTreeSet::new();
    // What was read may name more of the repository: other kustomizations, what Flux and Argo CD
    // apply.
    while read < entries.len() {
        let first = read;
        while read < entries.len() {
            let fresh = read..entries.len();
            read = entries.len();
            for (at, outcome) in kustomizations(fresh, &entries, request) {
                let directory = parent(&outcome.report.name).to_owned();
                let trees = outcome.parsed.iter().flat_map(|parsed| &parsed.parts.trees);
                for reference in trees.flat_map(|tree| references(tree.root())) {
                    let path = reference.path();
                    if let Reference::Patch(_) = reference {
                        patches.extend(join(&directory, path));
                    }
                    let found = follow(path, &directory, &base, &request.storage, &mut known);
                    entries.extend(found);
                }
                outcomes.insert(at, outcome);
            }
        }
        let rest: Vec<(usize, Entry)> = (first..read)
            .filter(|at| !outcomes.contains_key(at))
            .filter_map(|at| Some((at, entries.get(at)?.clone())))
            .collect();
        let read_one = |(at, entry): (usize, Entry)| {
            let role = match &entry.what {
                What::Chart { .. } => Role::Chart,
                _ if patches.contains(&entry.name) => Role::Patch,
                _ => Role::Manifests,
            };
            (at, read_entry(entry, id_of(at), role, request))
        };
        // Files are of all sizes: small shares keep every thread busy to the end.
        let rest = rest.into_par_iter().with_max_len(4);
        let read_now: Vec<(usize, Outcome)> = rest.map(read_one).collect();
        for (_, outcome) in &read_now {
            let parsed = outcome.parsed.iter().filter(|p| p.kind == RootKind::Directory);
            let documents = parsed.flat_map(|parsed| &parsed.reading.documents);
            for document in documents.filter(|document| gitops::applies(document)) {
                let name = &outcome.report.name;
                let paths = applied_paths(document, &Store::default(), name);
                applied.extend(paths.into_iter().map(|path| (path, name.clone())));
            }
        }
        outcomes.extend(read_now);
        for (path, file) in std::mem::take(&mut applied) {
            entries.extend(walk_applied(&path, &file, request, &base, &mut known));
        }
    }
    let charts: Vec<Option<String>> = entries.iter().map(chart_of).collect();
    Ok(assemble(outcomes, &charts, &base, request))
}

/// The files with values that the command line names, so that a finding may point into them.
fn values(request: &Request, base: &Base, entries: &[Entry]) -> Vec<Entry> {
    let real = request.charts.values.iter().filter_map(|path| request.storage.canonical(path).ok());
    let inside = real.filter(|real| real.starts_with(base.directory()));
    let entry = |path: PathBuf| Entry { name: base.name(&path), what: What::File(path) };
    inside.map(entry).filter(|new| !entries.iter().any(|known| known.name == new.name)).collect()
}

/// Reads the kustomization files among some entries.
fn kustomizations(
    fresh: std::ops::Range<usize>,
    entries: &[Entry],
    request: &Request,
) -> Vec<(usize, Outcome)> {
    let fresh: Vec<usize> =
        fresh.filter(|at| entries.get(*at).is_some_and(is_kustomization)).collect();
    let read = |at: usize| {
        let entry = entries.get(at)?.clone();
        let outcome = read_entry(entry, id_of(at), Role::Kustomization, request);
        let mut trees = outcome.parsed.iter().flat_map(|parsed| &parsed.parts.trees);
        // An object of Flux may only have the name of the file.
        let object = trees.any(|tree| is_object(tree));
        (!object).then_some((at, outcome))
    };
    fresh.into_par_iter().filter_map(read).collect()
}

/// The files of a directory that a GitOps object applies, as far as they were not walked already.
fn walk_applied(
    path: &str,
    file: &str,
    request: &Request,
    base: &Base,
    known: &mut HashSet<String>,
) -> Vec<Entry> {
    let directory = base.directory().to_owned();
    let storage = request.storage.clone();
    let store = Store { directory, storage, ..Store::default() };
    let Some(directory) = store.resolve(path, file).filter(|directory| directory != ".") else {
        return Vec::new();
    };
    let request = Request {
        paths: vec![base.directory().join(&directory)],
        exclude: request.exclude.clone(),
        storage: request.storage.clone(),
        ..Request::default()
    };
    let more = walk(&request, base).unwrap_or_default();
    more.into_iter().filter(|entry| known.insert(entry.name.clone())).collect()
}

/// The configuration is the text before all files.
fn id_of(at: usize) -> FileId {
    FileId(crate::document::narrow(at + 1))
}

fn chart_of(entry: &Entry) -> Option<String> {
    match &entry.what {
        What::Chart { chart, .. } => Some(chart.clone()),
        _ => None,
    }
}

fn is_kustomization(entry: &Entry) -> bool {
    let name = entry.name.rsplit('/').next().unwrap_or_default();
    matches!(entry.what, What::File(_)) && KUSTOMIZATIONS.contains(&name)
}

/// Whether a file of that name holds an object of Flux and nothing for kustomize.
fn is_object(tree: &Tree) -> bool {
    let version = tree.root().get("apiVersion").and_then(Node::as_str);
    version.is_some_and(|version| !version.starts_with("kustomize.config.k8s.io/"))
}

/// What a kustomization refers to by a path.
#[derive(Clone, Copy)]
pub(super) enum Reference<'n> {
    /// A file or directory with objects, or a component.
    Resource(Node<'n>),
    Patch(Node<'n>),
}

impl<'n> Reference<'n> {
    /// The path as written.
    pub(super) fn path(self) -> &'n str {
        let (Self::Resource(node) | Self::Patch(node)) = self;
        node.as_str().unwrap_or_default()
    }
}

/// Everything that a kustomization names by a path.
pub(super) fn references(root: Node<'_>) -> Vec<Reference<'_>> {
    let entries = |key: &str| root.get(key).into_iter().flat_map(Node::children);
    let resources = ["resources", "bases", "components", "crds"].into_iter().flat_map(entries);
    let inline = |node: &Node<'_>| node.as_str().is_some_and(|t| t.contains(['\n', ':', '{']));
    let strategic = entries("patchesStrategicMerge").filter(|node| !inline(node));
    let paths = ["patches", "patchesJson6902"].into_iter().flat_map(entries);
    let patches = strategic.chain(paths.filter_map(|patch| patch.get("path")));
    let all = resources.map(Reference::Resource).chain(patches.map(Reference::Patch));
    all.filter(|reference| !reference.path().is_empty()).collect()
}

/// The paths, as written, that an object of Flux or Argo CD applies.
fn applied_paths(document: &Document, store: &Store, file: &str) -> Vec<String> {
    match gitops::generated(document, store, file) {
        Some(Ok(set)) => set.applications.iter().flat_map(gitops::paths).collect(),
        Some(Err(_)) => Vec::new(),
        None => gitops::paths(document),
    }
}

/// What a reference leads to, if it was not walked already.
fn follow(
    path: &str,
    directory: &str,
    base: &Base,
    storage: &Storage,
    known: &mut HashSet<String>,
) -> Vec<Entry> {
    let name = join(directory, path).filter(|name| !path.starts_with('/') && !known.contains(name));
    // What lies elsewhere is followed inside the repository only.
    let real = name.and_then(|name| storage.canonical(&base.directory().join(name)).ok());
    let Some(real) = real.filter(|real| real.starts_with(base.directory())) else {
        return Vec::new();
    };
    let places: Vec<PathBuf> = match storage.is_dir(&real) {
        true => KUSTOMIZATIONS.iter().map(|file| real.join(file)).collect(),
        false => vec![real],
    };
    let entry = |path: PathBuf| Entry { name: base.name(&path), what: What::File(path) };
    let files = places.into_iter().filter(|path| storage.is_file(path)).map(entry);
    files.filter(|entry| known.insert(entry.name.clone())).collect()
}

fn assemble(
    outcomes: BTreeMap<usize, Outcome>,
    charts: &[Option<String>],
    base: &Base,
    request: &Request,
) -> Gathered {
    let (config_name, config_text) = request.config.clone().unwrap_or_default();
    let directory = base.directory().to_owned();
    let limit = request.options.limits.file_bytes;
    let mut gathered = Gathered {
        store: Store { directory, files: BTreeMap::new(), limit, storage: request.storage.clone() },
        texts: vec![File::new(config_name, config_text)],
        reports: BTreeMap::new(),
        parts: BTreeMap::new(),
        problems: Vec::new(),
        notes: Vec::new(),
    };
    for (at, outcome) in outcomes {
        let Outcome { report, gap, parsed, role } = outcome;
        let name = report.name.clone();
        let id = id_of(at);
        let unread = || Parsed {
            file: File::new(name.clone(), String::new()),
            reading: Reading::empty(),
            kind: RootKind::Directory,
            parts: Parted::default(),
        };
        let Parsed { file, reading, kind, parts } = parsed.unwrap_or_else(unread);
        let gaps = gap.into_iter().chain(reading.problems.iter().map(|p| gap_of(&name, p)));
        let chart = charts.get(at).cloned().flatten();
        let problem = refused_by_kustomize(&reading);
        let part = Part { role, kind, chart, gaps: gaps.collect(), defects: reading.defects };
        gathered.parts.insert(name.clone(), part);
        let Parted { trees, comments } = parts;
        let held = Held { id, documents: reading.documents, trees, comments, problem };
        gathered.store.files.insert(name.clone(), held);
        gathered.problems.extend(reading.problems);
        gathered.notes.extend(reading.notes);
        gathered.texts.push(file);
        gathered.reports.insert(name, report);
    }
    gathered
}

/// The first part of a file for which kustomize refuses all of it.
fn refused_by_kustomize(reading: &Reading) -> Option<(Span, String)> {
    let problem = reading.problems.first().map(|problem| (problem.at, problem.message.clone()));
    let twice = |defect: &&Defect| defect.kind == DefectKind::DuplicateKey;
    let twice = reading.defects.iter().find(twice).map(|defect| {
        (defect.at, format!("the key `{}` is written twice", excerpt(&defect.detail)))
    });
    let stranger = || Some((reading.stranger?, "a document names no `kind`".to_owned()));
    problem.or(twice).or_else(stranger)
}

/// What a document that could not be read leaves open.
fn gap_of(file: &str, problem: &Problem) -> Gap {
    let reason = match problem.state {
        State::NotRendered => GapReason::TemplateNotRendered,
        State::TooLarge => GapReason::TooLarge,
        _ => GapReason::Unparsable,
    };
    Gap {
        reason,
        what: format!("`{file}`"),
        at: Some(problem.at),
        hint: problem.help.unwrap_or("mend it").to_owned(),
        namespace: None,
    }
}
