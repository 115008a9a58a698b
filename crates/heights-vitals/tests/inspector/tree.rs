//! What is shown of a tree, and how its actors are named.

use std::time::Duration;

use heights_supervisor::{Backoff, ChildSpec, Hub, Supervisor};
use heights_vitals::wire::{ControlRequest, Kind, Restart, Sort, State};
use heights_vitals::{Client, Inspector, Tier};

use crate::support::{CEILING, Msg, private_directory, refusal, start};

#[tokio::test]
async fn shows_the_tree_in_order_with_what_is_known_of_each() {
    let tree = start(Tier::Read).await;
    tree.store.call(Msg::Ping).await.unwrap();
    let shown = tree.client.tree().await.unwrap();
    let paths: Vec<_> =
        shown.actors.iter().map(|actor| (actor.depth, actor.path.as_str())).collect();
    let expected = [
        (0, "app"),
        (1, "app/store"),
        (1, "app/pulls"),
        (2, "app/pulls/pull-7"),
        (2, "app/pulls/pull-71"),
        (1, "app/idle"),
    ];
    assert_eq!(paths, expected);
    let [root, store, .., task] = shown.actors.as_slice() else { panic!("six actors") };
    assert_eq!(root.supervision.as_ref().unwrap().strategy.as_deref(), Some("rest_for_one"));
    assert_eq!((root.mailbox, root.kind), (None, Some(Kind::Supervisor)));
    assert_eq!((store.mailbox, store.handled, store.restarts), (Some(0), Some(1), Some(0)));
    assert_eq!((store.state, store.restart), (State::Idle, Some(Restart::Permanent)));
    assert_eq!((task.mailbox, task.kind), (None, Some(Kind::Task)));
    assert_eq!((task.handled, task.failed), (None, None), "it handles no messages");
    let top = tree.client.top(Sort::Busy, 6, None).await.unwrap();
    assert_ne!(top.actors[0].path, task.path, "nobody is in a message for longer than it runs");
    let hello = tree.client.hello().await.unwrap();
    assert_eq!(
        (hello.name.as_str(), hello.version.as_str(), hello.tier),
        ("app", "1.2.3", Tier::Read)
    );
    tree.root.stop().await;
}

#[tokio::test]
async fn says_what_is_wrong_with_a_reference() {
    let tree = start(Tier::Read).await;
    let (status, body) = refusal(tree.client.actor("nobody").await);
    assert_eq!((status, body.message.as_str()), (404, "no actor is called nobody"));
    let (status, body) = refusal(tree.client.actor("pull").await);
    assert_eq!((status, body.matches.len()), (409, 3));
    tree.root.stop().await;
}

#[tokio::test]
async fn a_child_that_waits_for_its_restart_is_shown_without_numbers() {
    let hub = Hub::new();
    let broken = ChildSpec::task("broken", |_cx| async { Err("on purpose".into()) });
    let backoff = Backoff::exponential(Duration::from_secs(600), Duration::from_secs(600));
    let root = Supervisor::builder("app")
        .hub(hub.clone())
        .child(broken.backoff(backoff))
        .start()
        .await
        .unwrap();
    let directory = private_directory();
    let inspector = Inspector::builder("app", &hub).directory(directory.path()).start().unwrap();
    let client = Client::new(inspector.socket());
    let waits = async {
        loop {
            let actors = client.tree().await.unwrap().actors;
            if let Some(actor) = actors.into_iter().find(|actor| actor.state == State::Restarting) {
                return actor;
            }
        }
    };
    let waiting =
        tokio::time::timeout(CEILING, waits).await.expect("waited in vain for the back-off");
    assert_eq!((waiting.path.as_str(), waiting.depth), ("app/broken", 1));
    assert_eq!((waiting.pid, waiting.mailbox, waiting.handled), (None, None, None));
    assert!(waiting.restart_in_ms > Some(60_000));
    let (status, _) =
        refusal(client.kill("broken", &ControlRequest { dry_run: true, reason: None }).await);
    assert_eq!(status, 404);
    root.stop().await;
}
