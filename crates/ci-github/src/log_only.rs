//! A forge that is read and never written: `[github] write = false`.

use std::sync::Arc;

use ci_domain::code_owners::Owner;
use ci_domain::forge::{
    CheckId, CheckWrite, Comment, CommentId, PullComment, PullFacts, Reaction, RepoSnapshot,
    StandingCheck, StatusWrite, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_domain::secret::Secret;

use crate::forge::{Budget, Forge, ForgeFuture};
use crate::standing::Standing;

/// Passes reads on and logs writes instead of sending them.
pub struct LogOnly {
    forge: Arc<dyn Forge>,
}

impl LogOnly {
    /// The id that every comment gets which was logged instead of posted.
    pub const NOT_POSTED: CommentId = CommentId(0);

    /// The same of check runs.
    const NOT_ADDED: CheckId = CheckId(0);

    /// Wraps `forge`.
    #[must_use]
    pub fn new(forge: Arc<dyn Forge>) -> Self {
        Self { forge }
    }
}

impl Forge for LogOnly {
    fn identity(&self) -> ForgeFuture<'_, Login> {
        self.forge.identity()
    }

    fn snapshot<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, RepoSnapshot> {
        self.forge.snapshot(repo)
    }

    fn pull<'a>(
        &'a self,
        repo: &'a RepoName,
        number: PullNumber,
    ) -> ForgeFuture<'a, Option<PullFacts>> {
        self.forge.pull(repo, number)
    }

    fn branch_tip<'a>(
        &'a self,
        repo: &'a RepoName,
        branch: &'a BranchName,
    ) -> ForgeFuture<'a, Option<CommitSha>> {
        self.forge.branch_tip(repo, branch)
    }

    fn set_status<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        status: &'a StatusWrite,
    ) -> ForgeFuture<'a, ()> {
        tracing::info!(
            %repo, %sha, context = status.context, state = status.state.as_str(),
            description = status.description, "status not sent: writing is off"
        );
        Box::pin(async { Ok(()) })
    }

    fn statuses<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<StatusWrite>> {
        self.forge.statuses(repo, sha)
    }

    fn comments<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
    ) -> ForgeFuture<'a, Vec<Comment>> {
        self.forge.comments(repo, pull)
    }

    fn recent_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        since: Timestamp,
    ) -> ForgeFuture<'a, Vec<PullComment>> {
        self.forge.recent_comments(repo, since)
    }

    fn create_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        tracing::info!(%repo, %pull, body, "comment not sent: writing is off");
        Box::pin(async { Ok(Self::NOT_POSTED) })
    }

    fn edit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        body: &'a str,
    ) -> ForgeFuture<'a, ()> {
        tracing::info!(%repo, comment = comment.0, body, "edit not sent: writing is off");
        Box::pin(async { Ok(()) })
    }

    fn commit_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<Comment>> {
        self.forge.commit_comments(repo, sha)
    }

    fn commit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        tracing::info!(%repo, %sha, body, "commit comment not sent: writing is off");
        Box::pin(async { Ok(Self::NOT_POSTED) })
    }

    fn can_write<'a>(&'a self, repo: &'a RepoName, login: &'a Login) -> ForgeFuture<'a, bool> {
        self.forge.can_write(repo, login)
    }

    fn standing<'a>(
        &'a self,
        repo: &'a RepoName,
        login: &'a Login,
        id: u64,
    ) -> ForgeFuture<'a, Standing> {
        self.forge.standing(repo, login, id)
    }

    fn belongs<'a>(
        &'a self,
        repo: &'a RepoName,
        login: &'a Login,
        owner: &'a Owner,
    ) -> ForgeFuture<'a, bool> {
        self.forge.belongs(repo, login, owner)
    }

    fn git_token<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, Option<Secret>> {
        self.forge.git_token(repo)
    }

    fn react<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        reaction: Reaction,
    ) -> ForgeFuture<'a, ()> {
        tracing::info!(%repo, comment = comment.0, ?reaction, "reaction not sent: writing is off");
        Box::pin(async { Ok(()) })
    }

    fn redeliver<'a>(
        &'a self,
        repo: &'a RepoName,
        _: &'a str,
        _: Timestamp,
    ) -> ForgeFuture<'a, usize> {
        tracing::info!(%repo, "failed deliveries not asked for: writing is off");
        Box::pin(async { Ok(0) })
    }

    fn takes_checks(&self, repo: &RepoName) -> bool {
        self.forge.takes_checks(repo)
    }

    fn standing_check<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        name: &'a str,
    ) -> ForgeFuture<'a, Option<StandingCheck>> {
        self.forge.standing_check(repo, sha, name)
    }

    fn create_check<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        check: &'a CheckWrite,
    ) -> ForgeFuture<'a, CheckId> {
        let (state, marks) = (check.state.as_str(), check.annotations.len());
        let name = check.name.as_str();
        tracing::info!(%repo, %sha, name, state, marks, "check run not sent: writing is off");
        Box::pin(async { Ok(Self::NOT_ADDED) })
    }

    fn update_check<'a>(
        &'a self,
        repo: &'a RepoName,
        _: CheckId,
        check: &'a CheckWrite,
    ) -> ForgeFuture<'a, ()> {
        let (state, marks) = (check.state.as_str(), check.annotations.len());
        tracing::info!(%repo, name = check.name, state, marks, "check run not sent: writing is off");
        Box::pin(async { Ok(()) })
    }

    fn budget(&self) -> Budget {
        self.forge.budget()
    }
}
