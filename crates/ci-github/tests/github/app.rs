//! A GitHub app: the claim it signs, and the tokens it gets for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ci_domain::forge::Timestamp;
use ci_github::fake::{FakeGitHub, FakeRequest, FakeResponse};
use ci_github::{
    Answered, AppKey, Credentials, Forge, ForgeError, GitHub, GitHubConfig, InvalidConfig,
    Permission, Secret, TimestampParser,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::json;

use super::stand_in::StandIn;
use super::{Seen, config, now, repo, sha, status};

const PRIVATE_KEY: &str = include_str!("../keys/app.pem");
const PUBLIC_KEY: &[u8] = include_bytes!("../keys/app.pub.pem");

#[derive(Deserialize)]
struct Claims {
    iat: u64,
    exp: u64,
    iss: String,
}

fn app(url: &str, private_key: &str) -> GitHubConfig {
    let key = AppKey { id: "Iv1.abc".to_owned(), private_key: Secret::new(private_key) };
    GitHubConfig { credentials: Credentials::App(key), ..config(url) }
}

/// GitHub's side: checks the claim, hands out tokens that last until `expires_at`.
async fn github(expires_at: Timestamp) -> (StandIn, Seen) {
    let seen = Seen::default();
    let record = seen.clone();
    let stand_in = StandIn::start(move |request| {
        let body = match request.path.as_str() {
            "/app" | "/repos/acme/shop/installation" => {
                assert_is_the_app(&request);
                json!({ "slug": "ci-node", "id": 42 })
            }
            "/app/installations/42/access_tokens" => {
                assert_is_the_app(&request);
                json!({ "token": "ghs_short", "expires_at": TimestampParser::format(expires_at) })
            }
            _ => {
                assert_eq!(request.authorization.as_deref(), Some("Bearer ghs_short"));
                json!({})
            }
        };
        record.lock().unwrap().push(request);
        FakeResponse { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
    })
    .await;
    (stand_in, seen)
}

/// The claims that a request makes, where it makes any.
fn claims_of(request: &FakeRequest) -> Option<Claims> {
    let claim = request.authorization.as_deref()?.strip_prefix("Bearer ")?;
    let key = DecodingKey::from_rsa_pem(PUBLIC_KEY).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    decode::<Claims>(claim, &key, &validation).ok().map(|found| found.claims)
}

fn assert_is_the_app(request: &FakeRequest) {
    let claims = claims_of(request).unwrap();
    assert!(claims.exp > now());
    assert_eq!(claims.iss, "Iv1.abc");
    assert!(claims.exp - claims.iat <= 600, "GitHub accepts at most ten minutes");
}

async fn paths_of_two_calls(expires_at: Timestamp) -> Vec<String> {
    let (stand_in, seen) = github(expires_at).await;
    let github = GitHub::new(app(&stand_in.url, PRIVATE_KEY)).unwrap();
    for _ in 0..2 {
        github.set_status(&repo(), &sha('a'), &status()).await.unwrap();
    }
    std::mem::take(&mut *seen.lock().unwrap()).into_iter().map(|request| request.path).collect()
}

#[tokio::test]
async fn a_token_is_asked_for_once_while_it_lasts() {
    let installation = "/repos/acme/shop/installation";
    let tokens = "/app/installations/42/access_tokens";
    let write = format!("/repos/acme/shop/statuses/{}", sha('a'));
    let lasting = paths_of_two_calls(Timestamp(4_000_000_000)).await;
    assert_eq!(lasting, [installation, tokens, &write, &write]);
    let dying = paths_of_two_calls(Timestamp(1_000_000_000)).await;
    assert_eq!(dying, [installation, tokens, &write, installation, tokens, &write]);
}

#[tokio::test]
async fn claims_go_by_githubs_clock_where_ours_is_off() {
    const AHEAD: u64 = 1000;
    let stand_in = StandIn::start(|request| {
        let theirs = now() + AHEAD;
        let date = jiff::Timestamp::from_second(i64::try_from(theirs).unwrap()).unwrap();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let iat = claims_of(&request).map(|claims| claims.iat);
        let is_timely = iat.is_none_or(|iat| iat <= theirs && theirs - iat < 600);
        let (status, body) = match request.path.as_str() {
            _ if !is_timely => {
                (401, json!({ "message": "'Expiration time' claim ('exp') is too old" }))
            }
            "/repos/acme/shop/installation" => (200, json!({ "id": 42 })),
            "/app/installations/42/access_tokens" => {
                let expires_at = TimestampParser::format(Timestamp(theirs + 3600));
                (201, json!({ "token": "ghs_short", "expires_at": expires_at }))
            }
            _ => (201, json!({})),
        };
        let body = body.to_string().into_bytes();
        FakeResponse { status, headers: vec![("date", date)], body }
    })
    .await;
    let github = GitHub::new(app(&stand_in.url, PRIVATE_KEY)).unwrap();
    github.set_status(&repo(), &sha('a'), &status()).await.unwrap();
}

#[tokio::test]
async fn a_refused_token_is_asked_for_anew() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let stand_in = StandIn::start(move |request| {
        let (status, body) = match request.path.as_str() {
            "/graphql" => (401, json!({ "message": "Bad credentials" })),
            "/repos/acme/shop/installation" => (200, json!({ "id": 42 })),
            "/app/installations/42/access_tokens" => {
                count.fetch_add(1, Ordering::Relaxed);
                (201, json!({ "token": "ghs_revoked", "expires_at": "2099-01-01T00:00:00Z" }))
            }
            _ => (404, json!({ "message": "Not Found" })),
        };
        FakeResponse { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    })
    .await;
    let github = GitHub::new(app(&stand_in.url, PRIVATE_KEY)).unwrap();
    for _ in 0..2 {
        let error = github.snapshot(&repo()).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unauthorized { .. }), "{error}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn an_app_comments_as_a_bot() {
    let (stand_in, _) = github(Timestamp(4_000_000_000)).await;
    let github = GitHub::new(app(&stand_in.url, PRIVATE_KEY)).unwrap();
    assert_eq!(github.identity().await.unwrap().as_str(), "ci-node[bot]");
    let shown = format!("{github:?} {:?}", app("https://x", PRIVATE_KEY));
    assert!(!shown.contains("BEGIN RSA") && !shown.contains(FakeGitHub::TOKEN), "{shown}");
}

#[test]
fn a_key_that_is_none_is_refused() {
    let error = GitHub::new(app("https://api.github.com", "not a key")).unwrap_err();
    assert!(matches!(error, InvalidConfig::AppKey(_)), "{error}");
}

#[tokio::test]
async fn an_installation_lists_what_it_may() {
    let stand_in = StandIn::start(|request| {
        let body = match request.path.as_str() {
            "/repos/acme/shop/installation" => {
                assert_is_the_app(&request);
                let permissions = json!({ "metadata": "read", "contents": "read",
                    "pull_requests": "write", "issues": "read", "statuses": "write" });
                json!({ "id": 42, "permissions": permissions, "events": ["push"] })
            }
            "/app/installations/42/access_tokens" => {
                json!({ "token": "ghs_short", "expires_at": "2099-01-01T00:00:00Z" })
            }
            "/repos/acme/shop" => json!({}),
            "/app/hook/config" => json!({ "url": "https://ci.example.com/webhooks/github" }),
            other => panic!("nobody asked for {other}"),
        };
        FakeResponse { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
    })
    .await;
    let github = GitHub::new(app(&stand_in.url, PRIVATE_KEY)).unwrap();
    let found = github.examine(&repo()).await.unwrap();
    let missing = found.grants.iter().filter(|grant| grant.answer != Answered::Granted);
    let missing: Vec<_> = missing.map(|grant| (grant.permission, grant.answer.clone())).collect();
    let held = |what: &str| Answered::Missing { message: format!("the installation has `{what}`") };
    let expected = [
        (Permission::WriteComments, held("issues: read")),
        (Permission::CommitComments, held("contents: read")),
        (Permission::Checks, held("checks: none")),
    ];
    assert_eq!(missing, expected);
    let [hook] = <[_; 1]>::try_from(found.hooks.unwrap()).unwrap();
    assert_eq!(hook.events, ["push"]);
    assert_eq!(hook.url, "https://ci.example.com/webhooks/github");
}
