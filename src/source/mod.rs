//! From inputs to one inventory per root.

mod external;
mod fences;
mod files;
mod helm;
mod kustomize;
mod names;
#[cfg(test)]
mod oracle;
mod process;
mod roots;
mod store;

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use globset::GlobMatcher;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

pub(crate) use files::TEXT_LEFT_OUT;
pub use names::{Base, CONFIGURATIONS, NameError};

use crate::document::{
    self, Decoded, Decoding, Defect, Document, File, FileId, Files, Gap, GapReason, Inventory,
    Note, Problem, ReadOptions, Reading, RootKind, Span, State,
};
use files::{Entry, What};

/// What to read.
#[derive(Debug)]
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
    /// palisade.yaml, which is a text like the others: findings may point into it.
    pub config: Option<(String, String)>,
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

/// Everything that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Texts.
    pub files: Files,
    /// One inventory per root.
    pub inventories: Vec<Arc<Inventory>>,
    /// Every file that was met, once, sorted by name.
    pub reports: Vec<FileReport>,
    /// Parts that gave no object and should have.
    pub problems: Vec<Problem>,
    /// Remarks.
    pub notes: Vec<Note>,
}

/// A text and what it gave.
struct Parsed {
    file: File,
    reading: Reading,
    kind: RootKind,
}

/// Reads every input. The only error is an argument that does not exist.
///
/// # Errors
/// Gives the argument that cannot be found.
pub fn load(request: &Request) -> Result<Loaded, NameError> {
    let base = Base::of(&request.paths)?;
    let entries = files::walk(request, &base)?;
    let (config_name, config_text) = request.config.clone().unwrap_or_default();
    let mut texts = vec![File::new(config_name, config_text)];
    let parsed: Vec<(FileReport, Option<Gap>, Option<Parsed>)> = entries
        .into_par_iter()
        .enumerate()
        .map(|(index, entry)| read_entry(entry, FileId(narrow(1 + index)), request))
        .collect();
    let mut reports = Vec::with_capacity(parsed.len());
    let mut parts = Vec::with_capacity(parsed.len());
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    for (report, gap, parsed) in parsed {
        let unread = || Parsed {
            file: File::new(report.name.clone(), String::new()),
            reading: Reading::empty(),
            kind: RootKind::Directory,
        };
        let Parsed { file, reading, kind } = parsed.unwrap_or_else(unread);
        let gaps = gap.into_iter().chain(reading.problems.iter().map(|p| gap_of(&report.name, p)));
        parts.push(roots::Part {
            name: report.name.clone(),
            kind,
            gaps: gaps.collect(),
            documents: reading.documents,
            defects: reading.defects,
        });
        problems.extend(reading.problems);
        notes.extend(reading.notes);
        texts.push(file);
        reports.push(report);
    }
    let inventories = roots::split(parts).into_iter().map(Arc::new).collect();
    Ok(Loaded { files: Files::new(texts), inventories, reports, problems, notes })
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// What a document that could not be read leaves open.
fn gap_of(file: &str, problem: &Problem) -> Gap {
    let reason = match problem.state {
        State::NotRendered => GapReason::TemplateNotRendered,
        State::TooLarge => GapReason::TooLarge,
        _ => GapReason::Unparsable,
    };
    Gap {
        reason,
        what: format!("`{file}`"),
        at: Some(problem.at),
        hint: problem.help.unwrap_or("mend it").to_owned(),
        namespace: None,
    }
}

/// A file of which nothing was read: its report, and what it leaves open.
fn unread(name: &str, state: State, reason: String) -> (FileReport, Option<Gap>, Option<Parsed>) {
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
    (report, gap, None)
}

/// A file that as a whole cannot be read as text: its report, and the problem in its place.
fn refused(
    name: &str,
    id: FileId,
    kind: RootKind,
    message: &str,
    help: &'static str,
) -> (FileReport, Option<Gap>, Option<Parsed>) {
    let mut reading = Reading::empty();
    reading.problems.push(Problem {
        at: Span::start_of(id),
        state: State::Unparsable,
        message: message.to_owned(),
        help: Some(help),
    });
    let (report, gap, _) = unread(name, State::Unparsable, message.to_owned());
    let file = File::new(name.to_owned(), String::new());
    (report, gap, Some(Parsed { file, reading, kind }))
}

fn read_entry(
    entry: Entry,
    id: FileId,
    request: &Request,
) -> (FileReport, Option<Gap>, Option<Parsed>) {
    let name = entry.name;
    let limit = request.options.limits.file_bytes;
    let (bytes, kind) = match entry.what {
        What::Skipped { state, reason } => return unread(&name, state, reason),
        What::Unrendered { what, command } => {
            let reason = format!("part of the {what}, which is not rendered: {command}");
            let (report, _, _) = unread(&name, State::NotRendered, reason);
            let hint = format!("render it: `{command}`");
            let reason = GapReason::TemplateNotRendered;
            return (report, Some(Gap { reason, what, at: None, hint, namespace: None }), None);
        }
        What::Stdin => (read_limited(std::io::stdin().lock(), 0, limit), RootKind::Stdin),
        What::File(path) => (read_file(&path, limit), RootKind::Directory),
        What::Text(path) => (read_file(&path, limit), RootKind::DocumentFile),
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
    let options = &request.options;
    let read = || match kind {
        RootKind::DocumentFile => fences::read(id, &name, &text, options),
        _ => document::read(id, &text, options),
    };
    let Some(mut reading) = guarded(read) else {
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
    (report, None, Some(Parsed { file: File::new(name, text), reading, kind }))
}

/// Reads a file; `None` where it is larger than the limit. Its length is asked first, so that a huge
/// file is not read at all.
fn read_file(path: &std::path::Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
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

/// Documents and defects of a root, moved out of its files.
type Contents = (Vec<Document>, Vec<Defect>, Vec<Gap>);
