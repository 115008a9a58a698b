//! Line 103 of the conformance list: locks by key.

#![expect(clippy::disallowed_methods, reason = "these tests have no supervisor to be children of")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use heights_registry::Registry;
use tokio::sync::{Barrier, Notify};
use tokio::task::yield_now;
use tokio::time::timeout;

type Names = Registry<&'static str, u32>;

const CEILING: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn l103_the_same_key_is_serial() {
    let names = Names::unique();
    let inside = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..20 {
        let (names, inside) = (names.clone(), Arc::clone(&inside));
        tasks.push(tokio::spawn(async move {
            let work = || async {
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
            };
            names.lock("pull-7", work).await;
        }));
    }
    for task in tasks {
        timeout(CEILING, task).await.expect("each gets its turn").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn l103_other_keys_are_parallel() {
    let names = Names::unique();
    let both = Barrier::new(2);
    let work = |key| {
        names.lock(key, || async {
            both.wait().await;
        })
    };
    let met = timeout(CEILING, async { tokio::join!(work("pull-7"), work("pull-8")) });
    met.await.expect("both hold their locks at once");
}

/// Starts a task that holds the key for good, and returns once it does.
async fn hold(names: &Names) -> tokio::task::JoinHandle<()> {
    let (holds, names) = (Arc::new(Notify::new()), names.clone());
    let held = Arc::clone(&holds);
    let task = tokio::spawn(async move {
        let work = || async {
            held.notify_one();
            std::future::pending::<()>().await;
        };
        names.lock("pull-7", work).await;
    });
    holds.notified().await;
    task
}

async fn is_free(names: &Names) -> bool {
    timeout(CEILING, names.lock("pull-7", || async {})).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn l103_a_holder_that_dies_gives_the_lock_back() {
    let names = Names::unique();
    let holder = hold(&names).await;
    assert!(!is_free(&names).await);
    holder.abort();
    assert!(is_free(&names).await);
}

#[tokio::test(start_paused = true)]
async fn l103_a_holder_that_panics_gives_the_lock_back() {
    let names = Names::unique();
    let panics = names.clone();
    let work = async move { panics.lock("pull-7", || async { panic!("on purpose") }).await };
    assert!(tokio::spawn(work).await.unwrap_err().is_panic());
    assert!(is_free(&names).await);
}

#[tokio::test(start_paused = true)]
async fn l103_a_waiter_that_dies_leaves_the_line() {
    let names = Names::unique();
    let holder = hold(&names).await;
    let line = names.clone();
    let waiter = tokio::spawn(async move { line.lock("pull-7", || async {}).await });
    yield_now().await;
    waiter.abort();
    assert!(waiter.await.unwrap_err().is_cancelled());
    holder.abort();
    assert!(is_free(&names).await, "nobody passes the lock to the dead");
}
