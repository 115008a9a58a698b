//! The payloads: what each event means, from the few fields that are needed.
//!
//! A delivery is a hint to look, so a field is needed only where the hint would be none without it.
//! Whatever else is missing, malformed or new in a payload is no reason to refuse it.

use ci_domain::forge::{
    CheckAgain, Comment, CommentId, ForgeEvent, FormerTip, PullComment, PullNews, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use serde_json::Value;

use crate::moment::TimestampParser;
use crate::webhook::AFRESH;

/// The account that GitHub shows where the real one was deleted.
const GHOST: &str = "ghost";
/// A push to a reference that did not exist, or no longer does, names this commit.
const ZERO: char = '0';

/// A field that is needed is not there or cannot be right; the text names it.
type Needed<T> = Result<T, String>;

/// What the event `name` with this payload says, and about which repository.
///
/// An organization's and an app's pings are about none, an installation may be about many, and nobody asks
/// about which the events are that are not read.
pub(super) fn event(name: &str, payload: &Value) -> Needed<(Option<RepoName>, ForgeEvent)> {
    let event = match name {
        "ping" => ForgeEvent::Ping,
        "pull_request" | "pull_request_review" => pull_changed(payload)?,
        "push" => pushed(payload)?,
        "issue_comment" => commented(payload)?,
        "merge_group" => queued(payload)?,
        "check_run" | "check_suite" => rerequested(name, payload)?,
        "repository" => ForgeEvent::RepositoryChanged { was: former_name(payload) },
        "installation" | "installation_repositories" => {
            return Ok((None, ForgeEvent::RepositoryChanged { was: None }));
        }
        _ => return Ok((None, ignored("no interest in such events"))),
    };
    let repo = match event {
        ForgeEvent::Ping | ForgeEvent::Ignored { .. } => repository(payload).ok(),
        _ => Some(repository(payload)?),
    };
    Ok((repo, event))
}

fn repository(payload: &Value) -> Needed<RepoName> {
    let name = "/repository/full_name";
    RepoName::new(text(payload, name)?).map_err(|error| malformed(name, error.expected))
}

/// The number of the repository, by which it is known under another name.
pub(super) fn repository_id(payload: &Value) -> Option<u64> {
    number(payload, "/repository/id").ok()
}

/// What the repository was called before it was renamed or given to somebody else.
fn former_name(payload: &Value) -> Option<RepoName> {
    let (owner, name) = text(payload, "/repository/full_name").ok()?.split_once('/')?;
    let former = |field| text(payload, field).ok();
    let former_owner = former("/changes/owner/from/organization/login")
        .or_else(|| former("/changes/owner/from/user/login"));
    let former_name = former("/changes/repository/name/from");
    let is_new = former_owner.is_some() || former_name.is_some();
    let was = format!("{}/{}", former_owner.unwrap_or(owner), former_name.unwrap_or(name));
    RepoName::new(was).ok().filter(|_| is_new)
}

/// Every action counts, known or not: what changed is read from GitHub anyway.
fn pull_changed(payload: &Value) -> Needed<ForgeEvent> {
    let number = PullNumber(number(payload, "/pull_request/number")?);
    let updated = text(payload, "/pull_request/updated_at").ok();
    let as_of = updated.and_then(|text| TimestampParser::parse(text).ok());
    Ok(ForgeEvent::PullChanged { number, news: PullNews::Hint { as_of } })
}

fn pushed(payload: &Value) -> Needed<ForgeEvent> {
    let Some(branch) = branch(payload, "/ref")? else {
        return Ok(ignored("a push to something that is not a branch"));
    };
    let is_deleted = text(payload, "/after")?.chars().all(|digit| digit == ZERO);
    let sha = if is_deleted { None } else { Some(commit(payload, "/after")?) };
    // Only a branch that was not heard of for a while needs it, so a payload without it is as good.
    let former = match text(payload, "/before") {
        Ok(before) if before.chars().all(|digit| digit == ZERO) => FormerTip::Absent,
        Ok(_) => commit(payload, "/before").map_or(FormerTip::Unsaid, FormerTip::At),
        Err(_) => FormerTip::Unsaid,
    };
    Ok(ForgeEvent::Pushed { branch, former, sha })
}

/// The merge queue makes a branch for each head that it wants checked, and takes it away afterwards.
fn queued(payload: &Value) -> Needed<ForgeEvent> {
    let is_over = match text(payload, "/action")? {
        "checks_requested" => false,
        "destroyed" => true,
        _ => return Ok(ignored("news of a merge queue that make no difference")),
    };
    let Some(branch) = branch(payload, "/merge_group/head_ref")? else {
        return Ok(ignored("a merge group that is not on a branch"));
    };
    let head = commit(payload, "/merge_group/head_sha");
    let (former, sha) = match is_over {
        true => (head.map_or(FormerTip::Unsaid, FormerTip::At), None),
        false => (FormerTip::Absent, Some(head?)),
    };
    Ok(ForgeEvent::Pushed { branch, former, sha })
}

/// `event` is the name of the event and of what it is about. Buttons that we did not put there are nobody's.
fn rerequested(event: &str, payload: &Value) -> Needed<ForgeEvent> {
    let afresh = match text(payload, "/action")? {
        "rerequested" => false,
        "requested_action" if text(payload, "/requested_action/identifier") == Ok(AFRESH) => true,
        _ => return Ok(ignored("a check that nobody wants again")),
    };
    let sha = commit(payload, &format!("/{event}/head_sha"))?;
    let of_run =
        |field: &str| text(payload, &format!("/check_run/{field}")).ok().map(str::to_owned);
    let check = of_run("name").map(|name| {
        let reference = of_run("external_id").unwrap_or_default();
        CheckAgain { name, reference, afresh }
    });
    Ok(ForgeEvent::Rerequested { sha, by: login(payload, "/sender/login")?, check })
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
    let known = payload.pointer(author).map(|_| login(payload, author)).transpose()?;
    let comment = Comment {
        id: CommentId(number(payload, "/comment/id")?),
        author: known.unwrap_or_else(ghost),
        // Some recorded payloads of automated comments have none.
        body: text(payload, "/comment/body").unwrap_or_default().to_owned(),
        created_at: moment(payload, "/comment/created_at"),
    };
    let pull = PullNumber(number(payload, "/issue/number")?);
    Ok(ForgeEvent::Commented(PullComment { pull, comment }))
}

fn ghost() -> Login {
    Login::new(GHOST).expect("a name that an account can have")
}

/// A moment that nothing depends on: how far comments were read is only learned from polls.
fn moment(payload: &Value, field: &str) -> Timestamp {
    let known = text(payload, field).ok().and_then(|text| TimestampParser::parse(text).ok());
    known.unwrap_or(Timestamp(0))
}

/// The branch that a reference is; `None` where it is something else.
fn branch(payload: &Value, field: &str) -> Needed<Option<BranchName>> {
    let name = text(payload, field)?.strip_prefix("refs/heads/");
    let name = name.map(|name| BranchName::new(name).map_err(|e| malformed(field, e.expected)));
    name.transpose()
}

fn commit(payload: &Value, field: &str) -> Needed<CommitSha> {
    CommitSha::new(text(payload, field)?).map_err(|error| malformed(field, error.expected))
}

fn login(payload: &Value, field: &str) -> Needed<Login> {
    Login::new(text(payload, field)?).map_err(|error| malformed(field, error.expected))
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
