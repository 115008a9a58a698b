//! What asking for a permit and giving it back costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heights::Regulator;
use heights::regulator::{Discipline, RegulatorBuilder};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

use crate::compare::{Effort, compare};

/// All of a measurement's turns together, whoever takes them.
const TURNS: u32 = 100_000;

/// What is passed one permit at a time.
trait Gate: Clone + Send + Sync + 'static {
    /// Takes a permit and gives it back.
    fn pass(&self) -> impl Future<Output = ()> + Send;

    /// Takes a permit, lets others go on, and gives it back.
    fn stay(&self) -> impl Future<Output = ()> + Send;
}

impl Gate for Regulator {
    async fn pass(&self) {
        drop(self.acquire().await.unwrap());
    }

    async fn stay(&self) {
        let _permit = self.acquire().await.unwrap();
        yield_now().await;
    }
}

impl Gate for Arc<Semaphore> {
    async fn pass(&self) {
        drop(self.acquire().await.unwrap());
    }

    async fn stay(&self) {
        let _permit = self.acquire().await.unwrap();
        yield_now().await;
    }
}

pub async fn run(effort: Effort) {
    let turns = TURNS / effort.divisor;
    let (calm, bare) = (queue(1).build(), semaphore(1));
    let ours = async || alone(&calm, turns).await;
    compare("1 task, nobody waits", effort.rounds, ours, async || alone(&bare, turns).await).await;
    let minute = Duration::from_secs(60);
    for (what, tasks, limit, builder) in [
        ("8 tasks, nobody waits", 8, 8, queue(8)),
        ("8 tasks, room for 4", 8, 4, queue(4)),
        ("8 tasks, room for 1", 8, 1, queue(1)),
        ("8 tasks, newest first", 8, 1, queue(1).discipline(Discipline::Lifo)),
        ("8 tasks, fair", 8, 1, queue(1).discipline(Discipline::Fair)),
        ("8 tasks, a minute of patience", 8, 1, queue(1).max_wait(minute)),
        ("1000 tasks, room for 1", 1_000, 1, queue(1)),
        ("1000 tasks, a minute of patience", 1_000, 1, queue(1).max_wait(minute)),
    ] {
        let (queue, bare) = (builder.build(), semaphore(limit));
        let ours = async || crowd(&queue, tasks, turns).await;
        compare(what, effort.rounds, ours, async || crowd(&bare, tasks, turns).await).await;
    }
}

fn queue(limit: u32) -> RegulatorBuilder {
    Regulator::builder("queue").concurrency(limit)
}

fn semaphore(limit: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(limit))
}

async fn alone(gate: &impl Gate, turns: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..turns {
        gate.pass().await;
    }
    begin.elapsed() / turns
}

async fn crowd(gate: &impl Gate, tasks: u32, turns: u32) -> Duration {
    let begin = Instant::now();
    let mut crowd = JoinSet::new();
    for _ in 0..tasks {
        let gate = gate.clone();
        crowd.spawn(async move {
            for _ in 0..turns / tasks {
                gate.stay().await;
            }
        });
    }
    crowd.join_all().await;
    begin.elapsed() / turns
}
