//! Pull requests that nobody should open: each is told what is wrong with it, and no other is harmed.

use ci_github::Secret;
use ci_github::fake::{FakeGitHub, SignedDelivery};

use crate::repository::Change;
use crate::world::{NO_APPROVAL, World};

const FILES: [(&str, &str); 7] = [
    NO_APPROVAL,
    ("lib/ci.yaml", "jobs:\n  test: ['echo \"$CI_BRANCH\" >> {outside}']\n"),
    ("lib/word", "hello\n"),
    ("shop/ci.yaml", "depends_on: [lib]\njobs:\n  test: ['true']\n"),
    ("solo/ci.yaml", "jobs:\n  test: ['true']\n"),
    ("solo/page", "words\n"),
    ("README.md", "A shop.\n"),
];
const GREEN: &str = "success pull request can be merged";

/// A pull request by its branch and what it changes, and what its umbrella says in the end.
struct Case {
    branch: &'static str,
    changes: Vec<Change>,
    umbrella: &'static str,
}

fn cases() -> Vec<Case> {
    let case = |branch, changes, umbrella| Case { branch, changes, umbrella };
    let word = |word: &str| vec![Change::file("lib/word", word)];
    let megabytes = "# nothing but words\n".repeat((10 << 20) / 20);
    vec![
        case("vanishes", vec![Change::gone("solo/ci.yaml"), Change::gone("solo/page")], GREEN),
        case(
            "is-missed",
            vec![Change::gone("lib/ci.yaml")],
            "failure shop/ci.yaml:1: there is no component `lib` to depend on",
        ),
        case(
            "huge",
            vec![Change::file("lib/ci.yaml", megabytes)],
            "failure lib/ci.yaml:1: the file has 10485760 bytes, more than 262144",
        ),
        case(
            "link",
            vec![Change::link("lib/ci.yaml", "../solo/ci.yaml")],
            "failure lib/ci.yaml:1: a component file must be a plain file, not a symbolic link",
        ),
        case(
            "mergeable",
            vec![Change::file("mergeable/ci.yaml", "jobs: {test: ['true']}\n")],
            "failure mergeable/ci.yaml:1: component \"mergeable\" is invalid",
        ),
        case(
            "broken",
            vec![Change::file("lib/ci.yaml", "jobs:\n  test: [true\n")],
            "failure lib/ci.yaml:2: unclosed bracket '['",
        ),
        case("--upload-pack=x", word("option\n"), GREEN),
        case("it's-\"quoted\"-$(touch${IFS}x)-🦀", word("quoted\n"), GREEN),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_pull_request_is_told_what_is_wrong_with_it() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let open = |case: Case| (world.open(case.branch, &case.changes), case);
    let all: Vec<_> = cases().into_iter().map(open).collect();
    world.deliver(&node).await;
    for (pull, Case { branch, umbrella, .. }) in &all {
        let what = format!("{branch} to say: {umbrella}");
        world.until(&what, || world.umbrella(*pull).starts_with(umbrella)).await;
        let page = node.get(&format!("/acme/shop/pull/{pull}")).await;
        assert!(page.status().is_success(), "{branch}");
    }
    let mut branches = world.outside();
    branches.sort();
    assert_eq!(branches, ["--upload-pack=x", "it's-\"quoted\"-$(touch${IFS}x)-🦀"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_was_deleted_waits_and_says_why() {
    let world = World::new(&FILES).await;
    let pull = world.open("deleted", &[Change::file("lib/word", "bye\n")]);
    let other = world.open("other", &[Change::file("lib/word", "good day\n")]);
    world.git.delete("refs/heads/deleted");
    world.git.delete(&format!("refs/pull/{pull}/head"));
    let node = world.start().await;
    world.deliver(&node).await;
    world.says(other, GREEN).await;
    world.says(pull, "pending initializing").await;
    let page = node.get(&format!("/acme/shop/pull/{pull}")).await.text().await.unwrap();
    assert!(page.contains("the repository does not have it any more"), "{page}");
    world.push_pull(pull, &[Change::file("lib/word", "bye again\n")]);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_forged_or_cut_is_refused() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("other", &[Change::file("lib/word", "good day\n")]);
    let genuine = world.webhooks().remove(0);
    let post = async |change: &dyn Fn(&mut SignedDelivery)| {
        let mut delivery = genuine.clone();
        change(&mut delivery);
        node.post(&delivery).await
    };
    let sign = |delivery: &mut SignedDelivery| {
        let secret = Secret::new(FakeGitHub::WEBHOOK_SECRET);
        delivery.signature = ci_github::webhook::sign(&secret, &delivery.body);
    };
    assert_eq!(
        post(&|delivery| delivery.signature = format!("sha256={}", "0".repeat(64))).await,
        401
    );
    assert_eq!(post(&|delivery| delivery.signature.clear()).await, 401);
    assert_eq!(post(&|delivery| delivery.body.truncate(100)).await, 401);
    let cut = |delivery: &mut SignedDelivery| {
        delivery.body.truncate(100);
        sign(delivery);
    };
    assert_eq!(post(&cut).await, 400);
    let huge = |delivery: &mut SignedDelivery| {
        delivery.body.resize((25 << 20) + 1, b' ');
        sign(delivery);
    };
    assert_eq!(post(&huge).await, 413);
    assert_eq!(post(&|delivery| delivery.event.clear()).await, 400);
    assert_eq!(world.umbrella(pull), "none");
    assert_eq!(post(&|_| {}).await, 202);
    assert_eq!(post(&|_| {}).await, 200);
    world.says(pull, GREEN).await;
}
