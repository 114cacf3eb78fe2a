//! What was read, by name: what renderers look files up in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::storage::Storage;
use crate::document::{Comment, Document, FileId, Span, Tree};

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
    /// Comments beside them that may hold a waiver.
    pub(super) comments: Vec<Comment>,
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

    /// The directory that a GitOps object in a file means by a path: relative to the repository, else
    /// to the outermost directory above the file in which there is such a path.
    pub(super) fn resolve(&self, path: &str, file: &str) -> Option<String> {
        let mut above = vec![parent(file)];
        while let Some(directory) = above.last().copied().filter(|directory| *directory != ".") {
            above.push(parent(directory));
        }
        let candidates = above.into_iter().rev().filter_map(|directory| join(directory, path));
        let exists = |name: &String| self.has_directory(name) || self.is_directory(name);
        candidates.into_iter().find(exists)
    }

    /// Whether a directory exists, read or not, and no symbolic link leads out of the base on the way.
    pub(super) fn is_directory(&self, name: &str) -> bool {
        let real = self.storage.canonical(&self.directory.join(name));
        real.is_ok_and(|real| self.storage.is_dir(&real) && real.starts_with(&self.directory))
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
impl Store {
    /// A store of texts, by their names. Kustomization files and what they call a patch hold trees,
    /// all others objects.
    pub(super) fn of_texts(texts: &[(&str, &str)]) -> Self {
        use crate::document::{Node, ReadOptions, read, read_settings};
        let trees_of = |id: FileId, text: &str| {
            let (mut trees, mut problem, mut start) = (Vec::new(), None, 0);
            let ends = text.match_indices("\n---").map(|(at, _)| at + 1).chain([text.len()]);
            for end in ends {
                let piece = text.get(start..end).unwrap_or_default();
                let line = piece.find('\n').filter(|_| piece.starts_with("---")).unwrap_or(0);
                // Blanks in the place of what stands before: the places are those of the file.
                let blanks =
                    " \n".repeat((start + line) / 2) + "\n".repeat((start + line) % 2).as_str();
                match read_settings(id, &(blanks + piece.get(line..).unwrap_or_default())) {
                    Ok((tree, _)) => trees.extend(tree.map(Arc::new)),
                    Err(wrong) => problem = Some((wrong.at, wrong.message)),
                }
                start = end;
            }
            (trees, problem)
        };
        let id = |number: usize| FileId(u32::try_from(number).expect("few texts"));
        let is_kustomization =
            |name: &str| KUSTOMIZATIONS.contains(&name.rsplit('/').next().unwrap_or(name));
        let mut patches = std::collections::BTreeSet::new();
        for (number, (name, text)) in
            texts.iter().enumerate().filter(|(_, (n, _))| is_kustomization(n))
        {
            for tree in trees_of(id(number), text).0 {
                for key in ["patches", "patchesStrategicMerge", "patchesJson6902"] {
                    for entry in tree.root().get(key).into_iter().flat_map(Node::children) {
                        let path =
                            entry.as_str().or_else(|| entry.get("path").and_then(Node::as_str));
                        patches.extend(path.and_then(|path| join(parent(name), path)));
                    }
                }
            }
        }
        let mut store = Self { limit: 1 << 20, ..Self::default() };
        for (number, (name, text)) in texts.iter().enumerate() {
            let id = id(number);
            let held = if is_kustomization(name) || patches.contains(*name) {
                let (trees, problem) = trees_of(id, text);
                Held { id, documents: Vec::new(), trees, comments: Vec::new(), problem }
            } else {
                let reading = read(id, text, &ReadOptions::default());
                let stranger = || (Span::start_of(id), "a document that is no object".to_owned());
                let problem = reading.problems.first().map(|p| (p.at, p.message.clone()));
                let problem = problem.or_else(|| (reading.not_kubernetes > 0).then(stranger));
                Held {
                    id,
                    documents: reading.documents,
                    trees: Vec::new(),
                    comments: Vec::new(),
                    problem,
                }
            };
            store.files.insert((*name).to_owned(), held);
        }
        store
    }
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
