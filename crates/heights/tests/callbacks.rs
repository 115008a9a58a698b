//! Whatever is called back is code of others: a panic of it ends the process that it runs for, and
//! no other.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::stream;
use heights::flow::Flow as Stream;
use heights::periodic::every;
use heights::prelude::*;
use heights::table::Table;
use tokio::sync::mpsc;
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);
const CEILING: Duration = Duration::from_secs(3600);

/// Panics the first time that it is asked, and never again.
fn once() -> impl Fn() + Clone + Send + Sync + 'static {
    let asked = Arc::new(AtomicU32::new(0));
    move || assert!(asked.fetch_add(1, Ordering::SeqCst) > 0, "asked for the first time")
}

fn idle(id: &str) -> ChildSpec {
    ChildSpec::task(id, |cx| async move {
        cx.shutdown().await;
        Ok(())
    })
}

/// Starts a child beside another, and returns the other one's life.
async fn beside(child: ChildSpec) -> (SupervisorRef, Process) {
    let root = Supervisor::builder("root").child(idle("sibling")).child(child).start().await;
    let root = root.unwrap();
    let sibling = root.hub().unwrap().find("root/sibling").unwrap();
    (root, sibling)
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_panics_costs_its_job_one_life() {
    let (told, mut ran) = mpsc::unbounded_channel();
    let panic_once = once();
    let job = every(SECOND, move || {
        let told = told.clone();
        async move { Ok(told.send(())?) }
    });
    let job = job.unwrap().when(move || {
        panic_once();
        true
    });
    let (root, sibling) = beside(job.child_spec("job")).await;
    timeout(CEILING, ran.recv()).await.unwrap().unwrap();
    assert!(sibling.is_alive());
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_panics_starts_its_flow_over() {
    let (told, mut taken) = mpsc::unbounded_channel();
    let panic_once = once();
    let flow = Stream::from(|| stream::iter(0_u32..3))
        .partition(2, move |number| {
            panic_once();
            *number
        })
        .each(|number| async move { Ok(number) })
        .sink(move |number| {
            let told = told.clone();
            async move { Ok(told.send(number)?) }
        });
    let (spec, finished) = flow.child_spec("flow");
    let (root, sibling) = beside(spec).await;
    timeout(CEILING, finished.finished()).await.unwrap();
    let mut numbers = Vec::new();
    while let Ok(number) = taken.try_recv() {
        numbers.push(number);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2]);
    assert!(sibling.is_alive());
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_update_that_panics_leaves_the_table_as_it_was() {
    let table: Table<&str, u32> = Table::builder("counts").build();
    table.insert("visits", 1);
    let (updates, panic_once) = (table.clone(), once());
    let updater = ChildSpec::task("updater", move |cx| {
        let (updates, panic_once) = (updates.clone(), panic_once.clone());
        async move {
            updates.update(&"visits", |visits| {
                panic_once();
                visits.map(|visits| visits + 1)
            });
            cx.shutdown().await;
            Ok(())
        }
    });
    let root = Supervisor::builder("root").child(table.child_spec()).child(updater).start().await;
    let root = root.unwrap();
    let hub = root.hub().unwrap();
    let table_process = hub.find("root/counts").unwrap();
    let twice = async {
        while table.get(&"visits") != Some(2) {
            tokio::time::sleep(SECOND).await;
        }
    };
    timeout(CEILING, twice).await.unwrap();
    assert!(table_process.is_alive());
    assert_eq!(hub.crashes().len(), 1);
    root.stop().await;
}
