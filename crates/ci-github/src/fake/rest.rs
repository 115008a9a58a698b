//! The REST calls that the fake answers.

use ci_domain::forge::{CommentId, PullFacts, PullState, Reaction, StatusState, StatusWrite};
use ci_domain::ids::{CommitSha, InvalidId, Login, PullNumber, RepoName};
use serde::Deserialize;
use serde_json::Value;

use super::FakeGitHub;
use super::app::{self, Caller};
use super::checks;
use super::examined;
use super::hooks;
use super::http::{FakeRequest, Reply};
use super::model::{CommentedOn, FakeComment, Repo};
use super::people;
use super::shown;
use crate::forge::ForgeError;
use crate::moment::TimestampParser;

#[derive(Deserialize)]
struct StatusBody {
    state: String,
    context: String,
    #[serde(default)]
    description: String,
    target_url: Option<String>,
}

#[derive(Deserialize)]
struct CommentBody {
    body: String,
}

#[derive(Deserialize)]
struct ReactionBody {
    content: String,
}

pub(super) fn answer(
    github: &FakeGitHub,
    request: &FakeRequest,
    caller: Caller,
) -> Result<Reply, ForgeError> {
    let path = unescape(&request.path);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    if let Some(answered) = app::answer(github, request, caller, &segments) {
        return answered;
    }
    if let Some(answered) = people::read(github, request, &segments) {
        return answered;
    }
    let ["repos", owner, name, rest @ ..] = segments.as_slice() else {
        return Err(no_route(request));
    };
    let repo = RepoName::new(format!("{owner}/{name}")).map_err(|_| no_route(request))?;
    if let Some(answered) = checks::answer(github, &repo, (request, caller), rest) {
        return answered;
    }
    match (request.method.as_str(), rest) {
        (_, ["hooks", below @ ..]) => hooks::answer(github, request, below),
        ("GET", _) => read(github, &repo, rest, request),
        _ => write(github, &repo, rest, request),
    }
}

fn read(
    github: &FakeGitHub,
    repo: &RepoName,
    segments: &[&str],
    request: &FakeRequest,
) -> Result<Reply, ForgeError> {
    if let Some(answered) = examined::read(github, repo, segments) {
        return answered;
    }
    match segments {
        ["pulls"] => {
            let found = github.read(|model| Ok(pulls(model.repo(repo)?, request)))?;
            let size = number(request, "per_page").unwrap_or(30);
            let shown = found.iter().take(size).map(|pull| shown::pull(pull, repo));
            Ok(Reply { has_next: found.len() > size, ..Reply::ok(200, shown.collect()) })
        }
        ["git", "matching-refs", "heads"] => github.read(|model| {
            let branches = model.repo(repo)?.branches.iter();
            Ok(Reply::ok(200, branches.map(|(name, sha)| shown::reference(name, sha)).collect()))
        }),
        ["issues", "comments"] => {
            let since = parameter(request, "since").unwrap_or("1970-01-01T00:00:00Z".to_owned());
            let since = TimestampParser::parse(&since).map_err(|_| invalid("since"))?;
            let found = github
                .read(|model| Ok(comments(model.repo(repo)?.touched_comments(since), repo)))?;
            Ok(page(github, request, found))
        }
        ["issues", number, "comments"] => {
            let on = CommentedOn::Pull(PullNumber(number_of(number, request)?));
            let found =
                github.read(|model| Ok(comments(model.repo(repo)?.comments(&on)?, repo)))?;
            Ok(page(github, request, found))
        }
        ["commits", sha, "comments"] => {
            let on = CommentedOn::Commit(id(CommitSha::new(*sha))?);
            let found =
                github.read(|model| Ok(comments(model.repo(repo)?.comments(&on)?, repo)))?;
            Ok(page(github, request, found))
        }
        ["commits", sha, "status"] => {
            let sha = id(CommitSha::new(*sha))?;
            let found = github.read(|model| Ok(model.repo(repo)?.latest_statuses(&sha)))?;
            let reply = page(github, request, found.iter().map(shown::status).collect());
            Ok(Reply { body: shown::combined_status(&sha, &reply.body, found.len()), ..reply })
        }
        ["collaborators", login, "permission"] => {
            let login = id(Login::new(*login))?;
            let standing = github.read(|model| Ok(model.repo(repo)?.standing(&login)))?;
            Ok(Reply::ok(200, shown::permission(&login, standing.word())))
        }
        _ => Err(no_route(request)),
    }
}

