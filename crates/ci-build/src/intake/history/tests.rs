//! What is remembered of deliveries while others come, is folded while others come, and is there in the next life.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ci_domain::forge::{ForgeEvent, PullNews};
use ci_domain::ids::PullNumber;
use ci_store::{Append, Ledger, MemoryLedger};

use super::*;
use crate::intake::store::finished;
use crate::ledger::intake_place;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const NOW: u64 = 1_700_000_000;

/// Answers that are on their way from the ledger, which has done what they are about.
enum Answer {
    Received(u64, Seq, Box<Entry>),
    Finished(u64, Seq, Vec<String>),
}

/// A history, what it is on record in, and what should be true of it.
struct World {
    ledger: MemoryLedger,
    history: History,
    answers: VecDeque<Answer>,
    now: u64,
    /// When each delivery came.
    came: BTreeMap<String, u64>,
    pending: BTreeSet<String>,
    /// Those whose finishing is on its way.
    finishing: BTreeSet<String>,
}

impl World {
    fn new() -> Self {
        let history = History::replay([], Timestamp(NOW)).unwrap();
        Self {
            ledger: MemoryLedger::new(),
            history,
            answers: VecDeque::new(),
            now: NOW,
            came: BTreeMap::new(),
            pending: BTreeSet::new(),
            finishing: BTreeSet::new(),
        }
    }

    fn append(&self, place: u64, record: ci_store::Record) -> Seq {
        self.ledger.append(Append::new(intake_stream(place), vec![record])).wait().unwrap()
    }

    fn deliver(&mut self) {
        let delivery = format!("d-{}", self.came.len());
        let event =
            ForgeEvent::PullChanged { number: PullNumber(1), news: PullNews::Hint { as_of: None } };
        let (repo, at) = ("acme/shop".parse().unwrap(), Timestamp(self.now));
        let entry = Entry { delivery: delivery.clone(), repo, event, at };
        let place = self.history.place();
        let seq = self.append(place, entry.record());
        self.answers.push_back(Answer::Received(place, seq, Box::new(entry)));
        self.came.insert(delivery.clone(), self.now);
        self.pending.insert(delivery);
    }

    /// Has the oldest deliveries had their effect of which the history knows that they came.
    fn finish(&mut self, most: usize) {
        let known = self.history.pending().map(|entry| entry.delivery.clone());
        let known = known.filter(|delivery| !self.finishing.contains(delivery)).take(most);
        let mut by_place: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for delivery in known.collect::<Vec<_>>() {
            let place = self.history.place_of_pending(&delivery).unwrap();
            self.finishing.insert(delivery.clone());
            self.pending.remove(&delivery);
            by_place.entry(place).or_default().push(delivery);
        }
        for (place, all) in by_place {
            let seq = self.append(place, finished(&all));
            self.answers.push_back(Answer::Finished(place, seq, all));
        }
    }

    /// Lets all answers arrive but the last `coming`.
    fn answer(&mut self, coming: usize) {
        while self.answers.len() > coming {
            let fold = match self.answers.pop_front() {
                Some(Answer::Received(place, seq, entry)) => {
                    self.history.receive((place, seq), *entry)
                }
                Some(Answer::Finished(place, seq, all)) => {
                    self.finishing.retain(|delivery| !all.contains(delivery));
                    self.history.finish((place, seq), &all)
                }
                None => return,
            };
            self.write(fold.unwrap());
        }
    }

    fn forget(&mut self) {
        let changes = self.history.forget(Timestamp(self.now)).unwrap();
        self.write(changes);
    }

