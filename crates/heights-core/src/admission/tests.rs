//! Checks the rules of admission by example; `histories` does so against random ones.

mod histories;

use super::*;
use crate::{Discipline, Rate};

const SECOND: Duration = Duration::from_secs(1);

fn at_most(concurrency: u32) -> Limits {
    Limits { concurrency: Some(concurrency), ..Limits::default() }
}

fn per_second(permits: u32) -> Limits {
    Limits { rate: Some(Rate::new(permits, SECOND)), ..Limits::default() }
}

/// A tree of queues, and the permits that are out, by who holds them.
#[derive(Default)]
struct Office {
    admission: Admission<&'static str>,
    now: Moment,
    out: Vec<(&'static str, Grant)>,
}

impl Office {
    fn wait(&mut self, queue: QueueId, names: &[&'static str]) -> Vec<Ticket> {
        self.ask(queue, Request::default(), names)
    }

    fn ask(&mut self, queue: QueueId, request: Request, names: &[&'static str]) -> Vec<Ticket> {
        let ask =
            |name: &&'static str| self.admission.enqueue(queue, self.now, request.clone(), *name);
        names.iter().map(ask).collect()
    }

    /// Ends all waits that end now, and returns who got a permit and who was refused.
    fn settle(&mut self) -> (Vec<&'static str>, Vec<(RefusalKind, &'static str)>) {
        let (mut admitted, mut refused) = (Vec::new(), Vec::new());
        while let Some(decision) = self.admission.decide(self.now) {
            match decision {
                Decision::Admit(grant, name) => {
                    admitted.push(name);
                    self.out.push((name, grant));
                }
                Decision::Refuse(why, name) => refused.push((why, name)),
            }
        }
        (admitted, refused)
    }

    fn admitted(&mut self) -> Vec<&'static str> {
        self.settle().0
    }

    fn refused(&mut self) -> Vec<(RefusalKind, &'static str)> {
        self.settle().1
    }

    fn release(&mut self, name: &str) {
        let at = self.out.iter().position(|(holder, _)| *holder == name).expect("a holder");
        let (_, grant) = self.out.swap_remove(at);
        self.admission.release(grant);
    }
}

#[test]
fn m112_admits_up_to_the_limit_in_the_order_of_arrival() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, at_most(2));
    office.wait(jobs, &["a", "b", "c"]);
    assert_eq!(office.admitted(), ["a", "b"]);
    office.release("a");
    assert_eq!(office.admitted(), ["c"]);
}

#[test]
fn m112_a_full_inner_queue_does_not_block_its_siblings() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, at_most(3));
    let compile = office.admission.add(Some(jobs), at_most(1));
    let test = office.admission.add(Some(jobs), Limits::default());
    office.wait(compile, &["c1", "c2"]);
    office.wait(test, &["t1", "t2", "t3"]);
    assert_eq!(office.admitted(), ["c1", "t1", "t2"]);
    office.release("t1");
    assert_eq!(office.admitted(), ["t3"]);
    office.release("c1");
    assert_eq!(office.admitted(), ["c2"]);
}

#[test]
fn m112_a_stack_is_neither_preferred_to_its_siblings_nor_starved() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, at_most(1));
    let stack =
        office.admission.add(Some(jobs), Limits { discipline: Discipline::Lifo, ..at_most(9) });
    let line = office.admission.add(Some(jobs), at_most(9));
    office.wait(jobs, &["first"]);
    assert_eq!(office.admitted(), ["first"]);
    for (one, other) in [("s1", "l1"), ("s2", "l2")] {
        office.wait(stack, &[one]);
        office.wait(line, &[other]);
    }
    let mut order = Vec::new();
    let mut holder = "first";
    for _ in 0..4 {
        office.release(holder);
        holder = office.admitted()[0];
        order.push(holder);
    }
    assert_eq!(order, ["s2", "l1", "s1", "l2"]);
}

