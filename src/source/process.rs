//! Child programs: no shell, an environment of our own, and bounds on time and output.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest time that a program may take. Charts and kustomizations take a second at most.
const TIME: Duration = Duration::from_secs(60);

/// Most bytes of standard output, the limit of an input file.
const OUTPUT: u64 = 64 << 20;

/// Most bytes of standard error that are kept; the rest is read and dropped.
const ERRORS: u64 = 1 << 20;

/// How often a program that has closed its outputs is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// A fresh directory below the system's one for temporary files, which only this user may enter. It
/// is removed with everything in it when this value is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: TempDir,
    /// Its path without symbolic links.
    path: PathBuf,
}

impl Scratch {
    /// Makes the directory.
    ///
    /// # Errors
    /// Gives what the system says.
    pub(super) fn new() -> std::io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("palisade-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let directory = builder.tempdir()?;
        let path = directory.path().canonicalize()?;
        for name in ["home", "tmp"] {
            std::fs::create_dir(path.join(name))?;
        }
        Ok(Self { directory, path })
    }

    /// Where it lies, without symbolic links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into it. Never a value of a Secret.
    ///
    /// # Errors
    /// Gives what the system says.
    pub(super) fn write(&self, name: &str, text: &str) -> std::io::Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// A text without the paths of this directory.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for path in [self.path.as_path(), self.directory.path()] {
            let path = path.to_string_lossy();
            text = text.replace(&format!("{path}{}", std::path::MAIN_SEPARATOR), "");
            text = text.replace(path.as_ref(), ".");
        }
        text
    }
}

/// A program that is about to be run.
#[derive(Debug)]
pub(super) struct Call<'c> {
    /// The program, as [`find`] gives it.
    pub(super) program: &'c Path,
    pub(super) arguments: &'c [OsString],
    /// The directory that it works in.
    pub(super) directory: &'c Path,
    pub(super) scratch: &'c Scratch,
}

/// Why a program gave no output that can be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no such program.
    NotFound,
    /// It ended with an error, or did not start: what it says, without scratch paths.
    Failed { message: String },
    /// It took too long and was ended.
    TimedOut,
    /// It wrote too much and was ended.
    TooLarge,
}

impl Failure {
    /// The reason for people: lower case, no full stop.
    pub(super) fn message(&self) -> String {
        match self {
            Self::NotFound => "the program is not installed".to_owned(),
            Self::Failed { message } => message.clone(),
            Self::TimedOut => format!("it took more than {} s", TIME.as_secs()),
            Self::TooLarge => format!("it wrote more than {} MiB", OUTPUT >> 20),
        }
    }
}

/// The program that an environment variable names.
pub(super) fn named(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|program| !program.is_empty())
}

/// Looks for a program by its path, or by its name on PATH. Relative entries of PATH do not count:
/// they could lead into what is being checked.
pub(super) fn find(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let program = Path::new(program.as_ref());
    if program.components().count() > 1 {
        return std::path::absolute(program).ok().filter(|path| is_program(path));
    }
    let mut file = program.as_os_str().to_owned();
    if program.extension().is_none() {
        file.push(std::env::consts::EXE_SUFFIX);
    }
    search_path().into_iter().map(|directory| directory.join(&file)).find(|path| is_program(path))
}

/// The absolute directories of PATH.
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|directory| directory.is_absolute()).collect()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Runs a program and gives what it writes to standard output.
///
/// # Errors
/// Says what went wrong; output that was written until then is dropped.
pub(super) fn run(call: &Call<'_>) -> Result<Vec<u8>, Failure> {
    run_within(call, TIME, OUTPUT)
}

