//! Line 112 of the conformance list on real threads: holders and waiters that give up, panic and are
//! killed at any moment, and a limit that holds all the same.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use heights::prelude::*;
use heights::regulator::{Discipline, Limits};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

const TASKS: u64 = 8;
const TURNS: u32 = 10_000;
const OUTER: u32 = 3;
const INNER: u32 = 2;

/// Two nested queues, and how many hold their permits by the holders' own count.
#[derive(Clone)]
struct Queues {
    outer: Regulator,
    inner: Regulator,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    outer: AtomicU32,
    inner: AtomicU32,
    violations: AtomicU32,
    granted: AtomicU32,
}

/// Counts its holder for as long as it lives, which is within the life of the permit.
struct Counted<'a>(&'a Counts, bool);

impl<'a> Counted<'a> {
    fn new(counts: &'a Counts, is_inner: bool) -> Self {
        counts.granted.fetch_add(1, Ordering::Relaxed);
        let outer = counts.outer.fetch_add(1, Ordering::SeqCst) >= OUTER;
        let inner = is_inner && counts.inner.fetch_add(1, Ordering::SeqCst) >= INNER;
        counts.violations.fetch_add(u32::from(outer || inner), Ordering::Relaxed);
        Self(counts, is_inner)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.inner.fetch_sub(u32::from(self.1), Ordering::SeqCst);
        self.0.outer.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Queues {
    fn new() -> Self {
        let outer = Regulator::builder("outer").concurrency(OUTER).build();
        let inner = Regulator::builder("inner").concurrency(INNER).parent(&outer).build();
        Self { outer, inner, counts: Arc::default() }
    }

    /// Waits for a permit and holds it while others go on.
    async fn stay(&self, is_inner: bool, key: &'static str) {
        let queue = if is_inner { &self.inner } else { &self.outer };
        let Ok(_permit) = queue.acquire_as(key).await else { return };
        let _counted = Counted::new(&self.counts, is_inner);
        yield_now().await;
    }

    /// The same, but ends in one of many ways, by the number.
    async fn turn(&self, number: u64) {
        let (is_inner, key) = (number & 1 == 0, ["a", "b", "c"][(number >> 8) as usize % 3]);
        match (number >> 1) % 16 {
            // It gives up at once, where it could not be served at once.
            0 => drop(self.stay(is_inner, key).now_or_never()),
            // It gives up after a moment, wherever it is by then.
            1 => {
                let mut stay = Box::pin(self.stay(is_inner, key));
                let _is_served = (&mut stay).now_or_never();
                yield_now().await;
            }
            // It panics while it holds or, half of the time, while it waits.
            2 => {
                let stay = async {
                    let mut stay = Box::pin(self.stay(is_inner, key));
                    let _is_served = (&mut stay).now_or_never();
                    resume_unwind(Box::new("on purpose"))
                };
                AssertUnwindSafe(stay).catch_unwind().await.map(|(): ()| ()).unwrap_err();
            }
            // It is killed by somebody else, whatever it does.
            3 => {
                let (mut victim, queues) = (JoinSet::new(), self.clone());
                victim.spawn(async move { queues.stay(is_inner, key).await });
                yield_now().await;
                victim.shutdown().await;
            }
            4 => drop(self.outer.try_acquire().map(|_permit| Counted::new(&self.counts, false))),
            5 => drop(self.inner.acquire_within(Duration::ZERO).await),
            _ => self.stay(is_inner, key).await,
        }
    }

    /// Changes how the inner queue serves and what it bears, but not how many hold a permit.
    fn reconfigure(&self, turn: u32) {
        let disciplines = [
            Discipline::Fifo,
            Discipline::Lifo,
            Discipline::Fair,
            Discipline::CoDel { target: Duration::ZERO, interval: Duration::ZERO },
        ];
        let discipline = disciplines[turn as usize % 4];
        let max_wait = turn.is_multiple_of(3).then_some(Duration::from_micros(50));
        let max_len = turn.is_multiple_of(5).then_some(1);
        let limits = Limits { concurrency: Some(INNER), rate: None, max_wait, max_len, discipline };
        self.inner.reconfigure(limits);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m112_whoever_gives_up_panics_or_is_killed_no_limit_is_exceeded_and_no_permit_is_lost() {
    let (queues, mut workers) = (Queues::new(), JoinSet::new());
    for worker in 0..TASKS {
        let queues = queues.clone();
        workers.spawn(async move {
            let mut random = worker + 1;
            for turn in 0..TURNS {
                // A xorshift: which turns are taken is the same in each run.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                queues.turn(random >> 16).await;
                if worker == 0 && turn.is_multiple_of(100) {
                    queues.reconfigure(turn / 100);
                }
            }
        });
    }
    timeout(Duration::from_secs(300), workers.join_all()).await.expect("everyone has their turns");
    let Queues { outer, inner, counts } = queues;
    assert_eq!(counts.violations.load(Ordering::Relaxed), 0, "permits too many");
    assert!(counts.granted.load(Ordering::Relaxed) > TURNS, "it was a stress");
    for (queue, limit) in [(inner, INNER), (outer, OUTER)] {
        let (info, name) = (queue.info(), queue.name());
        assert_eq!((info.held, info.waiting), (0, 0), "{name}");
        let permits: Vec<_> = std::iter::from_fn(|| queue.try_acquire()).collect();
        assert_eq!(permits.len(), limit as usize, "{name} has all its permits");
    }
}
