//! What each recorded event makes of a branch.

use std::collections::BTreeSet;

use crate::branch::{Branch, BranchBuild, BranchEvent, Night, NightRun, Tip};
use crate::build::BuildSpec;
use crate::ids::{CommitSha, JobId};
use crate::outcome::{JobResult, Outcome};

impl Branch {
    pub(super) fn fold(&mut self, event: BranchEvent) {
        match event {
            BranchEvent::Observed(tip) => self.observe(tip),
            BranchEvent::Gone => {
                self.forget();
                self.memory.gone = true;
            }
            BranchEvent::Prepared(prepared) => {
                self.preparing = None;
                self.trouble = None;
                self.doubted = false;
                self.memory.prepared = Some(*prepared);
                if self.outline().is_some() && self.owed().is_empty() {
                    self.note_built();
                }
            }
            BranchEvent::PrepareFailed { reason, .. } => {
                self.preparing = None;
                self.trouble = Some(reason);
            }
            BranchEvent::BuildDecided(spec) => {
                self.memory.builds = spec.number.0;
                self.memory.reseed = false;
                self.memory.build = Some(BranchBuild::new(spec, None));
            }
            BranchEvent::NightDecided(spec, night) => {
                self.memory.builds = spec.number.0;
                self.memory.reseed = false;
                self.memory.build = Some(BranchBuild::new(spec, Some(night)));
            }
            BranchEvent::SupersedeDecided => {
                if let Some(build) = &mut self.memory.build {
                    build.superseded = true;
                }
            }
            BranchEvent::JobFinished { head, job, outcome } => self.finish(head, job, outcome),
            BranchEvent::BuildResumed(_) => {}
            BranchEvent::BuildFinished(_) => {
                let finished = self.memory.build.take();
                let finished = finished.filter(|build| !build.superseded && build.night.is_none());
                if finished.is_some_and(|build| self.is_tip(&build.spec.head)) {
                    self.note_built();
                }
            }
            BranchEvent::Forced { jobs, .. } => self.force(jobs),
            BranchEvent::Reseed { .. } => self.memory.reseed = true,
            BranchEvent::NightForced { jobs, by } => {
                let forced = jobs.into_iter().map(|job| (job, by.clone()));
                self.memory.nights.forced.extend(forced);
            }
            BranchEvent::GivenUp => {
                self.forget();
                self.memory.nights.forced.clear();
                if let Some(build) = &mut self.memory.build {
                    build.superseded = true;
                    build.abandoned = true;
                }
            }
        }
    }

    /// A nightly job has run, whatever the tip is now; the tip's own jobs say nothing of another one.
    fn finish(&mut self, head: CommitSha, job: JobId, outcome: Outcome) {
        let night = self.memory.build.as_ref().and_then(|build| build.night.clone());
        match night.filter(|_| self.is_nightly(&job)) {
            Some(night) => {
                self.memory.nights.note(job, NightRun { night, commit: head, outcome });
            }
            None if self.is_tip(&head) => {
                self.memory.forced.remove(&job);
                self.memory.outcomes.insert(job, outcome);
            }
            None => {}
        }
    }

    fn observe(&mut self, mut tip: Tip) {
        self.trouble = None;
        self.memory.gone = false;
        match &self.memory.tip {
            Some(known) if known.commit == tip.commit => {
                tip.preexisting |= known.preexisting;
                // What it was compared with, and once known to be the repository's own, it stays.
                if known.is_own() || !tip.is_own() {
                    tip.queued.clone_from(&known.queued);
                }
            }
            _ => {
                self.memory.prepared = None;
                self.memory.outcomes.clear();
                self.memory.forced.clear();
            }
        }
        self.memory.tip = Some(tip);
    }

    /// Keeps only what cannot be found out again.
    fn forget(&mut self) {
        self.memory.prepared = None;
        self.memory.outcomes.clear();
        self.memory.forced.clear();
        self.memory.built = None;
    }

    /// A tip is built when each of its jobs has said something about it; else the next push builds what
    /// this one did not.
    fn note_built(&mut self) {
        let says_nothing =
            |result: &JobResult| matches!(result, JobResult::Crashed { .. } | JobResult::Cancelled);
        if !self.memory.outcomes.values().any(|outcome| says_nothing(&outcome.result)) {
            self.memory.built = self.tip_commit();
        }
    }

    /// What the running build has not told the end of runs anyway.
    fn force(&mut self, jobs: BTreeSet<JobId>) {
        let tip = self.tip_commit();
        let of_tip = |build: &&mut BranchBuild| Some(&build.spec.head) == tip.as_ref();
        let mut build = self.memory.build.as_mut().filter(of_tip).filter(|build| !build.superseded);
        for job in jobs {
            let has_ended = self.memory.outcomes.remove(&job).is_some();
            match &mut build {
                Some(build) if build.spec.jobs.contains_key(&job) => {
                    if has_ended {
                        build.stale.insert(job.clone());
                        self.memory.forced.insert(job);
                    }
                }
                _ => {
                    self.memory.forced.insert(job);
                }
            }
        }
    }

    fn tip_commit(&self) -> Option<CommitSha> {
        self.memory.tip.as_ref().map(|tip| tip.commit.clone())
    }
}

impl BranchBuild {
    fn new(spec: BuildSpec, night: Option<Night>) -> Self {
        Self { spec, superseded: false, abandoned: false, stale: BTreeSet::new(), night }
    }
}
