//! What each recorded event makes of a pull request.

use std::collections::BTreeMap;

use crate::build::{BuildSpec, Order};
use crate::forge::PullState;
use crate::ids::{CommitSha, JobId};
use crate::outcome::Outcome;
use crate::pull::{ActiveBuild, Observation, Pull, PullEvent};

/// Heads whose outcomes are remembered, so that a head which comes back is not built again.
const REMEMBERED_HEADS: usize = 20;

impl Pull {
    pub(super) fn fold(&mut self, event: PullEvent) {
        match event {
            PullEvent::Observed(observation) => self.observe(observation),
            PullEvent::Prepared(prepared) => {
                self.preparing = None;
                self.trouble = None;
                self.doubted = false;
                self.prepared = Some(*prepared);
            }
            PullEvent::PrepareFailed { reason, .. } => {
                self.preparing = None;
                self.trouble = Some(reason);
            }
            PullEvent::BuildDecided(spec) => {
                self.builds = spec.number.0;
                self.reseed = false;
                self.build = Some(ActiveBuild::new(spec));
            }
            PullEvent::OrderDecided(order) => self.note_order(order),
            PullEvent::SupersedeDecided => {
                if let Some(build) = &mut self.build {
                    build.superseded = true;
                }
            }
            PullEvent::JobFinished { head, job, outcome } => self.note_outcome(head, job, outcome),
            PullEvent::BuildResumed { .. } => {}
            PullEvent::BuildFinished { .. } => {
                self.build = None;
                self.discarded.clear();
            }
            PullEvent::Requested { request, comment, .. } => {
                self.note_request(request);
                self.heeded.extend(comment);
            }
            PullEvent::BelongingRead(answers) => self.note_belonging(answers),
            PullEvent::Quarantined { reason } => self.give_up(reason),
            PullEvent::Lifted => self.lift(),
        }
    }

    fn observe(&mut self, observation: Observation) {
        let head = &observation.facts.head.sha;
        let is_new_head = self.facts().is_none_or(|facts| facts.head.sha != *head);
        let reopens = !self.is_open() && observation.facts.state == PullState::Open;
        if observation.preexisting {
            self.silent.insert(head.clone());
        }
        if is_new_head {
            self.forced.clear();
            self.keep_longest(head);
            if self.quarantine.is_some() {
                self.lift();
            }
        }
        if is_new_head || self.reviews() != observation.facts.reviews {
            // Whoever has left a team since must not approve by what was known before.
            self.asked.clear();
        }
        if reopens {
            // Its merge was let go of when it was closed.
            self.prepared = None;
        }
        self.trouble = None;
        self.observation = Some(observation);
    }

    /// The actors are gone, and nobody looks after the build.
    fn give_up(&mut self, reason: String) {
        self.quarantine = Some(reason);
        if let Some(build) = &mut self.build {
            build.superseded = true;
            build.abandoned = true;
        }
    }

    /// A quarantined stream may hold what made the actors crash; only what cannot be found out again
    /// is kept. A build that was running goes once it is known that nothing of it runs.
    fn lift(&mut self) {
        self.quarantine = None;
        self.prepared = None;
        self.forced.clear();
    }

    fn note_order(&mut self, order: Order) {
        let Some(build) = &mut self.build else { return };
        if let Order::Run(jobs) = &order {
            build.pending.extend(jobs.keys().cloned());
            // From now on the build may tell of another attempt that never began.
            self.discarded.retain(|(job, attempt)| attempt.is_some() || !jobs.contains_key(job));
        }
        build.orders.push(order);
    }

    fn note_outcome(&mut self, head: CommitSha, job: JobId, outcome: Outcome) {
        if let Some(build) = self.build.as_mut().filter(|b| b.spec.number == outcome.build) {
            build.pending.remove(&job);
        }
        if self.facts().is_some_and(|facts| facts.head.sha == head) {
            self.forced.remove(&job);
        }
        match self.outcomes.iter_mut().find(|(known, _)| *known == head) {
            Some((_, outcomes)) => {
                outcomes.insert(job, outcome);
            }
            None => self.outcomes.push((head, BTreeMap::from([(job, outcome)]))),
        }
        let excess = self.outcomes.len().saturating_sub(REMEMBERED_HEADS);
        self.outcomes.drain(..excess);
    }

    /// Puts what is remembered of `head` where it is forgotten last.
    fn keep_longest(&mut self, head: &CommitSha) {
        if let Some(position) = self.outcomes.iter().position(|(known, _)| known == head) {
            let of_head = self.outcomes.remove(position);
            self.outcomes.push(of_head);
        }
    }
}

impl ActiveBuild {
    fn new(spec: BuildSpec) -> Self {
        let pending = spec.jobs.keys().cloned().collect();
        Self { spec, orders: Vec::new(), superseded: false, abandoned: false, pending }
    }
}
