//! P16, a premise of the design of `heights-supervisor`: what the monitors of ractor are not.
//!
//! They are behind a feature of ractor that only the feature `peers` of this crate enables, so this
//! one fact is not with [the others](../../heights-supervisor/tests/ractor_facts/main.rs). A
//! failure is no bug: it says that our monitors could be ractor's.

#![cfg(feature = "peers")]
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "ractor itself is under test")]

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, ActorStatus, SupervisionEvent};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Passes on that it heard of the end of another.
struct Listener(mpsc::UnboundedSender<()>);

impl Actor for Listener {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) => Ok(()),
            _ => Ok(self.0.send(())?),
        }
    }
}

/// All that it does is by default.
struct Plain;

impl Actor for Plain {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

async fn plain() -> (ActorRef<()>, JoinHandle<()>) {
    Actor::spawn(None, Plain, ()).await.unwrap()
}

async fn listener() -> (ActorRef<()>, mpsc::UnboundedReceiver<()>) {
    let (heard, ends) = mpsc::unbounded_channel();
    let (listener, _task) = Actor::spawn(None, Listener(heard), ()).await.unwrap();
    (listener, ends)
}

async fn stop((actor, task): (ActorRef<()>, JoinHandle<()>)) {
    actor.stop(None);
    within("an end", task).await.unwrap();
}

async fn within<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.unwrap_or_else(|_elapsed| panic!("waited in vain for {what}"))
}

/// With a paused clock, a wait ends only when nothing else can run.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[track_caller]
fn still(holds: bool, then: &str) {
    assert!(holds, "ractor behaves differently now; {then}");
}

#[tokio::test(start_paused = true)]
async fn p16_a_monitor_of_the_dead_hears_nothing() {
    let (listener, mut ends) = listener().await;
    let dead = plain().await;
    let cell = dead.0.get_cell();
    stop(dead).await;
    listener.get_cell().monitor(cell);
    settle().await;
    still(ends.try_recv().is_err(), "`Process::monitor` need not look whether the process is gone");

    let alive = plain().await;
    listener.get_cell().monitor(alive.0.get_cell());
    stop(alive).await;
    within("the end of one that was alive", ends.recv()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p16_there_is_one_monitor_for_each_pair() {
    let (listener, mut ends) = listener().await;
    let (twice, not_at_all) = (plain().await, plain().await);
    for watched in [&twice, &not_at_all] {
        listener.get_cell().monitor(watched.0.get_cell());
        listener.get_cell().monitor(watched.0.get_cell());
    }
    listener.get_cell().unmonitor(not_at_all.0.get_cell());
    stop(twice).await;
    stop(not_at_all).await;
    settle().await;
    let once = ends.try_recv().is_ok() && ends.try_recv().is_err();
    still(once, "`MonitorId` has lost its reason");
}

#[tokio::test(start_paused = true)]
async fn p16_to_hear_of_an_end_ends_whoever_monitors_by_default() {
    let (monitor, watched) = (plain().await, plain().await);
    monitor.0.get_cell().monitor(watched.0.get_cell());
    stop(watched).await;
    settle().await;
    let ended = monitor.0.get_status() == ActorStatus::Stopped;
    still(ended, "a monitor is no link, so ractor's could be offered for plain actors");
}
