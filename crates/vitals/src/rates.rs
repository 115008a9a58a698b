//! What happened between two looks at a process: differences of counters, by life.

use std::collections::HashMap;

use heights_vitals::wire::{Actor, Kind, Tree};
use serde::Serialize;

/// What an actor has counted up to one moment.
#[derive(Debug, Clone, Copy)]
struct Counts {
    /// Messages that have come and were not dropped.
    came: Option<u64>,
    handled: Option<u64>,
    failed: Option<u64>,
    busy_ms: Option<u64>,
}

/// What was counted at one moment, by pid: a later life is somebody else.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    taken_ms: u64,
    counts: HashMap<String, Counts>,
}

/// What one actor did in a window of time. What cannot be known is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Rates {
    /// Messages that came in a second.
    pub in_per_s: Option<f64>,
    /// Messages that were handled in a second, well or not.
    pub out_per_s: Option<f64>,
    /// The part of the window that was spent in handlers, between 0 and 1.
    pub busy: Option<f64>,
}

impl Sample {
    pub fn of(tree: &Tree) -> Self {
        let counts = tree.actors.iter().filter_map(|actor| {
            // What a supervisor handles is the doings of its children.
            let counted = actor.kind != Some(Kind::Supervisor);
            Some((actor.pid.clone()?, Counts::of(actor))).filter(|_| counted)
        });
        Self { taken_ms: tree.taken_ms, counts: counts.collect() }
    }

    /// Returns how long ago it was taken.
    pub fn before(&self, tree: &Tree) -> u64 {
        tree.taken_ms.saturating_sub(self.taken_ms)
    }

    /// Tells what an actor of a later tree has done since.
    pub fn until(&self, actor: &Actor, tree: &Tree) -> Rates {
        let window_ms = self.before(tree);
        let now = Counts::of(actor);
        let (Some(pid), 1..) = (&actor.pid, window_ms) else { return Rates::default() };
        if actor.kind == Some(Kind::Supervisor) {
            return Rates::default();
        }
        let before = match self.counts.get(pid) {
            Some(before) => *before,
            // All that a life has done that began in the window was done in it.
            None if actor.age_ms.is_some_and(|age| age <= window_ms) => Counts::NOTHING,
            None => return Rates::default(),
        };
        let seconds = window_ms as f64 / 1_000.0;
        let since = |now: Option<u64>, before: Option<u64>| Some(now?.saturating_sub(before?));
        let per_second = |count: u64| count as f64 / seconds;
        let failed = since(now.failed, before.failed).unwrap_or(0);
        let busy_ms = since(now.busy_ms, before.busy_ms);
        Rates {
            in_per_s: since(now.came, before.came).map(per_second),
            out_per_s: since(now.handled, before.handled).map(|count| per_second(count + failed)),
            busy: busy_ms.map(|busy| (busy as f64 / window_ms as f64).min(1.0)),
        }
    }

    /// Tells how many messages all actors of a later tree have handled in a second since.
    pub fn total(&self, tree: &Tree) -> Option<f64> {
        let rates = tree.actors.iter().filter_map(|actor| self.until(actor, tree).out_per_s);
        (self.before(tree) > 0).then(|| rates.sum())
    }
}

impl Counts {
    const NOTHING: Self =
        Self { came: Some(0), handled: Some(0), failed: Some(0), busy_ms: Some(0) };

    fn of(actor: &Actor) -> Self {
        let working = u64::from(actor.working.is_some());
        let came = || {
            let done = actor.handled? + actor.failed.unwrap_or(0);
            Some(actor.mailbox? + done + working)
        };
        Self { came: came(), handled: actor.handled, failed: actor.failed, busy_ms: actor.busy_ms }
    }
}

/// Shows a rate with as many digits as one reads.
pub fn shown(rate: f64) -> String {
    if rate >= 9.95 || rate == 0.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

/// Shows a part of a whole.
pub fn percent(part: f64) -> String {
    format!("{:.0}%", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(taken_ms: u64, actors: Vec<Actor>) -> Tree {
        Tree { taken_ms, total: actors.len(), actors }
    }

    fn worker(pid: &str, handled: u64, mailbox: u64, busy_ms: u64) -> Actor {
        Actor {
            pid: Some(pid.to_owned()),
            kind: Some(Kind::Worker),
            age_ms: Some(60_000),
            handled: Some(handled),
            failed: Some(0),
            mailbox: Some(mailbox),
            busy_ms: Some(busy_ms),
            ..Actor::at("ci/queue")
        }
    }

    fn rates(before: Actor, after: Actor) -> Rates {
        let after = tree(3_000, vec![after]);
        Sample::of(&tree(1_000, vec![before])).until(&after.actors[0], &after)
    }

    #[test]
    fn a_rate_is_the_difference_of_two_looks_over_the_time_between_them() {
        let rates = rates(worker("1", 100, 0, 500), worker("1", 120, 30, 1_500));
        let expected = Rates { in_per_s: Some(25.0), out_per_s: Some(10.0), busy: Some(0.5) };
        assert_eq!(rates, expected);
    }

    #[test]
    fn a_new_life_counts_from_its_own_beginning() {
        let young = Actor { age_ms: Some(400), ..worker("2", 4, 0, 100) };
        assert_eq!(rates(worker("1", 100, 0, 500), young).out_per_s, Some(2.0));
        let unseen = worker("2", 4, 0, 100);
        assert_eq!(rates(worker("1", 100, 0, 500), unseen), Rates::default());
    }

    #[test]
    fn what_is_not_counted_has_no_rate_and_not_the_rate_zero() {
        let task = Actor { mailbox: None, handled: None, ..worker("1", 0, 0, 0) };
        let rates = rates(task.clone(), task);
        assert_eq!((rates.in_per_s, rates.out_per_s, rates.busy), (None, None, Some(0.0)));
    }

    #[test]
    fn counters_that_go_back_and_clocks_that_stand_still_make_no_nonsense() {
        let rates = rates(worker("1", 100, 0, 500), worker("1", 90, 0, 400));
        assert_eq!(
            (rates.in_per_s, rates.out_per_s, rates.busy),
            (Some(0.0), Some(0.0), Some(0.0))
        );
        let same = tree(1_000, vec![worker("1", 1, 0, 0)]);
        assert_eq!(Sample::of(&same).until(&same.actors[0], &same), Rates::default());
        assert_eq!(Sample::of(&same).total(&same), None);
    }

    #[test]
    fn the_message_that_is_being_handled_has_come() {
        let working = Some(heights_vitals::wire::Working::default());
        let after = Actor { working, ..worker("1", 100, 0, 500) };
        assert_eq!(rates(worker("1", 100, 0, 500), after).in_per_s, Some(0.5));
    }
}
