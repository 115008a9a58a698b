//! What can be asked of a running node.

use std::path::PathBuf;

use ci_domain::ids::{BranchName, ComponentName, JobId, PullNumber, RepoName};
use ci_web::wire::Role;
use clap::{Args, Subcommand};

use crate::args::Format;

/// Which node is meant.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The node's configuration [default: /etc/ci-node/ci-node.toml].
    #[arg(long, value_name = "FILE", env = "CI_NODE_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// The node's admin socket.
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) socket: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,

    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
}

/// A question to a node, and how its answer is printed.
#[derive(Debug, Args)]
pub(crate) struct Question<C: Subcommand> {
    #[command(flatten)]
    pub(crate) node: NodeArgs,

    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Text, global = true)]
    pub(crate) output: Format,

    #[command(subcommand)]
    pub(crate) command: C,
}

/// A question about one of the repositories that a node serves.
#[derive(Debug, Args)]
pub(crate) struct RepoQuestion<C: Subcommand> {
    #[command(flatten)]
    pub(crate) node: NodeArgs,

    /// The repository; not needed where the node serves only one.
    #[arg(long, value_name = "OWNER/NAME", global = true)]
    pub(crate) repo: Option<RepoName>,

    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Text, global = true)]
    pub(crate) output: Format,

    #[command(subcommand)]
    pub(crate) command: C,
}

/// Which pull request is meant.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct PullArg {
    #[arg(value_name = "N", value_parser = number)]
    pub(crate) number: PullNumber,
}

/// Whose log is meant, and for how long.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    #[arg(value_name = "COMPONENT:JOB")]
    pub(crate) job: JobId,
    /// Go on until the job ends.
    #[arg(short, long)]
    pub(crate) follow: bool,
}

pub(crate) type PrArgs = RepoQuestion<PrCommand>;
pub(crate) type BranchArgs = RepoQuestion<BranchCommand>;
pub(crate) type NightlyArgs = RepoQuestion<NightlyCommand>;
pub(crate) type QuarantineArgs = RepoQuestion<QuarantineCommand>;
/// Which part of the record is wanted.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,

    /// How many, the newest last.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,

    /// Only what was before the one of this number.
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<u64>,

    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
}

pub(crate) type TokenArgs = Question<TokenCommand>;
pub(crate) type StoreArgs = Question<StoreCommand>;

#[derive(Debug, Subcommand)]
pub(crate) enum PrCommand {
    /// Lists the open pull requests.
    List,
    /// Shows a pull request and its jobs.
    Show(PullArg),
    /// Tells every reason why a pull request cannot be merged, and what would change it.
    Why(PullArg),
    /// Runs again what failed, crashed or was cancelled.
    Retry {
        #[command(flatten)]
        pull: PullArg,
        /// Only this one.
        #[arg(value_name = "COMPONENT:JOB")]
        job: Option<JobId>,
    },
    /// Runs a job even if it passed or is not affected.
    Force {
        #[command(flatten)]
        pull: PullArg,
        /// Which one, or all of them.
        #[arg(value_name = "COMPONENT:JOB|all")]
        job: Which,
        /// Begin with a fresh workspace.
        #[arg(long)]
        clean: bool,
    },
    /// Ends what runs.
    Cancel {
        #[command(flatten)]
        pull: PullArg,
        /// Only this one.
        #[arg(value_name = "COMPONENT:JOB")]
        job: Option<JobId>,
    },
    /// Prints what the commands of a job wrote; of one that has ended, failures last.
    Logs {
        #[command(flatten)]
        pull: PullArg,
        #[command(flatten)]
        log: LogArgs,
    },
    /// Tells how the tests went, as the reports of its jobs have it.
    Tests(PullArg),
    /// Lists the files that the latest runs of its jobs have left.
    Artifacts {
        #[command(flatten)]
        pull: PullArg,
        /// Also fetch them into this folder, which is made.
        #[arg(long, value_name = "DIR")]
        download: Option<PathBuf>,
    },
    /// Opens an interactive shell where the jobs of a component run; builds wait until it ends.
    Shell {
        #[command(flatten)]
        pull: PullArg,
        /// The component in whose folder it begins.
        #[arg(value_name = "COMPONENT")]
        component: ComponentName,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BranchCommand {
    /// Lists the branches that are built on push.
    List,
    /// Shows a branch and its jobs.
    Show {
        #[arg(value_name = "NAME")]
        name: BranchName,
    },
    /// Runs a job even if it passed or is not affected.
    Force {
        #[arg(value_name = "NAME")]
        name: BranchName,
        /// Which one, or all of them.
        #[arg(value_name = "COMPONENT:JOB|all")]
        job: Which,
    },
    /// Prints what the commands of a job wrote; of one that has ended, failures last.
    Logs {
        #[arg(value_name = "NAME")]
        name: BranchName,
        #[command(flatten)]
        log: LogArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum NightlyCommand {
    /// Lists the nightly jobs of all branches: how each ended last, and what it waits for.
    List,
    /// Runs a nightly job now, at any hour, even if it has run.
    Force {
        #[arg(value_name = "BRANCH")]
        branch: BranchName,
        /// Which one, or all of them.
        #[arg(value_name = "COMPONENT:JOB|all")]
        job: Which,
    },
    /// Prints what the commands of a nightly job wrote; of one that has ended, failures last.
    Logs {
        #[arg(value_name = "BRANCH")]
        branch: BranchName,
        #[command(flatten)]
        log: LogArgs,
    },
}

/// One job, or all.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    One(JobId),
    All,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token and prints it, this once.
    Create {
        /// What its holder may do: read, build or admin.
        #[arg(long)]
        role: Role,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Lists the tokens, without their texts.
    List,
    /// Makes a token invalid.
    Revoke {
        /// Its id, as the list shows it.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// Lists the pull requests that were given up.
    List,
    /// Takes a pull request up again.
    Lift(PullArg),
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Verifies every record.
    Check,
    /// Prints the store as JSON lines.
    Export,
    /// Fills an empty store from an export; no server may run.
    Import {
        /// The export; - is standard input.
        file: PathBuf,
    },
    /// Makes the store as small as it can be; no server may run.
    Compact,
}

impl Which {
    /// The one job, where it is one.
    pub(crate) fn one(&self) -> Option<&JobId> {
        match self {
            Self::One(job) => Some(job),
            Self::All => None,
        }
    }
}

impl std::str::FromStr for Which {
    type Err = <JobId as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

/// A number as people write it, with or without the sign.
fn number(text: &str) -> Result<PullNumber, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    digits.parse().map(PullNumber).map_err(|_| "expected the number of a pull request".to_owned())
}
