//! How often somebody may ask, and be wrong about who they are.

use std::time::Duration;

use ci_web::wire::Role;
use ci_web::{Limit, Limits};
use hyper::StatusCode;

use crate::support::http::{Answer, get, post};
use crate::support::hub::Hub;
use crate::support::node::Node;

const FORM: &str = "application/x-www-form-urlencoded";
/// Nothing comes back while a test lasts, however slow the machine is.
const PER: Duration = Duration::from_secs(1_000_000);
const REQUESTS: u32 = 5;
const FAILURES: u32 = 3;

fn assert_too_many(answer: &Answer, kind: &str) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.text());
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    assert!(answer.header("content-type").starts_with(kind), "{}", answer.header("content-type"));
}

async fn node() -> Node {
    let limit = |count| Limit { count, per: PER };
    let limits = Limits { requests: limit(REQUESTS), failed_logins: limit(FAILURES) };
    Node::start_limited(limits).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_asks_too_often_waits_and_no_other() {
    let node = node().await;
    let (busy, other) = (node.token(Role::Read).await, node.token(Role::Read).await);
    let ask = async |token: &str| get("/api/v1/repos").bearer(token).of(node.address).await;
    for _ in 0..REQUESTS {
        assert_eq!(ask(&busy).await.status, StatusCode::OK);
    }
    assert_too_many(&ask(&busy).await, "application/problem+json");
    assert_eq!(ask(&other).await.status, StatusCode::OK);
    for path in ["/healthz", "/readyz"] {
        let answer = get(path).bearer(&busy).of(node.address).await;
        assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    let delivery = post("/webhooks/github", "application/json", "{}").bearer(&busy);
    let answer = delivery.of(node.address).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "it is not signed, and was looked at");
    let client = node.client().await;
    for _ in 0..3 * REQUESTS {
        client.repos().await.unwrap();
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_from_github_without_saying_who_they_are_may_do_so_a_few_times() {
    let node = node().await;
    let _hub = Hub::start(&node, "https://ci.test", &[]).await;
    let come_back = async |answer: &str| {
        let out = get("/login/github").of(node.address).await;
        let cookie = out.header("set-cookie").split(';').next().unwrap().to_owned();
        let (_, rest) = out.header("location").split_once("state=").unwrap();
        let state = rest.split('&').next().unwrap();
        let back = format!("/login/github/back?state={state}&{answer}");
        get(&back).cookie(&cookie).of(node.address).await
    };
    for answer in ["error=access_denied", "code=guess", "code=guess"] {
        assert_eq!(come_back(answer).await.status, StatusCode::FORBIDDEN, "{answer}");
    }
    for answer in ["error=access_denied", "code=guess"] {
        assert_too_many(&come_back(answer).await, "text/html");
    }
    let kept = node.client().await.audit(None, 100).await.unwrap();
    assert_eq!(kept.len(), FAILURES as usize, "a flood is not put on record");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_is_sent_away_and_who_knows_comes_in() {
    let node = node().await;
    let token = node.token(Role::Read).await;
    let guess = async || post("/login", FORM, "token=guess").of(node.address).await;
    for _ in 0..FAILURES - 1 {
        assert_eq!(guess().await.status, StatusCode::UNAUTHORIZED);
    }
    let bearer = async || get("/api/v1/repos").bearer("guess").of(node.address).await;
    assert_eq!(bearer().await.status, StatusCode::UNAUTHORIZED);
    assert_too_many(&guess().await, "text/html");
    assert_too_many(&bearer().await, "application/problem+json");
    let entered = post("/login", FORM, format!("token={token}")).of(node.address).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "nobody else is kept out by that");
    node.stop().await;
}
