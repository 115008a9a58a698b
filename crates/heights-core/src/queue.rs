//! Keeps those who wait for something in the order in which they came.
//!
//! A waiter may have a deadline and may leave at any time from any place; neither disturbs the
//! order of the others. Tickets grow and are never reused, so they also order waiters of different
//! queues that share a [`TicketCounter`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::Moment;

/// Names one waiter for as long as the process lives; earlier tickets came earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Hands out tickets.
#[derive(Debug, Default)]
pub struct TicketCounter(u64);

/// Holds waiters, first come, first served.
#[derive(Debug)]
pub struct Queue<T> {
    waiters: BTreeMap<Ticket, Waiter<T>>,
    /// When which of them has waited long enough; kept beside them so that nobody has to search.
    deadlines: BTreeSet<(Moment, Ticket)>,
}

#[derive(Debug)]
struct Waiter<T> {
    since: Moment,
    deadline: Option<Moment>,
    item: T,
}

impl TicketCounter {
    /// Returns a ticket later than all before it.
    pub fn draw(&mut self) -> Ticket {
        self.0 += 1;
        Ticket(self.0)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiters: BTreeMap::new(), deadlines: BTreeSet::new() }
    }
}

impl<T> Queue<T> {
    /// Adds a waiter, at most until `now + max_wait`.
    pub fn push(&mut self, ticket: Ticket, now: Moment, max_wait: Option<Duration>, item: T) {
        let deadline = max_wait.map(|wait| now.saturating_add(wait));
        self.deadlines.extend(deadline.map(|deadline| (deadline, ticket)));
        self.waiters.insert(ticket, Waiter { since: now, deadline, item });
    }

    /// Returns the ticket of the one who has waited longest.
    pub fn head(&self) -> Option<Ticket> {
        self.waiters.first_key_value().map(|(ticket, _)| *ticket)
    }

    /// Takes the one who has waited longest.
    pub fn pop(&mut self) -> Option<(Ticket, T)> {
        let ticket = self.head()?;
        Some((ticket, self.remove(ticket)?))
    }

    /// Takes a waiter out, wherever it stands; `None` if it no longer waits.
    pub fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let Waiter { deadline, item, .. } = self.waiters.remove(&ticket)?;
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, ticket));
        }
        Some(item)
    }

    /// Takes out all whose deadline has passed, the earliest deadline first.
    pub fn expire(&mut self, now: Moment) -> Vec<(Ticket, T)> {
        let mut expired = Vec::new();
        while let Some((_, ticket)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            expired.extend(self.remove(ticket).map(|item| (ticket, item)));
        }
        expired
    }

    /// Returns the next time at which someone's patience ends.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Returns how long the head has waited.
    pub fn oldest_wait(&self, now: Moment) -> Option<Duration> {
        self.waiters.first_key_value().map(|(_, waiter)| now.saturating_sub(waiter.since))
    }

    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Tells whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn queue_of(
        names: &[&'static str],
        max_wait: Option<Duration>,
    ) -> (Queue<&'static str>, Vec<Ticket>) {
        let (mut queue, mut counter) = (Queue::default(), TicketCounter::default());
        let tickets: Vec<_> = names.iter().map(|_| counter.draw()).collect();
        for (index, (name, ticket)) in names.iter().zip(&tickets).enumerate() {
            queue.push(*ticket, SECOND * u32::try_from(index).unwrap(), max_wait, *name);
        }
        (queue, tickets)
    }

    fn drain(queue: &mut Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop()).map(|(_, name)| name).collect()
    }

    #[test]
    fn serves_in_the_order_of_arrival() {
        assert_eq!(drain(&mut queue_of(&["a", "b", "c"], None).0), ["a", "b", "c"]);
    }

    #[test]
    fn one_who_leaves_does_not_disturb_the_order() {
        let (mut queue, tickets) = queue_of(&["a", "b", "c"], None);
        assert_eq!(queue.remove(tickets[1]), Some("b"));
        assert_eq!(queue.remove(tickets[1]), None);
        assert_eq!(drain(&mut queue), ["a", "c"]);
    }

    #[test]
    fn deadlines_take_out_exactly_those_who_waited_too_long() {
        let (mut queue, _) = queue_of(&["a", "b", "c"], Some(5 * SECOND));
        assert_eq!(queue.next_deadline(), Some(5 * SECOND));
        assert_eq!(
            queue.expire(6 * SECOND).into_iter().map(|(_, name)| name).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(queue.oldest_wait(6 * SECOND), Some(4 * SECOND));
        assert_eq!(drain(&mut queue), ["c"]);
    }
}