fn write(
    github: &FakeGitHub,
    repo: &RepoName,
    segments: &[&str],
    request: &FakeRequest,
) -> Result<Reply, ForgeError> {
    match (request.method.as_str(), segments) {
        ("POST", ["statuses", sha]) => {
            let (sha, status) = (id(CommitSha::new(*sha))?, status(body(request)?)?);
            if sha.as_str().bytes().all(|digit| digit == b'0') {
                return Err(invalid("No commit found for SHA"));
            }
            github.write(|model| {
                model.repo_mut(repo)?.set_status(&sha, &status);
                Ok(Reply::ok(201, shown::status(&status)))
            })
        }
        ("POST", ["issues", number, "comments"]) => {
            let on = CommentedOn::Pull(PullNumber(number_of(number, request)?));
            create(github, repo, on, request)
        }
        ("POST", ["commits", sha, "comments"]) => {
            create(github, repo, CommentedOn::Commit(id(CommitSha::new(*sha))?), request)
        }
        ("PATCH", ["issues", "comments", number]) => {
            let comment = CommentId(number_of(number, request)?);
            let CommentBody { body } = body(request)?;
            github.write(|model| {
                Ok(Reply::ok(200, shown::comment(model.edit(repo, comment, &body)?, repo)))
            })
        }
        ("POST", ["issues", "comments", number, "reactions"]) => {
            let comment = CommentId(number_of(number, request)?);
            let ReactionBody { content } = body(request)?;
            let reaction = reaction(&content)?;
            github.write(|model| {
                model.repo_mut(repo)?.react(comment, reaction)?;
                Ok(Reply::ok(201, shown::reaction(&content, &model.ourselves(), model.clock)))
            })
        }
        _ => Err(no_route(request)),
    }
}

fn create(
    github: &FakeGitHub,
    repo: &RepoName,
    on: CommentedOn,
    request: &FakeRequest,
) -> Result<Reply, ForgeError> {
    let CommentBody { body } = body(request)?;
    if body.is_empty() {
        return Err(invalid("body cannot be blank"));
    }
    github.write(|model| {
        let author = model.ourselves();
        Ok(Reply::ok(201, shown::comment(model.add_comment(repo, on, author, &body)?, repo)))
    })
}

/// Cuts the page out that the request asks for.
pub(super) fn page(github: &FakeGitHub, request: &FakeRequest, all: Vec<Value>) -> Reply {
    let size = number(request, "per_page").unwrap_or(30).min(github.model().page_size);
    let start = (number(request, "page").unwrap_or(1).max(1) - 1) * size;
    let has_next = start + size < all.len();
    let body = all.into_iter().skip(start).take(size).collect();
    Reply { has_next, ..Reply::ok(200, body) }
}

/// The pull requests that are asked for, the newest first, by creation or by change.
fn pulls(repo: &Repo, request: &FakeRequest) -> Vec<PullFacts> {
    let is_wanted = |pull: &PullFacts| match parameter(request, "state").as_deref() {
        Some("all") => true,
        _ => pull.state == PullState::Open,
    };
    let mut found: Vec<PullFacts> =
        repo.pulls.values().filter(|pull| is_wanted(pull)).cloned().collect();
    match parameter(request, "sort").as_deref() {
        Some("updated") => found.sort_by_key(|pull| std::cmp::Reverse(pull.updated_at)),
        _ => found.reverse(),
    }
    found
}

fn comments(found: Vec<&FakeComment>, repo: &RepoName) -> Vec<Value> {
    found.into_iter().map(|comment| shown::comment(comment, repo)).collect()
}

fn status(body: StatusBody) -> Result<StatusWrite, ForgeError> {
    let state = StatusState::from_word(&body.state).ok_or_else(|| invalid("state"))?;
    let StatusBody { context, description, target_url, .. } = body;
    if description.chars().count() > 140 {
        return Err(invalid("description is too long (maximum is 140 characters)"));
    }
    Ok(StatusWrite { context, state, description, target_url })
}

fn reaction(content: &str) -> Result<Reaction, ForgeError> {
    match content {
        "+1" => Ok(Reaction::ThumbsUp),
        "-1" => Ok(Reaction::ThumbsDown),
        "eyes" => Ok(Reaction::Eyes),
        "confused" => Ok(Reaction::Confused),
        "rocket" => Ok(Reaction::Rocket),
        _ => Err(invalid("content")),
    }
}

pub(super) fn body<T: for<'de> Deserialize<'de>>(request: &FakeRequest) -> Result<T, ForgeError> {
    serde_json::from_slice(&request.body).map_err(|error| invalid(&error.to_string()))
}

pub(super) fn parameter(request: &FakeRequest, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(request.query.as_bytes());
    pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

pub(super) fn number(request: &FakeRequest, name: &str) -> Option<usize> {
    parameter(request, name).and_then(|text| text.parse().ok())
}

/// Undoes `%41`; a `+` in a path is a plus.
fn unescape(path: &str) -> String {
    let kept = path.replace('+', "%2B");
    form_urlencoded::parse(kept.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

fn number_of(text: &str, request: &FakeRequest) -> Result<u64, ForgeError> {
    text.parse().map_err(|_| no_route(request))
}

pub(super) fn id<T>(checked: Result<T, InvalidId>) -> Result<T, ForgeError> {
    checked.map_err(|error| invalid(&error.to_string()))
}

pub(super) fn invalid(what: &str) -> ForgeError {
    ForgeError::Rejected { status: 422, message: format!("Validation Failed: {what}") }
}

fn no_route(request: &FakeRequest) -> ForgeError {
    ForgeError::NotFound { what: format!("{} {}", request.method, request.path) }
}
