//! Pull requests for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ci_domain::wording::{EARLIER_POLICY, untold, waits};
use ci_web::wire::{Job, JobState, PullDetail, PullEnd, PullSummary};

use crate::output::duration_text;
use crate::output::table;

/// Digits of a commit that people are shown.
const SHORT: usize = 12;

/// How people who comment ask for what failed to run again.
const RETRY: &str = "`/ci retry`";

/// One row for each.
pub(super) fn list(pulls: &[PullSummary]) -> String {
    let row = |pull: &PullSummary| {
        [
            format!("{}#{}", pull.repo, pull.number),
            pull.ended.map_or(pull.state.words(), PullEnd::words).to_owned(),
            pull.description.clone(),
            pull.title.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = pulls.iter().map(row).collect();
    table(["PULL REQUEST", "STATE", "VERDICT", "TITLE"], &rows)
}

/// The pull request and its jobs.
pub(super) fn show(detail: &PullDetail) -> String {
    let pull = &detail.pull;
    let by = pull.author.as_deref().map(|author| format!(" by {author}")).unwrap_or_default();
    let title = pull.title.as_deref().unwrap_or_default();
    let mut parts =
        vec![format!("{}#{} {title}{by}", pull.repo, pull.number), standing(pull), commits(detail)];
    parts.extend(rest(&detail.jobs, &detail.findings, detail.policy_error.as_ref()));
    parts.join("\n")
}

/// How it stands; of one that has ended, how it stood then.
fn standing(pull: &PullSummary) -> String {
    let stood = format!("{}: {}", pull.state.words(), pull.description);
    match pull.ended {
        Some(end) => format!("{}; before that {stood}", end.words()),
        None => stood,
    }
}

/// The jobs, and what is wrong.
pub(in crate::remote) fn rest(
    jobs: &[Job],
    findings: &[String],
    policy_error: Option<&String>,
) -> Vec<String> {
    let mut parts = Vec::new();
    if !jobs.is_empty() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let rows: Vec<_> = jobs.iter().map(|each| job(each, now)).collect();
        parts.push(String::new());
        parts.push(table(["JOB", "STATE", "TIME", ""], &rows));
    }
    parts.extend(findings.iter().map(|finding| format!("\n{finding}")));
    parts.extend(policy_error.map(policy));
    parts
}

/// Every reason, the one that decides first; `named` is how the command line was told the repository.
pub(super) fn why(detail: &PullDetail, named: &str) -> String {
    let pull = &detail.pull;
    let heading = format!("{}#{}: {}", pull.repo, pull.number, pull.description);
    let lines = detail.unmet.iter().map(|unmet| {
        format!("  {}: {}", unmet.condition, also_here(&unmet.met_by, pull.number, named))
    });
    let told: Vec<&str> = detail.unmet.iter().map(|unmet| unmet.met_by.as_str()).collect();
    let findings = untold(&detail.findings, &told).map(|finding| format!("\n{finding}"));
    let policy = detail.policy_error.as_ref().map(policy);
    let waiting = detail.jobs.iter().filter(|job| job.state == JobState::Waiting).map(in_line);
    std::iter::once(heading)
        .chain(lines)
        .chain(waiting)
        .chain(findings)
        .chain(policy)
        .collect::<Vec<_>>()
        .join("\n")
}

/// What would meet a condition, with the command that does here what a comment does.
fn also_here(met_by: &str, number: u64, named: &str) -> String {
    met_by.replace(RETRY, &format!("{RETRY} (here: `ci-node pr retry {number}{named}`)"))
}

/// Where a job waits, and for how many.
fn in_line(job: &Job) -> String {
    let queue = job.queue.as_deref().unwrap_or_default();
    format!("  {}", waits(&job.job, queue, job.reason.as_deref()))
}

/// What is wrong with the policy.
fn policy(error: &String) -> String {
    format!("\n{EARLIER_POLICY}:\n{error}")
}

fn commits(detail: &PullDetail) -> String {
    let pull = &detail.pull;
    let mut text =
        format!("head {}, merge {}", short(pull.head.as_deref()), short(detail.merge.as_deref()));
    if let Some(base) = &pull.base {
        text.push_str(&format!(", into {base}"));
    }
    if let Some(build) = detail.build {
        text.push_str(&format!(", build {build} is under way"));
    }
    text
}

/// The beginning of a commit.
pub(in crate::remote) fn short(commit: Option<&str>) -> &str {
    commit.map_or("-", |commit| commit.get(..SHORT).unwrap_or(commit))
}

fn job(job: &Job, now: Duration) -> [String; 4] {
    let since = |since| now.saturating_sub(Duration::from_millis(since));
    let took = job.duration_ms.map(Duration::from_millis).or(job.since_ms.map(since));
    let mut notes = Vec::new();
    if !job.required {
        notes.push("not required".to_owned());
    }
    notes.extend(job.queue.as_ref().map(|queue| format!("waits in {queue}")));
    notes.extend(job.reason.clone());
    [
        job.job.clone(),
        job.state.words().to_owned(),
        took.map(duration_text).unwrap_or_default(),
        notes.join("; "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_by_comment_is_one_by_the_command_line_too() {
        assert_eq!(
            also_here("a new head that mends it, or `/ci retry`", 7, ""),
            "a new head that mends it, or `/ci retry` (here: `ci-node pr retry 7`)"
        );
        assert_eq!(
            also_here("`/ci retry`", 7, " --repo acme/shop"),
            "`/ci retry` (here: `ci-node pr retry 7 --repo acme/shop`)"
        );
        assert_eq!(also_here("their end", 7, ""), "their end");
    }
}
