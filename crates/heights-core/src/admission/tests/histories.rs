//! Random histories of a small tree of queues, and what must hold at each admission.

use proptest::prelude::*;

use super::*;

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
    holders: Vec<(usize, Grant)>,
    last: [u64; 3],
    next: u64,
    /// Times of admission.
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
                let request = Request { key: None, max_wait: wait };
                let ticket =
                    self.admission.enqueue(self.queues[queue], self.now, request, self.next);
                self.waiting.push((queue, ticket));
            }
            Op::Abandon(pick) if !self.waiting.is_empty() => {
                let (queue, ticket) = self.waiting.swap_remove(pick % self.waiting.len());
                self.admission.abandon(self.queues[queue], self.now, ticket);
            }
            Op::Release(pick) if !self.holders.is_empty() => {
                let (_, grant) = self.holders.swap_remove(pick % self.holders.len());
                self.admission.release(grant);
            }
            Op::Adopt(queue) => {
                let grant = self.admission.adopt(self.queues[queue], self.now, None);
                self.holders.push((queue, grant));
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
        self.limits[queue] = Limits { concurrency, rate, ..Limits::default() };
        self.admission.reconfigure(self.queues[queue], self.limits[queue], self.now);
    }

    /// Admits all that may be admitted and checks each admission against every limit above it.
    fn settle(&mut self) {
        while let Some(decision) = self.admission.decide(self.now) {
            let Decision::Admit(grant, waiter) = decision else { continue };
            let queue = self.queues.iter().position(|queue| *queue == grant.queue).unwrap();
            assert!(waiter > self.last[queue], "first come, first served");
            self.last[queue] = waiter;
            self.holders.push((queue, grant));
            for level in if queue == 0 { vec![0] } else { vec![queue, 0] } {
                self.check_level(level);
            }
        }
    }

    fn check_level(&mut self, level: usize) {
        assert_eq!(self.holds[level], 0, "admitted through a hold");
        let held = self.holders.iter().filter(|(queue, _)| level == 0 || *queue == level).count();
        assert!(self.limits[level].concurrency.is_none_or(|limit| held <= limit as usize));
        assert_eq!(self.admission.view(self.queues[level], self.now).held as usize, held);
        let taken = &mut self.taken[level];
        taken.push(self.now);
        if let Some(rate) = self.limits[level].rate {
            // Every gap is as long as the rate of the moment wants it, so no window holds more.
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
        while let Some((_, grant)) = history.holders.pop() {
            history.admission.release(grant);
        }
        for queue in history.queues {
            prop_assert_eq!(history.admission.view(queue, history.now).held, 0);
        }
    }
}
