//! `pr shell`: a shell where the jobs of a component run, with their isolation and environment.
//!
//! It is a child of the command line and not of the node, which has the workspace alone meanwhile, by a
//! lock: builds wait until it ends, whatever becomes of the node.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use ci_domain::ids::{ComponentName, PullNumber, RepoName};
use ci_exec::Bounds;
use ci_git::Presence;
use ci_web::client::AdminClient;
use ci_web::wire::{Shell, ShellBounds};
use rustix::process::geteuid;

use crate::exit::Exit;
use crate::output::note;
use crate::remote::pr::terminal::{self, Terminal};
use crate::remote::refusal;

/// Gives the program after it a terminal that is its own, and waits for it.
const OWN_TERMINAL: [&str; 3] = ["setsid", "--ctty", "--wait"];
/// What is passed on of the person's own environment.
const PASSED_ON: [&str; 2] = ["TERM", "COLORTERM"];
/// What a shell answers that was ended by a signal, as shells themselves do.
const BY_SIGNAL: i32 = 128;

/// Opens the shell, and ends as it does.
///
/// # Errors
/// There is no terminal, a build is under way, or somebody else is at the workspace.
pub(super) async fn open(
    client: &AdminClient,
    repo: &RepoName,
    number: PullNumber,
    component: &ComponentName,
) -> Result<ExitCode> {
    let terminal = Terminal::of_this_process()
        .map_err(|_| Exit::Usage.because("a shell needs a terminal: standard input is none"))?;
    let shell = client.shell(repo, number, component).await.map_err(refusal)?;
    let Some(present) = take_alone(Path::new(&shell.lock))? else {
        let words = "somebody is at the workspace: a job that ends, or another shell";
        return Err(Exit::Failed.because(words));
    };
    // A build may have begun before we had the lock; one that begins from now on waits for us.
    let shell = client.shell(repo, number, component).await.map_err(refusal)?;
    note(&format!("{repo}#{number} {component}: builds wait until this shell ends."));
    if let Some(bounds) = shell.bounds.clone() {
        enter(bounds);
    }
    let status = terminal::run(command(&shell)?, &terminal).await?;
    drop(present);
    Ok(exit_code(status))
}

fn take_alone(lock: &Path) -> Result<Option<Presence>> {
    Presence::take_alone(lock).with_context(|| format!("failed to lock {}", lock.display()))
}

/// Moves this process, and so the shell, into a control group like a job's. That is for root to do: a group
/// is left only by who may change it.
fn enter(bounds: ShellBounds) {
    let ShellBounds { parent, memory, pids, milli_cpus } = bounds;
    let bounds = Bounds { parent: parent.into(), memory, pids, milli_cpus };
    if let Err(error) = bounds.enter() {
        let whose = if geteuid().is_root() { "" } else { "; root's shell would have them" };
        note(&format!("The shell has none of the limits of a job: failed to {error}{whose}."));
    }
}

/// The shell, as the node's user: files that it makes are to be the node's.
fn command(shell: &Shell) -> Result<Command> {
    let [own_terminal, arguments @ ..] = OWN_TERMINAL;
    let mut command = Command::new(own_terminal);
    command.args(arguments).args(&shell.program).env_clear();
    command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(&shell.env).current_dir("/");
    let owner = std::fs::metadata(&shell.lock).context("failed to ask who the node is")?;
    if geteuid().is_root() && owner.uid() != 0 {
        command.uid(owner.uid()).gid(owner.gid());
    }
    Ok(command)
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().unwrap_or_else(|| BY_SIGNAL + status.signal().unwrap_or_default());
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}
