//! The way into a running node: what pages and the command line ask it, and what they have it do.

use std::sync::Arc;

use ci_domain::branch::BranchRefusal;
use ci_domain::forge::ForceTarget;
use ci_domain::ids::{BranchName, BuildNumber, JobId, Login, PullNumber, RepoName};
use ci_domain::may_run::Isolation;
use ci_domain::pull::{Refusal, Request};
use ci_domain::report::Voice;
use ci_domain::subject::Subject;
use ci_github::Budget;
use heights::{CallError, Fault};

use crate::branch::Which;
use crate::elders::RunnerSettings;
use crate::intake::IntakeHandle;
use crate::ledger::LedgerHandle;
use crate::past::{self, PastBuild};
use crate::pull::PullHandle;
use crate::queues::Queues;
use crate::reload::Reloading;
use crate::repo::RepoHandle;
use crate::reporter::ReporterHandle;
use crate::repos::Repos;
use crate::runs::Runs;
use crate::view::{BranchView, PullView};
use crate::watcher::WatcherView;

/// The way into a running node.
#[derive(Clone)]
pub struct NodeHandle {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(super) voice: Voice,
    pub(super) settings: Arc<RunnerSettings>,
    pub(super) ledger: LedgerHandle,
    pub(super) queues: Queues,
    pub(super) runs: Runs,
    pub(super) reporter: ReporterHandle,
    pub(super) intake: IntakeHandle,
    pub(super) repos: Repos,
    pub(crate) reloading: Reloading,
}

