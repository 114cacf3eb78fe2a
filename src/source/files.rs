//! Which files there are: walks, ignore files, and what is left out with the reason.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use walkdir::{DirEntry, WalkDir};

use super::Request;
use super::names::{Base, NameError, canonical};
use super::storage::{Blob, Snapshot, Storage};
use crate::document::{State, clean};

/// A file that was met.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) what: What,
}

/// What is done with it.
#[derive(Clone)]
pub(super) enum What {
    /// Read as manifests.
    File(PathBuf),
    /// Read as a document or script with manifests in it.
    Text(PathBuf),
    /// Read from standard input.
    Stdin,
    /// Part of the chart in a directory.
    Chart { path: PathBuf, chart: String },
    /// Not read.
    Skipped { state: State, reason: String },
}

/// Extensions of manifests, and of texts that may hold some.
const MANIFESTS: [&str; 3] = ["yaml", "yml", "json"];
const TEXTS: [&str; 5] = ["md", "markdown", "txt", "sh", "bash"];
/// Why a walk leaves them out.
pub(crate) const TEXT_LEFT_OUT: &str =
    "a document or script: name it, or read all of them by `--include-docs`";

/// Directories that hold no manifests of the project's own.
const SKIPPED: [&str; 3] = [".git", "node_modules", "vendor"];

/// The files of a request, sorted by name, each once.
pub(super) fn walk(request: &Request, base: &Base) -> Result<Vec<Entry>, NameError> {
    let mut found: BTreeMap<String, What> = BTreeMap::new();
    if request.stdin {
        found.insert("<stdin>".to_owned(), What::Stdin);
    }
    for argument in &request.paths {
        let real = match &request.storage {
            Storage::Disk => canonical(argument)?,
            Storage::Memory(_) => argument.clone(),
        };
        if request.storage.is_dir(&real) {
            let mut walk = Walk { request, base, ignores: BTreeMap::new() };
            match &request.storage {
                Storage::Disk => walk.directory(&real, &mut found),
                Storage::Memory(snapshot) => walk.memory(&real, snapshot, &mut found),
            }
        } else if matches!(request.storage, Storage::Disk) || request.storage.is_file(&real) {
            let what = named_file(&real, &request.storage);
            found.insert(base.name(&real), what);
        }
    }
    Ok(found.into_iter().map(|(name, what)| Entry { name, what }).collect())
}

