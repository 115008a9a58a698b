//! What can be said on the command line.

mod acting;
mod looking;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::output::Output;
use crate::proxy::Host;
use crate::{
    act, check, crashes, diff, doctor, info, ls, metrics, names, proxy, queues, screen, shell,
    snapshot, state, top, trace, tree, wait, watch, why,
};

pub use self::acting::ActArgs;
pub use self::looking::{
    AttachArgs, CheckArgs, CompletionsArgs, CrashesArgs, CrashesCommand, DiffArgs, InfoArgs,
    ManArgs, NamesArgs, QueuesArgs, SnapshotArgs, StateArgs, TopArgs, TraceArgs, TreeArgs,
    WaitArgs, WatchArgs,
};
pub use self::value::{By, Coloring, Format};

/// How long an answer may take unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks inside running processes that embed heights.
///
/// REF is an actor's pid, its path, the end of its path, the unique beginning of its name, or @root.
#[derive(Debug, Parser)]
#[command(name = "vitals", version, after_help = EXIT_CODES)]
pub struct Vitals {
    /// Ask this process, by id or name; not needed where there is only one.
    #[arg(short, long, global = true, value_name = "PID|NAME")]
    pub process: Option<String>,

    /// Ask the process behind this socket.
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "process")]
    pub socket: Option<PathBuf>,

    /// Ask a process on another machine, over ssh; vitals has to be installed there.
    #[arg(short = 'H', long, global = true, value_name = "ssh://[USER@]HOST[:PORT]")]
    #[arg(conflicts_with = "socket", value_parser = Host::parse)]
    pub host: Option<Host>,

    /// Look into a picture that `vitals snapshot` took, not into a process.
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(conflicts_with_all = ["process", "socket", "host"])]
    pub from: Option<PathBuf>,

    /// How to print.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    pub output: Format,

    /// When to color.
    #[arg(long, global = true, value_enum, default_value_t = Coloring::Auto)]
    pub color: Coloring,

    /// Ask nothing: fail where a person would have to answer.
    #[arg(long, global = true)]
    pub no_input: bool,

    /// Print data only, and nothing beside it.
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// How long an answer may take, 5s unless given; for `wait` and `--wait`: how long to wait, 30s
    /// unless given.
    #[arg(long, global = true, value_name = "TIME", value_parser = value::time)]
    pub timeout: Option<Duration>,

    /// Without a command, a screen that stays open shows the process.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed, or check found something; 2 usage; 3 no such process or actor; \
                          4 not permitted; 5 timed out; 6 protocol mismatch.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the processes that can be looked into, and clears away what ended ones have left.
    Ls,
    /// Opens the screen of one process.
    Attach(AttachArgs),
    /// Shows the supervision tree.
    Tree(TreeArgs),
    /// Lists the actors that have most of something, now or in a window of time.
    Top(TopArgs),
    /// Shows one actor.
    Info(InfoArgs),
    /// Shows an actor's state, as far as its type shows it, whatever waits before it.
    State(StateArgs),
    /// Follows what an actor waits for to the cause.
    Why(InfoArgs),
    /// Tells of messages as they are handled, within a budget.
    Trace(TraceArgs),
    /// Lists what has crashed, the latest first.
    Crashes(CrashesArgs),
    /// Lists the actors for which messages wait, and how long that will take.
    Queues(QueuesArgs),
    /// Lists who answers to which name.
    Registry(NamesArgs),
    /// Lists ractor's process groups and their members.
    Groups(NamesArgs),
    /// Tells what happens as it happens: starts, ends, crashes, supervisors that give up.
    Watch(WatchArgs),
    /// Waits until a condition holds.
    #[command(after_help = CONDITIONS)]
    Wait(WaitArgs),
    /// Looks for what is wrong; exits with 1 if something is.
    #[command(after_help = CONDITIONS)]
    Check(CheckArgs),
    /// Tells whether the process and its inspector are in order, and what is missing.
    Doctor,
    /// Prints all figures in the OpenMetrics text format.
    Metrics,
    /// Prints the JSON Schema of everything that the process answers.
    Schema,
    /// Keeps everything that can be seen in a file, for --from and diff.
    Snapshot(SnapshotArgs),
    /// Tells what has changed between two snapshots.
    Diff(DiffArgs),
    /// Makes a server leave its messages waiting.
    Suspend(ActArgs),
    /// Lets a suspended server go on.
    Resume(ActArgs),
    /// Stops an actor in good order; its supervisor reacts by its rules.
    Stop(ActArgs),
    /// Stops a server once it has handled what waits; its supervisor reacts by its rules.
    Drain(ActArgs),
    /// Ends an actor in a way after which its supervisor starts it again.
    Restart(ActArgs),
    /// Kills an actor at once; its supervisor reacts by its rules.
    Kill(ActArgs),
    /// Prints what a shell has to run to complete commands, and the names of living actors.
    Completions(CompletionsArgs),
    /// Prints the manual page, or that of one command.
    Man(ManArgs),
    /// Connects standard input and output to a process, for --host.
    #[command(hide = true)]
    Proxy,
}

