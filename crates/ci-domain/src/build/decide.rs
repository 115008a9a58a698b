//! What a build does next, from its state alone: run after every event, and after a replay.

use std::collections::BTreeSet;

use crate::build::{Build, BuildEffect, BuildEvent, BuildStep, JobState, Progress, Workspace};
use crate::ids::{AttemptId, JobId};
use crate::outcome::{JobResult, Outcome};
use crate::outline::jobs_behind;

impl Build {
    /// Whether nothing runs and nothing can, until more is asked for.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let is_idle = !self.preparing && !self.jobs.values().any(JobState::is_active);
        is_idle && (self.superseded || !self.has_work())
    }

    /// Whether a job waits for nothing but the workspace, or for a job that does.
    fn has_work(&self) -> bool {
        match self.workspace {
            Workspace::Ready => self.startable().next().is_some(),
            Workspace::Wanted | Workspace::Failed => {
                let blocked = self.blocked();
                self.jobs.iter().any(|(id, job)| job.is_waiting() && !blocked.contains(id))
            }
        }
    }

    /// Asks for the workspace where it is wanted and nobody is at it.
    pub(super) fn prepare_workspace(&mut self, step: &mut BuildStep) {
        if self.workspace == Workspace::Wanted && !self.superseded && !self.preparing {
            self.preparing = true;
            step.effects.push(BuildEffect::PrepareWorkspace);
        }
    }

    /// Decides on an attempt for every job that can start now.
    pub(super) fn start_what_can(&mut self, step: &mut BuildStep) {
        if self.workspace != Workspace::Ready || self.superseded {
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
    }

    /// The jobs that cannot begin because a need, near or far, ended other than passed.
    pub(super) fn blocked(&self) -> BTreeSet<&JobId> {
        let needs = self.jobs.iter().map(|(id, job)| (id, &job.request.needs));
        let failed = self.ended().filter(|(_, outcome)| !outcome.result.is_passed());
        let is_waiting = |id: &JobId| self.jobs.get(id).is_some_and(JobState::is_waiting);
        jobs_behind(needs, failed.map(|(id, _)| id), is_waiting)
    }

    /// The results that the parent has not been told. A superseded build tells of no cancellation: what
    /// was cut short says nothing about its head.
    pub(super) fn tell_ended(&self, known: &BTreeSet<JobId>) -> Vec<BuildEffect> {
        let is_cut_short =
            |outcome: &Outcome| self.superseded && outcome.result == JobResult::Cancelled;
        self.ended()
            .filter(|(id, outcome)| !known.contains(id) && !is_cut_short(outcome))
            .map(|(id, outcome)| BuildEffect::TellFinishedJob {
                job: id.clone(),
                outcome: outcome.clone(),
            })
            .collect()
    }

    pub(super) fn tell_finished(&self) -> Option<BuildEffect> {
        self.is_finished().then_some(BuildEffect::TellFinished { orders: self.orders })
    }

    pub(super) fn ended(&self) -> impl Iterator<Item = (&JobId, &Outcome)> {
        self.jobs.iter().filter_map(|(id, job)| match &job.progress {
            Progress::Ended(outcome) => Some((id, outcome)),
            _ => None,
        })
    }
}
