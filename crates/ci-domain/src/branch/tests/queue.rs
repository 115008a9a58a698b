//! Heads of the merge queue: compared with the base, an umbrella of their own, and forks' code among them.

use super::*;
use crate::policy::Forks;
use crate::wording;

/// What the umbrella says at the end of a story.
#[track_caller]
fn check_umbrella(words: &[&str], expected: Option<&str>) {
    let mut told = Story::new();
    words.iter().for_each(|word| {
        told.tell(word);
    });
    let url = "https://ci.example.com".to_owned();
    let report = told.branch.report(&Voice { node: "ci".to_owned(), public_url: url }).unwrap();
    let said = report.umbrella.map(|umbrella| {
        assert_eq!(umbrella.context, wording::umbrella_context("ci"));
        format!("{}: {}", umbrella.state.as_str(), umbrella.description)
    });
    assert_eq!(said.as_deref(), expected, "{words:?}");
}

#[test]
fn a_head_is_compared_with_its_base_and_built_once() {
    check(&[
        ("queue b a", "prepare b since a"),
        ("plan", "build 1: air:bench air:compile"),
        // The base moves on as what is before it in the queue is merged.
        ("queue b c", ""),
        ("passed air:compile", ""),
        ("restart", "build 1: air:bench air:compile"),
        ("passed air:bench", ""),
        ("finished 1", "end 1"),
        ("queue b c", ""),
        ("gone", "close"),
    ]);
    check(&[("queue b", "prepare b since b")]);
}

#[test]
fn a_head_has_an_umbrella_and_other_branches_have_none() {
    check_umbrella(&["push a", "plan"], None);
    let jobs = "plan air:compile air:bench?";
    check_umbrella(&["queue b a"], Some("pending: initializing"));
    check_umbrella(&["queue b a", "invalid"], Some("failure: air/ci.yaml:3: no such job"));
    check_umbrella(&["queue b a", jobs], Some("pending: awaiting air:compile"));
    let failed = ["queue b a", jobs, "failed air:compile"];
    check_umbrella(&failed, Some("failure: air:compile failed"));
    let crashed = ["queue b a", jobs, "crashed air:compile"];
    check_umbrella(&crashed, Some("error: air:compile crashed"));
    let passed = ["queue b a", jobs, "failed air:bench", "passed air:compile"];
    check_umbrella(&passed, Some("success: pull request can be merged"));
    check_umbrella(&["queue b a", "plan"], Some("pending: awaiting air:bench, air:compile"));
}

#[test]
fn what_is_once_known_to_be_our_own_stays_so() {
    let branch = check(&[
        ("queue-fork b a", "prepare b since a"),
        ("plan", "build 1: air:bench air:compile"),
        ("queue b c", ""),
        ("queue-fork b a", ""),
    ]);
    let tip = branch.tip().unwrap();
    assert_eq!(branch.head(), Head::Own);
    assert_eq!(tip.queued.as_ref().unwrap().base, Some(sha('c')));
    let branch =
        check(&[("queue b a", "prepare b since a"), ("queue-fork c b", "prepare c since b")]);
    assert_eq!(branch.head(), Head::ForkApproved);
}

#[test]
fn a_forks_code_in_the_queue_runs_as_the_policy_says() {
    let forks = |forks| {
        let mut told = Story::new();
        told.tell("queue-fork b a");
        let BranchEvent::Prepared(mut prepared) = told.prepared("air:compile") else { panic!() };
        prepared.policy.forks = forks;
        let step = told.branch.apply(BranchEvent::Prepared(prepared)).unwrap();
        (step.effects.len(), told.branch.standing().1)
    };
    assert_eq!(forks(Forks::AfterApproval), (1, "awaiting air:compile".to_owned()));
    assert_eq!(forks(Forks::Never), (0, "forks are not built".to_owned()));
}
