//! What a pull request does next, from its state alone: run after every event, and after a replay.

use std::collections::{BTreeMap, BTreeSet};

use crate::build::{BuildSpec, JobRequest, Order};
use crate::ids::{BuildNumber, CommitSha, JobId};
use crate::may_run::{Disk, Isolation, MayRun, Reason};
use crate::origin::Origin;
use crate::outline::{Basis, Outline, OutlineJob, jobs_behind};
use crate::pipeline::When;
use crate::pull::{Pull, PullEffect, PullEvent, PullStep};

impl Pull {
    /// Appends to `step` what the state calls for.
    pub(super) fn decide(&mut self, step: &mut PullStep) {
        if self.observation.is_none() {
            return;
        }
        if !self.is_open() {
            return self.decide_closed(step);
        }
        if self.quarantine.is_none() {
            self.decide_preparation(step);
            self.decide_questions(step);
            self.decide_build(step);
        }
    }

    /// Whether commands of the present head may run, and why not.
    #[must_use]
    pub fn may_run(&self) -> MayRun {
        match self.facts() {
            Some(facts) => self.may_run_commit(&facts.head.sha),
            None => MayRun::No(Reason::PolicyUnknown),
        }
    }

    fn may_run_commit(&self, commit: &CommitSha) -> MayRun {
        Origin::pull(self, commit).may_run(self.config.isolation, self.disk)
    }

