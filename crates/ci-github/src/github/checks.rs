//! The REST calls about check runs, which GitHub lets apps alone write.

use ci_domain::annotation::Annotation;
use ci_domain::forge::{CheckId, CheckState, CheckWrite, StandingCheck};
use ci_domain::ids::{CommitSha, RepoName};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::GitHub;
use super::rest::decode;
use crate::forge::ForgeError;

/// What the button says below a check run that has ended, and what GitHub tells us when it is pressed.
const AFRESH: [(&str, &str); 3] = [
    ("label", "Run from scratch"),
    ("description", "Again, in a fresh workspace"),
    ("identifier", crate::webhook::AFRESH),
];

#[derive(Deserialize)]
struct Page {
    check_runs: Vec<CheckNode>,
}

#[derive(Deserialize)]
struct CheckNode {
    id: u64,
    #[serde(default)]
    external_id: Option<String>,
    status: String,
    conclusion: Option<String>,
    output: Output,
    app: Option<AppNode>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    annotations_count: usize,
}

#[derive(Deserialize)]
struct AppNode {
    slug: Option<String>,
}

#[derive(Deserialize)]
struct Created {
    id: u64,
}

impl GitHub {
    /// Others may give their check runs our names; only what our app wrote is ours.
    pub(super) async fn read_check(
        &self,
        repo: &RepoName,
        sha: &CommitSha,
        name: &str,
    ) -> Result<Option<StandingCheck>, ForgeError> {
        let ourselves = self.who_am_i().await?;
        let mut url = self.repo_url(repo, &["commits", sha.as_str(), "check-runs"]);
        // Those that are in progress are the latest of nothing by GitHub's count.
        url.query_pairs_mut().append_pair("check_name", name).append_pair("filter", "all");
        let all = self.pages(repo, url, |page: Page| page.check_runs).await?;
        let is_ours = |node: &CheckNode| {
            let slug = node.app.as_ref().and_then(|app| app.slug.as_deref());
            slug.is_some_and(|slug| ourselves.as_str() == format!("{slug}[bot]"))
        };
        let newest = all.into_iter().filter(is_ours).max_by_key(|node| node.id);
        Ok(newest.map(CheckNode::into_standing))
    }

    pub(super) async fn post_check(
        &self,
        repo: &RepoName,
        sha: &CommitSha,
        check: &CheckWrite,
    ) -> Result<CheckId, ForgeError> {
        self.expect_leave(repo).await?;
        let mut body = body(check);
        body["head_sha"] = Value::from(sha.as_str());
        let url = self.repo_url(repo, &["check-runs"]);
        let answer = self.rest(repo, Method::POST, url, Some(body)).await?;
        Ok(CheckId(decode::<Created>(&answer.body)?.id))
    }

    pub(super) async fn patch_check(
        &self,
        repo: &RepoName,
        id: CheckId,
        check: &CheckWrite,
    ) -> Result<(), ForgeError> {
        self.expect_leave(repo).await?;
        let url = self.repo_url(repo, &["check-runs", &id.0.to_string()]);
        self.rest(repo, Method::PATCH, url, Some(body(check))).await.map(drop)
    }

    /// Does not ask for what the token says that it may not.
    async fn expect_leave(&self, repo: &RepoName) -> Result<(), ForgeError> {
        let _token = self.token(repo).await?;
        if self.may_write_checks(repo) {
            return Ok(());
        }
        let message = "the app's installation does not have `checks: write`".to_owned();
        Err(ForgeError::Unauthorized { message })
    }
}

impl CheckNode {
    fn into_standing(self) -> StandingCheck {
        let Self { id, external_id, status, conclusion, output, .. } = self;
        let word = if status == "completed" { conclusion } else { Some(status) };
        StandingCheck {
            id: CheckId(id),
            reference: external_id.unwrap_or_default(),
            state: word.as_deref().and_then(CheckState::from_word),
            annotations: output.annotations_count,
        }
    }
}

fn body(check: &CheckWrite) -> Value {
    let annotations: Vec<Value> = check.annotations.iter().map(mark).collect();
    let mut body = json!({
        "name": check.name,
        "external_id": check.reference,
        "output": { "title": check.title, "summary": check.summary, "annotations": annotations },
    });
    if let Some(details_url) = &check.details_url {
        body["details_url"] = Value::from(details_url.as_str());
    }
    if check.state.has_ended() {
        body["status"] = Value::from("completed");
        body["conclusion"] = Value::from(check.state.as_str());
        body["actions"] = json!([Value::from_iter(AFRESH)]);
    } else {
        body["status"] = Value::from(check.state.as_str());
    }
    body
}

fn mark(annotation: &Annotation) -> Value {
    let mut mark = json!({
        "path": annotation.path,
        "start_line": annotation.line,
        "end_line": annotation.line,
        "annotation_level": annotation.level.as_str(),
        "message": annotation.message,
    });
    if let Some(column) = annotation.column {
        mark["start_column"] = Value::from(column);
        mark["end_column"] = Value::from(column);
    }
    if let Some(title) = &annotation.title {
        mark["title"] = Value::from(title.as_str());
    }
    mark
}
