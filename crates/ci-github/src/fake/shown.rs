//! How GitHub shows things: its own examples, with what matters put in.
//!
//! So the fake says all that GitHub says, and a client that trips over any of it is found out.

use std::sync::LazyLock;

use ci_domain::forge::{CheckWrite, PullFacts, PullState, StatusWrite, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, Login, RepoName};
use serde_json::{Value, json};

use super::app::slug;
use super::checks::FakeCheck;
use super::hooks::Attempt;
use super::model::{CommentedOn, FakeComment};
use super::standing::number_of;
use crate::moment::TimestampParser;

/// Reads one of the published examples; `tests/description/NOTICE` says where they are from.
macro_rules! example {
    ($name:literal) => {{
        static EXAMPLE: LazyLock<Value> = LazyLock::new(|| {
            let text = include_str!(concat!("examples/", $name, ".json"));
            serde_json::from_str(text).expect("the example is JSON")
        });
        EXAMPLE.clone()
    }};
}

pub(super) fn repository(name: &RepoName, default_branch: &BranchName) -> Value {
    let mut shown = example!("repository");
    // These are repositories themselves, and the examples are not quite what is described.
    for other in ["parent", "source", "template_repository"] {
        shown.as_object_mut().and_then(|fields| fields.remove(other));
    }
    with(
        shown,
        json!({
            "full_name": name.as_str(),
            "default_branch": default_branch.as_str(),
            "language": null,
            "mirror_url": null,
        }),
    )
}

pub(super) fn pull(pull: &PullFacts, base_repo: &RepoName) -> Value {
    let mut shown = example!("pull");
    // The example is not quite what is described.
    shown["requested_teams"] = json!([]);
    let example = shown["base"]["repo"].clone();
    let repo = |name: &RepoName| {
        with(example.clone(), json!({ "full_name": name.as_str(), "mirror_url": null }))
    };
    let head = json!({
        "ref": pull.head.branch.as_str(),
        "sha": pull.head.sha.as_str(),
        "repo": pull.head.repo.as_ref().map(repo),
    });
    let base_sha = pull.base_sha.as_ref().map_or("", CommitSha::as_str);
    let base = json!({ "ref": pull.base.as_str(), "sha": base_sha, "repo": repo(base_repo) });
    let (head, base) = (with(shown["head"].take(), head), with(shown["base"].take(), base));
    with(
        shown,
        json!({
            "number": pull.number.0,
            "state": if pull.state == PullState::Open { "open" } else { "closed" },
            "title": pull.title,
            "user": user(&pull.author),
            "draft": pull.draft,
            "head": head,
            "base": base,
            "created_at": TimestampParser::format(pull.created_at),
            "updated_at": TimestampParser::format(pull.updated_at),
        }),
    )
}

pub(super) fn reference(branch: &BranchName, sha: &CommitSha) -> Value {
    let mut shown = example!("ref");
    shown["ref"] = Value::from(format!("refs/heads/{branch}"));
    shown["object"]["sha"] = Value::from(sha.as_str());
    shown
}

pub(super) fn commit(sha: &CommitSha) -> Value {
    with(example!("commit"), json!({ "sha": sha.as_str() }))
}

pub(super) fn comment(comment: &FakeComment, repo: &RepoName) -> Value {
    let (example, place) = match &comment.on {
        CommentedOn::Pull(number) => {
            let issue = format!("https://api.github.com/repos/{repo}/issues/{number}");
            (example!("issue-comment"), json!({ "issue_url": issue }))
        }
        CommentedOn::Commit(sha) => {
            (example!("commit-comment"), json!({ "commit_id": sha.as_str() }))
        }
    };
    let ours = json!({
        "id": comment.id.0,
        "user": user(&comment.author),
        "body": comment.body,
        "created_at": TimestampParser::format(comment.created_at),
        "updated_at": TimestampParser::format(comment.updated_at),
    });
    with(with(example, place), ours)
}

pub(super) fn status(status: &StatusWrite) -> Value {
    with(
        example!("status"),
        json!({
            "context": status.context,
            "state": status.state.as_str(),
            "description": status.description,
            "target_url": status.target_url,
        }),
    )
}

pub(super) fn combined_status(sha: &CommitSha, page: &Value, total: usize) -> Value {
    let ours = json!({ "sha": sha.as_str(), "statuses": page, "total_count": total });
    with(example!("combined-status"), ours)
}

pub(super) fn permission(login: &Login, permission: &str) -> Value {
    let mut shown = example!("permission");
    let id = number_of(login);
    let ours = json!({ "login": login.as_str(), "id": id, "role_name": permission });
    shown["user"] = with(shown["user"].take(), ours);
    with(shown, json!({ "permission": permission, "role_name": permission }))
}

pub(super) fn reaction(content: &str, by: &Login, at: Timestamp) -> Value {
    let ours = json!({
        "content": content,
        "user": user(by),
        "created_at": TimestampParser::format(at),
    });
    with(example!("reaction"), ours)
}

pub(super) fn app(slug: &str) -> Value {
    with(example!("app"), json!({ "slug": slug }))
}

pub(super) fn installation(id: &str, permissions: &Value) -> Value {
    let id = id.parse::<u64>().map_or(Value::Null, Value::from);
    with(example!("installation"), json!({ "id": id, "permissions": permissions }))
}

pub(super) fn installation_token(ours: &Value) -> Value {
    let mut shown = example!("installation-token");
    // These are whole repositories, and the example is not quite what is described.
    shown["repositories"] = json!([]);
    with(shown, ours.clone())
}

pub(super) fn check(check: &FakeCheck) -> Value {
    let mut shown = example!("check-run");
    let CheckWrite { name, reference, state, details_url, title, summary, annotations } =
        &check.shows;
    let (status, conclusion) = match state.has_ended() {
        true => ("completed", Value::from(state.as_str())),
        false => (state.as_str(), Value::Null),
    };
    let output = json!({
        "title": title,
        "summary": summary,
        "text": null,
        "annotations_count": annotations.len(),
    });
    let ours = json!({
        "id": check.id.0,
        "head_sha": check.sha.as_str(),
        "name": name,
        "external_id": reference,
        "details_url": details_url,
        "status": status,
        "conclusion": conclusion,
        "output": with(shown["output"].take(), output),
        "app": app(slug()),
        "pull_requests": [],
    });
    with(shown, ours)
}

pub(super) fn hook(id: &str, url: &str) -> Value {
    let mut shown = example!("hook");
    shown["id"] = id.parse::<u64>().map_or(Value::Null, Value::from);
    shown["config"]["url"] = Value::from(url);
    shown
}

pub(super) fn attempt(attempt: &Attempt) -> Value {
    let ours = json!({
        "id": attempt.id,
        "guid": attempt.delivery.id,
        "delivered_at": TimestampParser::format(attempt.at),
        "status_code": attempt.status,
        "event": attempt.delivery.event,
    });
    with(example!("hook-delivery"), ours)
}

fn user(login: &Login) -> Value {
    let example = example!("reaction")["user"].take();
    with(example, json!({ "login": login.as_str() }))
}

/// `example` with the fields of `ours` instead of its own.
fn with(mut example: Value, ours: Value) -> Value {
    if let (Some(fields), Value::Object(ours)) = (example.as_object_mut(), ours) {
        fields.extend(ours);
    }
    example
}
