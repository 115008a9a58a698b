//! Decides who may start when several queues share limits.
//!
//! Queues form a tree. A permit of a queue is also a permit of every queue above it, taken in one
//! step: nobody holds one limit while waiting for another, so nothing deadlocks and no limit is
//! exceeded on the way. Each queue serves by its own [`Discipline`]; a queue above serves those
//! that its own limits let through in the order of their arrival.
//!
//! ```text
//!   jobs          at most 4
//!   ├─ compile    at most 2 of those       compile full: only test may pass
//!   └─ test                                jobs full: everyone waits, oldest first
//! ```
//!
//! A rate that several queues share is the rate of a queue above them.
//!
//! Work that already runs is *adopted*: counted at once, over the limit if need be. While a queue
//! is *held* nothing new is admitted through it, so that adoption can finish first.

mod limits;
mod node;
mod request;
mod view;

use std::time::Duration;

pub use self::limits::Limits;
use self::node::Node;
pub use self::request::{Decision, Grant, RefusalKind, Request};
pub use self::view::{Claim, QueueView};
use crate::queue::{Key, Ticket, TicketCounter, Waiter};
use crate::{Moment, TokenBucket};

/// Names a queue within its [`Admission`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueId(usize);

/// Decides for a tree of queues; `T` stands for whatever wakes a waiter.
///
/// ```
/// use heights_core::{Admission, Decision, Limits, Moment, Request};
///
/// let mut admission = Admission::default();
/// let jobs = admission.add(None, Limits { concurrency: Some(1), ..Limits::default() });
/// for name in ["first", "second"] {
///     admission.enqueue(jobs, Moment::ZERO, Request::default(), name);
/// }
/// let Some(Decision::Admit(grant, "first")) = admission.decide(Moment::ZERO) else { panic!() };
/// assert!(admission.decide(Moment::ZERO).is_none());
/// admission.release(grant);
/// assert!(matches!(admission.decide(Moment::ZERO), Some(Decision::Admit(_, "second"))));
/// ```
#[derive(Debug)]
pub struct Admission<T> {
    nodes: Vec<Node<T>>,
    /// Those that are no queue any more, to be used again.
    vacant: Vec<QueueId>,
    tickets: TicketCounter,
    /// How many wait in all queues together.
    waiting: usize,
}

impl<T> Default for Admission<T> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            vacant: Vec::new(),
            tickets: TicketCounter::default(),
            waiting: 0,
        }
    }
}

impl<T> Admission<T> {
    /// Adds a queue, inside `parent` if there is one.
    pub fn add(&mut self, parent: Option<QueueId>, limits: Limits) -> QueueId {
        let node = Node::new(parent, limits);
        if let Some(queue) = self.vacant.pop() {
            *self.node_mut(queue) = node;
            return queue;
        }
        self.nodes.push(node);
        QueueId(self.nodes.len() - 1)
    }

    /// Forgets a queue that nobody asks any more; its id may be given to another.
    ///
    /// One that is still needed stays: somebody waits there or holds its permit, or a queue is
    /// inside. Tells whether it is gone.
    pub fn remove(&mut self, queue: QueueId) -> bool {
        let node = self.node(queue);
        let idle = node.held == 0 && node.waiters.is_empty();
        let removed = idle && self.nodes.iter().all(|node| node.parent != Some(queue));
        if removed {
            *self.node_mut(queue) = Node::new(None, Limits::default());
            self.vacant.push(queue);
        }
        removed
    }

    /// Counts the queues.
    pub fn queues(&self) -> usize {
        self.nodes.len() - self.vacant.len()
    }

    /// Takes a permit at once if nobody waits anywhere and every limit lets it through.
    pub fn try_take(&mut self, queue: QueueId, now: Moment, key: Option<&Key>) -> Option<Grant> {
        if self.waiting > 0 || !self.is_open(queue, now) {
            return None;
        }
        self.node_mut(queue).waiters.note_empty(now);
        Some(self.take(queue, now, key.cloned()))
    }

    /// Lines a waiter up; [`Self::decide`] says how its wait ends.
    pub fn enqueue(&mut self, queue: QueueId, now: Moment, request: Request, waiter: T) -> Ticket {
        let ticket = self.tickets.draw();
        let deadline = request.max_wait.map(|wait| now.saturating_add(wait));
        let waiter = Waiter { since: now, key: request.key, deadline, item: waiter };
        self.node_mut(queue).waiters.push(ticket, waiter);
        self.waiting += 1;
        ticket
    }

    /// Forgets a waiter that left; one whose wait has ended is left alone.
    pub fn abandon(&mut self, queue: QueueId, now: Moment, ticket: Ticket) {
        let node = self.node_mut(queue);
        let left = node.waiters.remove(ticket).is_some();
        node.waiters.note_empty(now);
        self.waiting -= usize::from(left);
    }

    /// Ends one wait that has to end now; call it until it says `None`.
    pub fn decide(&mut self, now: Moment) -> Option<Decision<T>> {
        if self.waiting == 0 {
            return None;
        }
        let decision = self.expire(now).or_else(|| self.admit(now)).or_else(|| self.overflow())?;
        self.waiting -= 1;
        Some(decision)
    }

