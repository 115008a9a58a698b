//! How refusals and limits come through, and what is never said.

use std::time::Duration;

use ci_domain::forge::Head;
use ci_domain::forge::Timestamp;
use ci_domain::ids::PullNumber;
use ci_domain::ids::{BranchName, Login};
use ci_github::fake::{CommentedOn, FakeGitHub, NewPull};
use ci_github::{Credentials, Forge, ForgeError, GitHub, InvalidConfig, Secret, Window};

use super::{client, config, fake, now, repo, scripted, sha, status};

#[tokio::test]
async fn each_kind_of_error_keeps_its_kind_over_http() {
    let (fake, _, stand_in, github) = fake().await;
    for error in [
        ForgeError::Transient {
            reason: "status 502: ill".to_owned(),
            retry_after: Some(Duration::from_secs(7)),
        },
        ForgeError::Unauthorized { message: "Bad credentials".to_owned() },
        ForgeError::Rejected { status: 422, message: "too many statuses".to_owned() },
    ] {
        let sent = match &error {
            ForgeError::Transient { retry_after, .. } => {
                ForgeError::Transient { reason: "ill".to_owned(), retry_after: *retry_after }
            }
            other => other.clone(),
        };
        fake.fail_next(sent);
        assert_eq!(github.set_status(&repo(), &sha('a'), &status()).await, Err(error));
    }
    fake.fail_next(ForgeError::Malformed { reason: String::new() });
    let error = github.comments(&repo(), PullNumber(1)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Malformed { .. }), "{error}");
    let error = ForgeError::RateLimited { until: Timestamp(now() + 60) };
    fake.fail_next(error.clone());
    assert_eq!(github.set_status(&repo(), &sha('a'), &status()).await, Err(error));
    client(&stand_in).set_status(&repo(), &sha('a'), &status()).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_leaves_the_comment_and_an_error() {
    let (fake, shop, _stand_in, github) = fake().await;
    let ada = Login::new("ada").unwrap();
    let main = BranchName::new("main").unwrap();
    let branch = BranchName::new("cart").unwrap();
    let head = Head { sha: sha('b'), branch, repo: Some(repo()) };
    let new = NewPull { title: String::new(), author: ada, head, base: main, draft: false };
    let number = shop.open_pull(new);
    for forge in [&fake as &dyn Forge, &github] {
        fake.drop_next_answer();
        let error = forge.create_comment(&repo(), number, "once").await.unwrap_err();
        assert!(error.is_passing(), "{error}");
    }
    assert_eq!(shop.comments(&CommentedOn::Pull(number)).len(), 2);
    fake.set_offline(true);
    assert!(github.snapshot(&repo()).await.unwrap_err().is_passing());
    fake.set_offline(false);
    assert_eq!(github.snapshot(&repo()).await.unwrap().pulls[0].number, number);
}

#[tokio::test]
async fn the_budget_is_what_github_said_last() {
    let (fake, _, _stand_in, github) = fake().await;
    fake.set_clock(Timestamp(1_000_000));
    assert_eq!(github.budget(), ci_github::Budget::default());
    github.set_status(&repo(), &sha('a'), &status()).await.unwrap();
    let window = Window { limit: 5000, remaining: 4999, reset_at: Timestamp(1_003_600) };
    assert_eq!((github.budget().rest, github.budget().graphql), (Some(window), None));
    github.snapshot(&repo()).await.unwrap();
    assert_eq!(github.budget().graphql, Some(window));
}

#[tokio::test]
async fn new_credentials_count_from_the_next_call() {
    let (_, _, stand_in, _) = fake().await;
    let mut config = config(&stand_in.url);
    config.credentials = Credentials::Token(Secret::new("expired"));
    let github = GitHub::new(config).unwrap();
    let error = github.identity().await.unwrap_err();
    assert_eq!(error, ForgeError::Unauthorized { message: "Bad credentials".to_owned() });
    github.replace_credentials(Credentials::Token(Secret::new(FakeGitHub::TOKEN))).unwrap();
    assert_eq!(github.identity().await.unwrap().as_str(), FakeGitHub::LOGIN);
}

#[tokio::test]
async fn no_error_and_no_debug_output_shows_the_token() {
    let (stand_in, _) = scripted(403, r#"{"message":"no"}"#).await;
    let config = config(&stand_in.url);
    let mut shown = format!("{config:?}");
    let github = GitHub::new(config).unwrap();
    let error = github.snapshot(&repo()).await.unwrap_err();
    shown += &format!("{github:?} {error:?} {error}");
    assert!(!shown.contains(FakeGitHub::TOKEN), "{shown}");
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    for url in ["", "github.com", "ftp://github.com", "file:///etc/passwd"] {
        let error = GitHub::new(config(url)).unwrap_err();
        assert!(matches!(error, InvalidConfig::Url { key: "api_url", .. }), "{error}");
    }
    for token in ["", "two words", "line\nbreak", "ghp_ü"] {
        let mut config = config("https://api.github.com");
        config.credentials = Credentials::Token(Secret::new(token));
        assert!(matches!(GitHub::new(config), Err(InvalidConfig::Token)), "{token:?}");
    }
}
