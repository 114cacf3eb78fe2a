//! What became of every file once the roots are known, and the policies that no root includes.

use std::collections::{BTreeMap, BTreeSet};

use super::gather::Gathered;
use super::read::Role;
use super::roots::{Root, is_below};
use crate::document::{RootKind, State};

/// Gives each file that was read its state.
pub(super) fn settle(
    gathered: &mut Gathered,
    roots: &[Root],
    kustomizations: &BTreeMap<String, String>,
    applied: &BTreeSet<String>,
) {
    let used: BTreeSet<&str> = roots.iter().flat_map(|r| &r.files).map(String::as_str).collect();
    let failed: Vec<&Root> = roots
        .iter()
        .filter(|root| root.gaps.iter().any(|gap| gap.reason.is_incomplete()))
        .collect();
    for (name, report) in &mut gathered.reports {
        let Some(part) = gathered.parts.get(name) else { continue };
        let read = matches!(report.state, State::Analysed | State::NotKubernetes);
        if !read || part.kind != RootKind::Directory {
            continue;
        }
        let covered = kustomizations.keys().any(|dir| dir == "." || is_below(name, dir))
            || applied.iter().any(|dir| is_below(name, dir));
        let mut set = |state: State, reason: &str| {
            report.state = state;
            report.reason = Some(reason.to_owned());
            report.objects = 0;
        };
        match part.role {
            Role::Kustomization | Role::Patch | Role::Chart if used.contains(name.as_str()) => {
                set(State::NotKubernetes, "a part of what is rendered");
            }
            Role::Manifests if used.contains(name.as_str()) || !covered => {}
            _ if failed.iter().any(|root| root.name == "." || is_below(name, &root.name)) => {
                set(State::NotRendered, "a part of what could not be rendered");
            }
            Role::Chart => set(State::NotRendered, "a part of a chart that is not rendered"),
            _ => set(State::Excluded, "no root includes it"),
        }
    }
}
