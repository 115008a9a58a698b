//! What a path names, checked where it enters.

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::extract::{FromRequest, Path, Query, Request};
use axum::http::request::Parts;
use ci_domain::ids::{BranchName, PullNumber, RepoName};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::wire::CommandRef;

/// The repository of a path with `{owner}` and `{repo}`.
pub(crate) struct RepoPath(pub(crate) RepoName);

/// The pull request of a path that has `{number}`, too.
pub(crate) struct PullPath(pub(crate) RepoName, pub(crate) PullNumber);

/// The branch of a path that has `{branch}`, in which a `/` is `%2F`.
pub(crate) struct BranchPath(pub(crate) RepoName, pub(crate) BranchName);

/// The file that a command has left, of a path with `{command}` and `{path}`, in which a `/` is `%2F`.
pub(crate) struct KeptPath(pub(crate) CommandRef, pub(crate) String);

/// One segment of a path that names something.
pub(crate) struct Named<T>(pub(crate) T);

/// The fields of a query.
pub(crate) struct Asked<T>(pub(crate) T);

/// A body in JSON; none at all is one without fields.
pub(crate) struct Given<T>(pub(crate) T);

#[derive(Deserialize)]
struct RepoSegments {
    owner: String,
    repo: String,
}

#[derive(Deserialize)]
struct PullSegments {
    owner: String,
    repo: String,
    number: String,
}

#[derive(Deserialize)]
struct BranchSegments {
    owner: String,
    repo: String,
    branch: String,
}

#[derive(Deserialize)]
struct KeptSegments {
    command: String,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for KeptPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let KeptSegments { command, path } = segments(parts, state).await?;
        let command = command.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
        Ok(Self(command, path))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RepoPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let RepoSegments { owner, repo } = segments(parts, state).await?;
        Ok(Self(repo_name(&owner, &repo)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PullPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // Pages of a pull request have segments below it, which are read by others.
        let PullSegments { owner, repo, number } = segments(parts, state).await?;
        let invalid = |_| Problem::not_found(format!("{number:?} is not a pull request"));
        let number = PullNumber(number.parse().map_err(invalid)?);
        Ok(Self(repo_name(&owner, &repo)?, number))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BranchPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let BranchSegments { owner, repo, branch } = segments(parts, state).await?;
        let name = BranchName::new(branch);
        let name = name.map_err(|error| Problem::not_found(error.to_string()))?;
        Ok(Self(repo_name(&owner, &repo)?, name))
    }
}

impl<S, T> FromRequestParts<S> for Named<T>
where
    S: Send + Sync,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // The last segment is the one that is named; those before it are a place.
        let all: Vec<(String, String)> = segments(parts, state).await?;
        let (_, text) = all.into_iter().next_back().unwrap_or_default();
        let named = text.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
        Ok(Self(named))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(fields) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
        Ok(Self(fields))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| Problem::bad_request(error.body_text()))?;
        let fields: &[u8] = if body.is_empty() { b"{}" } else { &body };
        // Fields have names: a list of values alone would be taken for them.
        let named: Result<Map<String, Value>, _> = serde_json::from_slice(fields);
        let given = named.and_then(|named| serde_json::from_value(named.into()));
        Ok(Self(given.map_err(|error| Problem::bad_request(format!("the body: {error}")))?))
    }
}

async fn segments<T, S>(parts: &mut Parts, state: &S) -> Result<T, Problem>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    let path = Path::<T>::from_request_parts(parts, state).await;
    let Path(segments) = path.map_err(|error| Problem::not_found(error.body_text()))?;
    Ok(segments)
}

fn repo_name(owner: &str, repo: &str) -> Result<RepoName, Problem> {
    let name = RepoName::new(format!("{owner}/{repo}"));
    name.map_err(|error| Problem::not_found(error.to_string()))
}
