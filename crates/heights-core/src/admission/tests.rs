//! Checks the rules of admission, first by example, then against random histories.

use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn at_most(concurrency: u32) -> Limits {
    Limits { concurrency: Some(concurrency), ..Limits::default() }
}

fn per_second(permits: u32) -> Limits {
    Limits { rate: Some(Rate::new(permits, SECOND)), ..Limits::default() }
}

fn admit_all(admission: &mut Admission<&'static str>, now: Moment) -> Vec<&'static str> {
    std::iter::from_fn(|| admission.admit(now)).map(|(_, waiter)| waiter).collect()
}

#[test]
fn m112_admits_up_to_the_limit_in_the_order_of_arrival() {
    let mut admission = Admission::default();
    let jobs = admission.add(None, at_most(2));
    for name in ["a", "b", "c"] {
        admission.enqueue(jobs, Duration::ZERO, None, name);
    }
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["a", "b"]);
    admission.release(jobs);
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["c"]);
}

#[test]
fn m112_a_full_inner_queue_does_not_block_its_siblings() {
    let mut admission = Admission::default();
    let jobs = admission.add(None, at_most(3));
    let compile = admission.add(Some(jobs), at_most(1));
    let test = admission.add(Some(jobs), Limits::default());
    for (queue, name) in
        [(compile, "c1"), (compile, "c2"), (test, "t1"), (test, "t2"), (test, "t3")]
    {
        admission.enqueue(queue, Duration::ZERO, None, name);
    }
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["c1", "t1", "t2"]);
    admission.release(test);
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["t3"]);
    admission.release(compile);
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["c2"]);
}

#[test]
fn m112_adopted_work_counts_over_the_limit_and_outside_the_rate() {
    let mut admission = Admission::default();
    let jobs = admission.add(None, Limits { concurrency: Some(1), ..per_second(1) });
    admission.adopt(jobs);
    admission.adopt(jobs);
    admission.enqueue(jobs, Duration::ZERO, None, "new");
    admission.release(jobs);
    assert_eq!(admission.admit(Duration::ZERO), None);
    admission.release(jobs);
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["new"]);
}

#[test]
fn m112_nothing_passes_a_held_queue() {
    let mut admission = Admission::default();
    let jobs = admission.add(None, at_most(9));
    let compile = admission.add(Some(jobs), at_most(9));
    admission.hold(jobs);
    admission.hold(jobs);
    admission.enqueue(compile, Duration::ZERO, None, "waits");
    admission.unhold(jobs);
    assert_eq!(admission.admit(SECOND), None);
    assert!(admission.view(compile, SECOND).on_hold);
    admission.unhold(jobs);
    assert_eq!(admit_all(&mut admission, SECOND), ["waits"]);
}

#[test]
fn m112_says_when_the_next_permit_or_deadline_is_due() {
    let mut admission = Admission::default();
    let reads = admission.add(None, per_second(1));
    for name in ["now", "in a second", "never"] {
        admission.enqueue(reads, Duration::ZERO, Some(SECOND * 3 / 2), name);
    }
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["now"]);
    assert_eq!(admission.next_event(Duration::ZERO), Some(SECOND));
    assert_eq!(admit_all(&mut admission, SECOND), ["in a second"]);
    assert_eq!(admission.next_event(SECOND), Some(SECOND * 3 / 2));
    assert_eq!(admission.expire(SECOND * 3 / 2), ["never"]);
    assert_eq!(admission.view(reads, SECOND * 2).expired, 1);
}

#[test]
fn m112_a_lower_limit_lets_holders_finish_and_admits_nobody_until_they_have() {
    let mut admission = Admission::default();
    let jobs = admission.add(None, at_most(2));
    for name in ["a", "b", "c"] {
        admission.enqueue(jobs, Duration::ZERO, None, name);
    }
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["a", "b"]);
    admission.reconfigure(jobs, at_most(1), Duration::ZERO);
    admission.release(jobs);
    assert_eq!(admission.admit(Duration::ZERO), None);
    admission.release(jobs);
    assert_eq!(admit_all(&mut admission, Duration::ZERO), ["c"]);
}

