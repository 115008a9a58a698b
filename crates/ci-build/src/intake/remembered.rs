//! The ids of deliveries that have come, to know a duplicate: those of a week at least, within a bound.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use ci_domain::forge::Timestamp;

/// How long an id is remembered; GitHub lets people have deliveries of the last three days sent again.
const KEPT_HOURS: u64 = 7 * 24;
/// The most that are remembered, however many come in a week: some 20 MB.
const MOST: usize = 200_000;
const HOUR: u64 = 3600;

/// The ids that are remembered.
#[derive(Debug)]
pub(super) struct Remembered {
    ids: HashSet<Arc<str>>,
    /// The same by the hour in which they came, in hours since 1970.
    hours: BTreeMap<u64, VecDeque<Arc<str>>>,
    most: usize,
}

impl Remembered {
    pub(super) fn new() -> Self {
        Self { ids: HashSet::new(), hours: BTreeMap::new(), most: MOST }
    }

    pub(super) fn has(&self, delivery: &str) -> bool {
        self.ids.contains(delivery)
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Remembers a delivery that came at a time, and forgets those that are too old by then.
    pub(super) fn note(&mut self, delivery: &str, at: Timestamp) {
        let (id, hour) = (Arc::<str>::from(delivery), at.0 / HOUR);
        if self.ids.insert(id.clone()) {
            self.hours.entry(hour).or_default().push_back(id);
        }
        while let Some((oldest, _)) = self.hours.first_key_value()
            && oldest + KEPT_HOURS < hour
        {
            self.forget_oldest();
        }
        while self.ids.len() > self.most {
            self.forget_oldest();
        }
    }

    /// All of them by the hour in which they came, oldest first.
    pub(super) fn by_hour(&self) -> impl Iterator<Item = (Timestamp, Vec<String>)> + '_ {
        let texts = |ids: &VecDeque<Arc<str>>| ids.iter().map(|id| id.to_string()).collect();
        self.hours.iter().map(move |(hour, ids)| (Timestamp(hour * HOUR), texts(ids)))
    }

    fn forget_oldest(&mut self) {
        let Some(mut oldest) = self.hours.first_entry() else { return };
        if let Some(id) = oldest.get_mut().pop_front() {
            self.ids.remove(&id);
        }
        if oldest.get().is_empty() {
            oldest.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * HOUR;

    fn all(remembered: &Remembered) -> Vec<String> {
        let ids: Vec<String> = remembered.by_hour().flat_map(|(_, ids)| ids).collect();
        assert_eq!(ids.len(), remembered.len());
        assert!(ids.iter().all(|id| remembered.has(id)));
        ids
    }

    #[test]
    fn a_delivery_is_remembered_for_a_week() {
        let mut remembered = Remembered::new();
        remembered.note("first", Timestamp(HOUR - 1));
        remembered.note("second", Timestamp(DAY));
        remembered.note("week", Timestamp(HOUR - 1 + 7 * DAY));
        assert_eq!(all(&remembered), ["first", "second", "week"]);
        remembered.note("later", Timestamp(HOUR + 7 * DAY));
        assert_eq!(all(&remembered), ["second", "week", "later"]);
        remembered.note("much later", Timestamp(30 * DAY));
        assert_eq!(all(&remembered), ["much later"]);
    }

    #[test]
    fn a_flood_forgets_the_oldest_only() {
        let mut remembered = Remembered { most: 3, ..Remembered::new() };
        for (id, at) in [("a", 0), ("b", 0), ("c", DAY), ("d", DAY), ("e", DAY)] {
            remembered.note(id, Timestamp(at));
        }
        assert_eq!(all(&remembered), ["c", "d", "e"]);
        remembered.note("d", Timestamp(2 * DAY));
        assert_eq!(all(&remembered), ["c", "d", "e"]);
    }

    #[test]
    fn a_clock_that_is_set_back_forgets_nothing() {
        let mut remembered = Remembered::new();
        remembered.note("future", Timestamp(400 * DAY));
        remembered.note("now", Timestamp(DAY));
        assert_eq!(all(&remembered), ["now", "future"]);
    }
}
