//! What all requests share.

use std::sync::{Arc, Mutex, PoisonError};

use heights_supervisor::Hub;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::cost::Meter;
use super::crash_file::Earlier;
use super::events::Events;
use super::names::Names;
use super::pulse::Pulse;
use super::refusal::Refusal;
use super::turns::Turns;
use crate::spans::ActorSpans;
use crate::target::{self, Shown};
use crate::view;
use crate::wire::{Actor, Hello, Picture, Runtime, Sort, Tier, Tree};

/// How many answers without end there may be at once, watchers and traces together.
const STREAMS: usize = 16;

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    seen: Seen,
    shown: Mutex<Shown>,
    events: Arc<Events>,
    turns: Turns,
    streams: Arc<Semaphore>,
}

/// What there is to see.
pub(crate) struct Seen {
    pub(crate) hub: Hub,
    pub(crate) hello: Hello,
    pub(crate) names: Vec<Names>,
    pub(crate) spans: Option<ActorSpans>,
    pub(crate) pulse: Option<Pulse>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) earlier: Earlier,
}

impl Shared {
    pub(crate) fn new(seen: Seen) -> Self {
        let events = Events::of(&seen.hub);
        let streams = Arc::new(Semaphore::new(STREAMS));
        let (shown, turns) = (Mutex::default(), Turns::default());
        Self(Arc::new(Inner { seen, shown, events, turns, streams }))
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.seen.hub
    }

    pub(crate) fn hello(&self) -> &Hello {
        &self.0.seen.hello
    }

    pub(crate) fn tier(&self) -> Tier {
        self.hello().tier
    }

    pub(crate) fn names(&self) -> &[Names] {
        &self.0.seen.names
    }

    pub(crate) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.0.seen.meter)
    }

    pub(crate) fn events(&self) -> Arc<Events> {
        Arc::clone(&self.0.events)
    }

    /// Takes the right to answer without end.
    pub(crate) fn stream(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let permit = Arc::clone(&self.0.streams).try_acquire_owned();
        permit.map_err(|_| Refusal::busy(format!("{STREAMS} watch or trace already: try again")))
    }

    /// Looks at the threads, and says which of them an actor keeps.
    pub(crate) fn look_at_threads(&self) {
        self.0.seen.meter.note();
        for turn in self.0.turns.look() {
            let process = self.hub().process(turn.pid);
            self.0.events.note_blocked(&turn, process.as_ref());
        }
    }

    /// Takes a picture and remembers whom it shows.
    pub(crate) fn look(&self) -> Picture {
        let Seen { hub, hello, pulse, meter, earlier, .. } = &self.0.seen;
        let snapshot = hub.snapshot();
        let long = self.0.turns.long();
        let mut tree = view::tree(&snapshot, &long);
        self.add_foreign(&mut tree);
        let runtime = pulse.as_ref().map(|pulse| Runtime {
            blocked: view::blocked(&tree, &long),
            cost: Some(meter.read()),
            ..pulse.read()
        });
        let mut crashes = view::crashes(&snapshot);
        crashes.extend(earlier.crashes());
        let picture = Picture { hello: hello.clone(), tree, crashes, runtime };
        picture.note(&mut self.0.shown.lock().unwrap_or_else(PoisonError::into_inner));
        picture
    }

    /// Adds the actors that are none of the hub's.
    fn add_foreign(&self, tree: &mut Tree) {
        let Seen { hub, spans, .. } = &self.0.seen;
        let seen = spans.as_ref().map(|spans| spans.seen_besides(&hub.actor_ids()));
        view::add_foreign(tree, &hub.foreign(), &seen.unwrap_or_default());
    }

    /// Shows the first actors in some order, and of the hub's describes no others: a crowd costs
    /// little more than being counted.
    pub(crate) fn top(&self, sort: Sort, limit: usize, filter: Option<&str>) -> Tree {
        let snapshot = self.hub().snapshot();
        let mut tree = view::top(&snapshot, (sort, limit, filter), &self.0.turns.long());
        self.add_foreign(&mut tree);
        let tree = tree.first(sort, limit, filter);
        let mut shown = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for actor in &tree.actors {
            if let Some(pid) = &actor.pid {
                shown.remember(pid, &actor.path);
            }
        }
        tree
    }

    pub(crate) fn find(&self, reference: &str, picture: &Picture) -> Result<Actor, Refusal> {
        let shown = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let found = target::find(reference, &picture.tree.actors, &shown);
        found.cloned().map_err(|miss| Refusal::missed(reference, miss))
    }

    /// Looks at an actor once more; as it was if it is not there any more.
    pub(crate) fn again(&self, actor: Actor) -> Actor {
        let now = self.look().tree.actors.into_iter().find(|other| other.pid == actor.pid);
        now.unwrap_or(actor)
    }
}
