//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use heights_vitals::Condition;

use crate::failure::Failure;
use crate::output::Output;
use crate::proxy::Host;
use crate::shell::living_actors;
use crate::{
    act, check, crashes, diff, doctor, info, ls, metrics, proxy, queues, screen, shell, snapshot,
    top, tree, wait, watch, why,
};

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

    /// How long an answer may take, 5s unless given; for `wait`: how long to wait, 30s unless given.
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    pub timeout: Option<Duration>,

    /// Without a command, a screen that stays open shows the process.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed, or check found something; 2 usage; 3 no such process or actor; \
                          4 not permitted; 5 timed out; 6 protocol mismatch.";

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the processes that can be looked into.
    Ls,
    /// Shows the supervision tree.
    Tree(TreeArgs),
    /// Lists the actors that have most of something right now.
    Top(TopArgs),
    /// Shows one actor.
    Info(InfoArgs),
    /// Follows what an actor waits for to the cause.
    Why(InfoArgs),
    /// Lists what has crashed, the latest first.
    Crashes(CrashesArgs),
    /// Lists the actors for which messages wait, and how long that will take.
    Queues(QueuesArgs),
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

#[derive(Debug, Args)]
pub struct TreeArgs {
    /// Show only what is below this actor.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: Option<String>,

    /// Show so many levels.
    #[arg(short, long, value_name = "LEVELS")]
    pub depth: Option<usize>,
}

#[derive(Debug, Args)]
pub struct TopArgs {
    /// What to have most of.
    #[arg(long, value_enum, default_value_t = By::Mailbox)]
    pub sort: By,

    /// How many actors to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    pub limit: usize,

    /// Only those with this in their path.
    #[arg(value_name = "TEXT")]
    pub filter: Option<String>,
}

#[derive(Debug, Args)]
pub struct QueuesArgs {
    /// How many actors to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct WaitArgs {
    /// What to wait for.
    #[arg(value_name = "CONDITION")]
    pub condition: Condition,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// This many waiting messages are too many.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub backlog: u64,

    /// A message that waits for longer waits too long.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub oldest: Duration,

    /// A server that handles one message for longer is stuck.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub stuck: Duration,

    /// This many crashes of one actor within five minutes are too many.
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub crashes: usize,

    /// A condition of your own that has to hold; may be repeated.
    #[arg(long, value_name = "CONDITION")]
    pub rule: Vec<Condition>,
}

#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Where to; it must not exist yet.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The earlier snapshot.
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,

    /// The later snapshot; without it, what is to be seen now.
    #[arg(value_name = "AFTER")]
    pub after: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    pub shell: String,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// The command.
    pub command: Option<String>,
}

/// What the busiest actors have most of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Messages that wait.
    Mailbox,
    /// Time that the oldest message has waited.
    Wait,
    /// Time in the current message.
    Busy,
    /// Restarts.
    Restarts,
    /// Youth: the latest started first.
    Age,
}

#[derive(Debug, Args)]
pub struct CrashesArgs {
    /// Only those of this actor, in all its lives.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: Option<String>,

    /// How many crashes to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,

    /// Put those together that are the same again.
    #[arg(long)]
    pub group: bool,

    /// Show all that is known of the latest crash with this fingerprint.
    #[arg(long, value_name = "FINGERPRINT", conflicts_with = "group")]
    pub show: Option<String>,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Only of this actor and what is below it.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: Option<String>,

    /// Stop after so many events.
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub limit: Option<usize>,

    /// Stop after this time.
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub span: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The actor.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: String,
}

#[derive(Debug, Args)]
pub struct ActArgs {
    /// The actor.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: String,

    /// Only tell what would happen.
    #[arg(long)]
    pub dry_run: bool,

    /// Why; the process writes it to its log.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
}

impl Vitals {
    /// Does what was said; `true` unless something was found to be wrong.
    pub async fn run(&self) -> Result<bool, Failure> {
        let output = Output::new(self.output);
        let Some(command) = &self.command else {
            return screen::run(self).await.map(|()| true);
        };
        match command {
            Command::Check(args) => return check::run(self, args, output).await,
            Command::Ls => ls::run(self, output).await,
            Command::Tree(args) => tree::run(self, args, output).await,
            Command::Top(args) => top::run(self, args, output).await,
            Command::Info(args) => info::run(self, args, output).await,
            Command::Why(args) => why::run(self, args, output).await,
            Command::Crashes(args) => crashes::run(self, args, output).await,
            Command::Queues(args) => queues::run(self, args, output).await,
            Command::Watch(args) => watch::run(self, args, output).await,
            Command::Doctor => return doctor::run(self, output).await,
            Command::Metrics => metrics::run(self, output).await,
            Command::Wait(args) => wait::run(self, args, output).await,
            Command::Snapshot(args) => snapshot::run(self, args, output).await,
            Command::Diff(args) => diff::run(self, args, output).await,
            Command::Suspend(args) => act::run(self, "suspend", args, output).await,
            Command::Resume(args) => act::run(self, "resume", args, output).await,
            Command::Stop(args) => act::run(self, "stop", args, output).await,
            Command::Restart(args) => act::run(self, "restart", args, output).await,
            Command::Kill(args) => act::run(self, "kill", args, output).await,
            Command::Completions(args) => shell::completions(&args.shell, output),
            Command::Man(args) => shell::man(args.command.as_deref(), output),
            Command::Proxy => proxy::run(self).await,
        }?;
        Ok(true)
    }

    /// How long an answer may take.
    pub fn patience(&self) -> Duration {
        self.timeout.unwrap_or(PATIENCE)
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time such as 250ms, 5s, 2m or 1h".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let seconds = match &text[digits.len()..] {
        "ms" => number / 1_000.0,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3_600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Vitals::command().debug_assert();
    }

    #[test]
    fn a_time_has_a_unit_and_seconds_need_none() {
        assert_eq!(time("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(time("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["soon", "-1", "5x", "", "s", "1e999"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