/// A file that was named on purpose is read whatever its extension.
fn named_file(real: &Path, storage: &Storage) -> What {
    if !storage.is_file(real) {
        let reason = "not a regular file; pass its content on standard input: `palisade check -`";
        return What::Skipped { state: State::Unreadable, reason: reason.to_owned() };
    }
    if has_extension(real, &TEXTS) {
        What::Text(real.to_owned())
    } else {
        What::File(real.to_owned())
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().map(OsStr::to_string_lossy);
    extension.is_some_and(|e| extensions.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// What a path is.
enum Sort {
    File,
    Link(String),
    Other,
}

impl Sort {
    fn of(entry: &DirEntry) -> Self {
        let sort = entry.file_type();
        if sort.is_symlink() {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            return Self::Link(target.to_string_lossy().into_owned());
        }
        if sort.is_file() { Self::File } else { Self::Other }
    }
}

struct Walk<'r> {
    request: &'r Request,
    base: &'r Base,
    /// Ignore files by directory.
    ignores: BTreeMap<PathBuf, Vec<(&'static str, Gitignore)>>,
}

impl Walk<'_> {
    fn directory(&mut self, root: &Path, found: &mut BTreeMap<String, What>) {
        self.read_ignores_above(root);
        let mut chart: Option<PathBuf> = None;
        let mut walk = WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter();
        while let Some(next) = walk.next() {
            let entry = match next {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    let reason =
                        clean(&error.io_error().map_or_else(String::new, ToString::to_string));
                    let what = What::Skipped { state: State::Unreadable, reason };
                    found.insert(self.base.name(&path), what);
                    continue;
                }
            };
            chart = chart.filter(|chart| entry.path().starts_with(chart));
            if entry.file_type().is_dir() {
                if let Some(reason) = self.skips_directory(entry.path(), entry.depth() > 0) {
                    let what = What::Skipped { state: State::Excluded, reason };
                    found.insert(self.base.name(entry.path()), what);
                    walk.skip_current_dir();
                    continue;
                }
                self.read_ignores(entry.path());
                if chart.is_none() && entry.path().join("Chart.yaml").is_file() {
                    chart = Some(entry.into_path());
                }
                continue;
            }
            let sort = Sort::of(&entry);
            let what = self.file(entry.path(), sort, chart.as_deref());
            found.insert(self.base.name(entry.path()), what);
        }
    }

    /// The same walk over an earlier tree.
    fn memory(&mut self, root: &Path, tree: &Snapshot, found: &mut BTreeMap<String, What>) {
        self.read_ignores_above(root);
        // Directories that were met: skipped ones, and the charts that the others belong to.
        let mut met: BTreeMap<PathBuf, (bool, Option<PathBuf>)> = BTreeMap::new();
        for (name, blob) in tree.below(root) {
            let path = tree.root().join(name);
            let mut holders: Vec<&Path> = path.ancestors().skip(1).collect();
            holders.retain(|holder| holder.starts_with(root));
            let mut state = (false, None);
            for holder in holders.into_iter().rev().map(Path::to_owned) {
                if let Some(known) = met.get(&holder) {
                    state.clone_from(known);
                } else if !state.0 {
                    if let Some(reason) = self.skips_directory(&holder, holder != root) {
                        let what = What::Skipped { state: State::Excluded, reason };
                        found.insert(self.base.name(&holder), what);
                        state.0 = true;
                    } else {
                        self.read_ignores(&holder);
                        let marker = self.request.storage.is_file(&holder.join("Chart.yaml"));
                        if state.1.is_none() && marker {
                            state.1 = Some(holder.clone());
                        }
                    }
                    met.insert(holder, state.clone());
                }
            }
            if !state.0 {
                let sort = match blob {
                    Blob::Link(target) => Sort::Link(target.clone()),
                    Blob::Read(_) | Blob::Unread { .. } => Sort::File,
                };
                found.insert(self.base.name(&path), self.file(&path, sort, state.1.as_deref()));
            }
        }
    }

    fn file(&self, path: &Path, sort: Sort, chart: Option<&Path>) -> What {
        let skipped = |state, reason: &str| What::Skipped { state, reason: reason.to_owned() };
        match sort {
            Sort::File => {}
            Sort::Link(target) => {
                let target = clean(&target);
                return skipped(State::Excluded, &format!("a symbolic link to `{target}`"));
            }
            Sort::Other => return skipped(State::Excluded, "not a regular file"),
        }
        if let Some(reason) = self.ignored(path, false) {
            return skipped(State::Excluded, &reason);
        }
        let text = has_extension(path, &TEXTS);
        let kustomization = path.file_name().is_some_and(|name| name == "Kustomization");
        let manifest = has_extension(path, &MANIFESTS) || kustomization;
        if !(manifest || text && self.request.include_docs) {
            let reason = if text { TEXT_LEFT_OUT } else { "no manifest by its extension" };
            return skipped(State::Excluded, reason);
        }
        match chart {
            Some(chart) if !text => {
                What::Chart { path: path.to_owned(), chart: self.base.name(chart) }
            }
            _ if text => What::Text(path.to_owned()),
            _ => What::File(path.to_owned()),
        }
    }

    /// Why a directory is skipped as a whole.
    fn skips_directory(&self, path: &Path, inside: bool) -> Option<String> {
        let name = path.file_name().map(OsStr::to_string_lossy).filter(|_| inside)?;
        if SKIPPED.contains(&name.as_ref()) {
            return Some(format!("directories called `{name}` are skipped unless named"));
        }
        self.ignored(path, true)
    }

    /// The rule that leaves a path out: the nearest ignore file decides, then the configuration.
    fn ignored(&self, path: &Path, is_dir: bool) -> Option<String> {
        let by_glob = self.base.name(path);
        let excluded = self.request.exclude.iter().any(|glob| glob.is_match(&by_glob));
        if excluded {
            return Some("excluded by palisade.yaml".to_owned());
        }
        for directory in path.ancestors().skip(1) {
            for (name, rules) in self.ignores.get(directory).into_iter().flatten() {
                match rules.matched(path, is_dir) {
                    Match::Ignore(_) => return Some(format!("ignored by {name}")),
                    Match::Whitelist(_) => return None,
                    Match::None => {}
                }
            }
        }
        None
    }

    /// Ignore files above the argument count as far up as the repository reaches.
    fn read_ignores_above(&mut self, root: &Path) {
        let above = root.ancestors().skip(1);
        let above = above.take_while(|parent| parent.starts_with(self.base.directory()));
        let above: Vec<PathBuf> = above.map(Path::to_owned).collect();
        above.iter().for_each(|directory| self.read_ignores(directory));
    }

    fn read_ignores(&mut self, directory: &Path) {
        let mut rules = Vec::new();
        for name in [".palisadeignore", ".gitignore"] {
            let path = directory.join(name);
            if !self.request.storage.is_file(&path) {
                continue;
            }
            let mut builder = GitignoreBuilder::new(directory);
            match &self.request.storage {
                Storage::Disk => _ = builder.add(&path),
                Storage::Memory(snapshot) => {
                    let text = snapshot.text(&path).unwrap_or_default();
                    for line in text.trim_start_matches('\u{feff}').lines() {
                        // A line that is no glob is left out, as it is on the disk.
                        let _ = builder.add_line(Some(path.clone()), line);
                    }
                }
            }
            rules.extend(builder.build().ok().map(|built| (name, built)));
        }
        if !rules.is_empty() {
            self.ignores.insert(directory.to_owned(), rules);
        }
    }
}
