//! What a message costs, from sending it to having handled it.

use std::time::{Duration, Instant};

use heights_supervisor::{ChildSpec, Ref, Supervisor};
use ractor::ActorRef;

use crate::compare::{Effort, compare};
use crate::workers::{self, BareMsg, LIMIT, Msg, Worker};

const CASTS: u32 = 100_000;
const CALLS: u32 = 10_000;

pub async fn run(effort: Effort) {
    let (spec, worker) = ChildSpec::server::<Worker>("worker", || ());
    let root = Supervisor::builder("root").child(spec).start().await.unwrap();
    let worker = worker.running().await;
    let (bare, task) = workers::bare().await;
    let (casts, calls) = (CASTS / effort.divisor, CALLS / effort.divisor);
    compare(
        "a cast, in a crowd",
        effort.rounds,
        async || our_casts(&worker, casts).await,
        async || their_casts(&bare, casts).await,
    )
    .await;
    compare(
        "a call, one after the other",
        effort.rounds,
        async || our_calls(&worker, calls).await,
        async || their_calls(&bare, calls).await,
    )
    .await;
    bare.stop(None);
    task.await.unwrap();
    root.stop().await;
}

pub async fn our_casts(worker: &Ref<Msg>, casts: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..casts {
        worker.cast(Msg::Add(1)).unwrap();
    }
    worker.call_within(LIMIT, Msg::Total).await.unwrap();
    begin.elapsed() / casts
}

pub async fn their_casts(actor: &ActorRef<BareMsg>, casts: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..casts {
        actor.send_message(BareMsg::Add(1)).unwrap();
    }
    actor.call(BareMsg::Total, Some(LIMIT)).await.unwrap().unwrap();
    begin.elapsed() / casts
}

pub async fn our_calls(worker: &Ref<Msg>, calls: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..calls {
        worker.call_within(LIMIT, Msg::Total).await.unwrap();
    }
    begin.elapsed() / calls
}

pub async fn their_calls(actor: &ActorRef<BareMsg>, calls: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..calls {
        actor.call(BareMsg::Total, Some(LIMIT)).await.unwrap().unwrap();
    }
    begin.elapsed() / calls
}
