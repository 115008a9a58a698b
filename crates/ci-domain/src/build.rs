//! The state machine of one build: a set of jobs run on one merge, in the order of their needs.
//!
//! ```text
//! requested jobs ──► workspace ──► job attempts, each when its needs have passed ──► finished
//!                                     │ lost: the runner vanished ──► another attempt
//!                    superseded ──► every attempt cancelled and proven gone ──► finished
//! ```
//!
//! A blocked job keeps waiting: it has no result of its own, and goes on when its need is run again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ids::{AttemptId, BuildNumber, CommitSha, JobId};
use crate::outcome::{JobResult, Outcome};

/// Attempts at one job that may be lost before it counts as crashed. A runner is lost when it, or the
/// machine, was killed; three in a row is no accident.
const MAX_LOST: u32 = 3;

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

/// Something that happened to a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildEvent {
    /// It began. The first event of every build.
    Began(BuildSpec),
    /// The workspace holds the merge.
    WorkspaceReady,
    /// The workspace could not be made to hold the merge.
    WorkspaceFailed {
        /// Why.
        reason: String,
    },
    /// The parent gave an order.
    Ordered {
        /// The position of the order among all, from 1; one that was seen before is not taken again.
        index: u64,
        /// The order.
        order: Order,
    },
    /// An attempt was decided on; nothing runs before this is on record.
    AttemptDecided {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: AttemptId,
    },
    /// An attempt ended.
    AttemptEnded {
        /// The attempt.
        attempt: AttemptId,
        /// How it ended.
        end: AttemptEnd,
    },
    /// The build is not wanted any more.
    Superseded,
}

/// What a build is told to do while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Run more jobs, or finished ones again.
    Run(BTreeMap<JobId, JobRequest>),
    /// Cancel one job, or all.
    Cancel(Option<JobId>),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// With a result.
    Finished {
        /// The result.
        result: JobResult,
        /// How long it ran.
        duration: Duration,
    },
    /// Its runner vanished without a result.
    Lost,
}

/// What a build wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildEffect {
    /// Make the workspace hold the merge.
    PrepareWorkspace,
    /// Start or adopt the runner of an attempt.
    StartAttempt {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: AttemptId,
    },
    /// Cancel an attempt and prove that it is gone.
    CancelAttempt {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Tell the parent how a job ended.
    TellFinishedJob {
        /// The job.
        job: JobId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Tell the parent that nothing runs any more and nothing will, unless it has given an order since.
    TellFinished {
        /// How many orders had been taken by then.
        orders: u64,
    },
}

/// What to write down and then do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildStep {
    /// Events to append, the one applied first.
    pub record: Vec<BuildEvent>,
    /// What to do once they are on record.
    pub effects: Vec<BuildEffect>,
}

/// An event that does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the build does not expect this: {0}")]
pub struct UnexpectedBuildEvent(pub &'static str);

/// One build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    spec: BuildSpec,
    workspace: Workspace,
    jobs: BTreeMap<JobId, JobState>,
    attempts: u64,
    orders: u64,
    superseded: bool,
}

