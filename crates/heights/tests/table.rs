//! What a table keeps, for how long, and who is told.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::{Arc, Barrier};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use heights::bus::{Heard, Subscription};
use heights::prelude::*;
use heights::table::{Change, MemoryStore, Table};
use heights::{Process, SupervisorRef};
use heights_testkit::{CEILING, Probe, eventually};
use tokio::time::{advance, timeout};

type Names = Table<&'static str, u32>;
type Disk = MemoryStore<&'static str, u32>;

const HOUR: Duration = Duration::from_secs(3600);

async fn start(names: &Names) -> SupervisorRef {
    let at_once = Backoff::exponential(Duration::from_millis(1), Duration::from_millis(1));
    let root = Supervisor::builder("root").intensity(1_000, HOUR);
    root.child(names.child_spec().backoff(at_once)).start().await.unwrap()
}

fn keeper(root: &SupervisorRef) -> Option<Process> {
    root.hub()?.find("root/names")
}

fn heard<E: Clone + Send + Sync>(stream: &mut Subscription<E>) -> Vec<Heard<E>> {
    std::iter::from_fn(|| StreamExt::next(stream).now_or_never().flatten()).collect()
}

fn stored(disk: &Disk) -> Names {
    Table::builder("names").store(disk.clone()).build()
}

#[test]
fn keeps_what_it_is_told() {
    let names = Names::builder("names").build();
    assert_eq!(names.insert("a", 1), None);
    assert_eq!(names.insert("a", 2), Some(1));
    assert_eq!(names.insert_new("a", 3), Err(2));
    assert_eq!(names.insert_new("b", 3), Ok(()));
    assert_eq!(names.update(&"a", |value| value.map(|value| value * 10)), Some(20));
    assert_eq!(names.update(&"c", |value| Some(value.map_or(7, |value| value + 1))), Some(7));
    assert_eq!(names.update(&"b", |_| None), None);
    assert_eq!((names.get(&"a"), names.get(&"b"), names.len()), (Some(20), None, 2));
    assert_eq!(names.select(|key, value| (*value > 10).then_some(*key)), ["a"]);
    assert_eq!(names.remove(&"a"), Some(20));
    names.clear();
    assert!(names.is_empty() && !names.contains(&"c"));
}

#[test]
fn reads_go_side_by_side() {
    let names = Names::builder("names").build();
    names.insert("a", 1);
    let both = Arc::new(Barrier::new(2));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (names, both) = (names.clone(), Arc::clone(&both));
            // Neither gets past the barrier unless both read at once.
            scope.spawn(move || names.select(|_, _| Some(both.wait())));
        }
    });
}

