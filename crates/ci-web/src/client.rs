//! The way to a running node for the command line, over its admin socket.

mod byte_stream;
mod error;
mod exchange;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ci_domain::ids::{AttemptId, BranchName, ComponentName, JobId, PullNumber, RepoName};
use ci_domain::subject::escaped;
use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use byte_stream::ByteStream;
pub use error::ClientError;

use crate::wire::{
    Artifact, Artifacts, AuditEntry, BranchDetail, BranchSummary, CommandRef, JobAction, JobRun,
    JobTests, Jobs, NewToken, Nightly, NodeStatus, PullDetail, PullSummary, Quarantined, Repo,
    Shell, ShellRequest, StoreAudit, Token, TokenRequest,
};

/// How long an answer may take: every actor that is asked on the way has five seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a check of the whole store may take.
const CHECK_PATIENCE: Duration = Duration::from_secs(600);

/// How much of a long list is asked for at once: all that is told.
const PAGE: usize = 1000;

/// Asks one node. Each request is a connection of its own, so a clone costs nothing.
#[derive(Clone, Debug)]
pub struct AdminClient {
    socket: PathBuf,
}

/// Whether a log is read to its present end, or to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// What there is now.
    No,
    /// What comes, too, until it is complete.
    Yes,
}

impl AdminClient {
    /// Makes sure that a node listens on `socket`.
    ///
    /// # Errors
    /// No server listens there, or we may not speak to it.
    pub async fn connect(socket: impl AsRef<Path>) -> Result<Self, ClientError> {
        let client = Self { socket: socket.as_ref().to_owned() };
        exchange::connect(&client.socket).await?;
        Ok(client)
    }

    /// How the node is.
    ///
    /// # Errors
    /// As for every method here: there is no answer, or it is a refusal.
    pub async fn status(&self) -> Result<NodeStatus, ClientError> {
        self.get("/api/v1/status").await
    }

    /// The repositories that are served.
    ///
    /// # Errors
    /// There is no answer, or it is a refusal.
    pub async fn repos(&self) -> Result<Vec<Repo>, ClientError> {
        self.get("/api/v1/repos").await
    }

    /// The open pull requests of a repository, by number.
    ///
    /// # Errors
    /// The repository is not served, or there is no answer.
    pub async fn pulls(&self, repo: &RepoName) -> Result<Vec<PullSummary>, ClientError> {
        let key = |pull: &PullSummary| pull.number.to_string();
        self.whole(&format!("/api/v1/repos/{repo}/pulls"), key).await
    }

    /// One pull request.
    ///
    /// # Errors
    /// There is no such pull request, or no answer.
    pub async fn pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullDetail, ClientError> {
        self.get(&format!("/api/v1/repos/{repo}/pulls/{number}")).await
    }

