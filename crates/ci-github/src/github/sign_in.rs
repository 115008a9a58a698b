//! Signing people in: GitHub tells who somebody is, and they need no account with us.
//!
//! ```text
//! browser            node                                 GitHub
//!    │── sign in ───►│                                      │
//!    │◄─ page() ─────│   state, S256 of the verifier        │
//!    │── that address, the person agrees ──────────────────►│
//!    │◄─ back, with a code and the state ───────────────────│
//!    │── code ──────►│── code, verifier, client secret ────►│
//!    │               │◄─ a token, used for one question ────│
//! ```
//!
//! The token says who they are and is forgotten. What they may do is asked with the node's own credentials.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ci_domain::ids::Login;
use ci_domain::secret::Secret;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Url, redirect};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::http::{API_VERSION, CONNECT_TIMEOUT, USER_AGENT, read, unreachable};
use super::nodes::malformed;
use super::rest::decode;
use super::{InvalidConfig, url};
use crate::forge::ForgeError;

/// The OAuth application, or the GitHub App, that people agree to.
#[derive(Clone, Debug)]
pub struct SignInConfig {
    /// Where people go, such as `https://github.com`.
    pub web_url: String,
    /// The REST API's root, such as `https://api.github.com`.
    pub api_url: String,
    /// What GitHub calls the application.
    pub client_id: String,
    /// What proves that we are it.
    pub client_secret: Secret,
    /// How long one call may take.
    pub timeout: Duration,
}

/// Signs people in.
#[derive(Debug)]
pub struct SignIn {
    client: Client,
    authorize_url: Url,
    token_url: Url,
    user_url: Url,
    client_id: String,
    client_secret: Secret,
}

/// Who somebody is on GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Their number, which stays theirs.
    pub id: u64,
    /// Their login as of now.
    pub login: Login,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// GitHub does not take the code; whoever brought it may begin anew.
    #[error("sign in: GitHub says {0}")]
    Refused(String),
    /// GitHub does not answer, or not as it should.
    #[error("sign in")]
    Forge(#[from] ForgeError),
}

/// What a code is traded for, or why not: both come with status 200.
#[derive(Deserialize)]
struct Grant {
    access_token: Option<Secretive>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
}

/// A token on its way from JSON.
struct Secretive(Secret);

impl<'de> Deserialize<'de> for Secretive {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

impl SignIn {
    /// Makes the client; nothing is sent yet.
    ///
    /// # Errors
    /// Names the part of the configuration that cannot be used.
    pub fn new(config: SignInConfig) -> Result<Self, InvalidConfig> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(config.timeout)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(InvalidConfig::Client)?;
        let below = |key, root: &str, segments: &[&str]| {
            let mut url = url(key, root)?;
            let mut path = url.path_segments_mut().expect("an http URL has a path");
            path.pop_if_empty().extend(segments);
            drop(path);
            Ok(url)
        };
        Ok(Self {
            client,
            authorize_url: below("web_url", &config.web_url, &["login", "oauth", "authorize"])?,
            token_url: below("web_url", &config.web_url, &["login", "oauth", "access_token"])?,
            user_url: below("api_url", &config.api_url, &["user"])?,
            client_id: config.client_id,
            client_secret: config.client_secret,
        })
    }

    /// Where somebody goes to say who they are. They come back to `back` with `state` and a code, which is
    /// worth nothing without `verifier`: 43 to 128 letters and digits that nobody can guess.
    #[must_use]
    pub fn page(&self, state: &str, verifier: &str, back: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let mut url = self.authorize_url.clone();
        // Without a scope: what everybody can see is enough.
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("state", state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        url.into()
    }

    /// Trades a code for the person who brought it.
    ///
    /// # Errors
    /// GitHub does not take the code, or does not answer.
    pub async fn account(
        &self,
        code: &str,
        verifier: &str,
        back: &str,
    ) -> Result<Account, SignInError> {
        let fields = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose())
            .append_pair("code", code)
            .append_pair("redirect_uri", back)
            .append_pair("code_verifier", verifier)
            .finish();
        let asked = self
            .client
            .post(self.token_url.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(fields);
        let grant: Grant = decode(&send(asked).await?)?;
        let token = match grant {
            Grant { access_token: Some(token), .. } => token.0,
            Grant { error, .. } => {
                return Err(SignInError::Refused(error.unwrap_or_else(|| "nothing".to_owned())));
            }
        };
        let asked = self
            .client
            .get(self.user_url.clone())
            .header(ACCEPT, "application/vnd.github+json")
            .header("X-GitHub-Api-Version", API_VERSION)
            .bearer_auth(token.expose());
        let user: User = decode(&send(asked).await?)?;
        let login = Login::new(user.login).map_err(malformed)?;
        Ok(Account { id: user.id, login })
    }
}

/// The body of an answer of success.
async fn send(request: RequestBuilder) -> Result<Vec<u8>, ForgeError> {
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = read(response).await?;
    if status.is_success() {
        return Ok(body);
    }
    let message = format!("{} characters of an error", body.len());
    Err(match status.is_server_error() {
        true => ForgeError::Transient { reason: status.to_string(), retry_after: None },
        false => ForgeError::Rejected { status: status.as_u16(), message },
    })
}
