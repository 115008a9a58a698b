//! Checks what is foreseen against the rules of supervision.

mod machines;

use super::*;
use crate::wire::{Supervision, Working};

fn worker(path: &str, restart: Restart) -> Actor {
    Actor {
        pid: Some(path.to_owned()),
        parent: path.rsplit_once('/').map(|(parent, _)| parent.to_owned()),
        kind: Some(Kind::Worker),
        state: State::Idle,
        restart: Some(restart),
        mailbox: Some(1),
        ..Actor::at(path)
    }
}

fn supervisor(path: &str, strategy: &str, left: u32) -> Actor {
    let supervision = Supervision {
        strategy: Some(strategy.to_owned()),
        max_restarts: 3,
        period_ms: 5_000,
        restarts_left: Some(left),
        auto_shutdown: None,
    };
    Actor {
        kind: Some(Kind::Supervisor),
        mailbox: None,
        supervision: Some(supervision),
        restart: path.contains('/').then_some(Restart::Permanent),
        ..worker(path, Restart::Permanent)
    }
}

/// ```text
/// app (one_for_one)
/// └─ ci (by the strategy, with so many restarts left)
///    ├─ store, permanent
///    ├─ pulls
///    │  └─ pull-7, transient
///    ├─ clock, temporary
///    └─ web, permanent
/// ```
fn app(strategy: &str, left: u32) -> Vec<Actor> {
    vec![
        supervisor("app", "one_for_one", 3),
        supervisor("app/ci", strategy, left),
        worker("app/ci/store", Restart::Permanent),
        supervisor("app/ci/pulls", "one_for_one", 3),
        worker("app/ci/pulls/pull-7", Restart::Transient),
        worker("app/ci/clock", Restart::Temporary),
        worker("app/ci/web", Restart::Permanent),
    ]
}

fn foreseen(action: Action, path: &str, actors: &[Actor]) -> ControlOutcome {
    let target = actors.iter().find(|actor| actor.path == path).unwrap();
    foresee(action, target, actors, true).unwrap()
}

fn check(strategy: &str, action: Action, path: &str, (restarts, lost): (&[&str], u64)) {
    let outcome = foreseen(action, path, &app(strategy, 3));
    assert_eq!(outcome.restarts, restarts, "{strategy} {action:?} {path}");
    assert_eq!(outcome.messages_lost.unwrap_or(0), lost, "{strategy} {action:?} {path}");
}

#[test]
fn the_strategy_says_who_is_started_again() {
    check("one_for_one", Action::Kill, "app/ci/store", (&["app/ci/store"], 1));
    let rest = &["app/ci/pulls", "app/ci/web"];
    check("rest_for_one", Action::Kill, "app/ci/pulls", (rest, 3));
    let all = &["app/ci/store", "app/ci/pulls", "app/ci/web"];
    check("one_for_all", Action::Stop, "app/ci/web", (all, 4));
}

#[test]
fn the_kind_of_restart_says_whether_anyone_is() {
    check("one_for_all", Action::Kill, "app/ci/clock", (&[], 1));
    check("one_for_one", Action::Stop, "app/ci/pulls/pull-7", (&[], 1));
    for action in [Action::Kill, Action::Restart] {
        check("one_for_one", action, "app/ci/pulls/pull-7", (&["app/ci/pulls/pull-7"], 1));
    }
}

#[test]
fn a_supervisor_without_restarts_left_ends_too() {
    let outcome = foreseen(Action::Kill, "app/ci/web", &app("one_for_one", 0));
    assert_eq!(outcome.escalates, ["app/ci"]);
    assert_eq!((outcome.restarts, outcome.ends_all), (vec!["app/ci".to_owned()], false));
    assert_eq!(outcome.along, 5, "it, and all others below it");
    assert_eq!(outcome.messages_lost, Some(4), "all children of the supervisor end with it");
    assert_eq!(outcome.cautions, ["app/ci ends too: it has no restart left"]);
}

#[test]
fn a_transient_supervisor_that_gives_up_stays_down() {
    let mut actors = app("one_for_one", 0);
    actors[1].restart = Some(Restart::Transient);
    let outcome = foreseen(Action::Kill, "app/ci/web", &actors);
    assert_eq!((outcome.escalates.len(), outcome.restarts.len()), (1, 0));
}

#[test]
fn the_end_of_the_root_is_the_end_of_everything() {
    let mut actors = app("one_for_one", 0);
    actors[0].supervision.as_mut().unwrap().restarts_left = Some(0);
    let outcome = foreseen(Action::Kill, "app/ci/web", &actors);
    assert_eq!((outcome.escalates, outcome.ends_all), (vec!["app/ci".into(), "app".into()], true));
    assert!(foreseen(Action::Stop, "app", &actors).ends_all);
}

#[test]
fn what_cannot_be_done_is_said() {
    let actors = app("one_for_one", 3);
    let check = |action, at: usize, expected| {
        assert_eq!(foresee(action, &actors[at], &actors, true), Err(expected));
    };
    check(Action::Restart, 0, Impossible::NotRestarted);
    check(Action::Restart, 5, Impossible::NotRestarted);
    check(Action::Suspend, 3, Impossible::NoServer);
    let waiting = Actor { pid: None, ..worker("app/ci/store", Restart::Permanent) };
    assert_eq!(foresee(Action::Kill, &waiting, &actors, true), Err(Impossible::NoProcess));
}

#[test]
fn suspending_ends_nobody_and_warns_of_who_waits() {
    let actors = app("one_for_all", 3);
    let outcome = foreseen(Action::Suspend, "app/ci/store", &actors);
    assert_eq!((outcome.ends.len(), outcome.restarts.len(), outcome.messages_lost), (0, 0, None));
    assert_eq!(outcome.cautions, ["its 1 messages wait, and so does whoever calls it"]);
    let resumed = foreseen(Action::Resume, "app/ci/store", &actors);
    assert_eq!(resumed.cautions, ["it is not suspended: nothing changes"]);
}

#[test]
fn a_long_handler_is_warned_of_in_the_words_of_the_action() {
    let mut actors = app("one_for_one", 3);
    let working = Working { label: "Put".to_owned(), since_ms: 41_000, ..Working::default() };
    actors[2].working = Some(working.clone());
    actors[4].working = Some(working);
    let check = |action, path: &str, expected: &str| {
        let cautions = foreseen(action, path, &actors).cautions;
        assert!(cautions.iter().any(|caution| caution.ends_with(expected)), "{cautions:?}");
    };
    check(Action::Stop, "app/ci/store", "for 41 s: it ends when it returns");
    check(Action::Kill, "app/ci/store", "for 41 s: it ends where it next awaits");
    check(Action::Restart, "app/ci/pulls/pull-7", "for 41 s: it ends where it next awaits");
    check(Action::Suspend, "app/ci/store", "for 41 s: it rests when it returns");
}
