//! People who sign in by their account on GitHub, and what they may do then.

use ci_domain::ids::Login;
use ci_github::Standing;
use ci_github::fake::FakeRequest;
use ci_web::ReadAccess;
use ci_web::wire::JobState;
use hyper::StatusCode;
use tokio::task::block_in_place;

use crate::support::browser::{Browser, Window};
use crate::support::http::{Answer, get, post};
use crate::support::hub::Hub;
use crate::support::node::Node;

const FORM: &str = "application/x-www-form-urlencoded";
const PUBLIC: &str = "https://ci.test";
const PULL: &str = "/acme/shop/pull/1";

fn login(name: &str) -> Login {
    Login::new(name).unwrap()
}

/// Everything of a cookie that a browser sends back.
fn pair(answer: &Answer, name: &str) -> String {
    let cookies = answer.headers.get_all("set-cookie").iter();
    let texts = cookies.map(|value| value.to_str().unwrap());
    let mut found = texts.filter(|text| text.starts_with(name));
    found.next().expect("the cookie").split(';').next().unwrap().to_owned()
}

/// Somebody sets out for GitHub: the cookie they get, and where they go.
async fn set_out(node: &Node, next: &str) -> (String, String) {
    let sent = get(&format!("/login/github?next={next}")).of(node.address).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    (pair(&sent, "__Host-ci_node_sign_in"), sent.header("location").to_owned())
}

/// They agree there, and are sent back to this path.
fn agree(node: &Node, page: &str, who: &str) -> String {
    let (_, query) = page.split_once('?').unwrap();
    let answer = node.github.answer(&FakeRequest {
        method: "POST".to_owned(),
        path: "/login/oauth/authorize".to_owned(),
        user_agent: Some("a browser".to_owned()),
        body: format!("{query}&login={who}").into_bytes(),
        ..FakeRequest::default()
    });
    let (_, place) = answer.headers.into_iter().find(|(name, _)| *name == "location").unwrap();
    place.strip_prefix(PUBLIC).unwrap().to_owned()
}

/// The session of somebody who signs in.
async fn sign_in(node: &Node, who: &str) -> String {
    let (cookie, page) = set_out(node, "/").await;
    let back = get(&agree(node, &page, who)).cookie(&cookie).of(node.address).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text());
    pair(&back, "__Host-ci_node_session")
}

