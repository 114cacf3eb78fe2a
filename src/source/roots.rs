//! Which files make one root: all manifests of the arguments together, environments that lie side by
//! side apart, and every document by itself.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::gather::Part;
use super::store::Held;
use crate::document::{Defect, Document, Gap, GapReason, Kind, Note, ObjectId, RootKind};

/// A file with manifests that nothing renders.
#[derive(Clone, Copy)]
pub(super) struct Plain<'g> {
    pub(super) name: &'g str,
    pub(super) held: &'g Held,
    pub(super) part: &'g Part,
}

/// What is judged together.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) name: String,
    pub(super) kind: RootKind,
    pub(super) documents: Vec<Document>,
    pub(super) defects: Vec<Defect>,
    pub(super) gaps: Vec<Gap>,
    /// Names of the files that it was made from.
    pub(super) files: BTreeSet<String>,
    /// Directories of it that could not be rendered.
    pub(super) failed: Vec<String>,
    /// What was rendered into it besides, by title.
    pub(super) members: Vec<String>,
    /// Remarks on what was rendered.
    pub(super) notes: Vec<Note>,
    /// What its objects apply to other clusters: roots of their own.
    pub(super) others: Vec<Root>,
}

impl Root {
    /// A root without anything.
    pub(super) fn new(name: impl Into<String>, kind: RootKind) -> Self {
        Self {
            name: name.into(),
            kind,
            documents: Vec::new(),
            defects: Vec::new(),
            gaps: Vec::new(),
            files: BTreeSet::new(),
            failed: Vec::new(),
            members: Vec::new(),
            notes: Vec::new(),
            others: Vec::new(),
        }
    }

