//! What can be asked of a branch.

use std::collections::BTreeMap;

use crate::branch::{Branch, BranchBuild, BranchConfig, Tip};
use crate::forge::StatusState;
use crate::ids::JobId;
use crate::may_run::{Disk, Head, Isolation, MayRun, Reason};
use crate::outcome::Outcome;
use crate::outline::{Outline, Preparation, Prepared};
use crate::{report, wording};

impl Branch {
    /// What the machine knows of its surroundings.
    #[must_use]
    pub fn config(&self) -> &BranchConfig {
        &self.config
    }

    /// What was seen last.
    #[must_use]
    pub fn tip(&self) -> Option<&Tip> {
        self.memory.tip.as_ref()
    }

    /// Where the code of the tip comes from: the repository itself, but for some heads of the merge queue.
    #[must_use]
    pub fn head(&self) -> Head {
        let queued = self.tip().and_then(|tip| tip.queued.as_ref());
        queued.map_or(Head::Own, |queued| queued.head)
    }

    /// What came of preparing the tip.
    #[must_use]
    pub fn prepared(&self) -> Option<&Prepared> {
        self.memory.prepared.as_ref()
    }

    /// The jobs of the tip.
    #[must_use]
    pub fn outline(&self) -> Option<&Outline> {
        match &self.prepared()?.result {
            Preparation::Planned { outline, .. } => Some(outline),
            Preparation::Conflict { .. } | Preparation::Invalid { .. } => None,
        }
    }

    /// How the tip's jobs ended.
    #[must_use]
    pub fn outcomes(&self) -> &BTreeMap<JobId, Outcome> {
        &self.memory.outcomes
    }

    /// Whether the job runs only because somebody forced it.
    #[must_use]
    pub fn is_forced(&self, job: &JobId) -> bool {
        self.memory.forced.contains(job)
    }

    /// The build that runs.
    #[must_use]
    pub fn build(&self) -> Option<&BranchBuild> {
        self.memory.build.as_ref()
    }

    /// How the tip stands, in one line.
    #[must_use]
    pub fn standing(&self) -> (StatusState, String) {
        if self.isolation() == Isolation::Unavailable {
            let (offered, why) = (self.config.isolation, &self.config.isolation_trouble);
            let policy = self.prepared().map(|prepared| &prepared.policy);
            let trouble = policy.map(|policy| policy.sandbox.trouble_on(offered, why));
            let words = wording::no_isolation(trouble.as_ref().unwrap_or(why));
            return (StatusState::Pending, words);
        }
        let Some(prepared) = self.prepared() else {
            let words = self.trouble.as_deref().unwrap_or(wording::INITIALIZING);
            return (StatusState::Pending, words.to_owned());
        };
        match &prepared.result {
            Preparation::Conflict { .. } => (StatusState::Failure, wording::CONFLICTS.to_owned()),
            Preparation::Invalid { first, .. } => (StatusState::Failure, first.clone()),
            Preparation::Planned { outline, .. } => {
                let required = outline.sort_required(self.outcomes(), true);
                if self.may_run() == MayRun::No(Reason::ForksNever) {
                    return (StatusState::Failure, wording::FORKS_ARE_NOT_BUILT.to_owned());
                }
                let waits = self.disk == Disk::Low && !self.owed().is_empty();
                let disk = (StatusState::Pending, wording::WAITING_FOR_DISK.to_owned());
                let affected = outline.jobs.iter().filter(|(id, _)| outline.is_affected(id));
                let passed = || (StatusState::Success, report::passed(affected, self.outcomes()));
                if waits { disk } else { required.worst().unwrap_or_else(passed) }
            }
        }
    }

    /// Whether nothing runs for the tip and nothing is owed.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.memory.build.is_none() && self.outline().is_some() && self.owed().is_empty()
    }
}
