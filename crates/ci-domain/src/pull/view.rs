//! What can be asked of a pull request.

use std::collections::{BTreeMap, BTreeSet};

use crate::forge::{CommentId, PullFacts, PullState, Review, ReviewState};
use crate::ids::{CommitSha, JobId, Login};
use crate::may_run::Disk;
use crate::outcome::Outcome;
use crate::outline::{Outline, Preparation, Prepared};
use crate::policy::{BaseMoved, Policy, StaleApprovals};
use crate::pull::{ActiveBuild, Pull, PullConfig};

impl Pull {
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

    /// What came of the last preparation, of whatever head: the newest policy that is known.
    #[must_use]
    pub fn last_prepared(&self) -> Option<&Prepared> {
        self.prepared.as_ref()
    }

    /// The jobs of the present head's merge.
    #[must_use]
    pub fn outline(&self) -> Option<&Outline> {
        self.planned().map(|(_, outline)| outline)
    }

    /// The present head's merge and its jobs.
    #[must_use]
    pub fn planned(&self) -> Option<(&CommitSha, &Outline)> {
        match &self.prepared()?.result {
            Preparation::Planned { merge, outline } => Some((merge, outline)),
            Preparation::Conflict { .. } | Preparation::Invalid { .. } => None,
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
            Some(outline) if self.policy().base_moved == BaseMoved::Rerun => {
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

    /// How many builds there were, which is the number of the last one.
    #[must_use]
    pub fn builds(&self) -> u64 {
        self.builds
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

    /// Whether there is room to work, as far as is known.
    #[must_use]
    pub fn disk(&self) -> Disk {
        self.disk
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

    /// Whether enough people approve, those among them who own what is changed where the policy wants
    /// that, and nobody who counts asks for changes.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        let rule = self.policy().mergeable;
        let wanted = usize::try_from(rule.approvals).unwrap_or(usize::MAX);
        let is_held = rule.block_on_changes_requested && !self.objectors().is_empty();
        self.approvers().len() >= wanted && !is_held && self.awaited_owners().is_empty()
    }

    /// Whether somebody with write access has approved that commit to run: by name, or by an approving
    /// review of it that stands.
    #[must_use]
    pub fn has_leave(&self, commit: &CommitSha) -> bool {
        let names_it = |review: &Review| {
            review.writer
                && review.state == ReviewState::Approved
                && review.commit.as_ref() == Some(commit)
        };
        self.approved_to_run.contains(commit) || self.reviews().iter().any(names_it)
    }

    /// Whether it is open, as far as is known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.facts().is_none_or(|facts| facts.state == PullState::Open)
    }

    /// Whether the request in `comment` was met; whoever finds the comment again has nothing to say.
    #[must_use]
    pub fn has_heeded(&self, comment: CommentId) -> bool {
        self.heeded.contains(&comment)
    }

    /// Whether the job runs only because somebody forced it.
    #[must_use]
    pub fn is_forced(&self, job: &JobId) -> bool {
        self.forced.contains(job)
    }

    /// The latest decisive review of each person with write access, the author's own left out.
    fn decisive_reviews(&self) -> BTreeMap<&Login, &Review> {
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
}
