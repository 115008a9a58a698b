//! The fake's app: a key that signs claims, and tokens of its installation that live for a while.

use std::time::{SystemTime, UNIX_EPOCH};

use ci_domain::forge::Timestamp;
use ci_domain::ids::Login;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::FakeGitHub;
use super::http::{FakeRequest, Reply};
use super::model::{Model, our_login};
use super::shown;
use crate::forge::ForgeError;
use crate::moment::TimestampParser;

/// The number of the one installation.
const INSTALLATION: &str = "42";
/// GitHub's tokens live an hour, in seconds.
const TOKEN_LIFETIME: u64 = 3600;
/// GitHub takes claims that are good for ten minutes at most, in seconds.
const CLAIM_LIFETIME: u64 = 600;

/// An app as GitHub knows it.
pub(super) struct App {
    key: DecodingKey,
    /// How long tokens live, in seconds.
    lifetime: u64,
    tokens: Vec<Token>,
    permissions: Vec<(String, String)>,
}

struct Token {
    text: String,
    expires_at: u64,
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Someone with a personal token.
    Person,
    /// The app, by a claim that it signed.
    App,
    /// The app's installation, by a token that was handed out.
    Installation,
}

#[derive(Deserialize)]
struct Claims {
    iat: u64,
    exp: u64,
}

impl FakeGitHub {
    /// The login that the app's own comments carry.
    pub const BOT: &str = "ci-app[bot]";

    /// Installs an app in every repository whose claims this public key proves, with all permissions; from
    /// now on it is the app that writes.
    ///
    /// # Panics
    /// Panics where that is no RSA key in PEM format.
    pub fn install_app(&self, public_key: &str) {
        let key = DecodingKey::from_rsa_pem(public_key.as_bytes()).expect("an RSA key in PEM");
        let permissions = [
            ("metadata", "read"),
            ("contents", "write"),
            ("pull_requests", "read"),
            ("issues", "write"),
            ("statuses", "write"),
            ("checks", "write"),
            ("members", "read"),
        ];
        let permissions = permissions.map(|(name, level)| (name.to_owned(), level.to_owned()));
        let (lifetime, tokens) = (TOKEN_LIFETIME, Vec::new());
        self.model().app = Some(App { key, lifetime, tokens, permissions: permissions.to_vec() });
    }

    /// Makes tokens that are handed out from now on live so many seconds.
    pub fn set_token_lifetime(&self, lifetime: u64) {
        self.with_app(|app| app.lifetime = lifetime);
    }

    /// Takes a permission from the app, such as `checks`; tokens that it has keep theirs.
    pub fn take_permission(&self, name: &str) {
        self.with_app(|app| app.permissions.retain(|(held, _)| held != name));
    }

    /// How many tokens were handed out.
    #[must_use]
    pub fn tokens_handed_out(&self) -> usize {
        self.model().app.as_ref().map_or(0, |app| app.tokens.len())
    }

    fn with_app(&self, change: impl FnOnce(&mut App)) {
        change(self.model().app.as_mut().expect("an app was installed"));
    }

    /// Who makes a call; `None` where GitHub would not believe it.
    pub(super) fn caller(&self, request: &FakeRequest) -> Option<Caller> {
        let bearer = request.authorization.as_deref()?.strip_prefix("Bearer ")?;
        if bearer == Self::TOKEN {
            return Some(Caller::Person);
        }
        self.model().app.as_ref()?.caller(bearer)
    }
}

impl App {
    /// What it may do, by GitHub's words.
    pub(super) fn may(&self, name: &str, level: &str) -> bool {
        self.permissions.iter().any(|(held, at)| held == name && at == level)
    }

    fn caller(&self, bearer: &str) -> Option<Caller> {
        let is_alive = |token: &Token| token.text == bearer && now() < token.expires_at;
        if self.tokens.iter().any(is_alive) {
            return Some(Caller::Installation);
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        let claims = decode::<Claims>(bearer, &self.key, &validation).ok()?.claims;
        let is_good = claims.iat <= now() && claims.exp <= now() + CLAIM_LIFETIME;
        is_good.then_some(Caller::App)
    }

    fn hand_out(&mut self) -> Value {
        let expires_at = now() + self.lifetime;
        let text = format!("ghs_fake{}", self.tokens.len() + 1);
        self.tokens.push(Token { text: text.clone(), expires_at });
        json!({
            "token": text,
            "expires_at": TimestampParser::format(Timestamp(expires_at)),
            "permissions": self.permissions(),
        })
    }

    fn permissions(&self) -> Value {
        self.permissions.iter().map(|(name, level)| (name.clone(), level.clone())).collect()
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("permissions", &self.permissions).finish_non_exhaustive()
    }
}

impl Model {
    /// The login of what is written by us.
    pub(super) fn ourselves(&self) -> Login {
        match &self.app {
            Some(_) => Login::new(FakeGitHub::BOT).expect("the constant is a login"),
            None => our_login(),
        }
    }
}

/// Answers what only the app itself may ask.
pub(super) fn answer(
    github: &FakeGitHub,
    request: &FakeRequest,
    caller: Caller,
    segments: &[&str],
) -> Option<Result<Reply, ForgeError>> {
    let is_hers = matches!(segments, ["app", ..] | ["repos", _, _, "installation"]);
    match (is_hers, caller) {
        (false, Caller::App) => {
            let message = "A JSON web token is for calls of the app itself".to_owned();
            Some(Err(ForgeError::Unauthorized { message }))
        }
        (false, _) => None,
        (true, Caller::App) => Some(answer_app(github, request, segments)),
        (true, _) => {
            let message = "A JSON web token could not be decoded".to_owned();
            Some(Err(ForgeError::Unauthorized { message }))
        }
    }
}

fn answer_app(
    github: &FakeGitHub,
    request: &FakeRequest,
    segments: &[&str],
) -> Result<Reply, ForgeError> {
    github.read(|_| Ok(()))?;
    let mut model = github.model();
    let hook = model.hook.clone();
    let app = model.app.as_mut().ok_or(ForgeError::NotFound { what: "app".to_owned() })?;
    match (request.method.as_str(), segments) {
        ("GET", ["app"]) => Ok(Reply::ok(200, shown::app(slug()))),
        ("GET", ["repos", .., "installation"]) => {
            Ok(Reply::ok(200, shown::installation(INSTALLATION, &app.permissions())))
        }
        ("POST", ["app", "installations", INSTALLATION, "access_tokens"]) => {
            Ok(Reply::ok(201, shown::installation_token(&app.hand_out())))
        }
        ("GET", ["app", "hook", "config"]) => {
            let url = hook.unwrap_or_default();
            Ok(Reply::ok(200, json!({ "content_type": "json", "insecure_ssl": "0", "url": url })))
        }
        // Nobody has failed to take a delivery.
        ("GET", ["app", "hook", "deliveries"]) => Ok(Reply::ok(200, json!([]))),
        _ => Err(ForgeError::NotFound { what: request.path.clone() }),
    }
}

/// What the app is called in addresses, and in the login of what it writes.
pub(super) fn slug() -> &'static str {
    FakeGitHub::BOT.trim_end_matches("[bot]")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
