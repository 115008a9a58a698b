//! Every word that the forge is given to show, in one place.

mod nightly;
mod owners;

use std::fmt::Write as _;

use crate::forge::{CommentId, StatusState, StatusWrite};
use crate::gate::{Unmet, Verdict};
use crate::ids::{CommitSha, ComponentName, JobId, PullNumber};
use crate::outcome::JobResult;
use crate::subject::Subject;

pub use nightly::{night_standing, nightly_failure};
pub use owners::{
    approval_by_owner, awaiting_owners, no_code_owners, skipped_code_owners, unread_code_owners,
};

/// The umbrella of a pull request that can be merged.
pub const CAN_BE_MERGED: &str = "pull request can be merged";
/// The umbrella of a pull request that conflicts with its base.
pub const CONFLICTS: &str = "there are merge conflicts";
/// The umbrella of a pull request that has not been merged and planned.
pub const INITIALIZING: &str = "initializing";
/// The umbrella, or why, of a pull request whose jobs find no room on the disk.
pub const WAITING_FOR_DISK: &str = "waiting for disk";
/// What is said where the policy at the tip of the default branch is invalid.
pub const EARLIER_POLICY: &str = "The policy is invalid, so an earlier one goes on to hold";
/// What the umbrella says of a fork where the policy never runs them.
pub const FORKS_ARE_NOT_BUILT: &str = "forks are not built";
/// What waits for people.
pub const AWAITING_APPROVAL: &str = "awaiting approval";
/// The status of a component whose jobs have passed.
const ALL_PASSED: &str = "all jobs passed";
/// The status of a component whose required jobs have passed, and others have not.
const REQUIRED_PASSED: &str = "all required jobs passed";
/// The status of a component whose jobs are all optional.
const NONE_REQUIRED: &str = "no job is required";
/// The status of a component whose jobs wait in vain.
pub const BLOCKED: &str = "blocked by a job of another component";
/// The status of a component that a head affected and affects no longer.
pub const NOT_AFFECTED: &str = "not affected";

/// The longest description that GitHub takes.
const MAX_DESCRIPTION: usize = 140;
/// How a description ends that was cut.
const CUT: &str = " …";
/// The longest comment that GitHub takes has 65,536 characters; the rest is for the marker and for what
/// comes after the entries. Counted in bytes, of which a character has at least one.
const MAX_COMMENT: usize = 60_000;
/// The lines of a log that a comment shows.
const TAIL_LINES: usize = 100;
/// The longest line of a log that a comment shows, in characters.
const MAX_LOG_LINE: usize = 400;
/// Room for the two fences around a log, which may have to be longer than its longest line.
const MAX_FENCES: usize = 2 * (MAX_LOG_LINE + 1) + "\ntext\n\n".len();

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

/// The umbrella, or why, of what waits for a node that can isolate jobs.
#[must_use]
pub fn no_isolation(why: &str) -> String {
    format!("no isolation available: {why}")
}

/// Cuts a description at what GitHub takes.
#[must_use]
pub fn cut(description: &str) -> String {
    let line = description.split(['\n', '\r']).next().unwrap_or_default();
    if line.chars().count() <= MAX_DESCRIPTION {
        return line.to_owned();
    }
    let kept: String = line.chars().take(MAX_DESCRIPTION - CUT.chars().count()).collect();
    format!("{kept}{CUT}")
}

/// `a:x, b:y failed`; `None` where there are none.
#[must_use]
pub fn jobs_are(jobs: &[&JobId], word: &str) -> Option<String> {
    (!jobs.is_empty()).then(|| format!("{} {word}", names(jobs)))
}

/// `awaiting a:x, b:y`; `None` where there are none.
#[must_use]
pub fn awaiting_jobs(jobs: &[&JobId]) -> Option<String> {
    (!jobs.is_empty()).then(|| format!("awaiting {}", names(jobs)))
}

/// What is said of a job that waits in a queue, of which so many others go first at most.
#[must_use]
pub fn ahead_in_line(others: usize) -> String {
    match others {
        0 => "the next in turn".to_owned(),
        1 => "at most one other goes first".to_owned(),
        others => format!("at most {others} others go first, each author in turn"),
    }
}

