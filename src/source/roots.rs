//! Which files make one root: all manifests of the arguments together, environments that lie side by
//! side apart, and every document by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::Contents;
use crate::document::{Defect, Document, Gap, Inventory, ObjectId, RootKind};

/// What one file gave.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) kind: RootKind,
    pub(super) documents: Vec<Document>,
    pub(super) defects: Vec<Defect>,
    pub(super) gaps: Vec<Gap>,
}

/// Makes the roots.
pub(super) fn split(parts: Vec<Part>) -> Vec<Inventory> {
    let (documents, plain): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| part.kind == RootKind::DocumentFile);
    let mut roots = Vec::new();
    let mut manifests: Vec<&Part> = plain.iter().collect();
    let stdin: Vec<&Part> = plain.iter().filter(|part| part.kind == RootKind::Stdin).collect();
    manifests.retain(|part| part.kind != RootKind::Stdin);
    if !stdin.is_empty() {
        roots.push(inventory("<stdin>".to_owned(), RootKind::Stdin, &stdin));
    }
    for (name, files) in environments(".".to_owned(), &manifests, 0) {
        let empty = files.iter().all(|part| part.documents.is_empty() && part.gaps.is_empty());
        if !empty {
            roots.push(inventory(name, RootKind::Directory, &files));
        }
    }
    roots.extend(documents.into_iter().flat_map(by_cluster));
    roots
}

/// A document is one root per cluster that its commands name.
fn by_cluster(part: Part) -> Vec<Inventory> {
    let mut clusters: BTreeMap<Option<Arc<str>>, Part> = BTreeMap::new();
    let Part { name, kind, documents, defects, gaps } = part;
    let empty = |name: String| Part {
        name,
        kind,
        documents: Vec::new(),
        defects: Vec::new(),
        gaps: gaps.clone(),
    };
    clusters.insert(None, empty(name.clone()));
    for document in documents {
        let own = match &document.cluster {
            Some(cluster) => format!("{name} ({cluster})"),
            None => name.clone(),
        };
        let cluster = clusters.entry(document.cluster.clone()).or_insert_with(|| empty(own));
        let here = |defect: &&Defect| document.extent.contains(defect.at);
        cluster.defects.extend(defects.iter().filter(here).cloned());
        cluster.documents.push(document);
    }
    let alone = clusters.len() == 1;
    let kept = clusters.into_values().filter(|part| alone || !part.documents.is_empty());
    kept.map(|part| inventory(part.name.clone(), RootKind::DocumentFile, &[&part])).collect()
}

fn inventory(name: String, kind: RootKind, parts: &[&Part]) -> Inventory {
    let (mut documents, mut defects, mut gaps): Contents = Default::default();
    for part in parts {
        documents.extend(part.documents.iter().cloned());
        defects.extend(part.defects.iter().cloned());
        gaps.extend(part.gaps.iter().cloned());
    }
    Inventory::new(name, kind, documents, defects, gaps)
}

/// If the same object stands in two directories neither of which contains the other, each of these
/// directories is a root, joined with the files that lie outside all of them.
fn environments<'p>(
    name: String,
    parts: &[&'p Part],
    depth: usize,
) -> Vec<(String, Vec<&'p Part>)> {
    /// Nested environments deeper than this are taken for one root.
    const DEEPEST: usize = 8;
    let mut directories = siblings(parts);
    // The outermost ones first; what lies inside them is split in its turn.
    let all = directories.clone();
    directories.retain(|directory| {
        !all.iter().any(|outer| outer != directory && is_below(directory, outer))
    });
    if directories.is_empty() || depth >= DEEPEST {
        return vec![(name, parts.to_vec())];
    }
    let outside = |part: &&'p Part| !directories.iter().any(|d| is_below(&part.name, d));
    let shared: Vec<&'p Part> = parts.iter().copied().filter(outside).collect();
    let mut roots = Vec::new();
    for directory in &directories {
        let own = parts.iter().copied().filter(|part| is_below(&part.name, directory));
        let files: Vec<&'p Part> = shared.iter().copied().chain(own).collect();
        roots.extend(environments(directory.clone(), &files, depth + 1));
    }
    roots
}

/// The directories in which the same object stands side by side.
fn siblings(parts: &[&Part]) -> BTreeSet<String> {
    let objects = parts.par_iter().flat_map_iter(|part| {
        let directory = part.name.rsplit_once('/').map_or("", |(directory, _)| directory);
        part.documents.iter().map(move |document| (document.id.as_ref(), directory))
    });
    let mut objects: Vec<(&ObjectId, &str)> = objects.collect();
    objects.par_sort_unstable();
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

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
}
