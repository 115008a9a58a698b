//! What a client reads to find out what it may do.

use ci_domain::ids::RepoName;
use serde_json::{Value, json};

use super::FakeGitHub;
use super::http::Reply;
use super::shown;
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
            let found = model.repo(repo)?;
            Ok(body(shown::repository(repo, &found.default_branch)))
        })),
        ["commits"] => Some(github.read(|model| {
            let tip = model.repo(repo)?.branches.values().next();
            Ok(body(Value::from_iter(tip.map(shown::commit))))
        })),
        ["commits", "HEAD", "status"] => Some(github.read(|model| {
            let repo = model.repo(repo)?;
            let tip = repo.branches.get(&repo.default_branch);
            let tip = tip.ok_or_else(|| ForgeError::NotFound { what: "HEAD".to_owned() })?;
            Ok(body(shown::combined_status(tip, &json!([]), 0)))
        })),
        _ => None,
    }
}
