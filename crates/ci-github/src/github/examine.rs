//! What GitHub lets us do in a repository, found out without changing anything there.

mod permission;

use std::collections::BTreeMap;

use ci_domain::forge::Timestamp;
use ci_domain::ids::RepoName;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use super::app::App;
use super::auth::Identity;
use super::http::time;
use super::rest::decode;
use crate::forge::ForgeError;
pub use permission::Permission;

/// A commit that no repository has: what is written to it is refused after permission was checked.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// What was found out about one repository.
#[derive(Clone, Debug)]
pub struct Examination {
    /// GitHub's clock when it answered, if it said.
    pub clock: Option<Timestamp>,
    /// Each permission that the node needs, in the order of [`Permission::ALL`].
    pub grants: Vec<Grant>,
    /// The webhooks of the repository, or the app's; an error where the credentials may not list them.
    pub hooks: Result<Vec<Hook>, ForgeError>,
}

/// Whether one permission is there.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Which.
    pub permission: Permission,
    /// How sure that is, or what was refused.
    pub answer: Answered,
}

/// What is known of a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A call that needs it went through, or the installation of the app says so.
    Granted,
    /// GitHub refused a call for want of it.
    Missing {
        /// What GitHub said.
        message: String,
    },
    /// It cannot be told without writing something.
    Untested {
        /// Why not.
        reason: String,
    },
}

/// A webhook of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Where it delivers to.
    pub url: String,
    /// Whether it is switched on.
    pub active: bool,
    /// Which events it delivers; `*` is all.
    pub events: Vec<String>,
    /// The HTTP status of its last delivery, if there was one.
    pub last_status: Option<u16>,
}

#[derive(Deserialize)]
struct Installation {
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Deserialize)]
struct HookNode {
    id: u64,
    config: HookConfig,
    active: bool,
    #[serde(default)]
    events: Vec<String>,
    last_response: Option<LastResponse>,
}

#[derive(Deserialize)]
struct HookConfig {
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct LastResponse {
    code: Option<u16>,
}

#[derive(Deserialize)]
struct Numbered {
    number: u64,
}

impl GitHub {
    /// Finds out what the credentials may do in `repo`, without changing anything.
    ///
    /// An app's installation lists its permissions. With a token each is tried: reads by reading, writes
    /// by a call that cannot succeed and that GitHub refuses for another reason where it is permitted.
    ///
    /// # Errors
    /// The repository itself cannot be read, so nothing else is worth asking.
    pub async fn examine(&self, repo: &RepoName) -> Result<Examination, ForgeError> {
        let place = self.repo_url(repo, &[]);
        let answer = self.rest(repo, Method::GET, place, None).await?;
        let clock = time(&answer.headers);
        if let Identity::App(app) = self.who() {
            let installation: Installation = self.installation_of(&app, repo).await?;
            let useful = Permission::ALL.into_iter().filter(|one| one.is_for(true));
            let grants = useful.map(|one| Grant::held(one, &installation.permissions)).collect();
            let hooks = self.app_hook(&app, installation.events).await;
            return Ok(Examination { clock, grants, hooks });
        }
        let hooks = self.list_hooks(repo).await;
        let grants = self.try_each(repo, &hooks).await?;
        let hooks = hooks.map(|nodes| nodes.into_iter().map(HookNode::into_hook).collect());
        Ok(Examination { clock, grants, hooks })
    }

    async fn try_each(
        &self,
        repo: &RepoName,
        hooks: &Result<Vec<HookNode>, ForgeError>,
    ) -> Result<Vec<Grant>, ForgeError> {
        let mut grants = Vec::with_capacity(Permission::ALL.len());
        for permission in Permission::ALL.into_iter().filter(|one| one.is_for(false)) {
            let answer = match permission {
                Permission::Webhooks => self.try_redelivery(repo, hooks).await,
                _ => self.try_one(repo, permission).await?,
            };
            grants.push(Grant { permission, answer });
        }
        Ok(grants)
    }

    async fn try_one(
        &self,
        repo: &RepoName,
        permission: Permission,
    ) -> Result<Answered, ForgeError> {
        let read: &[&str] = match permission {
            // The repository was read.
            Permission::Metadata => return Ok(Answered::Granted),
            Permission::Contents => &["commits"],
            Permission::Pulls => &["pulls"],
            Permission::Comments => &["issues", "comments"],
            Permission::Statuses => &["commits", "HEAD", "status"],
            Permission::SetStatuses => return self.try_status(repo).await,
            Permission::WriteComments => return self.try_comment(repo).await,
            Permission::CommitComments => return self.try_commit_comment(repo).await,
            Permission::Checks | Permission::Webhooks => {
                return Ok(untested("it is not for tokens, or tried with the webhooks"));
            }
        };
        let mut url = self.repo_url(repo, read);
        url.query_pairs_mut().append_pair("per_page", "1");
        let answer = self.rest(repo, Method::GET, url, None).await;
        match answer {
            // An empty repository has no commits, which is not for want of permission.
            Err(ForgeError::Rejected { status: 409 | 422, .. }) => Ok(Answered::Granted),
            other => refused(other),
        }
    }

