//! What people do on GitHub, as verbs; each also sends the webhooks that GitHub would.
//!
//! Every verb panics where a person could not do that, such as reviewing what was never opened.

use ci_domain::forge::{
    CommentId, Head, Kinship, PullFacts, PullState, Review, ReviewId, ReviewState, StatusWrite,
    Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};

use super::FakeGitHub;
use super::deliveries::{comment_event, pull_event, push_event, review_event};
use super::model::{CommentedOn, FakeComment, Model};

/// One repository of a [`FakeGitHub`].
#[derive(Clone, Debug)]
pub struct FakeRepo {
    github: FakeGitHub,
    name: RepoName,
}

/// A pull request to open.
#[derive(Clone, Debug)]
pub struct NewPull {
    /// Its title.
    pub title: String,
    /// Who opens it.
    pub author: Login,
    /// What is proposed.
    pub head: Head,
    /// Where it shall go.
    pub base: BranchName,
    /// Whether it is not ready.
    pub draft: bool,
}

impl FakeRepo {
    pub(super) fn new(github: FakeGitHub, name: RepoName) -> Self {
        Self { github, name }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &RepoName {
        &self.name
    }

    /// The GitHub that has it.
    #[must_use]
    pub fn github(&self) -> &FakeGitHub {
        &self.github
    }

    /// Moves or makes a branch, and with it the head of every open pull request from it.
    pub fn push(&self, branch: &BranchName, sha: &CommitSha) {
        let mut model = self.github.model();
        let (former, heads) = {
            let repo = model.repo_mut(&self.name).expect("the fake has the repository");
            let former = repo.branches.insert(branch.clone(), sha.clone());
            let ours = |pull: &&PullFacts| {
                pull.state == PullState::Open
                    && pull.head.branch == *branch
                    && !pull.from_fork(&self.name)
            };
            let heads = repo.pulls.values().filter(ours).map(|pull| pull.number);
            (former, heads.collect::<Vec<_>>())
        };
        push_event(&mut model, &self.name, branch, (former.as_ref(), Some(sha)));
        for number in heads {
            self.change(&mut model, number, "synchronize", |pull| pull.head.sha = sha.clone());
        }
    }

    /// Deletes a branch.
    pub fn delete_branch(&self, branch: &BranchName) {
        let mut model = self.github.model();
        let repo = model.repo_mut(&self.name).expect("the fake has the repository");
        let former = repo.branches.remove(branch);
        push_event(&mut model, &self.name, branch, (former.as_ref(), None));
    }

    /// Opens a pull request; a head in this repository makes its branch, too.
    #[must_use]
    pub fn open_pull(&self, new: NewPull) -> PullNumber {
        let mut model = self.github.model();
        let now = model.tick();
        let repo = model.repo_mut(&self.name).expect("the fake has the repository");
        let last = repo.pulls.keys().next_back().map_or(0, |number| number.0);
        let number = PullNumber(last + 1);
        let pull = PullFacts {
            number,
            title: new.title,
            author: new.author,
            head: new.head,
            kinship: Kinship::ByName,
            base: new.base,
            base_sha: None,
            draft: new.draft,
            state: PullState::Open,
            reviews: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        if !pull.from_fork(&self.name) {
            repo.branches.insert(pull.head.branch.clone(), pull.head.sha.clone());
        }
        repo.pulls.insert(number, pull);
        pull_event(&mut model, &self.name, number, "opened");
        number
    }

    /// Pushes to the head of a pull request, wherever it is.
    pub fn push_pull(&self, number: PullNumber, sha: &CommitSha) {
        let head = self.pull(number).head;
        if head.repo.as_ref() == Some(&self.name) {
            self.push(&head.branch, sha);
        } else {
            self.with(number, "synchronize", |pull| pull.head.sha = sha.clone());
        }
    }

    /// Changes the title.
    pub fn retitle(&self, number: PullNumber, title: &str) {
        self.with(number, "edited", |pull| title.clone_into(&mut pull.title));
    }

    /// Changes the base.
    pub fn retarget(&self, number: PullNumber, base: BranchName) {
        self.with(number, "edited", |pull| pull.base = base);
    }

    /// Marks as draft or as ready.
    pub fn set_draft(&self, number: PullNumber, draft: bool) {
        let action = if draft { "converted_to_draft" } else { "ready_for_review" };
        self.with(number, action, |pull| pull.draft = draft);
    }

    /// Closes without a merge.
    pub fn close(&self, number: PullNumber) {
        self.with(number, "closed", |pull| pull.state = PullState::Closed);
    }

    /// Opens again.
    pub fn reopen(&self, number: PullNumber) {
        self.with(number, "reopened", |pull| pull.state = PullState::Open);
    }

    /// Merges: the base moves to `merged`.
    pub fn merge(&self, number: PullNumber, merged: &CommitSha) {
        self.with(number, "closed", |pull| pull.state = PullState::Merged);
        self.push(&self.pull(number).base, merged);
    }

    /// Reviews the present head.
    pub fn review(&self, number: PullNumber, author: &Login, state: ReviewState) -> ReviewId {
        let mut model = self.github.model();
        let id = ReviewId(model.next_id());
        let submitted_at = model.tick();
        let repo = model.repo_mut(&self.name).expect("the fake has the repository");
        let pull = repo.pulls.get_mut(&number).expect("the pull request was opened");
        pull.updated_at = submitted_at;
        let review = Review {
            id,
            author: author.clone(),
            state,
            commit: Some(pull.head.sha.clone()),
            submitted_at,
            writer: false,
        };
        pull.reviews.push(review.clone());
        review_event(&mut model, &self.name, number, &review, "submitted");
        id
    }

    /// Takes a review back.
    pub fn dismiss(&self, number: PullNumber, id: ReviewId) {
        let mut model = self.github.model();
        let now = model.tick();
        let repo = model.repo_mut(&self.name).expect("the fake has the repository");
        let pull = repo.pulls.get_mut(&number).expect("the pull request was opened");
        pull.updated_at = now;
        let review = pull.reviews.iter_mut().find(|review| review.id == id);
        let review = review.expect("the review was given");
        review.state = ReviewState::Dismissed;
        let review = review.clone();
        review_event(&mut model, &self.name, number, &review, "dismissed");
    }

    /// Comments on a pull request.
    pub fn comment(&self, number: PullNumber, author: &Login, body: &str) -> CommentId {
        let mut model = self.github.model();
        let id = model
            .add_comment(&self.name, CommentedOn::Pull(number), author.clone(), body)
            .expect("the pull request was opened")
            .id;
        comment_event(&mut model, &self.name, number, (id, "created"));
        id
    }

    /// Edits a comment on a pull request, as its author or someone of ours may.
    pub fn edit_comment(&self, id: CommentId, body: &str) {
        let mut model = self.github.model();
        let edited = model.edit(&self.name, id, body).expect("the comment was made");
        let CommentedOn::Pull(number) = edited.on else { return };
        comment_event(&mut model, &self.name, number, (id, "edited"));
    }

    /// Gives write access.
    pub fn grant(&self, login: &Login) {
        let mut model = self.github.model();
        let repo = model.repo_mut(&self.name).expect("the fake has the repository");
        repo.writers.insert(login.clone());
    }

    /// Takes write access away.
    pub fn revoke(&self, login: &Login) {
        let mut model = self.github.model();
        let repo = model.repo_mut(&self.name).expect("the fake has the repository");
        repo.writers.remove(login);
    }

    /// The pull request as GitHub would show it.
    #[must_use]
    pub fn pull(&self, number: PullNumber) -> PullFacts {
        let model = self.github.model();
        let repo = model.repo(&self.name).expect("the fake has the repository");
        repo.pull(number).expect("the pull request was opened")
    }

    /// Every status ever written to a commit, oldest first.
    #[must_use]
    pub fn statuses(&self, sha: &CommitSha) -> Vec<StatusWrite> {
        let model = self.github.model();
        let repo = model.repo(&self.name).expect("the fake has the repository");
        let written = repo.statuses.iter().filter(|(on, _)| on == sha);
        written.map(|(_, status)| status.clone()).collect()
    }

    /// The comments on a pull request or commit, with their history, oldest first.
    #[must_use]
    pub fn comments(&self, on: &CommentedOn) -> Vec<FakeComment> {
        let model = self.github.model();
        let repo = model.repo(&self.name).expect("the fake has the repository");
        repo.comments.iter().filter(|comment| comment.on == *on).cloned().collect()
    }

    fn with(&self, number: PullNumber, action: &str, change: impl FnOnce(&mut PullFacts)) {
        self.change(&mut self.github.model(), number, action, change);
    }

    fn change(
        &self,
        model: &mut Model,
        number: PullNumber,
        action: &str,
        change: impl FnOnce(&mut PullFacts),
    ) {
        let now: Timestamp = model.tick();
        let repo = model.repo_mut(&self.name).expect("the fake has the repository");
        let pull = repo.pulls.get_mut(&number).expect("the pull request was opened");
        change(pull);
        pull.updated_at = now;
        pull_event(model, &self.name, number, action);
    }
}