/// `needs a:x, b:y`, which did not pass.
#[must_use]
pub fn needs(jobs: &[&JobId]) -> String {
    format!("needs {}", names(jobs))
}

/// What is said of jobs of which every required one has passed: whether there are such, and how the
/// optional ones have ended.
#[must_use]
pub fn passed(has_required: bool, optional: &[(&JobId, Option<&JobResult>)]) -> String {
    let are = |word: &str| {
        let is_so = |result: &&JobResult| result.word() == word;
        let jobs = optional.iter().filter(|(_, result)| result.as_ref().is_some_and(is_so));
        let jobs: Vec<&JobId> = jobs.map(|(id, _)| *id).collect();
        jobs_are(&jobs, word).map(|words| format!("optional {words}"))
    };
    let has_passed = |result: &Option<&JobResult>| result.is_some_and(JobResult::is_passed);
    let required = match has_required {
        false => NONE_REQUIRED,
        true if optional.iter().all(|(_, result)| has_passed(result)) => ALL_PASSED,
        true => REQUIRED_PASSED,
    };
    let bad = ["failed", "crashed", "cancelled"].into_iter().filter_map(are);
    let all: Vec<String> = std::iter::once(required.to_owned()).chain(bad).collect();
    all.join("; ")
}

/// The answer to a request that was met, where a reaction does not say so.
#[must_use]
pub fn heeded(jobs: &[JobId]) -> String {
    match jobs {
        [] => "Done.".to_owned(),
        jobs => format!("Done: {}.", names(&jobs.iter().collect::<Vec<_>>())),
    }
}

/// The answer to a question why: every condition that is not met, and what is wrong with the policy.
#[must_use]
pub fn why(verdict: &Verdict, policy_error: Option<&str>) -> String {
    let line = |unmet: &Unmet| format!("- {}; met by: {}\n", unmet.condition, unmet.met_by);
    let mut text = match verdict.unmet.as_slice() {
        [] => format!("{}\n", verdict.description),
        unmet => unmet.iter().map(line).collect(),
    };
    if let Some(error) = policy_error {
        let fence = fence_around(error);
        let _ = write!(text, "\n{EARLIER_POLICY}:\n\n{fence}text\n{error}\n{fence}\n");
    }
    text
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

/// The commit that can mend a finding: the policy holds as it is at the tip of the default branch.
#[must_use]
pub fn who_mends(finding: &str) -> &'static str {
    if finding.starts_with("ci-policy.yaml:") {
        "a commit on the default branch"
    } else {
        "a new head"
    }
}

/// What is said of a submodule at `path`, which is not fetched.
#[must_use]
pub fn submodule_hint(path: &str) -> String {
    format!(
        "{path}: a submodule, which is an empty folder to jobs: this version fetches none; a command can, \
         by `git submodule update --init`"
    )
}

/// What is said of the file of attributes that keeps files in Git LFS, by its first such line.
#[must_use]
pub fn lfs_hint(file: &str, line: usize) -> String {
    format!(
        "{file}:{line}: files in Git LFS, of which jobs have the pointers: this version does not fetch their \
         contents"
    )
}

/// What is said of a file in Git LFS that no file of attributes speaks of.
#[must_use]
pub fn lfs_pointer_hint(path: &str) -> String {
    format!("{path}: the pointer to a file in Git LFS, whose content this version does not fetch")
}

/// What is said of a change of the policy: what it would make different, or why it would be refused.
#[must_use]
pub fn proposed_policy(differences: &Result<Vec<String>, Vec<String>>) -> String {
    let then = match differences {
        Ok(differences) if differences.is_empty() => "then it says the same as now".to_owned(),
        Ok(differences) => format!("then it says\n  {}", differences.join("\n  ")),
        Err(findings) => format!("there it would be refused:\n  {}", findings.join("\n  ")),
    };
    format!("ci-policy.yaml: this change has no effect before it is on the default branch; {then}")
}

