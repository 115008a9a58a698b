//! Watching a table: all of it, or one key.

use std::hash::Hash;

use heights_supervisor::{Owner, Recipient};

use super::Table;
use crate::bus::{News, Subscription, SubscriptionId, Topic};

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<K, V> {
    /// A key has this value now.
    Inserted(K, V),
    /// A key has no value any more; it was this one.
    Removed(K, V),
    /// A key has no value any more, because its time was over.
    Expired(K, V),
}

impl<K, V> Change<K, V> {
    /// Returns the key that changed.
    pub const fn key(&self) -> &K {
        match self {
            Self::Inserted(key, _) | Self::Removed(key, _) | Self::Expired(key, _) => key,
        }
    }
}

impl<K, V> Table<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Streams all changes from now on, in order, of which at most `bound` wait.
    pub fn watch_all(&self, bound: usize) -> Subscription<Change<K, V>> {
        self.0.watchers.stream(&Self::CHANGES, bound)
    }

    /// Streams the changes of a key from now on, in order, of which at most `bound` wait.
    pub fn watch(&self, key: K, bound: usize) -> Subscription<Change<K, V>> {
        self.0.watchers.stream_where(&Self::CHANGES, bound, move |change| *change.key() == key)
    }

    /// Tells an actor of all changes until `owner` has ended; see
    /// [`Bus::notify`](crate::bus::Bus::notify).
    ///
    /// The recipient is told while the table is locked: it passes the news on and does not call the
    /// table.
    pub fn notify_all(
        &self,
        bound: usize,
        owner: &Owner,
        recipient: Recipient<News<Change<K, V>>>,
    ) -> SubscriptionId {
        self.0.watchers.notify(&Self::CHANGES, bound, owner, recipient)
    }

    /// Ends what [`notify_all`](Self::notify_all) began, before the owner does.
    pub fn notify_no_more(&self, id: SubscriptionId) -> bool {
        self.0.watchers.unsubscribe(&Self::CHANGES, id)
    }

    pub(super) fn tell(&self, change: Change<K, V>) {
        self.0.watchers.publish(&Self::CHANGES, change);
    }

    const CHANGES: Topic<Change<K, V>> = Topic::new("changes");
}
