//! The plan of a build: the jobs that run for the affected components, and what each waits for.

use std::collections::{BTreeMap, BTreeSet};

use crate::affected::Affected;
use crate::graph::Flaw;
use crate::ids::{ComponentName, JobId};
use crate::job_pattern::JobPatterns;
use crate::pipeline::{Job, On, Pipeline, When};
use crate::policy::Mergeable;

/// The jobs of one build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The kind of build.
    pub on: On,
    /// The components it is about, and why.
    pub affected: Affected,
    jobs: BTreeMap<JobId, PlannedJob>,
    order: Vec<JobId>,
    gates: BTreeSet<JobId>,
}

/// A job of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedJob {
    /// Its name.
    pub id: JobId,
    /// Jobs of the same plan that must pass before it runs.
    pub needs: BTreeSet<JobId>,
    /// Needs that hold it up no longer, and why.
    pub met: BTreeMap<JobId, Met>,
    /// Variables that the component sets for all its commands.
    pub env: BTreeMap<String, String>,
    /// What the component's file says of it.
    pub definition: Job,
}

/// Why a need is met without a job of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Its component is not affected.
    NotAffected,
    /// Its job is not part of this kind of build. A need gates within one build only; it does not
    /// bring a job into a build that the job's own `on` keeps it out of.
    NotOnThisBuild,
}

/// What must pass before a pull request can be merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// The jobs of the plan that must pass, and what else each waits for.
    pub jobs: BTreeMap<JobId, When>,
    /// Jobs that the policy requires and that would not run on any pull request of this tree.
    pub missing: BTreeSet<JobId>,
}

impl Plan {
    /// Plans the jobs of `pipeline` that run for `affected` on this kind of build.
    ///
    /// # Errors
    /// A pipeline whose jobs need what there is not, or each other in a circle, has no plan.
    pub fn new(pipeline: &Pipeline, affected: Affected, on: On) -> Result<Self, Vec<Flaw<JobId>>> {
        let graph = pipeline.job_graph()?;
        let chosen = |id: &JobId| affected.contains(&id.component) && runs(pipeline, id, on);
        let order: Vec<JobId> = graph.order().iter().filter(|id| chosen(id)).cloned().collect();
        let planned = |id: &JobId| Some((id.clone(), plan_job(pipeline, &affected, id, on)?));
        let jobs = order.iter().filter_map(planned).collect();
        let all = pipeline.jobs().map(|(component, job)| component.job_id(job));
        let gates = all.filter(|id| runs(pipeline, id, On::Pull)).collect();
        Ok(Self { on, affected, jobs, order, gates })
    }

    /// The jobs, each after all that it needs; jobs that are free to move are in order of their names.
    pub fn jobs(&self) -> impl Iterator<Item = &PlannedJob> {
        self.order.iter().filter_map(|id| self.jobs.get(id))
    }

    /// Looks a job of the plan up.
    #[must_use]
    pub fn job(&self, id: &JobId) -> Option<&PlannedJob> {
        self.jobs.get(id)
    }

    /// Whether there is nothing to run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The jobs of one component, in order of their names.
    pub fn jobs_of(&self, component: &ComponentName) -> impl Iterator<Item = &PlannedJob> {
        self.jobs.values().filter(move |job| job.id.component == *component)
    }

    /// The same plan with only `wanted` jobs and, as far as they are in it, the jobs they need.
    #[must_use]
    pub fn narrowed(mut self, wanted: &BTreeSet<JobId>) -> Self {
        let mut kept = BTreeSet::new();
        let mut open: Vec<JobId> = wanted.iter().cloned().collect();
        while let Some(id) = open.pop() {
            if let Some(job) = self.jobs.get(&id) {
                open.extend(job.needs.difference(&kept).cloned());
                kept.insert(id);
            }
        }
        self.jobs.retain(|id, _| kept.contains(id));
        self.order.retain(|id| kept.contains(id));
        self
    }

    /// What must pass before the pull request of this plan can be merged: all its jobs that run on
    /// pull requests, less those that the policy calls optional; and what it requires must exist.
    #[must_use]
    pub fn required(&self, mergeable: &Mergeable) -> Required {
        let optional = JobPatterns::new(&mergeable.optional);
        let blocks =
            |job: &&PlannedJob| job.definition.on.contains(&On::Pull) && !optional.matches(&job.id);
        let jobs = self.jobs.values().filter(blocks);
        let missing = mergeable.required.iter().filter(|id| !self.gates.contains(id));
        Required {
            jobs: jobs.map(|job| (job.id.clone(), job.definition.when)).collect(),
            missing: missing.cloned().collect(),
        }
    }
}

/// The job `id` of `pipeline` in a build of `affected`, affected itself or not: someone may force it.
#[must_use]
pub fn plan_job(
    pipeline: &Pipeline,
    affected: &Affected,
    id: &JobId,
    on: On,
) -> Option<PlannedJob> {
    let component = pipeline.components.get(&id.component)?;
    let job = component.jobs.get(&id.job)?;
    let mut planned = PlannedJob {
        id: id.clone(),
        needs: BTreeSet::new(),
        met: BTreeMap::new(),
        env: component.env.clone(),
        definition: job.clone(),
    };
    for need in component.needs(job) {
        if !affected.contains(&need.component) {
            planned.met.insert(need, Met::NotAffected);
        } else if !runs(pipeline, &need, on) {
            planned.met.insert(need, Met::NotOnThisBuild);
        } else {
            planned.needs.insert(need);
        }
    }
    Some(planned)
}

fn runs(pipeline: &Pipeline, id: &JobId, on: On) -> bool {
    pipeline.job(id).is_some_and(|job| job.on.contains(&on))
}

#[cfg(test)]
mod tests;
