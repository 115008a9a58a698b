//! Checks each discipline by example, and all of them against a list.

use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn waiter(
    at: Moment,
    max_wait: Option<Duration>,
    key: Option<&str>,
    item: &'static str,
) -> Waiter<&'static str> {
    Waiter { since: at, deadline: max_wait.map(|wait| at + wait), key: key.map(Key::from), item }
}

/// Lines people up, a second apart; the first letter of a name is its key.
fn queue_of(
    discipline: Discipline,
    names: &[&'static str],
    max_wait: Option<Duration>,
) -> (Queue<&'static str>, Vec<Ticket>) {
    let (mut queue, mut counter) = (Queue::new(discipline), TicketCounter::default());
    let tickets: Vec<_> = names.iter().map(|_| counter.draw()).collect();
    for (second, (name, ticket)) in (0u32..).zip(names.iter().zip(&tickets)) {
        queue.push(*ticket, waiter(SECOND * second, max_wait, Some(&name[..1]), name));
    }
    (queue, tickets)
}

fn drain(queue: &mut Queue<&'static str>) -> Vec<&'static str> {
    std::iter::from_fn(|| queue.pop()).map(|(_, waiter)| waiter.item).collect()
}

#[test]
fn m112_each_discipline_serves_in_its_order() {
    let names = ["a1", "a2", "a3", "b1", "c1", "b2"];
    let check = |discipline, expected: [&str; 6]| {
        assert_eq!(drain(&mut queue_of(discipline, &names, None).0), expected, "{discipline:?}");
    };
    check(Discipline::Fifo, names);
    check(Discipline::Lifo, ["b2", "c1", "b1", "a3", "a2", "a1"]);
    check(Discipline::Fair, ["a1", "b1", "c1", "a2", "b2", "a3"]);
    check(Discipline::CoDel { target: SECOND, interval: SECOND }, names);
}

#[test]
fn m112_one_who_leaves_does_not_disturb_the_order() {
    for discipline in [Discipline::Fifo, Discipline::Fair] {
        let (mut queue, tickets) = queue_of(discipline, &["a", "b", "c"], None);
        assert_eq!(queue.remove(tickets[1]).map(|waiter| waiter.item), Some("b"));
        assert!(queue.remove(tickets[1]).is_none());
        assert_eq!(drain(&mut queue), ["a", "c"]);
    }
}

#[test]
fn m112_deadlines_take_out_exactly_those_who_waited_too_long() {
    let (mut queue, _) = queue_of(Discipline::Fifo, &["a", "b", "c"], Some(5 * SECOND));
    assert!(queue.expire(5 * SECOND - Duration::from_nanos(1)).is_none());
    let expired: Vec<_> = std::iter::from_fn(|| queue.expire(6 * SECOND)).collect();
    assert_eq!(expired.into_iter().map(|waiter| waiter.item).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(drain(&mut queue), ["c"]);
}

#[test]
fn m112_too_many_lose_the_newcomer_or_the_oldest_of_a_stack() {
    let lost = |discipline| {
        let (mut queue, _) = queue_of(discipline, &["a", "b", "c"], None);
        let lost = queue.overflow(2).map(|waiter| waiter.item);
        assert!(queue.overflow(2).is_none());
        lost
    };
    assert_eq!((lost(Discipline::Fifo), lost(Discipline::Lifo)), (Some("c"), Some("a")));
}

#[test]
fn m112_a_stack_keeps_its_place_among_other_queues() {
    let (mut queue, tickets) = queue_of(Discipline::Lifo, &["a", "b", "c"], None);
    assert_eq!(queue.place(), Some(tickets[0]));
    queue.pop();
    assert_eq!(queue.place(), Some(tickets[1]), "c was served in the place of a");
    queue.remove(tickets[0]);
    assert_eq!(queue.place(), Some(tickets[1]), "a leaves the place that was c's");
}

#[test]
fn m112_a_new_discipline_lines_up_those_who_wait() {
    let (mut queue, _) = queue_of(Discipline::Fifo, &["a1", "a2", "b1"], None);
    queue.set_discipline(Discipline::Fair);
    assert_eq!(drain(&mut queue), ["a1", "b1", "a2"]);
}

#[test]
fn m112_the_parts_of_a_key_share_its_turn_and_take_turns_among_themselves() {
    let (mut queue, mut counter) = (Queue::new(Discipline::Fair), TicketCounter::default());
    // The first letter is the key, the second the part; a key has turns for what is in no part, too.
    for name in ["ax1", "ax2", "ax3", "ay1", "b1", "bx1", "ax4", "ay2", "c1"] {
        let key = Key::from(&name[..1]);
        let part = Some(&name[1..2]).filter(|part| part.starts_with(['x', 'y']));
        let key = Some(part.map_or(key.clone(), |part| key.part(part)));
        let waiter = Waiter { since: Moment::ZERO, key, deadline: None, item: name };
        queue.push(counter.draw(), waiter);
    }
    let served = drain(&mut queue);
    assert_eq!(served, ["ax1", "b1", "c1", "ay1", "bx1", "ax2", "ay2", "ax3", "ax4"]);
}

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// A queue beside a list of the same waiters, and who is owed a turn before a key's next.
struct Twin {
    queue: Queue<&'static str>,
    counter: TicketCounter,
    list: Vec<(Ticket, &'static str)>,
    owed: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

impl Twin {
    fn join(&mut self, key: &'static str) {
        let ticket = self.counter.draw();
        self.queue.push(ticket, waiter(Duration::ZERO, None, Some(key), key));
        self.list.push((ticket, key));
    }

    fn leave(&mut self, pick: usize) {
        if !self.list.is_empty() {
            let (ticket, _) = self.list.remove(pick % self.list.len());
            assert!(self.queue.remove(ticket).is_some());
            self.forget_the_absent();
        }
    }

    fn serve(&mut self) {
        let served = self.queue.pop().map(|(ticket, waiter)| (ticket, waiter.item));
        match self.queue.discipline() {
            Discipline::Lifo => assert_eq!(served, self.list.last().copied()),
            Discipline::Fair => assert_eq!(served.is_none(), self.list.is_empty()),
            Discipline::Fifo | Discipline::CoDel { .. } => {
                assert_eq!(served, self.list.first().copied());
            }
        }
        let Some(served) = served else { return };
        let is_fair = self.queue.discipline() == Discipline::Fair;
        assert!(!is_fair || self.owed.get(served.1).is_none_or(BTreeSet::is_empty));
        self.list.retain(|waiter| *waiter != served);
        self.owed.values_mut().for_each(|owed| owed.retain(|key| *key != served.1));
        let others = self.list.iter().map(|(_, key)| *key).filter(|key| *key != served.1);
        self.owed.insert(served.1, others.collect());
        self.forget_the_absent();
    }

    /// Only who waits all the time is owed a turn.
    fn forget_the_absent(&mut self) {
        let list = &self.list;
        let waits = |key: &&str| list.iter().any(|(_, other)| other == key);
        self.owed.values_mut().for_each(|owed| owed.retain(waits));
    }
}

proptest! {
    /// Nobody is lost or served twice, and no key is served twice while another waits all the time.
    #[test]
    fn m112_every_discipline_serves_each_once_and_fair_is_fair(
        pick in 0usize..3,
        ops in prop::collection::vec((0u8..8, 0usize..4), 1..150),
    ) {
        let discipline = [Discipline::Fifo, Discipline::Lifo, Discipline::Fair][pick];
        let (queue, counter) = (Queue::new(discipline), TicketCounter::default());
        let mut twin = Twin { queue, counter, list: Vec::new(), owed: BTreeMap::new() };
        for (op, which) in ops {
            match op {
                0..4 => twin.join(KEYS[which]),
                4 => twin.leave(which),
                _ => twin.serve(),
            }
            prop_assert_eq!(twin.queue.len(), twin.list.len());
            prop_assert_eq!(twin.queue.place().is_some(), !twin.list.is_empty());
        }
    }
}

/// A key and a part of it, by their places in [`KEYS`].
type Who = (usize, usize);

/// One who waits: how many of their own part were before them, and who was served since they came.
struct Patient {
    ticket: Ticket,
    who: Who,
    before: usize,
    seen: Vec<Who>,
}

/// A fair queue, and all who wait in it.
struct Patience {
    queue: Queue<Who>,
    counter: TicketCounter,
    waiting: Vec<Patient>,
}

impl Patience {
    fn join(&mut self, who: Who) {
        let ticket = self.counter.draw();
        let key = Some(Key::from(KEYS[who.0]).part(KEYS[who.1]));
        self.queue.push(ticket, Waiter { since: Moment::ZERO, key, deadline: None, item: who });
        let before = self.waiting.iter().filter(|other| other.who == who).count();
        self.waiting.push(Patient { ticket, who, before, seen: Vec::new() });
    }

    /// Serves one, and holds all that it saw against the bound.
    fn serve(&mut self) {
        let Some((ticket, waiter)) = self.queue.pop() else { return };
        let place = self.waiting.iter().position(|other| other.ticket == ticket).unwrap();
        let Patient { who: (key, part), before, seen, .. } = self.waiting.remove(place);
        let of_part = |other| seen.iter().filter(|who| **who == (key, other)).count();
        let of_key = |other| seen.iter().filter(|who| who.0 == other).count();
        for other in 0..KEYS.len() {
            assert!(of_part(other) <= before + 1, "a part of the key had more turns");
            assert!(of_key(other) <= of_key(key) + 1, "another key had more turns");
        }
        assert_eq!(of_part(part), before, "the oldest goes first");
        self.waiting.iter_mut().for_each(|other| other.seen.push(waiter.item));
    }
}

proptest! {
    /// However much others ask for, and whoever comes later: one waits for no more turns of any other part of
    /// one's key than there are before one in one's own, and one more, and so for those of any other key.
    #[test]
    fn m112_the_wait_in_a_fair_queue_is_bounded_by_ones_own_part(
        ops in prop::collection::vec((0u8..5, 0usize..4, 0usize..3), 1..200),
    ) {
        let (queue, counter) = (Queue::new(Discipline::Fair), TicketCounter::default());
        let mut patience = Patience { queue, counter, waiting: Vec::new() };
        for (op, key, part) in ops {
            match op {
                0..3 => patience.join((key, part)),
                _ => patience.serve(),
            }
        }
        while !patience.queue.is_empty() {
            patience.serve();
        }
        prop_assert!(patience.waiting.is_empty());
    }
}
