//! The state machine of one branch that is built on push: smaller than a pull request's, for nobody
//! approves, reviews or merges a branch.
//!
//! ```text
//! pushed ──► prepare (what changed since the tip that was built last) ──► build ──► statuses, comment
//!    │ newer push: the build is superseded; its commands are gone before the next build starts, and
//!    │             what it was to build is part of the next
//!    │ gone: the build is superseded, the workspace freed, and it is over
//! built ──► nights: one nightly job after the other, each a build of its own that a newer push supersedes
//! ```
//!
//! Like [`Pull`](crate::pull::Pull), [`Branch::apply`] folds an event and decides; what it decides is
//! itself an event. The actor begins with [`Branch::resume`], after a crash and the first time alike.

mod decide;
mod event;
mod fold;
mod night;
mod report;
mod request;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use crate::build::BuildSpec;
use crate::ids::{BranchName, BuildNumber, CommitSha, JobId, RepoName};
use crate::may_run::{Disk, Isolation};
use crate::nightly::Tonight;
use crate::outcome::Outcome;
use crate::outline::{Basis, Prepared};

pub use event::{BranchEffect, BranchEvent, BranchStep, Tip, UnexpectedBranchEvent};
pub use night::{Night, NightRun, NightStanding, Nights};
pub use request::BranchRefusal;

/// What a branch's machine must know of its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchConfig {
    /// The repository that it is in.
    pub repo: RepoName,
    /// Its name.
    pub name: BranchName,
    /// The start of every build's attempt ids; unique to this branch within the node.
    pub prefix: String,
    /// How jobs are kept apart from the node.
    pub isolation: Isolation,
    /// Why they are not kept further apart, for people who wait for that.
    pub isolation_trouble: String,
}

/// One branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    config: BranchConfig,
    memory: BranchMemory,
    /// What is being prepared; not on record, a restarted machine asks again.
    preparing: Option<Basis>,
    /// Why the last preparation did not work; not on record.
    trouble: Option<String>,
    /// Whether there is room to work; not on record.
    disk: Disk,
    /// Which night it is; not on record, and not known before it is told.
    tonight: Option<Tonight>,
    /// Whether what was prepared may be otherwise in this life of the node; not on record.
    doubted: bool,
}

/// All that a replay would find, as one value: a long stream is folded into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BranchMemory {
    /// What was seen last.
    pub tip: Option<Tip>,
    /// Whether the branch is gone, or is built no longer.
    pub gone: bool,
    /// What came of preparing the tip.
    pub prepared: Option<Prepared>,
    /// How the tip's jobs ended.
    pub outcomes: BTreeMap<JobId, Outcome>,
    /// Jobs that run because somebody said so.
    pub forced: BTreeSet<JobId>,
    /// The running build.
    pub build: Option<BranchBuild>,
    /// The number of the last build.
    pub builds: u64,
    /// The last tip all of whose jobs came to an end: what changed since is what the next push affects.
    pub built: Option<CommitSha>,
    /// The nightly jobs.
    pub nights: Nights,
    /// Whether the next build begins with a fresh workspace.
    pub reseed: bool,
}

/// The build that runs for a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchBuild {
    /// What it began with.
    pub spec: BuildSpec,
    /// Whether it has been told to stop.
    pub superseded: bool,
    /// Whether its actors were given up, so that it is swept away instead of told to stop.
    pub abandoned: bool,
    /// Jobs whose end it may tell of again, though somebody asked for another.
    pub stale: BTreeSet<JobId>,
    /// Where it is of a nightly job, when and why it runs.
    pub night: Option<Night>,
}

impl Branch {
    /// Makes the machine of a branch that nothing is known of.
    #[must_use]
    pub fn new(config: BranchConfig) -> Self {
        Self::remembering(config, BranchMemory::default())
    }

    /// Makes the machine that remembers this; what came later is replayed on it.
    #[must_use]
    pub fn remembering(config: BranchConfig, memory: BranchMemory) -> Self {
        Self {
            config,
            memory,
            preparing: None,
            trouble: None,
            disk: Disk::Ok,
            tonight: None,
            doubted: false,
        }
    }

    /// All that a replay would find.
    #[must_use]
    pub fn memory(&self) -> &BranchMemory {
        &self.memory
    }

    /// Folds a recorded event.
    pub fn replay(&mut self, event: BranchEvent) {
        self.fold(event);
        self.preparing = None;
        self.trouble = None;
    }

