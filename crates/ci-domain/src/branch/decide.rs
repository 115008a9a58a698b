//! What a branch does next, from its state alone: run after every event, and after a replay.

use std::collections::BTreeMap;

use crate::branch::{Branch, BranchEffect, BranchEvent, BranchStep};
use crate::build::{BuildSpec, JobRequest};
use crate::ids::{BuildNumber, CommitSha, JobId};
use crate::may_run::{Circumstances, Isolation, MayRun};
use crate::outline::Basis;

impl Branch {
    /// Appends to `step` what the state calls for.
    pub(super) fn decide(&mut self, step: &mut BranchStep) {
        if self.memory.gone {
            return self.decide_gone(step);
        }
        self.decide_preparation(step);
        self.decide_build(step);
    }

    /// Whether commands of the tip may run, and why not.
    #[must_use]
    pub fn may_run(&self) -> MayRun {
        MayRun::decide(Circumstances {
            head: self.head(),
            forks: self.memory.prepared.as_ref().map(|prepared| prepared.policy.forks),
            isolation: self.isolation(),
            disk: self.disk,
        })
    }

    /// What stands between its jobs and the node: what the node offers, where that is enough for the
    /// policy.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        let offered = self.config.isolation;
        self.prepared().map_or(offered, |prepared| prepared.policy.sandbox.on(offered))
    }

    /// The jobs of the tip that should run: affected or forced, not blocked, without an outcome.
    #[must_use]
    pub fn owed(&self) -> BTreeMap<JobId, JobRequest> {
        let Some(outline) = self.outline() else { return BTreeMap::new() };
        let outcomes = &self.memory.outcomes;
        let blocked = outline.blocked(outcomes);
        let is_owed = |id: &JobId| {
            let is_due = outline.is_affected(id) || self.memory.forced.contains(id);
            is_due && !outcomes.contains_key(id) && !blocked.contains(id)
        };
        let has_passed = |id: &JobId| outcomes.get(id).is_some_and(|o| o.result.is_passed());
        let owed = outline.jobs.iter().filter(|(id, _)| is_owed(id));
        owed.map(|(id, job)| {
            let needs = job.needs.iter().filter(|need| !has_passed(need)).cloned().collect();
            (id.clone(), JobRequest { needs, digest: job.digest.clone() })
        })
        .collect()
    }

    fn decide_gone(&mut self, step: &mut BranchStep) {
        match &self.memory.build {
            Some(build) if !build.superseded => self.supersede(step),
            Some(_) => {}
            None => step.effects.push(BranchEffect::Close),
        }
    }

    fn decide_preparation(&mut self, step: &mut BranchStep) {
        let Some(basis) = self.wanted_basis() else { return };
        if self.preparing.as_ref().is_some_and(|preparing| preparing.head != basis.head) {
            self.preparing = None;
        }
        let is_done = self.memory.prepared.as_ref().is_some_and(|prepared| {
            // A plan holds for its tip; what was invalid may be valid by another policy.
            self.outline().is_some() || !self.doubted && prepared.basis.policy == basis.policy
        });
        if !is_done && self.preparing.is_none() && self.trouble.is_none() {
            self.preparing = Some(basis.clone());
            step.effects.push(BranchEffect::Prepare(basis));
        }
    }

    fn wanted_basis(&self) -> Option<Basis> {
        let tip = self.memory.tip.as_ref()?;
        let queued = tip.queued.as_ref().and_then(|queued| queued.base.as_ref());
        let base = queued.or(self.memory.built.as_ref()).unwrap_or(&tip.commit);
        let (head, base, policy) = (tip.commit.clone(), base.clone(), tip.policy.clone());
        Some(Basis { head, base, policy })
    }

    fn decide_build(&mut self, step: &mut BranchStep) {
        match &self.memory.build {
            Some(build) if build.superseded => {}
            Some(build) if !self.is_tip(&build.spec.head) => self.supersede(step),
            // What the tip itself needs does not wait for what may run for hours.
            Some(build) if build.night.is_some() && !self.owed().is_empty() => self.supersede(step),
            Some(_) => {}
            None => self.start_build(step),
        }
    }

    fn start_build(&mut self, step: &mut BranchStep) {
        let Some(tip) = &self.memory.tip else { return };
        let (head, jobs) = (tip.commit.clone(), self.owed());
        if self.may_run() != MayRun::Yes {
            return;
        }
        if !jobs.is_empty() {
            let spec = self.spec(head, jobs);
            self.record(BranchEvent::BuildDecided(spec.clone()), step);
            step.effects.push(BranchEffect::StartBuild(spec));
        } else if let Some((job, request, night)) = self.next_night() {
            let spec = self.spec(head, BTreeMap::from([(job, request)]));
            self.record(BranchEvent::NightDecided(spec.clone(), night), step);
            step.effects.push(BranchEffect::StartBuild(spec));
        }
    }

    fn spec(&self, head: CommitSha, jobs: BTreeMap<JobId, JobRequest>) -> BuildSpec {
        let number = BuildNumber(self.memory.builds + 1);
        let prefix = format!("{}-b{number}", self.config.prefix);
        BuildSpec { number, merge: head.clone(), head, prefix, reseed: self.memory.reseed, jobs }
    }

    fn supersede(&mut self, step: &mut BranchStep) {
        self.record(BranchEvent::SupersedeDecided, step);
        step.effects.push(BranchEffect::Supersede);
    }

    fn record(&mut self, event: BranchEvent, step: &mut BranchStep) {
        self.fold(event.clone());
        step.record.push(event);
    }
}
