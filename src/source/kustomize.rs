//! Kustomizations, rendered natively: the objects they give, each value with the place of the line
//! that set it.
//!
//! Source of every rule: the code of kustomize 5.8, with which the tests compare the results.

mod build;
mod fields;
mod file;
mod generate;
#[cfg(test)]
mod generated_tests;
mod json;
mod merge;
mod object;
#[cfg(test)]
mod oracle_tests;
mod patch;
mod references;
mod remote;
mod schema;
#[cfg(test)]
mod tests;
mod transform;

use std::collections::BTreeSet;

pub(super) use remote::{is_remote, remote_gap};

use super::store::{Held, Store};
use crate::document::{Document, Gap, Note, Span, Tree};

/// What a kustomization gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Build {
    /// Its objects, in the order of kustomize.
    pub(super) objects: Vec<Document>,
    /// Names of the files that it read, kustomization files and patches included.
    pub(super) files: BTreeSet<String>,
    /// What it could not give: remote bases.
    pub(super) gaps: Vec<Gap>,
    /// Directories that could not be rendered.
    pub(super) failed: Vec<String>,
    /// Remarks on it.
    pub(super) notes: Vec<Note>,
}

/// Why a kustomization is not rendered natively.
#[derive(Debug)]
pub(super) enum Refused {
    /// It needs what only kustomize itself can do.
    Unsupported {
        at: Span,
        /// The feature: `replacements`.
        what: String,
    },
    /// Kustomize refuses it, too.
    Broken {
        at: Span,
        /// Lower case, no full stop.
        message: String,
        help: &'static str,
    },
}

/// Renders the kustomization of a directory.
///
/// # Errors
/// Says why it cannot be rendered natively; nothing of it is then in the result.
pub(super) fn render(store: &Store, directory: &str) -> Result<Build, Refused> {
    build::Builder::run(store, directory)
}

/// What the settings of a GitOps object, written like those of a kustomization, make of objects.
///
/// # Errors
/// As [`render`].
pub(super) fn overlay(
    store: &Store,
    directory: &str,
    objects: &[Document],
    settings: (&Held, &Tree),
) -> Result<Build, Refused> {
    build::Builder::overlay(store, directory, objects, settings)
}
