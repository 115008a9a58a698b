//! Checks which reference finds which actor.

use super::*;
use crate::wire::State;

fn actor(pid: u64, path: &str) -> Actor {
    Actor { pid: Some(pid.to_string()), state: State::Idle, ..Actor::at(path) }
}

fn sample() -> Vec<Actor> {
    vec![
        actor(1, "ci"),
        actor(2, "ci/store"),
        actor(3, "ci/pulls"),
        actor(4, "ci/pulls/pull-7"),
        actor(5, "ci/pulls/pull-71"),
        actor(6, "ci/pulls/pull-7/pull"),
        actor(9, "ci/pulls/pull-71/pull"),
    ]
}

fn unknown(alike: &[&str]) -> Miss {
    Miss::Unknown(alike.iter().map(|&path| path.to_owned()).collect())
}

fn check(reference: &str, expected: Result<&str, Miss>) {
    let actors = sample();
    let found = find(reference, &actors, &Shown::default()).map(|actor| actor.path.as_str());
    assert_eq!(found, expected, "{reference}");
}

#[test]
fn a_reference_is_a_pid_a_path_an_end_or_a_beginning() {
    check("@root", Ok("ci"));
    check("2", Ok("ci/store"));
    check("ci/store", Ok("ci/store"));
    check("store", Ok("ci/store"));
    check("pull-7", Ok("ci/pulls/pull-7"));
    check("pull-71/pull", Ok("ci/pulls/pull-71/pull"));
    check("sto", Ok("ci/store"));
    check("tore", Err(unknown(&["ci/store"])));
    check("8", Err(unknown(&[])));
}

#[test]
fn what_is_called_nearly_so_is_named_with_the_nearest_first() {
    check("stroe", Err(unknown(&["ci/store"])));
    check("pul-7", Err(unknown(&["ci/pulls/pull-7"])));
    let both = ["ci/pulls/pull-71/pull", "ci/pulls/pull-7/pull"];
    check("pull-71/pukl", Err(unknown(&both)));
    check("ci/stoer", Err(unknown(&["ci/store"])));
    check("dx", Err(unknown(&[])));
    check("10", Err(unknown(&[])));
    check("elsewhere", Err(unknown(&[])));
    check(&"stroe".repeat(1_000), Err(unknown(&[])));
    let explained = |alike: &[&str]| unknown(alike).explain("stroe").1.message;
    assert_eq!(explained(&[]), "no actor is called stroe");
    assert_eq!(
        explained(&["ci/store", "ci/stove"]),
        "no actor is called stroe; did you mean ci/store or ci/stove?"
    );
}

#[test]
fn what_several_are_called_is_ambiguous() {
    let both = ["ci/pulls/pull-7/pull", "ci/pulls/pull-71/pull"];
    check("pull", Err(Miss::Ambiguous(both.map(str::to_owned).to_vec())));
}

#[test]
fn a_pid_that_was_shown_and_is_gone_names_its_heir() {
    let (actors, mut shown) = (sample(), Shown::default());
    shown.remember("8", "ci/store");
    shown.remember("7", "ci/left");
    let heir = |gone: &str, path: &str, now: Option<&str>| Heir {
        gone: gone.to_owned(),
        path: path.to_owned(),
        now: now.map(str::to_owned),
    };
    assert_eq!(find("8", &actors, &shown), Err(Miss::Gone(heir("8", "ci/store", Some("2")))));
    assert_eq!(find("7", &actors, &shown), Err(Miss::Gone(heir("7", "ci/left", None))));
}

#[test]
fn only_so_many_pids_are_remembered() {
    let mut shown = Shown::default();
    for pid in 0..=REMEMBERED {
        shown.remember(&pid.to_string(), "ci/store");
    }
    assert_eq!(find("0", &[], &shown), Err(unknown(&[])));
    assert!(matches!(find("1", &[], &shown), Err(Miss::Gone(_))));
}
