//! What Flux and Argo CD apply: the directories that their objects name, and what they change in what
//! lies there.

mod argo;
mod flux;
mod sets;
mod substitute;
mod template;

pub(super) use argo::{
    Application, application, release as source_release, settings as source_settings,
};
pub(super) use flux::{kustomization, release, settings};
pub(super) use sets::{Open, generated};
pub(super) use substitute::{Variables, substitute};

use crate::document::Document;

/// Whether an object makes Flux or Argo CD apply something.
pub(super) fn applies(document: &Document) -> bool {
    matches!(
        (document.id.group.as_str(), document.id.kind.as_str()),
        ("kustomize.toolkit.fluxcd.io", "Kustomization")
            | ("helm.toolkit.fluxcd.io", "HelmRelease")
            | ("argoproj.io", "Application" | "ApplicationSet")
    )
}

/// The directories, as written, that an object of Flux or Argo CD applies, charts included.
pub(super) fn paths(document: &Document) -> Vec<String> {
    // Kinds of the model are none of theirs, and most objects are of such a kind.
    if document.kind.is_some() {
        return Vec::new();
    }
    // Another source than a repository in git is never this one.
    let of_flux = kustomization(document).filter(|kustomization| kustomization.from_git);
    let of_flux = of_flux.and_then(|kustomization| kustomization.path);
    let of_argo = application(document).into_iter().flat_map(|application| application.sources);
    let of_argo = of_argo.filter_map(|source| source.path);
    let of_helm = release(document).and_then(|release| release.chart);
    of_flux.into_iter().chain(of_argo).chain(of_helm).map(|path| path.0).collect()
}

/// The cluster that an object of Flux or Argo CD applies to, where that is not the one it lies in.
pub(super) fn cluster(document: &Document) -> Option<String> {
    let of_flux = kustomization(document).and_then(|kustomization| kustomization.cluster);
    of_flux.or_else(|| application(document)?.cluster)
}
