//! The references of the repository, asked of git.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use ci_domain::forge::{BranchTip, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use tokio::process::Command;

use crate::forge::ForgeError;

/// Reading references of a local repository takes milliseconds; after this git hangs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What git says about the repository.
#[derive(Clone, Debug)]
pub(super) struct Refs {
    pub(super) default_branch: Option<BranchName>,
    pub(super) branches: Vec<BranchTip>,
    pub(super) pulls: BTreeMap<PullNumber, PullTip>,
}

/// The head of a pull request.
#[derive(Clone, Debug)]
pub(super) struct PullTip {
    pub(super) sha: CommitSha,
    pub(super) committed_at: Timestamp,
}

/// Reads all branches and heads of pull requests.
pub(super) async fn read(repository: &Path) -> Result<Refs, ForgeError> {
    let format = "--format=%(HEAD)%(objectname) %(committerdate:unix) %(refname)";
    let listed = git(repository, &["for-each-ref", format, "refs/heads/", "refs/pull/"]).await?;
    let mut refs = Refs { default_branch: None, branches: Vec::new(), pulls: BTreeMap::new() };
    for line in listed.lines() {
        refs.add(line);
    }
    Ok(refs)
}

/// Fails where the repository does not have the commit.
pub(super) async fn must_have(repository: &Path, commit: &CommitSha) -> Result<(), ForgeError> {
    let commit = format!("{commit}^{{commit}}");
    git(repository, &["cat-file", "-e", &commit]).await.map(drop)
}

/// Points `refs/pull/N/head` at a commit that the repository has.
pub(super) async fn set_pull_head(
    repository: &Path,
    number: PullNumber,
    head: &CommitSha,
) -> Result<(), ForgeError> {
    let name = format!("refs/pull/{number}/head");
    git(repository, &["update-ref", &name, head.as_str()]).await.map(drop)
}

impl Refs {
    /// The tip of a branch.
    pub(super) fn tip(&self, name: &BranchName) -> Option<&CommitSha> {
        self.branches.iter().find(|tip| tip.name == *name).map(|tip| &tip.sha)
    }

    /// Adds a line of `for-each-ref`; what is neither branch nor pull request is nobody's business.
    fn add(&mut self, line: &str) {
        // Git marks what HEAD names with a star, everything else with a space.
        let is_default = line.starts_with('*');
        let mut words = line.trim_start_matches(['*', ' ']).splitn(3, ' ');
        let (Some(sha), Some(date), Some(name)) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let Ok(sha) = CommitSha::new(sha) else { return };
        if let Some(name) = branch_name(name) {
            if is_default {
                self.default_branch = Some(name.clone());
            }
            self.branches.push(BranchTip { name, sha });
        } else if let Some(number) = pull_number(name) {
            let committed_at = Timestamp(date.parse().unwrap_or_default());
            self.pulls.insert(number, PullTip { sha, committed_at });
        }
    }
}

fn branch_name(reference: &str) -> Option<BranchName> {
    BranchName::new(reference.strip_prefix("refs/heads/")?).ok()
}

fn pull_number(reference: &str) -> Option<PullNumber> {
    let number = reference.strip_prefix("refs/pull/")?.strip_suffix("/head")?;
    number.parse().ok().map(PullNumber)
}

/// Runs git with nothing of our environment but the path to find it.
async fn git(repository: &Path, arguments: &[&str]) -> Result<String, ForgeError> {
    let mut command = Command::new("git");
    command
        .arg("--git-dir")
        .arg(repository)
        .args(arguments)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(TIMEOUT, command.output())
        .await
        .map_err(|_| failed("it did not end in time"))?
        .map_err(|error| failed(&error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim()))
    }
}

fn failed(reason: &str) -> ForgeError {
    ForgeError::Transient { reason: format!("git: {reason}"), retry_after: None }
}
