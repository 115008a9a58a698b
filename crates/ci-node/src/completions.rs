//! `completions`: what a shell has to know.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::output::Output;

/// Prints the completions for `shell`.
///
/// # Errors
/// They cannot be written.
pub(crate) fn run(shell: Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "ci-node", &mut script);
    Output::new().write_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
