//! The fake as a forge, without HTTP in between.

use ci_domain::code_owners::Owner;
use ci_domain::forge::{
    CheckId, CheckWrite, Comment, CommentId, PullComment, PullFacts, Reaction, RepoSnapshot,
    StandingCheck, StatusWrite, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_domain::secret::Secret;

use super::FakeGitHub;
use super::model::{CommentedOn, FakeComment};
use super::standing::number_of;
use crate::forge::{Budget, Forge, ForgeError, ForgeFuture};
use crate::standing::Standing;

impl Forge for FakeGitHub {
    fn identity(&self) -> ForgeFuture<'_, Login> {
        Box::pin(async { self.read(|model| Ok(model.ourselves())) })
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

    fn branch_tip<'a>(
        &'a self,
        repo: &'a RepoName,
        branch: &'a BranchName,
    ) -> ForgeFuture<'a, Option<CommitSha>> {
        Box::pin(
            async move { self.read(|model| Ok(model.repo(repo)?.branches.get(branch).cloned())) },
        )
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
        Box::pin(async move { self.comments_on(repo, &on) })
    }

    fn recent_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        since: Timestamp,
    ) -> ForgeFuture<'a, Vec<PullComment>> {
        Box::pin(async move {
            let on_pull = |found: &FakeComment| match found.on {
                CommentedOn::Pull(pull) => Some(PullComment { pull, comment: found.plain() }),
                CommentedOn::Commit(_) => None,
            };
            self.read(|model| {
                let touched = model.repo(repo)?.touched_comments(since).into_iter();
                let recent =
                    touched.filter(|found| found.created_at >= since && !found.is_edited());
                Ok(recent.filter_map(on_pull).collect())
            })
        })
    }

    fn create_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        pull: PullNumber,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        let on = CommentedOn::Pull(pull);
        Box::pin(async move {
            self.write(|model| {
                let author = model.ourselves();
                Ok(model.add_comment(repo, on, author, body)?.id)
            })
        })
    }

    fn edit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        body: &'a str,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(async move { self.write(|model| model.edit(repo, comment, body).map(drop)) })
    }

    fn commit_comments<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<Comment>> {
        let on = CommentedOn::Commit(sha.clone());
        Box::pin(async move { self.comments_on(repo, &on) })
    }

    fn commit_comment<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        let on = CommentedOn::Commit(sha.clone());
        Box::pin(async move {
            self.write(|model| {
                let author = model.ourselves();
                Ok(model.add_comment(repo, on, author, body)?.id)
            })
        })
    }

    fn can_write<'a>(&'a self, repo: &'a RepoName, login: &'a Login) -> ForgeFuture<'a, bool> {
        Box::pin(async { self.read(|model| Ok(model.repo(repo)?.can_write(login))) })
    }

    fn standing<'a>(
        &'a self,
        repo: &'a RepoName,
        login: &'a Login,
        id: u64,
    ) -> ForgeFuture<'a, Standing> {
        Box::pin(async move {
            let found = self.read(|model| Ok(model.repo(repo)?.standing(login)))?;
            Ok(if number_of(login) == id { found } else { Standing::None })
        })
    }

    fn belongs<'a>(
        &'a self,
        _: &'a RepoName,
        login: &'a Login,
        owner: &'a Owner,
    ) -> ForgeFuture<'a, bool> {
        Box::pin(async move { self.read(|model| Ok(model.belongs(login, owner))) })
    }

    fn git_token<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, Option<Secret>> {
        Box::pin(async {
            self.read(|model| model.repo(repo).map(|_| Some(Secret::new(Self::TOKEN))))
        })
    }

    fn react<'a>(
        &'a self,
        repo: &'a RepoName,
        comment: CommentId,
        reaction: Reaction,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(async move { self.write(|model| model.repo_mut(repo)?.react(comment, reaction)) })
    }

    fn redeliver<'a>(
        &'a self,
        _: &'a RepoName,
        _: &'a str,
        since: Timestamp,
    ) -> ForgeFuture<'a, usize> {
        Box::pin(async move {
            let is_needless = self.model().attempts.is_empty();
            if is_needless { Ok(0) } else { self.write(|model| Ok(model.redeliver_failed(since))) }
        })
    }

    fn takes_checks(&self, _: &RepoName) -> bool {
        self.model().app.as_ref().is_some_and(|app| app.may("checks", "write"))
    }

    fn standing_check<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        name: &'a str,
    ) -> ForgeFuture<'a, Option<StandingCheck>> {
        Box::pin(async move { self.read(|model| Ok(model.repo(repo)?.standing_check(sha, name))) })
    }

    fn create_check<'a>(
        &'a self,
        repo: &'a RepoName,
        sha: &'a CommitSha,
        check: &'a CheckWrite,
    ) -> ForgeFuture<'a, CheckId> {
        let check = check.clone();
        Box::pin(async move { self.write(|model| Ok(model.add_check(repo, sha, check)?.id)) })
    }

    fn update_check<'a>(
        &'a self,
        repo: &'a RepoName,
        id: CheckId,
        check: &'a CheckWrite,
    ) -> ForgeFuture<'a, ()> {
        let check = check.clone();
        Box::pin(async move { self.write(|model| model.change_check(repo, id, check).map(drop)) })
    }

    fn budget(&self) -> Budget {
        Budget::default()
    }
}

impl FakeGitHub {
    fn comments_on(&self, repo: &RepoName, on: &CommentedOn) -> Result<Vec<Comment>, ForgeError> {
        self.read(|model| {
            let found = model.repo(repo)?.comments(on)?;
            Ok(found.into_iter().map(FakeComment::plain).collect())
        })
    }
}
