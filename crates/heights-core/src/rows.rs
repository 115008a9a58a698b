//! A table in the order in which its rows came.

use std::collections::VecDeque;

/// How many rows that were removed are kept at least: so many are no burden.
const KEPT: usize = 16;

/// Values by keys that grow: what is put in last has the greatest key, or nearly.
///
/// Looking a key up is a search through a sorted list. A row takes no more room than itself, and
/// one that is put into an empty table finds the room of those that were there before. A removed
/// row in between stays behind as an empty one until half of the table is empty.
///
/// ```
/// use heights_core::Rows;
///
/// let mut rows = Rows::default();
/// for (key, value) in [(1, "one"), (2, "two"), (3, "three")] {
///     rows.insert(key, value);
/// }
/// assert_eq!(rows.remove(2), Some("two"));
/// assert_eq!(rows.get(3), Some(&"three"));
/// assert_eq!(rows.iter().collect::<Vec<_>>(), [(1, &"one"), (3, &"three")]);
/// ```
#[derive(Debug, Clone)]
pub struct Rows<K, V> {
    rows: VecDeque<(K, Option<V>)>,
    length: usize,
}

impl<K, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self { rows: VecDeque::new(), length: 0 }
    }
}

impl<K: Ord + Copy, V> Rows<K, V> {
    /// Returns how many rows there are.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Tells whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Puts a row in its place and returns what was there; at once if that is the last one.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = match self.rows.back() {
            Some((last, _)) if *last >= key => match self.search(key) {
                Ok(at) => self.rows[at].1.replace(value),
                Err(at) => {
                    self.rows.insert(at, (key, Some(value)));
                    None
                }
            },
            _ => {
                self.rows.push_back((key, Some(value)));
                None
            }
        };
        self.length += usize::from(before.is_none());
        before
    }

    /// Finds a row.
    pub fn get(&self, key: K) -> Option<&V> {
        self.rows[self.search(key).ok()?].1.as_ref()
    }

    /// Finds a row to change it.
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let at = self.search(key).ok()?;
        self.rows[at].1.as_mut()
    }

    /// Takes a row out.
    pub fn remove(&mut self, key: K) -> Option<V> {
        let at = self.search(key).ok()?;
        let value = self.rows[at].1.take()?;
        self.length -= 1;
        if at == 0 || at + 1 == self.rows.len() {
            self.trim();
        }
        if self.rows.len() > 2 * self.length + KEPT {
            self.rows.retain(|(_, value)| value.is_some());
        }
        if self.rows.capacity() > 4 * (self.rows.len() + KEPT) {
            self.rows.shrink_to(2 * self.rows.len() + KEPT);
        }
        Some(value)
    }

    /// Lists all rows in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.rows.iter().filter_map(|(key, value)| Some((*key, value.as_ref()?)))
    }

    /// Lists all values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.iter().filter_map(|(_, value)| value.as_ref())
    }

    fn search(&self, key: K) -> Result<usize, usize> {
        // Who came last is asked for most.
        if self.rows.back().is_some_and(|(last, _)| *last == key) {
            return Ok(self.rows.len() - 1);
        }
        self.rows.binary_search_by_key(&key, |(key, _)| *key)
    }

    /// Drops empty rows at the ends.
    fn trim(&mut self) {
        if self.length == 0 {
            return self.rows.clear();
        }
        while self.rows.pop_front_if(|(_, value)| value.is_none()).is_some() {}
        while self.rows.pop_back_if(|(_, value)| value.is_none()).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        /// Whatever is put in and taken out, in whatever order: the same as a map.
        #[test]
        fn rows_are_a_map(acts in proptest::collection::vec((0_u8..100, any::<bool>()), 0..400)) {
            let mut map = BTreeMap::new();
            let mut rows = Rows::default();
            for (at, (key, is_insert)) in acts.into_iter().enumerate() {
                if is_insert {
                    prop_assert_eq!(rows.insert(key, at), map.insert(key, at));
                } else {
                    prop_assert_eq!(rows.remove(key), map.remove(&key));
                }
                prop_assert_eq!(rows.get(key), map.get(&key));
                prop_assert_eq!(rows.get_mut(key), map.get_mut(&key));
                prop_assert_eq!((rows.len(), rows.is_empty()), (map.len(), map.is_empty()));
                prop_assert!(rows.iter().eq(map.iter().map(|(key, value)| (*key, value))));
                prop_assert!(rows.values().rev().eq(map.values().rev()));
            }
        }
    }

    #[test]
    fn a_crowd_that_has_left_takes_no_room() {
        let mut rows = Rows::default();
        for key in 0..10_000 {
            rows.insert(key, "somebody");
        }
        // The eldest and the youngest stay, so that both ends are taken.
        for key in 1..9_999 {
            rows.remove(key);
        }
        assert_eq!(rows.len(), 2);
        assert!(rows.rows.len() <= 2 * 2 + KEPT, "{} rows", rows.rows.len());
        assert!(rows.rows.capacity() < 200, "room for {}", rows.rows.capacity());
    }
}
