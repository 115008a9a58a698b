//! The fake as a forge, without HTTP in between.

use ci_domain::forge::{
    Comment, CommentId, PullComment, PullFacts, Reaction, RepoSnapshot, StatusWrite, Timestamp,
};
use ci_domain::ids::{CommitSha, Login, PullNumber, RepoName};

use super::FakeGitHub;
use super::model::{CommentedOn, our_login};
use crate::forge::{Budget, Forge, ForgeFuture};

impl Forge for FakeGitHub {
    fn identity(&self) -> ForgeFuture<'_, Login> {
        Box::pin(async { self.read(|_| Ok(our_login())) })
    }

    fn snapshot<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, RepoSnapshot> {
        Box::pin(async { self.read(|model| Ok(model.repo(repo)?.snapshot())) })
    }

    fn pull<'a>(
        &'a self,
        repo: &'a RepoName,
        number: PullNumber,
    ) -> ForgeFuture<'a, Option<PullFacts>> {
        Box::pin(async move { self.read(|model| Ok(model.repo(repo)?.pull(number))) })
    }

    fn set_status<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        status: &'a StatusWrite,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(async move {
            self.write(|model| {
                model.repo_mut(repo)?.set_status(sha, status);
                Ok(())
            })
        })
    }

    fn statuses<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<StatusWrite>> {
        Box::pin(async move { self.read(|model| Ok(model.repo(repo)?.latest_statuses(sha))) })
    }

    fn comments<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
    ) -> ForgeFuture<'a, Vec<Comment>> {
        let on = CommentedOn::Pull(pull);
        Box::pin(async move { self.read(|model| model.repo(repo)?.comments(&on)) })
    }

    fn recent_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        since: Timestamp,
    ) -> ForgeFuture<'a, Vec<PullComment>> {
        Box::pin(async move {
            let mut found = self.read(|model| Ok(model.repo(repo)?.touched_comments(since)))?;
            found.retain(|found| found.comment.created_at >= since);
            Ok(found)
        })
    }

    fn create_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        let on = CommentedOn::Pull(pull);
        Box::pin(async move { self.write(|model| model.add_comment(repo, on, our_login(), body)) })
    }

    fn edit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        body: &'a str,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(async move { self.write(|model| model.edit(repo, comment, body)) })
    }

    fn commit_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<Comment>> {
        let on = CommentedOn::Commit(sha.clone());
        Box::pin(async move { self.read(|model| model.repo(repo)?.comments(&on)) })
    }

    fn commit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        let on = CommentedOn::Commit(sha.clone());
        Box::pin(async move { self.write(|model| model.add_comment(repo, on, our_login(), body)) })
    }

    fn can_write<'a>(&'a self, repo: &'a RepoName, login: &'a Login) -> ForgeFuture<'a, bool> {
        Box::pin(async { self.read(|model| Ok(model.repo(repo)?.can_write(login))) })
    }

    fn react<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        reaction: Reaction,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(async move { self.write(|model| model.repo_mut(repo)?.react(comment, reaction)) })
    }

    fn budget(&self) -> Budget {
        Budget::default()
    }
}
