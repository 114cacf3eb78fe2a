//! Errors that end a run before it begins, or keep its report from being written: exit code 2.

use std::fmt::Write;

use miette::Diagnostic;
use thiserror::Error;

use super::terminal;
use crate::config::ConfigError;
use crate::document::{File, clean};

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
    /// palisade.yaml has mistakes.
    #[error("the configuration has {} {}", .errors.len(), if .errors.len() == 1 { "mistake" } else { "mistakes" })]
    Config {
        /// Text of the configuration.
        file: Box<File>,
        /// Every mistake.
        errors: Vec<ConfigError>,
    },
    /// A configuration that cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    #[diagnostic(
        code(palisade::no_config),
        help("name a file that exists, or leave `--config` out")
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
    pub(super) fn render(&self) -> String {
        let style = terminal::stderr_style();
        if let Self::Config { file, errors } = self {
            return errors.iter().map(|error| of_config(file, error, style.color)).collect();
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "error: {}", clean(&self.to_string()));
        if let Some(help) = self.help() {
            let _ = writeln!(text, "  help: {}", clean(&help.to_string()));
        }
        text
    }
}

/// A mistake in the configuration with the line it stands on.
fn of_config(file: &File, error: &ConfigError, color: bool) -> String {
    let mut text = String::new();
    crate::report::problem_block(
        file,
        error.at,
        &error.message,
        error.help.as_deref(),
        color,
        &mut text,
    );
    text
}