/// What is said in the place of `count` more hints.
#[must_use]
pub fn more_hints(count: usize) -> String {
    format!("and {count} more")
}

/// What meets that head and base conflict in these paths.
#[must_use]
pub fn mend_conflicts(paths: &[String]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
    format!("a new head that merges, see {}", paths.join(", "))
}

/// The context of the umbrella status.
#[must_use]
pub fn umbrella_context(node: &str) -> String {
    format!("continuous-integration/{node}/mergeable")
}

/// The context of a component's status.
#[must_use]
pub fn component_context(node: &str, component: &ComponentName) -> String {
    format!("continuous-integration/{node}/{component}")
}

/// Whether a status of that context is the node's own.
#[must_use]
pub fn is_context_of(node: &str, context: &str) -> bool {
    let rest = context.strip_prefix("continuous-integration/");
    rest.and_then(|rest| rest.strip_prefix(node)).is_some_and(|rest| rest.starts_with('/'))
}

/// The umbrella where several open pull requests share a head: the least favourable of theirs.
///
/// The order of favour is error, failure, pending, success; among equals the lowest number speaks.
#[must_use]
pub fn shared_umbrella(umbrellas: &[(PullNumber, StatusWrite)]) -> Option<StatusWrite> {
    let rank = |state: StatusState| match state {
        StatusState::Error => 0,
        StatusState::Failure => 1,
        StatusState::Pending => 2,
        StatusState::Success => 3,
    };
    let (number, status) =
        umbrellas.iter().min_by_key(|(number, status)| (rank(status.state), *number))?;
    if umbrellas.len() == 1 {
        return Some(status.clone());
    }
    let description = cut(&format!("#{number}: {}", status.description));
    Some(StatusWrite { description, ..status.clone() })
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
fn entry(failed: &FailedJob, again: &str, budget: usize) -> String {
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
        Subject::Branch(name) => {
            let name = shell_word(name.as_str());
            format!("say {}", inline(&format!("ci-node branch force {name} {job}")))
        }
    }
}

/// A word that a shell takes as it is: people copy what they read.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    if word.chars().all(is_plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The last of `lines` that fit in `budget` bytes, without anything a terminal would act on.
fn fit(lines: &[String], budget: usize) -> String {
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

/// Drops escape sequences and control characters, and cuts what is too long to read.
fn printable(line: &str) -> String {
    let mut text = String::new();
    let mut length = 0;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            skip_escape(&mut characters);
        } else if character == '\t' || !character.is_control() {
            if length == MAX_LOG_LINE {
                return text + CUT;
            }
            text.push(character);
            length += 1;
        }
    }
    text
}

/// Skips what follows an ESC: a control sequence up to its final letter, a string such as a title up to
/// its terminator, else one character.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            characters.find(|c| matches!(c, '\u{40}'..='\u{7e}'));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = characters.next() {
                let mut ends_by_two = || characters.next_if_eq(&'\\').is_some();
                if character == '\u{7}' || character == '\u{1b}' && ends_by_two() {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// A fence that is longer than any run of backticks inside, so that no log can close it.
fn fence_around(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Text from outside in the middle of a sentence: one line, nothing that formats or mentions.
fn inline(text: &str) -> String {
    let line = printable(text.lines().next().unwrap_or_default());
    let fence = fence_around(&line);
    format!("{fence} {line} {fence}")
}

/// The same in the place of a word that people write.
fn quoted(text: &str) -> String {
    let is_plain = !text.is_empty() && !text.contains(|c: char| c == '`' || c.is_control());
    if is_plain { format!("`{text}`") } else { inline(text) }
}

fn names(jobs: &[&JobId]) -> String {
    let mut names: Vec<String> = jobs.iter().map(ToString::to_string).collect();
    names.sort();
    names.join(", ")
}

fn happy(head: &CommitSha) -> &'static str {
    let sum: usize = head.as_str().bytes().map(usize::from).sum();
    HAPPY[sum % HAPPY.len()]
}

#[cfg(test)]
mod tests;
