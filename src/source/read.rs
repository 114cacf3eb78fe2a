//! One file to what it holds.

use std::io::Read;

use super::files::{Entry, What};
use super::{FileReport, Request, fences};
use crate::document::{
    self, Decoded, Decoding, File, FileId, Gap, GapReason, Note, Parted, Problem, Reading,
    RootKind, Span, State,
};

/// What a file is to the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Manifests, or text with manifests in it.
    Manifests,
    /// What kustomize reads first in a directory.
    Kustomization,
    /// A part of objects that a kustomization changes.
    Patch,
    /// A template, value or other part of a chart.
    Chart,
}

/// A text and what it gave.
pub(super) struct Parsed {
    pub(super) file: File,
    pub(super) reading: Reading,
    pub(super) kind: RootKind,
    /// Documents that are no objects, of a kustomization file or a patch.
    pub(super) parts: Parted,
}

/// A file after it was read.
pub(super) struct Outcome {
    pub(super) report: FileReport,
    pub(super) gap: Option<Gap>,
    pub(super) parsed: Option<Parsed>,
    pub(super) role: Role,
}

/// A file of which nothing was read: its report, and what it leaves open.
fn unread(name: &str, state: State, reason: String) -> Outcome {
    let gap = |why, hint: &str| Gap {
        reason: why,
        what: format!("`{name}`"),
        at: None,
        hint: hint.to_owned(),
        namespace: None,
    };
    let gap = match state {
        State::Unreadable => Some(gap(GapReason::Unreadable, "make it readable")),
        State::TooLarge => Some(gap(GapReason::TooLarge, "split it")),
        State::Encrypted => Some(gap(GapReason::Encrypted, "check the decrypted manifests")),
        _ => None,
    };
    let report = FileReport {
        name: name.to_owned(),
        state,
        objects: 0,
        not_kubernetes: 0,
        reason: Some(reason),
    };
    Outcome { report, gap, parsed: None, role: Role::Manifests }
}

/// A file that as a whole cannot be read as text: its report, and the problem in its place.
fn refused(name: &str, id: FileId, kind: RootKind, message: &str, help: &'static str) -> Outcome {
    let mut reading = Reading::empty();
    reading.problems.push(Problem {
        at: Span::start_of(id),
        state: State::Unparsable,
        message: message.to_owned(),
        help: Some(help),
    });
    let outcome = unread(name, State::Unparsable, message.to_owned());
    let file = File::new(name.to_owned(), String::new());
    Outcome { parsed: Some(Parsed { file, reading, kind, parts: Parted::default() }), ..outcome }
}

/// Reads a file in its role.
pub(super) fn read_entry(entry: Entry, id: FileId, role: Role, request: &Request) -> Outcome {
    let name = entry.name;
    let limit = request.options.limits.file_bytes;
    let (bytes, kind) = match entry.what {
        What::Skipped { state, reason } => return unread(&name, state, reason),
        What::Stdin => (read_limited(std::io::stdin().lock(), 0, limit), RootKind::Stdin),
        What::File(path) | What::Chart { path, .. } => {
            (request.storage.read(&path, limit), RootKind::Directory)
        }
        What::Text(path) => (request.storage.read(&path, limit), RootKind::DocumentFile),
    };
    let bytes = match bytes {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let reason = format!("more than {limit} bytes; raise `limits.fileBytes`, or split it");
            return unread(&name, State::TooLarge, reason);
        }
        Err(error) => {
            let reason = document::clean(&error.to_string());
            let reason = format!("{reason}; make it readable, or exclude it");
            return unread(&name, State::Unreadable, reason);
        }
    };
    let Decoding { text, replaced, binary } = match document::decode(bytes) {
        Decoded::Text(decoding) => decoding,
        Decoded::Encrypted(why) => return unread(&name, State::Encrypted, why.to_owned()),
        Decoded::UnmarkedUtf16 => {
            let message = "UTF-16 without a byte order mark, which clients refuse";
            return refused(&name, id, kind, message, "save it as UTF-8");
        }
    };
    let read = || read_text(id, &name, &text, (role, kind), request);
    let Some((mut reading, parts)) = guarded(read) else {
        let message = "reading it failed, which is a fault of palisade";
        return refused(&name, id, kind, message, "please report it, with the file if you may");
    };
    if binary && reading.documents.is_empty() {
        return unread(&name, State::Encrypted, "binary".to_owned());
    }
    if let Some((at, what)) = replaced {
        let at = Span { file: id, start: at, end: at };
        reading.notes.push(Note { at, text: what.to_owned() });
    }
    let text = document::overwrite_redacted(text, &reading);
    let worst = reading.problems.iter().min_by_key(|problem| problem.state);
    let report = FileReport {
        state: reading.state(),
        objects: reading.documents.len(),
        not_kubernetes: reading.not_kubernetes,
        reason: worst.map(|problem| problem.message.clone()),
        name: name.clone(),
    };
    let parsed = Parsed { file: File::new(name, text), reading, kind, parts };
    Outcome { report, gap: None, parsed: Some(parsed), role }
}

fn read_text(
    id: FileId,
    name: &str,
    text: &str,
    (role, kind): (Role, RootKind),
    request: &Request,
) -> (Reading, Parted) {
    let options = &request.options;
    match (role, kind) {
        (Role::Kustomization | Role::Patch, _) => document::read_parts(id, text, &options.limits),
        // Templates are no manifests; what they hold is shown beside what they are rendered to.
        (Role::Chart, _) => (document::read_nothing(text), Parted::default()),
        (Role::Manifests, RootKind::DocumentFile) => {
            (fences::read(id, name, text, options), Parted::default())
        }
        (Role::Manifests, _) => (document::read(id, text, options), Parted::default()),
    }
}

/// Reads a file; `None` where it is larger than the limit. Its length is asked first, so that a huge
/// file is not read at all.
pub(super) fn read_file(path: &std::path::Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    if length > limit {
        return Ok(None);
    }
    read_limited(file, length, limit)
}

/// A panic on a stranger's input ends that input, not the run.
fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).ok()
}

/// Reads at most `limit` bytes, of which `expected` are thought to come; `None` where there are more.
fn read_limited(from: impl Read, expected: u64, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default() + 1);
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
