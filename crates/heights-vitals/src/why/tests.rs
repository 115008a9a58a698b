//! Chains of each kind of cause.

use super::*;
use crate::wire::{Hello, PROTOCOL, Tier, Tree, Working};

fn picture(actors: Vec<Actor>) -> Picture {
    let hello = Hello {
        protocol: PROTOCOL,
        name: "app".to_owned(),
        version: String::new(),
        os_pid: 1,
        started_ms: 0,
        tier: Tier::Read,
        capabilities: Vec::new(),
    };
    let total = actors.len();
    Picture { hello, tree: Tree { taken_ms: 7, actors, total }, crashes: Vec::new(), runtime: None }
}

fn actor(path: &str, state: State) -> Actor {
    Actor {
        pid: Some(format!("0.{path}")),
        parent: path.rsplit_once('/').map(|(parent, _)| format!("0.{parent}")),
        kind: Some(Kind::Worker),
        state,
        mailbox: Some(0),
        ..Actor::at(path)
    }
}

fn handling(path: &str, from: Option<&str>) -> Actor {
    let from = from.map(|from| format!("0.{from}"));
    let working = Working { label: "Put".to_owned(), since_ms: 41_000, from, ..Working::default() };
    Actor { working: Some(working), ..actor(path, State::Busy) }
}

fn awaiting(path: &str, other: &str) -> Actor {
    let waiting_for = Some(format!("0.{other}"));
    Actor { waiting_for, state: State::Waiting, ..handling(path, None) }
}

fn told(picture: &Picture, path: &str) -> (Vec<String>, Verdict) {
    let asked = picture.tree.actors.iter().find(|actor| actor.path == path).unwrap();
    let why = why(picture, asked);
    (why.links.iter().map(|link| link.path.clone()).collect(), why.verdict)
}

fn check(actors: Vec<Actor>, chain: &[&str], cause: Cause) {
    let (links, verdict) = told(&picture(actors), chain[0]);
    assert_eq!(
        (links, verdict.cause),
        (chain.iter().map(|&path| path.to_owned()).collect(), cause)
    );
    assert_eq!(verdict.path, *chain.last().unwrap());
}

#[test]
fn a_chain_of_calls_ends_where_the_cause_is() {
    // For each length, each cause at the end.
    for length in 2..=6 {
        let names: Vec<String> = (0..length).map(|at| format!("a{at}")).collect();
        let chain: Vec<&str> = names.iter().map(String::as_str).collect();
        let calls: Vec<Actor> = chain.windows(2).map(|pair| awaiting(pair[0], pair[1])).collect();
        let (last, before) = (chain[length - 1], chain[length - 2]);
        let gone = format!("0.{last}");
        for (end, cause) in [
            (handling(last, Some(before)), Cause::Handling),
            (actor(last, State::Suspended), Cause::Suspended),
            (actor(last, State::Starting), Cause::Starting),
            (actor(last, State::Stopping), Cause::Stopping),
            (Actor { mailbox: Some(400), ..actor(last, State::Idle) }, Cause::Backlog),
            (actor(last, State::Idle), Cause::Nothing),
        ] {
            check([calls.clone(), vec![end]].concat(), &chain, cause);
        }
        let (links, verdict) = told(&picture(calls), chain[0]);
        assert_eq!((links.len(), verdict.cause), (length - 1, Cause::Gone), "{gone} is not there");
    }
}

#[test]
fn actors_that_await_each_other_are_a_deadlock_and_are_named_in_order() {
    let actors = vec![
        awaiting("asked", "a"),
        awaiting("a", "b"),
        awaiting("b", "c"),
        awaiting("c", "a"),
        awaiting("other", "b"),
    ];
    let (links, verdict) = told(&picture(actors), "asked");
    assert_eq!(links, ["asked", "a", "b", "c"]);
    assert_eq!((verdict.cause, verdict.path.as_str()), (Cause::Deadlock, "a"));
    assert_eq!(verdict.cycle, ["a", "b", "c"]);
    assert_eq!(verdict.waiting, ["asked", "c"]);
}

