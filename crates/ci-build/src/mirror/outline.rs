//! The outline of a plan: every job that can run in this kind of build, those of unaffected components
//! too, with the digest of its inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ci_domain::affected::Affected;
use ci_domain::ids::{ComponentName, JobId};
use ci_domain::input_scope::InputScopes;
use ci_domain::outline::{Jobs, Outline, OutlineJob};
use ci_domain::pipeline::{Component, Job, On, Pipeline, When};
use ci_domain::plan::{Plan, Required, plan_job};
use ci_domain::policy::Policy;
use ci_git::Tree;
use sha2::{Digest, Sha256};

/// Makes the outline of `pipeline`, whose files are `tree`.
///
/// Nobody approves a branch and nothing there waits to be merged, so all its jobs run and count.
///
/// # Errors
/// Says what is wrong with the pipeline.
pub(super) fn outline(
    pipeline: &Pipeline,
    affected: Affected,
    policy: &Policy,
    tree: &Tree,
    on: On,
) -> Result<Outline, String> {
    let plan = Plan::new(pipeline, affected, on)
        .map_err(|flaws| format!("the needs of jobs have no order: {flaws:?}"))?;
    let required = plan.required(&policy.mergeable);
    let scopes = InputScopes::new(pipeline, &policy.ignore).map_err(|error| error.to_string())?;
    let listing: Vec<(String, String)> = tree
        .entries()
        .iter()
        .map(|entry| (entry.path.as_str().to_owned(), entry.object.as_str().to_owned()))
        .collect();
    let digest = |id: &JobId| {
        let text = scopes.digest_input(id, &listing);
        text.map(|text| hex(&Sha256::digest(text))).unwrap_or_default()
    };
    let mut jobs = Jobs::new();
    for (component, job) in pipeline.jobs().filter(|(_, job)| job.on.contains(&on)) {
        let id = component.job_id(job);
        let planned = plan.job(&id).cloned();
        let Some(planned) = planned.or_else(|| plan_job(pipeline, &plan.affected, &id, on)) else {
            continue;
        };
        let (optional, when) = match on {
            On::Pull => (is_optional(&plan, &required, &id), planned.definition.when),
            On::Branch | On::Nightly => (false, When::Always),
        };
        let digest = digest(&id);
        jobs.insert(id, OutlineJob { needs: planned.needs, when, optional, digest });
    }
    let (nightly, missing) = match on {
        On::Pull => (BTreeMap::new(), required.missing),
        On::Branch | On::Nightly => (nightly(pipeline, &plan, digest), BTreeSet::new()),
    };
    let affected = plan.affected.components().map(|(name, _)| name.clone()).collect();
    let (depends, hints, owned) = (depends(pipeline, &affected), Vec::new(), Vec::new());
    let jobs = Arc::new(jobs);
    Ok(Outline { affected, depends, jobs, nightly, missing, hints, owned })
}

/// The nightly jobs, each with what it needs of the branch's own jobs and of other nightly ones.
fn nightly(pipeline: &Pipeline, plan: &Plan, digest: impl Fn(&JobId) -> String) -> Jobs {
    let is_nightly = |job: &Job| job.on.contains(&On::Nightly);
    let of_night = |(component, job): (&Component, &Job)| {
        let id = component.job_id(job);
        let mut needs = plan_job(pipeline, &plan.affected, &id, On::Branch)?.needs;
        let others = component.needs(job).into_iter();
        needs.extend(others.filter(|need| pipeline.job(need).is_some_and(is_nightly)));
        let digest = digest(&id);
        Some((id, OutlineJob { needs, when: When::Always, optional: false, digest }))
    };
    pipeline.jobs().filter(|(_, job)| is_nightly(job)).filter_map(of_night).collect()
}

/// What each of `components` depends on.
fn depends(
    pipeline: &Pipeline,
    components: &BTreeSet<ComponentName>,
) -> BTreeMap<ComponentName, BTreeSet<ComponentName>> {
    let of = |name: &ComponentName| {
        Some((name.clone(), pipeline.components.get(name)?.depends_on.clone()))
    };
    components.iter().filter_map(of).collect()
}

fn is_optional(plan: &Plan, required: &Required, id: &JobId) -> bool {
    plan.job(id).is_some() && !required.jobs.contains_key(id)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
