//! The words of comments: what failed, what is well, and answers to commands.

use std::fmt::Write as _;

use super::hints::untold;
use super::outside::{MAX_LOG_LINE, fence_around, inline, printable, printable_text, shell_word};
use super::{CUT, names};
use crate::forge::CommentId;
use crate::gate::{Unmet, Verdict};
use crate::ids::{CommitSha, JobId};
use crate::outcome::JobResult;
use crate::subject::Subject;

/// What is said where the policy at the tip of the default branch is invalid.
pub const EARLIER_POLICY: &str = "The policy is invalid, so an earlier one goes on to hold";
/// The longest comment that GitHub takes has 65,536 characters; the rest is for the marker and for what
/// comes after the entries. Counted in bytes, of which a character has at least one.
pub(super) const MAX_COMMENT: usize = 60_000;
/// The lines of a log that a comment shows.
const TAIL_LINES: usize = 100;
/// Room for the two fences around a log, which may have to be longer than its longest line.
const MAX_FENCES: usize = 2 * (MAX_LOG_LINE + 1) + "\ntext\n\n".len();
/// As much of a finding as people read in a comment, in characters.
const MAX_FINDING: usize = 2_000;
/// Celebrations; which one depends on the head, so that a repeated attempt writes the same words.
const HAPPY: [&str; 6] = ["🎉", "🚀", "✨", "🌈", "🍀", "🥳"];

/// A failed job in the failure comment of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedJob {
    /// The job.
    pub job: JobId,
    /// How it ended.
    pub result: JobResult,
    /// Where its log is.
    pub log_url: String,
    /// The last lines of its log.
    pub tail: Vec<String>,
}

/// The comment that tells of green tests while approval is missing.
#[must_use]
pub fn standard_tests_passed(head: &CommitSha) -> String {
    format!("Standard tests have passed {}", happy(head))
}

/// The comment that tells that nothing is missing.
#[must_use]
pub fn can_be_merged(head: &CommitSha) -> String {
    format!("Pull request can be merged {}", happy(head))
}

fn happy(head: &CommitSha) -> &'static str {
    let sum: usize = head.as_str().bytes().map(usize::from).sum();
    HAPPY[sum % HAPPY.len()]
}

/// The comment that lists what failed on a head; one for each head, on a pull request edited as jobs
/// fail or recover.
///
/// Logs give way to names where there is not room for both.
#[must_use]
pub fn failures(subject: &Subject, head: &CommitSha, jobs: &[FailedJob]) -> String {
    if jobs.is_empty() {
        return format!("What failed on {} has passed since, or was started again.", head.short());
    }
    let mut text = match subject {
        Subject::Pull(_) => format!("On {}:\n", head.short()),
        Subject::Branch(_) if subject.conversation().is_some() => {
            format!("In the merge queue, together with what is before it, on {}:\n", head.short())
        }
        Subject::Branch(name) => format!("On branch {}:\n", inline(name.as_str())),
    };
    let budget = MAX_COMMENT.saturating_sub(text.len()) / jobs.len();
    for (position, job) in jobs.iter().enumerate() {
        let entry = entry(job, &run_again(subject, &job.job), budget);
        if text.len() + entry.len() > MAX_COMMENT {
            let left = jobs.len() - position;
            let _ =
                write!(text, "\n{left} more jobs did not pass; there is no room for them here.\n");
            break;
        }
        text.push_str(&entry);
    }
    text
}

/// A failed job with what one has to do to have it run `again`.
pub(super) fn entry(failed: &FailedJob, again: &str, budget: usize) -> String {
    let FailedJob { job, result, log_url, tail } = failed;
    let mut text = format!("\n**{job} {}**", result.word());
    if let JobResult::Crashed { reason } = result {
        let _ = write!(text, ": {}", inline(reason));
    }
    let _ = write!(text, "\n[log]({log_url}) · to run it again, {again}\n");
    let lines = fit(tail, budget.saturating_sub(text.len() + MAX_FENCES));
    if !lines.is_empty() {
        let fence = fence_around(&lines);
        let _ = write!(text, "\n{fence}text\n{lines}{fence}\n");
    }
    text
}

/// What somebody is to do who wants a job to run again.
fn run_again(subject: &Subject, job: &JobId) -> String {
    match subject {
        Subject::Pull(_) => format!("comment `/ci retry {job}`"),
        Subject::Branch(_) if subject.conversation().is_some() => {
            "add the pull request to the queue again".to_owned()
        }
        Subject::Branch(name) => {
            let name = shell_word(name.as_str());
            format!("say {}", inline(&format!("ci-node branch force {name} {job}")))
        }
    }
}

/// The last of `lines` that fit in `budget` bytes, without anything a terminal would act on.
pub(super) fn fit(lines: &[String], budget: usize) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut size = 0;
    for line in lines.iter().rev().take(TAIL_LINES) {
        let line = printable(line);
        size += line.len() + 1;
        if size > budget {
            break;
        }
        kept.push(line);
    }
    kept.iter().rev().fold(String::new(), |text, line| text + line + "\n")
}

/// What keeps a pull request from being merged, or will: all that is told of it, wherever that is.
#[derive(Clone, Copy, Debug)]
pub struct Reasons<'a> {
    /// The conditions that are not met.
    pub verdict: &'a Verdict,
    /// The jobs that wait for a turn, each in the words of [`waits`](super::waits).
    pub waiting: &'a [String],
    /// What is wrong with its files or missing for them, and what it would change of the policy.
    pub findings: &'a [String],
    /// What is wrong with the policy on the default branch.
    pub policy_error: Option<&'a str>,
}

/// The answer to a question why.
#[must_use]
pub fn why(reasons: Reasons<'_>) -> String {
    let Reasons { verdict, waiting, findings, policy_error } = reasons;
    let line = |unmet: &Unmet| format!("- {}; met by: {}\n", unmet.condition, unmet.met_by);
    let mut text = match verdict.unmet.as_slice() {
        [] => format!("{}\n", verdict.description),
        unmet => unmet.iter().map(line).collect(),
    };
    for line in waiting {
        let _ = writeln!(text, "- {line}");
    }
    let told: Vec<&str> = verdict.unmet.iter().map(|unmet| unmet.met_by.as_str()).collect();
    for finding in untold(findings, &told) {
        let finding = printable_text(finding, MAX_FINDING);
        let fence = fence_around(&finding);
        let _ = write!(text, "\n{fence}text\n{finding}\n{fence}\n");
    }
    if let Some(error) = policy_error {
        let fence = fence_around(error);
        let _ = write!(text, "\n{EARLIER_POLICY}:\n\n{fence}text\n{error}\n{fence}\n");
    }
    text
}

/// The answer to a request that was met, where a reaction does not say so.
#[must_use]
pub fn heeded(jobs: &[JobId]) -> String {
    match jobs {
        [] => "Done.".to_owned(),
        jobs => format!("Done: {}.", names(&jobs.iter().collect::<Vec<_>>())),
    }
}

/// The hidden line by which the answer to a comment is found again.
#[must_use]
pub fn answer_marker(node: &str, to: CommentId) -> String {
    format!("<!-- ci-node:{node}:answer:{} -->", to.0)
}

/// The comment that answers a command, cut at what GitHub takes.
#[must_use]
pub fn answer(text: &str, marker: &str) -> String {
    let mut end = text.len().min(MAX_COMMENT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = if end < text.len() { CUT } else { "" };
    format!("{}{cut}\n\n{marker}", &text[..end])
}
