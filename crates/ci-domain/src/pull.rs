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
//! folds to the same state whatever a later version would decide.

mod decide;
mod request;

use std::collections::{BTreeMap, BTreeSet};

use crate::build::{BuildSpec, Order};
use crate::forge::{PullFacts, PullState, ReviewState};
use crate::ids::{AttemptId, BuildNumber, CommitSha, JobId, Login, PullNumber, RepoName};
use crate::may_run::{Disk, Isolation};
use crate::outcome::Outcome;
use crate::outline::{Basis, Outline, Preparation, Prepared};
use crate::policy::{Policy, StaleApprovals};

pub use request::{Refusal, Request};

/// Heads whose outcomes are remembered, so that a head which comes back is not built again.
const REMEMBERED_HEADS: usize = 20;

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

/// Something that happened to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullEvent {
    /// The forge was read.
    Observed(Observation),
    /// Head and base were merged and planned.
    Prepared(Box<Prepared>),
    /// They could not be; nothing is known about why it would not work the next time.
    PrepareFailed {
        /// What went wrong.
        reason: String,
    },
    /// A build was decided on.
    BuildDecided(BuildSpec),
    /// An order to the running build was decided on.
    OrderDecided(Order),
    /// The running build is not wanted any more.
    SupersedeDecided,
    /// A job of a build ended.
    JobFinished {
        /// The head it was run for.
        head: CommitSha,
        /// The job.
        job: JobId,
        /// How it ended.
        outcome: Outcome,
    },
    /// A build has nothing left to do.
    BuildFinished {
        /// The build.
        build: BuildNumber,
        /// How many orders it had taken by then.
        orders: u64,
    },
    /// Somebody asked for something.
    Requested {
        /// What.
        request: Request,
        /// Who.
        by: Login,
    },
    /// Its actors crashed too often and were given up.
    Quarantined {
        /// The reason of the last crash.
        reason: String,
    },
    /// The quarantine was lifted.
    Lifted,
}

/// What was seen of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What the forge says.
    pub facts: PullFacts,
    /// The tip of the default branch, where the policy comes from.
    pub policy: CommitSha,
    /// Whether this head was there before the node first saw the repository: nothing is said about it
    /// in comments.
    pub preexisting: bool,
}

/// What a pull request wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullEffect {
    /// Merge and plan.
    Prepare(Basis),
    /// Start a build, or one that was started before the actor did.
    StartBuild(BuildSpec),
    /// Give the running build an order; one it has taken is not taken again.
    Order {
        /// Its position among the build's orders, from 1.
        index: u64,
        /// The order.
        order: Order,
    },
    /// Tell the running build to stop.
    Supersede,
    /// End the actors of a finished build.
    EndBuild(BuildNumber),
    /// Free the workspace and end: the pull request is closed.
    Close,
}

/// What to write down and then do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullStep {
    /// Events to append, the one applied first; empty where nothing changed.
    pub record: Vec<PullEvent>,
    /// What to do once they are on record.
    pub effects: Vec<PullEffect>,
}