#[test]
fn m112_a_rate_is_shared_by_the_queues_below_it() {
    let mut office = Office::default();
    let api = office.admission.add(None, per_second(1));
    let reads = office.admission.add(Some(api), Limits::default());
    let writes = office.admission.add(Some(api), Limits::default());
    office.wait(reads, &["r1", "r2"]);
    office.wait(writes, &["w1"]);
    let mut seen = Vec::new();
    for second in 0..3 {
        office.now = SECOND * second;
        seen.extend(office.admitted());
        assert_eq!(office.admission.view(api, office.now).granted, u64::from(second) + 1);
    }
    assert_eq!(seen, ["r1", "r2", "w1"]);
}

#[test]
fn m112_adopted_work_counts_over_the_limit_and_outside_the_rate() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, Limits { concurrency: Some(1), ..per_second(1) });
    let adopted = [(); 2].map(|()| office.admission.adopt(jobs, Duration::ZERO, None));
    office.wait(jobs, &["new"]);
    let mut seen = Vec::new();
    for grant in adopted {
        assert_eq!(office.admitted(), [""; 0]);
        office.admission.release(grant);
    }
    seen.extend(office.admitted());
    assert_eq!(seen, ["new"]);
}

#[test]
fn m112_nothing_passes_a_held_queue() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, at_most(9));
    let compile = office.admission.add(Some(jobs), at_most(9));
    office.admission.hold(jobs);
    office.admission.hold(jobs);
    office.wait(compile, &["waits"]);
    office.admission.unhold(jobs);
    assert_eq!(office.admitted(), [""; 0]);
    assert_eq!(office.admission.try_take(compile, SECOND, None), None);
    assert!(office.admission.view(compile, SECOND).on_hold);
    office.admission.unhold(jobs);
    assert_eq!(office.admitted(), ["waits"]);
}

#[test]
fn m112_says_when_a_rate_lets_the_next_one_in_and_nothing_where_that_is_no_use() {
    let mut office = Office::default();
    let reads = office.admission.add(None, per_second(1));
    let patience = Request { max_wait: Some(SECOND * 3 / 2), ..Request::default() };
    office.ask(reads, patience, &["now", "in a second", "never"]);
    assert_eq!(office.admitted(), ["now"]);
    assert_eq!(office.admission.next_due(Duration::ZERO), Some(SECOND));
    office.admission.hold(reads);
    assert_eq!(office.admission.next_due(Duration::ZERO), None);
    office.admission.unhold(reads);
    office.now = SECOND;
    assert_eq!(office.admitted(), ["in a second"]);
    office.now = SECOND * 3 / 2;
    assert_eq!(office.refused(), [(RefusalKind::Expired, "never")]);
    assert_eq!(office.admission.view(reads, SECOND * 2).expired, 1);
}

#[test]
fn m112_a_lower_limit_lets_holders_finish_and_admits_nobody_until_they_have() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, at_most(2));
    office.wait(jobs, &["a", "b", "c"]);
    assert_eq!(office.admitted(), ["a", "b"]);
    office.admission.reconfigure(jobs, at_most(1), Duration::ZERO);
    office.release("a");
    assert_eq!(office.admitted(), [""; 0]);
    office.release("b");
    assert_eq!(office.admitted(), ["c"]);
}

#[test]
fn m112_a_full_queue_turns_newcomers_away_but_nobody_who_need_not_wait() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, Limits { max_len: Some(1), ..at_most(1) });
    office.wait(jobs, &["a", "b", "c"]);
    assert_eq!(office.settle(), (vec!["a"], vec![(RefusalKind::Full, "c")]));
    assert_eq!(office.admission.view(jobs, SECOND).turned_away, 1);
    office.admission.reconfigure(jobs, Limits { max_len: Some(0), ..at_most(1) }, SECOND);
    assert_eq!(office.refused(), [(RefusalKind::Full, "b")], "a shorter queue holds for all");
}

