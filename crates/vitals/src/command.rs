//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::Failure;
use crate::output::Output;
use crate::{crashes, end, info, ls, top, tree};

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

    /// How to print.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    pub output: Format,

    /// How long each answer may take, in seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub timeout: Duration,

    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 usage; 3 no such process or actor; \
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
    /// Lists what has crashed, the latest first.
    Crashes(CrashesArgs),
    /// Shows one actor.
    Info(InfoArgs),
    /// Stops an actor in good order; its supervisor reacts by its rules.
    Stop(EndArgs),
    /// Kills an actor at once; its supervisor reacts by its rules.
    Kill(EndArgs),
}

#[derive(Debug, Args)]
pub struct TreeArgs {
    /// Show only what is below this actor.
    #[arg(value_name = "REF")]
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
}

/// What the busiest actors have most of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Messages that wait.
    Mailbox,
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
    #[arg(value_name = "REF")]
    pub reference: Option<String>,

    /// How many crashes to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The actor.
    #[arg(value_name = "REF")]
    pub reference: String,
}

#[derive(Debug, Args)]
pub struct EndArgs {
    /// The actor.
    #[arg(value_name = "REF")]
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
    /// Does what was said.
    pub async fn run(&self) -> Result<(), Failure> {
        let output = Output::new(self.output);
        match &self.command {
            Command::Ls => ls::run(self, output).await,
            Command::Tree(args) => tree::run(self, args, output).await,
            Command::Top(args) => top::run(self, args, output).await,
            Command::Crashes(args) => crashes::run(self, args, output).await,
            Command::Info(args) => info::run(self, args, output).await,
            Command::Stop(args) => end::stop(self, args, output).await,
            Command::Kill(args) => end::kill(self, args, output).await,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .trim_end_matches('s')
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
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
    fn a_timeout_is_a_number_of_seconds() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(seconds("2s"), Ok(Duration::from_secs(2)));
        assert!(seconds("soon").is_err() && seconds("-1").is_err());
    }
}
