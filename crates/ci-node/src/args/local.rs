//! What GitHub is otherwise for, on the command line: pull requests of a repository on this machine.

use std::path::PathBuf;

use ci_domain::ids::{BranchName, Login};
use clap::{Args, Subcommand};

use crate::args::remote::PullArg;

#[derive(Debug, Args)]
pub(crate) struct LocalArgs {
    #[command(subcommand)]
    pub(crate) command: LocalCommand,
}

/// Which repository is meant.
#[derive(Debug, Args)]
pub(crate) struct BareArg {
    /// The bare repository, as `local` of ci-node.toml has it.
    #[arg(value_name = "REPOSITORY")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    pub(crate) repository: BareArg,

    /// The branch that is proposed.
    #[arg(long, value_name = "BRANCH")]
    pub(crate) head: BranchName,

    /// The branch that it shall be merged into.
    #[arg(long, value_name = "BRANCH", default_value = "main")]
    pub(crate) base: BranchName,

    /// What it is called [default: the branch's name].
    #[arg(long)]
    pub(crate) title: Option<String>,

    /// Who opens it.
    #[arg(long, value_name = "LOGIN", default_value = "local")]
    pub(crate) author: Login,

    /// It is not ready yet.
    #[arg(long)]
    pub(crate) draft: bool,
}

/// Who does something to which pull request.
#[derive(Debug, Args)]
pub(crate) struct DeedArgs {
    #[command(flatten)]
    pub(crate) repository: BareArg,

    #[command(flatten)]
    pub(crate) pull: PullArg,

    /// Who does it; has write access from then on.
    #[arg(long, value_name = "LOGIN")]
    pub(crate) by: Login,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Opens a pull request for a branch of the repository, and prints its number.
    Open(OpenArgs),
    /// Approves the present head of a pull request.
    Approve(DeedArgs),
    /// Requests changes to the present head of a pull request.
    RequestChanges(DeedArgs),
    /// Comments on a pull request: `/ci retry`, for instance.
    Comment {
        #[command(flatten)]
        deed: DeedArgs,

        /// What to say.
        text: String,
    },
    /// Closes a pull request.
    Close {
        #[command(flatten)]
        repository: BareArg,

        #[command(flatten)]
        pull: PullArg,
    },
}
