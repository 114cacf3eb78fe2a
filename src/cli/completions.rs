//! `palisade completions`: a script for a shell.

use clap_complete::Shell;

use super::{CliError, output};

/// Prints the script.
pub(super) fn run(shell: Shell, command: &mut clap::Command) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "palisade", &mut script);
    output::write(None, |out| out.write_all(&script))?;
    Ok(0)
}
