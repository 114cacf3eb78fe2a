//! Which roots a tree has: kustomizations that no other one uses, what Flux and Argo CD apply, charts,
//! and the manifests that are left.

use std::collections::{BTreeMap, BTreeSet};

use super::gather::Gathered;
use super::gitops;
use super::kustomize::is_remote;
use super::read::Role;
use super::roots::{Plain, Root, is_below, plain};
use super::store::{Kustomization, join, parent};
use super::{Declared, Environment, Request};
use crate::document::{Node, RootKind, Span};

/// Where a root begins.
pub(super) enum Seed {
    /// Manifests as they are.
    Plain(Box<Root>),
    /// The kustomization of a directory.
    Kustomization(String),
    /// A directory that a Kustomization of Flux applies, itself included.
    Flux(String),
    /// A chart, and the environment that it is rendered for.
    Chart(String, Option<Box<Environment>>),
    /// A directory that the configuration names.
    Declared(Box<Declared>),
}

/// What a tree holds.
pub(super) struct Plan {
    pub(super) seeds: Vec<Seed>,
    /// Directories with a kustomization that can be a root, and their files.
    pub(super) kustomizations: BTreeMap<String, String>,
    /// Directories that Flux or Argo CD applies.
    pub(super) applied: BTreeSet<String>,
}

impl Plan {
    /// Finds the roots.
    pub(super) fn of(gathered: &Gathered, request: &Request) -> Self {
        let environments = &request.charts.environments;
        let mut kustomizations = BTreeMap::new();
        let mut components = BTreeSet::new();
        let mut used = BTreeSet::new();
        for (name, part) in &gathered.parts {
            if part.role != Role::Kustomization {
                continue;
            }
            let directory = parent(name).to_owned();
            let trees = gathered.store.file(name).into_iter().flat_map(|held| &held.trees);
            for tree in trees {
                if tree.root().get("kind").and_then(Node::as_str) == Some("Component") {
                    components.insert(directory.clone());
                }
                used.extend(bases(tree.root(), &directory));
            }
            kustomizations.insert(directory, name.clone());
        }
        let mut applied = BTreeSet::new();
        // A directory that holds the object which applies it begins a root of its own.
        let mut own = BTreeSet::new();
        for (name, held) in &gathered.store.files {
            for path in held.documents.iter().flat_map(gitops::paths) {
                let Some(directory) = gathered.store.resolve(&path, name) else { continue };
                if directory != "." && is_below(name, &directory) {
                    own.insert(directory.clone());
                }
                applied.insert(directory);
            }
        }
        let declared = |name: &str| {
            request.declared.iter().any(|root| root.path == "." || is_below(name, &root.path))
        };
        // What lies in a directory that begins a root, and is applied by what that root applies, is
        // no root again.
        let outermost =
            |dir: &&String| !own.iter().any(|o| o != *dir && is_below(dir, o)) && !declared(dir);
        let flux = own.iter().filter(outermost).cloned().map(Seed::Flux);
        let in_applied = |dir: &str| applied.iter().any(|a| is_below(dir, a)) || declared(dir);
        let alone = kustomizations.keys().filter(|directory| {
            !components.contains(*directory) && !used.contains(*directory) && !in_applied(directory)
        });
        let alone = alone.cloned().map(Seed::Kustomization);
        let charts = gathered.parts.values().filter_map(|part| part.chart.clone());
        let charts: BTreeSet<String> = charts.filter(|chart| !in_applied(chart)).collect();
        let charts = charts.into_iter().flat_map(|chart| {
            let environments = environments.iter().cloned().map(Box::new).map(Some);
            let alone = environments.len() == 0;
            let each = environments.chain(alone.then_some(None));
            each.map(|environment| Seed::Chart(chart.clone(), environment)).collect::<Vec<_>>()
        });
        let covered = |name: &str| {
            kustomizations.keys().any(|d| is_below(name, d) || d == ".")
                || applied.iter().any(|a| is_below(name, a))
                || declared(name)
        };
        let files: Vec<Plain<'_>> = gathered
            .parts
            .iter()
            .filter(|(name, part)| {
                part.role == Role::Manifests && (part.kind != RootKind::Directory || !covered(name))
            })
            .filter_map(|(name, part)| Some(Plain { name, held: gathered.store.file(name)?, part }))
            .collect();
        let mut seeds: Vec<Seed> =
            plain(&files).into_iter().map(Box::new).map(Seed::Plain).collect();
        seeds.extend(flux.chain(alone).chain(charts));
        seeds.extend(request.declared.iter().cloned().map(Box::new).map(Seed::Declared));
        applied.extend(request.declared.iter().map(|root| root.path.clone()));
        Self { seeds, kustomizations, applied }
    }
}

/// The outermost directories that are applied and of which no root holds anything: the object that
/// applies them is not applied itself.
pub(super) fn lost(applied: &BTreeSet<String>, gathered: &Gathered, roots: &[Root]) -> Vec<Seed> {
    let held = |directory: &String| {
        let inside = |name: &String| is_below(name, directory);
        roots.iter().any(|root| root.files.iter().chain(&root.failed).any(inside))
    };
    let lost: Vec<&String> = applied.iter().filter(|dir| *dir != "." && !held(dir)).collect();
    let outermost = |dir: &&&String| !lost.iter().any(|o| o != *dir && is_below(dir, o));
    let is_chart =
        |dir: &String| gathered.parts.values().any(|part| part.chart.as_ref() == Some(dir));
    let seed = |dir: &String| match is_chart(dir) {
        true => Seed::Chart(dir.clone(), None),
        false => Seed::Flux(dir.clone()),
    };
    let read = |dir: &&&String| gathered.store.has_directory(dir);
    lost.iter().filter(outermost).filter(read).map(|dir| seed(dir)).collect()
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
    let lists = ["resources", "bases", "components", "crds"];
    let mut found = Vec::new();
    for name in reachable(gathered, directory) {
        let Kustomization::One(_, held) = gathered.store.kustomization(&name) else { continue };
        let roots = held.trees.iter().map(|tree| tree.root());
        let lists = roots.flat_map(|root| lists.into_iter().filter_map(move |key| root.get(key)));
        let entries = lists.flat_map(Node::children).filter_map(|n| Some((n.as_str()?, n.span())));
        let remote = entries.filter(|(path, _)| is_remote(path));
        found.extend(remote.map(|(path, at)| (path.to_owned(), at)));
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
                let patches =
                    held.trees.iter().flat_map(|tree| super::gather::patches(tree.root()));
                files.extend(patches.filter_map(|patch| join(&name, &patch)));
            }
            _ if gathered.store.file(&name).is_some() => _ = files.insert(name),
            _ => {}
        }
    }
    files
}

/// The directories and files that a kustomization uses.
fn bases(root: Node<'_>, directory: &str) -> Vec<String> {
    let lists = ["resources", "bases", "components"];
    let entries = lists.into_iter().filter_map(|key| root.get(key)).flat_map(Node::children);
    entries.filter_map(|entry| join(directory, entry.as_str()?)).collect()
}
