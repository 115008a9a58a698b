//! Twice as many callers as can be served: how long those wait who are served.

use std::time::Duration;

use heights::Regulator;
use heights::regulator::Discipline;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::compare::Effort;

/// How long one call takes.
const SERVICE: Duration = Duration::from_millis(10);
const AT_ONCE: u32 = 4;

/// Between two arrivals: half of what it takes to serve one.
const PAUSE: Duration = Duration::from_micros(1_250);

/// The longest wait that is fine for good.
const TARGET: Duration = Duration::from_millis(50);

/// At twice the load a wait grows by half the time that passes, so by the target in an interval.
const INTERVAL: Duration = Duration::from_millis(100);

const LASTS: Duration = Duration::from_secs(20);

pub async fn run(effort: Effort) {
    let lasts = LASTS / effort.divisor;
    let callers = u32::try_from(lasts.as_micros() / PAUSE.as_micros()).unwrap();
    println!("  {callers} callers in {lasts:?}, target {TARGET:?}, interval {INTERVAL:?}");
    let codel = Discipline::CoDel { target: TARGET, interval: INTERVAL };
    for (what, discipline) in [("CoDel", codel), ("unbounded", Discipline::Fifo)] {
        let queue = Regulator::builder(what).concurrency(AT_ONCE).discipline(discipline).build();
        let waits = call(&queue, callers).await;
        let (early, late) = waits.split_at(waits.len() / 2);
        println!(
            "  {what:<10} served {:>6} of {callers}   p99 of their waits {:>8.1?}   \
             first half {:>8.1?}   second half {:>8.1?}",
            waits.len(),
            p99(&waits),
            p99(early),
            p99(late),
        );
    }
}

/// Returns how long those have waited who were served, in the order in which they came.
async fn call(queue: &Regulator, callers: u32) -> Vec<Duration> {
    let (begin, mut calls) = (Instant::now(), JoinSet::new());
    for caller in 0..callers {
        let (queue, arrival) = (queue.clone(), begin + PAUSE * caller);
        sleep_until(arrival).await;
        calls.spawn(async move {
            let asked = Instant::now();
            let permit = queue.acquire().await;
            let waited = asked.elapsed();
            if permit.is_err() {
                return None;
            }
            sleep(SERVICE).await;
            Some((caller, waited))
        });
    }
    let mut served: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
    served.sort_unstable();
    served.into_iter().map(|(_, waited)| waited).collect()
}

fn p99(waits: &[Duration]) -> Duration {
    let mut waits = waits.to_vec();
    waits.sort_unstable();
    waits.get(waits.len() * 99 / 100).copied().unwrap_or_default()
}
