//! An actor that does as it is told and tells what ractor does with it.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::gate::Gate;

/// Longer than anything here takes, even on a crowded machine.
pub const CEILING: Duration = Duration::from_secs(60);

/// Fails with what to think over when ractor does no longer what we rely on.
#[track_caller]
pub fn still(holds: bool, then: &str) {
    assert!(holds, "ractor behaves differently now; {then}");
}

/// Waits, but not for ever.
pub async fn within<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(CEILING, waiting).await;
    waited.unwrap_or_else(|_elapsed| panic!("waited in vain for {what}"))
}

/// Lets everything that can run now run, without moving a paused clock.
pub async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

type Outcome = Result<(), ActorProcessingErr>;
type Work = Box<dyn FnOnce(ActorRef<Msg>) -> BoxFuture<'static, Outcome> + Send>;

pub enum Msg {
    Do(Work),
    Ask(RpcReplyPort<()>),
}

impl Msg {
    pub fn work<F: Future<Output = Outcome> + Send + 'static>(
        work: impl FnOnce(ActorRef<Msg>) -> F + Send + 'static,
    ) -> Self {
        Self::Do(Box::new(move |myself| Box::pin(work(myself))))
    }

    pub fn nothing() -> Self {
        Self::work(async |_| Ok(()))
    }

    pub fn fail(why: &'static str) -> Self {
        Self::work(async move |_| Err(why.into()))
    }

    pub fn panic(why: &'static str) -> Self {
        Self::work(async move |_| panic!("{why}"))
    }

    /// Awaits what never comes.
    pub fn hang() -> Self {
        Self::work(async |_| std::future::pending().await)
    }

    /// Holds on to its thread until the gate opens.
    pub fn block(gate: &Gate) -> Self {
        let gate = gate.clone();
        Self::work(async move |_| {
            gate.pass();
            Ok(())
        })
    }
}

/// What happened to a subject, in order.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<&'static str>>>);

impl Notes {
    pub fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    pub fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|note| **note == what).count()
    }

    pub fn all(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// Does as it is told.
#[derive(Default, Clone)]
pub struct Subject {
    pub notes: Notes,
    /// Never returns from `pre_start`.
    pub hangs_at_start: bool,
    pub fails_at_start: bool,
    /// Waits for a permit in `post_stop`.
    pub stop: Option<Arc<Semaphore>>,
    /// Holds on to its thread while its state is dropped.
    pub drop: Option<Gate>,
    /// Where supervision events go, whole.
    pub events: Option<mpsc::UnboundedSender<SupervisionEvent>>,
}

pub struct State {
    notes: Notes,
    gate: Option<Gate>,
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        self.notes.note("drop");
    }
}

impl Subject {
    pub async fn spawn(self) -> (ActorRef<Msg>, JoinHandle<()>) {
        within("a start", Actor::spawn(None, self, ())).await.unwrap()
    }

    pub async fn spawn_under(self, parent: &ActorRef<Msg>) -> (ActorRef<Msg>, JoinHandle<()>) {
        self.spawn_named_under(None, parent).await
    }

    pub async fn spawn_named_under(
        self,
        name: Option<&str>,
        parent: &ActorRef<Msg>,
    ) -> (ActorRef<Msg>, JoinHandle<()>) {
        let spawned = Actor::spawn_linked(name.map(str::to_owned), self, (), parent.get_cell());
        within("a linked start", spawned).await.unwrap()
    }
}

/// A parent that only passes on what it hears.
pub async fn listener() -> (ActorRef<Msg>, JoinHandle<()>, Heard) {
    let (events, heard) = mpsc::unbounded_channel();
    let (parent, task) = Subject { events: Some(events), ..Subject::default() }.spawn().await;
    (parent, task, Heard(heard))
}

/// Waits until an actor has done what waits for it, the ends and starts of its children included.
pub async fn idle(actor: &ActorRef<Msg>) {
    let cell = actor.get_cell();
    within("an actor to be idle", ractor::rpc::call(&cell, Msg::Ask, None)).await.unwrap();
}

/// Keeps an actor in a handler until the result is dropped.
pub async fn keep_busy(actor: &ActorRef<Msg>) -> oneshot::Sender<()> {
    let (busy, done) = oneshot::channel();
    let wait = async move |_| {
        // The sender is dropped, never used.
        drop(done.await);
        Ok(())
    };
    actor.send_message(Msg::work(wait)).unwrap();
    settle().await;
    busy
}

/// What a parent heard of its children.
pub struct Heard(mpsc::UnboundedReceiver<SupervisionEvent>);

impl Heard {
    /// Waits for the next end of a child.
    pub async fn end(&mut self) -> SupervisionEvent {
        let next = async {
            loop {
                match self.0.recv().await.unwrap() {
                    SupervisionEvent::ActorStarted(_) => {}
                    end => return end,
                }
            }
        };
        within("the end of a child", next).await
    }

    /// Counts the ends that were heard and not taken.
    pub fn ends(&mut self) -> usize {
        let events = std::iter::from_fn(|| self.0.try_recv().ok());
        events.filter(|event| !matches!(event, SupervisionEvent::ActorStarted(_))).count()
    }
}

/// What an event tells: whether the child failed, the text, and whether its state came along.
pub fn told(event: &SupervisionEvent) -> (bool, Option<String>, bool) {
    match event {
        SupervisionEvent::ActorTerminated(_, state, reason) => {
            (false, reason.clone(), state.is_some())
        }
        SupervisionEvent::ActorFailed(_, error) => (true, Some(error.to_string()), false),
        _ => panic!("not an end"),
    }
}

pub fn who(event: &SupervisionEvent) -> ActorCell {
    event.actor_cell().unwrap().clone()
}

impl Actor for Subject {
    type Msg = Msg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Msg>, (): ()) -> Result<State, ActorProcessingErr> {
        self.notes.note("start");
        if self.hangs_at_start {
            std::future::pending::<()>().await;
        }
        if self.fails_at_start {
            return Err("asked to".into());
        }
        Ok(State { notes: self.notes.clone(), gate: self.drop.clone() })
    }

    async fn handle(&self, myself: ActorRef<Msg>, message: Msg, _: &mut State) -> Outcome {
        self.notes.note("handle");
        match message {
            Msg::Do(work) => work(myself).await,
            Msg::Ask(reply) => Ok(reply.send(())?),
        }
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg>,
        event: SupervisionEvent,
        _: &mut State,
    ) -> Outcome {
        if !matches!(event, SupervisionEvent::ActorStarted(_)) {
            self.notes.note("event");
        }
        if let Some(events) = &self.events {
            drop(events.send(event));
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Msg>, _: &mut State) -> Outcome {
        self.notes.note("post_stop");
        if let Some(stop) = &self.stop {
            stop.acquire().await?.forget();
        }
        Ok(())
    }
}
