//! Nights of a branch: one job at a time, once a day and tip, and only when nothing else is owed.

use super::*;
use crate::nightly::{Tonight, WindowState};
use crate::wording::night_standing;

const NIGHTLY: &str = "air:compile air:soak*<air:compile bom:fuzz*";

/// Reads `night 23` for an open window on that day, `night 23 shut` for one that is not.
pub(super) fn tonight(word: &str) -> Tonight {
    let day = word.split(' ').nth(1).unwrap();
    let window = if word.ends_with("shut") { WindowState::Shut } else { WindowState::Open };
    let mention = Some("@acme/dev".parse().unwrap());
    Tonight { day: format!("2026-11-{day}").parse().unwrap(), window, mention }
}

/// A story that goes on where the tip `a` is built.
#[track_caller]
fn check_built(story: &[(&str, &str)]) -> Branch {
    let built = [
        ("push a", "prepare a since a"),
        (&format!("plan {NIGHTLY}"), "build 1: air:compile"),
        ("passed air:compile", ""),
        ("finished 1", "end 1"),
    ];
    check(&[&built, story].concat())
}

#[track_caller]
fn check_standings(branch: &Branch, expected: &[&str]) {
    let standings = branch.night_standings();
    let said = |(job, how)| format!("{job} {}", night_standing(how));
    let said: Vec<String> = standings.iter().map(said).collect();
    assert_eq!(said, expected);
}

#[test]
fn jobs_run_one_after_the_other_while_the_window_is_open_and_once_a_tip() {
    let branch = check_built(&[
        ("night 23 shut", ""),
        ("night 23", "build 2: air:soak"),
        ("night 23", ""),
        ("passed air:soak", ""),
        ("passed air:soak", ""),
        ("finished 2", "end 2, build 3: bom:fuzz"),
        ("failed bom:fuzz", ""),
        ("night 23 shut", ""),
        ("finished 3", "end 3"),
        ("night 24", ""),
    ]);
    check_standings(
        &branch,
        &["air:soak has run on this commit", "bom:fuzz has run on this commit"],
    );
    assert_eq!(branch.outcomes().len(), 1, "what runs at night says nothing of the tip's own jobs");
    assert_eq!(branch.standing().1, "all jobs passed");
}

#[test]
fn a_day_has_one_run_whatever_is_pushed() {
    let branch = check_built(&[
        ("night 23", "build 2: air:soak"),
        ("passed air:soak", ""),
        ("finished 2", "end 2, build 3: bom:fuzz"),
        ("passed bom:fuzz", ""),
        ("finished 3", "end 3"),
        ("push b", "prepare b since a"),
        ("plan air:compile- air:soak* bom:fuzz*", ""),
        ("night 23", ""),
        ("night 24", "build 4: air:soak"),
        ("crashed air:soak", ""),
        ("finished 4", "end 4, build 5: bom:fuzz"),
    ]);
    check_standings(&branch, &["air:soak has run on this commit", "bom:fuzz under way"]);
}

#[test]
fn a_push_cancels_the_night_and_it_runs_again_on_what_was_pushed() {
    check_built(&[
        ("night 23", "build 2: air:soak"),
        ("push b", "prepare b since a, supersede"),
        ("plan air:compile air:soak* bom:fuzz*", ""),
        ("resumed 2", "supersede"),
        ("finished 2", "end 2, build 3: air:compile"),
        ("night 23", ""),
        ("passed air:compile", ""),
        ("finished 3", "end 3, build 4: air:soak"),
    ]);
}

#[test]
fn what_ended_before_it_was_cancelled_has_run() {
    let branch = check_built(&[
        ("night 23", "build 2: air:soak"),
        ("push b", "prepare b since a, supersede"),
        ("passed air:soak", ""),
        ("finished 2", "end 2"),
        ("plan air:compile- air:soak* bom:fuzz*", "build 3: bom:fuzz"),
    ]);
    check_standings(&branch, &["air:soak has run today", "bom:fuzz under way"]);
}

#[test]
fn a_forced_job_of_the_tip_does_not_wait_for_the_night() {
    check_built(&[
        ("night 23", "build 2: air:soak"),
        ("force air:compile", "supersede"),
        ("finished 2", "end 2, build 3: air:compile"),
        ("passed air:compile", ""),
        ("finished 3", "end 3, build 4: air:soak"),
    ]);
}

