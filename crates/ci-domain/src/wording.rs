//! Every word that the forge is given to show, in one place.

mod checks;
mod comments;
mod hints;
mod nightly;
mod outside;
mod owners;
mod statuses;

use crate::ids::JobId;

pub use checks::{Marks, check_name, check_summary, check_title, job_of_check};
pub use comments::{
    EARLIER_POLICY, FailedJob, Reasons, answer, answer_marker, can_be_merged, failures, heeded,
    standard_tests_passed, why,
};
pub use hints::{
    actors_crashed_too_often, actors_do_not_start, ahead_in_line, lfs_hint, lfs_pointer_hint,
    mend_conflicts, more_hints, needs, proposed_policy, submodule_hint, untold, waits, who_mends,
};
pub use nightly::{night_standing, nightly_failure};
pub use outside::plain;
pub(crate) use outside::printable_text;
pub use owners::{
    approval_by_owner, awaiting_owners, no_code_owners, skipped_code_owners, unread_code_owners,
};
pub use statuses::{
    AWAITING_APPROVAL, BLOCKED, CAN_BE_MERGED, CONFLICTS, FORKS_ARE_NOT_BUILT, INITIALIZING,
    NOT_AFFECTED, WAITING_FOR_DISK, awaiting_jobs, component_context, cut, is_context_of, jobs_are,
    no_isolation, passed, shared_umbrella, umbrella_context,
};

/// How a description ends that was cut.
const CUT: &str = " …";

fn names(jobs: &[&JobId]) -> String {
    let mut names: Vec<String> = jobs.iter().map(ToString::to_string).collect();
    names.sort();
    names.join(", ")
}

#[cfg(test)]
mod tests;
