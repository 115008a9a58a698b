//! GitHub over REST and GraphQL: what is read in bulk comes from GraphQL, what is written goes to REST.

mod app;
mod auth;
mod checks;
mod conditional;
mod examine;
mod graphql;
mod http;
mod nodes;
mod pace;
mod redeliver;
mod refusal;
mod rest;
mod sign_in;
mod snapshot;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use ci_domain::code_owners::Owner;
use ci_domain::forge::{
    CheckId, CheckWrite, Comment, CommentId, PullComment, PullFacts, Reaction, RepoSnapshot,
    StandingCheck, StatusWrite, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_domain::secret::Secret;
use reqwest::Url;

pub use self::app::AppKey;
use self::auth::Auth;
pub use self::auth::{CredentialSource, Credentials};
use self::conditional::Tags;
pub use self::examine::{Answered, Examination, Grant, Hook, Permission};
use self::http::Http;
pub use self::sign_in::{Account, SignIn, SignInConfig, SignInError};
use self::snapshot::Snapshots;
use crate::forge::{Budget, Forge, ForgeFuture};
use crate::standing::Standing;

/// Where GitHub is and who we are there.
#[derive(Clone, Debug)]
pub struct GitHubConfig {
    /// The REST API's root, such as `https://api.github.com`.
    pub api_url: String,
    /// The GraphQL endpoint, such as `https://api.github.com/graphql`.
    pub graphql_url: String,
    /// Who we are.
    pub credentials: Credentials,
    /// How long one call may take, answer included.
    pub timeout: Duration,
}

/// A configuration that no call could be made with.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// Not an `http` or `https` URL.
    #[error("use {url:?} as {key}: expected an http or https URL")]
    Url {
        /// Which of the two.
        key: &'static str,
        /// The text as it came.
        url: String,
    },
    /// Empty, or with characters that no token has.
    #[error("use the GitHub token: expected one line of printable characters")]
    Token,
    /// The private key of the app cannot be read.
    #[error("read the GitHub app's private key as an RSA key in PEM format")]
    AppKey(#[source] jsonwebtoken::errors::Error),
    /// TLS cannot be set up.
    #[error("set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// A connection to GitHub.
#[derive(Debug)]
pub struct GitHub {
    http: Http,
    auth: Auth,
    api_url: Url,
    graphql_url: Url,
    tags: Tags,
    snapshots: Snapshots,
}

impl GitHub {
    /// Makes the client; nothing is sent yet.
    ///
    /// # Errors
    /// Names the part of the configuration that cannot be used.
    pub fn new(config: GitHubConfig) -> Result<Self, InvalidConfig> {
        Ok(Self {
            http: Http::new(config.timeout)?,
            auth: Auth::new(config.credentials)?,
            api_url: url("api_url", &config.api_url)?,
            graphql_url: url("graphql_url", &config.graphql_url)?,
            tags: Tags::default(),
            snapshots: Snapshots::default(),
        })
    }

    /// Lets `source` replace the credentials at any time. The first source stays.
    pub fn follow(&self, source: Arc<dyn CredentialSource>) {
        self.auth.follow(source);
    }

    /// Uses other credentials from the next call on.
    ///
    /// # Errors
    /// The credentials cannot be used; the old ones stay.
    pub fn replace_credentials(&self, credentials: Credentials) -> Result<(), InvalidConfig> {
        self.auth.replace(credentials)?;
        self.http.pace.forget();
        Ok(())
    }
}

impl Forge for GitHub {
    fn identity(&self) -> ForgeFuture<'_, Login> {
        Box::pin(self.who_am_i())
    }

    fn snapshot<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, RepoSnapshot> {
        Box::pin(self.read_snapshot(repo))
    }

    fn pull<'a>(
        &'a self,
        repo: &'a RepoName,
        number: PullNumber,
    ) -> ForgeFuture<'a, Option<PullFacts>> {
        Box::pin(self.read_pull(repo, number))
    }

    fn branch_tip<'a>(
        &'a self,
        repo: &'a RepoName,
        branch: &'a BranchName,
    ) -> ForgeFuture<'a, Option<CommitSha>> {
        Box::pin(self.read_tip(repo, branch))
    }

    fn set_status<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        status: &'a StatusWrite,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(self.post_status(repo, sha, status))
    }

    fn statuses<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<StatusWrite>> {
        Box::pin(self.list_statuses(repo, sha))
    }

    fn comments<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
    ) -> ForgeFuture<'a, Vec<Comment>> {
        Box::pin(self.list_comments(repo, pull))
    }

    fn recent_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        since: Timestamp,
    ) -> ForgeFuture<'a, Vec<PullComment>> {
        Box::pin(self.list_recent_comments(repo, since))
    }

    fn create_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        Box::pin(self.post_comment(repo, pull, body))
    }

    fn edit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        body: &'a str,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(self.patch_comment(repo, comment, body))
    }

    fn commit_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<Comment>> {
        Box::pin(self.list_commit_comments(repo, sha))
    }

    fn commit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        Box::pin(self.post_commit_comment(repo, sha, body))
    }

    fn can_write<'a>(&'a self, repo: &'a RepoName, login: &'a Login) -> ForgeFuture<'a, bool> {
        Box::pin(self.read_permission(repo, login))
    }

    fn standing<'a>(
        &'a self,
        repo: &'a RepoName,
        login: &'a Login,
        id: u64,
    ) -> ForgeFuture<'a, Standing> {
        Box::pin(self.read_standing(repo, login, id))
    }

    fn belongs<'a>(
        &'a self,
        repo: &'a RepoName,
        login: &'a Login,
        owner: &'a Owner,
    ) -> ForgeFuture<'a, bool> {
        Box::pin(self.read_belonging(repo, login, owner))
    }

    fn git_token<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, Option<Secret>> {
        Box::pin(async { self.token(repo).await.map(Some) })
    }

    fn react<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        reaction: Reaction,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(self.post_reaction(repo, comment, reaction))
    }

    fn redeliver<'a>(
        &'a self,
        repo: &'a RepoName,
        url: &'a str,
        since: Timestamp,
    ) -> ForgeFuture<'a, usize> {
        Box::pin(self.redeliver_failed(repo, url, since))
    }

    fn takes_checks(&self, repo: &RepoName) -> bool {
        self.may_write_checks(repo)
    }

    fn standing_check<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        name: &'a str,
    ) -> ForgeFuture<'a, Option<StandingCheck>> {
        Box::pin(self.read_check(repo, sha, name))
    }

    fn create_check<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        check: &'a CheckWrite,
    ) -> ForgeFuture<'a, CheckId> {
        Box::pin(self.post_check(repo, sha, check))
    }

    fn update_check<'a>(
        &'a self,
        repo: &'a RepoName,
        id: CheckId,
        check: &'a CheckWrite,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(self.patch_check(repo, id, check))
    }

    fn budget(&self) -> Budget {
        self.http.pace.budget()
    }
}

fn url(key: &'static str, text: &str) -> Result<Url, InvalidConfig> {
    text.parse::<Url>()
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| InvalidConfig::Url { key, url: text.to_owned() })
}
