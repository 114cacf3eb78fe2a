//! What became of every file once the roots are known, and the policies that no root includes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::discover::{Covered, is_component, reachable};
use super::gather::Gathered;
use super::read::Role;
use super::roots::{Root, is_below, is_in};
use crate::document::{Defect, DefectKind, Document, Node, RootKind, Span, State, is_policy};

/// Why a file that lies beside a kustomization is not judged.
pub(crate) const OUTSIDE: &str = "no root includes it";

/// Gives each file that was read its state, and the roots the policies that lie beside them.
pub(super) fn settle(gathered: &mut Gathered, roots: &mut [Root], covered: &Covered) {
    let used: BTreeSet<String> = roots.iter().flat_map(|root| &root.files).cloned().collect();
    let failed = roots.iter().flat_map(|root| &root.failed);
    let failed: BTreeSet<String> = failed.flat_map(|dir| reachable(gathered, dir)).collect();
    let mut orphans = Vec::new();
    for (name, report) in &mut gathered.reports {
        let Some(part) = gathered.parts.get(name) else { continue };
        let read = matches!(report.state, State::Analysed | State::NotKubernetes);
        if !read || part.kind != RootKind::Directory {
            continue;
        }
        let mut set = |state: State, reason: &str| {
            report.state = state;
            report.reason = Some(reason.to_owned());
            report.objects = 0;
        };
        let above = covered.above(name);
        match part.role {
            Role::Kustomization | Role::Patch | Role::Chart if used.contains(name) => {
                set(State::NotKubernetes, "a part of what is rendered");
            }
            Role::Manifests if used.contains(name) || above.is_none() => {}
            Role::Chart => set(State::NotRendered, "a part of a chart that is not rendered"),
            _ if failed.iter().any(|dir| is_in(name, dir)) => {
                set(State::NotRendered, "a part of what could not be rendered");
            }
            _ => {
                set(State::Excluded, OUTSIDE);
                orphans.push((name.clone(), above.unwrap_or(".").to_owned()));
            }
        }
    }
    for (name, above) in orphans {
        let found = defects(gathered, &name, &above, covered);
        if found.is_empty() {
            continue;
        }
        if let Some(root) = nearest(roots, &above) {
            root.defects.extend(found);
        }
    }
}

/// The root that is made of the most of what lies around a directory.
fn nearest<'r>(roots: &'r mut [Root], directory: &str) -> Option<&'r mut Root> {
    let near = |root: &Root| {
        let inside = root.files.iter().filter(|file| is_below(file, directory)).count();
        (inside, root.name == directory, root.documents.len())
    };
    let plain = |root: &&mut Root| !matches!(root.kind, RootKind::Stdin | RootKind::DocumentFile);
    roots.iter_mut().filter(plain).max_by_key(|root| near(root))
}

/// The policies of a file that no root includes.
fn defects(gathered: &Gathered, name: &str, above: &str, covered: &Covered) -> Vec<Defect> {
    let store = &gathered.store;
    let Some(held) = store.file(name) else { return Vec::new() };
    let kustomization = covered.kustomizations.get(above).and_then(|file| store.file(file));
    let tree = kustomization.and_then(|held| held.trees.first());
    let component = tree.is_some_and(|tree| is_component(tree));
    let list = tree.and_then(|tree| tree.root().get("resources")).and_then(Node::key_span);
    let beside = list.or_else(|| Some(Span::start_of(kustomization?.id)));
    let policy = |document: &&Document| is_policy(&document.id.group, &document.id.kind);
    let defect = |document: &Document| Defect {
        kind: DefectKind::OrphanPolicyFile,
        object: Arc::clone(&document.id),
        at: document.head,
        related: beside.into_iter().collect(),
        detail: if component { "component".to_owned() } else { String::new() },
    };
    held.documents.iter().filter(policy).map(defect).collect()
}
