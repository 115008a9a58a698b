//! New heads while the commands of old ones run.

use ci_domain::forge::Timestamp;
use ci_github::TimestampParser;

use crate::recorded::signed;
use crate::repository::Change;
use crate::world::{REPO, World, now};

/// A job that says which earlier ones it finds alive, and then passes or runs until it is killed.
const FILES: [(&str, &str); 3] = [
    ("lib/ci.yaml", "jobs:\n  test:\n    - run: sh ./work\n      name: work\n"),
    (
        "lib/work",
        "for pid in $(sed -n 's/^pid //p' {outside}); do\n  \
           kill -0 $pid 2>/dev/null && echo alive $pid >> {outside}\ndone\n\
         echo pid $$ >> {outside}\n\
         [ $(cat mode) = pass ] && exit 0\n\
         [ $(cat mode) = stubborn ] && trap '' TERM\n\
         while :; do sleep 0.1; done\n",
    ),
    ("lib/mode", "none\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_an_old_head_are_gone_before_those_of_a_new_one_start() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let mode = |mode: &str| [Change::file("lib/mode", mode)];
    let pull = world.open("work", &mode("polite\n"));
    world.deliver(&node).await;
    started(&world, 1).await;
    for (starts, next) in [(2, "stubborn\n"), (3, "polite again\n"), (4, "pass\n")] {
        world.push_pull(pull, &mode(next));
        world.deliver(&node).await;
        started(&world, starts).await;
    }
    world.tested(pull).await;
    let lines = world.outside();
    assert!(lines.iter().all(|line| line.starts_with("pid ")), "{lines:?}");
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(world.said(pull).len(), 1, "nothing is said about heads that were left");
    world.nothing_runs_beside(&node).await;
}

async fn started(world: &World, count: usize) {
    let is_so = || world.outside().iter().filter(|line| line.starts_with("pid ")).count() == count;
    world.until(&format!("job number {count} to start"), is_so).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_requests_that_share_a_head_are_each_told_of_its_failure_once() {
    let failing = [("lib/ci.yaml", "jobs: {test: ['false']}\n"), ("lib/word", "hello\n")];
    let world = World::new(&failing).await;
    let node = world.start().await;
    let bye = || [Change::file("lib/word", "bye\n")];
    let pulls = [world.open("one", &bye()), world.open("two", &bye())];
    assert_eq!(world.head(pulls[0]), world.head(pulls[1]));
    world.deliver(&node).await;
    for pull in pulls {
        world.until("a comment", || world.said(pull).len() == 1).await;
        // Whose failure it names follows with the words.
        let umbrella = world.umbrella(pull);
        assert!(umbrella.starts_with("failure #"), "{umbrella}");
    }
    // What takes as long as several more writes would take.
    let other = world.open("other", &[Change::file("lib/word", "good day\n")]);
    world.deliver(&node).await;
    world.until("a comment", || world.said(other).len() == 1).await;
    for pull in pulls {
        let comments = world.comments(pull);
        assert!(comments.len() == 1 && comments[0].earlier.is_empty(), "{comments:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_older_than_the_news_is_read_again() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/mode", "pass\n")]);
    world.deliver(&node).await;
    world.tested(pull).await;
    // Told of a push that the machine which answers has not heard of.
    let later = now() + 120;
    let payload = serde_json::json!({
        "action": "synchronize",
        "repository": {"full_name": REPO},
        "pull_request": {"number": pull.0, "updated_at": TimestampParser::format(Timestamp(later))},
    });
    assert_eq!(node.post(&signed("pull_request", "early", &payload)).await, 202);
    let again = || world.github.calls();
    let calls = again();
    world.until("it to be read again", || again() > calls + 1).await;
    world.github.set_clock(Timestamp(later));
    world.push_pull(pull, &[Change::file("lib/word", "bye again\n")]);
    world.tested(pull).await;
}