fn proof(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"proof\" value=\"").expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_set_out_comes_in_and_only_once() {
    let node = Node::start(ReadAccess::Token).await;
    assert_eq!(get("/login/github").of(node.address).await.status, StatusCode::NOT_FOUND);
    let _hub = Hub::start(&node, PUBLIC, &[]).await;
    let entry = get("/system?x=1&y=2").of(node.address).await;
    assert_eq!(entry.status, StatusCode::UNAUTHORIZED);
    let link = "href=\"/login/github?next=/system%3Fx%3D1%26y%3D2\"";
    assert!(entry.text().contains(link), "{}", entry.text());

    let (cookie, page) = set_out(&node, "/system%3Fx%3D1").await;
    let back = agree(&node, &page, "ada");
    let (other, _) = set_out(&node, "/").await;
    for stranger in [None, Some(&other)] {
        let asked = get(&back);
        let asked = stranger.into_iter().fold(asked, |asked, cookie| asked.cookie(cookie));
        let answer = asked.of(node.address).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(!answer.headers.contains_key("set-cookie"), "{}", answer.text());
    }
    let planted = format!("__Host-ci_node_session={}", "0a".repeat(32));
    let both = format!("{cookie}; {planted}");
    let came = get(&back).cookie(&both).of(node.address).await;
    assert_eq!((came.status, came.header("location")), (StatusCode::SEE_OTHER, "/system?x=1"));
    let session = pair(&came, "__Host-ci_node_session");
    assert_ne!(session, planted);
    assert_eq!(pair(&came, "__Host-ci_node_sign_in"), "__Host-ci_node_sign_in=");
    let again = get(&back).cookie(&cookie).of(node.address).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "the code was used");

    let refused = get(&agree(&node, &page, "")).cookie(&cookie).of(node.address).await;
    assert!(refused.text().contains("GitHub did not say who you are"), "{}", refused.text());
    for next in ["//evil.example", "https://evil.example", "/%5Cevil.example"] {
        let (cookie, page) = set_out(&node, next).await;
        let came = get(&agree(&node, &page, "ada")).cookie(&cookie).of(node.address).await;
        assert_eq!((came.status, came.header("location")), (StatusCode::SEE_OTHER, "/"), "{next}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_may_do_here_what_they_may_do_there() {
    let node = Node::start(ReadAccess::Token).await;
    let _hub = Hub::start(&node, PUBLIC, &["Root"]).await;
    node.repo.hide();
    node.repo.set_standing(&login("ada"), Standing::Write);
    node.repo.set_standing(&login("bob"), Standing::Read);
    node.repo.set_standing(&login("cleo"), Standing::Admin);
    let number = node.open_pull("red", "  bad:\n    - echo no; exit 3\n");
    let (cookie, page) = set_out(&node, "/").await;
    let eve = get(&agree(&node, &page, "eve")).cookie(&cookie).of(node.address).await;
    assert_eq!(eve.status, StatusCode::FORBIDDEN);
    assert!(eve.text().contains("no repository here"), "{}", eve.text());

    let act = format!("{PULL}/act");
    let lift = "/api/v1/repos/acme/shop/quarantine/1";
    // Who, whether they build, and what the list of tokens says to them.
    let people = [
        ("bob", false, StatusCode::FORBIDDEN),
        ("ada", true, StatusCode::FORBIDDEN),
        ("cleo", true, StatusCode::FORBIDDEN),
        ("root", true, StatusCode::OK),
    ];
    for (who, builds, tokens) in people {
        node.job(number, |job| job.state == JobState::Failed).await;
        let session = sign_in(&node, who).await;
        let status = async |path: &str| get(path).cookie(&session).of(node.address).await.status;
        for path in
            ["/", "/acme/shop", "/system", "/queues", "/api/v1/status", "/api/v1/quarantine"]
        {
            assert_eq!(status(path).await, StatusCode::OK, "{who} {path}");
        }
        assert_eq!(status("/api/v1/tokens").await, tokens, "{who}");
        let page = get(PULL).cookie(&session).of(node.address).await.text();
        assert_eq!(page.contains("/act\""), builds, "{who}");
        assert!(page.contains(&format!("Signed in as {who}")), "{page}");
        let body = format!("verb=retry&what=app%3Abad&proof={}", proof(&page));
        let answer = post(&act, FORM, body).cookie(&session).of(node.address).await;
        let is_refused = answer.status == StatusCode::FORBIDDEN;
        assert_eq!(is_refused, !builds, "{who}: {}", answer.text());
        let lifted = crate::support::http::ask(hyper::Method::DELETE, lift).cookie(&session);
        assert_eq!(lifted.of(node.address).await.status, StatusCode::UNAUTHORIZED, "{who}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_read_any_more_looks_like_what_is_not_there() {
    let node = Node::start(ReadAccess::Token).await;
    let _hub = Hub::start(&node, PUBLIC, &[]).await;
    let number = node.open_pull("red", "  bad:\n    - echo no; exit 3\n");
    let attempt = node.job(number, |job| job.state == JobState::Failed).await.attempt.unwrap();
    let session = sign_in(&node, "bob").await;
    node.repo.set_standing(&login("bob"), Standing::None);
    let web = node.process.hub().find("ci-node/web").unwrap();
    web.kill();
    web.gone().await;
    let look = async |path: &str| get(path).cookie(&session).of(node.address).await;
    let absent = look("/api/v1/repos/acme/none/pulls").await;
    let hidden = look("/api/v1/repos/acme/shop/pulls").await;
    assert_eq!((absent.status, hidden.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert_eq!(absent.text().replace("none", "shop"), hidden.text());
    let log = format!("/api/v1/commands/{attempt}.0-1/log");
    let of_attempt = format!("/api/v1/jobs/{attempt}");
    let page = format!("{PULL}/jobs/{attempt}");
    for path in [PULL, &page, &of_attempt, &log, "/acme/shop/badge.svg", "/acme/shop/branch/main"] {
        assert_eq!(look(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/system", "/queues", "/metrics", "/api/v1/status"] {
        assert_eq!(look(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let home = look("/").await;
    assert!(home.status == StatusCode::OK && !home.text().contains("acme"), "{}", home.text());
    assert_eq!(look("/api/v1/repos").await.json(), serde_json::json!([]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_github_keeps_nobody_out_who_was_in_and_lets_nobody_do_more() {
    let node = Node::start(ReadAccess::Token).await;
    let _hub = Hub::start(&node, PUBLIC, &[]).await;
    node.repo.set_standing(&login("bob"), Standing::Read);
    let session = sign_in(&node, "bob").await;
    node.github.set_offline(true);
    let page = get("/acme/shop").cookie(&session).of(node.address).await;
    assert_eq!(page.status, StatusCode::OK, "what was said lately holds");
    let web = node.process.hub().find("ci-node/web").unwrap();
    web.kill();
    web.gone().await;
    let unknown = get("/acme/shop").cookie(&session).of(node.address).await;
    assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE, "nothing was said at all");
    node.github.set_offline(false);
    assert_eq!(get("/acme/shop").cookie(&session).of(node.address).await.status, StatusCode::OK);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_runs_a_job_again_and_leaves() {
    let Some(mut browser) = Browser::start() else { return };
    let node = Node::start_known_as(ReadAccess::Token, |at| format!("http://{at}")).await;
    let public = format!("http://{}", node.address);
    let _hub = Hub::start(&node, &public, &[]).await;
    node.repo.set_standing(&login("ada"), Standing::Write);
    node.github.log_in(&login("ada"));
    node.github.log_in(&login("eve"));
    let number = node.open_pull("red", "  bad:\n    - echo no; exit 3\n");
    let first = node.job(number, |job| job.state == JobState::Failed).await.attempt.unwrap();
    block_in_place(|| {
        browser.resize(Window(390, 844, "dark"));
        browser.open(&format!("{public}{PULL}"));
        browser.until("the way in", "document.querySelector('a[href^=\"/login/github\"]')");
        browser.value("document.querySelector('a[href^=\"/login/github\"]').click()");
        browser.until("GitHub's page", "document.title === 'GitHub'");
        browser.value("document.getElementById('ada').click()");
        browser.until("the pull request", &format!("location.pathname === '{PULL}'"));
        browser.until("a button", "document.querySelector('.jobs form button')");
    });
    let web = node.process.hub().find("ci-node/web").unwrap();
    web.kill();
    web.gone().await;
    block_in_place(|| browser.value("document.querySelector('.jobs form button').click()"));
    let is_new = |job: &ci_web::wire::Job| {
        job.state == JobState::Failed && job.attempt.as_deref() != Some(&first)
    };
    node.job(number, is_new).await;
    block_in_place(|| {
        browser.until("the page again", &format!("location.pathname === '{PULL}'"));
        browser.until("the way out", "document.querySelector('form[action=\"/logout\"] button')");
        browser.value("document.querySelector('form[action=\"/logout\"] button').click()");
        browser.until("the way in", "document.querySelector('a[href^=\"/login/github\"]')");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    });
    node.stop().await;
}
