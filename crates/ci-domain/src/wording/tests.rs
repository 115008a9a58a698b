//! Words for people, and what no log can do to them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::outside::*;
use super::*;
use crate::forge::{StatusState, StatusWrite};
use crate::gate::{Unmet, Verdict};
use crate::ids::PullNumber;
use crate::outcome::JobResult;
use crate::subject::Subject;
use crate::world::{id, sha};

const PULL: Subject = Subject::Pull(PullNumber(7));

/// The longest comment that GitHub takes, in characters.
const GITHUB_LIMIT: usize = 65_536;

fn failed(job: &str, tail: &[&str]) -> FailedJob {
    let tail = tail.iter().map(|line| (*line).to_owned()).collect();
    let log_url = "https://ci.example.com/log".to_owned();
    FailedJob { job: id(job), result: JobResult::Failed, log_url, tail }
}

fn crashed(job: &str, reason: &str) -> FailedJob {
    let result = JobResult::Crashed { reason: reason.to_owned() };
    FailedJob { result, ..failed(job, &[]) }
}

/// The part of `text` that a reader of Markdown would take for what is outside of fenced blocks.
fn outside_of_fences(text: &str) -> String {
    let mut fence: Option<usize> = None;
    let mut outside = String::new();
    for line in text.split(['\n', '\r']) {
        let ticks = line.trim_start_matches(' ').chars().take_while(|c| *c == '`').count();
        let rest = line.trim_start_matches(' ').trim_start_matches('`');
        match fence {
            Some(length) if ticks >= length && rest.trim().is_empty() => fence = None,
            None if ticks >= 3 && !rest.contains('`') => fence = Some(ticks),
            None => outside += &format!("{line}\n"),
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a fence is never closed");
    outside
}

#[test]
fn a_failure_names_the_job_its_log_and_the_command() {
    let text = failures(&PULL, &sha('a'), &[failed("air:test", &["boom", "bang"])]);
    assert_eq!(
        text,
        "On aaaaaaaaaaaa:\n\n**air:test failed**\n[log](https://ci.example.com/log) · to run it \
         again, comment `/ci retry air:test`\n\n```text\nboom\nbang\n```\n"
    );
    assert_eq!(
        failures(&PULL, &sha('a'), &[]),
        "What failed on aaaaaaaaaaaa has passed since, or was started again."
    );
}

#[test]
fn a_failure_on_a_branch_names_the_branch_as_a_shell_may_read_it() {
    let check = |name: &str, word: &str| {
        let branch = Subject::Branch(name.parse().unwrap());
        let text = failures(&branch, &sha('a'), &[failed("air:test", &[])]);
        let expected = format!("say ``` ci-node branch force {word} air:test ```");
        assert_eq!(text.trim_end().rsplit(", ").next(), Some(expected.as_str()));
    };
    check("release/1.2", "release/1.2");
    check("-x", "'-x'");
    check("a;$(b)'`c", r"'a;$(b)'\''`c'");
}

#[test]
fn why_lists_every_condition_and_an_invalid_policy_that_mentions_nobody() {
    let unmet = |condition: &str, met_by: &str| Unmet {
        condition: condition.to_owned(),
        met_by: met_by.to_owned(),
    };
    let mut verdict = Verdict {
        state: StatusState::Pending,
        description: "awaiting air:test".to_owned(),
        unmet: vec![unmet("awaiting air:test", "its end"), unmet("draft", "marking it")],
    };
    fn asked<'a>(verdict: &'a Verdict, policy_error: Option<&'a str>) -> String {
        why(Reasons { verdict, waiting: &[], findings: &[], policy_error })
    }
    let conditions = "- awaiting air:test; met by: its end\n- draft; met by: marking it\n";
    assert_eq!(asked(&verdict, None), conditions);
    let waiting = [waits("air:test", "jobs.test", Some(&ahead_in_line(1)))];
    let findings = ["its end".to_owned(), "ci-policy.yaml: then @acme ``` \u{1b}[1m".to_owned()];
    let all =
        Reasons { verdict: &verdict, waiting: &waiting, findings: &findings, policy_error: None };
    let line = "- air:test waits in the queue jobs.test: at most one other goes first\n";
    let finding = "\n````text\nci-policy.yaml: then @acme ```\n````\n";
    assert_eq!(
        why(all),
        format!("{conditions}{line}{finding}"),
        "what is said already is left out"
    );
    verdict.unmet.clear();
    verdict.description = CAN_BE_MERGED.to_owned();
    assert_eq!(asked(&verdict, None), "pull request can be merged\n");
    let error = "ci-policy.yaml:3:5: unknown key \"@acme/dev\"\n  hint: ```";
    let text = asked(&verdict, Some(error));
    assert!(text.contains(error), "{text}");
    assert!(outside_of_fences(&text).contains(EARLIER_POLICY), "{text}");
    assert!(!outside_of_fences(&text).contains('@'), "{text}");
}

#[test]
fn the_policy_is_mended_on_the_default_branch() {
    assert_eq!(who_mends("ci-policy.yaml:3: unknown key"), "a commit on the default branch");
    assert_eq!(who_mends("air/ci.yaml:3: unknown key"), "a new head");
}

#[test]
fn a_crash_names_its_reason_in_one_harmless_line() {
    for (reason, expected) in [
        ("out of memory", "``` out of memory ```"),
        ("a\nb", "``` a ```"),
        ("`````", "`````` ````` ``````"),
        ("\u{1b}[31m@acme/dev\u{7}", "``` @acme/dev ```"),
    ] {
        let text = failures(&PULL, &sha('a'), &[crashed("air:test", reason)]);
        assert!(text.contains(&format!("**air:test crashed**: {expected}\n")), "{text}");
    }
}

#[test]
fn a_log_line_is_shown_without_what_a_terminal_would_act_on() {
    for (line, expected) in [
        ("plain\ttext", "plain\ttext"),
        ("\u{1b}[1;31mred\u{1b}[0m", "red"),
        ("\u{1b}]0;title\u{7}after", "after"),
        ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}cdone\r", "done"),
        ("\u{1b}[", ""),
        ("ünï", "ünï"),
    ] {
        assert_eq!(printable(line), expected, "{line:?}");
    }
    assert_eq!(printable(&"é".repeat(400)), "é".repeat(400));
    assert_eq!(printable(&"é".repeat(401)), "é".repeat(400) + " …");
}

