//! What each recorded event makes of a build.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::build::{AttemptEnd, Build, BuildEvent, JobState, Order, Progress, Workspace};
use crate::ids::{AttemptId, JobId};
use crate::outcome::{JobResult, Outcome};

/// Attempts at one job whose runner was killed before it counts as crashed: the second is no accident.
const MAX_LOST: u32 = 2;
/// Attempts at one job that were interrupted before it counts as crashed: a job that brings its machine
/// down must not do so for ever.
const MAX_INTERRUPTED: u32 = 10;

impl Build {
    pub(super) fn fold(&mut self, event: BuildEvent) {
        match event {
            BuildEvent::Began(_) => {}
            BuildEvent::WorkspaceReady => {
                self.preparing = false;
                self.workspace = Workspace::Ready;
            }
            BuildEvent::WorkspaceFailed { reason } => {
                self.preparing = false;
                self.workspace = Workspace::Failed;
                if !self.superseded {
                    self.end_waiting(|_| true, &JobResult::Crashed { reason });
                }
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
                if self.workspace == Workspace::Failed {
                    self.workspace = Workspace::Wanted;
                }
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

    fn end_attempt(&mut self, attempt: &AttemptId, end: AttemptEnd) {
        let number = self.spec.number;
        let Some(state) = self.jobs.values_mut().find(|job| job.attempt() == Some(attempt)) else {
            return;
        };
        let was_cancelled = matches!(state.progress, Progress::Cancelling(_));
        let (result, duration) = match end {
            AttemptEnd::Finished { result, duration } => (result, duration),
            AttemptEnd::Lost | AttemptEnd::Interrupted if was_cancelled => {
                (JobResult::Cancelled, Duration::ZERO)
            }
            AttemptEnd::Lost | AttemptEnd::Interrupted => match state.give_up(&end) {
                Some(reason) => (JobResult::Crashed { reason }, Duration::ZERO),
                None => {
                    state.progress = Progress::Waiting;
                    return;
                }
            },
        };
        let digest = state.request.digest.clone();
        let attempt = Some(attempt.clone());
        state.progress =
            Progress::Ended(Outcome { result, attempt, build: number, digest, duration });
    }

    /// Ends the jobs that have not begun, those that could not have begun left out.
    fn end_waiting(&mut self, is_meant: impl Fn(&JobId) -> bool, result: &JobResult) {
        let build = self.spec.number;
        let blocked: BTreeSet<JobId> = self.blocked().into_iter().cloned().collect();
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
}

impl JobState {
    /// Counts an end without a result, and says why the job is not to run again where it is not.
    fn give_up(&mut self, end: &AttemptEnd) -> Option<String> {
        let (count, most, what) = match end {
            AttemptEnd::Finished { .. } => return None,
            AttemptEnd::Lost => (&mut self.lost, MAX_LOST, "runner was killed"),
            AttemptEnd::Interrupted => {
                (&mut self.interrupted, MAX_INTERRUPTED, "machine or node went away")
            }
        };
        *count += 1;
        (*count >= most).then(|| format!("its {what} {most} times"))
    }
}