    /// Applies `event` and decides what follows.
    ///
    /// # Errors
    /// An event that does not fit the state changes nothing.
    pub fn apply(&mut self, event: BranchEvent) -> Result<BranchStep, UnexpectedBranchEvent> {
        self.expect(&event)?;
        let mut step = BranchStep { record: Vec::new(), effects: self.answer(&event) };
        if self.is_news(&event) {
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
    pub fn resume(&mut self) -> BranchStep {
        let mut step = BranchStep::default();
        match &self.memory.build {
            Some(build) if build.abandoned => {
                step.effects.push(BranchEffect::AbandonBuild(build.spec.number));
            }
            Some(build) => {
                step.effects.push(BranchEffect::StartBuild(build.spec.clone()));
                step.effects.extend(build.superseded.then_some(BranchEffect::Supersede));
            }
            None => {}
        }
        self.preparing = None;
        self.doubted = self.memory.prepared.as_ref().is_some_and(Prepared::is_provisional);
        self.decide(&mut step);
        step
    }

    /// Tries a preparation again that did not work.
    #[must_use]
    pub fn retry_preparation(&mut self) -> BranchStep {
        self.trouble = None;
        let mut step = BranchStep::default();
        self.decide(&mut step);
        step
    }

    /// Takes note of the room on the disk, which is not on record.
    #[must_use]
    pub fn note_disk(&mut self, disk: Disk) -> BranchStep {
        self.disk = disk;
        let mut step = BranchStep::default();
        self.decide(&mut step);
        step
    }

    fn expect(&self, event: &BranchEvent) -> Result<(), UnexpectedBranchEvent> {
        let is_running = |number: &BuildNumber| {
            self.memory.build.as_ref().is_some_and(|build| build.spec.number == *number)
        };
        let refusal = match event {
            BranchEvent::BuildDecided(_)
            | BranchEvent::NightDecided(..)
            | BranchEvent::SupersedeDecided => "only the machine itself decides this",
            BranchEvent::Prepared(prepared) if self.preparing.as_ref() != Some(&prepared.basis) => {
                "this basis is not wanted any more"
            }
            BranchEvent::PrepareFailed { basis, .. } if self.preparing.as_ref() != Some(basis) => {
                "this basis is not wanted any more"
            }
            BranchEvent::BuildResumed(number) | BranchEvent::BuildFinished(number)
                if !is_running(number) =>
            {
                "that build is not running"
            }
            BranchEvent::JobFinished { job, outcome, .. } if self.is_stale(job, outcome) => {
                "its outcome was discarded"
            }
            _ => return Ok(()),
        };
        Err(UnexpectedBranchEvent(refusal))
    }

    /// Whether folding `event` would change anything.
    fn is_news(&self, event: &BranchEvent) -> bool {
        match event {
            BranchEvent::Observed(tip) => {
                let known = self.memory.tip.as_ref().filter(|_| !self.memory.gone);
                let is_same = |known: &Tip| {
                    known.commit == tip.commit
                        && (known.policy == tip.policy || self.outline().is_some())
                        && (known.is_own() || !tip.is_own())
                };
                !known.is_some_and(is_same)
            }
            BranchEvent::Gone => !self.memory.gone,
            BranchEvent::JobFinished { job, outcome, .. } if self.is_nightly(job) => {
                !self.memory.nights.knows(job, outcome)
            }
            BranchEvent::JobFinished { head, job, outcome } => {
                // Of a night that is over this is told again.
                let is_own = self.outline().is_none_or(|plan| !plan.nightly.contains_key(job));
                is_own && self.is_tip(head) && self.memory.outcomes.get(job) != Some(outcome)
            }
            BranchEvent::BuildResumed(_) => false,
            _ => true,
        }
    }

    /// What follows from the event itself, whatever the state: a build that began anew may have lost
    /// what it was told, and one that has finished ends.
    fn answer(&self, event: &BranchEvent) -> Vec<BranchEffect> {
        let is_superseded = self.memory.build.as_ref().is_some_and(|build| build.superseded);
        match event {
            BranchEvent::BuildResumed(_) if is_superseded => vec![BranchEffect::Supersede],
            BranchEvent::BuildFinished(number) => vec![BranchEffect::EndBuild(*number)],
            _ => Vec::new(),
        }
    }

    /// Whether the running build is of this job as a nightly one.
    fn is_nightly(&self, job: &JobId) -> bool {
        let build = self.memory.build.as_ref().filter(|build| build.night.is_some());
        build.is_some_and(|build| build.spec.jobs.contains_key(job))
    }

    fn is_tip(&self, commit: &CommitSha) -> bool {
        self.memory.tip.as_ref().is_some_and(|tip| tip.commit == *commit)
    }

    fn is_stale(&self, job: &JobId, outcome: &Outcome) -> bool {
        let build = self.memory.build.as_ref().filter(|build| build.spec.number == outcome.build);
        build.is_some_and(|build| build.stale.contains(job))
    }
}

#[cfg(test)]
mod tests;
