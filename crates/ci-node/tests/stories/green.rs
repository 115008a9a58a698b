//! A pull request that goes green and is approved, however its news comes in.

use ci_domain::ids::PullNumber;

use crate::chance::Chance;
use crate::node::Node;
use crate::repository::Change;
use crate::world::{NEVER, OFTEN, World};

/// Two components of which `shop` depends on `lib`, and one that nothing here touches.
const FILES: [(&str, &str); 6] = [
    (
        "lib/ci.yaml",
        "jobs:\n  compile: ['echo $CI_ATTEMPT compile >> {outside}']\n  \
         test: ['cat word', 'echo $CI_ATTEMPT test >> {outside}']\n",
    ),
    ("lib/word", "hello\n"),
    (
        "shop/ci.yaml",
        "depends_on: [lib]\njobs:\n  test: ['cat ../lib/word', 'echo $CI_ATTEMPT shop >> {outside}']\n",
    ),
    ("docs/ci.yaml", "jobs:\n  test: ['echo $CI_ATTEMPT docs >> {outside}']\n"),
    ("docs/page", "words\n"),
    ("README.md", "A shop.\n"),
];

/// How the node hears of what happens.
#[derive(Clone, Copy)]
enum News {
    Webhooks,
    Polls,
    /// Every webhook five times, in any order.
    Shuffled(u64),
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_goes_green_and_can_be_merged_once_approved() {
    let (world, pull) = play(News::Webhooks).await;
    check(&world, pull);
    let umbrella = &world.histories(pull)["mergeable"];
    assert_eq!(umbrella.first().unwrap(), "pending initializing");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_webhook_the_result_is_the_same() {
    let (world, pull) = play(News::Polls).await;
    check(&world, pull);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_come_often_and_in_any_order_change_nothing() {
    let (world, pull) = play(News::Shuffled(7)).await;
    check(&world, pull);
}

async fn play(news: News) -> (World, PullNumber) {
    let world = World::new(&FILES).await;
    world.configure(if matches!(news, News::Polls) { OFTEN } else { NEVER }, "");
    let node = world.start().await;
    let pull = world.open("greeting", &[Change::file("lib/word", "good morning\n")]);
    bring(news, &world, &node).await;
    world.tested(pull).await;
    world.approve(pull);
    bring(news, &world, &node).await;
    world.says(pull, "success pull request can be merged").await;
    world.until("two comments", || world.said(pull).len() == 2).await;
    (world, pull)
}

async fn bring(news: News, world: &World, node: &Node) {
    match news {
        News::Webhooks => world.deliver(node).await,
        News::Polls => drop(world.webhooks()),
        News::Shuffled(seed) => {
            let sent = world.webhooks();
            let mut all: Vec<_> = (0..5).flat_map(|_| sent.clone()).collect();
            Chance::new(seed).shuffle(&mut all);
            for delivery in all {
                let status = node.post(&delivery).await;
                assert!([200, 202].contains(&status), "{}: {status}", delivery.event);
            }
        }
    }
}

/// What must be so at the end, whatever the way.
fn check(world: &World, pull: PullNumber) {
    let said = world.said(pull);
    assert!(said[0].starts_with("Standard tests have passed "), "{said:?}");
    assert!(said[1].starts_with("Pull request can be merged "), "{said:?}");
    // The default branch is built beside it.
    let of_pull = |line: &String| line.contains(&format!("-p{pull}-"));
    let ran: Vec<String> = world.outside().into_iter().filter(of_pull).collect();
    let jobs: Vec<&str> = ran.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(jobs.len(), 3, "each job ran once: {ran:?}");
    assert!(["compile", "test", "shop"].iter().all(|job| jobs.contains(job)), "{ran:?}");
    let histories = world.histories(pull);
    let contexts: Vec<&str> = histories.keys().map(String::as_str).collect();
    assert_eq!(contexts, ["lib", "mergeable", "shop"]);
    for (context, history) in &histories {
        let mut changes = history.clone();
        changes.dedup();
        assert_eq!(&changes, history, "{context} was told twice");
    }
    for component in ["lib", "shop"] {
        assert_eq!(histories[component].last().unwrap(), "success all jobs passed");
    }
    let successes = histories["mergeable"].iter().filter(|text| text.starts_with("success"));
    assert_eq!(successes.count(), 1);
}
