//! Where reports go: each format with the output behind it, files written whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::{CheckArgs, CliError, FormatArg, setup, terminal};
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
        FormatArg::Junit => Format::Junit,
        FormatArg::Github => Format::Github,
        FormatArg::Gitlab => Format::Gitlab,
        FormatArg::Markdown => Format::Markdown,
        FormatArg::Csv => Format::Csv,
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
    // A dash stands for standard output, as it does for standard input.
    let named = |path: PathBuf| Some(path).filter(|path| !setup::is_stdin(path));
    let targets: Vec<Target> =
        targets.into_iter().map(|(_, (format, output))| (format, output.and_then(named))).collect();
    distinct(&targets, &args.paths)?;
    Ok(targets)
}

/// Refuses outputs that would overwrite one another, or an input.
fn distinct(targets: &[Target], inputs: &[PathBuf]) -> Result<(), CliError> {
    let refuse = |message: String| Err(CliError::BadOutputs(message));
    if targets.iter().filter(|(_, output)| output.is_none()).count() > 1 {
        return refuse("several formats would go to standard output".to_owned());
    }
    let read: Vec<PathBuf> =
        inputs.iter().filter_map(|path| path.canonicalize().ok()).filter(|p| p.is_file()).collect();
    let mut written = Vec::new();
    for path in targets.iter().filter_map(|(_, output)| output.as_ref()) {
        let Some(real) = real(path) else { continue };
        let name = clean(&path.to_string_lossy());
        if read.contains(&real) {
            return refuse(format!("the output `{name}` would overwrite an input"));
        }
        if written.contains(&real) {
            return refuse(format!("two formats would go to `{name}`"));
        }
        written.push(real);
    }
    Ok(())
}

/// The place of a file that may not exist yet; none for a device, which takes everything.
fn real(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return real.is_file().then_some(real);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new(".")).canonicalize().ok()?;
    Some(parent.join(path.file_name()?))
}

/// What is written: text for people, which a CI log must not take for commands, or data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text.
    Text,
    /// Data for programs, left as it is.
    Data,
}

/// Writes a report. A closed pipe ends the output quietly.
pub(super) fn write(
    output: Option<&Path>,
    content: Content,
    report: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CliError> {
    let Some(path) = output else {
        let mut stdout = io::BufWriter::new(io::stdout().lock());
        let written = if content == Content::Text && terminal::in_ci() {
            let mut quiet = Quiet { inner: &mut stdout, line: Vec::new() };
            report(&mut quiet).and_then(|()| quiet.finish())
        } else {
            report(&mut stdout)
        };
        return match written.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(cannot("standard output", &error))
            }
            _ => Ok(()),
        };
    };
    replace(path, report).map_err(|error| cannot(&clean(&path.to_string_lossy()), &error))
}

/// Passes lines on so that no CI service takes one for a command.
struct Quiet<'w, W: Write> {
    inner: &'w mut W,
    line: Vec<u8>,
}

impl<W: Write> Quiet<'_, W> {
    fn finish(self) -> io::Result<()> {
        self.inner.write_all(quiet(&String::from_utf8_lossy(&self.line)).as_bytes())
    }
}

impl<W: Write> Write for Quiet<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if let Some(end) = memchr::memrchr(b'\n', &self.line) {
            let rest = self.line.split_off(end + 1);
            let lines = std::mem::replace(&mut self.line, rest);
            self.inner.write_all(quiet(&String::from_utf8_lossy(&lines)).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Text without commands of GitHub's (`::name::` at the start of a line, `##[name]` anywhere) and
/// Azure's (`##vso[name]`) logs.
fn quiet(text: &str) -> String {
    let mut quiet = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let start = line.len() - line.trim_start().len();
        let (blank, rest) = line.split_at(start);
        quiet.push_str(blank);
        if rest.starts_with("::") {
            quiet.push('|');
        }
        quiet.push_str(&rest.replace("##[", "# #[").replace("##vso[", "# #vso["));
    }
    quiet
}

/// Writes a message to standard error.
pub(super) fn complain(text: &str) {
    let text = if terminal::in_ci() { quiet(text) } else { text.to_owned() };
    // Nobody can be told that the message did not arrive.
    let _ = io::stderr().write_all(text.as_bytes());
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
pub(super) fn replace(
    path: &Path,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
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
        return create(&target, text);
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let scratch = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = create(&scratch, text).and_then(|()| std::fs::rename(&scratch, &target));
    if written.is_err() {
        let _ = std::fs::remove_file(&scratch);
    }
    written
}

/// Writes a text as it is made: a report of many megabytes is never in memory as a whole.
fn create(path: &Path, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = io::BufWriter::new(std::fs::File::create(path)?);
    text(&mut file)?;
    file.flush()
}
