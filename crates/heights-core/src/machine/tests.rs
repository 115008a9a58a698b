//! The machine against a small world that performs its actions at once.

mod bonds;
mod histories;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::{AutoShutdown, Backoff, GiveUp, Intensity, Refusal, Restart, RestartLimit};

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
fn e47_giving_up_stops_the_others_in_reverse() {
    let mut world = world(Strategy::OneForOne);
    for _ in 0..4 {
        world.take_log();
        world.exit("a", ExitClass::Abnormal);
    }
    assert_eq!(world.take_log(), "stop z, stop m, exit ReachedMaxIntensity");
}

#[test]
fn e51_a_child_with_a_limit_of_its_own_is_given_up_first() {
    let check = |strategy, then, expected: &str| {
        let limit = RestartLimit { intensity: Intensity::new(1, SECOND * 5), then };
        let mut plans = plans(&["m", "a", "z"]);
        plans[1].limit = Some(limit);
        let mut world = World::new(strategy, Intensity::new(9, SECOND * 5), plans).boot();
        world.exit("a", ExitClass::Abnormal);
        world.exit("m", ExitClass::Abnormal);
        world.take_log();
        world.exit("a", ExitClass::Abnormal);
        assert_eq!(world.take_log(), expected, "{strategy:?} {then:?}");
    };
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        check(strategy, GiveUp::Escalate, "stop z, stop m, exit ReachedMaxIntensity");
        check(strategy, GiveUp::RemoveChild, "left a, forget a");
    }
}

#[test]
fn e51_a_start_that_fails_too_often_is_given_up_and_the_siblings_go_on() {
    let check = |strategy, expected: &str| {
        let then = GiveUp::RemoveChild;
        let mut plans = plans(&["m", "a", "z"]);
        plans[1].limit = Some(RestartLimit { intensity: Intensity::new(1, SECOND * 5), then });
        let mut world = World::new(strategy, Intensity::new(9, SECOND * 5), plans).boot();
        world.failing.insert("a");
        world.exit("a", ExitClass::Abnormal);
        assert_eq!(world.take_log(), expected, "{strategy:?}");
        assert_eq!(world.machine.counts().active, 2);
    };
    check(Strategy::OneForOne, "fail a, left a, forget a");
    check(Strategy::OneForAll, "stop z, stop m, start m, fail a, left a, forget a, start z");
    check(Strategy::RestForOne, "stop z, fail a, left a, forget a, start z");
}

#[test]
fn e51_those_that_are_about_to_start_again_have_not_ended() {
    let limit =
        RestartLimit { intensity: Intensity::new(1, SECOND * 5), then: GiveUp::RemoveChild };
    let significant =
        |id| ChildPlan { significant: true, restart: Restart::Transient, ..ChildPlan::worker(id) };
    let plans = vec![ChildPlan { limit: Some(limit), ..significant("a") }, significant("b")];
    let flags = Flags { auto_shutdown: AutoShutdown::AllSignificant, ..Flags::default() };
    let mut world = World::with_flags(Strategy::RestForOne, flags, plans).boot();
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "stop b, fail a, left a, forget a, start b");
}

#[test]
fn e52_backoff_delays_the_restart_but_not_the_stop_of_the_siblings() {
    let backoff = Some(Backoff::exponential(SECOND, SECOND * 4));
    let flags = Flags { intensity: Intensity::new(9, SECOND), backoff, ..Flags::default() };
    let world = World::with_flags(Strategy::OneForAll, flags, plans(&["m", "a", "z"]));
    let mut world = world.boot();
    world.exit("a", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "stop z, stop m, retry a in 1");
    world.now += SECOND;
    world.retry();
    assert_eq!(world.take_log(), "start m, start a, start z");
}

#[test]
fn f56_a_terminated_child_does_not_come_back() {
    let mut world = world(Strategy::OneForOne);
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    world.feed(Event::TerminateChild("a".into()));
    world.failing.clear();
    world.retry();
    assert_eq!(world.take_log(), "fail a, retry a in 0, answer Done");
}

/// Two significant children and one that is not, under each flag: what their ends lead to.
#[test]
fn g59_to_g62_auto_shutdown() {
    use AutoShutdown::{AllSignificant, AnySignificant};
    use ExitClass::{Abnormal, Normal};
    let check = |auto_shutdown, restart, ends: &[(&str, ExitClass)], expected: &str| {
        let plans = [("m", true), ("a", false), ("z", true)].map(|(name, significant)| {
            let restart = if significant { restart } else { Restart::Temporary };
            ChildPlan { significant, restart, ..ChildPlan::worker(name) }
        });
        let flags = Flags { auto_shutdown, ..Flags::default() };
        let mut world = World::with_flags(Strategy::OneForOne, flags, plans.to_vec()).boot();
        for (id, class) in ends {
            world.exit(id, *class);
        }
        assert_eq!(world.take_log(), expected, "{auto_shutdown:?} {restart:?} {ends:?}");
    };
    let any_m = "left m, stop z, stop a, exit AutoShutdown";
    check(AnySignificant, Restart::Transient, &[("m", Normal)], any_m);
    check(AnySignificant, Restart::Transient, &[("m", Abnormal)], "start m");
    check(AnySignificant, Restart::Transient, &[("a", Normal)], "left a, forget a");
    let any_m = "left m, forget m, stop z, stop a, exit AutoShutdown";
    check(AnySignificant, Restart::Temporary, &[("m", Normal)], any_m);
    check(AnySignificant, Restart::Temporary, &[("m", Abnormal)], any_m);
    check(AllSignificant, Restart::Transient, &[("m", Normal)], "left m");
    let both = [("m", Normal), ("z", ExitClass::Shutdown)];
    let all = "left m, left z, stop a, exit AutoShutdown";
    check(AllSignificant, Restart::Transient, &both, all);
}