#[test]
fn a_restart_goes_on_with_the_night_and_a_missed_window_is_missed() {
    check_built(&[
        ("night 23", "build 2: air:soak"),
        ("restart", "build 2: air:soak"),
        ("passed air:soak", ""),
        ("finished 2", "end 2"),
        ("restart", ""),
        ("night 23 shut", ""),
        ("night 24 shut", ""),
        ("night 24", "build 3: bom:fuzz"),
    ]);
}

#[test]
fn whoever_asks_gets_a_run_at_any_hour_and_once() {
    check_built(&[
        (
            "tonight air:lint",
            "no: there is no nightly job `air:lint`; there are: air:soak, bom:fuzz",
        ),
        ("tonight bom:fuzz", ""),
        ("restart", ""),
        ("night 23 shut", "build 2: bom:fuzz"),
        ("tonight bom:fuzz", ""),
        ("push b", "prepare b since a, supersede"),
        ("finished 2", "end 2"),
        ("plan air:compile air:soak*<air:compile bom:fuzz*", "build 3: air:compile"),
        ("failed air:compile", ""),
        ("tonight air:soak", "no: `air:soak` is blocked by `air:compile`; force that first"),
        ("finished 3", "end 3, build 4: bom:fuzz"),
        ("failed bom:fuzz", ""),
        ("finished 4", "end 4"),
        ("night 23", ""),
        ("tonight all", "build 5: bom:fuzz"),
    ]);
}

#[test]
fn a_nightly_job_that_needs_another_runs_after_it() {
    let jobs = "air:compile air:soak*<bom:fuzz bom:fuzz*";
    check(&[
        ("push a", "prepare a since a"),
        ("tonight all", "no: the branch has no plan yet: initializing"),
        (&format!("plan {jobs}"), "build 1: air:compile"),
        ("passed air:compile", ""),
        ("finished 1", "end 1"),
        ("tonight air:soak", ""),
        ("night 23 shut", "build 2: bom:fuzz"),
        ("passed bom:fuzz", ""),
        ("finished 2", "end 2, build 3: air:soak"),
    ]);
    let failed = check(&[
        ("push a", "prepare a since a"),
        ("night 23", ""),
        (&format!("plan {jobs}"), "build 1: air:compile"),
        ("passed air:compile", ""),
        ("finished 1", "end 1, build 2: bom:fuzz"),
        ("failed bom:fuzz", ""),
        ("finished 2", "end 2"),
    ]);
    check_standings(&failed, &["air:soak needs bom:fuzz", "bom:fuzz has run on this commit"]);
}

#[test]
fn a_failure_is_told_by_itself_and_those_of_the_tip_stay() {
    let before = ["push a", &format!("plan {NIGHTLY}"), "failed air:compile", "finished 1"];
    let told = |more: &[&str]| {
        let mut story = Story::new();
        before.iter().chain(more).for_each(|word| drop(story.tell(word)));
        let url = "https://ci.example.com".to_owned();
        let voice = Voice { node: "ci".to_owned(), public_url: url };
        let comments = story.branch.report(&voice).unwrap().comments;
        comments.iter().map(|wish| wish.topic.word()).collect::<Vec<_>>().join(" ")
    };
    let night = ["night 23", "failed bom:fuzz"];
    assert_eq!(told(&[]), "failures");
    assert_eq!(told(&night), "nightly-2 failures");
    assert_eq!(told(&[&night[..], &["finished 2", "restart"]].concat()), "nightly-2 failures");
    assert_eq!(told(&["night 23", "passed bom:fuzz", "finished 2"]), "failures");
}

#[test]
fn nothing_of_a_night_happens_on_a_branch_that_is_gone_or_while_the_disk_is_full() {
    check_built(&[
        ("disk low", ""),
        ("night 23", ""),
        ("disk ok", "build 2: air:soak"),
        ("gone", "supersede"),
        ("finished 2", "end 2, close"),
        ("night 24", "close"),
    ]);
}

#[test]
fn only_so_many_runs_are_remembered() {
    let mut story = Story::new();
    for word in
        ["push a", &format!("plan {NIGHTLY}"), "passed air:compile", "finished 1", "night 23"]
    {
        story.tell(word);
    }
    for build in 2..50 {
        let job = story.branch.build().unwrap().spec.jobs.keys().next().unwrap().to_string();
        story.tell(&format!("failed {job}"));
        story.tell("tonight bom:fuzz");
        story.tell(&format!("finished {build}"));
    }
    assert_eq!(story.branch.nights().runs[&id("bom:fuzz")].len(), 30);
}