#[test]
fn the_last_hundred_lines_are_shown() {
    let lines: Vec<String> = (0..150).map(|number| format!("line {number}")).collect();
    let job = FailedJob { tail: lines, ..failed("air:test", &[]) };
    let text = failures(&PULL, &sha('a'), &[job]);
    assert!(text.contains("```text\nline 50\n") && text.contains("line 149\n```"), "{text}");
}

#[test]
fn where_not_all_fits_jobs_are_named_before_their_logs() {
    let long = "x".repeat(400);
    let tail: Vec<&str> = vec![&long; 100];
    let jobs: Vec<FailedJob> = (0..60).map(|n| failed(&format!("air:j{n}"), &tail)).collect();
    let text = failures(&PULL, &sha('a'), &jobs);
    for job in &jobs {
        assert!(text.contains(&format!("**{} failed**", job.job)));
    }
    let jobs: Vec<FailedJob> = (0..2000).map(|n| failed(&format!("air:j{n}"), &tail)).collect();
    let text = failures(&PULL, &sha('a'), &jobs);
    assert!(text.ends_with(" more jobs did not pass; there is no room for them here.\n"));
    assert!(text.len() < GITHUB_LIMIT);
}

#[test]
fn a_log_of_nothing_but_backticks_is_shown() {
    let line = "`".repeat(400);
    let tail: Vec<&str> = vec![&line; 100];
    let text = failures(&PULL, &sha('a'), &[failed("air:test", &tail)]);
    assert!(text.contains(&format!("{}text\n{line}\n", "`".repeat(401))));
}

#[test]
fn a_description_is_one_line_of_at_most_140_characters() {
    for (text, expected) in [
        ("short".to_owned(), "short".to_owned()),
        ("one\ntwo".to_owned(), "one".to_owned()),
        ("ä".repeat(140), "ä".repeat(140)),
        ("ä".repeat(141), "ä".repeat(138) + " …"),
    ] {
        assert_eq!(cut(&text), expected);
    }
}

#[test]
fn a_crash_is_told_on_one_line_that_formats_and_calls_nobody() {
    let crash = "panic: @acme/dev `x` at src/pull.rs:7:9\n# Title";
    let told =
        "its actors crashed too often, at last: ``` panic: @acme/dev `x` at src/pull.rs:7:9 ```";
    assert_eq!(actors_crashed_too_often(Some(crash)), told);
    assert_eq!(actors_crashed_too_often(None), "its actors crashed too often");
    assert_eq!(actors_do_not_start("read \n`"), "its actors do not start: `read `");
}

#[test]
fn jobs_are_named_in_order() {
    let (test, compile) = (id("air:test"), id("air:compile"));
    assert_eq!(jobs_are(&[], "failed"), None);
    assert_eq!(
        jobs_are(&[&test, &compile], "failed").as_deref(),
        Some("air:compile, air:test failed")
    );
    assert_eq!(awaiting_jobs(&[&test]).as_deref(), Some("awaiting air:test"));
}

