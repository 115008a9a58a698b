//! What people ask of a branch, and when they are refused.

use std::collections::BTreeSet;

use crate::branch::Branch;
use crate::forge::ForceTarget;
use crate::ids::{BranchName, JobId};

/// Why a request cannot be met. The text is the answer to the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BranchRefusal {
    /// There is no such branch among those that are built.
    #[error("{0} is not a branch that is built on push")]
    NotBuilt(BranchName),
    /// Nothing has been planned for the tip.
    #[error("the branch has no plan yet: {0}")]
    NotPlanned(String),
    /// The job does not exist, or does not run on branches.
    #[error("there is no job `{job}` that runs on branches; there are: {known}")]
    UnknownJob {
        /// The job that was named.
        job: JobId,
        /// The jobs that exist.
        known: String,
    },
    /// The job does not exist, or does not run at night.
    #[error("there is no nightly job `{job}`; there are: {known}")]
    UnknownNightly {
        /// The job that was named.
        job: JobId,
        /// The jobs that exist.
        known: String,
    },
    /// A need of the job did not pass.
    #[error("`{job}` is blocked by {by}; force that first")]
    Blocked {
        /// The job that was named.
        job: JobId,
        /// The needs that did not pass.
        by: String,
    },
}

impl Branch {
    /// Says which jobs are to be forced, before that becomes an event.
    ///
    /// # Errors
    /// The request cannot be met; nothing happens.
    pub fn consider(&self, target: &ForceTarget) -> Result<BTreeSet<JobId>, BranchRefusal> {
        let Some(outline) = self.outline() else {
            return Err(BranchRefusal::NotPlanned(self.standing().1));
        };
        let job = match target {
            ForceTarget::All => return Ok(outline.jobs.keys().cloned().collect()),
            ForceTarget::Job(job) => job.clone(),
        };
        if !outline.jobs.contains_key(&job) {
            let known: Vec<String> = outline.jobs.keys().map(ToString::to_string).collect();
            return Err(BranchRefusal::UnknownJob { job, known: known.join(", ") });
        }
        let blockers = outline.blockers(&job, self.outcomes());
        if blockers.is_empty() {
            return Ok(BTreeSet::from([job]));
        }
        let by: Vec<String> = blockers.iter().map(|id| format!("`{id}`")).collect();
        Err(BranchRefusal::Blocked { job, by: by.join(", ") })
    }
}