#[test]
fn g63_a_significant_child_that_was_terminated_has_not_ended_by_itself() {
    let plan =
        |id| ChildPlan { significant: true, restart: Restart::Transient, ..ChildPlan::worker(id) };
    for auto_shutdown in [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
        let flags = Flags { auto_shutdown, ..Flags::default() };
        let plans = vec![plan("a"), plan("b")];
        let mut world = World::with_flags(Strategy::OneForOne, flags, plans).boot();
        world.feed(Event::TerminateChild("a".into()));
        assert_eq!(world.take_log(), "stop a, answer Done");
        // It does not count among the living either.
        world.exit("b", ExitClass::Normal);
        assert_eq!(world.take_log(), "left b, exit AutoShutdown");
    }
}

#[test]
fn i88_new_specs_hold_from_the_next_start_on() {
    let mut world = world(Strategy::OneForAll);
    let plan = |id, restart| ChildPlan { restart, ..ChildPlan::worker(id) };
    let plans = vec![
        plan("z", Restart::Permanent),
        plan("new", Restart::Permanent),
        plan("m", Restart::Temporary),
    ];
    world.feed(Event::Reconfigure(plans));
    assert_eq!(world.take_log(), "answer Done");
    let listed = |world: &World| -> String {
        let views = world.machine.children();
        views.map(|view| format!("{} {:?}; ", view.plan.id, view.state)).collect()
    };
    let expected = "z Running(Incarnation(3)); new Stopped; m Running(Incarnation(1)); \
                    a Running(Incarnation(2)); ";
    assert_eq!(listed(&world), expected);
    // The new restart type of `m`, the new order, and `a` as the youngest.
    world.exit("m", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "left m, forget m");
    world.feed(Event::RestartChild("new".into()));
    world.exit("z", ExitClass::Abnormal);
    let expected =
        "start new, answer Started(new#4), stop a, stop new, start z, start new, start a";
    assert_eq!(world.take_log(), expected);
    // Wrong specs change nothing.
    let before = listed(&world);
    world.feed(Event::Reconfigure(plans_of_twins()));
    assert_eq!(world.take_log(), "answer Refused(Invalid(DuplicateId(\"a\")))");
    assert_eq!(listed(&world), before);
    world.feed(Event::TerminateChild("a".into()));
    world.feed(Event::DeleteChild("a".into()));
    assert_eq!(world.take_log(), "stop a, answer Done, forget a, answer Done");
}

fn plans_of_twins() -> Vec<ChildPlan> {
    plans(&["a", "b", "a"])
}

#[test]
fn i88_new_specs_do_not_disturb_a_restart_under_way() {
    let mut world = world(Strategy::OneForOne);
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    world.feed(Event::Reconfigure(plans(&["z", "a"])));
    world.failing.clear();
    world.retry();
    assert_eq!(world.take_log(), "fail a, retry a in 0, answer Done, start a");
    world.feed(Event::Stop);
    assert_eq!(world.take_log(), "stop m, stop a, stop z, exit Stopped");
}

#[test]
fn i88_a_child_that_became_temporary_while_it_is_restarted_can_be_terminated() {
    let mut world = world(Strategy::OneForOne);
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    let temporary = ChildPlan { restart: Restart::Temporary, ..ChildPlan::worker("a") };
    world.feed(Event::Reconfigure(vec![temporary]));
    world.feed(Event::TerminateChild("a".into()));
    assert_eq!(world.take_log(), "fail a, retry a in 0, answer Done, forget a, answer Done");
}

#[test]
fn i77_to_i81_requests() {
    let mut world = world(Strategy::OneForOne);
    let mut check = |event, expected: &str| {
        world.feed(event);
        assert_eq!(world.take_log(), expected);
    };
    let id = || ChildId::from("a");
    check(Event::StartChild(ChildPlan::worker("a")), "answer Refused(AlreadyStarted(a#2))");
    check(Event::RestartChild(id()), "answer Refused(Running)");
    check(Event::DeleteChild(id()), "answer Refused(Running)");
    check(Event::TerminateChild(id()), "stop a, answer Done");
    check(Event::TerminateChild(id()), "answer Done");
    check(Event::StartChild(ChildPlan::worker("a")), "answer Refused(AlreadyPresent)");
    check(Event::RestartChild(id()), "start a, answer Started(a#4)");
    check(Event::TerminateChild(id()), "stop a, answer Done");
    check(Event::DeleteChild(id()), "forget a, answer Done");
    check(Event::DeleteChild(id()), "answer Refused(NotFound)");
    check(Event::StartChild(ChildPlan::worker("a")), "start a, answer Started(a#5)");
    check(Event::StartChild(ChildPlan::worker("")), "answer Refused(Invalid(EmptyId))");
    assert_eq!(Refusal::Invalid(SpecError::EmptyId), Refusal::Invalid(SpecError::EmptyId));
}
