//! New specs while somebody waits for a restart.

use super::*;

/// A family whose first child has failed and waits, with all that went down with it.
fn waiting(strategy: Strategy, change: impl FnOnce(&mut Vec<ChildPlan>)) -> World {
    let mut plans = plans(&["a", "b", "c"]);
    change(&mut plans);
    let backoff = Some(Backoff::exponential(SECOND, SECOND));
    let flags = Flags { backoff, ..Flags::default() };
    let mut world = World::with_flags(strategy, flags, plans).boot();
    world.exit("a", ExitClass::Abnormal);
    world.take_log();
    world
}

impl World {
    fn reconfigure(&mut self, names: &[&'static str]) {
        self.feed(Event::Reconfigure(plans(names)));
        assert_eq!(self.take_log(), "answer Done");
    }

    fn wait(&mut self) -> String {
        self.now += SECOND;
        self.retry();
        self.take_log()
    }
}

fn comes_back(world: &World, id: &str) -> bool {
    world.machine.comes_back(&id.into())
}

#[test]
fn i88_who_moves_before_the_one_that_it_waits_with_comes_back_with_it() {
    let mut world = waiting(Strategy::RestForOne, |_| {});
    world.reconfigure(&["b", "a", "c"]);
    assert!(comes_back(&world, "b"));
    assert_eq!(world.wait(), "start b, start a, start c");
    // That was said of this restart, and of no other.
    world.exit("a", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "stop c, retry a in 1");
    assert_eq!(world.wait(), "start a, start c");
}

#[test]
fn i88_who_is_no_longer_bound_comes_back_with_what_it_was_bound_to() {
    let mut world = waiting(Strategy::OneForOne, |plans| plans[1].binds_to = ["a".into()].into());
    world.reconfigure(&["a", "b", "c"]);
    assert_eq!(world.wait(), "start a, start b");
    world.exit("a", ExitClass::Abnormal);
    assert_eq!(world.wait(), "retry a in 1, start a");
}

#[test]
fn i88_a_promise_goes_on_with_the_restart_that_takes_the_place_of_the_one_it_waits_for() {
    let mut world = waiting(Strategy::RestForOne, |_| {});
    world.reconfigure(&["b", "x", "a", "c"]);
    world.feed(Event::RestartChild("x".into()));
    world.take_log();
    world.exit("x", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "retry x in 1");
    assert!(comes_back(&world, "b"));
    assert_eq!(world.wait(), "start b, start x, start a, start c");
}

#[test]
fn i88_whoever_says_what_is_to_become_of_a_child_takes_the_promise_back() {
    let by_request = |event: Event| {
        let mut world = waiting(Strategy::RestForOne, |_| {});
        world.reconfigure(&["b", "a", "c"]);
        world.feed(event);
        world.take_log();
        world.wait()
    };
    assert_eq!(by_request(Event::TerminateChild("b".into())), "start a, start c");
    assert_eq!(by_request(Event::RestartChild("b".into())), "start a, start c");
    assert_eq!(by_request(Event::DeleteChild("b".into())), "start a, start c");
    // Without what it waits with nobody comes back.
    assert_eq!(by_request(Event::TerminateChild("a".into())), "");
}
