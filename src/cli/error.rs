//! Errors that end a run before it begins, or keep its report from being written: exit code 2.

use std::fmt::Write;

use miette::Diagnostic;
use thiserror::Error;

use crate::config::ConfigError;
use crate::document::{File, Files, clean};
use crate::rego::PolicyError;
use crate::report::{Style, counted, problem_block};
use crate::source::GitError;

/// Why a run cannot be done. All of them are the caller's to mend.
#[derive(Debug, Diagnostic, Error)]
pub enum CliError {
    /// An argument that cannot be found.
    #[error("{0}")]
    #[diagnostic(
        code(palisade::no_such_input),
        help("name files or directories that exist, or `-` for standard input")
    )]
    NoSuchInput(String),
    /// Standard input can be read once only.
    #[error("standard input is named twice")]
    #[diagnostic(code(palisade::stdin_twice), help("write `-` once"))]
    StdinTwice,
    /// The options leave nothing to do.
    #[error("no check is left to run")]
    #[diagnostic(
        code(palisade::nothing_to_run),
        help("include a check, or exclude fewer: `palisade checks` lists them all")
    )]
    NothingToRun,
    /// Changed files without a repository.
    #[error("`{0}` is in no git work tree")]
    #[diagnostic(
        code(palisade::no_context),
        help("name the directory that the changed files belong to: `--context-dir DIR`")
    )]
    NoContext(String),
    /// Standard input is no file of a repository.
    #[error("standard input is in no git work tree")]
    #[diagnostic(
        code(palisade::stdin_in_gate),
        help("name files, or leave out `--changed-files` and `--diff-base`")
    )]
    StdinInGate,
    /// The tree to compare with cannot be read.
    #[error(transparent)]
    #[diagnostic(code(palisade::git), help("{}", .0.help()))]
    Git(#[from] GitError),
    /// palisade.yaml has mistakes.
    #[error("{} has {}", .file.name(), counted(.errors.len(), "mistake"))]
    #[diagnostic(code(palisade::config))]
    Config {
        /// Text of the configuration.
        file: Box<File>,
        /// Every mistake.
        errors: Vec<ConfigError>,
    },
    /// Policies have mistakes.
    #[error("the policies have {}", counted(.errors.len(), "mistake"))]
    #[diagnostic(code(palisade::policy))]
    Policy {
        /// Their texts.
        files: Files,
        /// Every mistake.
        errors: Vec<PolicyError>,
    },
    /// A configuration that cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    #[diagnostic(
        code(palisade::no_config),
        help("name a readable file of UTF-8 text with `--config`, or none")
    )]
    NoConfig {
        /// As written.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A value of an option that means nothing.
    #[error("`{value}` is no {what}")]
    #[diagnostic(code(palisade::bad_value), help("{help}"))]
    BadValue {
        /// As written.
        value: String,
        /// What was wanted.
        what: &'static str,
        /// What to write.
        help: String,
    },
    /// Formats and outputs that do not fit.
    #[error("{0}")]
    #[diagnostic(
        code(palisade::bad_outputs),
        help("write each `--output` behind its `--format`; one format may go to standard output")
    )]
    BadOutputs(String),
    /// A file that cannot be written.
    #[error("cannot write `{path}`: {reason}")]
    #[diagnostic(code(palisade::cannot_write), help("{help}"))]
    CannotWrite {
        /// As written.
        path: String,
        /// What the system says.
        reason: String,
        /// What to do.
        help: &'static str,
    },
}

impl CliError {
    /// The message for standard error.
    pub(super) fn render(&self, style: Style) -> String {
        let mut text = String::new();
        if let Self::Config { file, errors } = self {
            for error in errors {
                text.push_str(&mistake(file, error, style));
            }
        }
        if let Self::Policy { files, errors } = self {
            for error in errors {
                let file = files.get(error.file);
                text.push_str(&problem_block(
                    file,
                    error.at,
                    &error.message,
                    error.help.as_deref(),
                    style,
                ));
            }
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "error: {}", clean(&self.to_string()));
        if let Some(help) = self.help() {
            let _ = writeln!(text, "  help: {}", clean(&help.to_string()));
        }
        text
    }
}

/// A mistake in the configuration with the line it stands on.
fn mistake(file: &File, error: &ConfigError, style: Style) -> String {
    problem_block(file, error.at, &error.message, error.help.as_deref(), style)
}
