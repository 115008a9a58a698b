//! A shell for people in the workspace of a pull request, isolated like its jobs.
//!
//! The shell is a child of whoever asked, not of the node. It has the workspace alone while it is there,
//! by the lock that jobs and builds respect; secrets it has none.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use ci_domain::ids::{
    AttemptId, BuildNumber, CommitSha, ComponentName, JobId, JobName, PullNumber, RepoName,
};
use ci_exec::{Bounds, interactive_shell};
use heights::Recipient;

use crate::job::JobArgs;
use crate::job::spec::{Obstacle, shell_scene};
use crate::node::{AskError, NodeHandle};
use crate::origin::{Origin, OriginView};
use crate::repo::RepoHandle;

/// What a shell stands in the place of.
const JOB: &str = "shell";

/// How to start a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// The file that is to be locked for as long as the shell lives.
    pub lock: PathBuf,
    /// The program and its arguments.
    pub program: Vec<OsString>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// What it may use as a whole, like a job, where the machine can bound it.
    pub bounds: Option<Bounds>,
}

/// Why there can be no shell now.
#[derive(Debug, thiserror::Error)]
pub enum NoShell {
    /// Its jobs use the workspace.
    #[error("build {0} is under way: wait for its end, or cancel it")]
    Building(BuildNumber),
    /// There is nothing to look at.
    #[error(
        "there is no workspace of it: nothing was built since it was opened, or it was removed"
    )]
    NoWorkspace,
    /// Commands of this head may not run, or not there.
    #[error("failed to {0}")]
    Obstacle(String),
}

impl NodeHandle {
    /// Says how to start a shell in a component of a pull request.
    ///
    /// # Errors
    /// There is no such pull request, or it cannot be asked. A refusal is an answer.
    pub async fn shell(
        &self,
        repo: &RepoName,
        number: PullNumber,
        component: &ComponentName,
    ) -> Result<Result<Shell, NoShell>, AskError> {
        let view = self.pull(repo, number).await?;
        if let Some(build) = view.build {
            return Ok(Err(NoShell::Building(build)));
        }
        let repo = self.repo(repo)?;
        let (pull, _) =
            crate::pull::replay(&repo.elders, number).await.map_err(AskError::Ledger)?;
        let Some(head) = pull.facts().map(|facts| facts.head.sha.clone()) else {
            return Ok(Err(NoShell::NoWorkspace));
        };
        Ok(shell(&repo, (Origin::pull(&pull, &head), head), component).await)
    }
}

async fn shell(
    repo: &RepoHandle,
    (origin, head): (Origin, CommitSha),
    component: &ComponentName,
) -> Result<Shell, NoShell> {
    let broken = |error: &dyn std::fmt::Display| NoShell::Obstacle(error.to_string());
    let workspace = repo.elders.workspaces.of(&origin.subject);
    let last = workspace.last_update().map_err(|error| broken(&error))?;
    let merge = last.ok_or(NoShell::NoWorkspace)?.commit;
    let name = format!("{}-{JOB}", repo.elders.slug);
    let args = JobArgs {
        elders: repo.elders.clone(),
        head,
        merge,
        origins: OriginView::of(origin.clone()),
        origin,
        job: JobId {
            component: component.clone(),
            job: JobName::new(JOB).expect("the word is a name"),
        },
        attempt: AttemptId::new(name).expect("digits and a word are an id"),
        parent: Recipient::from_fn(|_| ()),
    };
    let scene = shell_scene(&args).await?;
    let program = interactive_shell(&scene.isolation, &scene.working_dir, &scene.env);
    let program = program.map_err(|error| broken(&error))?;
    let bounds = repo.elders.settings.bounds.clone();
    Ok(Shell { lock: workspace.lock_file(), program, env: scene.env, bounds })
}

impl From<Obstacle> for NoShell {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle.to_string())
    }
}
