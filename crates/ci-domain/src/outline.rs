//! What was made of a head and its base: a conflict, an invalid pipeline, or an outline of jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::code_owners::Owned;
use crate::ids::{CommitSha, ComponentName, JobId};
use crate::outcome::Outcome;
use crate::pipeline::When;
use crate::policy::Policy;

/// The commits that a preparation was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The head under test.
    pub head: CommitSha,
    /// The tip of the branch that it is to be merged into.
    pub base: CommitSha,
    /// The tip of the default branch, where the policy comes from.
    pub policy: CommitSha,
}

/// What came of preparing a basis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// What it was made from.
    pub basis: Basis,
    /// The policy that holds.
    pub policy: Policy,
    /// Why the policy file at the basis does not hold, where it does not.
    pub policy_error: Option<String>,
    /// What came of it.
    pub result: Preparation,
}

impl Prepared {
    /// Whether another life of the node may make something else of the same commits: it may be granted
    /// more secrets, or understand more of what is written.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        self.policy_error.is_some() || matches!(self.result, Preparation::Invalid { .. })
    }
}

/// The results that a preparation can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// Head and base do not merge.
    Conflict {
        /// The paths that conflict.
        paths: Vec<String>,
    },
    /// The pipeline of the merge, or the policy, cannot be used.
    Invalid {
        /// The first finding, as `file:line: what`.
        first: String,
        /// Every finding with its hint.
        findings: Vec<String>,
    },
    /// The merge was made and its jobs are known.
    Planned {
        /// The merge commit.
        merge: CommitSha,
        /// The jobs.
        outline: Outline,
    },
}

/// Jobs, as far as decisions need them.
pub type Jobs = BTreeMap<JobId, OutlineJob>;

/// The jobs of one merge, as far as decisions need them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The components that the change affects.
    pub affected: BTreeSet<ComponentName>,
    /// What each of those depends on, for people who look at the graph.
    pub depends: BTreeMap<ComponentName, BTreeSet<ComponentName>>,
    /// Every job that can run in this kind of build, those of unaffected components too. Many merges have the
    /// same.
    pub jobs: Arc<Jobs>,
    /// Every job that runs at night; a branch alone has such.
    pub nightly: Jobs,
    /// Jobs that the policy requires and the merge does not have.
    pub missing: BTreeSet<JobId>,
    /// What affected jobs would look for in vain, for people.
    pub hints: Vec<String>,
    /// The changed paths that have owners, where the policy asks those.
    pub owned: Vec<Owned>,
}

/// One job of an outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineJob {
    /// Jobs of affected components that must have passed before.
    pub needs: BTreeSet<JobId>,
    /// What else it waits for.
    pub when: When,
    /// Whether it never blocks the pull request.
    pub optional: bool,
    /// The digest of its inputs in the merged tree.
    pub digest: String,
}

impl Outline {
    /// Whether the change affects the job's component.
    #[must_use]
    pub fn is_affected(&self, job: &JobId) -> bool {
        self.affected.contains(&job.component)
    }

    /// The jobs that the gate looks at, with what is known of them.
    pub fn required(&self) -> impl Iterator<Item = (&JobId, &OutlineJob)> {
        self.jobs.iter().filter(|(id, job)| self.is_affected(id) && !job.optional)
    }

    /// Whether a need of `job`, near or far, ended other than passed, so that it cannot run.
    #[must_use]
    pub fn is_blocked(&self, job: &JobId, outcomes: &BTreeMap<JobId, Outcome>) -> bool {
        self.blocked(outcomes).contains(job)
    }

    /// Every job with a need, near or far, that ended other than passed.
    #[must_use]
    pub fn blocked(&self, outcomes: &BTreeMap<JobId, Outcome>) -> BTreeSet<&JobId> {
        let did_end_badly = |id: &JobId| outcomes.get(id).is_some_and(|o| !o.result.is_passed());
        self.behind(outcomes, did_end_badly)
    }

    /// The jobs that ended other than passed and so keep `job` from running.
    #[must_use]
    pub fn blockers(&self, job: &JobId, outcomes: &BTreeMap<JobId, Outcome>) -> BTreeSet<&JobId> {
        let (mut seen, mut blockers) = (BTreeSet::new(), BTreeSet::new());
        let mut front = vec![job];
        while let Some(next) = front.pop() {
            for need in self.jobs.get(next).into_iter().flat_map(|job| &job.needs) {
                match outcomes.get(need).map(|outcome| outcome.result.is_passed()) {
                    Some(true) => {}
                    Some(false) => drop(blockers.insert(need)),
                    None if seen.insert(need) => front.push(need),
                    None => {}
                }
            }
        }
        blockers
    }

    /// Every job that has an obstacle among its needs, near or far. What lies behind a need that has
    /// ended does not count any more.
    #[must_use]
    pub fn behind(
        &self,
        outcomes: &BTreeMap<JobId, Outcome>,
        is_obstacle: impl Fn(&JobId) -> bool,
    ) -> BTreeSet<&JobId> {
        let needs = self.jobs.iter().map(|(id, job)| (id, &job.needs));
        let obstacles = self.jobs.keys().filter(|id| is_obstacle(id));
        jobs_behind(needs, obstacles, |id| !outcomes.contains_key(id))
    }
}

/// The jobs that need one of `obstacles`, directly or through jobs that `hand_on`.
///
/// Each need is looked at once: who writes a pipeline decides on the shape of its graph.
pub(crate) fn jobs_behind<'a>(
    jobs: impl Iterator<Item = (&'a JobId, &'a BTreeSet<JobId>)>,
    obstacles: impl Iterator<Item = &'a JobId>,
    hand_on: impl Fn(&JobId) -> bool,
) -> BTreeSet<&'a JobId> {
    let mut dependents: BTreeMap<&JobId, Vec<&JobId>> = BTreeMap::new();
    for (job, needs) in jobs {
        for need in needs {
            dependents.entry(need).or_default().push(job);
        }
    }
    let mut behind = BTreeSet::new();
    let mut front: Vec<&JobId> = obstacles.collect();
    while let Some(obstacle) = front.pop() {
        for job in dependents.get(obstacle).into_iter().flatten() {
            if behind.insert(*job) && hand_on(job) {
                front.push(job);
            }
        }
    }
    behind
}
