//! What a client reads to find out what it may do.

use ci_domain::ids::RepoName;
use serde_json::{Value, json};

use super::FakeGitHub;
use super::http::Reply;
use crate::forge::ForgeError;

/// Answers where `segments` are one of these reads.
pub(super) fn read(
    github: &FakeGitHub,
    repo: &RepoName,
    segments: &[&str],
) -> Option<Result<Reply, ForgeError>> {
    let body = |body: Value| Reply::ok(200, body);
    match segments {
        [] => Some(github.read(|model| {
            model.repo(repo)?;
            Ok(body(json!({ "full_name": repo.as_str() })))
        })),
        ["pulls"] => Some(github.read(|model| {
            let newest = model.repo(repo)?.pulls.values().next_back();
            let newest = newest.map(|pull| json!({ "number": pull.number.0 }));
            Ok(body(Value::from_iter(newest)))
        })),
        ["commits"] => Some(github.read(|model| {
            let tip = model.repo(repo)?.branches.values().next();
            Ok(body(Value::from_iter(tip.map(|sha| json!({ "sha": sha.as_str() })))))
        })),
        ["commits", "HEAD", "status"] => {
            Some(Ok(body(json!({ "statuses": [], "total_count": 0 }))))
        }
        ["hooks"] => Some(Ok(body(json!([])))),
        _ => None,
    }
}
