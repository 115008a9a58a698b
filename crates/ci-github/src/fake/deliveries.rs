//! The webhooks that GitHub would send, written from what the fake knows.

use ci_domain::forge::{CheckId, CommentId, PullFacts, PullState, Review, ReviewState};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use serde_json::{Value, json};

use super::FakeGitHub;
use super::model::{Model, Repo};
use crate::moment::TimestampParser;
use crate::webhook::{Headers, sign};
use ci_domain::secret::Secret;

/// One webhook as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDelivery {
    /// `X-GitHub-Event`.
    pub event: String,
    /// `X-GitHub-Delivery`.
    pub id: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `X-Hub-Signature-256`.
    pub signature: String,
    /// The body, exactly as signed.
    pub body: Vec<u8>,
}

impl SignedDelivery {
    /// The headers that matter for reading it.
    #[must_use]
    pub fn headers(&self) -> Headers<'_> {
        Headers {
            event: Some(&self.event),
            delivery: Some(&self.id),
            content_type: Some(&self.content_type),
        }
    }
}

pub(super) fn pull_event(model: &mut Model, name: &RepoName, number: PullNumber, action: &str) {
    let repo = model.repo(name).expect("the fake has the repository");
    let pull = repo.pull(number).expect("the pull request was opened");
    let body = json!({
        "action": action,
        "number": number.0,
        "pull_request": pull_json(&pull, name),
        "repository": repo_json(repo, name),
    });
    send(model, "pull_request", &body);
}

pub(super) fn review_event(
    model: &mut Model,
    name: &RepoName,
    number: PullNumber,
    review: &Review,
    action: &str,
) {
    let repo = model.repo(name).expect("the fake has the repository");
    let pull = repo.pull(number).expect("the pull request was opened");
    let body = json!({
        "action": action,
        "review": {
            "id": review.id.0,
            "user": { "login": review.author.as_str() },
            "state": review_word(review.state).to_lowercase(),
            "commit_id": review.commit.as_ref().map(CommitSha::as_str),
            "submitted_at": TimestampParser::format(review.submitted_at),
        },
        "pull_request": pull_json(&pull, name),
        "repository": repo_json(repo, name),
    });
    send(model, "pull_request_review", &body);
}

pub(super) fn comment_event(
    model: &mut Model,
    name: &RepoName,
    number: PullNumber,
    (id, action): (CommentId, &str),
) {
    let repo = model.repo(name).expect("the fake has the repository");
    let comment = repo.comments.iter().find(|comment| comment.id == id);
    let comment = comment.expect("the comment was just made");
    let body = json!({
        "action": action,
        "issue": { "number": number.0, "pull_request": { "url": format!("/pulls/{number}") } },
        "comment": {
            "id": id.0,
            "user": { "login": comment.author.as_str() },
            "body": comment.body,
            "created_at": TimestampParser::format(comment.created_at),
        },
        "repository": repo_json(repo, name),
    });
    send(model, "issue_comment", &body);
}

pub(super) fn push_event(
    model: &mut Model,
    name: &RepoName,
    branch: &BranchName,
    (former, sha): (Option<&CommitSha>, Option<&CommitSha>),
) {
    let repo = model.repo(name).expect("the fake has the repository");
    let zeros = "0".repeat(40);
    let body = json!({
        "ref": format!("refs/heads/{branch}"),
        "before": former.map_or(zeros.as_str(), CommitSha::as_str),
        "after": sha.map_or(zeros.as_str(), CommitSha::as_str),
        "deleted": sha.is_none(),
        "repository": repo_json(repo, name),
    });
    send(model, "push", &body);
}

/// What somebody did to a check run: how that is called, by which button of ours, and who it was.
pub(super) fn check_event(
    model: &mut Model,
    name: &RepoName,
    id: CheckId,
    (action, button, by): (&str, Option<&str>, &Login),
) {
    let repo = model.repo(name).expect("the fake has the repository");
    let check = repo.checks.iter().find(|check| check.id == id);
    let check = check.expect("the check run was made");
    let mut body = json!({
        "action": action,
        "check_run": {
            "id": id.0,
            "name": check.shows.name,
            "head_sha": check.sha.as_str(),
            "external_id": check.shows.reference,
        },
        "repository": repo_json(repo, name),
        "sender": { "login": by.as_str() },
    });
    if let Some(button) = button {
        body["requested_action"] = json!({ "identifier": button });
    }
    send(model, "check_run", &body);
}

/// GitHub's word for the state of a review, as GraphQL spells it.
pub(super) fn review_word(state: ReviewState) -> &'static str {
    match state {
        ReviewState::Approved => "APPROVED",
        ReviewState::ChangesRequested => "CHANGES_REQUESTED",
        ReviewState::Dismissed => "DISMISSED",
        ReviewState::Commented => "COMMENTED",
        ReviewState::Unknown => "A_WORD_OF_TOMORROW",
    }
}

fn pull_json(pull: &PullFacts, repo: &RepoName) -> Value {
    let head_repo = pull.head.repo.as_ref().map(|name| json!({ "full_name": name.as_str() }));
    json!({
        "number": pull.number.0,
        "state": if pull.state == PullState::Open { "open" } else { "closed" },
        "merged": pull.state == PullState::Merged,
        "draft": pull.draft,
        "title": pull.title,
        "user": { "login": pull.author.as_str() },
        "head": { "ref": pull.head.branch.as_str(), "sha": pull.head.sha.as_str(), "repo": head_repo },
        "base": {
            "ref": pull.base.as_str(),
            "sha": pull.base_sha.as_ref().map(CommitSha::as_str),
            "repo": { "full_name": repo.as_str() },
        },
        "created_at": TimestampParser::format(pull.created_at),
        "updated_at": TimestampParser::format(pull.updated_at),
    })
}

fn repo_json(repo: &Repo, name: &RepoName) -> Value {
    json!({ "full_name": name.as_str(), "default_branch": repo.default_branch.as_str() })
}

fn send(model: &mut Model, event: &str, body: &Value) {
    let id = format!("00000000-0000-0000-0000-{:012x}", model.next_id());
    let body = body.to_string().into_bytes();
    model.outbox.push(SignedDelivery {
        event: event.to_owned(),
        id,
        content_type: "application/json".to_owned(),
        signature: sign(&Secret::new(FakeGitHub::WEBHOOK_SECRET), &body),
        body,
    });
}
