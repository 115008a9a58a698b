//! How tests went, as people and programs are told.

use ci_web::ReadAccess;
use ci_web::wire::{JobState, JobTests, Role};
use hyper::StatusCode;

use crate::support::http::{get, post};
use crate::support::node::Node;
use crate::support::until;

/// What is said of a pull request's tests, a line each.
async fn told(node: &Node, token: &str) -> Vec<String> {
    let tests = "/api/v1/repos/acme/shop/pulls/1/tests";
    let tests = get(tests).bearer(token).of(node.address).await.json();
    let tests: Vec<JobTests> = serde_json::from_value(tests).unwrap();
    let mut lines = Vec::new();
    for job in tests {
        lines.push(format!("{}: {} of {}", job.job, job.failed, job.passed + job.failed));
        lines.extend(job.tests.iter().map(|test| {
            let end = if test.fails { "fails" } else { "passes" };
            format!("{} {} {end}", test.judgement.words(), test.name)
        }));
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_told_with_what_it_is_worth() {
    let node = Node::start(ReadAccess::Token).await;
    let flag = node.path("flag");
    let case =
        |name: &str, inner: &str| format!("<testcase name=\\\"{name}\\\">{inner}</testcase>");
    let (failed, flag_path) = ("<failure>&lt;b&gt;no</failure>", flag.display());
    let steps = format!(
        "  bad:\n    - run: \"exec > r.xml; echo '<testsuite>{}{}'; if [ -e {flag_path} ]; then echo '{}'; \
         else echo '{}'; fi; echo '</testsuite>'; exit 1\"\n      reports: {{junit: r.xml}}\n",
        case("good", ""),
        case("bad", failed),
        case("wavers", ""),
        case("wavers", failed),
    );
    let number = node.open_pull("red", &steps);
    let first = node.job(number, |job| job.state == JobState::Failed).await.attempt.unwrap();
    let token = node.token(Role::Build).await;
    let expected = ["app:bad: 2 of 3", "new failure bad fails", "new failure wavers fails"];
    assert_eq!(told(&node, &token).await, expected);

    std::fs::write(&flag, "").unwrap();
    let retry = "/api/v1/repos/acme/shop/pulls/1/retry";
    let again = post(retry, "application/json", "{}").bearer(&token).of(node.address).await;
    assert_eq!(again.status, StatusCode::OK);
    let is_second = |job: &ci_web::wire::Job| {
        job.state == JobState::Failed && job.attempt.as_ref() != Some(&first)
    };
    let second = node.job(number, is_second).await.attempt.unwrap();
    let expected = ["app:bad: 1 of 3", "new failure bad fails", "flaky wavers passes"];
    until("what is said of the second attempt", async || {
        (told(&node, &token).await == expected).then_some(())
    })
    .await;

    let cookie = node.log_in(&token).await;
    for path in ["/acme/shop/pull/1".to_owned(), format!("/acme/shop/pull/1/jobs/{second}")] {
        let page = get(&path).header("cookie", &cookie).of(node.address).await.text();
        for text in
            ["1 failed (1 new), 2 passed, 1 flaky", "<pre>&lt;b&gt;no</pre>", "<code>wavers</code>"]
        {
            assert!(page.contains(text), "{text} on {path}: {page}");
        }
    }
    node.stop().await;
}
