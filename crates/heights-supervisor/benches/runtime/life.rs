//! What a life costs: its start and stop, and coming back after a crash.
//!
//! The yardstick is a bare actor that is linked, stopped and joined. It does less: nobody counts
//! it, gives it a name in a tree, or makes sure that everything below it is gone.
//!
//! Who starts children is an actor as a rule, so a start and stop is measured from a task, too. Where
//! it is the main future of the runtime that waits, each wait is a system call, whoever supervises.

use std::time::{Duration, Instant};

use heights_supervisor::{
    ChildRef, ChildSpec, DynamicRef, DynamicSupervisor, Supervisor, SupervisorRef,
};
use ractor::{Actor, ActorRef};

use crate::compare::{Effort, compare};
use crate::workers::{self, Bare, BareMsg, Msg, Worker};

const LIVES: u32 = 2_000;

pub async fn run(effort: Effort) {
    let lives = LIVES / effort.divisor;
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let (parent, task) = workers::bare().await;
    compare(
        "start and stop of a child",
        effort.rounds,
        async || our_lives(&dynamic, lives).await,
        async || their_lives(&parent, lives).await,
    )
    .await;
    compare(
        "– by a task",
        effort.rounds,
        async || our_lives_by_a_task(&dynamic, lives).await,
        async || their_lives_by_a_task(&parent, lives).await,
    )
    .await;
    dynamic.stop().await;
    parent.stop(None);
    task.await.unwrap();
    let (root, worker) = restarting().await;
    compare(
        "from a crash to the next life",
        effort.rounds,
        async || our_crashes(&worker, lives).await,
        async || their_crashes(lives).await,
    )
    .await;
    root.stop().await;
}

pub async fn our_lives(root: &DynamicRef, lives: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..lives {
        let (spec, _worker) = ChildSpec::server::<Worker>("worker", || ());
        let child = root.start_child(spec).await.unwrap();
        root.terminate_child(&child.process.pid()).await.unwrap();
    }
    begin.elapsed() / lives
}

pub async fn our_lives_by_a_task(root: &DynamicRef, lives: u32) -> Duration {
    let root = root.clone();
    tokio::spawn(async move { our_lives(&root, lives).await }).await.unwrap()
}

pub async fn their_lives(parent: &ActorRef<BareMsg>, lives: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..lives {
        let linked = Actor::spawn_linked(None, Bare, (), parent.get_cell());
        let (actor, task) = linked.await.unwrap();
        actor.stop(None);
        task.await.unwrap();
    }
    begin.elapsed() / lives
}

pub async fn their_lives_by_a_task(parent: &ActorRef<BareMsg>, lives: u32) -> Duration {
    let parent = parent.clone();
    tokio::spawn(async move { their_lives(&parent, lives).await }).await.unwrap()
}

pub async fn restarting() -> (SupervisorRef, ChildRef<Msg>) {
    let (spec, worker) = ChildSpec::server::<Worker>("worker", || ());
    let builder = Supervisor::builder("root").intensity(u32::MAX, Duration::from_secs(1));
    (builder.child(spec).start().await.unwrap(), worker)
}

pub async fn our_crashes(worker: &ChildRef<Msg>, lives: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..lives {
        let life = worker.running().await;
        life.cast(Msg::Fail).unwrap();
        life.process().gone().await;
    }
    worker.running().await;
    begin.elapsed() / lives
}

pub async fn their_crashes(lives: u32) -> Duration {
    let (mut actor, mut task) = workers::bare().await;
    let begin = Instant::now();
    for _ in 0..lives {
        actor.send_message(BareMsg::Fail).unwrap();
        task.await.unwrap();
        (actor, task) = workers::bare().await;
    }
    let took = begin.elapsed() / lives;
    actor.stop(None);
    task.await.unwrap();
    took
}
