//! What GitHub lets somebody do in a repository.

use ci_domain::ids::{Login, RepoName};
use reqwest::Method;
use serde::Deserialize;

use super::GitHub;
use super::rest::decode;
use crate::forge::ForgeError;
use crate::standing::Standing;

#[derive(Deserialize)]
struct Permission {
    permission: String,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
}

impl GitHub {
    /// Asks by login, as one must, and believes the answer only if it is about the account of that number:
    /// a login that was given up can be taken by another.
    pub(super) async fn read_standing(
        &self,
        repo: &RepoName,
        login: &Login,
        id: u64,
    ) -> Result<Standing, ForgeError> {
        let url = self.repo_url(repo, &["collaborators", login.as_str(), "permission"]);
        let answer = match self.rest(repo, Method::GET, url, None).await {
            Ok(answer) => answer,
            Err(ForgeError::NotFound { .. }) => return Ok(Standing::None),
            Err(error) => return Err(error),
        };
        let found: Permission = decode(&answer.body)?;
        if found.user.is_none_or(|user| user.id != id) {
            return Ok(Standing::None);
        }
        Ok(match found.permission.as_str() {
            "admin" => Standing::Admin,
            "write" | "maintain" => Standing::Write,
            "read" | "triage" => Standing::Read,
            _ => Standing::None,
        })
    }
}
