//! The payloads: what each event means, from the few fields that are needed.
//!
//! A delivery is a hint to look, so a field is needed only where the hint would be none without it.
//! Whatever else is missing, malformed or new in a payload is no reason to refuse it.

use ci_domain::forge::{Comment, CommentId, ForgeEvent, PullComment, PullNews, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use serde_json::Value;

use crate::moment::TimestampParser;

/// The account that GitHub shows where the real one was deleted.
const GHOST: &str = "ghost";
/// A push to a reference that did not exist, or no longer does, names this commit.
const ZERO: char = '0';

/// A field that is needed is not there or cannot be right; the text names it.
type Needed<T> = Result<T, String>;

/// What the event `name` with this payload says, and about which repository.
///
/// An organization's and an app's pings are about none, and nobody asks about which the events are that
/// are not read.
pub(super) fn event(name: &str, payload: &Value) -> Needed<(Option<RepoName>, ForgeEvent)> {
    let event = match name {
        "ping" => ForgeEvent::Ping,
        "pull_request" | "pull_request_review" => pull_changed(payload)?,
        "push" => pushed(payload)?,
        "issue_comment" => commented(payload)?,
        _ => return Ok((None, ignored("no interest in such events"))),
    };
    let repo = match event {
        ForgeEvent::Ping => repository(payload).ok(),
        _ => Some(repository(payload)?),
    };
    Ok((repo, event))
}

fn repository(payload: &Value) -> Needed<RepoName> {
    let name = "/repository/full_name";
    RepoName::new(text(payload, name)?).map_err(|error| malformed(name, error.expected))
}

/// Every action counts, known or not: what changed is read from GitHub anyway.
fn pull_changed(payload: &Value) -> Needed<ForgeEvent> {
    let number = PullNumber(number(payload, "/pull_request/number")?);
    Ok(ForgeEvent::PullChanged { number, news: PullNews::Hint })
}

fn pushed(payload: &Value) -> Needed<ForgeEvent> {
    let Some(branch) = text(payload, "/ref")?.strip_prefix("refs/heads/") else {
        return Ok(ignored("a push to something that is not a branch"));
    };
    let branch = BranchName::new(branch).map_err(|error| malformed("/ref", error.expected))?;
    let after = text(payload, "/after")?;
    let is_deleted = after.chars().all(|digit| digit == ZERO);
    let tip = || CommitSha::new(after).map_err(|error| malformed("/after", error.expected));
    let sha = if is_deleted { None } else { Some(tip()?) };
    Ok(ForgeEvent::Pushed { branch, sha })
}

fn commented(payload: &Value) -> Needed<ForgeEvent> {
    if text(payload, "/action")? != "created" {
        return Ok(ignored("a comment that is not new"));
    }
    // Present where the issue is a pull request.
    if payload.pointer("/issue/pull_request").is_none_or(Value::is_null) {
        return Ok(ignored("a comment on an issue"));
    }
    let author = "/comment/user/login";
    let login = payload.pointer(author).map_or(Ok(GHOST), |_| text(payload, author))?;
    let comment = Comment {
        id: CommentId(number(payload, "/comment/id")?),
        author: Login::new(login).map_err(|error| malformed(author, error.expected))?,
        // Some recorded payloads of automated comments have none.
        body: text(payload, "/comment/body").unwrap_or_default().to_owned(),
        created_at: moment(payload, "/comment/created_at"),
    };
    let pull = PullNumber(number(payload, "/issue/number")?);
    Ok(ForgeEvent::Commented(PullComment { pull, comment }))
}

/// A moment that nothing depends on: how far comments were read is only learned from polls.
fn moment(payload: &Value, field: &str) -> Timestamp {
    let known = text(payload, field).ok().and_then(|text| TimestampParser::parse(text).ok());
    known.unwrap_or(Timestamp(0))
}

fn text<'a>(payload: &'a Value, field: &str) -> Needed<&'a str> {
    needed(payload, field)?.as_str().ok_or_else(|| malformed(field, "a text"))
}

fn number(payload: &Value, field: &str) -> Needed<u64> {
    needed(payload, field)?.as_u64().ok_or_else(|| malformed(field, "a number of 0 or more"))
}

fn needed<'a>(payload: &'a Value, field: &str) -> Needed<&'a Value> {
    payload.pointer(field).ok_or_else(|| format!("field `{}` is missing", dotted(field)))
}

fn malformed(field: &str, expected: &str) -> String {
    format!("field `{}` is not {expected}", dotted(field))
}

/// The path of a field as people write it.
fn dotted(field: &str) -> String {
    field.trim_start_matches('/').replace('/', ".")
}

fn ignored(reason: &str) -> ForgeEvent {
    ForgeEvent::Ignored { reason: reason.to_owned() }
}
