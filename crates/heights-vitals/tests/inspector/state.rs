//! Views of the state of actors.

use std::sync::mpsc;
use std::time::Instant;

use heights_vitals::Tier;
use heights_vitals::wire::Missing;
use serde_json::json;

use crate::support::{CANARY, Msg, picture_when, refusal, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_is_shown_in_front_of_a_hundred_thousand_messages() {
    let tree = start(Tier::Read).await;
    let before = Instant::now();
    let first = tree.client.state("store", None).await.unwrap();
    let seen = Instant::now();
    assert_eq!(first.view, Some(json!({"pinged": 0, "token": "***"})));
    let (entered, is_in) = mpsc::channel();
    let (release, until) = mpsc::channel();
    tree.store.cast(Msg::Block(entered, until)).unwrap();
    is_in.recv().unwrap();
    for _ in 0..100_000 {
        tree.store.cast(Msg::Login(heights_supervisor::Secret::new(CANARY))).unwrap();
    }
    // It blocks, so there is only what it showed before.
    let least = seen.elapsed().as_millis();
    let stale = tree.client.state("store", None).await.unwrap();
    assert!(stale.stale && stale.view == first.view, "{stale:?}");
    // It was made between these two moments, however slow the machine is.
    let (age, most) = (u128::from(stale.age_ms.unwrap()), before.elapsed().as_millis());
    assert!((least..=most).contains(&age), "{least} ms <= {age} ms <= {most} ms");
    assert_eq!(stale.working.unwrap().label, "Block");
    let asked = tree.client.state("store", None);
    let released = async {
        // Once it asks, and not before.
        tokio::task::yield_now().await;
        drop(release);
    };
    let (fresh, ()) = tokio::join!(asked, released);
    let fresh = fresh.unwrap();
    assert!(!fresh.stale, "{fresh:?}");
    let store = tree.client.actor("store").await.unwrap().actor;
    assert!(store.handled.unwrap() < 100_000 || store.mailbox == Some(0));
    tree.root.stop().await;
}

#[tokio::test]
async fn what_is_not_shown_says_why() {
    let tree = start(Tier::Read).await;
    let task = tree.client.state("idle", None).await.unwrap();
    assert_eq!((task.view, task.missing), (None, Some(Missing::Unsupported)));
    let (status, _) = refusal(tree.client.state("nobody", None).await);
    assert_eq!(status, 404);
    let cut = tree.client.state("store", Some(1)).await.unwrap();
    assert!(cut.cut, "{cut:?}");
    tree.root.stop().await;
}

#[tokio::test]
async fn a_secret_is_on_no_surface() {
    let tree = start(Tier::Trace).await;
    let secret = || Msg::Login(heights_supervisor::Secret::new(CANARY));
    let request = heights_vitals::wire::TraceRequest {
        actors: vec!["store".to_owned()],
        max: 1,
        ..Default::default()
    };
    let mut trace = tree.client.trace(&request).await.unwrap();
    tree.store.cast(secret()).unwrap();
    let mut told = String::new();
    while let Some(event) = trace.next().await.unwrap() {
        told.push_str(&serde_json::to_string(&event).unwrap());
    }
    assert!(told.contains("Login(***)"), "{told}");
    tree.store.cast(Msg::Crash).unwrap();
    let picture =
        picture_when(&tree.client, "the crash", |picture| !picture.crashes.is_empty()).await;
    told.push_str(&serde_json::to_string(&picture).unwrap());
    let state = tree.client.state("store", None).await.unwrap();
    told.push_str(&serde_json::to_string(&state).unwrap());
    told.push_str(&tree.client.metrics().await.unwrap());
    let detail = tree.client.actor("store").await.unwrap();
    told.push_str(&serde_json::to_string(&detail).unwrap());
    assert!(!told.contains(CANARY), "{told}");
    tree.root.stop().await;
}