#[test]
fn a_shared_head_says_the_least_favourable() {
    let status = |state, description: &str| StatusWrite {
        context: umbrella_context("ci"),
        state,
        description: description.to_owned(),
        target_url: None,
    };
    let shared = |umbrellas: &[(u64, StatusState, &str)]| {
        let umbrellas: Vec<_> = umbrellas
            .iter()
            .map(|(number, state, text)| (PullNumber(*number), status(*state, text)))
            .collect();
        shared_umbrella(&umbrellas).map(|status| (status.state, status.description))
    };
    use StatusState::{Error, Failure, Pending, Success};
    let long = "x".repeat(140);
    for (umbrellas, expected) in [
        (vec![(3, Success, "fine")], Some((Success, "fine".to_owned()))),
        (
            vec![(3, Success, "fine"), (5, Pending, "draft")],
            Some((Pending, "#5: draft".to_owned())),
        ),
        (vec![(5, Failure, "no"), (3, Error, "oh")], Some((Error, "#3: oh".to_owned()))),
        (vec![(5, Failure, "b"), (3, Failure, "a")], Some((Failure, "#3: a".to_owned()))),
        (
            vec![(3, Failure, &long), (5, Success, "fine")],
            Some((Failure, format!("#3: {} …", "x".repeat(134)))),
        ),
        (vec![], None),
    ] {
        assert_eq!(shared(&umbrellas), expected);
    }
}

#[test]
fn the_same_head_is_always_told_the_same_words() {
    assert_eq!(can_be_merged(&sha('a')), can_be_merged(&sha('a')));
    assert!(can_be_merged(&sha('a')).starts_with("Pull request can be merged "));
    assert!(standard_tests_passed(&sha('b')).starts_with("Standard tests have passed "));
}

/// Lines as hostile logs have them.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ `~\\-<>*_#\\[\\]()@a\r\n\u{1b}\u{9b}\u{2028}]{0,30}",
        "`{0,500}",
        ".{0,60}",
        Just("```".to_owned()),
        Just("-->".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_log_breaks_out_of_its_block(
        logs in vec((vec(line(), 0..120), prop::option::of(line())), 1..6),
    ) {
        let job = |(number, (tail, reason)): (usize, &(Vec<String>, Option<String>))| {
            let result = match reason {
                Some(reason) => JobResult::Crashed { reason: reason.clone() },
                None => JobResult::Failed,
            };
            FailedJob { result, tail: tail.clone(), ..failed(&format!("air:j{number}"), &[]) }
        };
        let jobs: Vec<FailedJob> = logs.iter().enumerate().map(job).collect();
        let text = failures(&PULL, &sha('a'), &jobs);
        prop_assert!(text.chars().count() + 200 <= GITHUB_LIMIT);
        let silent: Vec<FailedJob> =
            jobs.iter().map(|job| FailedJob { tail: Vec::new(), ..job.clone() }).collect();
        let without_blank =
            |text: &str| outside_of_fences(text).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(without_blank(&text), without_blank(&failures(&PULL, &sha('a'), &silent)));
    }

    #[test]
    fn a_description_always_fits(text in any::<String>()) {
        let description = cut(&text);
        prop_assert!(description.chars().count() <= 140);
        prop_assert!(!description.contains(['\n', '\r']));
    }
}

#[test]
fn a_nightly_failure_calls_whom_the_policy_names_and_a_log_calls_nobody() {
    let branch = Subject::Branch("release/@eve".parse().unwrap());
    let (day, mention) = ("2026-11-23".parse().unwrap(), "@acme/dev".parse().unwrap());
    let log = ["@acme/all is at fault", "```", "@everyone"];
    let say =
        |failed: &FailedJob, mention| nightly_failure(&branch, &sha('a'), (day, mention), failed);
    let text = say(&failed("air:soak", &log), Some(&mention));
    let (name, again) = (inline("release/@eve"), "ci-node nightly force 'release/@eve' air:soak");
    let expected = format!(
        "@acme/dev: nightly job of 2026-11-23 on {name}, at aaaaaaaaaaaa:\n\n**air:soak failed**\n\
         [log](https://ci.example.com/log) · to run it again, say {}\n\n\
         ````text\n@acme/all is at fault\n```\n@everyone\n````\n",
        inline(again)
    );
    assert_eq!(text, expected);
    let outside = outside_of_fences(&text);
    let called: Vec<&str> =
        outside.split('`').step_by(2).filter(|text| text.contains('@')).collect();
    assert_eq!(called, ["@acme/dev: nightly job of 2026-11-23 on "]);
    let crashed = say(&crashed("air:soak", "`@eve` did it"), None);
    assert!(
        crashed.starts_with("nightly job") && crashed.contains("`` `@eve` did it ``"),
        "{crashed}"
    );
}
