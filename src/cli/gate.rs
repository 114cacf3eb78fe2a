//! What a gate looks at: the changed files of a repository, and what an earlier tree did not have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::output::{self, Content};
use super::setup::{Setup, declared, is_stdin};
use super::{CheckArgs, CliError};
use crate::config::ConfigError;
use crate::document::{File, Files, Span, clean};
use crate::engine::{Baseline, Earlier, assess, conclude};
use crate::finding::{Assessment, Finding};
use crate::report::Apart;
use crate::source::{Base, GitError, Loaded, Origin, Request, Snapshot, Storage, load};
use crate::source::{repository_of, snapshot};

/// What is read, and which of it counts.
pub(super) struct Scope {
    /// What is read.
    pub(super) paths: Vec<PathBuf>,
    /// Names of the changed files, if only what touches them counts.
    changed: Option<BTreeSet<String>>,
}

impl Scope {
    /// Finds it.
    pub(super) fn of(args: &CheckArgs) -> Result<Self, CliError> {
        let paths: Vec<PathBuf> =
            args.paths.iter().filter(|path| !is_stdin(path)).cloned().collect();
        let gate = args.changed_files || args.diff_base.is_some();
        if gate && paths.len() < args.paths.len() {
            return Err(CliError::StdinInGate);
        }
        if !args.changed_files {
            return Ok(Self { paths, changed: None });
        }
        let missing = |error: &dyn std::fmt::Display| CliError::NoSuchInput(error.to_string());
        let context = match &args.context_dir {
            Some(directory) => directory.clone(),
            None => {
                let first = paths.first().map_or(Path::new("."), PathBuf::as_path);
                let unknown = || CliError::NoContext(clean(&first.to_string_lossy()));
                repository_of(first).ok_or_else(unknown)?
            }
        };
        let base = Base::of(std::slice::from_ref(&context)).map_err(|error| missing(&error))?;
        let real = context.canonicalize().unwrap_or_else(|_| context.clone());
        let mut read = vec![context];
        let places: Vec<PathBuf> = paths.iter().flat_map(|path| places(path)).collect();
        // What lies elsewhere is read besides.
        read.extend(places.iter().filter(|p| !p.starts_with(&real) && p.exists()).cloned());
        let base = match read.len() {
            1 => base,
            _ => Base::of(&read).map_err(|error| missing(&error))?,
        };
        let changed = places.iter().map(|place| base.name(place)).collect();
        Ok(Self { paths: read, changed: Some(changed) })
    }

    /// Whether the file of a name is one of the changed files, or lies in what is named as one.
    fn has(&self, name: &str) -> bool {
        let Some(changed) = &self.changed else { return true };
        let holders = name.match_indices('/').filter_map(|(at, _)| name.get(..at));
        changed.contains(name)
            || changed.contains(".")
            || holders.into_iter().any(|h| changed.contains(h))
    }

    /// Whether a finding counts: any of its places is in a changed file.
    pub(super) fn touches(&self, finding: &Finding, files: &Files) -> bool {
        let here = |span: Span| self.has(files.get(span.file).name());
        self.changed.is_none() || finding.labels.iter().any(|label| here(label.span))
    }

    /// Leaves out the roots that have nothing to do with the changed files. A root that shares a file
    /// with one that has is kept: a finding may be in both. A changed configuration concerns all.
    pub(super) fn narrow(&self, loaded: &mut Loaded, config: Option<&str>) {
        if self.changed.is_none() || config.is_some_and(|name| self.has(name)) {
            return;
        }
        let uses = |origin: &&Origin| origin.uses.iter().any(|name| self.has(name));
        let concerned = loaded.origins.iter().filter(uses);
        let shared: BTreeSet<String> = concerned.flat_map(|origin| &origin.uses).cloned().collect();
        let kept = |origin: &Origin| origin.uses.iter().any(|name| shared.contains(name));
        let mut keep = loaded.origins.iter().map(kept).collect::<Vec<_>>().into_iter();
        loaded.inventories.retain(|_| keep.next() == Some(true));
        loaded.origins.retain(kept);
    }

    /// Which roots, and which files, decide whether a run saw enough.
    pub(super) fn concerns<'l>(&self, loaded: &'l Loaded) -> Concern<'l> {
        let Some(changed) = &self.changed else { return Concern { parts: None } };
        let uses = |origin: &Origin| origin.uses.iter().any(|name| self.has(name));
        let roots: Vec<bool> = loaded.origins.iter().map(uses).collect();
        let used = loaded.origins.iter().zip(&roots).filter(|(_, concerned)| **concerned);
        let mut files: BTreeSet<&str> =
            used.flat_map(|(origin, _)| &origin.uses).map(String::as_str).collect();
        let named = |name: &str| {
            // A directory that cannot be read hides the files in it.
            let inside = |changed: &String| changed.starts_with(&format!("{name}/"));
            self.has(name) || changed.iter().any(inside)
        };
        files.extend(loaded.reports.iter().map(|r| r.name.as_str()).filter(|name| named(name)));
        Concern { parts: Some((roots, files)) }
    }
}

