//! From inputs to one inventory per root.

mod discover;
mod expand;
mod fences;
mod files;
mod gather;
mod gitops;
mod kustomize;
mod names;
mod read;
mod roots;
mod states;
mod store;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use globset::GlobMatcher;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

pub(crate) use files::TEXT_LEFT_OUT;
pub use names::{Base, CONFIGURATIONS, NameError};
pub(crate) use states::OUTSIDE;

use crate::document::{Files, Inventory, Note, Problem, ReadOptions, State};
use discover::Plan;
use expand::expand;
use gather::{Gathered, gather};
use read::read_file;
use roots::{Root, open_shared};
use states::{Covered, settle};

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

/// What a root was made of.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Names of its files, kustomization files and patches included.
    pub files: BTreeSet<String>,
    /// The objects of Flux and Argo CD whose own objects were joined into it.
    pub members: Vec<String>,
}

/// Everything that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Texts.
    pub files: Files,
    /// One inventory per root.
    pub inventories: Vec<Arc<Inventory>>,
    /// What each root was made of, in the order of the inventories.
    pub origins: Vec<Origin>,
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
    let plan = Plan::of(&gathered);
    let covered = Covered::of(&plan);
    let expanded = plan.seeds.into_par_iter().map(|seed| expand(seed, &gathered));
    let mut roots: Vec<Root> = expanded.collect();
    settle(&mut gathered, &mut roots, &covered);
    open_shared(&mut roots);
    let Gathered { texts, reports, problems, notes, .. } = gathered;
    let inventory = |root: Root| {
        let Root { name, kind, documents, defects, gaps, files, members, .. } = root;
        let inventory = Inventory::new(name, kind, documents, defects, gaps);
        (Arc::new(inventory), Origin { files, members })
    };
    let (inventories, origins) = roots.into_par_iter().map(inventory).unzip();
    Ok(Loaded {
        files: Files::new(texts),
        inventories,
        origins,
        reports: reports.into_values().collect(),
        problems,
        notes,
    })
}
