//! What files are called in outputs: relative to the repository, else to the directory of the
//! configuration above them, else to what the arguments share, so that the same input gives the same
//! bytes from every working directory, and globs of the configuration mean the same files.

use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// Where the configuration of a directory lies, if it has one.
pub const CONFIGURATIONS: [&str; 2] = ["palisade.yaml", ".github/palisade.yaml"];

/// An argument that cannot be found.
#[derive(Debug, Error)]
pub enum NameError {
    /// It does not exist, or may not be looked at.
    #[error("cannot find `{path}`: {reason}")]
    Missing {
        /// As written.
        path: String,
        /// What the system says.
        reason: String,
    },
}

/// The directory that names are relative to.
#[derive(Debug)]
pub struct Base {
    directory: PathBuf,
}

impl Base {
    /// The repository that holds all arguments, else the nearest directory with a configuration,
    /// else their common directory.
    ///
    /// # Errors
    /// Gives the argument that cannot be found.
    pub fn of(arguments: &[PathBuf]) -> Result<Self, NameError> {
        let mut directory: Option<PathBuf> = None;
        for argument in arguments {
            let real = canonical(argument)?;
            let own = if real.is_dir() { real } else { real.parent().unwrap_or(&real).to_owned() };
            directory = Some(match directory {
                None => own,
                Some(shared) => common(&shared, &own),
            });
        }
        let directory = directory.unwrap_or_default();
        let configured = |parent: &&Path| CONFIGURATIONS.iter().any(|n| parent.join(n).is_file());
        let repository = directory.ancestors().find(|parent| parent.join(".git").exists());
        let above = repository.or_else(|| directory.ancestors().find(configured));
        let directory = above.map_or_else(|| directory.clone(), Path::to_owned);
        Ok(Self { directory })
    }

    /// A directory that is known.
    #[must_use]
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// The directory itself.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The name of a path, with `/` between its parts.
    #[must_use]
    pub fn name(&self, real: &Path) -> String {
        let relative = real.strip_prefix(&self.directory).unwrap_or(real);
        let parts = relative.components().filter_map(|part| match part {
            Component::Normal(part) => Some(crate::document::clean(&part.to_string_lossy())),
            Component::ParentDir => Some("..".to_owned()),
            _ => None,
        });
        let name = parts.collect::<Vec<_>>().join("/");
        if name.is_empty() { ".".to_owned() } else { name }
    }
}

/// The path without symbolic links.
pub(super) fn canonical(argument: &Path) -> Result<PathBuf, NameError> {
    argument.canonicalize().map_err(|error| NameError::Missing {
        path: crate::document::clean(&argument.to_string_lossy()),
        reason: crate::document::clean(&error.to_string()),
    })
}

fn common(a: &Path, b: &Path) -> PathBuf {
    let shared = a.components().zip(b.components()).take_while(|(x, y)| x == y);
    shared.map(|(part, _)| part).collect()
}