/// The roots and files whose gaps make a run incomplete; all of them unless changed files are named.
pub(super) struct Concern<'l> {
    parts: Option<(Vec<bool>, BTreeSet<&'l str>)>,
}

impl Concern<'_> {
    pub(super) fn root(&self, at: usize) -> bool {
        self.parts.as_ref().is_none_or(|(roots, _)| roots.get(at) == Some(&true))
    }

    pub(super) fn file(&self, name: &str) -> bool {
        self.parts.as_ref().is_none_or(|(_, files)| files.contains(name))
    }
}

/// Where an argument lies, as it is named and without symbolic links; it may be gone.
fn places(path: &Path) -> BTreeSet<PathBuf> {
    let Ok(absolute) = std::path::absolute(path) else { return BTreeSet::new() };
    let holder = absolute.ancestors().skip(1).find_map(|parent| {
        let rest = absolute.strip_prefix(parent).ok()?;
        Some(parent.canonicalize().ok()?.join(rest))
    });
    holder.into_iter().chain(absolute.canonicalize()).collect()
}

/// What an earlier tree had.
pub(super) struct InBase {
    /// Its findings.
    pub(super) earlier: Earlier,
    /// How many of its files could not be read or rendered to the end.
    pub(super) unread: usize,
}

/// Reads the earlier tree that a run is compared with.
pub(super) fn earlier_tree(
    args: &CheckArgs,
    scope: &Scope,
    limit: u64,
) -> Result<Option<Arc<Snapshot>>, CliError> {
    let Some(reference) = &args.diff_base else { return Ok(None) };
    let nowhere = |path: &Path| GitError::NoRepository(clean(&path.to_string_lossy()));
    let mut root: Option<PathBuf> = None;
    for path in &scope.paths {
        path.canonicalize().map_err(|error| {
            let path = clean(&path.to_string_lossy());
            CliError::NoSuchInput(format!("cannot find `{path}`: {}", clean(&error.to_string())))
        })?;
        let own = repository_of(path).ok_or_else(|| nowhere(path))?;
        if root.as_ref().is_some_and(|root| *root != own) {
            return Err(CliError::Git(nowhere(path)));
        }
        root = Some(own);
    }
    let Some(root) = root else { return Ok(None) };
    Ok(Some(Arc::new(snapshot(&root, reference, limit)?)))
}

/// Judges the earlier tree as the run judges the one on the disk, by the configuration that was there.
pub(super) fn judge_earlier(
    setup: Setup,
    request: &Request,
    tree: Arc<Snapshot>,
) -> Result<InBase, CliError> {
    let Setup { settings, config, .. } = setup;
    let request = Request {
        paths: request.paths.iter().filter_map(|path| path.canonicalize().ok()).collect(),
        stdin: false,
        exclude: settings.config.exclude.clone(),
        include_docs: request.include_docs,
        options: request.options.clone(),
        kubernetes_version: request.kubernetes_version.clone(),
        charts: request.charts.clone(),
        declared: declared(&settings.config),
        config,
        storage: Storage::Memory(tree),
    };
    let loaded = load(&request).map_err(|error| CliError::NoSuchInput(error.to_string()))?;
    let mut assessments: Vec<Assessment> =
        loaded.inventories.par_iter().map(|inventory| assess(inventory, &settings)).collect();
    conclude(&mut assessments, &loaded.inventories, &loaded.files, &settings);
    let unread = loaded.reports.iter().filter(|report| report.state.is_incomplete()).count();
    Ok(InBase { earlier: Earlier::of(&assessments, &loaded.files), unread })
}

/// Writes the baseline that the command line asks for, or takes out of the findings what one knows.
pub(super) fn baseline(
    args: &CheckArgs,
    assessments: &mut [Assessment],
    apart: &mut Apart,
) -> Result<(), CliError> {
    let (path, known) = match (&args.write_baseline, &args.baseline) {
        (Some(path), _) => {
            let known = Baseline::of(assessments);
            let text = known.text();
            output::write(Some(path), Content::Data, |out| out.write_all(text.as_bytes()))?;
            (path, known)
        }
        (None, Some(path)) => (path, read_baseline(path)?),
        (None, None) => return Ok(()),
    };
    let gone = known.subtract(assessments);
    apart.baseline = Some((path.to_string_lossy().into_owned(), gone));
    Ok(())
}

fn read_baseline(path: &Path) -> Result<Baseline, CliError> {
    let name = clean(&path.to_string_lossy());
    let text = std::fs::read_to_string(path).map_err(|error| {
        let reason = clean(&error.to_string());
        CliError::NoSuchInput(format!("cannot read the baseline `{name}`: {reason}"))
    })?;
    Baseline::read(&text).map_err(|(at, message)| {
        let help = Some("write it again with `--write-baseline`".to_owned());
        let errors = vec![ConfigError { at, message, help }];
        CliError::Config { file: Box::new(File::new(name, text.clone())), errors }
    })
}
