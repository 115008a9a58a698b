//! Decides who may start when several queues share limits.
//!
//! Queues form a tree. A permit of a queue is also a permit of every queue above it, taken in one
//! step: nobody holds one limit while waiting for another, so nothing deadlocks and no limit is
//! exceeded on the way. Each queue serves in the order of arrival, and so does a queue above among
//! those that its own limits let through.
//!
//! ```text
//!   jobs          at most 4
//!   ├─ compile    at most 2 of those       compile full: only test may pass
//!   └─ test                                jobs full: everyone waits, oldest first
//! ```
//!
//! Work that already runs is *adopted*: counted at once, over the limit if need be. While a queue
//! is *held* nothing new is admitted through it, so that adoption can finish first.

use std::time::Duration;

use crate::queue::{Queue, Ticket, TicketCounter};
use crate::{Moment, Rate, TokenBucket};

/// Names a queue within its [`Admission`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueId(usize);

/// Limits one queue; without any it only counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many may hold a permit at once; zero admits nobody.
    pub concurrency: Option<u32>,
    /// How often a permit is given.
    pub rate: Option<Rate>,
    /// How long a waiter may wait unless it says otherwise.
    pub max_wait: Option<Duration>,
}

/// Decides for a tree of queues; `T` stands for whatever wakes a waiter.
#[derive(Debug)]
pub struct Admission<T> {
    nodes: Vec<Node<T>>,
    tickets: TicketCounter,
}

/// Shows one queue at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// The limits in force.
    pub limits: Limits,
    /// Permits held now, those of queues below included.
    pub held: u32,
    /// Waiters of this queue itself.
    pub waiting: usize,
    /// How long the first of them has waited.
    pub oldest_wait: Option<Duration>,
    /// Permits given so far, adopted ones included.
    pub granted: u64,
    /// Waiters who lost their patience so far.
    pub expired: u64,
    /// Whether admission is held here or above.
    pub on_hold: bool,
}

#[derive(Debug)]
struct Node<T> {
    parent: Option<QueueId>,
    concurrency: Option<u32>,
    bucket: Option<TokenBucket>,
    max_wait: Option<Duration>,
    held: u32,
    holds: u32,
    granted: u64,
    expired: u64,
    waiters: Queue<T>,
}

impl<T> Default for Admission<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), tickets: TicketCounter::default() }
    }
}

impl<T> Admission<T> {
    /// Adds a queue, inside `parent` if there is one.
    pub fn add(&mut self, parent: Option<QueueId>, limits: Limits) -> QueueId {
        self.nodes.push(Node {
            parent,
            concurrency: limits.concurrency,
            bucket: limits.rate.map(TokenBucket::new),
            max_wait: limits.max_wait,
            held: 0,
            holds: 0,
            granted: 0,
            expired: 0,
            waiters: Queue::default(),
        });
        QueueId(self.nodes.len() - 1)
    }

    /// Lines a waiter up; [`Self::admit`] says when its turn has come.
    pub fn enqueue(
        &mut self,
        queue: QueueId,
        now: Moment,
        max_wait: Option<Duration>,
        waiter: T,
    ) -> Ticket {
        let ticket = self.tickets.draw();
        self.node_mut(queue).waiters.push(ticket, now, max_wait, waiter);
        ticket
    }

    /// Forgets a waiter that left; one that was admitted or expired is left alone.
    pub fn abandon(&mut self, queue: QueueId, ticket: Ticket) {
        self.node_mut(queue).waiters.remove(ticket);
    }

    /// Drops the waiters whose patience has ended and returns them.
    pub fn expire(&mut self, now: Moment) -> Vec<T> {
        let mut gone = Vec::new();
        for node in &mut self.nodes {
            let expired = node.waiters.expire(now);
            node.expired += expired.len() as u64;
            gone.extend(expired.into_iter().map(|(_, waiter)| waiter));
        }
        gone
    }

    /// Takes a permit for the longest waiting of those who may have one; call it until it says no.
    pub fn admit(&mut self, now: Moment) -> Option<(QueueId, T)> {
        let (queue, _) = self
            .heads()
            .filter(|(queue, _)| self.is_open(*queue, now))
            .min_by_key(|(_, head)| *head)?;
        let (_, waiter) = self.node_mut(queue).waiters.pop()?;
        self.take(queue, now);
        Some((queue, waiter))
    }

