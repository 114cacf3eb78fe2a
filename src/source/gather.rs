//! Every file of a run, read once: those of the arguments, and what their kustomizations refer to
//! elsewhere in the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use super::files::{Entry, What, walk};
use super::names::{Base, NameError};
use super::read::{Outcome, Parsed, Role, read_entry};
use super::storage::Storage;
use super::store::{Held, KUSTOMIZATIONS, Store, join, parent};
use super::{FileReport, Request};
use crate::document::{
    Defect, File, FileId, Gap, GapReason, Node, Note, Problem, RootKind, State, Tree,
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
    let mut next = 0;
    // A kustomization may refer to others outside of what was walked, and these to more.
    while next < entries.len() {
        let fresh: Vec<usize> = (next..entries.len())
            .filter(|at| entries.get(*at).is_some_and(|entry| is_kustomization(entry)))
            .collect();
        next = entries.len();
        let read = |at: usize| {
            let entry = entries.get(at)?.clone();
            Some((at, read_entry(entry, id_of(at), Role::Kustomization, request)))
        };
        let read: Vec<(usize, Outcome)> = fresh.into_par_iter().filter_map(read).collect();
        for (at, outcome) in read {
            let trees = outcome.parsed.iter().flat_map(|parsed| &parsed.trees);
            if trees.clone().any(|tree| is_object(tree)) {
                continue; // an object that only has the name of the file
            }
            let directory = parent(&outcome.report.name).to_owned();
            for reference in trees.flat_map(|tree| references(tree.root())) {
                let found = (&mut entries, &mut patches);
                follow(&reference, &directory, &base, &request.storage, found);
            }
            outcomes.insert(at, outcome);
        }
    }
    let charts: Vec<Option<String>> = entries.iter().map(chart_of).collect();
    let rest = entries.into_iter().enumerate().filter(|(at, _)| !outcomes.contains_key(at));
    let rest: Vec<(usize, Entry)> = rest.collect();
    let read = |(at, entry): (usize, Entry)| {
        let role = match &entry.what {
            What::Chart { .. } => Role::Chart,
            _ if patches.contains(&entry.name) => Role::Patch,
            _ => Role::Manifests,
        };
        (at, read_entry(entry, id_of(at), role, request))
    };
    outcomes.extend(rest.into_par_iter().with_min_len(1).map(read).collect::<Vec<_>>());
    Ok(assemble(outcomes, &charts, &base, request))
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
enum Reference {
    Resource(String),
    Patch(String),
}

fn references(root: Node<'_>) -> Vec<Reference> {
    let texts = |key: &str| {
        let list = root.get(key).into_iter().flat_map(Node::children);
        list.filter_map(Node::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let resources = ["resources", "bases", "components", "crds"].into_iter().flat_map(texts);
    let inline = |text: &String| text.contains(['\n', ':', '{']);
    let strategic = texts("patchesStrategicMerge").into_iter().filter(|text| !inline(text));
    let paths = ["patches", "patchesJson6902"].into_iter().flat_map(|key| {
        let list = root.get(key).into_iter().flat_map(Node::children);
        list.filter_map(|patch| patch.get("path")?.as_str().map(str::to_owned))
    });
    let patches = strategic.chain(paths).map(Reference::Patch);
    resources.map(Reference::Resource).chain(patches).collect()
}

/// Adds what a reference leads to, if it was not walked already.
fn follow(
    reference: &Reference,
    directory: &str,
    base: &Base,
    storage: &Storage,
    (entries, patches): (&mut Vec<Entry>, &mut BTreeSet<String>),
) {
    let (Reference::Resource(path) | Reference::Patch(path)) = reference;
    let Some(name) = join(directory, path).filter(|_| !path.starts_with('/')) else { return };
    if let Reference::Patch(_) = reference {
        patches.insert(name.clone());
    }
    let place = base.directory().join(&name);
    // What lies elsewhere is followed inside the repository only.
    let Ok(real) = storage.canonical(&place) else { return };
    if !real.starts_with(base.directory()) {
        return;
    }
    let mut add = |name: String, path: &Path| {
        let known = entries.iter().any(|entry| entry.name == name);
        if !known && storage.is_file(path) {
            entries.push(Entry { name, what: What::File(path.to_owned()) });
        }
    };
    if storage.is_dir(&real) {
        for file in KUSTOMIZATIONS {
            add(base.name(&real.join(file)), &real.join(file));
        }
    } else {
        add(base.name(&real), &real);
    }
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
            reading: crate::document::Reading::empty(),
            kind: RootKind::Directory,
            trees: Vec::new(),
        };
        let Parsed { file, reading, kind, trees } = parsed.unwrap_or_else(unread);
        let gaps = gap.into_iter().chain(reading.problems.iter().map(|p| gap_of(&name, p)));
        let chart = charts.get(at).cloned().flatten();
        let problem = reading.problems.first().map(|p| (p.at, p.message.clone()));
        let part = Part { role, kind, chart, gaps: gaps.collect(), defects: reading.defects };
        gathered.parts.insert(name.clone(), part);
        let held = Held { id, documents: reading.documents, trees, problem };
        gathered.store.files.insert(name.clone(), held);
        gathered.problems.extend(reading.problems);
        gathered.notes.extend(reading.notes);
        gathered.texts.push(file);
        gathered.reports.insert(name, report);
    }
    gathered
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
