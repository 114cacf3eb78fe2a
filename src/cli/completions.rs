//! `palisade completions`: a script for a shell.

use clap_complete::Shell;

use super::CliError;
use super::output::{self, Content};

/// Prints the script.
pub(super) fn run(shell: Shell, command: &mut clap::Command) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "palisade", &mut script);
    output::write(None, Content::Data, |out| out.write_all(&script))?;
    Ok(0)
}