#[derive(Clone, Debug)]
enum Op {
    Enqueue(usize, Option<u64>),
    Abandon(usize),
    Release(usize),
    Adopt(usize),
    Hold(usize),
    Unhold(usize),
    Reconfigure(usize, Option<u32>, Option<u32>),
    Wait(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let queue = 0usize..3;
    prop_oneof![
        6 => (queue.clone(), prop::option::of(1u64..2000)).prop_map(|(queue, wait)| Op::Enqueue(queue, wait)),
        1 => any::<usize>().prop_map(Op::Abandon),
        5 => any::<usize>().prop_map(Op::Release),
        1 => queue.clone().prop_map(Op::Adopt),
        1 => queue.clone().prop_map(Op::Hold),
        2 => queue.clone().prop_map(Op::Unhold),
        1 => (queue, prop::option::of(0u32..4), prop::option::of(1u32..6))
            .prop_map(|(queue, concurrency, rate)| Op::Reconfigure(queue, concurrency, rate)),
        5 => (0u64..400).prop_map(Op::Wait),
    ]
}

/// A root with two queues inside, and what happened to them.
struct History {
    admission: Admission<u64>,
    queues: [QueueId; 3],
    limits: [Limits; 3],
    holds: [u32; 3],
    waiting: Vec<(usize, Ticket)>,
    holders: Vec<usize>,
    last: [u64; 3],
    next: u64,
    /// Times of admission since the rate of that queue was last changed.
    taken: [Vec<Moment>; 3],
    now: Moment,
}

impl History {
    fn new() -> Self {
        let mut admission = Admission::default();
        let limits = [at_most(3), per_second(2), at_most(1)];
        let root = admission.add(None, limits[0]);
        let queues =
            [root, admission.add(Some(root), limits[1]), admission.add(Some(root), limits[2])];
        Self {
            admission,
            queues,
            limits,
            holds: [0; 3],
            waiting: Vec::new(),
            holders: Vec::new(),
            last: [0; 3],
            next: 0,
            taken: Default::default(),
            now: Duration::ZERO,
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Enqueue(queue, wait) => {
                self.next += 1;
                let wait = wait.map(Duration::from_millis);
                let ticket = self.admission.enqueue(self.queues[queue], self.now, wait, self.next);
                self.waiting.push((queue, ticket));
            }
            Op::Abandon(pick) if !self.waiting.is_empty() => {
                let (queue, ticket) = self.waiting.swap_remove(pick % self.waiting.len());
                self.admission.abandon(self.queues[queue], ticket);
            }
            Op::Release(pick) if !self.holders.is_empty() => {
                let queue = self.holders.swap_remove(pick % self.holders.len());
                self.admission.release(self.queues[queue]);
            }
            Op::Adopt(queue) => {
                self.admission.adopt(self.queues[queue]);
                self.holders.push(queue);
            }
            Op::Hold(queue) => {
                self.holds[queue] += 1;
                self.admission.hold(self.queues[queue]);
            }
            Op::Unhold(queue) if self.holds[queue] > 0 => {
                self.holds[queue] -= 1;
                self.admission.unhold(self.queues[queue]);
            }
            Op::Reconfigure(queue, concurrency, rate) => self.reconfigure(queue, concurrency, rate),
            Op::Wait(millis) => self.now += Duration::from_millis(millis),
            Op::Abandon(_) | Op::Release(_) | Op::Unhold(_) => {}
        }
    }

    fn reconfigure(&mut self, queue: usize, concurrency: Option<u32>, rate: Option<u32>) {
        let rate = rate.map(|permits| Rate::new(permits, SECOND));
        if self.limits[queue].rate.is_none() || rate.is_none() {
            self.taken[queue].clear();
        }
        self.limits[queue] = Limits { concurrency, rate, max_wait: None };
        self.admission.reconfigure(self.queues[queue], self.limits[queue], self.now);
    }

    /// Admits all that may be admitted and checks each admission against every limit above it.
    fn settle(&mut self) {
        self.admission.expire(self.now);
        while let Some((id, waiter)) = self.admission.admit(self.now) {
            let queue = self.queues.iter().position(|queue| *queue == id).unwrap();
            assert!(waiter > self.last[queue], "first come, first served");
            self.last[queue] = waiter;
            self.holders.push(queue);
            for level in if queue == 0 { vec![0] } else { vec![queue, 0] } {
                self.check_level(level);
            }
        }
    }

    fn check_level(&mut self, level: usize) {
        assert_eq!(self.holds[level], 0, "admitted through a hold");
        let held = self.holders.iter().filter(|queue| level == 0 || **queue == level).count();
        assert!(self.limits[level].concurrency.is_none_or(|limit| held <= limit as usize));
        assert_eq!(self.admission.view(self.queues[level], self.now).held as usize, held);
        let taken = &mut self.taken[level];
        taken.push(self.now);
        if let Some(rate) = self.limits[level].rate {
            // A slower rate starts to count with the permits that follow the change.
            let gap = taken.iter().rev().nth(1).map(|last| self.now - *last);
            assert!(gap.is_none_or(|gap| gap >= rate.interval()), "{gap:?} under {rate:?}");
        }
    }
}

proptest! {
    #[test]
    fn m112_no_history_exceeds_a_limit_or_reorders_a_queue(ops in prop::collection::vec(op(), 1..200)) {
        let mut history = History::new();
        for op in ops {
            history.apply(op);
            history.settle();
        }
        while let Some(queue) = history.holders.pop() {
            history.admission.release(history.queues[queue]);
        }
        for queue in history.queues {
            prop_assert_eq!(history.admission.view(queue, history.now).held, 0);
        }
    }
}
