//! What GitHub answers, field by field, and how it becomes what the node knows.

use std::fmt;

use ci_domain::forge::{
    BranchTip, Comment, CommentId, Head, Kinship, PullFacts, PullState, Review, ReviewId,
    ReviewState, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use serde::Deserialize;
use serde_json::Value;

use crate::forge::ForgeError;
use crate::moment::TimestampParser;

/// The account that GitHub shows where the real one was deleted.
const GHOST: &str = "ghost";

/// A page of anything in GraphQL. Entries are read one by one, so that a bad one harms no other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) page_info: PageInfo,
    pub(super) nodes: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PullNode {
    number: u64,
    title: String,
    author: Option<Actor>,
    head_ref_oid: String,
    head_ref_name: String,
    head_repository: Option<Repository>,
    base_repository: Option<Numbered>,
    base_ref_name: String,
    base_ref: Option<RefNode>,
    is_draft: bool,
    state: PullStateWord,
    created_at: String,
    updated_at: String,
    pub(super) reviews: ReviewPage,
}

/// Reviews are read from the newest page backwards.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReviewPage {
    pub(super) page_info: BackwardPageInfo,
    pub(super) nodes: Vec<ReviewNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BackwardPageInfo {
    pub(super) has_previous_page: bool,
    pub(super) start_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReviewNode {
    /// A number too large for GraphQL, hence a string.
    full_database_id: Option<String>,
    author: Option<Actor>,
    author_can_push_to_repository: bool,
    state: ReviewStateWord,
    commit: Option<Object>,
    submitted_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BranchNode {
    name: String,
    target: Object,
}

/// A comment as REST shows it.
#[derive(Deserialize)]
pub(super) struct CommentNode {
    id: u64,
    user: Option<Actor>,
    body: Option<String>,
    created_at: String,
    updated_at: Option<String>,
    /// Ends with the number of the issue or pull request; comments on commits have none.
    issue_url: Option<String>,
}

#[derive(Deserialize)]
struct Actor {
    login: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    database_id: Option<u64>,
    name_with_owner: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Numbered {
    database_id: Option<u64>,
}

#[derive(Deserialize)]
struct RefNode {
    target: Option<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PullStateWord {
    Open,
    Closed,
    Merged,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ReviewStateWord {
    Approved,
    ChangesRequested,
    Dismissed,
    Commented,
    #[serde(other)]
    Unknown,
}

impl PullNode {
    /// The facts with the reviews of the newest page only.
    pub(super) fn into_facts(self) -> Result<PullFacts, ForgeError> {
        let kinship = self.kinship();
        let head_repo = self.head_repository.map(|repo| RepoName::new(repo.name_with_owner));
        let base_tip = self.base_ref.and_then(|found| found.target);
        Ok(PullFacts {
            number: PullNumber(self.number),
            title: self.title,
            author: login(self.author)?,
            head: Head {
                sha: commit(self.head_ref_oid)?,
                branch: BranchName::new(self.head_ref_name).map_err(malformed)?,
                repo: head_repo.transpose().map_err(malformed)?,
            },
            kinship,
            base: BranchName::new(self.base_ref_name).map_err(malformed)?,
            base_sha: base_tip.map(|target| commit(target.oid)).transpose()?,
            draft: self.is_draft,
            state: match self.state {
                PullStateWord::Open => PullState::Open,
                PullStateWord::Closed => PullState::Closed,
                PullStateWord::Merged => PullState::Merged,
            },
            reviews: self.reviews.into_reviews()?,
            created_at: moment(&self.created_at)?,
            updated_at: moment(&self.updated_at)?,
        })
    }
}

impl PullNode {
    /// Compares the numbers. A head whose repository is gone or hidden has none; a base always has one,
    /// unless this is no GitHub.
    fn kinship(&self) -> Kinship {
        let base = self.base_repository.as_ref().and_then(|repo| repo.database_id);
        let head = self.head_repository.as_ref().and_then(|repo| repo.database_id);
        match base {
            Some(_) if base == head => Kinship::Same,
            Some(_) => Kinship::Other,
            None => Kinship::ByName,
        }
    }
}

impl ReviewPage {
    /// Where the page before this one ends, if there is one.
    pub(super) fn previous(&self) -> Option<String> {
        self.page_info.start_cursor.clone().filter(|_| self.page_info.has_previous_page)
    }

    pub(super) fn into_reviews(self) -> Result<Vec<Review>, ForgeError> {
        self.nodes.into_iter().map(ReviewNode::into_review).collect()
    }
}

impl ReviewNode {
    fn into_review(self) -> Result<Review, ForgeError> {
        let id = self.full_database_id.ok_or_else(|| malformed("a review without an id"))?;
        let submitted_at = self
            .submitted_at
            .ok_or_else(|| malformed("a decisive review that is not submitted"))?;
        Ok(Review {
            id: ReviewId(id.parse().map_err(malformed)?),
            author: login(self.author)?,
            state: match self.state {
                ReviewStateWord::Approved => ReviewState::Approved,
                ReviewStateWord::ChangesRequested => ReviewState::ChangesRequested,
                ReviewStateWord::Dismissed => ReviewState::Dismissed,
                ReviewStateWord::Commented => ReviewState::Commented,
                ReviewStateWord::Unknown => ReviewState::Unknown,
            },
            commit: self.commit.map(|object| commit(object.oid)).transpose()?,
            submitted_at: moment(&submitted_at)?,
            writer: self.author_can_push_to_repository,
        })
    }
}

impl BranchNode {
    pub(super) fn into_tip(self) -> Result<BranchTip, ForgeError> {
        let name = BranchName::new(self.name).map_err(malformed)?;
        Ok(BranchTip { name, sha: commit(self.target.oid)? })
    }
}

impl CommentNode {
    /// The pull request the comment is on. Issues count from the same numbers and look alike here.
    pub(super) fn pull(&self) -> Option<PullNumber> {
        let (_, number) = self.issue_url.as_deref()?.rsplit_once('/')?;
        number.parse().ok().map(PullNumber)
    }

    /// Whether it has been changed since it was written.
    pub(super) fn is_edited(&self) -> bool {
        self.updated_at.as_ref().is_some_and(|updated| *updated != self.created_at)
    }

    pub(super) fn into_comment(self) -> Result<Comment, ForgeError> {
        Ok(Comment {
            id: CommentId(self.id),
            author: login(self.user)?,
            body: self.body.unwrap_or_default(),
            created_at: moment(&self.created_at)?,
        })
    }
}

pub(super) fn malformed(reason: impl fmt::Display) -> ForgeError {
    ForgeError::Malformed { reason: reason.to_string() }
}

fn login(actor: Option<Actor>) -> Result<Login, ForgeError> {
    let name = actor.map_or_else(|| GHOST.to_owned(), |actor| actor.login);
    Login::new(name).map_err(malformed)
}

fn commit(oid: String) -> Result<CommitSha, ForgeError> {
    CommitSha::new(oid).map_err(malformed)
}

fn moment(text: &str) -> Result<Timestamp, ForgeError> {
    TimestampParser::parse(text).map_err(malformed)
}
