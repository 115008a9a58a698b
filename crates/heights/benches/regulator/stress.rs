//! Whether a limit holds, whatever the threads do: counted by those who hold permits, not by the
//! queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use heights::Regulator;
use tokio::task::{JoinSet, yield_now};

use crate::compare::Effort;

const TASKS: u32 = 8;
const TURNS: u32 = 1_000_000;

/// A queue and how many hold a permit of it by their own count.
#[derive(Clone)]
struct Counted {
    queue: Regulator,
    limit: u32,
    held: Arc<AtomicU32>,
}

/// Asks for permits of two nested queues by turns and returns how often a limit was exceeded.
pub async fn run(effort: Effort) -> u64 {
    let outer = Regulator::builder("outer").concurrency(3).build();
    let inner = Regulator::builder("inner").concurrency(2).parent(&outer).build();
    let outer = Counted { queue: outer, limit: 3, held: Arc::default() };
    let inner = Counted { queue: inner, limit: 2, held: Arc::default() };
    let (turns, violations) = (TURNS / effort.divisor, Arc::new(AtomicU64::new(0)));
    let (begin, mut tasks) = (Instant::now(), JoinSet::new());
    for task in 0..TASKS {
        let (outer, inner, violations) = (outer.clone(), inner.clone(), Arc::clone(&violations));
        tasks.spawn(async move {
            for turn in 0..turns {
                let asked = if task % 2 == 0 { &inner } else { &outer };
                let permit = asked.queue.acquire().await.unwrap();
                let counted = if task % 2 == 0 { &[&inner, &outer][..] } else { &[&outer][..] };
                let exceeded = counted.iter().filter(|counted| counted.enter()).count();
                violations.fetch_add(exceeded as u64, Ordering::Relaxed);
                if turn % 8 == task {
                    yield_now().await;
                }
                counted.iter().for_each(|counted| counted.leave());
                drop(permit);
            }
        });
    }
    tasks.join_all().await;
    let (info, all) = (outer.queue.info(), u64::from(turns) * u64::from(TASKS));
    assert_eq!((info.held, info.waiting, info.granted), (0, 0, all), "permits have been lost");
    let violations = violations.load(Ordering::Relaxed);
    println!("  {all} permits by {TASKS} tasks in {:.1?}: {violations} too many", begin.elapsed());
    violations
}

impl Counted {
    /// Counts a holder and tells whether that is one too many.
    fn enter(&self) -> bool {
        self.held.fetch_add(1, Ordering::SeqCst) >= self.limit
    }

    fn leave(&self) {
        self.held.fetch_sub(1, Ordering::SeqCst);
    }
}
