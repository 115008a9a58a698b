//! The port: what the node asks of a forge, and how a forge can fail.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use ci_domain::code_owners::Owner;
use ci_domain::forge::{
    CheckId, CheckWrite, Comment, CommentId, PullComment, PullFacts, Reaction, RepoSnapshot,
    StandingCheck, StatusWrite, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_domain::secret::Secret;

use crate::standing::Standing;

/// What every call returns: boxed, so that a forge can be chosen while the node runs.
pub type ForgeFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ForgeError>> + Send + 'a>>;

/// A place where pull requests live.
///
/// Every call is one attempt: nothing is retried or queued here, and dropping the future gives the call
/// up. A write whose answer was lost may have been applied. A call that the forge would refuse, because
/// of what it said of its limits, fails without being made.
pub trait Forge: Send + Sync {
    /// Who we are: comments by this login are our own.
    fn identity(&self) -> ForgeFuture<'_, Login>;

    /// Reads every open pull request and every branch; where the forge says that nothing has changed, this
    /// may be what was read before.
    fn snapshot<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, RepoSnapshot>;

    /// Reads one pull request, open or not; `None` where there never was one of that number.
    fn pull<'a>(
        &'a self,
        repo: &'a RepoName,
        number: PullNumber,
    ) -> ForgeFuture<'a, Option<PullFacts>>;

    /// Reads where a branch is; `None` where there is none of that name.
    fn branch_tip<'a>(
        &'a self,
        repo: &'a RepoName,
        branch: &'a BranchName,
    ) -> ForgeFuture<'a, Option<CommitSha>>;

    /// Sets the status of `status.context` on a commit; setting it twice changes nothing.
    fn set_status<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        status: &'a StatusWrite,
    ) -> ForgeFuture<'a, ()>;

    /// Reads how the statuses of a commit stand: the newest of each context, in any order.
    fn statuses<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<StatusWrite>>;

    /// Reads the whole conversation of a pull request, oldest first.
    fn comments<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
    ) -> ForgeFuture<'a, Vec<Comment>>;

    /// Reads the comments made on any pull request at or after `since`, oldest first. What was edited since
    /// it was written is left out, where the forge can tell: nobody knows how it read at first.
    ///
    /// Comments on issues may be among them: GitHub counts issues and pull requests together and does
    /// not tell them apart here. Their numbers are no pull request's.
    fn recent_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        since: Timestamp,
    ) -> ForgeFuture<'a, Vec<PullComment>>;

    /// Posts a comment on a pull request; posting it twice makes two.
    fn create_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId>;

    /// Replaces the text of one of our comments on a pull request.
    fn edit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        body: &'a str,
    ) -> ForgeFuture<'a, ()>;

    /// Reads the comments on a commit, oldest first.
    fn commit_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<Comment>>;

    /// Posts a comment on a commit; posting it twice makes two.
    fn commit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId>;

    /// Whether `login` may push to the repository now. The caller decides how long to believe it.
    fn can_write<'a>(&'a self, repo: &'a RepoName, login: &'a Login) -> ForgeFuture<'a, bool>;

    /// What somebody may do in the repository now, by their login and the number that stays theirs; nothing
    /// where the forge has no accounts of its own. The caller decides how long to believe it.
    fn standing<'a>(
        &'a self,
        _repo: &'a RepoName,
        _login: &'a Login,
        _id: u64,
    ) -> ForgeFuture<'a, Standing> {
        Box::pin(async { Ok(Standing::None) })
    }

    /// Whether `login` belongs to a team, or is the account that shows an address. The caller decides how
    /// long to believe it.
    fn belongs<'a>(
        &'a self,
        repo: &'a RepoName,
        login: &'a Login,
        owner: &'a Owner,
    ) -> ForgeFuture<'a, bool>;

    /// The token that opens the repository to git now; `None` where git needs none.
    fn git_token<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, Option<Secret>>;

    /// Reacts to a comment on a pull request; reacting twice changes nothing.
    fn react<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        reaction: Reaction,
    ) -> ForgeFuture<'a, ()>;

    /// Asks the forge to make every webhook delivery to `url` again that failed since then; answers how
    /// many it will make. An error where we may not ask is like any other: nothing depends on this.
    fn redeliver<'a>(
        &'a self,
        repo: &'a RepoName,
        url: &'a str,
        since: Timestamp,
    ) -> ForgeFuture<'a, usize>;

    /// Whether check runs may be written in the repository, as far as is known: GitHub lets apps alone.
    fn takes_checks(&self, _repo: &RepoName) -> bool {
        false
    }

    /// Reads how the newest check run of ours stands that has this name on a commit.
    fn standing_check<'a>(
        &'a self,
        _repo: &'a RepoName,
        _sha: &'a CommitSha,
        _name: &'a str,
    ) -> ForgeFuture<'a, Option<StandingCheck>> {
        Box::pin(async { Ok(None) })
    }

    /// Adds a check run to a commit; adding it twice makes two.
    fn create_check<'a>(
        &'a self,
        _repo: &'a RepoName,
        _sha: &'a CommitSha,
        _check: &'a CheckWrite,
    ) -> ForgeFuture<'a, CheckId> {
        Box::pin(async { Err(ForgeError::without_checks()) })
    }

    /// Changes what a check run of ours shows, and adds marks to those that it has: adding the same twice
    /// shows them twice.
    fn update_check<'a>(
        &'a self,
        _repo: &'a RepoName,
        _id: CheckId,
        _check: &'a CheckWrite,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(async { Err(ForgeError::without_checks()) })
    }

    /// What the forge last said about how many calls are left.
    fn budget(&self) -> Budget;
}

/// Why a call failed. Never carries a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// The call may work later: no connection, no answer in time, or the forge is ill.
    #[error("reach the forge: {reason}")]
    Transient {
        /// What happened.
        reason: String,
        /// How long the forge asked to wait, if it did.
        retry_after: Option<Duration>,
    },
    /// Too many calls; none will work before `until`.
    #[error("call the forge before its rate limit ends, at {} s since the epoch", until.0)]
    RateLimited {
        /// When calls work again.
        until: Timestamp,
    },
    /// The token is wrong or may not do this; a person has to act.
    #[error("be let in by the forge: {message}")]
    Unauthorized {
        /// What the forge said.
        message: String,
    },
    /// The thing is not there, or is hidden from this token.
    #[error("find {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The forge understood the call and refuses it; the same call will be refused again.
    #[error("have the call accepted by the forge (status {status}): {message}")]
    Rejected {
        /// The HTTP status, or 200 where GraphQL refused.
        status: u16,
        /// What the forge said.
        message: String,
    },
    /// The answer could not be understood.
    #[error("understand the forge's answer: {reason}")]
    Malformed {
        /// What was wrong with it.
        reason: String,
    },
}

/// How many calls are left, by the kind of call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// REST calls; `None` before the first answer, and where there is no limit.
    pub rest: Option<Window>,
    /// GraphQL points, likewise.
    pub graphql: Option<Window>,
}

/// One rate limit as of the latest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many calls a window allows.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
    /// When the next window begins.
    pub reset_at: Timestamp,
}

impl ForgeError {
    /// What is said where there are no check runs.
    fn without_checks() -> Self {
        Self::NotFound { what: "check runs: only an app of GitHub may write them".to_owned() }
    }

    /// Whether a write that failed like this may have been applied all the same.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::Malformed { .. })
    }

    /// Whether the same call may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::RateLimited { .. })
    }
}
