//! What can be said with the commands that only look.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use heights_vitals::Condition;

use super::value::{By, pace, time};
use crate::shell::{living_actors, processes_here};

#[derive(Debug, Args)]
pub struct AttachArgs {
    /// The process, by id or name.
    #[arg(value_name = "PID|NAME", add = processes_here())]
    pub target: String,
}

#[derive(Debug, Args)]
pub struct TreeArgs {
    /// Show only what is below this actor.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: Option<String>,

    /// Show so many levels.
    #[arg(short, long, value_name = "LEVELS")]
    pub depth: Option<usize>,

    /// Show actors of ractor's, too, that no supervisor of the tree has started.
    #[arg(long)]
    pub foreign: bool,
}

#[derive(Debug, Args)]
pub struct TopArgs {
    /// What to have most of.
    #[arg(long, value_enum, default_value_t = By::Mailbox)]
    pub sort: By,

    /// Look twice, so far apart, and show what has happened in between; a rate needs 1s unless given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub window: Option<Duration>,

    /// Show one window after the other until interrupted.
    #[arg(short, long)]
    pub follow: bool,

    /// How many actors to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    pub limit: usize,

    /// Only those with this in their path.
    #[arg(value_name = "TEXT")]
    pub filter: Option<String>,
}

#[derive(Debug, Args)]
pub struct QueuesArgs {
    /// Look twice, so far apart, and show how much came and went in between.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub window: Option<Duration>,

    /// How many actors to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The actor.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: String,
}

#[derive(Debug, Args)]
pub struct StateArgs {
    /// The actor.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: String,

    /// Show only this part: names and numbers joined by dots.
    #[arg(long, value_name = ".QUEUE.0")]
    pub path: Option<String>,

    /// Show so many bytes of it at most, 16384 unless given; a snapshot has what it has.
    #[arg(long, value_name = "COUNT")]
    pub bytes: Option<usize>,
}

#[derive(Debug, Args)]
pub struct TraceArgs {
    /// Whose messages; patterns such as ci/pulls/* name several.
    #[arg(value_name = "REF", required = true, add = living_actors())]
    pub references: Vec<String>,

    /// Only these kinds of message, separated by commas.
    #[arg(long = "match", value_name = "MESSAGE", value_delimiter = ',')]
    pub messages: Vec<String>,

    /// Tell at most so many in a second; the rest is counted.
    #[arg(long, value_name = "COUNT/s", default_value = "50/s", value_parser = pace)]
    pub rate: u32,

    /// Tell at most so many in all.
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    pub max: u64,

    /// Stop after this time.
    #[arg(long = "for", value_name = "TIME", default_value = "15s", value_parser = time)]
    pub span: Duration,

    /// Tell at most so many bytes of each message, where its server wants messages written down.
    #[arg(long, value_name = "COUNT", default_value_t = 256)]
    pub bytes: usize,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
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

    #[command(subcommand)]
    pub show: Option<CrashesCommand>,
}

#[derive(Debug, Subcommand)]
pub enum CrashesCommand {
    /// Shows all that is known of the latest crash with a fingerprint.
    Show {
        /// The fingerprint, or the beginning of it.
        #[arg(value_name = "FINGERPRINT")]
        fingerprint: String,
    },
}

#[derive(Debug, Args)]
pub struct NamesArgs {
    /// Only those with this in their name or key.
    #[arg(value_name = "TEXT")]
    pub filter: Option<String>,
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

    /// Keep what servers show of their state, too.
    #[arg(long)]
    pub states: bool,
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
