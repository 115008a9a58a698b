//! What the runtime relies on in ractor, so that an upgrade that changes it fails here first.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "ractor itself is under test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, ActorStatus};

/// Notes what ractor does with it.
#[derive(Default, Clone)]
struct Subject {
    state_dropped: Arc<AtomicBool>,
    handled: Arc<AtomicU32>,
    post_stops: Arc<AtomicU32>,
    hang_at_start: bool,
}

struct State(Arc<AtomicBool>);

impl Drop for State {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

enum Msg {
    Nothing,
    Fail,
    Hang,
}

impl Actor for Subject {
    type Msg = Msg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Msg>, (): ()) -> Result<State, ActorProcessingErr> {
        myself.send_message(Msg::Nothing)?;
        if self.hang_at_start {
            std::future::pending::<()>().await;
        }
        Ok(State(Arc::clone(&self.state_dropped)))
    }

    async fn handle(
        &self,
        _myself: ActorRef<Msg>,
        message: Msg,
        _state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        self.handled.fetch_add(1, Ordering::SeqCst);
        match message {
            Msg::Nothing => Ok(()),
            Msg::Fail => Err("asked to".into()),
            Msg::Hang => std::future::pending().await,
        }
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Msg>,
        _state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        self.post_stops.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Ends a fresh actor in some way; returns whether its state was dropped when its task had ended,
/// how many messages it handled and how often `post_stop` ran.
async fn end(how: impl FnOnce(&ActorRef<Msg>)) -> (bool, u32, u32) {
    let subject = Subject::default();
    let (actor, task) = Actor::spawn(None, subject.clone(), ()).await.unwrap();
    tokio::task::yield_now().await;
    how(&actor);
    task.await.unwrap();
    (
        subject.state_dropped.load(Ordering::SeqCst),
        subject.handled.load(Ordering::SeqCst),
        subject.post_stops.load(Ordering::SeqCst),
    )
}

#[tokio::test(start_paused = true)]
async fn without_a_link_the_state_is_gone_when_the_task_is() {
    assert_eq!(end(|actor| actor.stop(None)).await, (true, 1, 1));
    assert_eq!(end(|actor| actor.kill()).await, (true, 1, 0));
    assert_eq!(end(|actor| actor.send_message(Msg::Fail).unwrap()).await, (true, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_kill_interrupts_a_handler_that_awaits_and_a_stop_does_not() {
    let subject = Subject::default();
    let (actor, mut task) = Actor::spawn(None, subject.clone(), ()).await.unwrap();
    actor.send_message(Msg::Hang).unwrap();
    tokio::task::yield_now().await;
    actor.stop(None);
    tokio::time::timeout(Duration::from_secs(60), &mut task).await.unwrap_err();
    actor.kill();
    task.await.unwrap();
    assert_eq!(subject.post_stops.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_goes_before_the_messages_that_wait() {
    let handled = end(|actor| {
        for _ in 0..5 {
            actor.send_message(Msg::Nothing).unwrap();
        }
        actor.stop(None);
    });
    assert_eq!(handled.await, (true, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_kill_goes_before_a_stop() {
    let ended = end(|actor| {
        actor.stop(None);
        actor.kill();
    });
    assert_eq!(ended.await, (true, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_start_leaves_nothing_running() {
    let subject = Subject { hang_at_start: true, ..Subject::default() };
    let start = Actor::spawn(Some("dropped".to_owned()), subject, ());
    assert!(tokio::time::timeout(Duration::from_secs(1), start).await.is_err());
    let again = Subject::default();
    let (actor, task) = Actor::spawn(Some("dropped".to_owned()), again, ()).await.unwrap();
    actor.stop(None);
    task.await.unwrap();
    assert_eq!(actor.get_status(), ActorStatus::Stopped);
    assert!(actor.send_message(Msg::Nothing).is_err());
}

/// The reason why the runtime does not link: a killed child's state travels to its parent.
#[tokio::test(start_paused = true)]
async fn with_a_link_a_killed_state_outlives_its_task() {
    struct Parent;
    impl Actor for Parent {
        type Msg = ();
        type State = ();
        type Arguments = ();
        async fn pre_start(&self, _myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
        async fn handle(
            &self,
            _myself: ActorRef<()>,
            (): (),
            _state: &mut (),
        ) -> Result<(), ActorProcessingErr> {
            std::future::pending().await
        }
    }
    let (parent, parent_task) = Actor::spawn(None, Parent, ()).await.unwrap();
    parent.send_message(()).unwrap();
    tokio::task::yield_now().await;
    let subject = Subject::default();
    let linked = Actor::spawn_linked(None, subject.clone(), (), parent.get_cell());
    let (actor, task) = linked.await.unwrap();
    tokio::task::yield_now().await;
    actor.kill();
    task.await.unwrap();
    assert!(!subject.state_dropped.load(Ordering::SeqCst));
    parent.kill();
    parent_task.await.unwrap();
    assert!(subject.state_dropped.load(Ordering::SeqCst));
}
