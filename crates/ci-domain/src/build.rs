//! The state machine of one build: a set of jobs run on one merge, in the order of their needs.
//!
//! ```text
//! requested jobs ──► workspace ──► job attempts, each when its needs have passed ──► finished
//!                                     │ lost: the runner vanished ──► another attempt
//!                    superseded ──► every attempt cancelled and proven gone ──► finished
//! ```
//!
//! A blocked job keeps waiting: it has no result of its own, and goes on when its need is run again.
//!
//! The actor begins with [`Build::resume`], after a crash and the first time alike.

mod decide;
mod event;
mod fold;

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AttemptId, BuildNumber, CommitSha, JobId};
use crate::outcome::Outcome;

pub use event::{AttemptEnd, BuildEffect, BuildEvent, BuildStep, Order, UnexpectedBuildEvent};

/// What a build is made of; never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSpec {
    /// Its number.
    pub number: BuildNumber,
    /// The head that outcomes belong to.
    pub head: CommitSha,
    /// The commit whose tree is built.
    pub merge: CommitSha,
    /// The start of every attempt's id; unique to this build within the node.
    pub prefix: String,
    /// Whether the workspace is made afresh, whatever was there.
    pub reseed: bool,
    /// The jobs to run at first.
    pub jobs: BTreeMap<JobId, JobRequest>,
}

/// A job that a build is asked to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRequest {
    /// The jobs of this build that must have passed before it; needs met elsewhere are left out.
    pub needs: BTreeSet<JobId>,
    /// The digest of its inputs.
    pub digest: String,
}

/// One build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    spec: BuildSpec,
    workspace: Workspace,
    jobs: BTreeMap<JobId, JobState>,
    attempts: u64,
    orders: u64,
    superseded: bool,
    /// Whether the workspace is being prepared; not on record, a restarted build begins again.
    preparing: bool,
}

/// How far the workspace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Workspace {
    Wanted,
    /// It could not be made; a new order asks for it again.
    Failed,
    Ready,
}

/// One job of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// What was asked for.
    pub request: JobRequest,
    /// How far it is.
    pub progress: Progress,
    lost: u32,
    /// How many of its attempts were interrupted.
    interrupted: u32,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has not begun.
    Waiting,
    /// An attempt is under way.
    Running(AttemptId),
    /// An attempt is being cancelled.
    Cancelling(AttemptId),
    /// It has ended.
    Ended(Outcome),
}

impl Build {
    /// Makes the state of a build that has just begun.
    #[must_use]
    pub fn new(spec: BuildSpec) -> Self {
        let jobs =
            spec.jobs.iter().map(|(id, request)| (id.clone(), JobState::new(request))).collect();
        Self {
            spec,
            workspace: Workspace::Wanted,
            jobs,
            attempts: 0,
            orders: 0,
            superseded: false,
            preparing: false,
        }
    }

    /// Folds recorded events; `None` where they do not begin with `Began`.
    #[must_use]
    pub fn replay(events: impl IntoIterator<Item = BuildEvent>) -> Option<Self> {
        let mut events = events.into_iter();
        let Some(BuildEvent::Began(spec)) = events.next() else { return None };
        let mut build = Self::new(spec);
        events.for_each(|event| build.fold(event));
        Some(build)
    }

    /// What the build is made of.
    #[must_use]
    pub fn spec(&self) -> &BuildSpec {
        &self.spec
    }

    /// Its jobs.
    #[must_use]
    pub fn jobs(&self) -> &BTreeMap<JobId, JobState> {
        &self.jobs
    }

