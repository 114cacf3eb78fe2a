//! Where files are read from: the disk, or an earlier tree in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::git;
use super::read::read_file;

/// Most links that are followed for one path.
const HOPS: usize = 40;

/// Where the files of a request lie.
#[derive(Clone, Debug, Default)]
pub enum Storage {
    /// On the disk.
    #[default]
    Disk,
    /// In an earlier tree. The paths of the request say where its files would lie on the disk.
    Memory(Arc<Snapshot>),
}

/// The files of an earlier tree.
#[derive(Debug)]
pub struct Snapshot {
    /// Where the repository lies.
    pub(super) root: PathBuf,
    /// By names relative to it.
    pub(super) files: BTreeMap<String, Blob>,
}

/// One file of an earlier tree.
#[derive(Debug)]
pub(super) enum Blob {
    Read(Vec<u8>),
    Unread { id: String, size: u64, link: bool },
    Link(String),
}

impl Storage {
    /// The path without symbolic links, if there is something.
    pub(super) fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        match self {
            Self::Disk => path.canonicalize(),
            Self::Memory(snapshot) => {
                snapshot.resolve(path).ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        }
    }

    pub(super) fn is_file(&self, real: &Path) -> bool {
        match self {
            Self::Disk => real.is_file(),
            Self::Memory(snapshot) => {
                matches!(snapshot.get(real), Some(Blob::Read(_) | Blob::Unread { .. }))
            }
        }
    }

    pub(super) fn is_dir(&self, real: &Path) -> bool {
        match self {
            Self::Disk => real.is_dir(),
            Self::Memory(snapshot) => snapshot.has_below(real),
        }
    }

    /// A file; `None` where it is larger than the limit.
    pub(super) fn read(&self, real: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Disk => read_file(real, limit),
            Self::Memory(snapshot) => snapshot.read(real, limit),
        }
    }
}

impl Snapshot {
    /// Where the repository lies.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a file; none where there is no such file of text.
    #[must_use]
    pub fn text(&self, path: &Path) -> Option<String> {
        let bytes = self.read(path, u64::MAX).ok().flatten()?;
        String::from_utf8(bytes).ok()
    }

    fn key(&self, path: &Path) -> Option<String> {
        let mut parts = Vec::new();
        for part in path.strip_prefix(&self.root).ok()?.components() {
            match part {
                Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
                Component::ParentDir => _ = parts.pop()?,
                _ => {}
            }
        }
        Some(parts.join("/"))
    }

    fn get(&self, path: &Path) -> Option<&Blob> {
        self.files.get(&self.key(path)?)
    }

    /// Names of the files in and below a directory.
    pub(super) fn below(&self, directory: &Path) -> impl Iterator<Item = (&str, &Blob)> {
        let key = self.key(directory);
        let prefix = key.map(|key| if key.is_empty() { key } else { format!("{key}/") });
        let start = prefix.clone().unwrap_or_default();
        let files = self.files.range(start..).map(|(name, blob)| (name.as_str(), blob));
        files.take_while(move |(name, _)| prefix.as_ref().is_some_and(|p| name.starts_with(p)))
    }

    fn has_below(&self, directory: &Path) -> bool {
        self.below(directory).next().is_some()
    }

    /// The path with every link in it followed, if it leads to a file or directory of the tree.
    fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let mut key = self.key(path)?;
        let mut seen = BTreeSet::new();
        while seen.len() < HOPS && seen.insert(key.clone()) {
            let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
            let link = ends.filter_map(|end| {
                let (before, rest) = key.split_at_checked(end)?;
                match self.files.get(before) {
                    Some(Blob::Link(target)) => Some((before, target, rest)),
                    _ => None,
                }
            });
            let Some((before, target, rest)) = link.into_iter().next() else {
                let real = if key.is_empty() { self.root.clone() } else { self.root.join(&key) };
                let exists = self.files.contains_key(&key) || self.has_below(&real);
                return exists.then_some(real);
            };
            if target.starts_with('/') {
                return None;
            }
            let directory = before.rsplit_once('/').map_or("", |(directory, _)| directory);
            let next = format!("{directory}/{target}{rest}");
            key = self.key(&self.root.join(next.trim_start_matches('/')))?;
        }
        None
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        match self.get(path) {
            Some(Blob::Read(bytes)) => {
                Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= limit).cloned())
            }
            Some(Blob::Unread { size, .. }) if *size > limit => Ok(None),
            Some(Blob::Unread { id, .. }) => {
                git::blob(&self.root, id, limit).map(Some).map_err(io::Error::other)
            }
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use super::{Blob, Snapshot};

    #[test]
    fn links_are_followed_inside_the_tree_only() {
        let file = || Blob::Read(Vec::new());
        let link = |to: &str| Blob::Link(to.to_owned());
        let files = [
            ("base/pod.yaml", file()),
            ("apps/base", link("../base")),
            ("apps/pod.yaml", link("base/pod.yaml")),
            ("out", link("../elsewhere")),
            ("root", link("/etc/passwd")),
            ("loop", link("loop")),
            ("gone", link("base/none")),
        ];
        let files = files.into_iter().map(|(name, blob)| (name.to_owned(), blob));
        let tree = Snapshot { root: PathBuf::from("/repo"), files: BTreeMap::from_iter(files) };
        let cases = [
            ("/repo/base/pod.yaml", Some("/repo/base/pod.yaml")),
            ("/repo/apps/base/pod.yaml", Some("/repo/base/pod.yaml")),
            ("/repo/apps/pod.yaml", Some("/repo/base/pod.yaml")),
            ("/repo/apps/base", Some("/repo/base")),
            ("/repo/apps/../base", Some("/repo/base")),
            ("/repo", Some("/repo")),
            ("/repo/out/x", None),
            ("/repo/root", None),
            ("/repo/loop", None),
            ("/repo/gone", None),
            ("/repo/none", None),
            ("/elsewhere", None),
        ];
        for (path, leads) in cases {
            assert_eq!(tree.resolve(Path::new(path)).as_deref(), leads.map(Path::new), "{path}");
        }
    }
}
