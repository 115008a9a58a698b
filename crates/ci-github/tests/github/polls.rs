//! What polls cost, and that saving hides nothing for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ci_domain::forge::{Head, RepoSnapshot, ReviewState, Timestamp};
use ci_domain::ids::{BranchName, Login, PullNumber};
use ci_github::fake::{CommentedOn, FakeRepo, FakeResponse, NewPull, Spent};
use ci_github::{Forge, ForgeError, GitHub};

use super::stand_in::StandIn;
use super::{client, fake, repo, scripted, sha, status};

/// Polls in a fifth of an hour, at the interval that is usual.
const POLLS: usize = 24;

fn login(name: &str) -> Login {
    Login::new(name).unwrap()
}

fn open(shop: &FakeRepo, number: usize) -> PullNumber {
    let branch = BranchName::new(format!("topic-{number}")).unwrap();
    shop.open_pull(NewPull {
        title: format!("Change {number}"),
        author: login("ada"),
        head: Head { sha: sha('b'), branch, repo: Some(repo()) },
        base: BranchName::new("main").unwrap(),
        draft: false,
    })
}

async fn poll(github: &GitHub, since: Timestamp) -> RepoSnapshot {
    let snapshot = github.snapshot(&repo()).await.unwrap();
    github.recent_comments(&repo(), since).await.unwrap();
    snapshot
}

#[tokio::test]
async fn an_idle_hour_with_200_pull_requests_costs_less_than_500_points() {
    let (fake, shop, _stand_in, github) = fake().await;
    fake.set_page_size(50);
    let last = (0..200).fold(PullNumber(0), |_, number| open(&shop, number));
    shop.comment(last, &login("ada"), "hello");
    let since = shop.comments(&CommentedOn::Pull(last))[0].created_at;
    let first = poll(&github, since).await;
    assert_eq!(first.pulls.len(), 200);
    let at_first = fake.spent();
    for _ in 1..POLLS {
        assert_eq!(poll(&github, since).await, first);
    }
    let Spent { calls, points, bytes } = fake.spent();
    println!("{at_first:?} for the first poll; {calls}, {points} and {bytes} for {POLLS}");
    assert_eq!((at_first.calls, calls), (3, 3), "what has not changed is free");
    assert!((calls + points) * 5 < 500, "{points} points");
}

#[tokio::test]
async fn every_change_is_seen_by_the_next_poll() {
    let (_, shop, _stand_in, github) = fake().await;
    let main = BranchName::new("main").unwrap();
    let pulls: Vec<PullNumber> = (0..30).map(|number| open(&shop, number)).collect();
    let old = pulls[0];
    let seen = async || {
        let snapshot = poll(&github, Timestamp(0)).await;
        (snapshot.pulls.into_iter().find(|pull| pull.number == old), snapshot.branches)
    };
    let idle = async || {
        let before = seen().await;
        for _ in 0..7 {
            assert_eq!(seen().await, before);
        }
    };
    idle().await;
    shop.push_pull(old, &sha('c'));
    assert_eq!(seen().await.0.unwrap().head.sha, sha('c'));
    idle().await;
    shop.grant(&login("grace"));
    shop.review(old, &login("grace"), ReviewState::Approved);
    assert_eq!(seen().await.0.unwrap().reviews.len(), 1);
    idle().await;
    shop.push(&main, &sha('d'));
    let tips = seen().await.1;
    assert!(tips.iter().any(|tip| tip.name == main && tip.sha == sha('d')), "{tips:?}");
    idle().await;
    shop.close(old);
    assert_eq!(seen().await.0, None);
}

#[tokio::test]
async fn what_shows_no_sign_of_a_change_is_seen_within_five_polls() {
    let (_, shop, _stand_in, github) = fake().await;
    let number = open(&shop, 1);
    shop.review(number, &login("grace"), ReviewState::Approved);
    let is_writer = async || poll(&github, Timestamp(0)).await.pulls[0].reviews[0].writer;
    assert!(!is_writer().await && !is_writer().await);
    shop.grant(&login("grace"));
    let mut polls = 1;
    while !is_writer().await {
        polls += 1;
    }
    assert!(polls <= 5, "{polls} polls");
}

#[tokio::test]
async fn a_change_whose_reading_fails_is_read_by_the_next_poll() {
    let (fake, shop, _stand_in, _) = fake().await;
    let is_ill = Arc::new(AtomicBool::new(false));
    let (behind, illness) = (fake.clone(), is_ill.clone());
    let stand_in = StandIn::start(move |request| {
        match illness.load(Ordering::Relaxed) && request.path == "/graphql" {
            true => FakeResponse { status: 502, headers: Vec::new(), body: Vec::new() },
            false => behind.answer(&request),
        }
    })
    .await;
    let (github, number) = (client(&stand_in), open(&shop, 1));
    for _ in 0..3 {
        poll(&github, Timestamp(0)).await;
    }
    shop.retitle(number, "Other");
    is_ill.store(true, Ordering::Relaxed);
    assert!(github.snapshot(&repo()).await.unwrap_err().is_passing());
    is_ill.store(false, Ordering::Relaxed);
    assert_eq!(poll(&github, Timestamp(0)).await.pulls[0].title, "Other");
}

#[tokio::test]
async fn reads_stop_before_writes_do() {
    let stand_in = StandIn::start(|request| {
        let reset = ("x-ratelimit-reset", "4000000000".to_owned());
        let left = ("x-ratelimit-remaining", "400".to_owned());
        let headers = vec![("x-ratelimit-limit", "5000".to_owned()), left, reset];
        let body = if request.method == "GET" { "[]" } else { "{}" };
        FakeResponse { status: 200, headers, body: body.as_bytes().to_vec() }
    })
    .await;
    let github = client(&stand_in);
    github.comments(&repo(), PullNumber(1)).await.unwrap();
    let error = github.comments(&repo(), PullNumber(1)).await.unwrap_err();
    assert!(matches!(error, ForgeError::RateLimited { .. }), "{error}");
    github.set_status(&repo(), &sha('a'), &status()).await.unwrap();
}

#[tokio::test]
async fn who_is_told_to_wait_does_not_knock_again() {
    let body = r#"{"message":"You have exceeded a secondary rate limit."}"#;
    let (stand_in, seen) = scripted(403, body).await;
    let github = client(&stand_in);
    for _ in 0..3 {
        let error = github.set_status(&repo(), &sha('a'), &status()).await.unwrap_err();
        assert!(matches!(error, ForgeError::RateLimited { .. }), "{error}");
        assert!(github.snapshot(&repo()).await.is_err());
    }
    assert_eq!(seen.lock().unwrap().len(), 1);
}
