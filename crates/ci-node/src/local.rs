//! `local`: plays GitHub for a bare repository on this machine, whether a node runs or not.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ci_domain::ids::{BranchName, CommitSha};
use ci_github::{ForgeError, LocalForge, NewLocalPull};
use tokio::process::Command;

use crate::args::{BareArg, DeedArgs, LocalArgs, LocalCommand, OpenArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Does what people do on GitHub.
///
/// # Errors
/// There is no such repository, branch or pull request, or the book cannot be written.
pub(crate) async fn run(args: &LocalArgs) -> Result<ExitCode> {
    match &args.command {
        LocalCommand::Open(args) => open_pull(args).await?,
        LocalCommand::Approve(deed) => {
            let forge = writer(deed).await?;
            forge.approve(deed.pull.number, deed.by.clone()).await.map_err(refusal)?;
        }
        LocalCommand::RequestChanges(deed) => {
            let forge = writer(deed).await?;
            forge.request_changes(deed.pull.number, deed.by.clone()).await.map_err(refusal)?;
        }
        LocalCommand::Comment { deed, text } => {
            let forge = writer(deed).await?;
            forge.comment(deed.pull.number, deed.by.clone(), text).await.map_err(refusal)?;
        }
        LocalCommand::Close { repository, pull } => {
            open(repository)?.close_pull(pull.number).await.map_err(refusal)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn open_pull(args: &OpenArgs) -> Result<()> {
    let forge = open(&args.repository)?;
    let path = &args.repository.path;
    tip(path, &args.base).await?;
    let new = NewLocalPull {
        title: args.title.clone().unwrap_or_else(|| args.head.to_string()),
        author: args.author.clone(),
        base: args.base.clone(),
        head: tip(path, &args.head).await?,
        head_branch: args.head.clone(),
        draft: args.draft,
        fork: None,
    };
    let number = forge.open_pull(new).await.map_err(refusal)?;
    Output::new().line(&number.to_string())
}

fn open(repository: &BareArg) -> Result<LocalForge> {
    let path = std::path::absolute(&repository.path)?;
    LocalForge::open(path).map_err(|error| Exit::NotFound.failed_to(&error))
}

/// The repository, in which `by` has write access: whoever may write into its folder decides that.
async fn writer(deed: &DeedArgs) -> Result<LocalForge> {
    let forge = open(&deed.repository)?;
    forge.grant(deed.by.clone()).await.map_err(refusal)?;
    Ok(forge)
}

/// The commit that a branch of the repository is at.
async fn tip(repository: &Path, branch: &BranchName) -> Result<CommitSha> {
    let mut git = Command::new("git");
    git.arg("--git-dir").arg(repository).args(["rev-parse", "--verify", "--quiet"]);
    let output = git.arg(format!("refs/heads/{branch}^{{commit}}")).output().await;
    let output = output.context("failed to run git")?;
    let text = String::from_utf8_lossy(&output.stdout);
    CommitSha::new(text.trim()).map_err(|_| {
        let path = repository.display();
        Exit::NotFound.because(format!("{path} has no branch {branch}: push it first"))
    })
}

fn refusal(error: ForgeError) -> anyhow::Error {
    let exit = match error {
        ForgeError::NotFound { .. } => Exit::NotFound,
        _ => Exit::Failed,
    };
    exit.failed_to(&error)
}