    /// Sets the status of a commit that cannot be.
    async fn try_status(&self, repo: &RepoName) -> Result<Answered, ForgeError> {
        let url = self.repo_url(repo, &["statuses", NO_COMMIT]);
        let body = json!({ "state": "pending", "context": "ci-node/doctor" });
        let answer = self.rest(repo, Method::POST, url, Some(body)).await;
        expect_rejection(answer)
    }

    /// Posts a comment without text on the newest pull request, if there is one.
    async fn try_comment(&self, repo: &RepoName) -> Result<Answered, ForgeError> {
        let mut url = self.repo_url(repo, &["pulls"]);
        url.query_pairs_mut().append_pair("state", "all").append_pair("per_page", "1");
        let pulls = match self.rest(repo, Method::GET, url, None).await {
            Ok(answer) => decode::<Vec<Numbered>>(&answer.body)?,
            Err(_) => return Ok(untested("pull requests cannot be read")),
        };
        let Some(pull) = pulls.first() else {
            return Ok(untested("there is no pull request to try it on"));
        };
        let url = self.repo_url(repo, &["issues", &pull.number.to_string(), "comments"]);
        let answer = self.rest(repo, Method::POST, url, Some(json!({ "body": "" }))).await;
        expect_rejection(answer)
    }

    /// Posts a comment without text on a commit that cannot be.
    async fn try_commit_comment(&self, repo: &RepoName) -> Result<Answered, ForgeError> {
        let url = self.repo_url(repo, &["commits", NO_COMMIT, "comments"]);
        let answer = self.rest(repo, Method::POST, url, Some(json!({ "body": "" }))).await;
        match answer {
            // There is no such commit; the repository itself was read.
            Err(ForgeError::NotFound { .. }) => Ok(Answered::Granted),
            other => expect_rejection(other),
        }
    }

    /// Asks for a delivery that there never was to be made again.
    async fn try_redelivery(
        &self,
        repo: &RepoName,
        hooks: &Result<Vec<HookNode>, ForgeError>,
    ) -> Answered {
        let hook = match hooks {
            Ok(hooks) => hooks.first(),
            Err(error) => return Answered::Missing { message: format!("GitHub did not {error}") },
        };
        let Some(hook) = hook else { return Answered::Granted };
        let place = ["hooks", &hook.id.to_string(), "deliveries", "0", "attempts"];
        match self.rest(repo, Method::POST, self.repo_url(repo, &place), None).await {
            Err(ForgeError::Unauthorized { message }) => Answered::Missing { message },
            _ => Answered::Granted,
        }
    }

    async fn list_hooks(&self, repo: &RepoName) -> Result<Vec<HookNode>, ForgeError> {
        self.list(repo, self.repo_url(repo, &["hooks"])).await
    }

    /// The webhook of the app, which delivers what its installation subscribes to.
    async fn app_hook(&self, app: &App, events: Vec<String>) -> Result<Vec<Hook>, ForgeError> {
        let place = self.api(&["app", "hook", "config"]);
        let answer = self.send_as_app(app, Method::GET, place).await?;
        let HookConfig { url } = decode(&answer.body)?;
        Ok(vec![Hook { url, active: true, events, last_status: None }])
    }
}

impl Grant {
    fn held(permission: Permission, held: &BTreeMap<String, String>) -> Self {
        let (key, to_write) = permission.in_installation();
        let level = held.get(key).map(String::as_str);
        let is_enough = match level {
            Some("write" | "admin") => true,
            Some("read") => !to_write,
            _ => false,
        };
        let missing = || Answered::Missing {
            message: format!("the installation has `{key}: {}`", level.unwrap_or("none")),
        };
        Self { permission, answer: if is_enough { Answered::Granted } else { missing() } }
    }
}

impl HookNode {
    fn into_hook(self) -> Hook {
        let Self { config, active, events, last_response, .. } = self;
        let last_status = last_response.and_then(|last| last.code);
        Hook { url: config.url, active, events, last_status }
    }
}

/// What the end of a read says about the permission to read.
fn refused<T>(answer: Result<T, ForgeError>) -> Result<Answered, ForgeError> {
    match answer {
        Ok(_) => Ok(Answered::Granted),
        Err(ForgeError::Unauthorized { message }) => Ok(Answered::Missing { message }),
        // GitHub hides what a token may not see.
        Err(error @ ForgeError::NotFound { .. }) => {
            Ok(Answered::Missing { message: format!("GitHub did not {error}") })
        }
        Err(error) => Err(error),
    }
}

/// What the end of a write that cannot succeed says about the permission to write.
fn expect_rejection<T>(answer: Result<T, ForgeError>) -> Result<Answered, ForgeError> {
    match answer {
        Err(ForgeError::Rejected { .. }) => Ok(Answered::Granted),
        other => refused(other),
    }
}

fn untested(reason: &str) -> Answered {
    Answered::Untested { reason: reason.to_owned() }
}
