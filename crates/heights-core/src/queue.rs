//! Keeps those who wait for something, and says whose turn is next.
//!
//! A waiter may have a deadline and may leave at any time from any place; neither disturbs the
//! order of the others. Tickets grow and are never reused, so they also order waiters of different
//! queues that share a [`TicketCounter`].

mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::order::Order;
use crate::Moment;

/// Names one waiter for as long as the process lives; earlier tickets came earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Hands out tickets.
#[derive(Debug, Default)]
pub struct TicketCounter(u64);

/// Says on whose behalf something is asked for: those with the same key share one turn in a
/// [fair](Discipline::Fair) queue, and the parts of a key take turns among themselves.
///
/// ```
/// use heights_core::Key;
///
/// let key = Key::from("@ada").part("#7");
/// assert_eq!((key.as_str(), key.to_string().as_str()), ("@ada", "@ada #7"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    whole: Arc<str>,
    part: Option<Arc<str>>,
}

/// Says who of those who wait is served next.
///
/// ```
/// use heights_core::{Discipline, Moment, Queue, TicketCounter, Waiter};
///
/// let (mut queue, mut tickets) = (Queue::new(Discipline::Lifo), TicketCounter::default());
/// for item in ["first", "last"] {
///     queue.push(tickets.draw(), Waiter { since: Moment::ZERO, key: None, deadline: None, item });
/// }
/// queue.set_discipline(Discipline::Fifo);
/// assert_eq!(queue.pop().map(|(_, waiter)| waiter.item), Some("first"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Discipline {
    /// Who came first.
    #[default]
    Fifo,
    /// Who came last: under overload some are served at once, instead of all too late.
    Lifo,
    /// Each key in turn, within a key each of its parts in turn, and who came first within a part.
    Fair,
    /// Who came first, but while the queue stands, those who waited too long are dropped; see
    /// [`CoDel`](crate::CoDel).
    CoDel {
        /// The longest wait that is fine for good.
        target: Duration,
        /// How long waits must be longer than that before anyone is dropped.
        interval: Duration,
    },
}

/// Holds waiters.
#[derive(Debug)]
pub struct Queue<T> {
    waiters: BTreeMap<Ticket, Waiter<T>>,
    /// When which of them has waited long enough; kept beside them so that nobody has to search.
    deadlines: BTreeSet<(Moment, Ticket)>,
    discipline: Discipline,
    order: Order,
}

/// One who waits, or did.
#[derive(Debug)]
pub struct Waiter<T> {
    /// Since when.
    pub since: Moment,
    /// On whose behalf.
    pub key: Option<Key>,
    /// Until when.
    pub deadline: Option<Moment>,
    /// What stands for the waiter outside.
    pub item: T,
}

impl TicketCounter {
    /// Returns a ticket later than all before it.
    pub fn draw(&mut self) -> Ticket {
        self.0 += 1;
        Ticket(self.0)
    }
}

impl Key {
    /// Returns the key as text, without the part.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// Narrows the key down to a part of it.
    #[must_use]
    pub fn part(self, part: impl Into<Arc<str>>) -> Self {
        Self { part: Some(part.into()), ..self }
    }

    /// Returns the part, if it is narrowed down to one.
    pub fn as_part(&self) -> Option<&str> {
        self.part.as_deref()
    }
}

impl<S: Into<Arc<str>>> From<S> for Key {
    fn from(key: S) -> Self {
        Self { whole: key.into(), part: None }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(part) => write!(f, "{} {part}", self.whole),
            None => f.write_str(&self.whole),
        }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new(Discipline::default())
    }
}

impl<T> Queue<T> {
    /// Makes an empty queue.
    pub fn new(discipline: Discipline) -> Self {
        let order = Order::new(discipline);
        Self { waiters: BTreeMap::new(), deadlines: BTreeSet::new(), discipline, order }
    }

    /// Returns the discipline in force.
    pub fn discipline(&self) -> Discipline {
        self.discipline
    }