    fn of_files(name: String, kind: RootKind, files: &[Plain<'_>]) -> Self {
        let mut root = Self::new(name, kind);
        for file in files {
            root.documents.extend(file.held.documents.iter().cloned());
            root.defects.extend(file.part.defects.iter().cloned());
            root.gaps.extend(file.part.gaps.iter().cloned());
            root.files.insert(file.name.to_owned());
        }
        root
    }
}

/// Opens the namespaces that another root fills, too: manifests as they are and what is rendered
/// beside them may be meant for one cluster, and nobody said so.
pub(super) fn open_shared(roots: &mut [Root]) {
    let fills: Vec<(bool, Vec<Gap>)> =
        roots.iter().map(|root| (is_plain(root), shared(root))).collect();
    for (at, root) in roots.iter_mut().enumerate() {
        let own = is_plain(root);
        if matches!(root.kind, RootKind::Stdin | RootKind::DocumentFile) {
            continue;
        }
        let others =
            fills.iter().enumerate().filter(|(other, (plain, _))| *other != at && *plain != own);
        root.gaps.extend(others.flat_map(|(_, (_, gaps))| gaps).cloned());
    }
}

fn is_plain(root: &Root) -> bool {
    root.kind == RootKind::Directory
}

/// What a root leaves open in another one: the namespaces of its pods, all of them for a chart, whose
/// namespace is known when it is installed.
fn shared(root: &Root) -> Vec<Gap> {
    let what = match root.kind {
        RootKind::Chart => format!("chart `{}`", root.name),
        RootKind::Kustomize => format!("kustomization `{}`", root.name),
        RootKind::Directory | RootKind::Flux | RootKind::ArgoCd => format!("`{}`", root.name),
        RootKind::Stdin | RootKind::DocumentFile => return Vec::new(),
    };
    let gap = |namespace: Option<String>| Gap {
        reason: GapReason::OtherRoot,
        what: what.clone(),
        at: None,
        hint: "it is judged by itself".to_owned(),
        namespace,
    };
    if root.kind == RootKind::Chart {
        return vec![gap(None)];
    }
    let pods = root.documents.iter().filter(|document| document.kind == Some(Kind::Pod));
    let namespaces: BTreeSet<&str> = pods.map(|document| document.id.namespace.as_str()).collect();
    namespaces.into_iter().map(|namespace| gap(Some(namespace.to_owned()))).collect()
}

/// Makes the roots of files that nothing renders: standard input, directories, documents.
pub(super) fn plain(files: &[Plain<'_>]) -> Vec<Root> {
    let of_kind = |kind: RootKind| {
        files.iter().copied().filter(move |file| file.part.kind == kind).collect::<Vec<_>>()
    };
    let mut roots = Vec::new();
    let stdin = of_kind(RootKind::Stdin);
    if !stdin.is_empty() {
        roots.push(Root::of_files("<stdin>".to_owned(), RootKind::Stdin, &stdin));
    }
    for (name, files) in environments(".".to_owned(), &of_kind(RootKind::Directory), 0) {
        let is_empty =
            |file: &Plain<'_>| file.held.documents.is_empty() && file.part.gaps.is_empty();
        if !files.iter().all(is_empty) {
            roots.push(Root::of_files(name, RootKind::Directory, &files));
        }
    }
    roots.extend(of_kind(RootKind::DocumentFile).into_iter().flat_map(by_cluster));
    roots
}

/// A document is one root per cluster that its commands name.
fn by_cluster(file: Plain<'_>) -> Vec<Root> {
    let mut clusters: BTreeMap<Option<Arc<str>>, Root> = BTreeMap::new();
    let empty = |name: String| Root {
        gaps: file.part.gaps.clone(),
        files: BTreeSet::from([file.name.to_owned()]),
        ..Root::new(name, RootKind::DocumentFile)
    };
    clusters.insert(None, empty(file.name.to_owned()));
    for document in &file.held.documents {
        let own = match &document.cluster {
            Some(cluster) => format!("{} ({cluster})", file.name),
            None => file.name.to_owned(),
        };
        let cluster = clusters.entry(document.cluster.clone()).or_insert_with(|| empty(own));
        let here = |defect: &&Defect| document.extent.contains(defect.at);
        cluster.defects.extend(file.part.defects.iter().filter(here).cloned());
        cluster.documents.push(document.clone());
    }
    let alone = clusters.len() == 1;
    clusters.into_values().filter(|root| alone || !root.documents.is_empty()).collect()
}

/// If the same object stands in two directories neither of which contains the other, each of these
/// directories is a root, joined with the files that lie outside all of them.
fn environments<'g>(
    name: String,
    files: &[Plain<'g>],
    depth: usize,
) -> Vec<(String, Vec<Plain<'g>>)> {
    /// Nested environments deeper than this are taken for one root.
    const DEEPEST: usize = 8;
    let mut directories = siblings(files);
    // The outermost ones first; what lies inside them is split in its turn.
    let all = directories.clone();
    directories.retain(|directory| {
        !all.iter().any(|outer| outer != directory && is_below(directory, outer))
    });
    if directories.is_empty() || depth >= DEEPEST {
        return vec![(name, files.to_vec())];
    }
    let outside = |file: &Plain<'_>| !directories.iter().any(|d| is_below(file.name, d));
    let shared: Vec<Plain<'g>> = files.iter().copied().filter(outside).collect();
    let mut roots = Vec::new();
    for directory in &directories {
        let own = files.iter().copied().filter(|file| is_below(file.name, directory));
        let files: Vec<Plain<'g>> = shared.iter().copied().chain(own).collect();
        roots.extend(environments(directory.clone(), &files, depth + 1));
    }
    roots
}

/// The directories in which the same object stands side by side.
fn siblings(files: &[Plain<'_>]) -> BTreeSet<String> {
    let ids = || {
        let held = files.iter().flat_map(|file| &file.held.documents);
        held.map(|document| document.id.as_ref())
    };
    let mut seen: HashSet<&ObjectId> = HashSet::with_capacity(ids().count());
    // Most trees hold no object twice.
    let again: HashSet<&ObjectId> = ids().filter(|id| !seen.insert(id)).collect();
    if again.is_empty() {
        return BTreeSet::new();
    }
    let objects = files.iter().flat_map(|file| {
        let directory = file.name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let twice = file.held.documents.iter().filter(|document| again.contains(&*document.id));
        twice.map(move |document| (document.id.as_ref(), directory))
    });
    let mut objects: Vec<(&ObjectId, &str)> = objects.collect();
    objects.sort_unstable();
    objects.dedup();
    let mut found = BTreeSet::new();
    for same in objects.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        let directories: Vec<&str> = same.iter().map(|(_, directory)| *directory).collect();
        // Neighbours in sorted order show every place at which directories part.
        for (a, b) in directories.iter().zip(directories.iter().skip(1)) {
            if let Some((x, y)) = diverge(a, b) {
                found.insert(x);
                found.insert(y);
            }
        }
    }
    found
}

/// Where two directories part; none if one contains the other.
fn diverge(a: &str, b: &str) -> Option<(String, String)> {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split('/').collect(), b.split('/').collect());
    let shared = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let up_to = |path: &[&str]| path.get(..=shared).map(|parts| parts.join("/"));
    Some((up_to(&a).filter(|p| !p.is_empty())?, up_to(&b).filter(|p| !p.is_empty())?))
}

/// Whether a file or directory lies in a directory, `.` being the whole tree.
pub(super) fn is_in(path: &str, directory: &str) -> bool {
    directory == "." || is_below(path, directory)
}

pub(super) fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
}