    /// Counts work that already runs, whatever the limits and holds say.
    ///
    /// It started before, so it does not count against the rate.
    pub fn adopt(&mut self, queue: QueueId) {
        for id in self.chain(queue) {
            let node = self.node_mut(id);
            node.held += 1;
            node.granted += 1;
        }
    }

    /// Gives a permit back.
    pub fn release(&mut self, queue: QueueId) {
        for id in self.chain(queue) {
            let node = self.node_mut(id);
            debug_assert!(node.held > 0, "a permit is released once");
            node.held = node.held.saturating_sub(1);
        }
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
    pub fn reconfigure(&mut self, queue: QueueId, limits: Limits, now: Moment) {
        let node = self.node_mut(queue);
        node.concurrency = limits.concurrency;
        node.max_wait = limits.max_wait;
        node.bucket = match (node.bucket.take(), limits.rate) {
            (Some(mut bucket), Some(rate)) => {
                bucket.reconfigure(rate, now);
                Some(bucket)
            }
            (_, rate) => rate.map(TokenBucket::new),
        };
    }

    /// Returns the next time at which waiting alone changes something.
    pub fn next_event(&self, now: Moment) -> Option<Moment> {
        let due = self.heads().filter_map(|(queue, _)| self.due(queue));
        let deadlines = self.nodes.iter().filter_map(|node| node.waiters.next_deadline());
        due.chain(deadlines).filter(|at| *at > now).min()
    }

    /// Shows a queue as it is now.
    pub fn view(&self, queue: QueueId, now: Moment) -> QueueView {
        let node = self.node(queue);
        QueueView {
            limits: Limits {
                concurrency: node.concurrency,
                rate: node.bucket.as_ref().map(TokenBucket::rate),
                max_wait: node.max_wait,
            },
            held: node.held,
            waiting: node.waiters.len(),
            oldest_wait: node.waiters.oldest_wait(now),
            granted: node.granted,
            expired: node.expired,
            on_hold: self.chain(queue).into_iter().any(|id| self.node(id).holds > 0),
        }
    }

    /// Tells when the rates of a queue let its head through; `None` while something else bars it.
    fn due(&self, queue: QueueId) -> Option<Moment> {
        let chain = self.chain(queue);
        if !chain.iter().all(|id| self.node(*id).has_room()) {
            return None;
        }
        chain
            .iter()
            .filter_map(|id| self.node(*id).bucket.as_ref())
            .map(TokenBucket::ready_at)
            .max()
    }

    fn is_open(&self, queue: QueueId, now: Moment) -> bool {
        self.chain(queue).into_iter().all(|id| {
            let node = self.node(id);
            node.has_room() && node.bucket.as_ref().is_none_or(|bucket| bucket.is_ready(now))
        })
    }

    fn take(&mut self, queue: QueueId, now: Moment) {
        for id in self.chain(queue) {
            let node = self.node_mut(id);
            node.held += 1;
            node.granted += 1;
            if let Some(bucket) = &mut node.bucket {
                bucket.take(now);
            }
        }
    }

    fn heads(&self) -> impl Iterator<Item = (QueueId, Ticket)> {
        self.nodes
            .iter()
            .enumerate()
            .filter_map(|(index, node)| Some((QueueId(index), node.waiters.head()?)))
    }

    /// Returns a queue and those above it.
    fn chain(&self, queue: QueueId) -> Vec<QueueId> {
        std::iter::successors(Some(queue), |id| self.node(*id).parent).collect()
    }

    fn node(&self, queue: QueueId) -> &Node<T> {
        &self.nodes[queue.0]
    }

    fn node_mut(&mut self, queue: QueueId) -> &mut Node<T> {
        &mut self.nodes[queue.0]
    }
}

impl<T> Node<T> {
    fn has_room(&self) -> bool {
        self.holds == 0 && self.concurrency.is_none_or(|limit| self.held < limit)
    }
}

#[cfg(test)]
mod tests;
