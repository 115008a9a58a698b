//! The state machine of one pull request: what is known of it, what runs for it, and what it owes.
//!
//! ```text
//! observed ──► prepare (merge, plan) ──► build ──► outcomes of the head ──► gate
//!    │ new head: the build is superseded; its commands are gone before the next build starts
//!    │ moved base: prepared again; the build goes on, outcomes stay or go as the policy says
//!    │ closed: the build is superseded, the workspace freed, and it is over
//! ```
//!
//! [`Pull::apply`] folds an event and decides; what it decides is itself an event, so that a replay
//! folds to the same state whatever a later version would decide. The actor begins with
//! [`Pull::resume`], after a crash and the first time alike.

mod decide;
mod event;
mod fold;
mod memory;
mod owners;
mod request;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use crate::build::{BuildSpec, Order};
use crate::forge::CommentId;
use crate::ids::{AttemptId, CommitSha, JobId, PullNumber, RepoName};
use crate::may_run::{Disk, Isolation};
use crate::outcome::Outcome;
use crate::outline::{Basis, Prepared};

pub use event::{Observation, PullEffect, PullEvent, PullStep, UnexpectedPullEvent};
pub use memory::Memory;
pub use owners::Question;
pub use request::{Refusal, Request};

/// What a pull request's machine must know of its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullConfig {
    /// The repository it is merged into.
    pub repo: RepoName,
    /// Its number.
    pub number: PullNumber,
    /// The start of every build's attempt ids; unique to this pull request within the node.
    pub prefix: String,
    /// How jobs are kept apart from the node.
    pub isolation: Isolation,
    /// Why they are not kept further apart, for people who wait for that.
    pub isolation_trouble: String,
}

/// One pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    config: PullConfig,
    observation: Option<Observation>,
    /// Heads that no comment is made on.
    silent: BTreeSet<CommitSha>,
    prepared: Option<Prepared>,
    outcomes: Vec<(CommitSha, BTreeMap<JobId, Outcome>)>,
    /// What somebody asked to forget of the running build, which may tell of it again.
    discarded: BTreeSet<(JobId, Option<AttemptId>)>,
    forced: BTreeSet<JobId>,
    approved_to_run: BTreeSet<CommitSha>,
    /// The comments whose requests were met.
    heeded: BTreeSet<CommentId>,
    /// Whether the next build is to begin with a fresh workspace.
    reseed: bool,
    build: Option<ActiveBuild>,
    builds: u64,
    quarantine: Option<String>,
    /// Who of the reviewers belongs to which owner, as the forge said last.
    belonging: BTreeMap<Question, bool>,
    /// What of that was asked since anything changed; not on record.
    asked: BTreeSet<Question>,
    /// What is being prepared; not on record, a restarted machine asks again.
    preparing: Option<Basis>,
    /// Why the last preparation did not work; not on record.
    trouble: Option<String>,
    /// Whether there is room to work; not on record.
    disk: Disk,
    /// Whether what was prepared may be otherwise in this life of the node; not on record.
    doubted: bool,
}

/// The build that runs for a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveBuild {
    /// What it began with.
    pub spec: BuildSpec,
    /// The orders it was given since.
    pub orders: Vec<Order>,
    /// Whether it has been told to stop.
    pub superseded: bool,
    /// Whether its actors were given up, so that it is swept away instead of told to stop.
    pub abandoned: bool,
    /// Jobs it has and has not told the end of.
    pub pending: BTreeSet<JobId>,
}

impl Pull {
    /// Makes the machine of a pull request that nothing is known of.
    #[must_use]
    pub fn new(config: PullConfig) -> Self {
        Self {
            config,
            observation: None,
            silent: BTreeSet::new(),
            prepared: None,
            outcomes: Vec::new(),
            discarded: BTreeSet::new(),
            forced: BTreeSet::new(),
            approved_to_run: BTreeSet::new(),
            heeded: BTreeSet::new(),
            reseed: false,
            build: None,
            builds: 0,
            quarantine: None,
            belonging: BTreeMap::new(),
            asked: BTreeSet::new(),
            preparing: None,
            trouble: None,
            disk: Disk::Ok,
            doubted: false,
        }
    }

    /// Folds a recorded event.
    pub fn replay(&mut self, event: PullEvent) {
        self.fold(event);
        self.preparing = None;
        self.trouble = None;
        self.asked.clear();
    }

    /// Applies `event` and decides what follows.
    ///
    /// # Errors
    /// An event that does not fit the state changes nothing.
    pub fn apply(&mut self, event: PullEvent) -> Result<PullStep, UnexpectedPullEvent> {
        self.expect(&event)?;
        let mut step = PullStep { record: Vec::new(), effects: self.answer(&event) };
        if self.is_news(&event) {
            let before = (self.is_abandoning(), self.quarantine.is_some());
            if event.is_recorded() {
                step.record.push(event.clone());
            }
            self.fold(event.clone());
            if before != (self.is_abandoning(), self.quarantine.is_some()) {
                step.effects.extend(self.abandon());
            }
            if let PullEvent::Requested { request: Request::Cancel(job), .. } = event {
                self.give(Order::Cancel(job), &mut step);
            }
        }
        self.decide(&mut step);
        Ok(step)
    }