/// A question about something that the node does not have, or that cannot be answered now.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The node does not serve the repository.
    #[error("find repository {0}")]
    NoRepo(RepoName),
    /// The pull request is not open, or does not exist.
    #[error("find an open pull request {1} in {0}")]
    NoPull(RepoName, PullNumber),
    /// The actor that knows does not answer.
    #[error("ask the node")]
    Call(#[from] CallError),
    /// What is on record cannot be read.
    #[error("read the ledger")]
    Ledger(#[source] Fault),
}

impl NodeHandle {
    /// Under which name the node speaks.
    #[must_use]
    pub fn voice(&self) -> &Voice {
        &self.inner.voice
    }

    /// What keeps jobs from the node, and why it is not more.
    #[must_use]
    pub fn isolation(&self) -> (Isolation, &str) {
        let settings = &self.inner.settings;
        (settings.isolation, &settings.isolation_trouble)
    }

    /// What the forge last said about how many calls are left.
    #[must_use]
    pub fn budget(&self) -> Budget {
        let forges = self.inner.repos.all().into_iter().map(|repo| repo.elders.forge.clone());
        // Those of one account share one; a local forge has none.
        forges.map(|forge| forge.budget()).find(|one| *one != Budget::default()).unwrap_or_default()
    }

    /// The repositories that are served.
    #[must_use]
    pub fn repos(&self) -> Vec<RepoName> {
        self.inner.repos.names()
    }

    /// Where webhook deliveries go.
    #[must_use]
    pub fn intake(&self) -> &IntakeHandle {
        &self.inner.intake
    }

    /// What the forge has not taken.
    #[must_use]
    pub fn reporter(&self) -> &ReporterHandle {
        &self.inner.reporter
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> &Queues {
        &self.inner.queues
    }

    /// The run directories.
    #[must_use]
    pub fn runs(&self) -> &Runs {
        &self.inner.runs
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &LedgerHandle {
        &self.inner.ledger
    }

    /// What the watcher of a repository knows. Where its polls work and git is refused, that is the trouble.
    ///
    /// # Errors
    /// There is no such repository, or its watcher does not answer.
    pub async fn watcher(&self, repo: &RepoName) -> Result<WatcherView, AskError> {
        let repo = self.repo(repo)?;
        let mut view = repo.watcher.view().await?;
        view.trouble = view.trouble.or_else(|| repo.elders.mirror.trouble());
        Ok(view)
    }

    /// The open pull requests of a repository, by number.
    ///
    /// # Errors
    /// There is no such repository, or an actor does not answer.
    pub async fn pulls(&self, repo: &RepoName) -> Result<Vec<PullView>, AskError> {
        let watched = self.watcher(repo).await?;
        let mut views = Vec::with_capacity(watched.open.len());
        for number in watched.open {
            views.push(self.pull(repo, number).await?);
        }
        Ok(views)
    }

    /// One open pull request. What is quarantined is read from the ledger.
    ///
    /// # Errors
    /// There is no such pull request, or its actor does not answer.
    pub async fn pull(&self, repo: &RepoName, number: PullNumber) -> Result<PullView, AskError> {
        let found = self.repo(repo)?;
        if let Some(pull) = found.pulls.lookup(&number) {
            return Ok(pull.view().await?);
        }
        let replayed =
            crate::pull::replay(&found.elders, number).await.map_err(AskError::Ledger)?;
        match replayed.0.facts() {
            Some(_) => Ok(PullView::new(&replayed.0, None)),
            None => Err(AskError::NoPull(repo.clone(), number)),
        }
    }

    /// Asks a pull request for something on behalf of `by`; answers with the jobs that it concerns.
    ///
    /// # Errors
    /// There is no such pull request, or its actor does not answer. A refusal is an answer.
    pub async fn request(
        &self,
        repo: &RepoName,
        number: PullNumber,
        request: Request,
        by: Login,
    ) -> Result<Result<Vec<JobId>, Refusal>, AskError> {
        Ok(self.open_pull(repo, number)?.request(request, by, None).await?)
    }

    /// The branches of a repository that are built on push, by name.
    ///
    /// # Errors
    /// There is no such repository, or an actor does not answer.
    pub async fn branches(&self, repo: &RepoName) -> Result<Vec<BranchView>, AskError> {
        let watched = self.watcher(repo).await?;
        let mut views = Vec::with_capacity(watched.branches.len());
        for name in watched.branches {
            views.extend(self.branch(repo, &name).await?);
        }
        Ok(views)
    }

    /// One branch; `None` where it is not built on push. What was given up is read from the ledger.
    ///
    /// # Errors
    /// There is no such repository, or the branch's actor does not answer.
    pub async fn branch(
        &self,
        repo: &RepoName,
        name: &BranchName,
    ) -> Result<Option<BranchView>, AskError> {
        let found = self.repo(repo)?;
        if let Some(branch) = found.branches.lookup(name) {
            return Ok(Some(branch.view().await?));
        }
        let (branch, _) =
            crate::branch::replay(&found.elders, name).await.map_err(AskError::Ledger)?;
        let is_built = branch.tip().is_some() && !branch.memory().gone;
        Ok(is_built.then(|| BranchView::new(&branch, None)))
    }

    /// Has jobs of a branch run on behalf of `by`, even if they have passed or are not affected; answers
    /// with the jobs that it concerns.
    ///
    /// # Errors
    /// There is no such repository, or the branch's actor does not answer. A refusal is an answer.
    pub async fn force_branch(
        &self,
        repo: &RepoName,
        name: &BranchName,
        target: ForceTarget,
        by: Login,
    ) -> Result<Result<Vec<JobId>, BranchRefusal>, AskError> {
        self.force_jobs(repo, name, (Which::OnPush, target), by).await
    }

    /// Has nightly jobs of a branch run on behalf of `by`, at any hour, even if they have run; answers with
    /// the jobs that it concerns.
    ///
    /// # Errors
    /// There is no such repository, or the branch's actor does not answer. A refusal is an answer.
    pub async fn force_nightly(
        &self,
        repo: &RepoName,
        name: &BranchName,
        target: ForceTarget,
        by: Login,
    ) -> Result<Result<Vec<JobId>, BranchRefusal>, AskError> {
        self.force_jobs(repo, name, (Which::Nightly, target), by).await
    }

    async fn force_jobs(
        &self,
        repo: &RepoName,
        name: &BranchName,
        (which, target): (Which, ForceTarget),
        by: Login,
    ) -> Result<Result<Vec<JobId>, BranchRefusal>, AskError> {
        match self.repo(repo)?.branches.lookup(name) {
            Some(branch) => Ok(branch.force(which, target, by).await?),
            None => Ok(Err(BranchRefusal::NotBuilt(name.clone()))),
        }
    }

    /// The builds of a pull request or branch up to number `last`, the newest first and no more than `most`;
    /// those whose record was dropped since are left out.
    ///
    /// # Errors
    /// There is no such repository, or the ledger cannot be read.
    pub async fn builds(
        &self,
        repo: &RepoName,
        subject: &Subject,
        last: BuildNumber,
        most: u64,
    ) -> Result<Vec<PastBuild>, AskError> {
        let found = self.repo(repo)?;
        let builds = past::builds(&found.elders.ledger, (repo, subject), last, most);
        builds.await.map_err(AskError::Ledger)
    }

    /// Lifts a quarantine; answers whether there was one.
    ///
    /// # Errors
    /// There is no such repository, or its watcher does not answer.
    pub async fn lift(&self, repo: &RepoName, number: PullNumber) -> Result<bool, AskError> {
        Ok(self.repo(repo)?.watcher.lift(number).await?)
    }

    pub(crate) fn repo(&self, repo: &RepoName) -> Result<Arc<RepoHandle>, AskError> {
        self.inner.repos.get(repo).ok_or_else(|| AskError::NoRepo(repo.clone()))
    }

    fn open_pull(&self, repo: &RepoName, number: PullNumber) -> Result<PullHandle, AskError> {
        let pull = self.repo(repo)?.pulls.lookup(&number);
        pull.ok_or_else(|| AskError::NoPull(repo.clone(), number))
    }
}

impl std::fmt::Debug for NodeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeHandle").field("repos", &self.repos()).finish_non_exhaustive()
    }
}
