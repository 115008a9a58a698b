//! Line 112 of the conformance list, where only time moves a queue: who watches the clock, and what
//! that costs those who wait.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use heights::prelude::*;
use heights::regulator::{Limits, Rate, RegulatorBuilder};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Long enough that only a hang reaches it; time is paused, so it costs nothing.
const CEILING: Duration = Duration::from_secs(3600);

/// Polls a future to its end and counts how often.
async fn counted<F: Future>(polls: Arc<AtomicUsize>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        future.as_mut().poll(cx)
    })
    .await
}

/// Serves a hundred, one after the other, and returns how often they looked, all together.
async fn polls_of_a_hundred(queue: RegulatorBuilder) -> usize {
    let (queue, polls, mut line) = (queue.build(), Arc::default(), JoinSet::new());
    for _ in 0..100 {
        let (queue, polls) = (queue.clone(), Arc::clone(&polls));
        line.spawn(async move {
            let permit = counted(polls, queue.acquire()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(permit);
        });
        // So that the patience of each ends at another time.
        tokio::time::advance(Duration::from_micros(1)).await;
    }
    timeout(CEILING, line.join_all()).await.expect("everyone is served");
    polls.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn m112_what_happens_wakes_those_whom_it_concerns_however_many_wait() {
    let queue = || Regulator::builder("queue");
    for (what, queue, most) in [
        ("who waits looks at the start and at the end", queue().concurrency(1), 200),
        ("so with patience", queue().concurrency(1).max_wait(CEILING), 200),
        // The turn to watch the clock is one more reason to look, and its tick another.
        ("and twice more with a rate", queue().rate(1_000, SECOND), 400),
    ] {
        let polls = polls_of_a_hundred(queue).await;
        assert!(polls <= most, "{what}: {polls} of {most}");
    }
}

#[tokio::test(start_paused = true)]
async fn m112_a_rate_that_comes_while_they_wait_lets_them_in_without_a_process() {
    let queue = Regulator::builder("queue").concurrency(0).build();
    let mut line = JoinSet::new();
    for _ in 0..3 {
        let queue = queue.clone();
        line.spawn(async move { queue.acquire().await.map(|_permit| Instant::now()) });
    }
    tokio::task::yield_now().await;
    let start = Instant::now();
    queue.reconfigure(Limits { rate: Some(Rate::new(1, SECOND)), ..Limits::default() });
    let served = timeout(CEILING, line.join_all()).await.expect("the rate lets them in");
    let mut at: Vec<_> = served.into_iter().map(|at| (at.unwrap() - start).as_secs()).collect();
    at.sort_unstable();
    assert_eq!(at, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn m112_a_sooner_rate_is_noticed_by_who_watches_the_clock() {
    let hour = Limits { rate: Some(Rate::new(1, CEILING)), ..Limits::default() };
    let queue = Regulator::builder("queue").limits(hour).build();
    let _first = queue.acquire().await.unwrap();
    let mut second = pin!(queue.acquire());
    assert!(timeout(SECOND, &mut second).await.is_err());
    queue.reconfigure(Limits { rate: Some(Rate::new(1, 2 * SECOND)), ..Limits::default() });
    let start = Instant::now();
    let _second = timeout(CEILING, second).await.expect("the new rate lets it in").unwrap();
    assert!(start.elapsed() < 3 * SECOND, "{:?}", start.elapsed());
}

/// The one who has the turn to watch is a future that nobody polls, and so are its neighbors.
#[tokio::test(start_paused = true)]
async fn m112_a_waiter_that_nobody_polls_does_not_stop_the_clock() {
    let queue = Regulator::builder("queue").rate(1, SECOND).build();
    let _first = queue.acquire().await.unwrap();
    let (mut idle, mut too) = (pin!(queue.acquire()), pin!(queue.acquire()));
    assert!((&mut idle).now_or_never().is_none() && (&mut too).now_or_never().is_none());
    let served = timeout(5 * SECOND, queue.acquire()).await;
    let _permit = served.expect("three turns have come by then").unwrap();
}

#[tokio::test(start_paused = true)]
async fn m112_patience_may_be_endless() {
    let queue = Regulator::builder("queue").concurrency(1).build();
    let held = queue.acquire().await.unwrap();
    let mut endless = pin!(queue.acquire_within(Duration::MAX));
    assert!(timeout(SECOND, &mut endless).await.is_err());
    drop(held);
    let _permit = endless.await.unwrap();
}
