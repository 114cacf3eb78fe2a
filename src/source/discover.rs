//! Which roots a tree has: kustomizations that no other one uses, what Flux and Argo CD apply, charts,
//! and the manifests that are left.

use std::collections::{BTreeMap, BTreeSet};

use super::gather::{Gathered, Part, Reference, references};
use super::kustomize::is_remote;
use super::read::Role;
use super::roots::{Plain, Root, is_below, is_in, plain};
use super::store::{Kustomization, join, parent};
use super::{Declared, Environment, Request};
use crate::document::{Document, Node, RootKind, Span, Tree};

/// Where a root begins.
pub(super) enum Seed {
    /// Manifests as they are.
    Plain(Box<Root>),
    /// The kustomization of a directory.
    Kustomization(String),
    /// What an object of Flux or Argo CD applies that no other root holds, and the directory.
    Applied(String, Box<Document>),
    /// A chart, and the environment that it is rendered for.
    Chart(String, Option<Box<Environment>>),
    /// A directory that the configuration names.
    Declared(Box<Declared>),
}

/// What surrounds the files of a tree.
#[derive(Default)]
pub(super) struct Covered {
    /// Directories with a kustomization, and its file.
    pub(super) kustomizations: BTreeMap<String, String>,
    /// Directories that Flux, Argo CD or the configuration applies, and the first object of those
    /// that do.
    applied: BTreeMap<String, Option<Document>>,
}

impl Covered {
    /// The nearest directory above a file that has a kustomization or is applied.
    pub(super) fn above<'n>(&self, name: &'n str) -> Option<&'n str> {
        let covers = |dir: &&str| self.kustomizations.contains_key(*dir) || self.applies(dir);
        parents(name).find(covers)
    }

    fn applies(&self, directory: &str) -> bool {
        self.applied.contains_key(directory)
    }

    /// Whether a directory is applied, or one above it.
    fn holds(&self, directory: &str) -> bool {
        self.applies(directory) || parents(directory).any(|above| self.applies(above))
    }
}

/// The directories above a file or directory, the innermost first.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    fn above<'n>(name: &&'n str) -> Option<&'n str> {
        (*name != ".").then(|| parent(name))
    }
    std::iter::successors(above(&name), above)
}

/// What a tree holds.
pub(super) struct Plan {
    pub(super) seeds: Vec<Seed>,
    pub(super) covered: Covered,
}

impl Plan {
    /// Finds the roots.
    pub(super) fn of(gathered: &Gathered, request: &Request) -> Self {
        let mut covered = Covered::default();
        // A directory that holds the object which applies it begins a root of its own.
        let mut own: BTreeSet<String> = BTreeSet::new();
        for (name, held) in &gathered.store.files {
            for document in &held.documents {
                for directory in gathered.applied_by(document) {
                    if directory != "." && is_below(name, &directory) {
                        own.insert(directory.clone());
                    }
                    covered.applied.entry(directory).or_insert_with(|| Some(document.clone()));
                }
            }
        }
        let declared = |name: &str| request.declared.iter().any(|root| is_in(name, &root.path));
        // What lies in a directory that begins a root, and is applied by what that root applies, is
        // no root again.
        let outermost = |dir: &&String| !parents(dir).any(|above| own.contains(above));
        let own = own.iter().filter(outermost).filter(|dir| !declared(dir));
        let own = own.filter_map(|dir| {
            let owner = covered.applied.get(dir)?.clone()?;
            Some(Seed::Applied(dir.clone(), Box::new(owner)))
        });
        let mut own: Vec<Seed> = own.collect();
        let paths = request.declared.iter().map(|root| (root.path.clone(), None));
        covered.applied.extend(paths);
        for (name, part) in &gathered.parts {
            if part.role == Role::Kustomization {
                covered.kustomizations.insert(parent(name).to_owned(), name.clone());
            }
        }
        own.extend(alone(gathered, &covered).into_iter().map(Seed::Kustomization));
        let charts = gathered.parts.values().filter_map(|part| part.chart.as_ref());
        let charts: BTreeSet<&String> = charts.filter(|chart| !covered.holds(chart)).collect();
        for chart in charts {
            let environments = request.charts.environments.iter().cloned().map(Box::new);
            let mut each: Vec<_> = environments.map(Some).collect();
            if each.is_empty() {
                each.push(None);
            }
            own.extend(each.into_iter().map(|each| Seed::Chart(chart.clone(), each)));
        }
        let is_plain = |name: &str, part: &Part| {
            part.role == Role::Manifests
                && (part.kind != RootKind::Directory || covered.above(name).is_none())
        };
        let files = gathered.parts.iter().filter(|(name, part)| is_plain(name, part));
        let files: Vec<Plain<'_>> = files
            .filter_map(|(name, part)| Some(Plain { name, held: gathered.store.file(name)?, part }))
            .collect();
        let mut seeds: Vec<Seed> =
            plain(&files).into_iter().map(Box::new).map(Seed::Plain).collect();
        seeds.extend(own);
        seeds.extend(request.declared.iter().cloned().map(Box::new).map(Seed::Declared));
        Self { seeds, covered }
    }
}

