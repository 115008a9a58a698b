//! The payloads: only the fields that are read, and what each event means.

use ci_domain::forge::{Comment, CommentId, ForgeEvent, PullComment, PullNews};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::moment::TimestampParser;

/// The account that GitHub shows where the real one was deleted.
const GHOST: &str = "ghost";
/// A push to a reference that did not exist, or no longer does, names this commit.
const ZERO: char = '0';

#[derive(Deserialize)]
struct PullEvent {
    pull_request: Pull,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    head: PullHead,
    updated_at: String,
}

#[derive(Deserialize)]
struct PullHead {
    sha: String,
}

#[derive(Deserialize)]
struct PushEvent {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
}

#[derive(Deserialize)]
struct CommentEvent {
    action: String,
    issue: Issue,
    comment: IssueComment,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    /// Present where the issue is a pull request.
    pull_request: Option<Value>,
}

#[derive(Deserialize)]
struct IssueComment {
    id: u64,
    user: Option<User>,
    /// Some recorded payloads of automated comments have none.
    body: Option<String>,
    created_at: String,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

/// The repository a payload is about, if it is about one.
pub(super) fn repository(payload: &Value) -> Result<Option<RepoName>, String> {
    match payload.pointer("/repository/full_name") {
        None => Ok(None),
        Some(Value::String(name)) => {
            RepoName::new(name.as_str()).map(Some).map_err(|error| error.to_string())
        }
        Some(_) => Err("repository.full_name is not a string".to_owned()),
    }
}

/// What the event `name` with this payload says.
pub(super) fn event(name: &str, payload: Value) -> Result<ForgeEvent, String> {
    match name {
        "ping" => Ok(ForgeEvent::Ping),
        "pull_request" | "pull_request_review" => pull_changed(&read::<PullEvent>(payload)?),
        "push" => pushed(&read::<PushEvent>(payload)?),
        "issue_comment" => commented(read::<CommentEvent>(payload)?),
        _ => Ok(ignored("no interest in such events")),
    }
}

/// Every action counts, known or not: what changed is read from GitHub anyway.
fn pull_changed(event: &PullEvent) -> Result<ForgeEvent, String> {
    let Pull { number, head, updated_at } = &event.pull_request;
    Ok(ForgeEvent::PullChanged {
        number: PullNumber(*number),
        news: PullNews::Hint { head: commit(&head.sha)?, updated_at: moment(updated_at)? },
    })
}

fn pushed(event: &PushEvent) -> Result<ForgeEvent, String> {
    let Some(branch) = event.reference.strip_prefix("refs/heads/") else {
        return Ok(ignored("a push to something that is not a branch"));
    };
    let branch = BranchName::new(branch).map_err(|error| error.to_string())?;
    let deleted = event.after.chars().all(|digit| digit == ZERO);
    let sha = if deleted { None } else { Some(commit(&event.after)?) };
    Ok(ForgeEvent::Pushed { branch, sha })
}

fn commented(event: CommentEvent) -> Result<ForgeEvent, String> {
    if event.action != "created" {
        return Ok(ignored("a comment that is not new"));
    }
    if event.issue.pull_request.is_none() {
        return Ok(ignored("a comment on an issue"));
    }
    let author = event.comment.user.map_or_else(|| GHOST.to_owned(), |user| user.login);
    let comment = Comment {
        id: CommentId(event.comment.id),
        author: Login::new(author).map_err(|error| error.to_string())?,
        body: event.comment.body.unwrap_or_default(),
        created_at: moment(&event.comment.created_at)?,
    };
    Ok(ForgeEvent::Commented(PullComment { pull: PullNumber(event.issue.number), comment }))
}

fn ignored(reason: &str) -> ForgeEvent {
    ForgeEvent::Ignored { reason: reason.to_owned() }
}

fn read<T: DeserializeOwned>(payload: Value) -> Result<T, String> {
    serde_json::from_value(payload).map_err(|error| error.to_string())
}

fn commit(text: &str) -> Result<CommitSha, String> {
    CommitSha::new(text).map_err(|error| error.to_string())
}

fn moment(text: &str) -> Result<ci_domain::forge::Timestamp, String> {
    TimestampParser::parse(text).map_err(|error| error.to_string())
}
