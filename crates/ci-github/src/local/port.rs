//! The local repository as a forge. It serves any repository name: there is only this one.

use ci_domain::code_owners::Owner;
use ci_domain::forge::{
    Comment, CommentId, PullComment, PullFacts, PullState, Reaction, RepoSnapshot, Skipped,
    StatusWrite, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_domain::secret::Secret;

use super::LocalForge;
use super::record::{Book, Subject};
use super::refs::Refs;
use crate::forge::{Budget, Forge, ForgeError, ForgeFuture};

impl Forge for LocalForge {
    fn identity(&self) -> ForgeFuture<'_, Login> {
        Box::pin(async { Ok(our_login()) })
    }

    fn snapshot<'a>(&'a self, repo: &'a RepoName) -> ForgeFuture<'a, RepoSnapshot> {
        Box::pin(async {
            let (refs, repo) = (self.refs().await?, repo.clone());
            self.book.read(move |book| Ok(snapshot(book, &refs, &repo))).await
        })
    }

    fn pull<'a>(
        &'a self,
        repo: &'a RepoName,
        number: PullNumber,
    ) -> ForgeFuture<'a, Option<PullFacts>> {
        Box::pin(async move {
            let (refs, repo) = (self.refs().await?, repo.clone());
            self.book.read(move |book| book.facts(number, &refs, &repo)).await
        })
    }

    fn branch_tip<'a>(
        &'a self,
        _: &'a RepoName,
        branch: &'a BranchName,
    ) -> ForgeFuture<'a, Option<CommitSha>> {
        Box::pin(async { Ok(self.refs().await?.tip(branch).cloned()) })
    }

    fn set_status<'a>(
        &'a self,
        _: &'a RepoName,
        sha: &'a CommitSha,
        status: &'a StatusWrite,
    ) -> ForgeFuture<'a, ()> {
        let (sha, status) = (sha.clone(), status.clone());
        Box::pin(self.book.change(move |book| {
            book.set_status(&sha, &status);
            Ok(())
        }))
    }

    fn statuses<'a>(
        &'a self,
        _: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<StatusWrite>> {
        let sha = sha.clone();
        Box::pin(self.book.read(move |book| Ok(book.statuses_of(&sha))))
    }

    fn comments<'a>(&'a self, _: &'a RepoName, pull: PullNumber) -> ForgeFuture<'a, Vec<Comment>> {
        Box::pin(async move {
            let refs = self.refs().await?;
            self.book
                .read(move |book| {
                    book.must_have(pull, &refs)?;
                    book.comments_on(&Subject::Pull(pull.0))
                })
                .await
        })
    }

    fn recent_comments<'a>(
        &'a self,
        _: &'a RepoName,
        since: Timestamp,
    ) -> ForgeFuture<'a, Vec<PullComment>> {
        Box::pin(self.book.read(move |book| recent_comments(book, since)))
    }

    fn create_comment<'a>(
        &'a self,
        _: &'a RepoName,
        pull: PullNumber,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        Box::pin(self.add_comment(Subject::Pull(pull.0), our_login(), body))
    }

    fn edit_comment<'a>(
        &'a self,
        _: &'a RepoName,
        comment: CommentId,
        body: &'a str,
    ) -> ForgeFuture<'a, ()> {
        let body = body.to_owned();
        Box::pin(self.book.change(move |book| {
            book.comment_mut(comment)?.body = body;
            Ok(())
        }))
    }

    fn commit_comments<'a>(
        &'a self,
        _: &'a RepoName,
        sha: &'a CommitSha,
    ) -> ForgeFuture<'a, Vec<Comment>> {
        let subject = Subject::Commit(sha.to_string());
        Box::pin(self.book.read(move |book| book.comments_on(&subject)))
    }

    fn commit_comment<'a>(
        &'a self,
        _: &'a RepoName,
        sha: &'a CommitSha,
        body: &'a str,
    ) -> ForgeFuture<'a, CommentId> {
        Box::pin(self.add_comment(Subject::Commit(sha.to_string()), our_login(), body))
    }

    fn can_write<'a>(&'a self, _: &'a RepoName, login: &'a Login) -> ForgeFuture<'a, bool> {
        let login = login.to_string();
        Box::pin(self.book.read(move |book| Ok(book.writers.contains(&login))))
    }

    fn belongs<'a>(
        &'a self,
        _: &'a RepoName,
        login: &'a Login,
        owner: &'a Owner,
    ) -> ForgeFuture<'a, bool> {
        // There are neither teams nor addresses here.
        Box::pin(async move { Ok(owner.is(login) == Some(true)) })
    }

    fn git_token<'a>(&'a self, _: &'a RepoName) -> ForgeFuture<'a, Option<Secret>> {
        Box::pin(async { Ok(None) })
    }

    fn react<'a>(
        &'a self,
        _: &'a RepoName,
        comment: CommentId,
        reaction: Reaction,
    ) -> ForgeFuture<'a, ()> {
        Box::pin(self.book.change(move |book| {
            book.comment_mut(comment)?.react(reaction);
            Ok(())
        }))
    }

    fn redeliver<'a>(
        &'a self,
        _: &'a RepoName,
        _: &'a str,
        _: Timestamp,
    ) -> ForgeFuture<'a, usize> {
        Box::pin(async { Ok(0) })
    }

    fn budget(&self) -> Budget {
        Budget::default()
    }
}

fn snapshot(book: &Book, refs: &Refs, repo: &RepoName) -> RepoSnapshot {
    let mut snapshot = RepoSnapshot {
        pulls: Vec::new(),
        branches: refs.branches.clone(),
        default_branch: refs.default_branch.clone(),
        skipped: Vec::new(),
    };
    for number in book.numbers(refs) {
        match book.facts(number, refs, repo) {
            Ok(Some(facts)) if facts.state == PullState::Open => snapshot.pulls.push(facts),
            Ok(_) => {}
            Err(error) => {
                let what = format!("pull request {number}");
                snapshot.skipped.push(Skipped { what, why: error.to_string() });
            }
        }
    }
    snapshot
}

fn recent_comments(book: &Book, since: Timestamp) -> Result<Vec<PullComment>, ForgeError> {
    let mut found = Vec::new();
    for record in &book.comments {
        if let Subject::Pull(number) = record.subject
            && record.created_at >= since.0
        {
            found.push(PullComment { pull: PullNumber(number), comment: record.comment()? });
        }
    }
    Ok(found)
}

fn our_login() -> Login {
    Login::new(LocalForge::LOGIN).expect("the constant is a login")
}
