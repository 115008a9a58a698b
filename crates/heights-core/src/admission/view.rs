//! What can be seen of a queue from outside.

use std::time::Duration;

use super::{Admission, Limits, Node, QueueId};
use crate::Moment;
use crate::queue::Key;

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
    /// Waiters dropped so far because the queue stood still.
    pub shed: u64,
    /// Waiters turned away so far because the queue was full.
    pub turned_away: u64,
    /// Whether admission is held here or above.
    pub on_hold: bool,
}

/// Shows one who holds a permit or waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The queue that was asked.
    pub queue: QueueId,
    /// On whose behalf, if that was said.
    pub key: Option<Key>,
    /// How long it has held the permit, or waited.
    pub age: Duration,
}

impl<T> Admission<T> {
    /// Shows a queue as it is now.
    pub fn view(&self, queue: QueueId, now: Moment) -> QueueView {
        let node = self.node(queue);
        let oldest = node.waiters.waiters().next();
        QueueView {
            limits: node.limits,
            held: node.held,
            waiting: node.waiters.len(),
            oldest_wait: oldest.map(|waiter| now.saturating_sub(waiter.since)),
            granted: node.counts.granted,
            expired: node.counts.expired,
            shed: node.counts.shed,
            turned_away: node.counts.turned_away,
            on_hold: self.chain(queue).any(|id| self.node(id).holds > 0),
        }
    }

    /// Shows who holds permits of a queue or of one inside it, the oldest first.
    pub fn holders(&self, queue: QueueId, now: Moment) -> Vec<Claim> {
        self.claims(queue, |id, node| {
            let claim = |holder: &super::node::Holder| Claim {
                queue: id,
                key: holder.key.clone(),
                age: now.saturating_sub(holder.since),
            };
            node.holders.iter().map(claim).collect()
        })
    }

    /// Shows who waits in a queue or in one inside it, the oldest first.
    pub fn waiters(&self, queue: QueueId, now: Moment) -> Vec<Claim> {
        self.claims(queue, |id, node| {
            let claim = |waiter: &crate::queue::Waiter<T>| Claim {
                queue: id,
                key: waiter.key.clone(),
                age: now.saturating_sub(waiter.since),
            };
            node.waiters.waiters().map(claim).collect()
        })
    }

    fn claims(&self, queue: QueueId, of: impl Fn(QueueId, &Node<T>) -> Vec<Claim>) -> Vec<Claim> {
        let inside = self.ids().filter(|id| self.chain(*id).any(|above| above == queue));
        let mut claims: Vec<_> = inside.flat_map(|id| of(id, self.node(id))).collect();
        claims.sort_by_key(|claim| std::cmp::Reverse(claim.age));
        claims
    }
}
