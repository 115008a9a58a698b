//! `completions` and `man`: what a shell has to know, and what people can look up.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::Exit;
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

/// Prints the manual page of the program, or of its command `name`.
///
/// # Errors
/// There is no such command.
pub(crate) fn man(name: Option<&str>) -> Result<ExitCode> {
    let mut program = Arguments::command();
    program.build();
    let command = match name {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).filter(|found| !found.is_hide_set());
            let unknown = || Exit::NotFound.because(format!("there is no command {name:?}"));
            found.cloned().ok_or_else(unknown)?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Output::new().write_bytes(&page)?;
    Ok(ExitCode::SUCCESS)
}