    /// What stands between its jobs and the node: what the node offers, where that is enough for the
    /// policy.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        let offered = self.config.isolation;
        self.prepared.as_ref().map_or(offered, |prepared| prepared.policy.sandbox.on(offered))
    }

    /// Tries again what did not work: a preparation, a question to the forge.
    #[must_use]
    pub fn retry_preparation(&mut self) -> PullStep {
        self.trouble = None;
        self.asked.clear();
        let mut step = PullStep::default();
        self.decide(&mut step);
        step
    }

    /// Takes note of the room on the disk, which is not on record.
    #[must_use]
    pub fn note_disk(&mut self, disk: Disk) -> PullStep {
        self.disk = disk;
        let mut step = PullStep::default();
        self.decide(&mut step);
        step
    }

    fn decide_closed(&mut self, step: &mut PullStep) {
        match &self.build {
            Some(build) if !build.superseded => self.supersede(step),
            Some(_) => {}
            None => step.effects.push(PullEffect::Close),
        }
    }

    /// Asks for one preparation of a head at a time: were each asked for that a moving base calls for,
    /// none might be wanted any more by the time it is done.
    fn decide_preparation(&mut self, step: &mut PullStep) {
        let Some(basis) = self.wanted_basis() else { return };
        if self.preparing.as_ref().is_some_and(|preparing| preparing.head != basis.head) {
            self.preparing = None;
        }
        let is_done =
            !self.doubted && self.prepared.as_ref().is_some_and(|made| made.basis == basis);
        if !is_done && self.preparing.is_none() && self.trouble.is_none() {
            self.preparing = Some(basis.clone());
            step.effects.push(PullEffect::Prepare(basis));
        }
    }

    /// The commits that a preparation must be made from; none while the base branch is gone.
    #[must_use]
    pub fn wanted_basis(&self) -> Option<Basis> {
        let observation = self.observation.as_ref()?;
        Some(Basis {
            head: observation.facts.head.sha.clone(),
            base: observation.facts.base_sha.clone()?,
            policy: observation.policy.clone(),
        })
    }

    fn decide_build(&mut self, step: &mut PullStep) {
        let head = self.facts().map(|facts| &facts.head.sha);
        match &self.build {
            Some(build) if build.superseded => {}
            Some(build) if Some(&build.spec.head) != head => self.supersede(step),
            Some(build) if self.may_run_commit(&build.spec.head).is_distrust() => {
                self.supersede(step);
            }
            Some(_) => self.extend_build(step),
            None => self.start_build(step),
        }
    }

    /// Orders what is owed from the running build, where that is at work on the same merge and in a
    /// workspace that will do. Else it waits for the next build: an outcome speaks of one tree only.
    fn extend_build(&mut self, step: &mut PullStep) {
        let Some((merge, _)) = self.planned() else { return };
        let is_same_merge = self.build.as_ref().is_some_and(|build| build.spec.merge == *merge);
        if !is_same_merge || self.reseed || self.may_run() != MayRun::Yes {
            return;
        }
        let owed = self.owed();
        if !owed.is_empty() {
            self.give(Order::Run(owed), step);
        }
    }

    fn start_build(&mut self, step: &mut PullStep) {
        let Some((merge, _)) = self.planned() else { return };
        let (merge, jobs) = (merge.clone(), self.owed());
        if jobs.is_empty() || self.may_run() != MayRun::Yes {
            return;
        }
        let Some(head) = self.facts().map(|facts| facts.head.sha.clone()) else { return };
        let number = BuildNumber(self.builds + 1);
        let prefix = format!("{}-b{number}", self.config.prefix);
        let spec = BuildSpec { number, head, merge, prefix, reseed: self.reseed, jobs };
        self.record(PullEvent::BuildDecided(spec.clone()), step);
        step.effects.push(PullEffect::StartBuild(spec));
    }

    /// The jobs that should run and that no build has: planned, not blocked, without an outcome.
    #[must_use]
    pub fn owed(&self) -> BTreeMap<JobId, JobRequest> {
        let Some(outline) = self.outline() else { return BTreeMap::new() };
        let outcomes = self.outcomes();
        let blocked = outline.blocked(&outcomes);
        let in_build = |id: &JobId| self.build.as_ref().is_some_and(|b| b.pending.contains(id));
        let is_open = |id: &JobId| !outcomes.contains_key(id) && !blocked.contains(id);
        let due: BTreeSet<&JobId> =
            self.due(outline).filter(|id| is_open(id) && !in_build(id)).collect();
        // A job whose need will not run either, say because it waits for approval, must not start.
        let has_passed = |id: &JobId| outcomes.get(id).is_some_and(|o| o.result.is_passed());
        let comes =
            |id: &JobId| has_passed(id) || is_open(id) && (in_build(id) || due.contains(id));
        let needs = outline.jobs.iter().map(|(id, job)| (id, &job.needs));
        let absent = outline.jobs.keys().filter(|id| !comes(id));
        let held = jobs_behind(needs, absent, |id| due.contains(id));
        let request = |id: &JobId| {
            let job = &outline.jobs[id];
            let needs = job.needs.iter().filter(|need| !has_passed(need)).cloned().collect();
            JobRequest { needs, digest: job.digest.clone() }
        };
        due.difference(&held).map(|id| ((*id).clone(), request(id))).collect()
    }

    /// The jobs that the change, the approval and people's wishes call for.
    fn due<'a>(&'a self, outline: &'a Outline) -> impl Iterator<Item = &'a JobId> {
        let is_approved = self.is_approved();
        let is_due = move |id: &JobId, job: &OutlineJob| {
            let has_come = job.when == When::Always || is_approved;
            self.forced.contains(id) || outline.is_affected(id) && has_come
        };
        outline.jobs.iter().filter(move |(id, job)| is_due(id, job)).map(|(id, _)| id)
    }

    pub(super) fn give(&mut self, order: Order, step: &mut PullStep) {
        self.record(PullEvent::OrderDecided(order.clone()), step);
        let index = self.build.as_ref().map_or(0, |build| build.orders.len() as u64);
        step.effects.push(PullEffect::Order { index, order });
    }

    fn supersede(&mut self, step: &mut PullStep) {
        self.record(PullEvent::SupersedeDecided, step);
        step.effects.push(PullEffect::Supersede);
    }

    fn record(&mut self, event: PullEvent, step: &mut PullStep) {
        self.fold(event.clone());
        step.record.push(event);
    }
}
