//! Reads conditions and holds them against a small tree.

use super::*;
use crate::wire::{Actor, Crash, Hello, PROTOCOL, State, Tier, Tree, Working};

fn picture() -> Picture {
    let hello = Hello {
        protocol: PROTOCOL,
        name: "ci".to_owned(),
        version: String::new(),
        os_pid: 1,
        started_ms: 0,
        tier: Tier::Read,
        capabilities: Vec::new(),
    };
    let working = Working { label: "Claim".to_owned(), since_ms: 2_500, ..Working::default() };
    let queue = Actor {
        state: State::Busy,
        mailbox: Some(12),
        oldest_ms: Some(700),
        restarts: Some(2),
        working: Some(working),
        ..Actor::at("ci/queue")
    };
    let store = Actor { state: State::Idle, mailbox: Some(0), ..Actor::at("ci/store") };
    let task = Actor { state: State::Running, ..Actor::at("ci/pulls/clock") };
    let actors = vec![Actor { state: State::Idle, ..Actor::at("ci") }, queue, store, task];
    let crash = Crash::at("ci/queue", "0.1", "killed");
    Picture {
        hello,
        tree: Tree { taken_ms: 7, total: actors.len(), actors },
        crashes: vec![crash],
        runtime: None,
    }
}

fn check(condition: &str, expected: &[&str]) {
    let judgement = condition.parse::<Condition>().unwrap().judge(&picture());
    assert_eq!(judgement.against, expected, "{condition}");
    assert_eq!(judgement.holds, expected.is_empty(), "{condition}");
}

#[test]
fn a_claim_is_held_against_every_actor_that_matches() {
    check("mailbox(ci/queue) = 12", &[]);
    check("mailbox(ci/queue)<10", &["mailbox(ci/queue)=12"]);
    check("state(queue) = busy", &[]);
    check("state(ci/*) = idle", &["state(ci/queue)=busy"]);
    check("state(**) != stopping", &[]);
    check("restarts(queue) >= 2", &[]);
    check("exists(clock)", &[]);
}

#[test]
fn what_is_not_known_or_not_there_speaks_against_a_claim() {
    check("mailbox(clock) >= 0", &["mailbox(ci/pulls/clock) is not known"]);
    check("mailbox(nobody) = 0", &["no actor matches nobody"]);
    check("exists(nobody)", &["no actor matches nobody"]);
    check("!exists(nobody)", &[]);
}

#[test]
fn times_have_units_and_nothing_waits_for_no_time() {
    check("oldest(ci/queue) < 1s", &[]);
    check("oldest(ci/queue) < 500ms", &["oldest(ci/queue)=700ms"]);
    check("oldest(store) = 0", &[]);
    check("busy(queue) > 2s && busy(store) = 0s", &[]);
}

#[test]
fn counts_are_of_all_together_and_none_is_a_number() {
    check("count(ci/*) = 2", &[]);
    check("count(nobody) = 0", &[]);
    check("crashes(**) = 0", &["crashes(**)=1"]);
    check("crashes(store) = 0", &[]);
}

#[test]
fn conditions_are_joined_as_in_most_languages() {
    check("exists(nobody) || exists(store) && exists(queue)", &[]);
    check("(exists(nobody) || exists(store)) && !exists(queue)", &["it holds: exists(queue)"]);
    check(
        "!(mailbox(store)=0 || exists(nobody))",
        &["it holds: (mailbox(store)=0 || exists(nobody))"],
    );
    let all = "mailbox(queue)=0 && state(ci/*)=idle";
    check(all, &["mailbox(ci/queue)=12", "state(ci/queue)=busy"]);
}

fn check_error(text: &str, expected: &str) {
    assert_eq!(text.parse::<Condition>().unwrap_err().to_string(), expected);
}

#[test]
fn an_error_says_where_it_is_and_what_could_stand_there() {
    check_error(
        "",
        "at character 1: expected exists, state, mailbox, peak, oldest, waited, busy, handled, failed, dropped, restarts, life, age, count, crashes, found the end",
    );
    check_error("mailbox ci", "at character 9: expected (, found ci");
    check_error("mailbox()", "at character 9: expected a path, found )");
    check_error("mailbox(ci", "at character 11: expected ), found the end");
    check_error("mailbox(ci) 7", "at character 13: expected one of = != < <= > >=, found 7");
    check_error("mailbox(ci) < 7s", "at character 15: expected a number, found 7s");
    check_error(
        "age(ci) < soon",
        "at character 11: expected a time such as 250ms, 5s or 2m, found soon",
    );
    check_error("state(ci) < idle", "at character 11: expected = or !=, found < idle");
    check_error(
        "state(ci) = tired",
        "at character 13: expected stopping, restarting, starting, suspended, waiting, busy, running, idle, found tired",
    );
    check_error("exists(ü) x", "at character 11: expected &&, || or the end, found x");
    check_error(
        "exists(a) && ",
        "at character 14: expected exists, state, mailbox, peak, oldest, waited, busy, handled, failed, dropped, restarts, life, age, count, crashes, found the end",
    );
    check_error(
        &("(".repeat(40) + "exists(a)"),
        "at character 33: expected at most 32 levels, found ((((((((exists(a)",
    );
    check_error(
        "mailbox(ci) < 99999999999999999999999",
        "at character 15: expected a number, found 99999999999999999999",
    );
}

#[test]
fn any_text_is_read_without_panicking() {
    let alphabet = [
        "mailbox(", "ci/**", ")", "=", "<", "&&", "||", "!", "(", "5s", "idle", "state(", "é", " ",
    ];
    let mut seed = 7_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(alphabet[(seed >> 33) as usize % alphabet.len()]);
        }
        // Most are errors, and some are conditions; either has to be an answer.
        if let Ok(condition) = text.parse::<Condition>() {
            condition.judge(&picture());
            assert_eq!(condition.to_string().parse(), Ok(condition), "{text}");
        }
    }
}
