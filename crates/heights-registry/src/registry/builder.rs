//! Describing a registry.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use super::lock::Locks;
use super::meta::Meta;
use super::partition::Partitions;
use super::tell::{Change, Listeners};
use super::{Registry, Shared};

/// Describes a registry: by default unique, in one partition, with nobody listening.
///
/// ```
/// use heights_registry::{Change, Owner, Registry};
///
/// let rooms: Registry<&str, u32> = Registry::builder()
///     .duplicate()
///     .partitions(4)
///     .listener(|change| match change {
///         Change::Registered(name, _) => println!("{name} has one more"),
///         Change::Unregistered(name, _) => println!("{name} has one less"),
///     })
///     .build();
/// let (owner, _end) = Owner::new();
/// rooms.register("owls", 1, &owner)?;
/// rooms.register("owls", 2, &owner)?;
/// assert_eq!(rooms.lookup_all(&"owls"), [1, 2]);
/// # Ok::<(), heights_registry::AlreadyRegistered<u32>>(())
/// ```
#[must_use]
pub struct RegistryBuilder<K, V> {
    unique: bool,
    partitions: usize,
    listeners: Listeners<K, V>,
}

impl<K, V> RegistryBuilder<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self { unique: true, partitions: 1, listeners: Vec::new() }
    }

    /// Lets a key have any number of entries.
    pub fn duplicate(mut self) -> Self {
        self.unique = false;
        self
    }

    /// Spreads the keys over this many parts with a lock each, for many writers at once.
    ///
    /// The answers are the same, but those about all keys are no longer those of one moment.
    pub fn partitions(mut self, count: usize) -> Self {
        self.partitions = count;
        self
    }

    /// Tells `listener` of each change, in order for each key; there may be several listeners.
    ///
    /// It runs while the registry is locked: it passes the change on, and neither blocks nor calls
    /// the registry. If it panics, that is logged, and the change has happened all the same.
    pub fn listener(mut self, listener: impl Fn(Change<'_, K, V>) + Send + Sync + 'static) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Makes the registry, empty.
    pub fn build(self) -> Registry<K, V> {
        Registry(Arc::new(Shared {
            unique: self.unique,
            listeners: self.listeners,
            partitions: Partitions::new(self.partitions),
            locks: Locks::default(),
            meta: Meta::default(),
        }))
    }
}

impl<K, V> fmt::Debug for RegistryBuilder<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryBuilder")
            .field("unique", &self.unique)
            .field("partitions", &self.partitions)
            .field("listeners", &self.listeners.len())
            .finish()
    }
}
