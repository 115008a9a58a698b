//! Which jobs run: what is affected, narrowed to what was asked for.

use std::collections::BTreeSet;

use anyhow::Result;
use ci_domain::affected::Affected;
use ci_domain::ids::{ComponentName, JobId};
use ci_domain::pipeline::{On, Pipeline, When};
use ci_domain::plan::Plan;

use crate::exit::Exit;
use crate::plan::no_order;

/// What was asked for; where nothing was, everything is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    components: BTreeSet<ComponentName>,
    jobs: Option<BTreeSet<JobId>>,
    /// Whether one of the jobs is of branches or of the night.
    elsewhere: bool,
    approved: bool,
}

/// The jobs that run, and those that do not although they are affected.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) plan: Plan,
    /// Whether the repository has any component.
    pub(super) has_components: bool,
    /// Whether there was anything to choose from.
    pub(super) is_affected: bool,
    /// They wait for an approval, or for a job that does.
    pub(super) held: Vec<JobId>,
}

impl Wanted {
    /// Looks the names up.
    ///
    /// # Errors
    /// One stands for nothing; the error lists what there is.
    pub(super) fn read(
        components: &[String],
        jobs: &[String],
        approved: bool,
        pipeline: &Pipeline,
    ) -> Result<Self> {
        let mut components = components
            .iter()
            .map(|name| component(name, pipeline))
            .collect::<Result<BTreeSet<_>>>()?;
        let mut named = None;
        for name in jobs {
            let (component, found) = job(name, pipeline)?;
            components.extend(component);
            named.get_or_insert_with(BTreeSet::new).extend(found);
        }
        let is_elsewhere = |id: &JobId| !runs_on_pulls(pipeline, id);
        let elsewhere = named.iter().flatten().any(is_elsewhere);
        Ok(Self { components, jobs: named, elsewhere, approved })
    }

    fn includes(&self, id: &JobId) -> bool {
        let is_named = self.jobs.as_ref().is_none_or(|jobs| jobs.contains(id));
        is_named && (self.components.is_empty() || self.components.contains(&id.component))
    }
}

impl Choice {
    /// Narrows the plan of what is affected. A component that was asked for by its name counts as
    /// affected.
    ///
    /// # Errors
    /// The pipeline has no plan, which its reader rules out.
    pub(super) fn make(pipeline: &Pipeline, affected: Affected, wanted: &Wanted) -> Result<Self> {
        let affected = with_components(affected, &wanted.components);
        let everywhere = wanted.elsewhere.then(|| everything_on_pulls(pipeline));
        let pipeline = everywhere.as_ref().unwrap_or(pipeline);
        let plan = Plan::new(pipeline, affected, On::Pull).map_err(no_order)?;
        let held =
            if wanted.approved || wanted.jobs.is_some() { BTreeSet::new() } else { held(&plan) };
        let is_affected = !plan.is_empty();
        let ids: Vec<JobId> =
            plan.jobs().map(|job| &job.id).filter(|id| wanted.includes(id)).cloned().collect();
        let (held, ids): (Vec<JobId>, Vec<JobId>) =
            ids.into_iter().partition(|id| held.contains(id));
        let plan = plan.narrowed(&ids.into_iter().collect());
        let has_components = !pipeline.components.is_empty();
        Ok(Self { plan, has_components, is_affected, held })
    }
}

/// The same, as if pull requests ran all that branches and nights do: what is asked for by its name
/// brings what it needs, wherever that runs.
fn everything_on_pulls(pipeline: &Pipeline) -> Pipeline {
    let mut pipeline = pipeline.clone();
    let components = pipeline.components.values_mut();
    for job in components.flat_map(|component| component.jobs.values_mut()) {
        job.on.insert(On::Pull);
    }
    pipeline
}

fn runs_on_pulls(pipeline: &Pipeline, id: &JobId) -> bool {
    pipeline.job(id).is_some_and(|job| job.on.contains(&On::Pull))
}

fn with_components(affected: Affected, named: &BTreeSet<ComponentName>) -> Affected {
    if named.iter().all(|name| affected.contains(name)) {
        return affected;
    }
    let present = affected.components().map(|(name, _)| name.clone());
    Affected::requested(present.chain(named.iter().cloned()))
}

/// The jobs that wait for an approval, and all that wait for those.
fn held(plan: &Plan) -> BTreeSet<JobId> {
    let mut held: BTreeSet<JobId> = BTreeSet::new();
    for job in plan.jobs() {
        if job.definition.when == When::Approved || !job.needs.is_disjoint(&held) {
            held.insert(job.id.clone());
        }
    }
    held
}

/// A component by its name or, where that is enough to tell it from others, the end of its path.
fn component(text: &str, pipeline: &Pipeline) -> Result<ComponentName> {
    let names = || pipeline.components.keys();
    let text = text.trim_end_matches('/');
    if let Some(name) = names().find(|name| name.as_str() == text) {
        return Ok(name.clone());
    }
    let end = format!("/{text}");
    let found: Vec<&ComponentName> = names().filter(|name| name.as_str().ends_with(&end)).collect();
    match found.as_slice() {
        [name] => Ok((*name).clone()),
        [] => Err(Exit::NotFound
            .because(format!("there is no component {text:?}; there are: {}", joined(names())))),
        several => {
            let several = joined(several.iter().copied());
            Err(Exit::Usage.because(format!("{text:?} could be any of: {several}")))
        }
    }
}

/// The jobs that a name stands for and, where it names one, their component. Where pull requests run one
/// of them, those of branches and nights are not meant.
fn job(text: &str, pipeline: &Pipeline) -> Result<(Option<ComponentName>, BTreeSet<JobId>)> {
    let (owner, name) = match text.rsplit_once(':') {
        Some((owner, name)) => (Some(component(owner, pipeline)?), name),
        None => (None, text),
    };
    let of_owner = pipeline
        .jobs()
        .filter(|(component, _)| owner.as_ref().is_none_or(|owner| component.name == *owner));
    let known: BTreeSet<JobId> = of_owner.map(|(component, job)| component.job_id(job)).collect();
    let mut found: BTreeSet<JobId> =
        known.iter().filter(|id| id.job.as_str() == name).cloned().collect();
    if found.is_empty() {
        let names: BTreeSet<&str> = known.iter().map(|id| id.job.as_str()).collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!("there is no job {text:?}; there are: {names}");
        return Err(Exit::NotFound.because(message));
    }
    if found.iter().any(|id| runs_on_pulls(pipeline, id)) {
        found.retain(|id| runs_on_pulls(pipeline, id));
    }
    Ok((owner, found))
}

fn joined<'a>(names: impl Iterator<Item = &'a ComponentName>) -> String {
    names.map(ComponentName::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
