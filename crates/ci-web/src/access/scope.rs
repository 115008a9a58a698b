//! What a request is about, as far as a person's rights go by it: the repositories that its path names.
//!
//! Nothing is left to handlers: a path that names no repository, be it by an attempt or a command, is about
//! all of them, and so demands the right to all of them.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use ci_domain::ids::{AttemptId, RepoName};
use futures_util::{StreamExt, stream};

use super::Person;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::Role;

/// Questions to the forge at once.
const AT_ONCE: usize = 8;

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The node, with all its repositories.
    Node,
    /// These repositories.
    Repos(Vec<RepoName>),
    /// Something that is nobody's.
    Nothing(String),
    /// Whatever is the caller's own.
    Own,
}

impl Scope {
    /// What the path of a request names.
    pub(crate) async fn of(parts: &mut Parts, site: &Site) -> Self {
        let Ok(segments) = RawPathParams::from_request_parts(parts, site).await else {
            return Self::Node;
        };
        let find = |wanted: &str| {
            segments.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
        };
        let mut repos = Vec::new();
        if let (Some(owner), Some(repo)) = (find("owner"), find("repo")) {
            match RepoName::new(format!("{owner}/{repo}")) {
                Ok(name) => repos.push(name),
                Err(error) => return Self::Nothing(error.to_string()),
            }
        }
        if let Some(text) = find("attempt").or_else(|| attempt_of(&find("command")?)) {
            let known = text.parse().ok().map(|attempt: AttemptId| site.node().repos_of(&attempt));
            match known {
                Some(owners) if !owners.is_empty() => repos.extend(owners),
                _ => return Self::Nothing(format!("there is no attempt {text}")),
            }
        }
        if repos.is_empty() { Self::Node } else { Self::Repos(repos) }
    }
}

/// The attempt that a command is part of; below a page of an attempt the command's own name is enough.
fn attempt_of(command: &str) -> Option<String> {
    command.split_once('.').map(|(attempt, _)| attempt.to_owned())
}

/// Makes sure that `person` may do what `role` may with all that is in `scope`. What they may not even look
/// at is said not to be there.
pub(super) async fn demand(
    person: &Person,
    role: Role,
    scope: &Scope,
    site: &Site,
) -> Result<(), Problem> {
    if site.is_administrator(person) {
        return Ok(());
    }
    match scope {
        Scope::Own if role == Role::Read => Ok(()),
        Scope::Node if role == Role::Read => {
            let is_all = readable(person, site).await.len() == site.node().repos().len();
            is_all.then_some(()).ok_or_else(|| {
                let why = "this is about all repositories, and you cannot read all of them";
                Problem::new(StatusCode::FORBIDDEN, why)
            })
        }
        Scope::Own | Scope::Node => {
            let why = "this is for administrators of the node";
            Err(Problem::new(StatusCode::FORBIDDEN, why))
        }
        Scope::Nothing(what) => Err(Problem::not_found(what.clone())),
        Scope::Repos(repos) => {
            for repo in repos {
                demand_one(person, role, repo, site).await?;
            }
            Ok(())
        }
    }
}

async fn demand_one(
    person: &Person,
    role: Role,
    repo: &RepoName,
    site: &Site,
) -> Result<(), Problem> {
    match site.standings().role(person, repo, role, site).await? {
        None => Err(ci_build::AskError::NoRepo(repo.clone()).into()),
        Some(held) if held < role => {
            let needed = if role == Role::Admin { "admin" } else { "write" };
            let why = format!("{} needs {needed} access to {repo} on GitHub", person.login);
            Err(Problem::new(StatusCode::FORBIDDEN, why))
        }
        Some(_) => Ok(()),
    }
}

/// The repositories that `person` may look at, in order. Of which the forge does not tell, they may not.
pub(super) async fn readable(person: &Person, site: &Site) -> Vec<RepoName> {
    if site.is_administrator(person) {
        return site.node().repos();
    }
    let one = |repo: RepoName| async move {
        let found = site.standings().role(person, &repo, Role::Read, site).await;
        found.ok().flatten().map(|_| repo)
    };
    let all = stream::iter(site.node().repos()).map(one).buffered(AT_ONCE);
    all.filter_map(std::future::ready).collect().await
}