    /// Changes the discipline; those who wait are lined up anew.
    pub fn set_discipline(&mut self, discipline: Discipline) {
        if self.discipline == discipline {
            return;
        }
        self.discipline = discipline;
        self.order = Order::new(discipline);
        for (ticket, waiter) in &self.waiters {
            self.order.join(*ticket, waiter.key.as_ref());
        }
    }

    /// Adds a waiter.
    pub fn push(&mut self, ticket: Ticket, waiter: Waiter<T>) {
        self.deadlines.extend(waiter.deadline.map(|deadline| (deadline, ticket)));
        self.order.join(ticket, waiter.key.as_ref());
        self.waiters.insert(ticket, waiter);
    }

    /// Returns the place of the queue among others: the oldest that has not been served yet.
    ///
    /// It does not depend on the discipline, so a queue that serves its newest is neither preferred
    /// to its siblings nor starved by them.
    pub fn place(&self) -> Option<Ticket> {
        self.order.place().or_else(|| self.oldest())
    }

    /// Returns the ticket of the one whose turn is next.
    pub fn head(&self) -> Option<Ticket> {
        match self.discipline {
            Discipline::Fifo | Discipline::CoDel { .. } => self.oldest(),
            Discipline::Lifo => self.waiters.last_key_value().map(|(ticket, _)| *ticket),
            Discipline::Fair => self.order.fairest(),
        }
    }

    /// Takes the one whose turn is next.
    pub fn pop(&mut self) -> Option<(Ticket, Waiter<T>)> {
        let ticket = self.head()?;
        let waiter = self.take(ticket)?;
        self.order.served(ticket, waiter.key.as_ref());
        Some((ticket, waiter))
    }

    /// Takes the one whose turn is next if it has waited too long for the discipline.
    pub fn shed(&mut self, now: Moment) -> Option<Waiter<T>> {
        let codel = self.order.codel()?;
        let (_, head) = self.waiters.first_key_value()?;
        if !codel.drops(now, now.saturating_sub(head.since)) {
            return None;
        }
        self.pop().map(|(_, waiter)| waiter)
    }

    /// Takes note that someone passed without waiting, or that nobody is left.
    pub fn note_empty(&mut self, now: Moment) {
        if let Some(codel) = self.order.codel().filter(|_| self.waiters.is_empty()) {
            codel.calm(now);
        }
    }

    /// Takes a waiter out, wherever it stands; `None` if it no longer waits.
    pub fn remove(&mut self, ticket: Ticket) -> Option<Waiter<T>> {
        let waiter = self.take(ticket)?;
        self.order.left(ticket, waiter.key.as_ref());
        Some(waiter)
    }

    /// Takes out one whose deadline has passed, the earliest deadline first.
    pub fn expire(&mut self, now: Moment) -> Option<Waiter<T>> {
        let (_, ticket) = self.deadlines.first().copied().filter(|(at, _)| *at <= now)?;
        self.remove(ticket)
    }

    /// Takes out the one who has to go when there are too many: the newcomer, or the oldest where
    /// the newest is served first.
    pub fn overflow(&mut self, max_len: usize) -> Option<Waiter<T>> {
        if self.waiters.len() <= max_len {
            return None;
        }
        let mut tickets = self.waiters.keys().copied();
        let ticket = match self.discipline {
            Discipline::Lifo => tickets.next(),
            Discipline::Fifo | Discipline::Fair | Discipline::CoDel { .. } => tickets.next_back(),
        };
        self.remove(ticket?)
    }

    /// Returns those who wait, in the order in which they came.
    pub fn waiters(&self) -> impl Iterator<Item = &Waiter<T>> {
        self.waiters.values()
    }

    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Tells whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    fn oldest(&self) -> Option<Ticket> {
        self.waiters.first_key_value().map(|(ticket, _)| *ticket)
    }

    fn take(&mut self, ticket: Ticket) -> Option<Waiter<T>> {
        let waiter = self.waiters.remove(&ticket)?;
        if let Some(deadline) = waiter.deadline {
            self.deadlines.remove(&(deadline, ticket));
        }
        Some(waiter)
    }
}

#[cfg(test)]
mod tests;
