//! Where reports go: each format with the output behind it, files written whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::{CheckArgs, CliError, FormatArg};
use crate::document::clean;
use crate::report::Format;

/// Places of `--format` and `--output` on the command line.
pub(super) struct Order {
    formats: Vec<usize>,
    outputs: Vec<usize>,
}

/// Reads the places.
pub(super) fn order(matches: &ArgMatches) -> Order {
    let of = |name: &str| {
        let check = matches.subcommand_matches("check");
        check.and_then(|m| m.indices_of(name)).map(Iterator::collect).unwrap_or_default()
    };
    Order { formats: of("formats"), outputs: of("outputs") }
}

/// A report to write: its format, and its file unless it goes to standard output.
pub(super) type Target = (Format, Option<PathBuf>);

/// Pairs each output with the format before it.
pub(super) fn targets(args: &CheckArgs, order: &Order) -> Result<Vec<Target>, CliError> {
    let format = |format: FormatArg| match format {
        FormatArg::Human => Format::Human,
        FormatArg::Table => Format::Table,
        FormatArg::Json => Format::Json,
        FormatArg::Sarif => Format::Sarif,
    };
    let mut targets: Vec<(usize, Target)> = Vec::new();
    for (index, written) in order.formats.iter().zip(&args.formats) {
        targets.push((*index, (format(*written), None)));
    }
    if targets.is_empty() {
        targets.push((0, (Format::Human, None)));
    }
    for (index, path) in order.outputs.iter().zip(&args.outputs) {
        let before =
            targets.iter_mut().rev().find(|(at, (_, output))| at < index && output.is_none());
        match before {
            Some((_, (_, output))) => *output = Some(path.clone()),
            None => {
                let path = clean(&path.to_string_lossy());
                let message = format!("the output `{path}` has no format before it");
                return Err(CliError::BadOutputs(message));
            }
        }
    }
    let to_stdout = targets.iter().filter(|(_, (_, output))| output.is_none()).count();
    if to_stdout > 1 {
        let message = "several formats would go to standard output".to_owned();
        return Err(CliError::BadOutputs(message));
    }
    Ok(targets.into_iter().map(|(_, target)| target).collect())
}

/// Writes a report. A closed pipe ends the output quietly.
pub(super) fn write(
    output: Option<&Path>,
    report: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CliError> {
    let Some(path) = output else {
        let mut stdout = io::BufWriter::new(io::stdout().lock());
        let written = report(&mut stdout).and_then(|()| stdout.flush());
        return match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(cannot("standard output", &error))
            }
            _ => Ok(()),
        };
    };
    let mut text = Vec::new();
    let name = clean(&path.to_string_lossy());
    report(&mut text).map_err(|error| cannot(&name, &error))?;
    replace(path, &text).map_err(|error| cannot(&name, &error))
}

fn cannot(path: &str, error: &io::Error) -> CliError {
    CliError::CannotWrite {
        path: path.to_owned(),
        reason: clean(&error.to_string()),
        help: "name a file in a directory that exists and may be written",
    }
}

/// Writes a file beside its place and moves it there, so that no reader sees half of it. A symbolic
/// link that leads out of the directory is refused.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    let mut target = path.to_owned();
    if path.is_symlink() {
        target = path.canonicalize()?;
        if !target.starts_with(parent.canonicalize()?) {
            let reason = "it is a symbolic link that leads out of its directory";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
    }
    // A device such as /dev/null cannot be replaced, only written.
    if target.exists() && !target.is_file() {
        return std::fs::write(&target, text);
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let scratch = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = std::fs::write(&scratch, text).and_then(|()| std::fs::rename(&scratch, &target));
    if written.is_err() {
        let _ = std::fs::remove_file(&scratch);
    }
    written
}
