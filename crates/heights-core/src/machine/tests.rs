//! The machine against a small world that performs its actions at once.

mod bonds;
mod endings;
mod histories;
mod limits;
mod reconfigured;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::{
    AutoShutdown, Backoff, ExitClass, GiveUp, Intensity, Refusal, Restart, RestartLimit, Shutdown,
};

const SECOND: Duration = Duration::from_secs(1);

/// Performs actions at once, writes them down, and checks what must always hold.
struct World {
    machine: Machine,
    now: Moment,
    live: BTreeMap<ChildId, Incarnation>,
    /// Children in the order they were started.
    started: Vec<ChildId>,
    failing: BTreeSet<&'static str>,
    ignoring: BTreeSet<&'static str>,
    retries: Vec<(ChildId, u64, Moment)>,
    log: Vec<String>,
    verdict: Option<Verdict>,
}

impl World {
    fn new(strategy: Strategy, intensity: Intensity, plans: Vec<ChildPlan>) -> Self {
        Self::with_flags(strategy, Flags { intensity, ..Flags::default() }, plans)
    }

    fn with_flags(strategy: Strategy, flags: Flags, plans: Vec<ChildPlan>) -> Self {
        Self {
            machine: Machine::new(strategy, flags, plans).unwrap(),
            now: Moment::ZERO,
            live: BTreeMap::new(),
            started: Vec::new(),
            failing: BTreeSet::new(),
            ignoring: BTreeSet::new(),
            retries: Vec::new(),
            log: Vec::new(),
            verdict: None,
        }
    }

    fn feed(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            let actions = self.machine.step(self.now, event);
            assert!(
                actions.is_empty() || self.verdict.is_none(),
                "acts after its end: {actions:?}"
            );
            for action in actions {
                assert!(next.is_none(), "acts while something is under way: {action:?}");
                next = self.perform(action);
            }
        }
    }

    fn perform(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Start(run) => return Some(self.start(run)),
            Action::Stop(run, _) => {
                assert_eq!(self.live.remove(&run.id), Some(run.incarnation), "stops the living");
                self.started.retain(|id| *id != run.id);
                self.log.push(format!("stop {}", run.id));
                return Some(Event::Stopped(run));
            }
            Action::Retry { id, ticket, after } => {
                self.log.push(format!("retry {id} in {}", after.as_secs()));
                self.retries.push((id, ticket, self.now + after));
            }
            Action::Forget(id) => self.log.push(format!("forget {id}")),
            Action::Left(run) => self.log.push(format!("left {}", run.id)),
            Action::Answer(answer) => self.log.push(format!("answer {answer:?}")),
            Action::Exit(verdict) => {
                assert!(self.live.is_empty(), "leaves children behind: {:?}", self.live);
                self.log.push(format!("exit {verdict:?}"));
                self.verdict = Some(verdict);
            }
        }
        None
    }

    fn start(&mut self, run: ChildRun) -> Event {
        if self.failing.contains(run.id.as_str()) {
            self.log.push(format!("fail {}", run.id));
            return Event::StartFailed(run);
        }
        if self.ignoring.contains(run.id.as_str()) {
            self.log.push(format!("ignore {}", run.id));
            return Event::Ignored(run);
        }
        self.log.push(format!("start {}", run.id));
        let before = self.live.insert(run.id.clone(), run.incarnation);
        assert_eq!(before, None, "two lives of {}", run.id);
        self.started.push(run.id.clone());
        Event::Started(run)
    }

    fn boot(mut self) -> Self {
        self.feed(Event::Boot);
        self.log.clear();
        self
    }

    fn exit(&mut self, id: &str, class: ExitClass) {
        let id = ChildId::from(id);
        if let Some(incarnation) = self.live.remove(&id) {
            self.started.retain(|started| *started != id);
            self.feed(Event::Exited(ChildRun { id, incarnation }, class));
        }
    }

    /// Lets the retries that are due happen, once each.
    fn retry(&mut self) {
        let now = self.now;
        let due: Vec<_> = self.retries.extract_if(.., |(_, _, at)| *at <= now).collect();
        for (id, ticket, _) in due {
            self.feed(Event::Retry { id, ticket });
        }
    }

    fn take_log(&mut self) -> String {
        std::mem::take(&mut self.log).join(", ")
    }
}

