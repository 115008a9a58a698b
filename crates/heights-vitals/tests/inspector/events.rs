//! Events as they happen.

use heights_vitals::Tier;
use heights_vitals::wire::{ControlRequest, Event, EventKind};

use crate::support::{CEILING, reborn, start};

#[tokio::test]
async fn events_are_told_without_gap_from_where_a_watcher_was() {
    let tree = start(Tier::Control).await;
    let mut watch = tree.client.watch(None).await.unwrap();
    tree.client.kill("pull-7", &ControlRequest::default()).await.unwrap();
    reborn(&tree.client, "pull-7").await;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|event: &Event| event.kind != EventKind::Started) {
        let event = tokio::time::timeout(CEILING, watch.next()).await.expect("an event").unwrap();
        seen.push(event.expect("the process lives"));
    }
    drop(watch);
    assert_eq!(seen[0].kind, EventKind::Failed, "{seen:?}");
    assert!(seen.iter().all(|event| event.path == "app/pulls/pull-7"), "{seen:?}");
    let mut again = tree.client.watch(Some(seen[0].id - 1)).await.unwrap();
    for expected in seen {
        assert_eq!(again.next().await.unwrap(), Some(expected));
    }
    drop(tree.inspector);
    let end = tokio::time::timeout(CEILING, again.next()).await.expect("an end");
    assert_eq!(end.unwrap(), None, "the end of the process is the end of the stream");
    tree.root.stop().await;
}
