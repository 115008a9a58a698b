//! One queue with its limits, its holders and its counts.

use super::{Limits, QueueId};
use crate::queue::{Key, Queue};
use crate::{Moment, TokenBucket};

#[derive(Debug)]
pub(super) struct Node<T> {
    pub(super) parent: Option<QueueId>,
    pub(super) limits: Limits,
    pub(super) bucket: Option<TokenBucket>,
    /// When a permit was last taken, also while there was no rate.
    pub(super) last_taken: Option<Moment>,
    pub(super) held: u32,
    pub(super) holds: u32,
    pub(super) counts: Counts,
    pub(super) waiters: Queue<T>,
    pub(super) holders: Holders,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) granted: u64,
    pub(super) expired: u64,
    pub(super) shed: u64,
    pub(super) turned_away: u64,
}

/// Those who hold a permit of this queue itself; a slot is used again when it is free.
#[derive(Debug, Default)]
pub(super) struct Holders {
    slots: Vec<Option<Holder>>,
    free: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Holder {
    pub(super) since: Moment,
    pub(super) key: Option<Key>,
}

impl<T> Node<T> {
    pub(super) fn new(parent: Option<QueueId>, limits: Limits) -> Self {
        Self {
            parent,
            limits,
            bucket: limits.rate.map(TokenBucket::new),
            last_taken: None,
            held: 0,
            holds: 0,
            counts: Counts::default(),
            waiters: Queue::new(limits.discipline),
            holders: Holders::default(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.holds == 0 && self.limits.concurrency.is_none_or(|limit| self.held < limit)
    }

    pub(super) fn is_open(&self, now: Moment) -> bool {
        self.has_room() && self.bucket.as_ref().is_none_or(|bucket| bucket.is_ready(now))
    }

    pub(super) fn take(&mut self, now: Moment) {
        self.count_in();
        self.last_taken = Some(now);
        if let Some(bucket) = &mut self.bucket {
            bucket.take(now);
        }
    }

    pub(super) fn count_in(&mut self) {
        self.held += 1;
        self.counts.granted += 1;
    }

    pub(super) fn count_out(&mut self) {
        debug_assert!(self.held > 0, "a permit is released once");
        self.held = self.held.saturating_sub(1);
    }

    pub(super) fn reconfigure(&mut self, limits: Limits, now: Moment) {
        self.limits = limits;
        self.waiters.set_discipline(limits.discipline);
        self.bucket = match (self.bucket.take(), limits.rate) {
            (Some(mut bucket), Some(rate)) => {
                bucket.reconfigure(rate, now);
                Some(bucket)
            }
            (_, rate) => rate.map(|rate| TokenBucket::after(rate, self.last_taken)),
        };
    }
}

impl Holders {
    pub(super) fn enter(&mut self, since: Moment, key: Option<Key>) -> usize {
        let holder = Some(Holder { since, key });
        if let Some(slot) = self.free.pop() {
            self.slots[slot] = holder;
            return slot;
        }
        self.slots.push(holder);
        self.slots.len() - 1
    }

    pub(super) fn leave(&mut self, slot: usize) {
        if self.slots.get_mut(slot).and_then(Option::take).is_some() {
            self.free.push(slot);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Holder> {
        self.slots.iter().flatten()
    }
}