    /// Applies `event` and decides what follows.
    ///
    /// # Errors
    /// An event that does not fit the state changes nothing.
    pub fn apply(&mut self, event: BuildEvent) -> Result<BuildStep, UnexpectedBuildEvent> {
        self.expect(&event)?;
        let mut step = BuildStep { record: vec![event.clone()], effects: Vec::new() };
        let ended_before: BTreeSet<JobId> = self.ended().map(|(id, _)| id.clone()).collect();
        let cancelling_before: BTreeSet<AttemptId> = self.cancelling().cloned().collect();
        self.fold(event);
        step.effects.extend(self.tell_ended(&ended_before));
        self.prepare_workspace(&mut step);
        let cancelled = self.cancelling().filter(|attempt| !cancelling_before.contains(*attempt));
        step.effects.extend(cancelled.map(|a| BuildEffect::CancelAttempt { attempt: a.clone() }));
        self.start_what_can(&mut step);
        step.effects.extend(self.tell_finished());
        Ok(step)
    }

    /// What is still owed after a replay: every effect whose end is not on record.
    #[must_use]
    pub fn resume(&mut self) -> BuildStep {
        let mut step = BuildStep::default();
        step.effects.push(BuildEffect::TellResumed { orders: self.orders });
        self.preparing = false;
        self.prepare_workspace(&mut step);
        for (job, state) in &self.jobs {
            let (attempt, is_cancelled) = match &state.progress {
                Progress::Running(attempt) => (attempt, false),
                Progress::Cancelling(attempt) => (attempt, true),
                Progress::Waiting | Progress::Ended(_) => continue,
            };
            step.effects
                .push(BuildEffect::StartAttempt { job: job.clone(), attempt: attempt.clone() });
            if is_cancelled {
                step.effects.push(BuildEffect::CancelAttempt { attempt: attempt.clone() });
            }
        }
        step.effects.extend(self.tell_ended(&BTreeSet::new()));
        self.start_what_can(&mut step);
        step.effects.extend(self.tell_finished());
        step
    }

    fn expect(&self, event: &BuildEvent) -> Result<(), UnexpectedBuildEvent> {
        match event {
            BuildEvent::Began(_) => Err(UnexpectedBuildEvent("it has begun already")),
            BuildEvent::AttemptDecided { .. } => {
                Err(UnexpectedBuildEvent("only the machine itself decides this"))
            }
            BuildEvent::WorkspaceReady | BuildEvent::WorkspaceFailed { .. } if !self.preparing => {
                Err(UnexpectedBuildEvent("no workspace is being prepared"))
            }
            BuildEvent::AttemptEnded { attempt, .. } if self.job_of(attempt).is_none() => {
                Err(UnexpectedBuildEvent("no such attempt is under way"))
            }
            BuildEvent::Ordered { index, .. } if *index != self.orders + 1 => {
                Err(UnexpectedBuildEvent("that order is not the next one"))
            }
            BuildEvent::Superseded if self.superseded => {
                Err(UnexpectedBuildEvent("it is being stopped already"))
            }
            _ => Ok(()),
        }
    }

    fn cancelling(&self) -> impl Iterator<Item = &AttemptId> {
        self.jobs.values().filter_map(|job| match &job.progress {
            Progress::Cancelling(attempt) => Some(attempt),
            _ => None,
        })
    }

    fn job_of(&self, attempt: &AttemptId) -> Option<&JobState> {
        self.jobs.values().find(|job| job.attempt() == Some(attempt))
    }
}

impl JobState {
    fn new(request: &JobRequest) -> Self {
        Self { request: request.clone(), progress: Progress::Waiting, lost: 0, interrupted: 0 }
    }

    /// The attempt under way.
    #[must_use]
    pub fn attempt(&self) -> Option<&AttemptId> {
        match &self.progress {
            Progress::Running(attempt) | Progress::Cancelling(attempt) => Some(attempt),
            Progress::Waiting | Progress::Ended(_) => None,
        }
    }

    fn is_active(&self) -> bool {
        self.attempt().is_some()
    }

    fn is_waiting(&self) -> bool {
        self.progress == Progress::Waiting
    }

    fn is_passed(&self) -> bool {
        matches!(&self.progress, Progress::Ended(outcome) if outcome.result.is_passed())
    }
}

#[cfg(test)]
mod tests;
