//! All that a replay would find, as one value: a long stream is folded into it.

use std::collections::{BTreeMap, BTreeSet};

use crate::forge::CommentId;
use crate::ids::{AttemptId, BuildNumber, CommitSha, JobId};
use crate::outcome::Outcome;
use crate::outline::Prepared;
use crate::pull::{ActiveBuild, Observation, Pull, PullConfig, Question};

/// What a pull request remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What was seen last.
    pub observation: Option<Observation>,
    /// Heads that no comment is made on.
    pub silent: BTreeSet<CommitSha>,
    /// What came of the last preparation.
    pub prepared: Option<Prepared>,
    /// Outcomes by head, the one forgotten first in front.
    pub outcomes: Vec<(CommitSha, BTreeMap<JobId, Outcome>)>,
    /// What the running build may tell of again and nobody wants to hear.
    pub discarded: BTreeSet<(JobId, Option<AttemptId>)>,
    /// Jobs that run because somebody said so.
    pub forced: BTreeSet<JobId>,
    /// Heads that may run.
    pub approved_to_run: BTreeSet<CommitSha>,
    /// Comments whose requests were met.
    pub heeded: BTreeSet<CommentId>,
    /// Whether the next build begins with a fresh workspace.
    pub reseed: bool,
    /// The running build.
    pub build: Option<ActiveBuild>,
    /// The number of the last build.
    pub builds: u64,
    /// Why its actors were given up.
    pub quarantine: Option<String>,
    /// Who of the reviewers belongs to which owner.
    pub belonging: BTreeMap<Question, bool>,
}

impl Pull {
    /// All that a replay would find.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory {
            observation: self.observation.clone(),
            silent: self.silent.clone(),
            prepared: self.prepared.clone(),
            outcomes: self.outcomes.clone(),
            discarded: self.discarded.clone(),
            forced: self.forced.clone(),
            approved_to_run: self.approved_to_run.clone(),
            heeded: self.heeded.clone(),
            reseed: self.reseed,
            build: self.build.clone(),
            builds: self.builds,
            quarantine: self.quarantine.clone(),
            belonging: self.belonging.clone(),
        }
    }

    /// Takes note that there have been builds up to this number, where what tells of them is lost: no number
    /// is given twice.
    pub fn count_builds(&mut self, upto: BuildNumber) {
        self.builds = self.builds.max(upto.0);
    }

    /// Makes the machine that remembers this; what came later is replayed on it.
    #[must_use]
    pub fn remembering(config: PullConfig, memory: Memory) -> Self {
        Self {
            observation: memory.observation,
            silent: memory.silent,
            prepared: memory.prepared,
            outcomes: memory.outcomes,
            discarded: memory.discarded,
            forced: memory.forced,
            approved_to_run: memory.approved_to_run,
            heeded: memory.heeded,
            reseed: memory.reseed,
            build: memory.build,
            builds: memory.builds,
            quarantine: memory.quarantine,
            belonging: memory.belonging,
            ..Self::new(config)
        }
    }
}
