//! The tree of an earlier commit, read from git's objects by `git` itself: there is no checkout, and
//! nothing is written.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use thiserror::Error;

use super::storage::{Blob, Snapshot};
use crate::document::clean;

/// Longest time one call of git may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Most bytes that are taken of all files of a tree, and of the list of them.
const MOST: u64 = 1 << 30;
/// Endings of the names of files that a run reads; others are read when a kustomization names them.
const READ: [&str; 11] = [
    ".yaml",
    ".yml",
    ".json",
    ".md",
    ".markdown",
    ".txt",
    ".sh",
    ".bash",
    "ignore",
    ".tpl",
    "Kustomization",
];

/// Why an earlier tree cannot be read.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is nothing to compare with.
    #[error("`{0}` is in no git work tree")]
    NoRepository(String),
    /// No commit has that name.
    #[error("`{0}` is no commit of this repository")]
    UnknownCommit(String),
    /// The clone ends before the commit.
    #[error("this clone is shallow: the history that `{0}` and HEAD share is not in it")]
    Shallow(String),
    /// There is no commit to compare with.
    #[error("`{0}` and HEAD share no commit")]
    Unrelated(String),
    /// There is no git.
    #[error("git cannot be run: {0}")]
    NoGit(String),
    /// Something else.
    #[error("git failed: {0}")]
    Failed(String),
}

impl GitError {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NoRepository(_) => "run it in a clone of the repository",
            Self::UnknownCommit(_) => {
                "name a branch, tag or commit that `git rev-parse` knows, such as `origin/main`"
            }
            Self::Shallow(_) => {
                "fetch the whole history: `fetch-depth: 0` for actions/checkout, else \
                 `git fetch --unshallow`"
            }
            Self::Unrelated(_) => "name the branch that this one came from",
            Self::NoGit(_) => "install git: `--diff-base` reads the earlier tree with it",
            Self::Failed(_) => "see whether `git fsck` finds the repository whole",
        }
    }
}

/// The repository that holds a path, whether or not the path still exists.
#[must_use]
pub fn repository_of(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let real = absolute.ancestors().find_map(|parent| parent.canonicalize().ok())?;
    real.ancestors().find(|parent| parent.join(".git").exists()).map(Path::to_owned)
}

/// The tree from which HEAD and a commit went apart.
///
/// # Errors
/// Says why there is none.
pub fn snapshot(root: &Path, reference: &str, limit: u64) -> Result<Snapshot, GitError> {
    let git = Git { root };
    let base = git.merge_base(reference)?;
    let mut files = git.list(&base)?;
    git.read(&mut files, limit)?;
    Ok(Snapshot { root: root.to_owned(), files })
}

/// One file of git's objects, as a kustomization may name any.
pub(super) fn blob(root: &Path, id: &str, limit: u64) -> Result<Vec<u8>, GitError> {
    Git { root }.run(&["cat-file", "blob", id], limit)
}

struct Git<'r> {
    root: &'r Path,
}

