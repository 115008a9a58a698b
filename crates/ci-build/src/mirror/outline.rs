//! The outline of a plan: every job that can run in this kind of build, those of unaffected components
//! too, with the digest of its inputs.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::affected::Affected;
use ci_domain::ids::JobId;
use ci_domain::input_scope::InputScopes;
use ci_domain::outline::{Outline, OutlineJob};
use ci_domain::pipeline::{On, Pipeline, When};
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
    let mut jobs: BTreeMap<JobId, OutlineJob> = BTreeMap::new();
    for (component, job) in pipeline.jobs().filter(|(_, job)| job.on.contains(&on)) {
        let id = component.job_id(job);
        let planned = plan.job(&id).cloned();
        let Some(planned) = planned.or_else(|| plan_job(pipeline, &plan.affected, &id, on)) else {
            continue;
        };
        let (optional, when) = match on {
            On::Pull => (is_optional(&plan, &required, &id), planned.definition.when),
            On::Branch => (false, When::Always),
        };
        let digest = scopes.digest_input(&id, &listing).map(|text| hex(&Sha256::digest(text)));
        let digest = digest.unwrap_or_default();
        jobs.insert(id, OutlineJob { needs: planned.needs, when, optional, digest });
    }
    let affected = plan.affected.components().map(|(name, _)| name.clone()).collect();
    let missing = match on {
        On::Pull => required.missing,
        On::Branch => BTreeSet::new(),
    };
    Ok(Outline { affected, jobs, missing, hints: Vec::new() })
}

fn is_optional(plan: &Plan, required: &Required, id: &JobId) -> bool {
    plan.job(id).is_some() && !required.jobs.contains_key(id)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
