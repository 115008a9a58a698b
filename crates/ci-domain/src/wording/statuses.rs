//! The words of commit statuses, and the contexts they have.

use super::{CUT, names};
use crate::forge::{StatusState, StatusWrite};
use crate::ids::{ComponentName, JobId, PullNumber};
use crate::outcome::JobResult;

/// The umbrella of a pull request that can be merged.
pub const CAN_BE_MERGED: &str = "pull request can be merged";
/// The umbrella of a pull request that conflicts with its base.
pub const CONFLICTS: &str = "there are merge conflicts";
/// The umbrella of a pull request that has not been merged and planned.
pub const INITIALIZING: &str = "initializing";
/// The umbrella, or why, of a pull request whose jobs find no room on the disk.
pub const WAITING_FOR_DISK: &str = "waiting for disk";
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

/// The umbrella, or why, of what waits for a node that can isolate jobs.
#[must_use]
pub fn no_isolation(why: &str) -> String {
    format!("no isolation available: {why}")
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
