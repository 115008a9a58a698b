//! Crashes: those that are the same again, and those of processes that are gone.

use heights_vitals::Tier;
use heights_vitals::wire::EventKind;

use crate::support::{CEILING, Msg, picture_when, start, start_with};

#[tokio::test]
async fn a_crash_outlives_its_process_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crashes.jsonl");
    let path = file.clone();
    let tree = start_with(|inspector| inspector.crash_file(path)).await;
    tree.store.cast(Msg::Crash).unwrap();
    let seen = picture_when(&tree.client, "the crash", |picture| !picture.crashes.is_empty()).await;
    tree.root.stop().await;
    // What has not been written yet is written now.
    drop(tree.inspector);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap());
    assert_eq!(mode & 0o777, 0o600, "panics may say what is nobody's business");
    let path = file.clone();
    let tree = start_with(|inspector| inspector.crash_file(path)).await;
    let crashes = tree.client.crashes().await.unwrap().crashes;
    let [earlier] = &crashes[..] else { panic!("{crashes:?}") };
    assert_eq!(earlier.fingerprint, seen.crashes[0].fingerprint);
    assert_eq!(earlier.earlier_process_ms, Some(seen.hello.started_ms));
    assert_eq!((earlier.path.as_str(), earlier.message.as_deref()), ("app/store", Some("Crash")));
    tree.root.stop().await;
}

#[tokio::test]
async fn a_message_that_kills_one_life_after_the_other_is_one_event() {
    let tree = start(Tier::Read).await;
    let mut watch = tree.client.watch(None).await.unwrap();
    for _ in 0..3 {
        let life = tree.store.running().await;
        life.cast(Msg::Crash).unwrap();
        life.process().gone().await;
    }
    let mut pids = Vec::new();
    let repeated = async {
        loop {
            let event = watch.next().await.unwrap().expect("the process lives");
            match event.kind {
                EventKind::Crashed => pids.push(event.pid.clone()),
                EventKind::Repeated => return event,
                _ => {}
            }
        }
    };
    let repeated = tokio::time::timeout(CEILING, repeated).await.expect("it is told");
    assert_eq!((pids.len(), repeated.path.as_str()), (3, "app/store"));
    assert_eq!(repeated.pid, pids[2]);
    assert!(repeated.text.contains("again and again"), "{repeated:?}");
    tree.root.stop().await;
}
