//! Draining actors, and waiting for it.

use std::time::Duration;

use heights_vitals::Tier;
use heights_vitals::wire::ControlRequest;

use crate::support::{CEILING, Msg, picture_when, reborn, refusal, start};

#[tokio::test]
async fn a_drained_server_handles_what_waits_and_is_waited_for() {
    let tree = start(Tier::Control).await;
    let life = tree.store.running().await;
    life.process().suspend();
    for _ in 0..1_000 {
        life.cast(Msg::Login(heights_supervisor::Secret::new(crate::support::CANARY))).unwrap();
    }
    let request = ControlRequest { dry_run: true, reason: None };
    let foreseen = tree.client.act("drain", "store", &request).await.unwrap();
    assert_eq!((foreseen.messages_lost, foreseen.ended), (Some(0), None));
    assert!(foreseen.cautions.iter().any(|caution| caution.contains("suspended")), "{foreseen:?}");
    assert!(life.process().is_alive() && !life.process().is_draining());
    let request = ControlRequest { reason: Some("a test".to_owned()), ..Default::default() };
    let waiting = Duration::from_millis(1);
    let act = tree.client.act_and_wait("drain", "store", &request, waiting).await.unwrap();
    assert_eq!(act.ended, Some(false), "it is suspended");
    tree.client.act("resume", "store", &request).await.unwrap();
    life.process().gone().await;
    assert_eq!(life.process().figures().handled, 1_000);
    reborn(&tree.client, "store").await;
    let stopped = tree.client.act_and_wait("stop", "store", &request, CEILING).await.unwrap();
    assert_eq!(stopped.ended, Some(true));
    tree.root.stop().await;
}

#[tokio::test]
async fn only_servers_are_drained() {
    let tree = start(Tier::Control).await;
    for other in ["idle", "pulls"] {
        let drained = tree.client.act("drain", other, &ControlRequest::default()).await;
        let (status, body) = refusal(drained);
        assert_eq!((status, body.code.as_str()), (409, "impossible"));
    }
    tree.root.stop().await;
}

#[tokio::test]
async fn messages_are_counted_by_kind() {
    let tree = start(Tier::Read).await;
    for _ in 0..3 {
        tree.store.call(Msg::Ping).await.unwrap();
    }
    tree.store.cast(Msg::Login(heights_supervisor::Secret::new(crate::support::CANARY))).unwrap();
    let picture = picture_when(&tree.client, "the last message", |picture| {
        picture.tree.actors[1].handled == Some(4)
    })
    .await;
    let kinds: Vec<_> = picture.tree.actors[1]
        .messages
        .iter()
        .map(|kind| (kind.label.as_str(), kind.handled, kind.failed))
        .collect();
    assert_eq!(kinds, [("Ping", 3, 0), ("Login", 1, 0)]);
    tree.root.stop().await;
}
