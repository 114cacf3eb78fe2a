//! From inputs to one inventory per root.

mod discover;
mod expand;
mod fences;
mod files;
mod gather;
mod git;
mod gitops;
mod kustomize;
mod names;
mod read;
mod roots;
mod states;
mod storage;
mod store;
mod uses;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use globset::GlobMatcher;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator as _, ParallelIterator};

pub(crate) use files::TEXT_LEFT_OUT;
pub use git::{GitError, repository_of, snapshot};
pub use names::{Base, CONFIGURATIONS, NameError};
pub use storage::{Snapshot, Storage};

use crate::document::{Files, Inventory, Note, Problem, ReadOptions, State};
use discover::Plan;
use expand::expand;
use gather::{Gathered, gather};
use roots::Root;
use states::settle;
use uses::files_of;

/// What to read.
#[derive(Debug)]
pub struct Request {
    /// Files and directories, as given.
    pub paths: Vec<PathBuf>,
    /// Whether standard input is read.
    pub stdin: bool,
    /// Globs of files to leave out.
    pub exclude: Vec<GlobMatcher>,
    /// Whether a walk also reads documents and scripts.
    pub include_docs: bool,
    /// How texts are read.
    pub options: ReadOptions,
    /// palisade.yaml, which is a text like the others: findings may point into it.
    pub config: Option<(String, String)>,
    /// Where all of it lies.
    pub storage: Storage,
}

/// What became of one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// Name as printed.
    pub name: String,
    /// State.
    pub state: State,
    /// Number of objects.
    pub objects: usize,
    /// Number of documents and fences that are no Kubernetes objects and not meant to be.
    pub not_kubernetes: usize,
    /// Why, where the state needs a reason.
    pub reason: Option<String>,
}

/// Everything that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Texts.
    pub files: Files,
    /// One inventory per root.
    pub inventories: Vec<Arc<Inventory>>,
    /// Names of the files that each of them was made from, or would have been.
    pub root_files: Vec<BTreeSet<String>>,
    /// Every file that was met, once, sorted by name.
    pub reports: Vec<FileReport>,
    /// Parts that gave no object and should have.
    pub problems: Vec<Problem>,
    /// Remarks.
    pub notes: Vec<Note>,
}

/// Reads every input. The only error is an argument that does not exist.
///
/// # Errors
/// Gives the argument that cannot be found.
pub fn load(request: &Request) -> Result<Loaded, NameError> {
    let mut gathered = gather(request)?;
    let Plan { seeds, kustomizations, applied } = Plan::of(&gathered);
    let roots: Vec<Root> = seeds.into_par_iter().map(|seed| expand(seed, &gathered)).collect();
    settle(&mut gathered, &roots, &kustomizations, &applied);
    let root_files = roots.par_iter().map(|root| files_of(root, &gathered)).collect();
    let Gathered { texts, reports, problems, notes, .. } = gathered;
    let inventory = |root: Root| {
        let Root { name, kind, documents, defects, gaps, .. } = root;
        Arc::new(Inventory::new(name, kind, documents, defects, gaps))
    };
    Ok(Loaded {
        files: Files::new(texts),
        inventories: roots.into_par_iter().map(inventory).collect(),
        root_files,
        reports: reports.into_values().collect(),
        problems,
        notes,
    })
}