    /// How the tests of a pull request went.
    ///
    /// # Errors
    /// There is no such pull request, or no answer.
    pub async fn tests(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<Vec<JobTests>, ClientError> {
        self.get(&format!("/api/v1/repos/{repo}/pulls/{number}/tests")).await
    }

    /// What an attempt has left.
    ///
    /// # Errors
    /// There is no such attempt, or no answer.
    pub async fn artifacts(&self, attempt: &AttemptId) -> Result<Artifacts, ClientError> {
        self.get(&format!("/api/v1/jobs/{attempt}/artifacts")).await
    }

    /// What a file holds that an attempt has left.
    ///
    /// # Errors
    /// It is no longer kept, or there is no answer.
    pub async fn download(&self, artifact: &Artifact) -> Result<ByteStream, ClientError> {
        self.stream(&artifact.url).await
    }

    /// Runs again what failed, crashed or was cancelled.
    ///
    /// # Errors
    /// There is no such pull request, nothing to retry, or no answer.
    pub async fn retry(
        &self,
        repo: &RepoName,
        number: PullNumber,
        job: Option<&JobId>,
    ) -> Result<Jobs, ClientError> {
        let action = JobAction { job: job.map(ToString::to_string), clean: false };
        self.act(repo, number, "retry", &action).await
    }

    /// Runs a job, or all where there is `None`, even what passed; `clean` reseeds the workspace first.
    ///
    /// # Errors
    /// There is no such pull request or job, the job is blocked, or there is no answer.
    pub async fn force(
        &self,
        repo: &RepoName,
        number: PullNumber,
        job: Option<&JobId>,
        clean: bool,
    ) -> Result<Jobs, ClientError> {
        let job = job.map_or_else(|| "all".to_owned(), ToString::to_string);
        self.act(repo, number, "force", &JobAction { job: Some(job), clean }).await
    }

    /// Stops what runs.
    ///
    /// # Errors
    /// There is no such pull request, nothing to cancel, or no answer.
    pub async fn cancel(
        &self,
        repo: &RepoName,
        number: PullNumber,
        job: Option<&JobId>,
    ) -> Result<Jobs, ClientError> {
        let action = JobAction { job: job.map(ToString::to_string), clean: false };
        self.act(repo, number, "cancel", &action).await
    }

    /// How to start a shell in a component of a pull request.
    ///
    /// # Errors
    /// There is no such pull request or no workspace of it, a build is under way, or there is no answer.
    pub async fn shell(
        &self,
        repo: &RepoName,
        number: PullNumber,
        component: &ComponentName,
    ) -> Result<Shell, ClientError> {
        let request = ShellRequest { component: component.to_string() };
        self.post(&format!("/api/v1/repos/{repo}/pulls/{number}/shell"), &request).await
    }

    /// The branches of a repository that are built on push, by name.
    ///
    /// # Errors
    /// The repository is not served, or there is no answer.
    pub async fn branches(&self, repo: &RepoName) -> Result<Vec<BranchSummary>, ClientError> {
        // Their pages end with their names, as paths have them.
        let key =
            |branch: &BranchSummary| branch.page.rsplit('/').next().unwrap_or_default().to_owned();
        self.whole(&format!("/api/v1/repos/{repo}/branches"), key).await
    }

    /// One branch.
    ///
    /// # Errors
    /// The branch is not built, or there is no answer.
    pub async fn branch(
        &self,
        repo: &RepoName,
        name: &BranchName,
    ) -> Result<BranchDetail, ClientError> {
        self.get(&format!("/api/v1/repos/{repo}/branches/{}", escaped(name))).await
    }

    /// Runs a job of a branch, or all where there is `None`, even what passed.
    ///
    /// # Errors
    /// The branch is not built, there is no such job, the job is blocked, or there is no answer.
    pub async fn force_branch(
        &self,
        repo: &RepoName,
        name: &BranchName,
        job: Option<&JobId>,
    ) -> Result<Jobs, ClientError> {
        self.force_at(&format!("/api/v1/repos/{repo}/branches/{}/force", escaped(name)), job).await
    }

    /// The nightly jobs of a repository.
    ///
    /// # Errors
    /// The repository is not served, or there is no answer.
    pub async fn nightly(&self, repo: &RepoName) -> Result<Nightly, ClientError> {
        self.get(&format!("/api/v1/repos/{repo}/nightly")).await
    }

    /// Runs a nightly job of a branch now, or all where there is `None`.
    ///
    /// # Errors
    /// The branch is not built, there is no such job, the job is blocked, or there is no answer.
    pub async fn force_nightly(
        &self,
        repo: &RepoName,
        name: &BranchName,
        job: Option<&JobId>,
    ) -> Result<Jobs, ClientError> {
        self.force_at(
            &format!("/api/v1/repos/{repo}/branches/{}/nightly/force", escaped(name)),
            job,
        )
        .await
    }

    /// Has a job run that `path` leads to, or all where there is `None`.
    async fn force_at(&self, path: &str, job: Option<&JobId>) -> Result<Jobs, ClientError> {
        let job = job.map_or_else(|| "all".to_owned(), ToString::to_string);
        self.post(path, &JobAction { job: Some(job), clean: false }).await
    }

    /// One attempt at a job.
    ///
    /// # Errors
    /// There is no such attempt, or no answer.
    pub async fn job_run(&self, attempt: &AttemptId) -> Result<JobRun, ClientError> {
        self.get(&format!("/api/v1/jobs/{attempt}")).await
    }

    /// What all commands of an attempt printed: failures last, or followed in the order they start.
    ///
    /// # Errors
    /// There is no such attempt, or no answer.
    pub async fn job_log(
        &self,
        attempt: &AttemptId,
        follow: Follow,
    ) -> Result<ByteStream, ClientError> {
        self.stream(&format!("/api/v1/jobs/{attempt}/log?follow={}", follow.as_bool())).await
    }

    /// What one command printed, from byte `offset`.
    ///
    /// # Errors
    /// There is no such command, or no answer.
    pub async fn command_log(
        &self,
        command: &CommandRef,
        offset: u64,
        follow: Follow,
    ) -> Result<ByteStream, ClientError> {
        let query = format!("offset={offset}&follow={}", follow.as_bool());
        self.stream(&format!("/api/v1/commands/{command}/log?{query}")).await
    }

    /// The pull requests that were given up, of one repository or of all.
    ///
    /// # Errors
    /// The repository is not served, or there is no answer.
    pub async fn quarantined(
        &self,
        repo: Option<&RepoName>,
    ) -> Result<Vec<Quarantined>, ClientError> {
        match repo {
            Some(repo) => self.get(&format!("/api/v1/repos/{repo}/quarantine")).await,
            None => self.get("/api/v1/quarantine").await,
        }
    }

    /// Lifts a quarantine.
    ///
    /// # Errors
    /// There is none (`NotFound`), or no answer.
    pub async fn lift(&self, repo: &RepoName, number: PullNumber) -> Result<(), ClientError> {
        let path = format!("/api/v1/repos/{repo}/quarantine/{number}");
        exchange::ask(&self.socket, PATIENCE, Method::DELETE, &path, None).await?;
        Ok(())
    }

    /// Makes a token; its text is told this once.
    ///
    /// # Errors
    /// The store does not take it, or there is no answer.
    pub async fn create_token(&self, request: &TokenRequest) -> Result<NewToken, ClientError> {
        self.post("/api/v1/tokens", request).await
    }

    /// What was done, the newest first: so many entries before that one.
    ///
    /// # Errors
    /// There is no answer, or it is a refusal.
    pub async fn audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, ClientError> {
        let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
        self.get(&format!("/api/v1/audit?limit={limit}{before}")).await
    }

    /// The tokens that are valid.
    ///
    /// # Errors
    /// There is no answer, or it is a refusal.
    pub async fn tokens(&self) -> Result<Vec<Token>, ClientError> {
        self.get("/api/v1/tokens").await
    }

    /// Makes a token invalid.
    ///
    /// # Errors
    /// There is none of that id (`NotFound`), or no answer.
    pub async fn revoke_token(&self, id: &str) -> Result<(), ClientError> {
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) || id.is_empty() {
            return Err(ClientError::NotFound { detail: format!("there is no token {id:?}") });
        }
        let path = format!("/api/v1/tokens/{id}");
        exchange::ask(&self.socket, PATIENCE, Method::DELETE, &path, None).await?;
        Ok(())
    }

