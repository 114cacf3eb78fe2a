//! Which files a root depends on, also where rendering it failed.

use std::collections::BTreeSet;

use super::gather::Gathered;
use super::read::Role;
use super::roots::Root;
use super::store::{Kustomization, join};
use crate::document::{Node, RootKind, State};

/// Names of the files that a root was made from or would have been: what it read, what its
/// kustomizations name, what its GitOps objects apply, its chart. Rather too many than too few; a
/// name may be that of a file which is no longer there.
pub(super) fn files_of(root: &Root, gathered: &Gathered) -> BTreeSet<String> {
    // A walk also meets files that are no manifests.
    let met = |name: &&String| {
        root.kind != RootKind::Directory
            || gathered.reports.get(*name).is_none_or(|report| report.state != State::Excluded)
    };
    let files: BTreeSet<String> = root.files.iter().filter(met).cloned().collect();
    let mut uses = Uses { gathered, files, queue: Vec::new() };
    if !matches!(root.kind, RootKind::Directory | RootKind::Stdin | RootKind::DocumentFile) {
        uses.queue.push(root.name.clone());
    }
    uses.queue.extend(root.documents.iter().flat_map(|document| gathered.applied_by(document)));
    // A patch or base that was read may lie in a directory with a kustomization of its own.
    for name in &uses.files {
        let role = gathered.parts.get(name).map(|part| part.role);
        if role == Some(Role::Kustomization) {
            uses.queue.push(super::store::parent(name).to_owned());
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(directory) = uses.queue.pop() {
        if seen.insert(directory.clone()) {
            uses.directory(&directory);
        }
    }
    uses.files
}

struct Uses<'g> {
    gathered: &'g Gathered,
    files: BTreeSet<String>,
    queue: Vec<String>,
}

impl Uses<'_> {
    fn directory(&mut self, directory: &str) {
        let store = &self.gathered.store;
        let kustomizations = match store.kustomization(directory) {
            Kustomization::None => {
                let prefix = if directory == "." { String::new() } else { format!("{directory}/") };
                let behind = store.files.range(prefix.clone()..);
                for (name, held) in behind.take_while(|(name, _)| name.starts_with(&prefix)) {
                    self.files.insert(name.clone());
                    let applied = held.documents.iter().flat_map(|d| self.gathered.applied_by(d));
                    self.queue.extend(applied);
                    if self.gathered.parts.get(name).is_some_and(|p| p.role == Role::Kustomization)
                    {
                        self.queue.push(super::store::parent(name).to_owned());
                    }
                }
                return;
            }
            Kustomization::One(name, _) => vec![name],
            Kustomization::Several(names) => names,
        };
        for name in kustomizations {
            self.files.insert(name.to_owned());
            let trees = store.file(name).into_iter().flat_map(|held| &held.trees);
            trees.for_each(|tree| self.texts(tree.root(), directory));
        }
    }

    /// Takes every text of a kustomization for a path.
    fn texts(&mut self, root: Node<'_>, directory: &str) {
        let mut nodes = vec![root];
        while let Some(node) = nodes.pop() {
            nodes.extend(node.children());
            let Some(text) = node.as_str().filter(|text| !text.contains('\n')) else { continue };
            // Generators name files as `key=path`.
            let path = text.split_once('=').map_or(text, |(_, path)| path);
            let Some(name) = join(directory, path).filter(|_| !path.starts_with('/')) else {
                continue;
            };
            let store = &self.gathered.store;
            // The base itself is meant by `../..`, and not by every empty text.
            let meant = name != "." || path.contains("..");
            if meant && !store.files.contains_key(&name) && store.has_directory(&name) {
                self.queue.push(name);
                continue;
            }
            self.member(name);
        }
    }

    fn member(&mut self, name: String) {
        if let Some(held) = self.gathered.store.file(&name) {
            let applied = held.documents.iter().flat_map(|d| self.gathered.applied_by(d));
            self.queue.extend(applied);
        }
        self.files.insert(name);
    }
}