const CONDITIONS: &str = "\
Conditions: mailbox(ci/queue) < 10 && state(ci/*) = idle

  FIGURE(PATTERN) COMPARISON VALUE, joined by &&, ||, ! and parentheses; exists(PATTERN)
  figures      state, mailbox, peak, oldest, waited, busy, handled, failed, dropped, restarts,
               life, age, count, crashes
  patterns     a path or the end of one; * is any part without a slash, ** is any part
  comparisons  = != < <= > >=
  values       a number, a time (250ms, 5s, 2m, 1h, 7d), or a state: stopping, restarting, starting,
               suspended, waiting, busy, running, idle

A claim has to hold for every actor that matches, and at least one has to.";

impl Vitals {
    /// Does what was said; `true` unless something was found to be wrong.
    pub async fn run(&self) -> Result<bool, Failure> {
        let output = Output::new(self);
        let Some(command) = &self.command else {
            return screen::run(self, None).await.map(|()| true);
        };
        match command {
            Command::Check(args) => return check::run(self, args, output).await,
            Command::Doctor => return doctor::run(self, output).await,
            Command::State(args) => return state::run(self, args, output).await,
            Command::Suspend(args) => act::run(self, "suspend", args, output).await,
            Command::Resume(args) => act::run(self, "resume", args, output).await,
            Command::Stop(args) => act::run(self, "stop", args, output).await,
            Command::Drain(args) => act::run(self, "drain", args, output).await,
            Command::Restart(args) => act::run(self, "restart", args, output).await,
            Command::Kill(args) => act::run(self, "kill", args, output).await,
            Command::Completions(args) => shell::completions(&args.shell, output),
            Command::Man(args) => shell::man(args.command.as_deref(), output),
            Command::Proxy => proxy::run(self).await,
            Command::Ls => ls::run(self, output).await,
            Command::Attach(args) => screen::run(self, Some(&args.target)).await,
            Command::Tree(args) => tree::run(self, args, output).await,
            Command::Top(args) => top::run(self, args, output).await,
            Command::Info(args) => info::run(self, args, output).await,
            Command::Why(args) => why::run(self, args, output).await,
            Command::Trace(args) => trace::run(self, args, output).await,
            Command::Crashes(args) => crashes::run(self, args, output).await,
            Command::Queues(args) => queues::run(self, args, output).await,
            Command::Registry(args) => names::registry(self, args, output).await,
            Command::Groups(args) => names::groups(self, args, output).await,
            Command::Watch(args) => watch::run(self, args, output).await,
            Command::Metrics => metrics::run(self, output).await,
            Command::Schema => metrics::schema(self, output).await,
            Command::Wait(args) => wait::run(self, args, output).await,
            Command::Snapshot(args) => snapshot::run(self, args, output).await,
            Command::Diff(args) => diff::run(self, args, output).await,
        }?;
        Ok(true)
    }

    /// How long an answer may take; where --timeout says how long to wait for something else, it
    /// says nothing of that.
    pub fn patience(&self) -> Duration {
        let timeout = self.timeout.filter(|_| !self.waits());
        timeout.unwrap_or(PATIENCE)
    }

    fn waits(&self) -> bool {
        use Command::{Drain, Kill, Restart, Resume, Stop, Suspend, Wait};
        match &self.command {
            Some(Wait(_)) => true,
            Some(
                Suspend(args) | Resume(args) | Stop(args) | Drain(args) | Restart(args)
                | Kill(args),
            ) => args.wait,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Vitals::command().debug_assert();
    }
}
