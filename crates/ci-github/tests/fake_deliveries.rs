//! The fake's webhooks: signed, readable, and true to what happened.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use ci_domain::forge::{ForgeEvent, Head, PullNews, ReviewState};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_github::Secret;
use ci_github::fake::{FakeGitHub, FakeRepo, NewPull};
use ci_github::webhook::{Delivery, verify};
use serde_json::Value;

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

fn world() -> (FakeGitHub, FakeRepo, PullNumber) {
    let github = FakeGitHub::new();
    let repo = github.add_repo(RepoName::new("acme/shop").unwrap(), branch("main"), sha('a'));
    let number = repo.open_pull(NewPull {
        title: "Add a cart".to_owned(),
        author: Login::new("ada").unwrap(),
        head: Head { sha: sha('b'), branch: branch("cart"), repo: Some(repo.name().clone()) },
        base: branch("main"),
        draft: false,
    });
    (github, repo, number)
}

/// The events that the webhooks so far tell, each in one line.
fn told(github: &FakeGitHub) -> Vec<String> {
    let secret = Secret::new(FakeGitHub::WEBHOOK_SECRET);
    let tell = |delivery: ci_github::fake::SignedDelivery| {
        verify(&secret, Some(&delivery.signature), &delivery.body).unwrap();
        let read = Delivery::parse(delivery.headers(), &delivery.body).unwrap();
        assert_eq!(read.repo.unwrap().as_str(), "acme/shop");
        match read.event {
            ForgeEvent::PullChanged { number, news: PullNews::Hint { .. } } => {
                let payload: Value = serde_json::from_slice(&delivery.body).unwrap();
                let head = payload["pull_request"]["head"]["sha"].as_str().unwrap();
                format!("{} {number} {head:.1}", read.name)
            }
            ForgeEvent::Pushed { branch, sha, .. } => {
                format!("push {branch} {:.1}", sha.as_ref().map_or("-", CommitSha::as_str))
            }
            ForgeEvent::Commented(found) => {
                format!("comment {} {}", found.pull, found.comment.body)
            }
            other => format!("{other:?}"),
        }
    };
    github.take_deliveries().into_iter().map(tell).collect()
}

#[test]
fn every_act_is_told() {
    let (github, repo, number) = world();
    assert_eq!(told(&github), ["pull_request 1 b"]);
    let grace = Login::new("grace").unwrap();

    repo.push_pull(number, &sha('c'));
    assert_eq!(told(&github), ["push cart c", "pull_request 1 c"]);

    let review = repo.review(number, &grace, ReviewState::Approved);
    repo.dismiss(number, review);
    assert_eq!(told(&github), ["pull_request_review 1 c", "pull_request_review 1 c"]);

    repo.comment(number, &grace, "/ci retry");
    assert_eq!(told(&github), ["comment 1 /ci retry"]);

    repo.set_draft(number, true);
    repo.retitle(number, "Add a basket");
    repo.retarget(number, branch("release/1"));
    repo.close(number);
    repo.reopen(number);
    assert_eq!(told(&github), ["pull_request 1 c"; 5]);

    repo.merge(number, &sha('d'));
    repo.delete_branch(&branch("cart"));
    assert_eq!(told(&github), ["pull_request 1 c", "push release/1 d", "push cart -"]);
}

#[test]
fn no_two_deliveries_share_an_id() {
    let (github, repo, number) = world();
    repo.close(number);
    repo.reopen(number);
    let mut ids: Vec<_> = github.take_deliveries().into_iter().map(|sent| sent.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_push_to_a_branch_moves_its_pull_requests() {
    let (_, repo, number) = world();
    repo.push(&branch("cart"), &sha('e'));
    assert_eq!(repo.pull(number).head.sha, sha('e'));
    repo.close(number);
    repo.push(&branch("cart"), &sha('f'));
    assert_eq!(repo.pull(number).head.sha, sha('e'));
}
