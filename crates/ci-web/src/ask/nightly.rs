//! Nightly jobs as wire types.

use ci_build::{BranchView, JobStatus, JobView, NightRules, NightView};
use ci_domain::branch::NightRun;
use ci_domain::wording::night_standing;

use super::pull::job;
use crate::wire::{Nightly, NightlyJob, NightlyRun};

/// All nightly jobs of a repository.
pub(super) fn all(rules: Option<&NightRules>, branches: &[BranchView]) -> Nightly {
    Nightly {
        between: rules.map(|rules| rules.nightly.between.to_string()),
        timezone: rules.map(|rules| rules.nightly.timezone.clone()),
        mention: rules.and_then(|rules| rules.mention.as_ref().map(ToString::to_string)),
        jobs: branches.iter().flat_map(of_branch).collect(),
    }
}

/// Those of one branch.
pub(super) fn of_branch(branch: &BranchView) -> Vec<NightlyJob> {
    let one = |night: &NightView| NightlyJob {
        branch: branch.name.to_string(),
        job: job(&night.job),
        standing: night_standing(&night.standing),
        asked_by: night.asked_by.as_ref().map(ToString::to_string),
        runs: night.runs.iter().rev().map(|each| run(&night.job, each)).collect(),
    };
    branch.nightly.iter().map(one).collect()
}

fn run(of: &JobView, run: &NightRun) -> NightlyRun {
    let ended = JobView { status: JobStatus::Ended(run.outcome.clone()), ..of.clone() };
    NightlyRun {
        day: run.night.day.to_string(),
        commit: run.commit.to_string(),
        asked_by: run.night.by.as_ref().map(ToString::to_string),
        job: job(&ended),
    }
}