fn plans(names: &[&'static str]) -> Vec<ChildPlan> {
    names.iter().map(|name| ChildPlan::worker(*name)).collect()
}

fn world(strategy: Strategy) -> World {
    World::new(strategy, Intensity::new(3, SECOND * 5), plans(&["m", "a", "z"])).boot()
}

#[test]
fn a02_boots_in_order_and_stops_in_reverse() {
    let mut world = World::new(Strategy::OneForOne, Intensity::default(), plans(&["m", "a", "z"]));
    world.feed(Event::Boot);
    world.feed(Event::Stop);
    assert_eq!(world.take_log(), "start m, start a, start z, stop z, stop a, stop m, exit Stopped");
}

#[test]
fn a04_a_failed_start_stops_the_started_in_reverse() {
    let mut world = World::new(Strategy::OneForOne, Intensity::default(), plans(&["m", "a", "z"]));
    world.failing.insert("z");
    world.feed(Event::Boot);
    let expected = "start m, start a, fail z, stop a, stop m, exit StartFailed(\"z\")";
    assert_eq!(world.take_log(), expected);
}

#[test]
fn a13_a_start_that_was_given_up_may_fail_later() {
    let mut machine =
        Machine::new(Strategy::OneForOne, Flags::default(), plans(&["m", "a"])).unwrap();
    let mut step = |event| machine.step(Moment::ZERO, event);
    let run = |id: &str, number| ChildRun { id: id.into(), incarnation: Incarnation(number) };
    step(Event::Boot);
    assert_eq!(step(Event::Started(run("m", 1))), [Action::Start(run("a", 2))]);
    let stop = Action::Stop(run("m", 1), Shutdown::Timeout(SECOND * 5));
    assert_eq!(step(Event::Stop), [stop]);
    assert_eq!(step(Event::StartFailed(run("a", 2))), []);
    assert_eq!(step(Event::Stopped(run("m", 1))), [Action::Exit(Verdict::Stopped)]);
}

#[test]
fn d30_to_d33_the_strategies() {
    let check = |strategy, expected: &str| {
        let mut world = world(strategy);
        world.exit("a", ExitClass::Abnormal);
        assert_eq!(world.take_log(), expected, "{strategy:?}");
    };
    check(Strategy::OneForOne, "start a");
    check(Strategy::OneForAll, "stop z, stop m, start m, start a, start z");
    check(Strategy::RestForOne, "stop z, start a, start z");
}

#[test]
fn c23_to_c25_the_restart_types() {
    let check = |restart, class, expected: &str| {
        let plan = ChildPlan { restart, ..ChildPlan::worker("a") };
        let mut world = World::new(Strategy::OneForOne, Intensity::default(), vec![plan]).boot();
        world.exit("a", class);
        assert_eq!(world.take_log(), expected, "{restart:?} {class:?}");
    };
    use ExitClass::{Abnormal, Normal, Shutdown};
    check(Restart::Permanent, Normal, "start a");
    check(Restart::Permanent, Shutdown, "start a");
    check(Restart::Permanent, Abnormal, "start a");
    check(Restart::Transient, Normal, "left a");
    check(Restart::Transient, Shutdown, "left a");
    check(Restart::Transient, Abnormal, "start a");
    check(Restart::Temporary, Normal, "left a, forget a");
    check(Restart::Temporary, Shutdown, "left a, forget a");
    check(Restart::Temporary, Abnormal, "left a, forget a");
}

#[test]
fn d35_d36_a_sibling_that_does_not_start() {
    let check = |strategy, expected: &str| {
        let mut world = world(strategy);
        world.failing.insert("a");
        world.exit("m", ExitClass::Abnormal);
        world.failing.clear();
        world.retry();
        assert_eq!(world.take_log(), expected, "{strategy:?}");
    };
    check(
        Strategy::OneForAll,
        "stop z, stop a, start m, fail a, stop m, retry a in 0, start m, start a, start z",
    );
    check(Strategy::RestForOne, "stop z, stop a, start m, fail a, retry a in 0, start a, start z");
}

#[test]
fn d39_an_exit_of_an_earlier_life_is_ignored() {
    let mut world = world(Strategy::OneForAll);
    let run = ChildRun { id: "a".into(), incarnation: world.live[&"a".into()] };
    world.exit("m", ExitClass::Abnormal);
    world.take_log();
    world.feed(Event::Exited(run, ExitClass::Abnormal));
    assert_eq!(world.take_log(), "");
}

#[test]
fn f54_a_child_that_waits_for_its_restart_is_listed_so_and_not_active() {
    let mut plans = plans(&["a"]);
    plans.push(ChildPlan::supervisor("b"));
    let mut world = World::new(Strategy::OneForOne, Intensity::default(), plans).boot();
    let state = |world: &World, id: &str| world.machine.state_of(&id.into());
    assert_eq!(state(&world, "a"), Some(ChildState::Running(Incarnation(1))));
    let counts = Counts { specs: 2, active: 2, supervisors: 1, workers: 1 };
    assert_eq!(world.machine.counts(), counts);
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    assert_eq!(state(&world, "a"), Some(ChildState::Restarting(1)));
    assert_eq!(state(&world, "c"), None);
    assert_eq!(world.machine.counts(), Counts { active: 1, ..counts });
}

#[test]
fn e47_giving_up_stops_the_others_in_reverse() {
    let mut world = world(Strategy::OneForOne);
    for _ in 0..4 {
        world.take_log();
        world.exit("a", ExitClass::Abnormal);
    }
    assert_eq!(world.take_log(), "stop z, stop m, exit ReachedMaxIntensity");
}