fn run_within(call: &Call<'_>, time: Duration, most: u64) -> Result<Vec<u8>, Failure> {
    let until = Instant::now() + time;
    if !call.program.exists() {
        return Err(Failure::NotFound);
    }
    let mut child = start(call).map_err(|error| Failure::Failed {
        message: format!("the program does not start: {error}"),
    })?;
    let (sender, parts) = channel();
    if let Some(output) = child.stdout.take() {
        read(output, most, sender.clone(), Part::Output);
    }
    if let Some(errors) = child.stderr.take() {
        read(errors, ERRORS, sender, Part::Errors);
    }
    let outcome = finish(&mut child, &parts, until);
    if outcome.is_err() {
        end(&mut child);
    }
    let (status, output, errors) = outcome?;
    if status.success() {
        return Ok(output);
    }
    let said = call.scratch.hidden_in(String::from_utf8_lossy(&errors).trim());
    let message = match (said.is_empty(), status.code()) {
        (false, _) => said,
        (true, Some(code)) => format!("it ended with exit code {code} and no message"),
        (true, None) => "it was ended by a signal".to_owned(),
    };
    Err(Failure::Failed { message })
}

fn start(call: &Call<'_>) -> std::io::Result<Child> {
    let scratch = call.scratch.path();
    let path = std::env::join_paths(search_path()).unwrap_or_default();
    let mut command = Command::new(call.program);
    command.args(call.arguments).current_dir(call.directory).env_clear();
    command.env("PATH", path).env("LC_ALL", "C");
    command.env("HOME", scratch.join("home")).env("TMPDIR", scratch.join("tmp"));
    for kind in ["CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "PLUGINS", "REPOSITORY_CACHE"] {
        command.env(format!("HELM_{kind}"), scratch.join("helm").join(kind.to_lowercase()));
    }
    for kind in ["REGISTRY_CONFIG", "REPOSITORY_CONFIG"] {
        command.env(format!("HELM_{kind}"), scratch.join("helm").join(kind.to_lowercase()));
    }
    // Whatever a manifest makes the program fetch, nothing leaves this machine: the proxy is a port
    // at which nobody listens.
    for scheme in ["HTTP", "HTTPS"] {
        command.env(format!("{scheme}_PROXY"), "http://127.0.0.1:9");
    }
    command.env("GIT_ALLOW_PROTOCOL", "none");
    if cfg!(windows) {
        command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
        command.env("TMP", scratch.join("tmp")).env("TEMP", scratch.join("tmp"));
        command.env("USERPROFILE", scratch.join("home"));
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// What a stream gave.
enum Part {
    /// All of standard output.
    Output(Vec<u8>),
    /// The first of standard error.
    Errors(Vec<u8>),
    /// More than allowed.
    TooMuch,
}

/// Reads a stream on a thread of its own: a program that fills one pipe must not wait for the other.
/// The thread is left alone afterwards, as a grandchild may hold the pipe for ever.
fn read(
    mut stream: impl Read + Send + 'static,
    most: u64,
    to: Sender<Part>,
    part: fn(Vec<u8>) -> Part,
) {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.by_ref().take(most).read_to_end(&mut bytes);
        let more = std::io::copy(&mut stream.by_ref().take(1), &mut std::io::sink());
        let part = part(bytes);
        if more.is_ok_and(|more| more == 0) {
            let _ = to.send(part);
        } else if matches!(part, Part::Output(_)) {
            let _ = to.send(Part::TooMuch);
        } else {
            let _ = to.send(part);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
}

/// Waits for both streams and the end of the program.
fn finish(
    child: &mut Child,
    parts: &Receiver<Part>,
    until: Instant,
) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), Failure> {
    let (mut output, mut errors) = (None, None);
    while output.is_none() || errors.is_none() {
        match parts.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Part::Output(bytes)) => output = Some(bytes),
            Ok(Part::Errors(bytes)) => errors = Some(bytes),
            Ok(Part::TooMuch) => return Err(Failure::TooLarge),
            Err(RecvTimeoutError::Timeout) => return Err(Failure::TimedOut),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    // Programs end right after their outputs: this asks once or twice.
    let (_open, never) = channel::<()>();
    loop {
        let status = child.try_wait().map_err(|error| Failure::Failed {
            message: format!("the program cannot be waited for: {error}"),
        })?;
        if let Some(status) = status {
            return Ok((status, output.unwrap_or_default(), errors.unwrap_or_default()));
        }
        if Instant::now() >= until {
            return Err(Failure::TimedOut);
        }
        let _ = never.recv_timeout(PAUSE);
    }
}

/// Ends a program together with the programs that it has started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    let _ = rustix::process::kill_process_group(
        rustix::process::Pid::from_child(child),
        rustix::process::Signal::KILL,
    );
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use super::{Call, Failure, Scratch, TIME, find, run, run_within};

    const LONG: Duration = TIME;

    fn program(name: &str) -> PathBuf {
        find(name).unwrap_or_else(|| panic!("{name} is on PATH"))
    }

    fn shell(script: &str, time: Duration, most: u64) -> Result<Vec<u8>, Failure> {
        let scratch = Scratch::new().expect("a scratch directory");
        let arguments = ["-c", script].map(OsString::from);
        let (program, directory) = (program("sh"), Path::new("/"));
        let call = Call { program: &program, arguments: &arguments, directory, scratch: &scratch };
        run_within(&call, time, most)
    }

    #[test]
    fn the_environment_is_our_own() {
        let scratch = Scratch::new().expect("a scratch directory");
        let program = program("env");
        let directory = scratch.path();
        let call = Call { program: &program, arguments: &[], directory, scratch: &scratch };
        let output = String::from_utf8(run(&call).expect("it runs")).expect("text");
        let mut names: Vec<&str> =
            output.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        names.sort_unstable();
        let expected = [
            "GIT_ALLOW_PROTOCOL",
            "HELM_CACHE_HOME",
            "HELM_CONFIG_HOME",
            "HELM_DATA_HOME",
            "HELM_PLUGINS",
            "HELM_REGISTRY_CONFIG",
            "HELM_REPOSITORY_CACHE",
            "HELM_REPOSITORY_CONFIG",
            "HOME",
            "HTTPS_PROXY",
            "HTTP_PROXY",
            "LC_ALL",
            "PATH",
            "TMPDIR",
        ];
        assert_eq!(names, expected);
        let home = format!("HOME={}", scratch.path().join("home").display());
        assert!(output.lines().any(|line| line == home), "{output}");
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended_with_its_children() {
        let begin = Instant::now();
        for script in ["sleep 30", "sleep 30 & sleep 30", "exec >&- 2>&-; sleep 30", "sleep 30 &"] {
            let outcome = shell(script, Duration::from_millis(200), 10);
            assert_eq!(outcome, Err(Failure::TimedOut), "{script}");
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    }

    #[test]
    fn output_is_bounded_and_errors_are_cut() {
        assert_eq!(shell("printf 1234567890", LONG, 10).as_deref(), Ok(&b"1234567890"[..]));
        assert_eq!(shell("printf 12345678901", LONG, 10), Err(Failure::TooLarge));
        let endless = "while :; do echo 1234567890; done";
        assert_eq!(shell(endless, LONG, 1 << 16), Err(Failure::TooLarge));
        let noisy = "head -c 3000000 /dev/zero | tr '\\0' x >&2; printf out; exit 1";
        let Err(Failure::Failed { message }) = shell(noisy, LONG, 10) else {
            panic!("it failed");
        };
        assert_eq!(message.len(), 1 << 20);
    }

    #[test]
    fn what_a_failing_program_says_is_the_message_without_scratch_paths() {
        let failed = |message: &str| Err(Failure::Failed { message: message.to_owned() });
        let script = "echo \"cannot read $HOME/x\" >&2; exit 2";
        assert_eq!(shell(script, LONG, 10), failed("cannot read home/x"));
        assert_eq!(shell("exit 2", LONG, 10), failed("it ended with exit code 2 and no message"));
        assert_eq!(shell("kill -9 $$", LONG, 10), failed("it was ended by a signal"));
    }

    #[test]
    fn a_program_that_is_not_there_is_not_found() {
        assert_eq!(find("no-such-program"), None);
        let scratch = Scratch::new().expect("a scratch directory");
        let program = scratch.path().join("none");
        let directory = scratch.path();
        let call = Call { program: &program, arguments: &[], directory, scratch: &scratch };
        assert_eq!(run(&call), Err(Failure::NotFound));
    }

    #[test]
    fn the_scratch_directory_is_private_and_removed() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new().expect("a scratch directory");
        let path = scratch.path().to_owned();
        scratch.write("values.yaml", "a: 1\n").expect("it can be written");
        let mode = path.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(scratch);
        assert!(!path.exists());
    }
}
