//! The fake's check runs, with the limits that GitHub has.

use ci_domain::annotation::{Annotation, Level};
use ci_domain::forge::{CheckId, CheckState, CheckWrite, StandingCheck};
use ci_domain::ids::{CommitSha, Login, RepoName};
use serde::Deserialize;

use super::app::Caller;
use super::deliveries::check_event;
use super::http::{FakeRequest, Reply};
use super::model::{Model, Repo};
use super::rest::{body, id, invalid, page, parameter};
use super::{FakeGitHub, FakeRepo, shown};
use crate::forge::ForgeError;

/// The longest summary that GitHub takes, in characters.
const MAX_SUMMARY: usize = 65_535;
/// The longest message of an annotation, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;
/// The longest title of an annotation, in characters.
const MAX_TITLE: usize = 255;

/// A check run with all that was ever added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeCheck {
    /// Its number.
    pub id: CheckId,
    /// The commit.
    pub sha: CommitSha,
    /// What it shows; its annotations are all that were added.
    pub shows: CheckWrite,
    /// How it stood after each call, the first one first.
    pub history: Vec<CheckState>,
    /// How many annotations each call brought.
    pub batches: Vec<usize>,
}

#[derive(Deserialize)]
struct CheckBody {
    name: String,
    #[serde(default)]
    head_sha: String,
    #[serde(default)]
    external_id: String,
    details_url: Option<String>,
    status: String,
    conclusion: Option<String>,
    output: OutputBody,
}

#[derive(Deserialize)]
struct OutputBody {
    title: String,
    summary: String,
    #[serde(default)]
    annotations: Vec<MarkBody>,
}

#[derive(Deserialize)]
struct MarkBody {
    path: String,
    start_line: u32,
    end_line: u32,
    start_column: Option<u32>,
    annotation_level: String,
    message: String,
    title: Option<String>,
}

impl FakeRepo {
    /// Every check run of a commit, the oldest first.
    #[must_use]
    pub fn checks(&self, sha: &CommitSha) -> Vec<FakeCheck> {
        let model = self.github().model();
        let repo = model.repo(self.name()).expect("the fake has the repository");
        repo.checks.iter().filter(|check| check.sha == *sha).cloned().collect()
    }

    /// Somebody presses the button below a check run that has it run again.
    pub fn rerun_check(&self, check: CheckId, by: &Login) {
        check_event(&mut self.github().model(), self.name(), check, ("rerequested", None, by));
    }

    /// Somebody presses a button of ours below a check run.
    pub fn press(&self, check: CheckId, action: &str, by: &Login) {
        let pressed = ("requested_action", Some(action), by);
        check_event(&mut self.github().model(), self.name(), check, pressed);
    }
}

impl Model {
    pub(super) fn add_check(
        &mut self,
        name: &RepoName,
        sha: &CommitSha,
        check: CheckWrite,
    ) -> Result<FakeCheck, ForgeError> {
        expect_fit(&check)?;
        let id = CheckId(self.next_id());
        let (history, batches) = (vec![check.state], vec![check.annotations.len()]);
        let added = FakeCheck { id, sha: sha.clone(), shows: check, history, batches };
        self.repo_mut(name)?.checks.push(added.clone());
        Ok(added)
    }

    pub(super) fn change_check(
        &mut self,
        name: &RepoName,
        id: CheckId,
        check: CheckWrite,
    ) -> Result<FakeCheck, ForgeError> {
        expect_fit(&check)?;
        let found = self.repo_mut(name)?.checks.iter_mut().find(|check| check.id == id);
        let missing = || ForgeError::NotFound { what: format!("check run {}", id.0) };
        let found = found.ok_or_else(missing)?;
        found.history.push(check.state);
        found.batches.push(check.annotations.len());
        let mut annotations = std::mem::take(&mut found.shows.annotations);
        annotations.extend(check.annotations.iter().cloned());
        found.shows = CheckWrite { annotations, ..check };
        Ok(found.clone())
    }
}

impl Repo {
    /// The newest check run of that name on a commit.
    pub(super) fn standing_check(&self, sha: &CommitSha, name: &str) -> Option<StandingCheck> {
        let is_meant = |check: &&FakeCheck| check.sha == *sha && check.shows.name == name;
        self.checks.iter().rfind(is_meant).map(|check| StandingCheck {
            id: check.id,
            reference: check.shows.reference.clone(),
            state: Some(check.shows.state),
            annotations: check.shows.annotations.len(),
        })
    }
}

