//! What the forge said, as stored.

use ci_domain::forge::{
    Head, Kinship, PullFacts, PullState, Review, ReviewId, ReviewState, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use serde::{Deserialize, Serialize};

use super::RecordError;

/// [`PullFacts`] as stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct Facts {
    number: u64,
    title: String,
    author: String,
    head: StoredHead,
    /// Not there in records of before it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<bool>,
    base: String,
    base_sha: Option<String>,
    draft: bool,
    state: StoredState,
    reviews: Vec<StoredReview>,
    created_at: u64,
    updated_at: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredHead {
    sha: String,
    branch: String,
    repo: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredState {
    Open,
    Closed,
    Merged,
}

#[derive(Serialize, Deserialize)]
struct StoredReview {
    id: u64,
    author: String,
    state: StoredReviewState,
    commit: Option<String>,
    submitted_at: u64,
    writer: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredReviewState {
    Approved,
    ChangesRequested,
    Dismissed,
    Commented,
    Unknown,
}

impl From<&PullFacts> for Facts {
    fn from(facts: &PullFacts) -> Self {
        Self {
            number: facts.number.0,
            title: facts.title.clone(),
            author: facts.author.to_string(),
            head: StoredHead {
                sha: facts.head.sha.to_string(),
                branch: facts.head.branch.to_string(),
                repo: facts.head.repo.as_ref().map(ToString::to_string),
            },
            own: match facts.kinship {
                Kinship::Same => Some(true),
                Kinship::Other => Some(false),
                Kinship::ByName => None,
            },
            base: facts.base.to_string(),
            base_sha: facts.base_sha.as_ref().map(ToString::to_string),
            draft: facts.draft,
            state: match facts.state {
                PullState::Open => StoredState::Open,
                PullState::Closed => StoredState::Closed,
                PullState::Merged => StoredState::Merged,
            },
            reviews: facts.reviews.iter().map(StoredReview::from).collect(),
            created_at: facts.created_at.0,
            updated_at: facts.updated_at.0,
        }
    }
}

impl TryFrom<Facts> for PullFacts {
    type Error = RecordError;

    fn try_from(stored: Facts) -> Result<Self, RecordError> {
        Ok(Self {
            number: PullNumber(stored.number),
            title: stored.title,
            author: Login::new(stored.author)?,
            head: Head {
                sha: CommitSha::new(stored.head.sha)?,
                branch: BranchName::new(stored.head.branch)?,
                repo: stored.head.repo.map(RepoName::new).transpose()?,
            },
            kinship: match stored.own {
                Some(true) => Kinship::Same,
                Some(false) => Kinship::Other,
                None => Kinship::ByName,
            },
            base: BranchName::new(stored.base)?,
            base_sha: stored.base_sha.map(CommitSha::new).transpose()?,
            draft: stored.draft,
            state: match stored.state {
                StoredState::Open => PullState::Open,
                StoredState::Closed => PullState::Closed,
                StoredState::Merged => PullState::Merged,
            },
            reviews: stored.reviews.into_iter().map(Review::try_from).collect::<Result<_, _>>()?,
            created_at: Timestamp(stored.created_at),
            updated_at: Timestamp(stored.updated_at),
        })
    }
}

impl From<&Review> for StoredReview {
    fn from(review: &Review) -> Self {
        Self {
            id: review.id.0,
            author: review.author.to_string(),
            state: match review.state {
                ReviewState::Approved => StoredReviewState::Approved,
                ReviewState::ChangesRequested => StoredReviewState::ChangesRequested,
                ReviewState::Dismissed => StoredReviewState::Dismissed,
                ReviewState::Commented => StoredReviewState::Commented,
                ReviewState::Unknown => StoredReviewState::Unknown,
            },
            commit: review.commit.as_ref().map(ToString::to_string),
            submitted_at: review.submitted_at.0,
            writer: review.writer,
        }
    }
}

impl TryFrom<StoredReview> for Review {
    type Error = RecordError;

    fn try_from(stored: StoredReview) -> Result<Self, RecordError> {
        Ok(Self {
            id: ReviewId(stored.id),
            author: Login::new(stored.author)?,
            state: match stored.state {
                StoredReviewState::Approved => ReviewState::Approved,
                StoredReviewState::ChangesRequested => ReviewState::ChangesRequested,
                StoredReviewState::Dismissed => ReviewState::Dismissed,
                StoredReviewState::Commented => ReviewState::Commented,
                StoredReviewState::Unknown => ReviewState::Unknown,
            },
            commit: stored.commit.map(CommitSha::new).transpose()?,
            submitted_at: Timestamp(stored.submitted_at),
            writer: stored.writer,
        })
    }
}
