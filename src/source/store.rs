//! What was read, by name: what renderers look files up in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::storage::Storage;
use crate::document::{Document, FileId, Span, Tree};

/// The names under which kustomize looks for its file.
pub(super) const KUSTOMIZATIONS: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Every file that was read, by its name in outputs: relative to the base, with `/` between its
/// parts. The base itself is called `.`.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Where the base lies; empty where there is none.
    pub(super) directory: PathBuf,
    pub(super) files: BTreeMap<String, Held>,
    /// Most bytes that are read of a file.
    pub(super) limit: u64,
    pub(super) storage: Storage,
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) id: FileId,
    /// Its Kubernetes objects.
    pub(super) documents: Vec<Document>,
    /// Every document of a kustomization file or a patch file, objects or not.
    pub(super) trees: Vec<Arc<Tree>>,
    /// The first part that could not be read.
    pub(super) problem: Option<(Span, String)>,
}

/// The kustomization files of a directory.
pub(super) enum Kustomization<'s> {
    None,
    One(&'s str, &'s Held),
    /// An error of kustomize.
    Several(Vec<&'s str>),
}

impl Store {
    /// The file of a name.
    pub(super) fn file(&self, name: &str) -> Option<&Held> {
        self.files.get(name)
    }

    /// What kustomize finds in a directory.
    pub(super) fn kustomization(&self, directory: &str) -> Kustomization<'_> {
        let names = KUSTOMIZATIONS.iter().filter_map(|file| join(directory, file));
        let mut found: Vec<(&str, &Held)> = names
            .filter_map(|name| self.files.get_key_value(&name))
            .map(|(name, held)| (name.as_str(), held))
            .collect();
        match (found.pop(), found.is_empty()) {
            (None, _) => Kustomization::None,
            (Some((name, held)), true) => Kustomization::One(name, held),
            (Some((name, _)), false) => {
                Kustomization::Several(found.iter().map(|(n, _)| *n).chain([name]).collect())
            }
        }
    }

    /// Whether anything that was read lies in or below a directory.
    pub(super) fn has_directory(&self, directory: &str) -> bool {
        let prefix = if directory == "." { String::new() } else { format!("{directory}/") };
        let mut behind = self.files.range(prefix.clone()..);
        behind.next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    /// The text of a file that holds no manifests, as a generator wants it.
    ///
    /// # Errors
    /// Gives what the system says, without the path.
    pub(super) fn read(&self, name: &str) -> Result<String, String> {
        let path = self.directory.join(name);
        let real = self.storage.canonical(&path).map_err(|error| error.to_string())?;
        if !real.starts_with(&self.directory) {
            return Err("it lies outside the repository".to_owned());
        }
        match self.storage.read(&real, self.limit) {
            Ok(Some(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(None) => Err(format!("it has more than {} bytes", self.limit)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The name of what `path` means inside `directory`; none where that leaves the base.
pub(super) fn join(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|p| !matches!(*p, "" | ".")).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// The directory that holds a file or directory.
pub(super) fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or(".", |(directory, _)| directory)
}

#[cfg(test)]
mod tests {
    use super::{join, parent};

    #[test]
    fn names_are_joined_and_never_leave_the_base() {
        let cases = [
            (("apps/web", "../../base"), Some("base")),
            ((".", "./x.yaml"), Some("x.yaml")),
            (("apps", ".."), Some(".")),
            (("apps", "../.."), None),
            (("apps", "a//b/."), Some("apps/a/b")),
        ];
        for ((directory, path), expected) in cases {
            assert_eq!(join(directory, path).as_deref(), expected, "{directory} and {path}");
        }
        assert_eq!(parent("a/b"), "a");
        assert_eq!(parent("b"), ".");
    }
}
