//! Real implementations as referees: small Go programs of ours that import the products' own code
//! (`tests/oracles/`), asked the same thousands of questions as the library.
//!
//! `PALISADE_ORACLE_CASES` sets how many cases each test asks, `PALISADE_ORACLE_SEED` which ones.
//! Without Go the comparison does not take place and says so; under `CI=true` that is a failure.

mod decoder;
pub(crate) mod dice;
mod labels;
#[allow(clippy::print_stdout, reason = "the counts, shown with --nocapture")]
mod pod_security;
mod pods;
mod texts;
mod words;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::support::{project, say};

/// Longest time that an oracle may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Exit code of `tests/oracles/build` where there is no Go that is new enough.
const NO_GO: i32 = 3;

/// Builds an oracle and gives the path of its program; none where there is no Go to build it with.
pub(crate) fn built(name: &str) -> Option<PathBuf> {
    let built = Command::new(project().join("tests/oracles/build"))
        .arg(name)
        .output()
        .unwrap_or_else(|error| panic!("tests/oracles/build does not start: {error}"));
    let reason = String::from_utf8_lossy(&built.stderr);
    if built.status.code() == Some(NO_GO) {
        let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!in_ci, "the oracle `{name}` must be asked in CI: {reason}");
        say(&format!("oracle {name}: NOT ASKED, nothing was compared: {}", reason.trim()));
        return None;
    }
    assert!(built.status.success(), "the oracle `{name}` does not build:\n{reason}");
    Some(PathBuf::from(String::from_utf8_lossy(&built.stdout).trim()))
}

/// A running oracle: requests go in line by line, answers come out in the same order.
pub(crate) struct Oracle {
    name: &'static str,
    child: Child,
    answers: Receiver<String>,
}

impl Oracle {
    /// Builds and starts an oracle; none where there is no Go to build it with.
    pub(crate) fn start(name: &'static str) -> Option<Self> {
        let program = built(name)?;
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("the oracle `{name}` does not start: {error}"));
        let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let (sender, answers) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|l| sender.send(l)));
        Some(Self { name, child, answers })
    }

    /// Asks all requests, one line each, and gives the answers in the same order.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, requests: &[String]) -> Vec<T> {
        let mut input = self.child.stdin.take().expect("nobody else holds it");
        let answers = std::thread::scope(|scope| {
            // A full pipe blocks the writer, so writing and reading are two threads.
            let writer = scope.spawn(move || {
                for request in requests {
                    writeln!(input, "{request}").expect("the oracle reads");
                }
                input
            });
            let answers = requests.iter().map(|request| self.answer(request)).collect();
            self.child.stdin = Some(writer.join().expect("the writer ends"));
            answers
        });
        assert!(self.answers.try_recv().is_err(), "{}: more answers than requests", self.name);
        answers
    }

    fn answer<T: DeserializeOwned>(&self, request: &str) -> T {
        let line = match self.answers.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("{}: no answer to {request}", self.name),
            Err(RecvTimeoutError::Disconnected) => panic!("{}: ended at {request}", self.name),
        };
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{}: {error} in {line}\nfor {request}", self.name))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // Its input ends, and so does the program; one that hangs is ended.
        drop(self.child.stdin.take());
        if std::thread::panicking() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// How many cases to ask.
fn cases(usual: usize) -> usize {
    number("PALISADE_ORACLE_CASES").and_then(|n| usize::try_from(n).ok()).unwrap_or(usual)
}

/// Where the random numbers begin.
fn seed() -> u64 {
    number("PALISADE_ORACLE_SEED").unwrap_or(2026)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text}")))
}

/// Fails with the first few differences and the number of all.
fn no_difference(differences: &[String]) {
    const SHOWN: usize = 5;
    let first = differences.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(differences.is_empty(), "{} differences, among them:\n\n{first}", differences.len());
}