/// The kustomizations that no other one uses and nothing applies, and one of each circle of those
/// that only use each other.
fn alone(gathered: &Gathered, covered: &Covered) -> Vec<String> {
    let mut components = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (directory, name) in &covered.kustomizations {
        let trees = gathered.store.file(name).into_iter().flat_map(|held| &held.trees);
        for tree in trees {
            if is_component(tree) {
                components.insert(directory);
            }
            used.extend(bases(tree.root(), directory));
        }
    }
    let candidates: Vec<&String> = covered
        .kustomizations
        .keys()
        .filter(|dir| !components.contains(dir) && !covered.holds(dir))
        .collect();
    let mut roots: Vec<String> =
        candidates.iter().filter(|dir| !used.contains(**dir)).map(|dir| (*dir).clone()).collect();
    let begins = roots.iter().chain(covered.kustomizations.keys().filter(|dir| covered.holds(dir)));
    let mut reached: BTreeSet<String> = begins.flat_map(|dir| reachable(gathered, dir)).collect();
    for directory in candidates {
        if !reached.contains(directory) {
            reached.extend(reachable(gathered, directory));
            roots.push(directory.clone());
        }
    }
    roots
}

/// Whether a kustomization file is that of a component.
pub(super) fn is_component(tree: &Tree) -> bool {
    tree.root().get("kind").and_then(Node::as_str) == Some("Component")
}

/// The outermost directories that are applied and of which no root holds anything: the object that
/// applies them is not applied itself.
pub(super) fn lost(covered: &Covered, roots: &[Root]) -> Vec<Seed> {
    let held = roots.iter().flat_map(|root| root.files.iter().chain(&root.failed));
    let held: BTreeSet<&str> = held.flat_map(|name| parents(name).chain([name.as_str()])).collect();
    let lost =
        covered.applied.iter().filter(|(dir, _)| *dir != "." && !held.contains(dir.as_str()));
    let lost: BTreeMap<&String, &Document> =
        lost.filter_map(|(dir, owner)| Some((dir, owner.as_ref()?))).collect();
    let outermost = |dir: &str| !parents(dir).any(|above| lost.contains_key(&above.to_owned()));
    let seeds = lost.iter().filter(|(dir, _)| outermost(dir));
    seeds.map(|(dir, owner)| Seed::Applied((*dir).clone(), Box::new((*owner).clone()))).collect()
}

/// A directory and everything that its kustomization uses.
pub(super) fn reachable(gathered: &Gathered, directory: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        if let Kustomization::One(_, held) = gathered.store.kustomization(&directory) {
            let used = held.trees.iter().flat_map(|tree| bases(tree.root(), &directory));
            open.extend(used.filter(|used| !reached.contains(used)));
        }
        reached.insert(directory);
    }
    reached
}

/// What a kustomization and those that it uses name on other hosts.
pub(super) fn remote_bases(gathered: &Gathered, directory: &str) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    for name in reachable(gathered, directory) {
        let Kustomization::One(_, held) = gathered.store.kustomization(&name) else { continue };
        for reference in held.trees.iter().flat_map(|tree| references(tree.root())) {
            if let Reference::Resource(node) = reference
                && is_remote(reference.path())
            {
                found.push((reference.path().to_owned(), node.span()));
            }
        }
    }
    found
}

/// The files that a kustomization uses, as far as they were read.
pub(super) fn reachable_files(gathered: &Gathered, directory: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for name in reachable(gathered, directory) {
        match gathered.store.kustomization(&name) {
            Kustomization::One(file, held) => {
                files.insert(file.to_owned());
                let all = held.trees.iter().flat_map(|tree| references(tree.root()));
                let patches = all.filter(|reference| matches!(reference, Reference::Patch(_)));
                files.extend(patches.filter_map(|patch| join(&name, patch.path())));
            }
            _ if gathered.store.file(&name).is_some() => _ = files.insert(name),
            _ => {}
        }
    }
    files
}

/// The directories and files with objects that a kustomization uses.
fn bases(root: Node<'_>, directory: &str) -> Vec<String> {
    let resources = references(root).into_iter();
    let resources = resources.filter(|reference| matches!(reference, Reference::Resource(_)));
    resources.filter_map(|resource| join(directory, resource.path())).collect()
}