#[test]
fn graphs_without_a_circle_are_never_called_a_deadlock() {
    // Every actor awaits one with a larger number, or nobody: whatever the numbers, there is no circle.
    let mut seed = 1_u64;
    for _ in 0..1_000 {
        let actors: Vec<Actor> = (0..12_u64)
            .map(|at| {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let other = at + 1 + (seed >> 33) % 6;
                let path = format!("a{at}");
                if other < 12 {
                    awaiting(&path, &format!("a{other}"))
                } else {
                    handling(&path, None)
                }
            })
            .collect();
        let picture = picture(actors);
        for actor in &picture.tree.actors {
            assert_eq!(why(&picture, actor).verdict.cause, Cause::Handling);
        }
    }
}

#[test]
fn a_call_is_served_or_waits_in_line_for_so_long() {
    let mut store = handling("store", Some("queue"));
    let served =
        why(&picture(vec![awaiting("queue", "store"), store.clone()]), &awaiting("queue", "store"));
    assert_eq!(served.links[1].facts[0], Fact::Serving);
    store.mailbox = Some(9);
    // 100 messages in 2 s, and 41 s in the one that is under way.
    (store.handled, store.busy_ms) = (Some(100), Some(43_000));
    let late = awaiting("late", "store");
    let late = why(&picture(vec![late.clone(), store]), &late);
    assert_eq!(late.links[1].facts[0], Fact::InLine { ahead: 9, wait_ms: Some(180) });
}

#[test]
fn a_supervisor_is_kept_by_the_child_that_it_waits_for() {
    let supervisor =
        |state| Actor { kind: Some(Kind::Supervisor), mailbox: None, ..actor("app", state) };
    for (state, cause) in [(State::Starting, Cause::Starting), (State::Stopping, Cause::Stopping)] {
        let actors = vec![supervisor(state), actor("app/a", State::Idle), actor("app/b", state)];
        check(actors, &["app", "app/b"], cause);
    }
    let waiting = Actor {
        pid: None,
        parent: Some("0.app".to_owned()),
        state: State::Restarting,
        restart_in_ms: Some(4_000),
        ..Actor::at("app/a")
    };
    let mut picture = picture(vec![supervisor(State::Idle), waiting]);
    let crash = |at_ms, exit: &str| Crash { at_ms, ..Crash::at("app/a", "0.9", exit) };
    picture.crashes = vec![crash(2, "error: disk full"), crash(1, "error: no disk")];
    let why = why(&picture, &picture.tree.actors[0]);
    let restarting = Fact::Restarting {
        in_ms: Some(4_000),
        exit: Some("error: disk full".to_owned()),
        crashes: 2,
    };
    assert_eq!(why.links[0].facts, [Fact::Child { path: "app/a".to_owned() }]);
    assert_eq!(why.links[1].facts, [restarting]);
    assert_eq!(why.verdict.cause, Cause::Restarting);
}

#[test]
fn a_supervisor_whom_nothing_keeps_has_nothing_to_do() {
    let kind = Some(Kind::Supervisor);
    let supervisor = Actor { kind, mailbox: None, ..actor("app", State::Idle) };
    let picture = picture(vec![supervisor, actor("app/a", State::Idle)]);
    let why = why(&picture, &picture.tree.actors[0]);
    assert_eq!((&why.links[0].facts[..], why.verdict.cause), (&[Fact::Idle][..], Cause::Nothing));
}

#[test]
fn a_task_that_runs_is_kept_by_nothing_until_it_blocks_a_thread() {
    let mut task = Actor { kind: Some(Kind::Task), mailbox: None, ..handling("task", None) };
    task.state = State::Running;
    let asked = why(&picture(vec![task.clone()]), &task);
    assert_eq!(
        (&asked.links[0].facts[..], asked.verdict.cause),
        (&[Fact::Running][..], Cause::Nothing)
    );
    let working = task.working.as_mut().unwrap();
    (working.thread, working.blocks_ms) = (Some("worker-1".to_owned()), Some(30_000));
    check(vec![task], &["task"], Cause::Blocking);
}

#[test]
fn a_supervisor_that_stops_while_its_child_calls_it_is_a_deadlock_too() {
    let supervisor =
        Actor { kind: Some(Kind::Supervisor), mailbox: None, ..actor("app", State::Stopping) };
    let child = Actor { state: State::Stopping, ..awaiting("app/a", "app") };
    // The child has been told to end, but is still in the handler that calls its supervisor.
    let (_, verdict) = told(&picture(vec![supervisor, child]), "app");
    assert_eq!((verdict.cause, verdict.cycle.len()), (Cause::Deadlock, 2));
}
