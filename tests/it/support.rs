//! What several tests share.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade::config::Config;
use palisade::document::{FileId, Inventory, ReadOptions};
use palisade::engine::{Settings, assess, conclude};
use palisade::finding::{Assessment, Confidence, Persona, Severity};
use palisade::source::{Loaded, Request, load};

/// The project's directory.
pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of data that others made: what `PALISADE_SHARED` names, or `../shared` beside the
/// project; a user's checkout has none.
pub(crate) fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("PALISADE_SHARED").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| project().join("../shared"));
    folder.is_dir().then_some(folder)
}

/// A run of the library over some paths, with everything shown.
pub(crate) struct LibraryRun {
    pub(crate) loaded: Loaded,
    pub(crate) assessments: Vec<Assessment>,
    pub(crate) settings: Settings,
}

/// Judges files or directories; a palisade.yaml among them is the configuration.
pub(crate) fn judge(paths: &[PathBuf]) -> LibraryRun {
    judge_with(paths, &[])
}

/// The same with some checks only, or all where none is named.
pub(crate) fn judge_with(paths: &[PathBuf], checks: &[&str]) -> LibraryRun {
    let config = paths.iter().map(|path| path.join("palisade.yaml")).find(|path| path.is_file());
    let text = config.map(|path| std::fs::read_to_string(path).expect("the configuration is text"));
    let read = Config::read(FileId(0), text.as_deref().unwrap_or_default());
    let config = read.unwrap_or_else(|errors| panic!("the configuration is wrong: {errors:?}"));
    let today = "2026-11-21".parse().expect("a date");
    let mut settings =
        Settings::new(config, today).unwrap_or_else(|errors| panic!("unknown names: {errors:?}"));
    settings.persona = Persona::Auditor;
    settings.include = checks.iter().map(|check| (*check).to_owned()).collect();
    settings.min_severity = Severity::Low;
    settings.min_confidence = Confidence::Low;
    let request = Request {
        paths: paths.to_vec(),
        stdin: false,
        exclude: settings.config.exclude.clone(),
        include_docs: true,
        options: ReadOptions { limits: settings.config.limits.clone(), ..ReadOptions::default() },
        config: text.map(|text| ("palisade.yaml".to_owned(), text)),
        ..Request::default()
    };
    let loaded = load(&request).unwrap_or_else(|error| panic!("{error}"));
    let mut assessments: Vec<Assessment> =
        loaded.inventories.iter().map(|inventory| assess(inventory, &settings)).collect();
    let inventories: &[Arc<Inventory>] = &loaded.inventories;
    conclude(&mut assessments, inventories, &loaded.files, &settings);
    LibraryRun { loaded, assessments, settings }
}

/// Reads files or directories without judging them; no configuration applies.
pub(crate) fn loaded(paths: &[PathBuf]) -> Loaded {
    let request = Request {
        paths: paths.to_vec(),
        stdin: false,
        exclude: Vec::new(),
        include_docs: true,
        options: ReadOptions::default(),
        config: None,
        ..Request::default()
    };
    load(&request).unwrap_or_else(|error| panic!("{error}"))
}

/// Files below a directory, sorted, directories left out.
pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(directory)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.expect("the project's own files are readable"))
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    files
}

/// Whether a file holds this text. With `PALISADE_BLESS=1` it is written first.
pub(crate) fn bless(path: &Path, text: &str) -> bool {
    if std::env::var_os("PALISADE_BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().expect("a file lies in a directory"))
            .expect("the project is writable");
        std::fs::write(path, text).expect("the project is writable");
    }
    std::fs::read_to_string(path).is_ok_and(|found| found == text)
}

/// Writes a file below a directory, with the directories above it.
pub(crate) fn write(root: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = root.join(name);
    let parent = path.parent().expect("a file has a directory");
    std::fs::create_dir_all(parent).expect("a scratch directory can be written");
    std::fs::write(&path, text).expect("a scratch file can be written");
}

/// A line that the test harness does not swallow when the test passes.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A folder of data with verdicts that others gave. Says so where it is absent: a test that looked
/// at nothing must not look like one that passed.
pub(crate) fn conformance(name: &str) -> Option<PathBuf> {
    let folder = shared().map(|shared| shared.join("conformance").join(name));
    if folder.is_none() {
        say(&format!("conformance: {name} not run, the folder is absent"));
    }
    folder
}

/// The rows of a table of others' data, without its header.
pub(crate) fn table(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}
