//! What is counted and told of a process beyond its totals, where somebody asks or there is more
//! than one kind of message.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::inspect::Exhibition;
use crate::last_message::Page;
use crate::panic::shielded;
use crate::process::ProcessId;

/// How many kinds of message are counted apart; kinds are written by hand, so these are plenty.
const KINDS: usize = 32;

/// What has been done with one kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCount {
    /// The kind of message.
    pub label: &'static str,
    /// Messages handled well.
    pub handled: u64,
    /// Messages whose handling ended in a fault or a panic.
    pub failed: u64,
    /// Time spent in the handler, waiting included.
    pub busy: Duration,
}

/// A message that has been handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// The kind of message.
    pub label: &'static str,
    /// Who sent it, if a process did.
    pub from: Option<ProcessId>,
    /// How long it waited; zero where that is not known, as for all that are no servers.
    pub waited: Duration,
    /// How long it took.
    pub took: Duration,
    /// Whether it went well.
    pub well: bool,
    /// What its server has written down of it: by [`LastMessage`](crate::LastMessage).
    pub text: Option<String>,
}

/// Hears what messages a process handles, while it does so.
///
/// It is in the way of the process, so it must be quick, and neither wait nor panic.
pub trait Tracer: Send + Sync {
    /// Tells whether it wants to know more of a message of this kind that has been handled. Called
    /// for each, with the counters of the process locked: it must not look at the process.
    fn wants(&self, label: &'static str) -> bool;

    /// Takes a message that it wanted.
    fn tell(&self, handled: Handled);
}

/// Names a tracer of a process, so that it can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracerId(u64);

/// What most processes have nothing of.
#[derive(Default)]
pub(super) struct Extra {
    /// Empty until there is a second kind.
    pub(super) messages: Vec<MessageCount>,
    tracers: Vec<(TracerId, Arc<dyn Tracer>)>,
    /// For servers that want their messages written down.
    pub(super) page: Option<Page>,
    /// For those that show their state.
    pub(super) exhibition: Option<Exhibition>,
}

/// A handled message on its way to those who want it.
pub(super) struct Told {
    handled: Handled,
    tracers: Vec<Arc<dyn Tracer>>,
}

impl Extra {
    pub(super) fn count(&mut self, label: &'static str, took: Duration, well: bool) {
        if self.messages.is_empty() {
            return;
        }
        let known = self.messages.iter().position(|count| count.label == label);
        let at = known.or_else(|| {
            let first = MessageCount { label, handled: 0, failed: 0, busy: Duration::ZERO };
            let room = self.messages.len() < KINDS;
            room.then(|| self.messages.push(first))?;
            Some(self.messages.len() - 1)
        });
        let Some(count) = at.and_then(|at| self.messages.get_mut(at)) else { return };
        count.busy += took;
        if well {
            count.handled += 1;
        } else {
            count.failed += 1;
        }
    }

    pub(super) fn add_tracer(&mut self, tracer: Arc<dyn Tracer>) -> TracerId {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let id = TracerId(LAST.fetch_add(1, Ordering::Relaxed));
        self.tracers.push((id, tracer));
        id
    }

    pub(super) fn remove_tracer(&mut self, id: TracerId) -> Option<Arc<dyn Tracer>> {
        let at = self.tracers.iter().position(|(known, _)| *known == id)?;
        Some(self.tracers.swap_remove(at).1)
    }

    /// Describes a message to those who want it; it costs nothing where nobody does.
    pub(super) fn told(
        &self,
        label: &'static str,
        describe: impl FnOnce(Option<String>) -> Handled,
    ) -> Option<Told> {
        let wanting = self.tracers.iter().filter(|(_, tracer)| tracer.wants(label));
        let tracers: Vec<_> = wanting.map(|(_, tracer)| Arc::clone(tracer)).collect();
        if tracers.is_empty() {
            return None;
        }
        let text = self.page.as_ref().map(|page| page.text().to_owned());
        Some(Told { handled: describe(text), tracers })
    }
}

impl Told {
    pub(super) fn tell(self) {
        for tracer in self.tracers {
            let handled = self.handled.clone();
            shielded("a tracer", move || tracer.tell(handled));
        }
    }
}