    fn write(&self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            self.ledger.request(change).wait().unwrap();
        }
    }

    /// Begins a new life on the same record; what was on its way is lost to it.
    fn restart(&mut self) {
        self.answers.clear();
        self.finishing.clear();
        let streams = self.ledger.streams("intake").unwrap();
        let read = |stream| (intake_place(&stream).unwrap(), self.ledger.read(&stream).unwrap());
        let most = self.history.most;
        self.history = History::replay(streams.into_iter().map(read), Timestamp(self.now)).unwrap();
        self.history.most = most;
        self.check();
    }

    /// The longest stream, in records that a replay has to read.
    fn longest(&self) -> usize {
        let streams = self.ledger.streams("intake").unwrap();
        let length = |stream| self.ledger.read(&stream).unwrap().records.len();
        streams.into_iter().map(length).max().unwrap_or(0)
    }

    /// Holds a history to which every answer has come against what should be true.
    fn check(&self) {
        let pending: BTreeSet<String> =
            self.history.pending().map(|entry| entry.delivery.clone()).collect();
        assert_eq!(pending, self.pending);
        assert_eq!(self.history.waiting(), self.pending.len());
        assert!(pending.iter().all(|delivery| self.history.has(delivery)));
        if self.came.len() <= self.history.most {
            let young = self.came.iter().filter(|(_, at)| **at + 7 * DAY >= self.now);
            for (delivery, _) in young {
                assert!(self.history.has(delivery), "{delivery} was forgotten");
            }
        }
    }
}

#[test]
fn what_is_on_its_way_keeps_nothing_from_being_folded() {
    let mut world = World::new();
    for _ in 0..5_000 {
        world.deliver();
        world.finish(1);
        // Never without an answer on its way, as under a load that does not end.
        world.answer(20);
    }
    assert!(world.longest() < 300, "a stream has {} records", world.longest());
    world.answer(0);
    world.restart();
    assert_eq!(world.history.places.len(), 5_000);
}

#[test]
fn a_commit_folds_or_forgets_some_hundred_records_at_most() {
    let mut world = World::new();
    world.history.most = 2_000;
    let mut most = 0;
    for number in 0..10_000 {
        world.deliver();
        world.finish(1);
        world.answer(5);
        if number % 50 == 0 {
            most = most.max(world.longest());
        }
        world.forget();
    }
    assert!(most <= 300, "{most} records in one commit");
    assert!(world.history.places.len() <= 2_000 + DELIVERIES_PER_SEGMENT);
    assert!(world.ledger.streams("intake").unwrap().len() <= 2_000 / DELIVERIES_PER_SEGMENT + 3);
}

#[test]
fn ids_are_forgotten_after_a_week_and_what_is_pending_never() {
    let mut world = World::new();
    world.deliver();
    world.answer(0);
    world.finish(1);
    world.deliver();
    world.answer(0);
    world.restart();
    world.now += 7 * DAY;
    world.forget();
    assert!(world.history.has("d-0") && world.history.has("d-1"));
    world.now += 1;
    world.forget();
    world.restart();
    assert!(!world.history.has("d-0") && world.history.has("d-1"));
    world.finish(1);
    world.answer(0);
    world.forget();
    assert_eq!(world.ledger.streams("intake").unwrap(), []);
    world.restart();
    assert!(!world.history.has("d-1"));
}

#[test]
fn a_clock_that_is_set_back_forgets_nothing() {
    let mut world = World::new();
    world.now = NOW + 400 * DAY;
    world.deliver();
    world.answer(0);
    world.finish(1);
    world.answer(0);
    world.restart();
    world.now = NOW;
    world.forget();
    assert!(world.history.has("d-0"));
}

#[test]
fn a_delivery_that_is_on_its_way_is_not_lost_to_a_clock_that_leaps() {
    let mut world = World::new();
    (0..DELIVERIES_PER_SEGMENT).for_each(|_| world.deliver());
    world.answer(1);
    world.deliver();
    world.now += 30 * DAY;
    world.forget();
    world.answer(0);
    world.check();
    world.restart();
}

/// What happens by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

#[test]
fn nothing_is_lost_or_comes_back_whatever_happens() {
    for seed in 0..100 {
        let (mut world, mut chance) = (World::new(), Chance(seed));
        for _ in 0..chance.below(60) {
            match chance.below(20) {
                0..6 => (0..chance.below(200)).for_each(|_| world.deliver()),
                6..11 => world.finish(chance.below(300)),
                11..16 => world.answer(chance.below(50)),
                16..18 => world.forget(),
                18 => world.now += u64::try_from(chance.below(5)).unwrap() * DAY + HOUR,
                _ => world.restart(),
            }
        }
        world.answer(0);
        world.check();
        world.restart();
    }
}
