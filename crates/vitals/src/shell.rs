//! `completions` and `man`: what a shell has to know, and what people can look up.

use std::time::Duration;

use clap::CommandFactory;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use heights_vitals::{Announcement, Client, Presence, known_directories, processes};

use crate::command::Vitals;
use crate::failure::Failure;
use crate::output::Output;

/// By this variable a shell says that it asks how a line could go on.
pub const VARIABLE: &str = "VITALS_COMPLETE";

/// How long a person who has pressed the tabulator waits without noticing.
const PATIENCE: Duration = Duration::from_millis(150);

/// Prints what a shell has to run.
pub fn completions(shell: &str, output: Output) -> Result<(), Failure> {
    let shells = Shells::builtins();
    let shell = shells
        .completer(shell)
        .ok_or_else(|| Failure::Usage(format!("completions for {shell} are not known")))?;
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, "vitals", "vitals", "vitals", &mut script)
        .map_err(Failure::Io)?;
    output.data(&script)
}

/// Prints the manual page of the program, or of one of its commands.
pub fn man(name: Option<&str>, output: Output) -> Result<(), Failure> {
    let mut program = Vitals::command();
    program.build();
    let command = match name {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).filter(|found| !found.is_hide_set());
            let unknown = || Failure::Usage(format!("there is no command {name:?}"));
            found.cloned().ok_or_else(unknown)?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(Failure::Io)?;
    output.data(&page)
}

/// Completes the paths of all actors of the processes that answer at once.
pub fn living_actors() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // A shell is not told of errors in the middle of a line.
        runtime.map(|runtime| runtime.block_on(paths())).unwrap_or_default()
    })
}

/// Completes the ids of the processes that can be looked into.
pub fn processes_here() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = processes(known_directories()).into_iter();
        let candidate = |presence: Presence| {
            let Announcement { os_pid, name, .. } = presence.announcement;
            CompletionCandidate::new(os_pid.to_string()).help(Some(name.into()))
        };
        found.map(candidate).collect()
    })
}

async fn paths() -> Vec<CompletionCandidate> {
    let mut paths = Vec::new();
    for presence in processes(known_directories()) {
        if let Ok(tree) = Client::new(&presence.socket).patience(PATIENCE).tree().await {
            paths.extend(tree.actors.into_iter().map(|actor| CompletionCandidate::new(actor.path)));
        }
    }
    paths
}
