//! Pages: what they say, that nothing from outside is markup, and that buttons need a proof.

use ci_web::ReadAccess;
use ci_web::wire::{JobState, Role};
use hyper::StatusCode;

use crate::support::http::{get, post};
use crate::support::node::Node;
use crate::support::until;

const FORM: &str = "application/x-www-form-urlencoded";
const TITLE: &str = "<script>alert(1)</script> & \"more\"";

/// The value of the first hidden proof of a page.
fn proof(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"proof\" value=\"").expect("the page has a form");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_pull_request_is_explained_and_retried() {
    let node = Node::start(ReadAccess::Public).await;
    let jobs = "  bad:\n    - printf '\\033[31m<b>red</b>\\033[0m\\033]0;x\\007\\n'; exit 3\n  good:\n    - echo fine\n";
    let number = node.open_pull(TITLE, jobs);
    let failed = node.job(number, |job| job.state == JobState::Failed).await;
    let attempt = failed.attempt.unwrap();
    node.job(number, |job| job.state == JobState::Passed).await;
    let at = async |path: &str| get(path).of(node.address).await.text();

    let home = at("/").await;
    assert!(home.contains("href=\"/acme/shop\"") && home.contains("1 failing"), "{home}");
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;";
    let repo = at("/acme/shop").await;
    assert!(repo.contains(escaped) && repo.contains("app:bad failed"), "{repo}");
    let pull = at("/acme/shop/pull/1").await;
    assert!(pull.contains(escaped) && !pull.contains("<script>"), "{pull}");
    assert!(
        pull.contains("What is missing") && pull.contains("a new head that mends it"),
        "{pull}"
    );
    assert!(!pull.contains("<form method=\"post\" action=\"/acme"), "strangers have no buttons");
    let job = at(&format!("/acme/shop/pull/1/jobs/{attempt}")).await;
    let line = "</span><span><span class=\"f1\">&lt;b&gt;red&lt;/b&gt;</span></span></div>";
    assert!(job.contains(line) && job.contains("exit 3"), "{job}");
    let (_, rest) = job.split_once("<div class=\"l\" id=\"").expect("a line");
    let (id, rest) = rest.split_once("-L1\"><a href=\"").expect("its number");
    let whole = at(rest.split('#').next().unwrap()).await;
    assert!(whole.contains(line) && whole.contains("<div class=\"l\" id=\"L1\">"), "{whole}");
    assert!(whole.contains(&format!("data-log=\"/logs/{attempt}.{id}\"")), "{whole}");
    assert!(at("/system").await.contains("class=\"depth1\""), "the tree is shown");

    let session = node.log_in(&node.token(Role::Build).await).await;
    let page = get("/acme/shop/pull/1").cookie(&session).of(node.address).await.text();
    let body = format!("verb=retry&what=app%3Abad&proof={}", proof(&page));
    let act = "/acme/shop/pull/1/act";
    let stranger = post(act, FORM, body.clone()).of(node.address).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    let forged =
        post(act, FORM, "verb=retry&what=&proof=x").cookie(&session).of(node.address).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let retried = post(act, FORM, body).cookie(&session).of(node.address).await;
    assert_eq!(
        (retried.status, retried.header("location")),
        (StatusCode::SEE_OTHER, "/acme/shop/pull/1")
    );
    let is_new = |job: &ci_web::wire::Job| {
        job.state == JobState::Failed && job.attempt.as_deref() != Some(&attempt)
    };
    node.job(number, is_new).await;
    let earlier = at(&format!("/acme/shop/pull/1/jobs/{attempt}")).await;
    assert!(earlier.contains("an earlier attempt") && earlier.contains("exit 3"), "{earlier}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_has_the_pages_that_its_statuses_lead_to() {
    let node = Node::start(ReadAccess::Public).await;
    node.push_branch("release/1", "  test: {on: [branch], steps: [\"echo shipped\"]}\n");
    let at = async |path: &str| get(path).of(node.address).await.text();
    let jobs = "href=\"/acme/shop/branch/release%2F1/jobs/";
    let page = until("the branch to pass", async || {
        let page = at("/acme/shop/branch/release%2F1").await;
        (page.contains("passed</span>") && page.contains(jobs)).then_some(page)
    })
    .await;
    assert!(page.contains("release/1</bdi></h1>") && page.contains("tip <code>"), "{page}");
    let (_, rest) = page.split_once(jobs).unwrap();
    let attempt = rest.split('"').next().unwrap();
    let job = at(&format!("/acme/shop/branch/release%2F1/jobs/{attempt}")).await;
    assert!(job.contains("app:test") && job.contains("<span>shipped</span></div>"), "{job}");
    assert!(page.contains("Time in jobs") && page.contains("1 of 1 jobs passed"), "{page}");
    let badge = get("/acme/shop/badge.svg?branch=release%2F1").of(node.address).await;
    assert_eq!(badge.header("content-type"), "image/svg+xml");
    assert!(badge.text().contains("release/1: passing"), "{}", badge.text());
    let repo = at("/acme/shop").await;
    assert!(repo.contains("href=\"/acme/shop/branch/release%2F1\""), "{repo}");
    for nothing in ["release%2F2", "release%2F1/jobs/a1-t0-b1-1", "%00"] {
        let answer = get(&format!("/acme/shop/branch/{nothing}")).of(node.address).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{nothing}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_browsers_to_be_careful() {
    let node = Node::start(ReadAccess::Public).await;
    for path in
        ["/", "/login", "/nothing/here/at/all", "/api/v1/status", "/api/v1/nothing", "/healthz"]
    {
        let answer = get(path).of(node.address).await;
        let policy = answer.header("content-security-policy");
        let strict = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';";
        assert!(policy.starts_with(strict) && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        // What has a name may be kept by its reader, who asks each time whether it still holds.
        let kept = if path == "/api/v1/status" { "private, no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), kept, "{path}");
        let body = answer.text();
        let inline = ["<script>", " style=", " onclick=", " onload=", "javascript:"];
        assert!(!inline.iter().any(|mark| body.contains(mark)), "{path}");
    }
    let home = get("/").of(node.address).await.text();
    for (mark, content_type) in [
        ("rel=\"stylesheet\" href=\"", "text/css; charset=utf-8"),
        ("<script src=\"", "text/javascript; charset=utf-8"),
    ] {
        let (_, rest) = home.split_once(mark).unwrap();
        let asset = get(rest.split('"').next().unwrap()).of(node.address).await;
        assert_eq!(asset.header("content-type"), content_type);
        assert!(asset.header("cache-control").contains("immutable"), "{content_type}");
    }
    let icon = get("/assets/good.svg").of(node.address).await;
    assert_eq!(icon.header("content-type"), "image/svg+xml");
    assert_eq!(get("/assets/old.css").of(node.address).await.status, StatusCode::NOT_FOUND);
    node.stop().await;
}