impl Git<'_> {
    /// A call with nothing of the caller's environment but the path, which reads no configuration
    /// besides the repository's own, asks nobody, and fetches nothing.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let above = self.root.parent().unwrap_or(self.root);
        command
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            // A partial clone would fetch what is missing, by programs that its configuration names.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("GIT_CEILING_DIRECTORIES", above);
        // The checkout of a CI job often belongs to another user. These calls run nothing of it.
        let mut safe = std::ffi::OsString::from("safe.directory=");
        safe.push(self.root);
        command.arg("-C").arg(self.root).arg("-c").arg(safe);
        command.args(["--no-pager", "--no-optional-locks"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What a call writes.
    fn run(&self, arguments: &[&str], most: u64) -> Result<Vec<u8>, GitError> {
        let read = move |out: &mut dyn Read| {
            let mut bytes = Vec::new();
            out.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = supervised(self.command(arguments), None, read)?;
        if bytes.len() as u64 > most {
            return Err(GitError::Failed(format!("it wrote more than {most} bytes")));
        }
        Ok(bytes)
    }

    /// The commit of a name.
    fn commit(&self, name: &str) -> Result<String, GitError> {
        let unknown = || match self.is_shallow() {
            true => GitError::Shallow(clean(name)),
            false => GitError::UnknownCommit(clean(name)),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(GitError::UnknownCommit(clean(name)));
        }
        let commit = format!("{name}^{{commit}}");
        match self.run(&["rev-parse", "--verify", "--quiet", &commit], MOST) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).trim().to_owned()),
            Err(GitError::Failed(said)) if said.contains("not a git repository") => {
                Err(GitError::NoRepository(clean(&self.root.to_string_lossy())))
            }
            Err(GitError::Failed(_)) => Err(unknown()),
            Err(error) => Err(error),
        }
    }

    fn is_shallow(&self) -> bool {
        let said = self.run(&["rev-parse", "--is-shallow-repository"], MOST);
        said.is_ok_and(|bytes| bytes.starts_with(b"true"))
    }

    fn merge_base(&self, reference: &str) -> Result<String, GitError> {
        let (head, base) = (self.commit("HEAD")?, self.commit(reference)?);
        match self.run(&["merge-base", &base, &head], MOST) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).trim().to_owned()),
            Err(GitError::Failed(_)) if self.is_shallow() => {
                Err(GitError::Shallow(clean(reference)))
            }
            Err(GitError::Failed(_)) => Err(GitError::Unrelated(clean(reference))),
            Err(error) => Err(error),
        }
    }

    /// Every file of a tree, unread.
    fn list(&self, commit: &str) -> Result<BTreeMap<String, Blob>, GitError> {
        let arguments = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit];
        let bytes = self.run(&arguments, MOST)?;
        let mut files = BTreeMap::new();
        for line in bytes.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line);
            let Some((about, name)) = line.split_once('\t') else { continue };
            let mut words = about.split_ascii_whitespace();
            let (mode, kind, id) = (words.next(), words.next(), words.next());
            let size = words.next().and_then(|size| size.parse().ok());
            // What is no blob is another repository.
            if let (Some(mode), Some("blob"), Some(id), Some(size)) = (mode, kind, id, size) {
                let (id, link) = (id.to_owned(), mode == "120000");
                files.insert(name.to_owned(), Blob::Unread { id, size, link });
            }
        }
        Ok(files)
    }

    /// Reads all links and what a run will read of the files, in one call.
    fn read(&self, files: &mut BTreeMap<String, Blob>, limit: u64) -> Result<(), GitError> {
        let mut wanted: Vec<(&mut Blob, String)> = Vec::new();
        let mut total = 0;
        for (name, blob) in files {
            let Blob::Unread { id, size, link } = blob else { continue };
            if *link || *size <= limit && is_read(name) {
                total += *size;
                let id = id.clone();
                wanted.push((blob, id));
            }
        }
        if total > MOST {
            return Err(GitError::Failed(format!("the tree has more than {MOST} bytes")));
        }
        let ids: String = wanted.iter().flat_map(|(_, id)| [id.as_str(), "\n"]).collect();
        let count = wanted.len();
        let read = move |out: &mut dyn Read| batch(&mut BufReader::new(out), count);
        let contents = supervised(self.command(&["cat-file", "--batch"]), Some(ids), read)?;
        for ((blob, _), content) in wanted.into_iter().zip(contents) {
            let Some(content) = content else {
                return Err(GitError::Failed("an object of the tree is missing".to_owned()));
            };
            let link = matches!(blob, Blob::Unread { link: true, .. });
            *blob = match link {
                true => Blob::Link(String::from_utf8_lossy(&content).into_owned()),
                false => Blob::Read(content),
            };
        }
        Ok(())
    }
}

fn is_read(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    READ.iter().any(|end| name.ends_with(end) || lower.ends_with(end))
}

/// The contents that `cat-file --batch` writes; none for an object that is missing.
fn batch(out: &mut impl BufRead, count: usize) -> std::io::Result<Vec<Option<Vec<u8>>>> {
    let mut contents = Vec::with_capacity(count);
    for _ in 0..count {
        let mut head = String::new();
        out.read_line(&mut head)?;
        let mut words = head.split_ascii_whitespace().skip(1);
        let (Some("blob"), Some(size)) = (words.next(), words.next()) else {
            contents.push(None);
            continue;
        };
        let size: u64 = size.parse().map_err(std::io::Error::other)?;
        let mut content = Vec::new();
        out.by_ref().take(size).read_to_end(&mut content)?;
        out.read_exact(&mut [0])?;
        contents.push(Some(content));
    }
    Ok(contents)
}

/// Runs a call under the limit of time, with a text for its standard input, and gives what is made of
/// its standard output.
fn supervised<T: Send + 'static>(
    mut command: Command,
    input: Option<String>,
    read: impl FnOnce(&mut dyn Read) -> std::io::Result<T> + Send + 'static,
) -> Result<T, GitError> {
    let failed = |error: std::io::Error| GitError::Failed(clean(&error.to_string()));
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().map_err(|error| GitError::NoGit(clean(&error.to_string())))?;
    if let (Some(pipe), Some(text)) = (child.stdin.take(), input) {
        // It may end before it has read everything; what it wrote tells.
        let feed = |mut pipe: ChildStdin, text: String| pipe.write_all(text.as_bytes());
        std::thread::spawn(move || feed(pipe, text));
    }
    let (Some(mut out), Some(complaints)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(GitError::Failed("it has no output".to_owned()));
    };
    let (send, receive) = mpsc::channel();
    let said = std::thread::spawn(move || {
        let mut text = Vec::new();
        // What does not fit is not needed, and must not block it.
        let mut complaints = complaints;
        let _ = complaints.by_ref().take(4096).read_to_end(&mut text);
        let _ = std::io::copy(&mut complaints, &mut std::io::sink());
        String::from_utf8_lossy(&text).into_owned()
    });
    std::thread::spawn(move || {
        let result = read(&mut out);
        drop(out);
        send.send(result)
    });
    let Ok(result) = receive.recv_timeout(LIMIT) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(GitError::Failed(format!("it took more than {} s", LIMIT.as_secs())));
    };
    let status = child.wait().map_err(failed)?;
    let said = said.join().unwrap_or_default();
    if !status.success() {
        let first = said.lines().next().unwrap_or("it gave no reason");
        return Err(GitError::Failed(clean(first.trim_start_matches("fatal: "))));
    }
    result.map_err(failed)
}
