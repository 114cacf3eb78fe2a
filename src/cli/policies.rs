//! The user's own policies in Rego: found, read and tried out before anything is judged.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{CliError, RegoEngineArg};
use crate::document::{File, FileId, Files, Span, clean, narrow};
use crate::engine::catalog;
use crate::rego::{Engine, Policies, PolicyError, PolicyFile, Runtime, is_policy_name};

/// Largest file that is read.
const LARGEST: u64 = 1 << 20;

/// Reads the policies of some files and directories. Tests among them are left out.
pub(super) fn read(paths: &[PathBuf], engine: RegoEngineArg) -> Result<Runtime, CliError> {
    let engine = match engine {
        RegoEngineArg::Auto => Engine::Auto,
        RegoEngineArg::Rvm => Engine::Machine,
        RegoEngineArg::Interp => Engine::Interpreter,
        RegoEngineArg::Verify => Engine::Verify,
    };
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        for found in found(path)? {
            files.push(text(&found, files.len())?);
        }
        if files.len() == before {
            let path = clean(&path.to_string_lossy());
            return Err(CliError::NoSuchInput(format!("`{path}` holds no policy (*.rego)")));
        }
    }
    let texts = files.iter().map(|file| File::new(file.name.clone(), file.text.clone()));
    let texts = Files::new(texts.collect());
    let bundled = catalog();
    let known = |slug: &str| bundled.get(slug).is_some();
    let (own, mut errors) = match Policies::read(&files, &known) {
        Ok(own) => (own, Vec::new()),
        Err((own, errors)) => (own, errors),
    };
    let runtime = Runtime::new(own, engine);
    for (file, failure) in runtime.failures() {
        let at = failure.at.map_or(Span::start_of(file), |(line, _)| {
            let (start, end) = texts.get(file).line_range((line as usize).saturating_sub(1));
            Span { file, start, end }
        });
        let help = Some("`palisade policy test` and `opa check` say more".to_owned());
        errors.push(PolicyError { file, at, message: failure.message, help });
    }
    if errors.is_empty() {
        return Ok(runtime);
    }
    errors.sort_by_key(|error| error.at);
    Err(CliError::Policy { files: texts, errors })
}

fn found(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let reason = clean(&error.to_string());
            CliError::NoSuchInput(format!("cannot read policies: {reason}"))
        })?;
        let name = entry.file_name().to_string_lossy();
        if entry.file_type().is_file() && is_policy_name(&name) {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

fn text(path: &Path, number: usize) -> Result<PolicyFile, CliError> {
    let name = clean(&path.to_string_lossy());
    let bad = |reason: String| CliError::NoSuchInput(format!("cannot read `{name}`: {reason}"));
    let size = path.metadata().map_err(|error| bad(clean(&error.to_string())))?.len();
    if size > LARGEST {
        return Err(bad(format!("it has more than {LARGEST} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| bad(clean(&error.to_string())))?;
    Ok(PolicyFile { file: FileId(narrow(number)), name, text })
}
