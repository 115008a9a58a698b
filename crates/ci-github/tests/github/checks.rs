//! Check runs: what goes over the wire, and who may write them.

use ci_domain::annotation::{Annotation, Level};
use ci_domain::forge::{CheckId, CheckState, CheckWrite, StandingCheck};
use ci_github::fake::{FakeGitHub, FakeRepo};
use ci_github::{AppKey, Credentials, Forge, ForgeError, GitHub, GitHubConfig, Secret};
use serde_json::json;

use super::stand_in::StandIn;
use super::{config, fake, repo, scripted, sha};

const PRIVATE_KEY: &str = include_str!("../keys/app.pem");
const PUBLIC_KEY: &str = include_str!("../keys/app.pub.pem");

fn mark(line: u32) -> Annotation {
    Annotation {
        level: Level::Failure,
        path: "lib/cart.rs".to_owned(),
        line,
        column: line.is_multiple_of(2).then_some(7),
        title: Some("E0425".to_owned()),
        message: "cannot find value `x`".to_owned(),
    }
}

fn check(state: CheckState, annotations: Vec<Annotation>) -> CheckWrite {
    CheckWrite {
        name: "continuous-integration/ci/lib:test".to_owned(),
        reference: "p1-1-1".to_owned(),
        state,
        details_url: Some("https://ci.example.com/acme/shop/pull/1".to_owned()),
        title: "failed".to_owned(),
        summary: "It failed.".to_owned(),
        annotations,
    }
}

fn as_app(url: &str) -> GitHub {
    let key = AppKey { id: "Iv1.abc".to_owned(), private_key: Secret::new(PRIVATE_KEY) };
    GitHub::new(GitHubConfig { credentials: Credentials::App(key), ..config(url) }).unwrap()
}

async fn app() -> (FakeGitHub, FakeRepo, StandIn, GitHub) {
    let (fake, shop, stand_in, _) = fake().await;
    fake.install_app(PUBLIC_KEY);
    let github = as_app(&stand_in.url);
    (fake, shop, stand_in, github)
}

#[tokio::test]
async fn a_check_run_gathers_marks_and_is_found_again() {
    let (fake, shop, _stand_in, github) = app().await;
    let (repo, sha, name) = (repo(), sha('a'), check(CheckState::Running, Vec::new()).name);
    fake.set_page_size(1);
    assert_eq!(github.standing_check(&repo, &sha, &name).await, Ok(None));
    let running = check(CheckState::Running, Vec::new());
    let earlier = github.create_check(&repo, &sha, &running).await.unwrap();
    let id = github.create_check(&repo, &sha, &running).await.unwrap();
    assert_ne!(earlier, id);
    for from in [1, 51, 101] {
        let marks = (from..from + 50).map(mark).collect();
        github.update_check(&repo, id, &check(CheckState::Failure, marks)).await.unwrap();
    }
    let expected = StandingCheck {
        id,
        reference: "p1-1-1".to_owned(),
        state: Some(CheckState::Failure),
        annotations: 150,
    };
    assert_eq!(github.standing_check(&repo, &sha, &name).await, Ok(Some(expected)));
    let there = shop.checks(&sha).pop().unwrap();
    assert_eq!(there.shows, check(CheckState::Failure, (1..=150).map(mark).collect()));
    assert_eq!(there.batches, [0, 50, 50, 50]);
}

#[tokio::test]
async fn github_takes_no_more_than_fifty_marks_at_once() {
    let (_, shop, stand_in, _) = fake().await;
    shop.github().install_app(PUBLIC_KEY);
    let many = check(CheckState::Failure, (1..=51).map(mark).collect());
    let error = shop.github().create_check(&repo(), &sha('a'), &many).await.unwrap_err();
    assert!(error.to_string().contains("No more than 50 items"), "{error}");
    drop(stand_in);
}

#[tokio::test]
async fn only_an_app_that_may_writes_check_runs() {
    let (fake, _, stand_in, person) = fake().await;
    let running = check(CheckState::Running, Vec::new());
    assert!(!person.takes_checks(&repo()));
    let error = person.create_check(&repo(), &sha('a'), &running).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unauthorized { .. }), "{error}");

    fake.install_app(PUBLIC_KEY);
    fake.take_permission("checks");
    let github = as_app(&stand_in.url);
    github.snapshot(&repo()).await.unwrap();
    assert!(!github.takes_checks(&repo()), "its token says so");
    let calls = fake.calls();
    let error = github.create_check(&repo(), &sha('a'), &running).await.unwrap_err();
    assert!(error.to_string().contains("checks: write"), "{error}");
    assert_eq!(fake.calls(), calls, "nobody was asked");
}

#[tokio::test]
async fn check_runs_of_others_are_not_ours_whatever_they_are_called() {
    let run = |id: u64, slug: &str| {
        json!({ "id": id, "external_id": "x", "status": "completed", "conclusion": "success",
            "output": { "annotations_count": 0 }, "app": { "slug": slug } })
    };
    let body = json!({ "token": "ghs_x", "expires_at": "2099-01-01T00:00:00Z", "id": 42,
        "slug": "ci-app", "check_runs": [run(7, "ci-app"), run(9, "github-actions")] });
    let (stand_in, _) = scripted(200, Box::leak(body.to_string().into_boxed_str())).await;
    let found = as_app(&stand_in.url).standing_check(&repo(), &sha('a'), "x").await.unwrap();
    assert_eq!(found.unwrap().id, CheckId(7));
}
