//! From inputs to one inventory per root.

mod adjust;
mod discover;
mod expand;
mod external;
mod fences;
mod files;
mod gather;
mod git;
mod gitops;
mod helm;
mod kustomize;
mod names;
#[cfg(test)]
mod oracle;
mod process;
mod programs;
mod read;
mod roots;
mod states;
mod storage;
mod store;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use globset::GlobMatcher;
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator,
};

pub(crate) use files::TEXT_LEFT_OUT;
pub use git::{GitError, repository_of, snapshot};
pub use names::{Base, CONFIGURATIONS, NameError};
pub(crate) use states::OUTSIDE;
pub use storage::{Snapshot, Storage};

use crate::document::{Files, Inventory, Note, Problem, ReadOptions, State};
use discover::{Plan, Seed, lost};
use expand::expand;
use gather::{Gathered, gather};
use programs::Programs;
use read::read_file;
use roots::{Root, open_shared};
use states::settle;
use uses::files_of;

/// What to read.
#[derive(Debug, Default)]
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
    /// Version of Kubernetes that charts are rendered for: `1.34`.
    pub kubernetes_version: Option<String>,
    /// How charts are rendered that nothing installs.
    pub charts: Charts,
    /// Roots that are named; nothing is discovered inside them.
    pub declared: Vec<Declared>,
    /// palisade.yaml, which is a text like the others: findings may point into it.
    pub config: Option<(String, String)>,
    /// Where all of it lies.
    pub storage: Storage,
}

/// How charts are rendered that no object of Flux or Argo CD installs.
#[derive(Clone, Debug, Default)]
pub struct Charts {
    /// Files with values, for every environment.
    pub values: Vec<PathBuf>,
    /// Single values over all others: `replicas=3`.
    pub sets: Vec<String>,
    /// Environments: a chart is rendered once for each.
    pub environments: Vec<Environment>,
}

/// A root that the configuration names.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Its directory, relative to the base.
    pub path: String,
    /// Its name in outputs.
    pub name: String,
    /// Values of `${VAR}` in what it holds.
    pub variables: BTreeMap<String, String>,
    /// Values, for a chart.
    pub values: Environment,
}

/// Values of one environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Name: `prod`.
    pub name: String,
    /// Files with values, relative to the repository or to the chart.
    pub values: Vec<String>,
    /// Single values.
    pub sets: Vec<String>,
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
    /// Names of the files that it depends on: those that it was made from, or would have been.
    pub uses: BTreeSet<String>,
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

/// A root and those of other clusters that its objects make.
fn with_others(mut root: Root) -> Vec<Root> {
    let others = std::mem::take(&mut root.others);
    std::iter::once(root).chain(others.into_iter().flat_map(with_others)).collect()
}

/// Reads every input. The only error is an argument that does not exist.
///
/// # Errors
/// Gives the argument that cannot be found.
pub fn load(request: &Request) -> Result<Loaded, NameError> {
    let mut gathered = gather(request)?;
    let plan = Plan::of(&gathered, request);
    let covered = plan.covered;
    let native = plan.seeds.into_par_iter().map(|seed| expand(seed, &gathered, None));
    let native: Vec<Result<Root, Seed>> = native.collect();
    // What other programs render comes one after the other: their texts are numbered.
    let programs = Programs::new(&gathered, request);
    let with_programs = |seed| expand(seed, &gathered, Some(&programs)).ok();
    let roots = native.into_iter().filter_map(|root| root.map_or_else(with_programs, Some));
    let mut roots: Vec<Root> = roots.flat_map(with_others).collect();
    // What an object applies that no root holds is a root by itself.
    let lost = lost(&covered, &roots);
    let lost: Vec<Root> =
        lost.into_iter().filter_map(with_programs).flat_map(with_others).collect();
    roots.extend(lost);
    let (texts, problems) = programs.into_parts();
    gathered.texts.extend(texts);
    gathered.problems.extend(problems);
    gathered.notes.extend(roots.iter_mut().flat_map(|root| std::mem::take(&mut root.notes)));
    settle(&mut gathered, &mut roots, &covered);
    open_shared(&mut roots);
    let uses: Vec<BTreeSet<String>> =
        roots.par_iter().map(|root| files_of(root, &gathered)).collect();
    let Gathered { texts, reports, problems, notes, store, parts } = gathered;
    // Thousands of small parts: they are given back while the inventories are made.
    rayon::spawn(move || drop((store, parts)));
    let inventory = |(root, uses): (Root, BTreeSet<String>)| {
        let Root { name, kind, documents, defects, gaps, files, members, .. } = root;
        let inventory = Inventory::new(name, kind, documents, defects, gaps);
        (Arc::new(inventory), Origin { files, uses, members })
    };
    let (inventories, origins) = roots.into_par_iter().zip(uses).map(inventory).unzip();
    Ok(Loaded {
        files: Files::new(texts),
        inventories,
        origins,
        reports: reports.into_values().collect(),
        problems,
        notes,
    })
}