/// Answers what is asked about check runs.
pub(super) fn answer(
    github: &FakeGitHub,
    repo: &RepoName,
    (request, caller): (&FakeRequest, Caller),
    segments: &[&str],
) -> Option<Result<Reply, ForgeError>> {
    match (request.method.as_str(), segments) {
        ("GET", ["commits", sha, "check-runs"]) => Some(list(github, repo, request, sha)),
        ("POST", ["check-runs"]) => Some(write(github, (repo, request, caller), None)),
        ("PATCH", ["check-runs", check]) => {
            let number = check.parse().map_err(|_| invalid("check_run_id"));
            Some(number.and_then(|n| write(github, (repo, request, caller), Some(CheckId(n)))))
        }
        _ => None,
    }
}

fn list(
    github: &FakeGitHub,
    repo: &RepoName,
    request: &FakeRequest,
    sha: &str,
) -> Result<Reply, ForgeError> {
    let (sha, name) = (id(CommitSha::new(sha))?, parameter(request, "check_name"));
    let all = github.read(|model| Ok(model.repo(repo)?.checks.clone()))?;
    let is_meant = |check: &FakeCheck| {
        check.sha == sha && name.as_ref().is_none_or(|name| *name == check.shows.name)
    };
    let meant: Vec<_> = all.iter().filter(|check| is_meant(check)).map(shown::check).collect();
    let total = meant.len();
    let reply = page(github, request, meant);
    let body = serde_json::json!({ "total_count": total, "check_runs": reply.body });
    Ok(Reply { body, ..reply })
}

fn write(
    github: &FakeGitHub,
    (repo, request, caller): (&RepoName, &FakeRequest, Caller),
    change: Option<CheckId>,
) -> Result<Reply, ForgeError> {
    let may = |model: &Model| model.app.as_ref().is_some_and(|app| app.may("checks", "write"));
    let refusal = match caller {
        Caller::Installation if may(&github.model()) => None,
        Caller::Installation => Some("Resource not accessible by integration"),
        Caller::Person | Caller::App => Some("You must authenticate via a GitHub App."),
    };
    if let Some(message) = refusal {
        return Err(ForgeError::Rejected { status: 403, message: message.to_owned() });
    }
    let written: CheckBody = body(request)?;
    let sha = id(CommitSha::new(&*written.head_sha));
    let check = written.into_check()?;
    github.write(|model| match change {
        Some(id) => Ok(Reply::ok(200, shown::check(&model.change_check(repo, id, check)?))),
        None => Ok(Reply::ok(201, shown::check(&model.add_check(repo, &sha?, check)?))),
    })
}

impl CheckBody {
    fn into_check(self) -> Result<CheckWrite, ForgeError> {
        let Self { name, external_id, details_url, status, conclusion, output, .. } = self;
        let word = if status == "completed" { conclusion } else { Some(status) };
        let state = word.as_deref().and_then(CheckState::from_word);
        let marks = output.annotations.into_iter().map(MarkBody::into_annotation);
        Ok(CheckWrite {
            name,
            reference: external_id,
            state: state.ok_or_else(|| invalid("conclusion"))?,
            details_url,
            title: output.title,
            summary: output.summary,
            annotations: marks.collect::<Result<_, _>>()?,
        })
    }
}

impl MarkBody {
    fn into_annotation(self) -> Result<Annotation, ForgeError> {
        let Self { path, start_line, end_line, start_column, annotation_level, message, title } =
            self;
        if start_column.is_some() && start_line != end_line {
            return Err(invalid("start_column is for annotations of one line"));
        }
        let level = Level::from_word(&annotation_level);
        let level = level.ok_or_else(|| invalid("annotation_level"))?;
        Ok(Annotation { level, path, line: start_line, column: start_column, title, message })
    }
}

/// GitHub's limits.
fn expect_fit(check: &CheckWrite) -> Result<(), ForgeError> {
    let marks = &check.annotations;
    let is_long = |mark: &Annotation| {
        mark.message.is_empty()
            || mark.message.len() > MAX_MESSAGE
            || mark.title.as_ref().is_some_and(|title| title.chars().count() > MAX_TITLE)
    };
    let is_outside = |mark: &Annotation| {
        mark.path.is_empty()
            || mark.path.starts_with('/')
            || mark.path.split('/').any(|p| p == "..")
    };
    match () {
        () if marks.len() > CheckWrite::MARKS_AT_ONCE => Err(invalid(&format!(
            "No more than {} items are allowed; {} were supplied",
            CheckWrite::MARKS_AT_ONCE,
            marks.len()
        ))),
        () if check.summary.chars().count() > MAX_SUMMARY => Err(invalid("summary is too long")),
        () if check.title.is_empty() => Err(invalid("title cannot be blank")),
        () if marks.iter().any(is_long) => Err(invalid("an annotation is too long or blank")),
        () if marks.iter().any(is_outside) => Err(invalid("path is not in the repository")),
        () if marks.iter().any(|mark| mark.line == 0) => Err(invalid("start_line")),
        () => Ok(()),
    }
}