/// An event that does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pull request does not expect this: {0}")]
pub struct UnexpectedPullEvent(pub &'static str);

/// One pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    config: PullConfig,
    observation: Option<Observation>,
    /// Heads that no comment is made on.
    silent: BTreeSet<CommitSha>,
    prepared: Option<Prepared>,
    outcomes: Vec<(CommitSha, BTreeMap<JobId, Outcome>)>,
    /// Attempts whose outcome somebody asked to forget; a build may tell of them again.
    discarded: BTreeSet<AttemptId>,
    forced: BTreeSet<JobId>,
    approved_to_run: BTreeSet<CommitSha>,
    build: Option<ActiveBuild>,
    builds: u64,
    quarantine: Option<String>,
    /// What is being prepared; not on record, a restarted machine asks again.
    preparing: Option<Basis>,
    /// Why the last preparation did not work; not on record.
    trouble: Option<String>,
    /// A cancellation that was asked for and has not become an order; not on record.
    wanted_cancel: Option<Order>,
    /// Whether there is room to work; not on record.
    disk: Disk,
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
            build: None,
            builds: 0,
            quarantine: None,
            preparing: None,
            trouble: None,
            wanted_cancel: None,
            disk: Disk::Ok,
        }
    }

    /// Folds a recorded event.
    pub fn replay(&mut self, event: PullEvent) {
        self.fold(event);
        self.preparing = None;
        self.trouble = None;
        self.wanted_cancel = None;
    }

    /// Applies `event` and decides what follows.
    ///
    /// # Errors
    /// An event that does not fit the state changes nothing.
    pub fn apply(&mut self, event: PullEvent) -> Result<PullStep, UnexpectedPullEvent> {
        self.expect(&event)?;
        let mut step = PullStep::default();
        if self.is_news(&event) {
            step.effects.extend(self.ended_build(&event));
            if event.is_recorded() {
                step.record.push(event.clone());
            }
            self.fold(event);
        }
        self.decide(&mut step);
        Ok(step)
    }

    /// What is still owed after a replay: every effect whose end is not on record.
    #[must_use]
    pub fn resume(&mut self) -> PullStep {
        let mut step = PullStep::default();
        if let Some(build) = self.build.as_ref().filter(|_| self.quarantine.is_none()) {
            step.effects.push(PullEffect::StartBuild(build.spec.clone()));
            let orders = (1..).zip(&build.orders);
            step.effects.extend(
                orders.map(|(index, order)| PullEffect::Order { index, order: order.clone() }),
            );
            step.effects.extend(build.superseded.then_some(PullEffect::Supersede));
        }
        self.preparing = None;
        self.decide(&mut step);
        step
    }

    /// What the machine knows of its surroundings.
    #[must_use]
    pub fn config(&self) -> &PullConfig {
        &self.config
    }

    /// What the forge said last.
    #[must_use]
    pub fn facts(&self) -> Option<&PullFacts> {
        self.observation.as_ref().map(|observation| &observation.facts)
    }

    /// What came of preparing the present head; older preparations say nothing about it.
    #[must_use]
    pub fn prepared(&self) -> Option<&Prepared> {
        let head = &self.facts()?.head.sha;
        self.prepared.as_ref().filter(|prepared| prepared.basis.head == *head)
    }

    /// The jobs of the present head's merge.
    #[must_use]
    pub fn outline(&self) -> Option<&Outline> {
        match &self.prepared()?.result {
            Preparation::Planned { outline, .. } => Some(outline),
            _ => None,
        }
    }

    /// The policy that holds; the default one before anything was prepared.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.prepared.as_ref().map(|prepared| prepared.policy.clone()).unwrap_or_default()
    }

    /// The outcomes that count for the present head.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<JobId, Outcome> {
        let Some(facts) = self.facts() else { return BTreeMap::new() };
        let of_head = self.outcomes.iter().find(|(head, _)| *head == facts.head.sha);
        let Some((_, outcomes)) = of_head else { return BTreeMap::new() };
        let counts = |id: &JobId, outcome: &Outcome| match self.outline() {
            Some(outline) if self.policy().base_moved == crate::policy::BaseMoved::Rerun => {
                outline.jobs.get(id).is_none_or(|job| job.digest == outcome.digest)
            }
            _ => true,
        };
        let counting = outcomes.iter().filter(|(id, outcome)| counts(id, outcome));
        counting.map(|(id, outcome)| (id.clone(), outcome.clone())).collect()
    }

    /// The build that runs.
    #[must_use]
    pub fn build(&self) -> Option<&ActiveBuild> {
        self.build.as_ref()
    }

    /// Why its actors were given up, where they were.
    #[must_use]
    pub fn quarantine(&self) -> Option<&str> {
        self.quarantine.as_deref()
    }

    /// Why the last preparation did not work.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether nothing may be said in comments about the present head.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.facts().is_some_and(|facts| self.silent.contains(&facts.head.sha))
    }

    /// The distinct people with write access whose latest decisive review approves.
    #[must_use]
    pub fn approvers(&self) -> BTreeSet<Login> {
        let Some(facts) = self.facts() else { return BTreeSet::new() };
        let must_match = self.policy().mergeable.stale_approvals == StaleApprovals::Dismiss;
        let of_head = |commit: &Option<CommitSha>| commit.as_ref() == Some(&facts.head.sha);
        self.decisive_reviews()
            .into_iter()
            .filter(|(_, review)| review.state == ReviewState::Approved)
            .filter(|(_, review)| !must_match || of_head(&review.commit))
            .map(|(login, _)| login.clone())
            .collect()
    }

    /// The people with write access whose latest decisive review asks for changes.
    #[must_use]
    pub fn objectors(&self) -> BTreeSet<Login> {
        self.decisive_reviews()
            .into_iter()
            .filter(|(_, review)| review.state == ReviewState::ChangesRequested)
            .map(|(login, _)| login.clone())
            .collect()
    }

    /// Whether enough people approve and nobody who counts asks for changes.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        let rule = self.policy().mergeable;
        let wanted = usize::try_from(rule.approvals).unwrap_or(usize::MAX);
        let is_held = rule.block_on_changes_requested && !self.objectors().is_empty();
        self.approvers().len() >= wanted && !is_held
    }

    /// Whether somebody with write access has approved the present head to run.
    #[must_use]
    pub fn is_approved_to_run(&self) -> bool {
        let Some(facts) = self.facts() else { return false };
        let head = &facts.head.sha;
        let names_head = |review: &crate::forge::Review| {
            review.writer
                && review.state == ReviewState::Approved
                && review.commit.as_ref() == Some(head)
        };
        self.approved_to_run.contains(head) || facts.reviews.iter().any(names_head)
    }

    /// Whether it is open, as far as is known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.facts().is_none_or(|facts| facts.state == PullState::Open)
    }

    /// Whether the job runs only because somebody forced it.
    #[must_use]
    pub fn is_forced(&self, job: &JobId) -> bool {
        self.forced.contains(job)
    }

    /// The latest decisive review of each person with write access, the author's own left out.
    fn decisive_reviews(&self) -> BTreeMap<&Login, &crate::forge::Review> {
        let mut latest = BTreeMap::new();
        let Some(facts) = self.facts() else { return latest };
        for review in &facts.reviews {
            let is_decisive = matches!(
                review.state,
                ReviewState::Approved | ReviewState::ChangesRequested | ReviewState::Dismissed
            );
            if is_decisive && review.writer && review.author != facts.author {
                latest.insert(&review.author, review);
            }
        }
        latest
    }

    fn expect(&self, event: &PullEvent) -> Result<(), UnexpectedPullEvent> {
        match event {
            PullEvent::BuildDecided(_)
            | PullEvent::OrderDecided(_)
            | PullEvent::SupersedeDecided => {
                Err(UnexpectedPullEvent("only the machine itself decides this"))
            }
            PullEvent::Prepared(prepared) if self.preparing.as_ref() != Some(&prepared.basis) => {
                Err(UnexpectedPullEvent("this basis is not wanted any more"))
            }
            PullEvent::BuildFinished { build, orders } => match &self.build {
                Some(active) if active.spec.number != *build => {
                    Err(UnexpectedPullEvent("another build is running"))
                }
                Some(active) if active.orders.len() as u64 != *orders => {
                    Err(UnexpectedPullEvent("it has been given an order since"))
                }
                None => Err(UnexpectedPullEvent("no build is running")),
                Some(_) => Ok(()),
            },
            PullEvent::JobFinished { outcome, .. }
                if outcome.attempt.as_ref().is_some_and(|id| self.discarded.contains(id)) =>
            {
                Err(UnexpectedPullEvent("its outcome was discarded"))
            }
            _ => Ok(()),
        }
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
            _ => true,
        }
    }

    fn ended_build(&self, event: &PullEvent) -> Option<PullEffect> {
        match event {
            PullEvent::BuildFinished { build, .. } => Some(PullEffect::EndBuild(*build)),
            _ => None,
        }
    }

    fn fold(&mut self, event: PullEvent) {
        match event {
            PullEvent::Observed(observation) => self.observe(observation),
            PullEvent::Prepared(prepared) => {
                self.preparing = None;
                self.trouble = None;
                self.prepared = Some(*prepared);
            }
            PullEvent::PrepareFailed { reason } => {
                self.preparing = None;
                self.trouble = Some(reason);
            }
            PullEvent::BuildDecided(spec) => {
                self.builds = spec.number.0;
                let pending = spec.jobs.keys().cloned().collect();
                self.build =
                    Some(ActiveBuild { spec, orders: Vec::new(), superseded: false, pending });
            }
            PullEvent::OrderDecided(order) => self.note_order(order),
            PullEvent::SupersedeDecided => {
                if let Some(build) = &mut self.build {
                    build.superseded = true;
                }
            }
            PullEvent::JobFinished { head, job, outcome } => self.note_outcome(head, job, outcome),
            PullEvent::BuildFinished { .. } => self.build = None,
            PullEvent::Requested { request, .. } => self.note_request(request),
            PullEvent::Quarantined { reason } => self.quarantine = Some(reason),
            PullEvent::Lifted => self.lift(),
        }
    }

    fn observe(&mut self, observation: Observation) {
        let head = &observation.facts.head.sha;
        let is_new_head = self.facts().is_none_or(|facts| facts.head.sha != *head);
        if observation.preexisting {
            self.silent.insert(head.clone());
        }
        if is_new_head {
            self.forced.clear();
            if self.quarantine.is_some() {
                self.lift();
            }
        }
        self.trouble = None;
        self.observation = Some(observation);
    }

    /// A quarantined stream may hold what made the actors crash; only what cannot be found out again
    /// is kept.
    fn lift(&mut self) {
        self.quarantine = None;
        self.prepared = None;
        self.build = None;
        self.forced.clear();
    }

    fn note_order(&mut self, order: Order) {
        let Some(build) = &mut self.build else { return };
        if let Order::Run(jobs) = &order {
            build.pending.extend(jobs.keys().cloned());
        }
        build.orders.push(order);
    }

    fn note_outcome(&mut self, head: CommitSha, job: JobId, outcome: Outcome) {
        if let Some(build) = self.build.as_mut().filter(|build| build.spec.head == head) {
            build.pending.remove(&job);
        }
        self.forced.remove(&job);
        match self.outcomes.iter_mut().find(|(known, _)| *known == head) {
            Some((_, outcomes)) => {
                outcomes.insert(job, outcome);
            }
            None => self.outcomes.push((head, BTreeMap::from([(job, outcome)]))),
        }
        let excess = self.outcomes.len().saturating_sub(REMEMBERED_HEADS);
        self.outcomes.drain(..excess);
    }
}

impl PullEvent {
    /// Whether a restarted machine must know of it.
    fn is_recorded(&self) -> bool {
        !matches!(self, Self::PrepareFailed { .. })
    }
}

#[cfg(test)]
mod tests;
