//! Jobs of affected components that no pull request runs: those of branches, and those of the night.

use std::collections::BTreeSet;

use ci_domain::ids::{ComponentName, JobId};
use ci_domain::pipeline::{On, Pipeline};

/// A job that runs elsewhere than on pull requests.
pub(super) struct Elsewhere {
    pub(super) id: JobId,
    pub(super) needs: BTreeSet<JobId>,
    pub(super) on: BTreeSet<On>,
}

/// The jobs of a component that no pull request runs, in order of their names.
pub(super) fn of(pipeline: &Pipeline, component: &ComponentName) -> Vec<Elsewhere> {
    let Some(component) = pipeline.components.get(component) else { return Vec::new() };
    let jobs = component.jobs.values().filter(|job| !job.on.contains(&On::Pull));
    jobs.map(|job| Elsewhere {
        id: component.job_id(job),
        needs: component.needs(job),
        on: job.on.clone(),
    })
    .collect()
}

/// Where a job runs, for people.
pub(super) fn words(on: On) -> &'static str {
    match on {
        On::Pull => "on pull requests",
        On::Branch => "on branches",
        On::Nightly => "at night",
    }
}

/// Where a job runs, for programs.
pub(super) fn word(on: On) -> &'static str {
    match on {
        On::Pull => "pull",
        On::Branch => "branch",
        On::Nightly => "nightly",
    }
}
