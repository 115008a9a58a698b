//! What people ask of a pull request, and when they are refused.

use crate::forge::ForceTarget;
use crate::ids::{CommitSha, JobId};
use crate::outcome::Outcome;
use crate::pull::Pull;

/// Something that a person with write access asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Run again what failed, crashed or was cancelled: one job, or all of them.
    Retry(Option<JobId>),
    /// Run even what passed or is not affected.
    Force(ForceTarget),
    /// Stop what runs: one job, or all of them.
    Cancel(Option<JobId>),
    /// Let a head from a fork run.
    ApproveRun(CommitSha),
    /// Begin the next build with a fresh workspace; asked for before what is to be forced.
    Reseed,
}

/// Why a request cannot be met. The text is the answer to the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing has been planned for the head.
    #[error("the pull request has no plan yet: {0}")]
    NotPlanned(String),
    /// The job does not exist.
    #[error("there is no job `{job}`; there are: {known}")]
    UnknownJob {
        /// The job that was named.
        job: JobId,
        /// The jobs that exist.
        known: String,
    },
    /// Nothing failed, crashed or was cancelled.
    #[error("there is nothing to retry")]
    NothingToRetry,
    /// A need of the job did not pass.
    #[error("`{job}` is blocked by {by}; retry or force that first")]
    Blocked {
        /// The job that was named.
        job: JobId,
        /// The needs that did not pass.
        by: String,
    },
    /// Nothing is running.
    #[error("there is nothing to cancel")]
    NothingToCancel,
    /// The commit is not the head.
    #[error("{asked} is not the head of the pull request, which is {head}")]
    NotTheHead {
        /// The commit that was named.
        asked: String,
        /// The head.
        head: CommitSha,
    },
    /// The pull request is closed.
    #[error("the pull request is closed")]
    Closed,
    /// Its actors were given up.
    #[error("the pull request is quarantined: {0}")]
    Quarantined(String),
}

impl Pull {
    /// Says which jobs `request` concerns, before it becomes an event.
    ///
    /// # Errors
    /// The request cannot be met; nothing happens.
    pub fn consider(&self, request: &Request) -> Result<Vec<JobId>, Refusal> {
        if !self.is_open() {
            return Err(Refusal::Closed);
        }
        if let Some(reason) = &self.quarantine {
            return Err(Refusal::Quarantined(reason.clone()));
        }
        let jobs = self.concerned(request)?;
        match request {
            Request::Retry(job) if jobs.is_empty() => {
                job.as_ref().map_or(Ok(()), |job| self.expect_unblocked(job))?;
                Err(Refusal::NothingToRetry)
            }
            Request::Cancel(_) if jobs.is_empty() => Err(Refusal::NothingToCancel),
            _ => Ok(jobs),
        }
    }

    fn concerned(&self, request: &Request) -> Result<Vec<JobId>, Refusal> {
        let is_meant = |job: &Option<JobId>, id: &JobId| job.as_ref().is_none_or(|job| job == id);
        match request {
            Request::Retry(job) => {
                self.expect_job(job.as_ref())?;
                let failed = |outcome: &Outcome| !outcome.result.is_passed();
                let outcomes = self.outcomes();
                let meant = outcomes.iter().filter(|(id, o)| failed(o) && is_meant(job, id));
                Ok(meant.map(|(id, _)| id.clone()).collect())
            }
            Request::Force(ForceTarget::Job(job)) => {
                self.expect_job(Some(job))?;
                self.expect_unblocked(job)?;
                Ok(vec![job.clone()])
            }
            Request::Force(ForceTarget::All) => {
                self.expect_job(None)?;
                Ok(self.outline().map(|o| o.jobs.keys().cloned().collect()).unwrap_or_default())
            }
            Request::Cancel(job) => {
                self.expect_job(job.as_ref())?;
                let running = self.build.iter().filter(|build| !build.superseded);
                let pending = running.flat_map(|build| &build.pending);
                Ok(pending.filter(|id| is_meant(job, id)).cloned().collect())
            }
            Request::Reseed => Ok(Vec::new()),
            Request::ApproveRun(commit) => match self.facts() {
                Some(facts) if facts.head.sha == *commit => Ok(Vec::new()),
                Some(facts) => Err(Refusal::NotTheHead {
                    asked: commit.to_string(),
                    head: facts.head.sha.clone(),
                }),
                None => Err(Refusal::NotPlanned("it has not been read".to_owned())),
            },
        }
    }

    fn expect_job(&self, job: Option<&JobId>) -> Result<(), Refusal> {
        let Some(outline) = self.outline() else {
            return Err(Refusal::NotPlanned(self.verdict().description));
        };
        match job {
            Some(job) if !outline.jobs.contains_key(job) => {
                let known: Vec<String> = outline.jobs.keys().map(ToString::to_string).collect();
                Err(Refusal::UnknownJob { job: job.clone(), known: known.join(", ") })
            }
            _ => Ok(()),
        }
    }

    fn expect_unblocked(&self, job: &JobId) -> Result<(), Refusal> {
        let Some(outline) = self.outline() else { return Ok(()) };
        let blockers = outline.blockers(job, &self.outcomes());
        if blockers.is_empty() {
            return Ok(());
        }
        let by: Vec<String> = blockers.iter().map(|id| format!("`{id}`")).collect();
        Err(Refusal::Blocked { job: job.clone(), by: by.join(", ") })
    }

    pub(super) fn note_request(&mut self, request: Request) {
        let jobs = self.consider(&request).unwrap_or_default();
        match request {
            Request::Retry(_) => self.forget(&jobs),
            Request::Force(_) => {
                self.forget(&jobs);
                self.forced.extend(jobs);
            }
            Request::ApproveRun(commit) => {
                self.approved_to_run.insert(commit);
            }
            Request::Reseed => self.reseed = true,
            // The order to the build is an event of its own.
            Request::Cancel(_) => {}
        }
    }

    /// Drops outcomes, so that their jobs are owed again.
    fn forget(&mut self, jobs: &[JobId]) {
        let Some(head) = self.facts().map(|facts| facts.head.sha.clone()) else { return };
        let Some((_, outcomes)) = self.outcomes.iter_mut().find(|(known, _)| *known == head) else {
            return;
        };
        let dropped: Vec<(JobId, Outcome)> =
            jobs.iter().filter_map(|job| outcomes.remove_entry(job)).collect();
        let running = self.build.as_ref().map(|build| build.spec.number);
        let told = dropped.into_iter().filter(|(_, outcome)| Some(outcome.build) == running);
        self.discarded.extend(told.map(|(job, outcome)| (job, outcome.attempt)));
    }
}
