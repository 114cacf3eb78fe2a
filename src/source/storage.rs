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

    /// The path of a file in a directory, with the directories above it.
    fn place(&self, to: &Path, name: &str) -> io::Result<PathBuf> {
        let mut above = name.match_indices('/').filter_map(|(at, _)| name.get(..at));
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        // A forged tree could lead out of the directory: by a link, or by `..`.
        if above.any(|name| self.files.contains_key(name))
            || !Path::new(name).components().all(plain)
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(to))?;
        Ok(path)
    }

    /// Writes what was read, and all links, into an empty directory for a program that reads the disk.
    pub(super) fn write(&self, to: &Path) -> io::Result<()> {
        for (name, blob) in &self.files {
            match blob {
                Blob::Read(bytes) => std::fs::write(self.place(to, name)?, bytes)?,
                Blob::Link(target) => link(target, &self.place(to, name)?)?,
                Blob::Unread { .. } => {}
            }
        }
        Ok(())
    }

    /// Adds the files below a directory that were not read.
    pub(super) fn complete(&self, to: &Path, directory: &Path, limit: u64) -> io::Result<()> {
        for (name, blob) in self.below(directory) {
            if matches!(blob, Blob::Unread { .. })
                && let Some(bytes) = self.read(&self.root.join(name), limit)?
            {
                std::fs::write(self.place(to, name)?, bytes)?;
            }
        }
        Ok(())
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

#[cfg(unix)]
fn link(target: &str, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

/// Links of git are texts where the system has none.
#[cfg(not(unix))]
fn link(target: &str, at: &Path) -> io::Result<()> {
    std::fs::write(at, target)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use super::{Blob, Snapshot};

    #[test]
    fn a_forged_tree_writes_nothing_outside_its_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let (to, out) = (directory.path().join("to"), directory.path().join("out"));
        std::fs::create_dir(&out).expect("made");
        for (link, file) in [("a", "a/x"), ("b", "../out/x"), ("c", "c/deep/x")] {
            let files = [
                (link.to_owned(), Blob::Link(out.to_string_lossy().into_owned())),
                (file.to_owned(), Blob::Read(b"x".to_vec())),
            ];
            let tree = Snapshot { root: PathBuf::from("/repo"), files: BTreeMap::from(files) };
            let to = to.join(link);
            assert!(tree.write(&to).is_err(), "{file}");
            assert!(std::fs::read_dir(&out).expect("readable").next().is_none(), "{file}");
        }
    }

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