#[tokio::test(start_paused = true)]
async fn outlives_the_worker_that_crashes() {
    let names = Names::builder("names").build();
    let counts = names.clone();
    let worker = ChildSpec::task("worker", move |_cx| {
        let counts = counts.clone();
        async move {
            let lives = counts.update(&"lives", |lives| Some(lives.map_or(1, |lives| lives + 1)));
            if lives < Some(3) { Err("on purpose".into()) } else { std::future::pending().await }
        }
    });
    let root = Supervisor::builder("root").child(names.child_spec()).child(worker);
    let root = root.start().await.unwrap();
    eventually("three lives", async || names.get(&"lives").filter(|lives| *lives == 3)).await;
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_not_found_from_the_moment_it_expires() {
    let names = Names::builder("names").ttl(HOUR).build();
    names.insert("a", 1);
    names.insert_for("b", 2, HOUR * 3);
    advance(HOUR - Duration::from_millis(1)).await;
    assert_eq!(names.len(), 2);
    names.update(&"b", |_| Some(3));
    advance(Duration::from_millis(1)).await;
    assert_eq!((names.get(&"a"), names.contains(&"a"), names.all()), (None, false, vec![("b", 3)]));
    assert_eq!(names.insert("a", 9), None, "it is new, not a replacement");
    advance(HOUR * 2).await;
    assert!(names.is_empty(), "an update does not lengthen a life");
}

#[tokio::test(start_paused = true)]
async fn watchers_are_told_of_changes_and_of_ends() {
    let names = Names::builder("names").ttl(HOUR).build();
    let root = start(&names).await;
    let (mut all, mut a) = (names.watch_all(100), names.watch("a", 100));
    names.insert("a", 1);
    names.insert("b", 2);
    names.remove(&"b");
    let told = [Change::Inserted("a", 1), Change::Inserted("b", 2), Change::Removed("b", 2)];
    assert_eq!(heard(&mut all), told.map(Heard::Event));
    assert_eq!(heard(&mut a), [Heard::Event(Change::Inserted("a", 1))]);
    for stream in [&mut all, &mut a] {
        let end = timeout(HOUR * 2, stream.next()).await.expect("it expires by itself");
        assert_eq!(end, Heard::Event(Change::Expired("a", 1)));
    }
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_actor_watches_until_it_ends() {
    let (names, mut probe) = (Names::builder("names").build(), Probe::new());
    let (owner, end) = heights::Owner::new();
    names.notify_all(1, &owner, probe.recipient());
    names.insert("a", 1);
    names.insert("b", 2);
    let news: Vec<_> = probe.next("news").await.into_iter().collect();
    assert_eq!(news, [Heard::Lagged(1), Heard::Event(Change::Inserted("b", 2))]);
    end.end();
    names.insert("c", 3);
    assert!(probe.rest().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_process_expires_in_time_whatever_is_inserted_later() {
    let names = Names::builder("names").build();
    let root = start(&names).await;
    let mut all = names.watch_all(100);
    names.insert_for("late", 1, HOUR * 2);
    names.insert_for("early", 2, HOUR);
    names.insert("never", 3);
    heard(&mut all);
    for (key, value, hours) in [("early", 2, 1), ("late", 1, 1)] {
        let begin = tokio::time::Instant::now();
        let end = timeout(HOUR * 3, all.next()).await.expect("it expires");
        assert_eq!(end, Heard::Event(Change::Expired(key, value)));
        assert_eq!(begin.elapsed().as_secs() / 3600, hours);
    }
    root.stop().await;
}

#[tokio::test]
async fn what_is_stored_is_there_in_the_next_program_before_younger_siblings_start() {
    let disk = Disk::new();
    let first = stored(&disk);
    let root = start(&first).await;
    first.insert("a", 1);
    first.insert("b", 2);
    first.remove(&"a");
    root.stop().await;

    let second = stored(&disk);
    let (seen, mut probe) = (second.clone(), Probe::new());
    let told = probe.recipient();
    let sibling = ChildSpec::task("sibling", move |_cx| {
        told.tell(seen.all());
        async { Ok(()) }
    });
    let sibling = sibling.restart(Restart::Temporary);
    let root = Supervisor::builder("root").child(second.child_spec()).child(sibling);
    let root = root.start().await.unwrap();
    assert_eq!(probe.next("what a sibling sees").await, [("b", 2)]);
    root.stop().await;
}

#[tokio::test]
async fn a_flush_returns_when_all_is_stored_and_a_burst_is_stored_together() {
    let disk = Disk::new();
    let names = Table::builder("names").store(disk.clone()).build();
    for value in 0..1_000 {
        names.insert("a", value);
    }
    let root = start(&names).await;
    timeout(CEILING, names.flush()).await.expect("it is stored");
    assert!(disk.writes() <= 3, "{} writes", disk.writes());
    let copy = stored(&disk);
    let other = Supervisor::builder("other").child(copy.child_spec()).start().await.unwrap();
    assert_eq!(copy.get(&"a"), Some(999));
    other.stop().await;
    root.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_loses_nothing_once_it_works_again() {
    let disk = Disk::new();
    let names = stored(&disk);
    let root = start(&names).await;
    let before = eventually("the process", async || keeper(&root)).await;
    disk.fail(true);
    names.insert("a", 1);
    before.gone().await;
    assert_eq!(names.get(&"a"), Some(1), "the table does not mind");
    disk.fail(false);
    timeout(CEILING, names.flush()).await.expect("the next life stores it");
    root.stop().await;
    let copy = stored(&disk);
    let root = start(&copy).await;
    assert_eq!(copy.all(), [("a", 1)]);
    root.stop().await;
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing() {
    let disk = Disk::new();
    let names = stored(&disk);
    let root = start(&names).await;
    for value in 0..3 {
        let life = eventually("a life", async || keeper(&root)).await;
        names.insert("a", value);
        life.kill();
        names.insert("b", value);
        life.gone().await;
    }
    timeout(CEILING, names.flush()).await.expect("it is stored");
    let mut all = names.all();
    all.sort_unstable();
    assert_eq!(all, [("a", 2), ("b", 2)], "a new life does not load over what is newer");
    root.stop().await;
}

#[tokio::test]
async fn a_table_that_cannot_be_loaded_does_not_start() {
    let disk = Disk::new();
    disk.fail(true);
    let root = Supervisor::builder("root").child(stored(&disk).child_spec()).start().await;
    let error = root.unwrap_err().to_string();
    assert!(error.contains("load the store"), "{error}");
}
