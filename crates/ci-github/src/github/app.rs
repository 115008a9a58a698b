//! A GitHub app: signs a short-lived claim with its key and trades it for a token per installation.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use ci_domain::forge::Timestamp;
use ci_domain::ids::{Login, RepoName};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::auth::Identity;
use super::http::{Answer, Call};
use super::pace::Kind;
use super::{GitHub, InvalidConfig};
use crate::forge::ForgeError;
use crate::moment::{TimestampParser, now};
use ci_domain::secret::Secret;

/// GitHub refuses claims from the future, and clocks differ, in seconds.
const CLOCK_SKEW: u64 = 60;
/// GitHub accepts at most ten minutes, in seconds; the skew counts.
const CLAIM_LIFETIME: u64 = 500;
/// A token that is refused within this time is not refused for its age, in seconds.
const YOUNG: u64 = 60;
/// A token is asked for anew this long before it ends, so that no call is made with a dying one, in seconds.
const RENEW_EARLY: u64 = 300;

/// What an app shows of itself: its id and the key that proves it.
#[derive(Clone, Debug)]
pub struct AppKey {
    /// The app's client id, or its numeric id.
    pub id: String,
    /// Its RSA private key in PEM format, as GitHub offers it for download.
    pub private_key: Secret,
}

/// An app whose key was understood, and the tokens it has.
pub(super) struct App {
    id: String,
    key: EncodingKey,
    tokens: Mutex<HashMap<RepoName, InstallationToken>>,
    /// Whether the newest token of a repository may write check runs.
    checks: Mutex<HashMap<RepoName, bool>>,
}

#[derive(Clone)]
struct InstallationToken {
    token: Secret,
    since: Timestamp,
    expires_at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    iat: u64,
    exp: u64,
    iss: &'a str,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct NewToken {
    token: String,
    expires_at: String,
    /// What it may do, by GitHub's word for it; absent where GitHub does not say.
    permissions: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Myself {
    slug: String,
}

impl App {
    pub(super) fn new(key: &AppKey) -> Result<Self, InvalidConfig> {
        let pem = key.private_key.expose().as_bytes();
        Ok(Self {
            id: key.id.clone(),
            key: EncodingKey::from_rsa_pem(pem).map_err(InvalidConfig::AppKey)?,
            tokens: Mutex::default(),
            checks: Mutex::default(),
        })
    }

    /// What proves for a few minutes that we are the app.
    fn claim(&self, now: Timestamp) -> Result<Secret, ForgeError> {
        let claims = Claims {
            iat: now.0.saturating_sub(CLOCK_SKEW),
            exp: now.0 + CLAIM_LIFETIME,
            iss: &self.id,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map(Secret::new)
            .map_err(|error| ForgeError::Unauthorized { message: format!("cannot sign: {error}") })
    }

    fn cached(&self, repo: &RepoName, now: Timestamp) -> Option<Secret> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |found: &&InstallationToken| now.0 + RENEW_EARLY < found.expires_at.0;
        tokens.get(repo).filter(fresh).map(|found| found.token.clone())
    }

    /// Whether check runs may be written in `repo`, as the newest token says; every app is asked before
    /// it has one.
    fn may_write_checks(&self, repo: &RepoName) -> bool {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.get(repo).copied().unwrap_or(true)
    }

    fn keep(&self, repo: &RepoName, found: InstallationToken, may_write_checks: bool) {
        self.checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(repo.clone(), may_write_checks);
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(repo.clone(), found);
    }

    /// Forgets a token that was refused; answers whether it was given only now.
    pub(super) fn forget(&self, repo: &RepoName, refused: &Secret) -> bool {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = tokens.get(repo).filter(|found| found.token == *refused) else {
            return false;
        };
        let is_young = now().0 < found.since.0 + YOUNG;
        tokens.remove(repo);
        is_young
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

impl GitHub {
    /// The token of the app's installation on `repo`, asked for when there is none that lasts.
    pub(super) async fn installation_token(
        &self,
        app: &App,
        repo: &RepoName,
    ) -> Result<Secret, ForgeError> {
        if let Some(token) = app.cached(repo, self.http.pace.now()) {
            return Ok(token);
        }
        let installation: Installation = self.installation_of(app, repo).await?;
        let id = installation.id.to_string();
        let place = self.api(&["app", "installations", &id, "access_tokens"]);
        let new: NewToken = self.as_app(app, Method::POST, place).await?;
        let expires_at = TimestampParser::parse(&new.expires_at)
            .map_err(|error| ForgeError::Malformed { reason: error.to_string() })?;
        let may = |held: BTreeMap<String, String>| held.get("checks").is_some_and(|l| l == "write");
        let token = Secret::new(new.token);
        let found = InstallationToken { token: token.clone(), since: now(), expires_at };
        app.keep(repo, found, new.permissions.is_none_or(may));
        Ok(token)
    }

    /// Whether we are an app that may write check runs in `repo`, as far as is known.
    pub(super) fn may_write_checks(&self, repo: &RepoName) -> bool {
        match self.who() {
            Identity::Token(_) => false,
            Identity::App(app) => app.may_write_checks(repo),
        }
    }

    /// What GitHub says of the app's installation on `repo`.
    pub(super) async fn installation_of<T: DeserializeOwned>(
        &self,
        app: &App,
        repo: &RepoName,
    ) -> Result<T, ForgeError> {
        self.as_app(app, Method::GET, self.repo_url(repo, &["installation"])).await
    }

    /// The login that the app's comments carry.
    pub(super) async fn app_login(&self, app: &App) -> Result<Login, ForgeError> {
        let myself: Myself = self.as_app(app, Method::GET, self.api(&["app"])).await?;
        Login::new(format!("{}[bot]", myself.slug))
            .map_err(|error| ForgeError::Malformed { reason: error.to_string() })
    }

    async fn as_app<T: DeserializeOwned>(
        &self,
        app: &App,
        method: Method,
        url: reqwest::Url,
    ) -> Result<T, ForgeError> {
        super::rest::decode(&self.send_as_app(app, method, url).await?.body)
    }

    /// Makes a call as the app itself; a claim that was refused by a clock which was not ours is signed
    /// again by GitHub's.
    pub(super) async fn send_as_app(
        &self,
        app: &App,
        method: Method,
        url: reqwest::Url,
    ) -> Result<Answer, ForgeError> {
        let send = async |now: Timestamp| {
            let (method, url, claim) = (method.clone(), url.clone(), app.claim(now)?);
            let call = Call { kind: Kind::App, method, url, token: &claim, body: None, tag: None };
            self.http.send(call).await
        };
        let first = self.http.pace.now();
        match send(first).await {
            Err(refused @ ForgeError::Unauthorized { .. }) => {
                let second = self.http.pace.now();
                if second.0.abs_diff(first.0) <= CLOCK_SKEW / 2 {
                    return Err(refused);
                }
                send(second).await
            }
            other => other,
        }
    }
}
