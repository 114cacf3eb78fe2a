//! Real programs for the tests of this part: kustomize and helm, built by `tests/oracles/build`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code of `tests/oracles/build` where there is no Go that is new enough.
const NO_GO: i32 = 3;

/// Builds a program if need be and gives its path; none where there is no Go to build it with, which
/// is said aloud and is a failure under `CI=true`.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/build");
    let built = Command::new(script).arg(name).output();
    let built = built.unwrap_or_else(|error| panic!("tests/oracles/build does not start: {error}"));
    let reason = String::from_utf8_lossy(&built.stderr);
    if built.status.code() == Some(NO_GO) {
        let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!in_ci, "the program `{name}` must be asked in CI: {reason}");
        let line = format!("oracle {name}: NOT ASKED, nothing was compared: {}", reason.trim());
        let _ = writeln!(std::io::stderr(), "{line}");
        return None;
    }
    assert!(built.status.success(), "the program `{name}` does not build:\n{reason}");
    Some(PathBuf::from(String::from_utf8_lossy(&built.stdout).trim()))
}
