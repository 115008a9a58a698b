//! The GraphQL queries that the fake answers, known by their names.

use ci_domain::forge::{BranchTip, PullFacts, PullState, Review, Timestamp};
use ci_domain::ids::{CommitSha, PullNumber, RepoName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::FakeGitHub;
use super::deliveries::review_word;
use super::http::{FakeRequest, LIMIT, Reply};
use crate::forge::ForgeError;
use crate::moment::TimestampParser;

/// The number of the repository that is asked about.
const REPO_ID: u64 = 1_296_269;
/// The number of every other.
const FORK_ID: u64 = 1_296_270;

#[derive(Deserialize)]
struct Question {
    query: String,
    variables: Variables,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Variables {
    owner: String,
    name: String,
    number: u64,
    before: Option<String>,
    read_pulls: bool,
    pulls_after: Option<String>,
    read_branches: bool,
    branches_after: Option<String>,
    reference: String,
}

pub(super) fn answer(github: &FakeGitHub, request: &FakeRequest) -> Result<Reply, ForgeError> {
    let question: Question = serde_json::from_slice(&request.body)
        .map_err(|error| ForgeError::Rejected { status: 400, message: error.to_string() })?;
    let variables = question.variables;
    let name = question.query.trim_start().strip_prefix("query ").unwrap_or_default();
    let name: String = name.chars().take_while(char::is_ascii_alphanumeric).collect();
    let data = match name.as_str() {
        "Viewer" => {
            github.read(|model| Ok(json!({ "viewer": { "login": model.ourselves().as_str() } })))
        }
        "Snapshot" => snapshot(github, &variables),
        "Pull" | "Reviews" => pull(github, &variables),
        "Branch" => branch(github, &variables),
        _ => return Ok(complaint("an unknown query", "undefinedField", &[])),
    };
    match data {
        Ok(mut data) => {
            data["rateLimit"] = limit(github.model().clock);
            Ok(Reply::ok(200, json!({ "data": data })))
        }
        Err(ForgeError::NotFound { what }) if what.contains('/') => {
            Ok(complaint("Could not resolve to a Repository", "NOT_FOUND", &["repository"]))
        }
        Err(ForgeError::NotFound { .. }) => {
            let path = &["repository", "pullRequest"];
            Ok(complaint("Could not resolve to a PullRequest", "NOT_FOUND", path))
        }
        Err(error) => Err(error),
    }
}

fn snapshot(github: &FakeGitHub, variables: &Variables) -> Result<Value, ForgeError> {
    let repo = repo_name(variables)?;
    let (found, size) =
        github.read(|model| Ok((model.repo(&repo)?.snapshot(), model.page_size)))?;
    let default = found.default_branch.as_ref().map(|name| json!({ "name": name.as_str() }));
    let mut repository = json!({ "defaultBranchRef": default });
    if variables.read_pulls {
        let pulls = found.pulls.iter().map(|pull| pull_json(&repo, pull, size)).collect();
        repository["pullRequests"] = forward(pulls, variables.pulls_after.as_deref(), size);
    }
    if variables.read_branches {
        let branches = found.branches.iter().map(branch_json).collect();
        repository["refs"] = forward(branches, variables.branches_after.as_deref(), size);
    }
    Ok(json!({ "repository": repository }))
}

fn branch(github: &FakeGitHub, variables: &Variables) -> Result<Value, ForgeError> {
    let repo = repo_name(variables)?;
    let name = variables.reference.strip_prefix("refs/heads/").unwrap_or_default();
    let tip = |tip: &CommitSha| json!({ "target": oid(tip) });
    let found = github.read(|model| {
        let branches = &model.repo(&repo)?.branches;
        Ok(branches.iter().find(|(branch, _)| branch.as_str() == name).map(|(_, sha)| tip(sha)))
    })?;
    Ok(json!({ "repository": { "ref": found } }))
}

fn pull(github: &FakeGitHub, variables: &Variables) -> Result<Value, ForgeError> {
    let (repo, number) = (repo_name(variables)?, PullNumber(variables.number));
    let (found, size) =
        github.read(|model| Ok((model.repo(&repo)?.pull(number), model.page_size)))?;
    let found = found.ok_or_else(|| ForgeError::NotFound { what: number.to_string() })?;
    let shown = match variables.before.as_deref() {
        before @ Some(_) => json!({ "reviews": reviews(&found.reviews, before, size) }),
        None => pull_json(&repo, &found, size),
    };
    Ok(json!({ "repository": { "pullRequest": shown } }))
}

fn pull_json(repo: &RepoName, pull: &PullFacts, page_size: usize) -> Value {
    let number = if pull.from_fork(repo) { FORK_ID } else { REPO_ID };
    let repo_json =
        |name: &RepoName| json!({ "databaseId": number, "nameWithOwner": name.as_str() });
    let head_repo = pull.head.repo.as_ref().map(repo_json);
    json!({
        "number": pull.number.0,
        "title": pull.title,
        "author": { "login": pull.author.as_str() },
        "headRefOid": pull.head.sha.as_str(),
        "headRefName": pull.head.branch.as_str(),
        "headRepository": head_repo,
        "baseRepository": { "databaseId": REPO_ID },
        "baseRefName": pull.base.as_str(),
        "baseRef": pull.base_sha.as_ref().map(|sha| json!({ "target": oid(sha) })),
        "isDraft": pull.draft,
        "state": match pull.state {
            PullState::Open => "OPEN",
            PullState::Closed => "CLOSED",
            PullState::Merged => "MERGED",
        },
        "createdAt": TimestampParser::format(pull.created_at),
        "updatedAt": TimestampParser::format(pull.updated_at),
        "reviews": reviews(&pull.reviews, None, page_size),
    })
}

fn branch_json(branch: &BranchTip) -> Value {
    json!({ "name": branch.name.as_str(), "target": oid(&branch.sha) })
}

fn review_json(review: &Review) -> Value {
    json!({
        "fullDatabaseId": review.id.0.to_string(),
        "author": { "login": review.author.as_str() },
        "authorCanPushToRepository": review.writer,
        "state": review_word(review.state),
        "commit": review.commit.as_ref().map(oid),
        "submittedAt": TimestampParser::format(review.submitted_at),
    })
}

fn oid(sha: &CommitSha) -> Value {
    json!({ "oid": sha.as_str() })
}

/// What every answer says about the limit of points.
fn limit(now: Timestamp) -> Value {
    let reset_at = TimestampParser::format(Timestamp(now.0 + 3600));
    json!({ "limit": LIMIT, "remaining": LIMIT - 1, "resetAt": reset_at })
}

/// The page after the cursor, which is the index of the first entry.
fn forward(all: Vec<Value>, after: Option<&str>, size: usize) -> Value {
    let start: usize = after.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let end = start + size;
    let has_next = end < all.len();
    let nodes: Vec<Value> = all.into_iter().skip(start).take(size).collect();
    json!({
        "pageInfo": { "hasNextPage": has_next, "endCursor": end.to_string() },
        "nodes": nodes,
    })
}

/// The page that ends before the cursor, which is the index behind its last entry.
fn reviews(all: &[Review], before: Option<&str>, size: usize) -> Value {
    let end = before.and_then(|cursor| cursor.parse().ok()).unwrap_or(all.len()).min(all.len());
    let start = end.saturating_sub(size);
    json!({
        "pageInfo": { "hasPreviousPage": start > 0, "startCursor": start.to_string() },
        "nodes": all[start..end].iter().map(review_json).collect::<Vec<_>>(),
    })
}

fn repo_name(variables: &Variables) -> Result<RepoName, ForgeError> {
    RepoName::new(format!("{}/{}", variables.owner, variables.name))
        .map_err(|error| ForgeError::NotFound { what: error.text })
}

/// GraphQL says most errors with status 200.
fn complaint(message: &str, kind: &str, path: &[&str]) -> Reply {
    let error = json!({ "type": kind, "path": path, "message": message });
    Reply::ok(200, json!({ "data": null, "errors": [error] }))
}