#[test]
fn m112_a_rate_that_comes_back_remembers_what_was_given_without_it() {
    let mut office = Office::default();
    let reads = office.admission.add(None, per_second(1));
    office.wait(reads, &["a"]);
    assert_eq!(office.admitted(), ["a"]);
    office.admission.reconfigure(reads, Limits::default(), SECOND / 4);
    office.admission.reconfigure(reads, per_second(1), SECOND / 2);
    office.now = SECOND / 2;
    office.wait(reads, &["b"]);
    assert_eq!(office.admitted(), [""; 0]);
    assert_eq!(office.admission.next_due(office.now), Some(SECOND));
}

#[test]
fn m112_shows_who_holds_and_who_waits_with_age_and_key() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, at_most(1));
    let test = office.admission.add(Some(jobs), at_most(1));
    let keyed = |key: &str| Request { key: Some(Key::from(key)), ..Request::default() };
    office.ask(test, keyed("shop"), &["a"]);
    office.admitted();
    office.now = SECOND;
    office.ask(jobs, keyed("blog"), &["b"]);
    office.admitted();
    let claim = |queue, key: &str, age| Claim { queue, key: Some(Key::from(key)), age };
    let later = 3 * SECOND;
    assert_eq!(office.admission.holders(jobs, later), [claim(test, "shop", 3 * SECOND)]);
    assert_eq!(office.admission.waiters(jobs, later), [claim(jobs, "blog", 2 * SECOND)]);
    assert_eq!(office.admission.waiters(test, later), []);
}

#[test]
fn m112_a_queue_is_removed_when_nobody_needs_it_and_its_place_is_used_again() {
    let mut office = Office::default();
    let jobs = office.admission.add(None, at_most(1));
    let test = office.admission.add(Some(jobs), Limits { concurrency: Some(0), ..per_second(1) });
    assert!(!office.admission.remove(jobs), "a queue is inside");
    let grant = office.admission.adopt(test, SECOND, None);
    assert!(!office.admission.remove(test), "a permit is out");
    office.admission.release(grant);
    let ticket = office.wait(test, &["a"])[0];
    assert!(!office.admission.remove(test), "somebody waits");
    office.admission.abandon(test, SECOND, ticket);
    office.admission.hold(test);
    assert!(office.admission.remove(test));
    assert_eq!((office.admission.queues(), office.admission.view(jobs, SECOND).granted), (1, 1));

    let again = office.admission.add(None, Limits::default());
    assert_eq!((again, office.admission.queues()), (test, 2));
    // Nothing of what it was is left: neither the limits nor the hold nor the queue around it.
    office.wait(jobs, &["b"]);
    office.wait(again, &["c", "d"]);
    assert_eq!(office.admitted(), ["b", "c", "d"]);
    assert_eq!(office.admission.view(jobs, SECOND).held, 1);
}

#[test]
fn m112_a_standing_queue_drops_those_who_waited_longer_than_its_target() {
    let mut office = Office::default();
    let discipline = Discipline::CoDel { target: SECOND, interval: 3 * SECOND };
    let jobs = office.admission.add(None, Limits { discipline, ..at_most(1) });
    let mut holder = "";
    let (mut served, mut dropped) = (Vec::new(), Vec::new());
    // Two come and one is served each second.
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"];
    for (second, pair) in (0u32..).zip(names.chunks(2)) {
        office.now = SECOND * second;
        office.wait(jobs, pair);
        if !holder.is_empty() {
            office.release(holder);
        }
        let (admitted, refused) = office.settle();
        holder = admitted[0];
        served.extend(admitted);
        dropped.extend(refused.into_iter().map(|(_, name)| name));
    }
    // From the third second on waits are too long; three seconds later that has gone on too long.
    assert_eq!(served, ["a", "b", "c", "d", "e", "f", "k"]);
    assert_eq!(dropped, ["g", "h", "i", "j"]);
}