/// How far the workspace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Workspace {
    Wanted,
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
        Self { spec, workspace: Workspace::Wanted, jobs, attempts: 0, orders: 0, superseded: false }
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
        let is_order = matches!(step.record[0], BuildEvent::Ordered { .. });
        if is_order && self.workspace == Workspace::Wanted {
            step.effects.push(BuildEffect::PrepareWorkspace);
        }
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
        if self.workspace == Workspace::Wanted && !self.superseded {
            step.effects.push(BuildEffect::PrepareWorkspace);
        }
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

    /// Whether nothing runs and nothing can, until more is asked for.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let is_idle = !self.jobs.values().any(JobState::is_active);
        is_idle
            && (self.superseded
                || self.startable().next().is_none() && self.has_workspace_or_no_use())
    }

    fn has_workspace_or_no_use(&self) -> bool {
        self.workspace == Workspace::Ready
            || !self.jobs.iter().any(|(id, job)| job.is_waiting() && !self.is_blocked(id))
    }

    fn expect(&self, event: &BuildEvent) -> Result<(), UnexpectedBuildEvent> {
        match event {
            BuildEvent::Began(_) => Err(UnexpectedBuildEvent("it has begun already")),
            BuildEvent::AttemptEnded { attempt, .. } if self.job_of(attempt).is_none() => {
                Err(UnexpectedBuildEvent("no such attempt is under way"))
            }
            BuildEvent::Ordered { index, .. } if *index != self.orders + 1 => {
                Err(UnexpectedBuildEvent("that order was taken before"))
            }
            BuildEvent::Superseded if self.superseded => {
                Err(UnexpectedBuildEvent("it is being stopped already"))
            }
            _ => Ok(()),
        }
    }

    fn fold(&mut self, event: BuildEvent) {
        match event {
            BuildEvent::Began(_) => {}
            BuildEvent::WorkspaceReady => self.workspace = Workspace::Ready,
            BuildEvent::WorkspaceFailed { reason } => {
                self.end_waiting(|_| true, &JobResult::Crashed { reason });
            }
            BuildEvent::Ordered { order, .. } => {
                self.orders += 1;
                self.obey(order);
            }
            BuildEvent::AttemptDecided { job, attempt } => {
                self.attempts += 1;
                if let Some(state) = self.jobs.get_mut(&job) {
                    state.progress = Progress::Running(attempt);
                }
            }
            BuildEvent::AttemptEnded { attempt, end } => self.end_attempt(&attempt, end),
            BuildEvent::Superseded => {
                self.superseded = true;
                self.cancel_running(|_| true);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Run(requests) => {
                for (id, request) in requests {
                    let is_active = self.jobs.get(&id).is_some_and(JobState::is_active);
                    if !is_active {
                        self.jobs.insert(id, JobState::new(&request));
                    }
                }
            }
            Order::Cancel(job) => {
                let is_meant = |id: &JobId| job.as_ref().is_none_or(|job| job == id);
                self.end_waiting(is_meant, &JobResult::Cancelled);
                self.cancel_running(is_meant);
            }
        }
    }

    fn tell_finished(&self) -> Option<BuildEffect> {
        self.is_finished().then_some(BuildEffect::TellFinished { orders: self.orders })
    }

    fn end_attempt(&mut self, attempt: &AttemptId, end: AttemptEnd) {
        let number = self.spec.number;
        let Some(state) = self.jobs.values_mut().find(|job| job.attempt() == Some(attempt)) else {
            return;
        };
        let was_cancelled = matches!(state.progress, Progress::Cancelling(_));
        let (result, duration) = match end {
            AttemptEnd::Finished { result, duration } => (result, duration),
            AttemptEnd::Lost if was_cancelled => (JobResult::Cancelled, Duration::ZERO),
            AttemptEnd::Lost => {
                state.lost += 1;
                if state.lost < MAX_LOST {
                    state.progress = Progress::Waiting;
                    return;
                }
                let reason = format!("its runner was lost {MAX_LOST} times");
                (JobResult::Crashed { reason }, Duration::ZERO)
            }
        };
        let digest = state.request.digest.clone();
        let attempt = Some(attempt.clone());
        state.progress =
            Progress::Ended(Outcome { result, attempt, build: number, digest, duration });
    }

    fn end_waiting(&mut self, is_meant: impl Fn(&JobId) -> bool, result: &JobResult) {
        let build = self.spec.number;
        let blocked: BTreeSet<JobId> =
            self.jobs.keys().filter(|id| self.is_blocked(id)).cloned().collect();
        let meant = self
            .jobs
            .iter_mut()
            .filter(|(id, job)| job.is_waiting() && is_meant(id) && !blocked.contains(*id));
        for (_, state) in meant {
            state.progress = Progress::Ended(Outcome {
                result: result.clone(),
                attempt: None,
                build,
                digest: state.request.digest.clone(),
                duration: Duration::ZERO,
            });
        }
    }

    fn cancel_running(&mut self, is_meant: impl Fn(&JobId) -> bool) {
        for (_, state) in self.jobs.iter_mut().filter(|(id, _)| is_meant(id)) {
            if let Progress::Running(attempt) = &state.progress {
                state.progress = Progress::Cancelling(attempt.clone());
            }
        }
    }

    /// Decides on an attempt for every job that can start now.
    fn start_what_can(&mut self, step: &mut BuildStep) {
        if self.workspace == Workspace::Wanted || self.superseded {
            return;
        }
        let startable: Vec<JobId> = self.startable().cloned().collect();
        for job in startable {
            let text = format!("{}-{}", self.spec.prefix, self.attempts + 1);
            let attempt = AttemptId::new(text).expect("the prefix was made of what an id allows");
            let decided = BuildEvent::AttemptDecided { job: job.clone(), attempt: attempt.clone() };
            self.fold(decided.clone());
            step.record.push(decided);
            step.effects.push(BuildEffect::StartAttempt { job, attempt });
        }
    }

    fn startable(&self) -> impl Iterator<Item = &JobId> {
        let is_met = |need: &JobId| self.jobs.get(need).is_none_or(JobState::is_passed);
        self.jobs
            .iter()
            .filter(move |(_, job)| job.is_waiting() && job.request.needs.iter().all(is_met))
            .map(|(id, _)| id)
            .filter(|_| self.workspace == Workspace::Ready)
    }

    fn is_blocked(&self, job: &JobId) -> bool {
        let needs = self.jobs.get(job).map(|state| &state.request.needs);
        needs.into_iter().flatten().any(|need| match self.jobs.get(need).map(|job| &job.progress) {
            Some(Progress::Ended(outcome)) => !outcome.result.is_passed(),
            Some(Progress::Waiting) => self.is_blocked(need),
            _ => false,
        })
    }

    /// The results that the parent has not been told. A superseded build tells none: what was cut
    /// short says nothing about its head.
    fn tell_ended(&self, known: &BTreeSet<JobId>) -> Vec<BuildEffect> {
        let is_news = |id: &JobId, outcome: &Outcome| {
            !known.contains(id) && !(self.superseded && outcome.result == JobResult::Cancelled)
        };
        self.ended()
            .filter(|(id, outcome)| is_news(id, outcome))
            .map(|(id, outcome)| BuildEffect::TellFinishedJob {
                job: id.clone(),
                outcome: outcome.clone(),
            })
            .collect()
    }

    fn ended(&self) -> impl Iterator<Item = (&JobId, &Outcome)> {
        self.jobs.iter().filter_map(|(id, job)| match &job.progress {
            Progress::Ended(outcome) => Some((id, outcome)),
            _ => None,
        })
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
        Self { request: request.clone(), progress: Progress::Waiting, lost: 0 }
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