    /// Counts work that already runs, whatever the limits and holds say.
    ///
    /// It started before, so it does not count against the rate.
    pub fn adopt(&mut self, queue: QueueId, now: Moment, key: Option<Key>) -> Grant {
        self.each_above(queue, Node::count_in);
        Grant { queue, slot: self.node_mut(queue).holders.enter(now, key) }
    }

    /// Takes a permit back.
    pub fn release(&mut self, grant: Grant) {
        self.node_mut(grant.queue).holders.leave(grant.slot);
        self.each_above(grant.queue, Node::count_out);
    }

    /// Stops admission through a queue until as many [`Self::unhold`] follow.
    pub fn hold(&mut self, queue: QueueId) {
        self.node_mut(queue).holds += 1;
    }

    /// Takes one hold back.
    pub fn unhold(&mut self, queue: QueueId) {
        let node = self.node_mut(queue);
        debug_assert!(node.holds > 0, "a hold is taken back once");
        node.holds = node.holds.saturating_sub(1);
    }

    /// Changes the limits; permits already held stay, and so does what the rate has already given.
    ///
    /// Those who wait keep the patience they came with.
    pub fn reconfigure(&mut self, queue: QueueId, limits: Limits, now: Moment) {
        self.node_mut(queue).reconfigure(limits, now);
    }

    /// Returns when a rate lets someone in who waits for nothing else.
    ///
    /// The other thing that time does, ending someone's patience, is at the deadline of each.
    pub fn next_due(&self, now: Moment) -> Option<Moment> {
        if self.waiting == 0 {
            return None;
        }
        let busy = self.ids().filter(|id| !self.node(*id).waiters.is_empty());
        busy.filter_map(|id| self.due(id)).filter(|at| *at > now).min()
    }

    /// Tells whether a rate holds for this queue, its own or one above it.
    pub fn is_rated(&self, queue: QueueId) -> bool {
        self.chain(queue).any(|id| self.node(id).bucket.is_some())
    }

    /// Tells whether anybody waits in any of the queues.
    pub fn is_waited_for(&self) -> bool {
        self.waiting > 0
    }

    /// Returns how long a waiter of this queue waits unless it says otherwise.
    pub fn max_wait(&self, queue: QueueId) -> Option<Duration> {
        self.node(queue).limits.max_wait
    }

    fn expire(&mut self, now: Moment) -> Option<Decision<T>> {
        self.nodes.iter_mut().find_map(|node| {
            let waiter = node.waiters.expire(now)?;
            node.waiters.note_empty(now);
            node.counts.expired += 1;
            Some(Decision::Refuse(RefusalKind::Expired, waiter.item))
        })
    }

    /// Serves the queue that is in place longest among those that may pass.
    fn admit(&mut self, now: Moment) -> Option<Decision<T>> {
        let places = self.ids().filter_map(|id| Some((self.node(id).waiters.place()?, id)));
        let open = places.filter(|(_, id)| self.is_open(*id, now));
        let (_, queue) = open.min_by_key(|(place, _)| *place)?;
        let node = self.node_mut(queue);
        if let Some(late) = node.waiters.shed(now) {
            node.waiters.note_empty(now);
            node.counts.shed += 1;
            return Some(Decision::Refuse(RefusalKind::Shed, late.item));
        }
        let (_, waiter) = node.waiters.pop()?;
        node.waiters.note_empty(now);
        Some(Decision::Admit(self.take(queue, now, waiter.key), waiter.item))
    }

    fn overflow(&mut self) -> Option<Decision<T>> {
        self.nodes.iter_mut().find_map(|node| {
            let waiter = node.waiters.overflow(node.limits.max_len?)?;
            node.counts.turned_away += 1;
            Some(Decision::Refuse(RefusalKind::Full, waiter.item))
        })
    }

    /// Tells when the rates of a queue let its head through; `None` while something else bars it.
    fn due(&self, queue: QueueId) -> Option<Moment> {
        if !self.chain(queue).all(|id| self.node(id).has_room()) {
            return None;
        }
        let buckets = self.chain(queue).filter_map(|id| self.node(id).bucket.as_ref());
        buckets.map(TokenBucket::ready_at).max()
    }

    fn is_open(&self, queue: QueueId, now: Moment) -> bool {
        self.chain(queue).all(|id| self.node(id).is_open(now))
    }

    fn take(&mut self, queue: QueueId, now: Moment, key: Option<Key>) -> Grant {
        self.each_above(queue, |node| node.take(now));
        Grant { queue, slot: self.node_mut(queue).holders.enter(now, key) }
    }

    /// Does something to a queue and those above it.
    fn each_above(&mut self, queue: QueueId, mut act: impl FnMut(&mut Node<T>)) {
        let mut next = Some(queue);
        while let Some(id) = next {
            let node = self.node_mut(id);
            act(node);
            next = node.parent;
        }
    }

    /// Returns a queue and those above it.
    fn chain(&self, queue: QueueId) -> impl Iterator<Item = QueueId> {
        std::iter::successors(Some(queue), |id| self.node(*id).parent)
    }

    fn ids(&self) -> impl Iterator<Item = QueueId> + use<T> {
        (0..self.nodes.len()).map(QueueId)
    }

    fn node(&self, queue: QueueId) -> &Node<T> {
        &self.nodes[queue.0]
    }

    fn node_mut(&mut self, queue: QueueId) -> &mut Node<T> {
        &mut self.nodes[queue.0]
    }
}

#[cfg(test)]
mod tests;
