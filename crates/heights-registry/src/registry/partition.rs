//! Partitions: a registry in several parts, each behind a lock of its own.

use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::entries::Entries;

/// The entries of a registry, spread by key, so that all entries of a key are in one partition.
pub(super) struct Partitions<K, V> {
    parts: Box<[RwLock<Entries<K, V>>]>,
}

/// A cheap hash that only chooses a partition: the map behind it hashes again, and safely.
///
/// Who makes up keys that all land in one partition gains a registry with one lock.
#[derive(Default)]
struct Spread(u64);

/// Odd, and its bits are mixed well: 2⁶⁴ divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl<K: Hash, V> Partitions<K, V> {
    pub(super) fn new(count: usize) -> Self {
        Self { parts: (0..count.max(1)).map(|_| RwLock::default()).collect() }
    }

    /// Tells which partition a key belongs to.
    pub(super) fn index(&self, key: &K) -> usize {
        if self.parts.len() == 1 {
            return 0;
        }
        let mut spread = Spread::default();
        key.hash(&mut spread);
        // Less than the number of partitions, so it fits.
        (spread.finish() % self.parts.len() as u64) as usize
    }

    /// Locks the partition of a key to read it.
    pub(super) fn read(&self, key: &K) -> RwLockReadGuard<'_, Entries<K, V>> {
        unpoisoned(self.parts[self.index(key)].read())
    }

    /// Locks a partition to change it.
    pub(super) fn write(&self, index: usize) -> RwLockWriteGuard<'_, Entries<K, V>> {
        unpoisoned(self.parts[index].write())
    }

    /// Locks one partition after the other to read it.
    pub(super) fn read_each(&self) -> impl Iterator<Item = RwLockReadGuard<'_, Entries<K, V>>> {
        self.parts.iter().map(|part| unpoisoned(part.read()))
    }
}

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(GOLDEN);
    }

    fn finish(&self) -> u64 {
        // The high bits are the good ones.
        self.0 >> 32
    }
}

/// Goes on after a panic of a caller's closure: it ran before or after a change, never in between.
fn unpoisoned<G>(locked: Result<G, PoisonError<G>>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}
