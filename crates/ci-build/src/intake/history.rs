//! All deliveries on record: those of a week at least, within a bound, to know a duplicate; and among them
//! those that have not had their effect, however old they are.
//!
//! They are in segments, each with a stream of its own: what is folded, and what is forgotten, is a small
//! part of all, so that no commit is so large that deliveries which come meanwhile would wait for it.
//! That a delivery has had its effect is on record in the segment that holds it, so each segment can be
//! folded, and dropped, without a look at the others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ci_domain::forge::Timestamp;
use ci_store::{Change, Replay, Seq};
use heights::Fault;

use crate::intake::segment::Segment;
use crate::intake::store::Entry;
use crate::ledger::intake_stream;

/// Deliveries in one segment.
const DELIVERIES_PER_SEGMENT: usize = 256;
/// How long an id is remembered; GitHub lets people have deliveries of the last three days sent again.
const KEPT_SECONDS: u64 = 7 * 24 * 3600;
/// The most that are remembered, however many come in a week: some 20 MB.
const MOST: usize = 200_000;
/// Segments that are forgotten at once: more than begin meanwhile, and so few that nobody waits for it.
const FORGOTTEN_AT_ONCE: usize = 2;

/// All segments.
#[derive(Debug)]
pub(super) struct History {
    segments: BTreeMap<u64, Segment>,
    /// In which segment each delivery is that is remembered or pending.
    places: HashMap<Arc<str>, u64>,
    /// The segment of what comes next.
    open: u64,
    /// How many were placed in that one.
    placed: usize,
    most: usize,
}

impl History {
    /// Folds what is on record, by segment. What does not say when it came is taken to have come `now`.
    /// Each life begins a segment of its own.
    pub(super) fn replay(
        all: impl IntoIterator<Item = (u64, Replay)>,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let (mut segments, mut places) = (BTreeMap::new(), HashMap::new());
        for (number, replay) in all {
            let segment = Segment::replay(&replay, now)?;
            let pending = segment.pending().keys().map(|id| Arc::from(id.as_str()));
            places.extend(pending.chain(segment.ids().iter().cloned()).map(|id| (id, number)));
            segments.insert(number, segment);
        }
        let open = segments.last_key_value().map_or(0, |(number, _)| *number) + 1;
        Ok(Self { segments, places, open, placed: 0, most: MOST })
    }

    /// Whether a delivery came before.
    pub(super) fn has(&self, delivery: &str) -> bool {
        self.places.contains_key(delivery)
    }

    /// How many deliveries have not had their effect.
    pub(super) fn waiting(&self) -> usize {
        self.segments.values().map(|segment| segment.pending().len()).sum()
    }

    /// The segment that holds a delivery which has not had its effect.
    pub(super) fn place_of_pending(&self, delivery: &str) -> Option<u64> {
        let place = *self.places.get(delivery)?;
        self.segments.get(&place)?.pending().contains_key(delivery).then_some(place)
    }

    /// Those that have not had their effect.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.segments.values().flat_map(|segment| segment.pending().values())
    }

    /// The segment for a delivery that is written now.
    pub(super) fn place(&mut self) -> u64 {
        if self.placed == DELIVERIES_PER_SEGMENT {
            (self.open, self.placed) = (self.open + 1, 0);
        }
        self.placed += 1;
        self.segments.entry(self.open).or_default().coming += 1;
        self.open
    }

    /// Takes in a delivery that is on record now as the record `seq` of the segment `place`; answers with
    /// what is to be written because of it.
    pub(super) fn receive(
        &mut self,
        (place, seq): (u64, Seq),
        entry: Entry,
    ) -> Result<Option<Change>, serde_json::Error> {
        let Some(segment) = self.segments.get_mut(&place) else { return Ok(None) };
        let id = Arc::<str>::from(entry.delivery.as_str());
        segment.coming -= 1;
        self.places.insert(id.clone(), place);
        segment.receive(id, entry);
        self.stand(place, seq)
    }

    /// Takes note that a delivery could not be written to the segment `place`.
    pub(super) fn refuse(&mut self, place: u64) {
        if let Some(segment) = self.segments.get_mut(&place) {
            segment.coming -= 1;
        }
    }

    /// Takes in that deliveries of the segment `place` have had their effect, on record as `seq`; answers
    /// with what is to be written because of it.
    pub(super) fn finish(
        &mut self,
        (place, seq): (u64, Seq),
        deliveries: &[String],
    ) -> Result<Option<Change>, serde_json::Error> {
        let Some(segment) = self.segments.get_mut(&place) else { return Ok(None) };
        deliveries.iter().for_each(|delivery| segment.finish(delivery));
        if segment.ids().is_empty() {
            for delivery in deliveries {
                self.places.remove(delivery.as_str());
            }
        }
        self.stand(place, seq)
    }

    /// Forgets the oldest segments where they are too old by `now` or where there are too many; answers
    /// with what is to be written for that.
    pub(super) fn forget(&mut self, now: Timestamp) -> Result<Vec<Change>, serde_json::Error> {
        let mut changes = Vec::new();
        for place in self.segments.keys().copied().collect::<Vec<_>>() {
            if place == self.open || changes.len() == FORGOTTEN_AT_ONCE {
                break;
            }
            let segment = &self.segments[&place];
            let is_old = segment.latest().0.saturating_add(KEPT_SECONDS) < now.0;
            let is_too_much = is_old || self.places.len() > self.most || segment.is_over();
            if is_too_much && segment.coming == 0 {
                changes.extend(self.forget_segment(place)?);
            }
        }
        Ok(changes)
    }

    fn forget_segment(&mut self, place: u64) -> Result<Option<Change>, serde_json::Error> {
        let Some(segment) = self.segments.get_mut(&place) else { return Ok(None) };
        let had_ids = !segment.ids().is_empty();
        for id in segment.ids() {
            // One that came again since is remembered where it came last.
            let is_here = self.places.get(id) == Some(&place);
            if is_here && !segment.pending().contains_key(&**id) {
                self.places.remove(id);
            }
        }
        segment.forget_ids();
        if segment.is_over() {
            self.segments.remove(&place);
            return Ok(Some(Change::Drop { stream: intake_stream(place) }));
        }
        if had_ids { self.fold(place) } else { Ok(None) }
    }

    fn stand(&mut self, place: u64, seq: Seq) -> Result<Option<Change>, serde_json::Error> {
        let is_due = self.segments.get_mut(&place).is_some_and(|segment| segment.stand(seq));
        if is_due { self.fold(place) } else { Ok(None) }
    }

    fn fold(&mut self, place: u64) -> Result<Option<Change>, serde_json::Error> {
        let Some(segment) = self.segments.get_mut(&place) else { return Ok(None) };
        let (upto, body) = segment.fold()?;
        Ok(Some(Change::Snapshot { stream: intake_stream(place), upto, body }))
    }
}

#[cfg(test)]
mod tests;
