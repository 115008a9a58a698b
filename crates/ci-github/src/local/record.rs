//! What the book says, as it is stored, and how it becomes what the node knows.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use ci_domain::forge::{
    Comment, CommentId, Head, Kinship, PullFacts, PullState, Reaction, Review, ReviewId,
    ReviewState, StatusWrite, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, InvalidId, Login, PullNumber, RepoName};
use serde::{Deserialize, Serialize};

use super::NewLocalPull;
use super::refs::{PullTip, Refs};
use super::status::StatusRecord;
use crate::forge::ForgeError;

/// All that git does not know.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Book {
    last_id: u64,
    pub(super) writers: BTreeSet<String>,
    pub(super) pulls: BTreeMap<u64, PullRecord>,
    pub(super) comments: Vec<CommentRecord>,
    statuses: BTreeMap<String, Vec<StatusRecord>>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct PullRecord {
    title: String,
    author: String,
    base: String,
    head_branch: String,
    /// Absent where the head is in this repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    fork: Option<String>,
    draft: bool,
    pub(super) state: PullStateWord,
    pub(super) reviews: Vec<ReviewRecord>,
    created_at: u64,
    pub(super) updated_at: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct ReviewRecord {
    pub(super) id: u64,
    pub(super) author: String,
    pub(super) state: ReviewStateWord,
    pub(super) commit: Option<String>,
    pub(super) submitted_at: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct CommentRecord {
    pub(super) id: u64,
    pub(super) subject: Subject,
    pub(super) author: String,
    pub(super) body: String,
    pub(super) created_at: u64,
    #[serde(default)]
    pub(super) reactions: Vec<String>,
}

/// What a comment is on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Subject {
    Pull(u64),
    Commit(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PullStateWord {
    Open,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReviewStateWord {
    Approved,
    ChangesRequested,
}

impl Book {
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The number after all that were ever used.
    pub(super) fn next_pull(&self, refs: &Refs) -> PullNumber {
        let recorded = self.pulls.keys().next_back().copied().unwrap_or(0);
        let pushed = refs.pulls.keys().next_back().map_or(0, |number| number.0);
        PullNumber(recorded.max(pushed) + 1)
    }

    /// Every number in use, recorded or only pushed.
    pub(super) fn numbers(&self, refs: &Refs) -> BTreeSet<PullNumber> {
        let recorded = self.pulls.keys().map(|number| PullNumber(*number));
        recorded.chain(refs.pulls.keys().copied()).collect()
    }

    /// Fails where there never was such a pull request.
    pub(super) fn must_have(&self, number: PullNumber, refs: &Refs) -> Result<(), ForgeError> {
        let known = self.pulls.contains_key(&number.0) || refs.pulls.contains_key(&number);
        if known { Ok(()) } else { Err(no_pull(number)) }
    }

    /// The record of a pull request; one that was only pushed gets it now.
    pub(super) fn pull_mut(
        &mut self,
        number: PullNumber,
        refs: &Refs,
    ) -> Result<&mut PullRecord, ForgeError> {
        match self.pulls.entry(number.0) {
            Entry::Occupied(found) => Ok(found.into_mut()),
            Entry::Vacant(missing) => Ok(missing.insert(PullRecord::pushed(number, refs)?)),
        }
    }

    /// All there is to know about a pull request; `None` where there never was one.
    pub(super) fn facts(
        &self,
        number: PullNumber,
        refs: &Refs,
        repo: &RepoName,
    ) -> Result<Option<PullFacts>, ForgeError> {
        let recorded = self.pulls.get(&number.0).cloned();
        let Some(tip) = refs.pulls.get(&number) else {
            return match recorded {
                None => Ok(None),
                Some(_) => Err(malformed(format!("refs/pull/{number}/head is missing"))),
            };
        };
        let record = recorded.map_or_else(|| PullRecord::pushed(number, refs), Ok)?;
        let mut facts = record.facts(number, tip, repo).map_err(malformed)?;
        facts.base_sha = refs.tip(&facts.base).cloned();
        for review in &mut facts.reviews {
            review.writer = self.writers.contains(review.author.as_str());
        }
        Ok(Some(facts))
    }

    pub(super) fn comments_on(&self, subject: &Subject) -> Result<Vec<Comment>, ForgeError> {
        let found = self.comments.iter().filter(|comment| comment.subject == *subject);
        found.map(CommentRecord::comment).collect()
    }

    pub(super) fn comment_mut(&mut self, id: CommentId) -> Result<&mut CommentRecord, ForgeError> {
        let on_pull = |comment: &&mut CommentRecord| matches!(comment.subject, Subject::Pull(_));
        let mut found = self.comments.iter_mut().filter(on_pull);
        found
            .find(|comment| comment.id == id.0)
            .ok_or_else(|| ForgeError::NotFound { what: format!("comment {}", id.0) })
    }

    pub(super) fn set_status(&mut self, sha: &CommitSha, status: &StatusWrite) {
        let record = StatusRecord::from(status);
        let statuses = self.statuses.entry(sha.to_string()).or_default();
        match statuses.iter_mut().find(|found| found.context == record.context) {
            Some(found) => *found = record,
            None => statuses.push(record),
        }
    }

    pub(super) fn statuses_of(&self, sha: &CommitSha) -> Vec<StatusWrite> {
        let found = self.statuses.get(sha.as_str());
        found.into_iter().flatten().map(StatusWrite::from).collect()
    }
}

impl PullRecord {
    pub(super) fn new(new: NewLocalPull, now: Timestamp) -> Self {
        Self {
            title: new.title,
            author: new.author.to_string(),
            base: new.base.to_string(),
            head_branch: new.head_branch.to_string(),
            fork: new.fork.map(|repo| repo.to_string()),
            draft: new.draft,
            state: PullStateWord::Open,
            reviews: Vec::new(),
            created_at: now.0,
            updated_at: now.0,
        }
    }

    /// The pull request that someone opened by pushing `refs/pull/N/head`.
    fn pushed(number: PullNumber, refs: &Refs) -> Result<Self, ForgeError> {
        let tip = refs.pulls.get(&number).ok_or_else(|| no_pull(number))?;
        let base = refs.default_branch.as_ref();
        let base = base.ok_or_else(|| malformed("there is no default branch to merge into"))?;
        Ok(Self {
            title: format!("Pull request {number}"),
            author: "local".to_owned(),
            base: base.to_string(),
            head_branch: format!("pull-{number}"),
            fork: None,
            draft: false,
            state: PullStateWord::Open,
            reviews: Vec::new(),
            created_at: tip.committed_at.0,
            updated_at: tip.committed_at.0,
        })
    }

    fn facts(
        self,
        number: PullNumber,
        tip: &PullTip,
        repo: &RepoName,
    ) -> Result<PullFacts, InvalidId> {
        let head_repo = self.fork.map_or_else(|| Ok(repo.clone()), RepoName::new)?;
        let reviews = self.reviews.into_iter().map(ReviewRecord::review);
        Ok(PullFacts {
            number,
            title: self.title,
            author: Login::new(self.author)?,
            head: Head {
                sha: tip.sha.clone(),
                branch: BranchName::new(self.head_branch)?,
                repo: Some(head_repo),
            },
            kinship: Kinship::ByName,
            base: BranchName::new(self.base)?,
            base_sha: None,
            draft: self.draft,
            state: match self.state {
                PullStateWord::Open => PullState::Open,
                PullStateWord::Closed => PullState::Closed,
            },
            reviews: reviews.collect::<Result<_, _>>()?,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at).max(tip.committed_at),
        })
    }
}

impl ReviewRecord {
    fn review(self) -> Result<Review, InvalidId> {
        Ok(Review {
            id: ReviewId(self.id),
            author: Login::new(self.author)?,
            state: match self.state {
                ReviewStateWord::Approved => ReviewState::Approved,
                ReviewStateWord::ChangesRequested => ReviewState::ChangesRequested,
            },
            commit: self.commit.map(CommitSha::new).transpose()?,
            submitted_at: Timestamp(self.submitted_at),
            writer: false,
        })
    }
}

impl CommentRecord {
    pub(super) fn comment(&self) -> Result<Comment, ForgeError> {
        Ok(Comment {
            id: CommentId(self.id),
            author: Login::new(self.author.as_str()).map_err(malformed)?,
            body: self.body.clone(),
            created_at: Timestamp(self.created_at),
        })
    }

    pub(super) fn react(&mut self, reaction: Reaction) {
        let name = match reaction {
            Reaction::ThumbsUp => "thumbs_up",
            Reaction::ThumbsDown => "thumbs_down",
            Reaction::Eyes => "eyes",
            Reaction::Confused => "confused",
            Reaction::Rocket => "rocket",
        };
        if !self.reactions.iter().any(|found| found == name) {
            self.reactions.push(name.to_owned());
        }
    }
}

fn no_pull(number: PullNumber) -> ForgeError {
    ForgeError::NotFound { what: format!("pull request {number}") }
}

fn malformed(reason: impl ToString) -> ForgeError {
    ForgeError::Malformed { reason: reason.to_string() }
}