    /// What is still owed after a replay: every effect whose end is not on record.
    #[must_use]
    pub fn resume(&mut self) -> PullStep {
        let mut step = PullStep::default();
        if let Some(build) = self.build.as_ref().filter(|build| !build.abandoned) {
            step.effects.push(PullEffect::StartBuild(build.spec.clone()));
            step.effects.extend(build.owed_after(0));
        }
        step.effects.extend(self.abandon());
        self.preparing = None;
        self.doubted = self.prepared.as_ref().is_some_and(Prepared::is_provisional);
        self.decide(&mut step);
        step
    }

    fn expect(&self, event: &PullEvent) -> Result<(), UnexpectedPullEvent> {
        let number = self.build.as_ref().map(|build| build.spec.number);
        let refusal = match event {
            PullEvent::BuildDecided(_)
            | PullEvent::OrderDecided(_)
            | PullEvent::SupersedeDecided => "only the machine itself decides this",
            PullEvent::Prepared(prepared) if self.preparing.as_ref() != Some(&prepared.basis) => {
                "this basis is not wanted any more"
            }
            PullEvent::PrepareFailed { basis, .. } if self.preparing.as_ref() != Some(basis) => {
                "this basis is not wanted any more"
            }
            PullEvent::BuildFinished { build, .. } | PullEvent::BuildResumed { build, .. }
                if number != Some(*build) =>
            {
                "that build is not running"
            }
            PullEvent::JobFinished { job, outcome, .. }
                if self.discarded.contains(&(job.clone(), outcome.attempt.clone())) =>
            {
                "its outcome was discarded"
            }
            PullEvent::Requested { comment: Some(comment), .. } if self.has_heeded(*comment) => {
                "that comment was heeded before"
            }
            PullEvent::Requested { request, .. } if self.consider(request).is_err() => {
                "the request cannot be met"
            }
            PullEvent::Lifted if self.quarantine.is_none() => "it is not quarantined",
            _ => return Ok(()),
        };
        Err(UnexpectedPullEvent(refusal))
    }

    /// Whether folding `event` would change anything.
    fn is_news(&self, event: &PullEvent) -> bool {
        match event {
            PullEvent::Observed(observation) => {
                let known = self.observation.as_ref();
                known.is_none_or(|known| {
                    known.facts != observation.facts || known.policy != observation.policy
                })
            }
            PullEvent::JobFinished { head, job, outcome } => {
                let of_head = self.outcomes.iter().find(|(known, _)| known == head);
                of_head.and_then(|(_, outcomes)| outcomes.get(job)) != Some(outcome)
            }
            PullEvent::BuildFinished { orders, .. } => self.is_over(*orders),
            PullEvent::BelongingRead(answers) => {
                answers.iter().any(|(question, is)| self.belonging.get(question) != Some(is))
            }
            PullEvent::BuildResumed { .. } => false,
            _ => true,
        }
    }

    /// Whether a build that had finished when it had taken so many orders has finished still: an order
    /// on its way, even to a build that shall stop, may have made it start something.
    fn is_over(&self, orders: u64) -> bool {
        let build = self.build.as_ref();
        build.is_some_and(|build| build.abandoned || build.orders.len() as u64 == orders)
    }

    /// What a build is to be told that has told something: it may have lost what it was told before.
    fn answer(&self, event: &PullEvent) -> Vec<PullEffect> {
        match (event, &self.build) {
            (PullEvent::BuildFinished { build, orders }, _) if self.is_over(*orders) => {
                vec![PullEffect::EndBuild(*build)]
            }
            (
                PullEvent::BuildFinished { orders, .. } | PullEvent::BuildResumed { orders, .. },
                Some(build),
            ) => build.owed_after(*orders),
            _ => Vec::new(),
        }
    }

    /// Whether a build must be swept away before anything else can be done.
    fn is_abandoning(&self) -> bool {
        let may_act = self.quarantine.is_none() || !self.is_open();
        may_act && self.build.as_ref().is_some_and(|build| build.abandoned)
    }

    fn abandon(&self) -> Option<PullEffect> {
        let build = self.build.as_ref().filter(|_| self.is_abandoning())?;
        Some(PullEffect::AbandonBuild(build.spec.number))
    }
}

impl ActiveBuild {
    /// What the build must be told that has taken so many orders.
    fn owed_after(&self, orders: u64) -> Vec<PullEffect> {
        let numbered = (1..).zip(&self.orders).filter(|(index, _)| *index > orders);
        let mut owed: Vec<PullEffect> = numbered
            .map(|(index, order)| PullEffect::Order { index, order: order.clone() })
            .collect();
        owed.extend(self.superseded.then_some(PullEffect::Supersede));
        owed
    }
}

#[cfg(test)]
mod tests;