    /// Reads the whole store and says what is not as it was written.
    ///
    /// # Errors
    /// The store cannot be read, or there is no answer.
    pub async fn check_store(&self) -> Result<StoreAudit, ClientError> {
        let path = "/api/v1/store/check";
        let answer = exchange::ask(&self.socket, CHECK_PATIENCE, Method::POST, path, None).await?;
        exchange::read(&answer)
    }

    /// Exports the store as JSON lines.
    ///
    /// # Errors
    /// There is no answer, or it is a refusal; a stream that breaks later says so itself.
    pub async fn export_store(&self) -> Result<ByteStream, ClientError> {
        self.stream("/api/v1/store/export").await
    }

    async fn act(
        &self,
        repo: &RepoName,
        number: PullNumber,
        verb: &str,
        action: &JobAction,
    ) -> Result<Jobs, ClientError> {
        self.post(&format!("/api/v1/repos/{repo}/pulls/{number}/{verb}"), action).await
    }

    /// A whole list, page by page; `key` is what the next page comes after.
    async fn whole<A: DeserializeOwned>(
        &self,
        path: &str,
        key: impl Fn(&A) -> String,
    ) -> Result<Vec<A>, ClientError> {
        let mut all: Vec<A> = self.get(&format!("{path}?limit={PAGE}")).await?;
        let mut told = all.len();
        while let Some(last) = all.last().filter(|_| told == PAGE) {
            let next: Vec<A> =
                self.get(&format!("{path}?limit={PAGE}&after={}", key(last))).await?;
            told = next.len();
            all.extend(next);
        }
        Ok(all)
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        let answer = exchange::ask(&self.socket, PATIENCE, Method::GET, path, None).await?;
        exchange::read(&answer)
    }

    async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Garbled(error.into()))?;
        let answer =
            exchange::ask(&self.socket, PATIENCE, Method::POST, path, Some(body.into())).await?;
        exchange::read(&answer)
    }

    async fn stream(&self, path: &str) -> Result<ByteStream, ClientError> {
        exchange::stream(&self.socket, PATIENCE, path).await
    }
}

impl Follow {
    fn as_bool(self) -> bool {
        self == Self::Yes
    }
}
