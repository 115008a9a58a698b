//! What can be said on the command line.

mod local;
mod remote;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::remote::{audit, branch, nightly, pr, quarantine, status, store, token};
use crate::run::passed_on::PassedOn;
use crate::{check, completions, demo, doctor, init, plan, run, schema, serve};

pub(crate) use local::{BareArg, DeedArgs, LocalArgs, LocalCommand, OpenArgs};
pub(crate) use remote::{
    AuditArgs, BranchArgs, BranchCommand, LogArgs, NightlyArgs, NightlyCommand, NodeArgs, PrArgs,
    PrCommand, PullArg, QuarantineArgs, QuarantineCommand, StatusArgs, StoreArgs, StoreCommand,
    TokenArgs, TokenCommand,
};

/// Continuous integration for the pull requests of monorepos.
#[derive(Debug, Parser)]
#[command(name = "ci-node", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 the build failed or a check found something; \
                          2 usage or configuration; 3 not found; 4 not permitted; 5 timed out; \
                          6 no server; 128 and the signal's number: interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows it all on a sample repository: no account, no network.
    Demo(DemoArgs),
    /// Runs the server.
    Serve {
        /// The configuration.
        #[arg(long, value_name = "FILE", env = "CI_NODE_CONFIG")]
        config: PathBuf,
    },
    /// Runs the jobs that a working copy's changes affect, here and on the files as they are.
    Run(RunArgs),
    /// Tells which components a change affects, which jobs run, and why.
    Plan(PlanArgs),
    /// Finds what is wrong with pipelines, policy and configuration.
    Check(CheckArgs),
    /// Tells whether this machine, the configuration and GitHub let the node work.
    Doctor(DoctorArgs),
    /// Tells how the running node is.
    Status(StatusArgs),
    /// Asks the running node about pull requests, and runs their jobs again or ends them.
    Pr(PrArgs),
    /// Asks the running node about branches that are built on push, and runs their jobs again.
    Branch(BranchArgs),
    /// Asks the running node about nightly jobs, and runs them at any hour.
    Nightly(NightlyArgs),
    /// Tells which pull requests were given up, and takes them up again.
    Quarantine(QuarantineArgs),
    /// Does what people do on GitHub, for a bare repository of this machine (`local` in ci-node.toml).
    Local(LocalArgs),
    /// Gives access to the HTTP side, and takes it away.
    Token(TokenArgs),
    /// Lists who did what, when and from where.
    Audit(AuditArgs),
    /// Verifies, exports, restores and compacts what a node knows.
    Store(StoreArgs),
    /// Writes a commented configuration and a systemd unit into this folder.
    Init,
    /// Tells about the configuration formats.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Prints the manual page of the program, or of one of its commands.
    Man {
        /// The command.
        command: Option<String>,
    },
    /// Becomes the runner of one job.
    #[command(name = crate::compose::RUNNER, hide = true)]
    Runner {
        /// Its run directory.
        run_dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The dashboard's port; 8080 or, where that is taken, any.
    #[arg(long)]
    pub(crate) port: Option<u16>,

    /// Print the outcome and exit: 0 where each pull request has the verdict that it should have.
    #[arg(long)]
    pub(crate) once: bool,
}

/// Which change is meant.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The working copy, or a folder in it.
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,

    /// Changed is what differs from where HEAD and this parted [default: the remote's default branch].
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,

    /// How to print.
    #[arg(short, long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) output: PlanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,

    /// Every component, changed or not.
    #[arg(long, conflicts_with = "base")]
    pub(crate) all: bool,

    /// Only jobs of this component, changed or not; may be given more than once.
    #[arg(short, long = "component", value_name = "COMPONENT")]
    pub(crate) components: Vec<String>,

    /// Only jobs of this name, or COMPONENT:JOB, and what they need; may be given more than once. Jobs of
    /// the night and of branches run only so.
    #[arg(short, long = "job", value_name = "JOB")]
    pub(crate) jobs: Vec<String>,

    /// Also the jobs that wait for the approval of a pull request.
    #[arg(long)]
    pub(crate) approved: bool,

    /// How many jobs run at the same time [default: the number of processors].
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<std::num::NonZeroUsize>,

    /// Tell what would run, and run nothing.
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,

    /// What keeps the commands from the rest of the machine.
    #[arg(long, value_enum, default_value_t = RunIsolation::None)]
    pub(crate) isolation: RunIsolation,

    /// Pass this variable on to the commands, with its present or with this value.
    #[arg(short, long = "env", value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<PassedOn>,

    /// How to print.
    #[arg(short, long, value_enum, default_value_t = RunFormat::Text)]
    pub(crate) output: RunFormat,
}

/// What keeps the commands of `run` from the rest of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunIsolation {
    /// The strongest that works here, never none.
    Auto,
    /// Nothing: they can do what you can do.
    None,
    /// Namespaces, through bubblewrap.
    Namespaces,
    /// Containers, through podman or docker: each component must name an image.
    Container,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The working copy, or a folder or file in it; or a configuration, *.toml.
    pub(crate) path: Option<PathBuf>,

    /// The configuration [default: ci-node.toml in PATH, if there is one].
    #[arg(long, value_name = "FILE", env = "CI_NODE_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The configuration [default: /etc/ci-node/ci-node.toml, if there is one].
    #[arg(long, value_name = "FILE", env = "CI_NODE_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// The systemd unit [default: ci-node.service where systemd looks].
    #[arg(long, value_name = "FILE")]
    pub(crate) unit: Option<PathBuf>,

    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Prints the JSON Schema of a format.
    Schema {
        /// The format.
        format: SchemaFormat,
    },
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How to print a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For Graphviz.
    Dot,
}

/// How to print a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunFormat {
    /// For people: live on a terminal, a line for each thing elsewhere.
    Text,
    /// One object for each fact.
    Jsonl,
}

/// A configuration format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaFormat {
    /// `ci.yaml`.
    Component,
    /// `ci-policy.yaml`.
    Policy,
    /// `ci-node.toml`.
    Node,
}

impl Command {
    /// Does what was asked.
    ///
    /// # Errors
    /// It could not be done; the error knows the exit code.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.context("failed to start the runtime")?.block_on(self.run_here())
    }

    async fn run_here(&self) -> Result<ExitCode> {
        match self {
            Self::Demo(args) => demo::run(args.port, args.once).await,
            Self::Serve { config } => serve::run(config).await,
            Self::Run(args) => run::run(args).await,
            Self::Plan(args) => plan::run(args).await,
            Self::Check(args) => check::run(args).await,
            Self::Doctor(args) => doctor::run(args).await,
            Self::Status(args) => status::run(args).await,
            Self::Pr(args) => pr::run(args).await,
            Self::Branch(args) => branch::run(args).await,
            Self::Nightly(args) => nightly::run(args).await,
            Self::Quarantine(args) => quarantine::run(args).await,
            Self::Local(args) => crate::local::run(args).await,
            Self::Token(args) => token::run(args).await,
            Self::Audit(args) => audit::run(args).await,
            Self::Store(args) => store::run(args).await,
            Self::Init => init::run(),
            Self::Config(ConfigCommand::Schema { format }) => schema::run(*format),
            Self::Completions { shell } => completions::run(*shell),
            Self::Man { command } => completions::man(command.as_deref()),
            Self::Runner { run_dir } => Ok(ci_exec::runner_main(run_dir)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
