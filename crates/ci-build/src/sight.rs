//! Words for what actors show of their states to whoever looks into the running node.
//!
//! Each actor says field by field what is shown: ids, counts and words of our own. What people wrote,
//! what commands printed and whatever grants access is left out.

use ci_domain::ids::JobId;
use ci_domain::outcome::JobResult;
use heights::{Inspect, View};

/// What became of jobs, by job.
pub(crate) struct Jobs(Vec<(JobId, &'static str)>);

impl Jobs {
    pub(crate) fn new(jobs: impl IntoIterator<Item = (JobId, &'static str)>) -> Self {
        Self(jobs.into_iter().collect())
    }
}

impl Inspect for Jobs {
    fn inspect(&self, view: View<'_>) {
        view.map(self.0.iter().map(|(job, word)| (job, *word)));
    }
}

/// How a job ended, in one word.
pub(crate) const fn word(result: &JobResult) -> &'static str {
    match result {
        JobResult::Passed => "passed",
        JobResult::Failed => "failed",
        JobResult::Crashed { .. } => "crashed",
        JobResult::Cancelled => "cancelled",
    }
}
