//! What was made of a head and its base, as stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ci_domain::code_owners::Owned;
use ci_domain::ids::{CommitSha, ComponentName, JobId};
use ci_domain::nightly::Nightly;
use ci_domain::outline::{Basis, Jobs, Outline, OutlineJob, Preparation, Prepared};
use ci_domain::pipeline::When;
use ci_domain::policy::{BaseMoved, Expose, Forks, Mergeable, Policy, StaleApprovals, Unowned};
use serde::{Deserialize, Serialize};

use ci_store::Record;

use super::night::StoredNightly;
use super::owners::StoredOwned;
use super::sandbox::StoredSandbox;
use super::{RecordError, body, record};

/// [`Prepared`] as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredPrepared {
    head: String,
    base: String,
    policy_commit: String,
    policy: StoredPolicy,
    policy_error: Option<String>,
    result: StoredResult,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredResult {
    Conflict {
        paths: Vec<String>,
    },
    Invalid {
        first: String,
        findings: Vec<String>,
    },
    Planned {
        merge: String,
        affected: BTreeSet<String>,
        jobs: BTreeMap<String, StoredJob>,
        missing: BTreeSet<String>,
        /// Records of earlier programs have none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hints: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        owned: Vec<StoredOwned>,
        /// Nor these.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        nightly: BTreeMap<String, StoredJob>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        depends: BTreeMap<String, BTreeSet<String>>,
    },
}

#[derive(Serialize, Deserialize)]
struct StoredJob {
    needs: BTreeSet<String>,
    approved: bool,
    optional: bool,
    digest: String,
}

#[derive(Serialize, Deserialize)]
struct StoredPolicy {
    approvals: u32,
    block_on_changes_requested: bool,
    dismiss_stale_approvals: bool,
    /// Not there in records of before it could be said.
    #[serde(default)]
    code_owners: bool,
    optional: Vec<String>,
    required: Vec<String>,
    rerun_on_moved_base: bool,
    branches: Vec<String>,
    ignore: Vec<String>,
    unowned_is_all: bool,
    forks: StoredForks,
    #[serde(default)]
    secrets: BTreeMap<String, StoredExpose>,
    /// Not there in records of before it could be said: then what holds by default.
    #[serde(default)]
    sandbox: Option<StoredSandbox>,
    /// Nor this.
    #[serde(default)]
    nightly: Option<StoredNightly>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredForks {
    Never,
    AfterApproval,
    Always,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredExpose {
    Branches,
    Internal,
}

/// Makes the record of a policy that was valid.
pub(crate) fn policy_record(policy: &Policy) -> Record {
    record("policy", &StoredPolicy::from(policy))
}

/// Reads a policy that was valid.
///
/// # Errors
/// The record is of another program or does not fit its kind.
pub(crate) fn recorded_policy(stored: &Record) -> Result<Policy, RecordError> {
    body::<StoredPolicy>(stored)?.try_into()
}

impl From<&Prepared> for StoredPrepared {
    fn from(prepared: &Prepared) -> Self {
        Self {
            head: prepared.basis.head.to_string(),
            base: prepared.basis.base.to_string(),
            policy_commit: prepared.basis.policy.to_string(),
            policy: (&prepared.policy).into(),
            policy_error: prepared.policy_error.clone(),
            result: (&prepared.result).into(),
        }
    }
}

impl TryFrom<StoredPrepared> for Prepared {
    type Error = RecordError;

    fn try_from(stored: StoredPrepared) -> Result<Self, RecordError> {
        Ok(Self {
            basis: Basis {
                head: CommitSha::new(stored.head)?,
                base: CommitSha::new(stored.base)?,
                policy: CommitSha::new(stored.policy_commit)?,
            },
            policy: stored.policy.try_into()?,
            policy_error: stored.policy_error,
            result: stored.result.try_into()?,
        })
    }
}

impl From<&Preparation> for StoredResult {
    fn from(result: &Preparation) -> Self {
        match result.clone() {
            Preparation::Conflict { paths } => Self::Conflict { paths },
            Preparation::Invalid { first, findings } => Self::Invalid { first, findings },
            Preparation::Planned { merge, outline } => Self::Planned {
                merge: merge.to_string(),
                affected: texts(&outline.affected),
                jobs: stored_jobs(&outline.jobs),
                nightly: stored_jobs(&outline.nightly),
                depends: outline
                    .depends
                    .iter()
                    .map(|(name, on)| (name.to_string(), texts(on)))
                    .collect(),
                missing: texts(&outline.missing),
                hints: outline.hints,
                owned: outline.owned.iter().map(StoredOwned::from).collect(),
            },
        }
    }
}

impl TryFrom<StoredResult> for Preparation {
    type Error = RecordError;

    fn try_from(stored: StoredResult) -> Result<Self, RecordError> {
        Ok(match stored {
            StoredResult::Conflict { paths } => Self::Conflict { paths },
            StoredResult::Invalid { first, findings } => Self::Invalid { first, findings },
            StoredResult::Planned {
                merge,
                affected,
                jobs,
                missing,
                hints,
                nightly,
                owned,
                depends,
            } => {
                let (affected, depends) = (components(affected)?, depends_of(depends)?);
                let (jobs, nightly) = (Arc::new(jobs_of(jobs)?), jobs_of(nightly)?);
                let missing = job_ids(&missing)?;
                let owned = owned.into_iter().map(Owned::try_from).collect::<Result<_, _>>()?;
                let outline = Outline { affected, depends, jobs, nightly, missing, hints, owned };
                Self::Planned { merge: CommitSha::new(merge)?, outline }
            }
        })
    }
}

fn components(names: BTreeSet<String>) -> Result<BTreeSet<ComponentName>, RecordError> {
    Ok(names.into_iter().map(ComponentName::new).collect::<Result<_, _>>()?)
}

fn depends_of(
    stored: BTreeMap<String, BTreeSet<String>>,
) -> Result<BTreeMap<ComponentName, BTreeSet<ComponentName>>, RecordError> {
    stored.into_iter().map(|(name, on)| Ok((ComponentName::new(name)?, components(on)?))).collect()
}

fn stored_jobs(jobs: &Jobs) -> BTreeMap<String, StoredJob> {
    jobs.iter().map(|(id, job)| (id.to_string(), job.into())).collect()
}

fn jobs_of(stored: BTreeMap<String, StoredJob>) -> Result<Jobs, RecordError> {
    stored.into_iter().map(|(id, job)| Ok((id.parse()?, job.try_into()?))).collect()
}

impl From<&OutlineJob> for StoredJob {
    fn from(job: &OutlineJob) -> Self {
        Self {
            needs: texts(&job.needs),
            approved: job.when == When::Approved,
            optional: job.optional,
            digest: job.digest.clone(),
        }
    }
}

impl TryFrom<StoredJob> for OutlineJob {
    type Error = RecordError;

    fn try_from(stored: StoredJob) -> Result<Self, RecordError> {
        Ok(Self {
            needs: job_ids(&stored.needs)?,
            when: if stored.approved { When::Approved } else { When::Always },
            optional: stored.optional,
            digest: stored.digest,
        })
    }
}

impl From<&Policy> for StoredPolicy {
    fn from(policy: &Policy) -> Self {
        Self {
            approvals: policy.mergeable.approvals,
            block_on_changes_requested: policy.mergeable.block_on_changes_requested,
            dismiss_stale_approvals: policy.mergeable.stale_approvals == StaleApprovals::Dismiss,
            code_owners: policy.mergeable.code_owners,
            optional: policy.mergeable.optional.clone(),
            required: policy.mergeable.required.iter().map(ToString::to_string).collect(),
            rerun_on_moved_base: policy.base_moved == BaseMoved::Rerun,
            branches: policy.branches.clone(),
            ignore: policy.ignore.clone(),
            unowned_is_all: policy.unowned == Unowned::All,
            forks: match policy.forks {
                Forks::Never => StoredForks::Never,
                Forks::AfterApproval => StoredForks::AfterApproval,
                Forks::Always => StoredForks::Always,
            },
            secrets: policy
                .secrets
                .iter()
                .map(|(name, expose)| {
                    let expose = match expose {
                        Expose::Branches => StoredExpose::Branches,
                        Expose::Internal => StoredExpose::Internal,
                    };
                    (name.clone(), expose)
                })
                .collect(),
            sandbox: Some(policy.sandbox.into()),
            nightly: Some(policy.into()),
        }
    }
}

impl TryFrom<StoredPolicy> for Policy {
    type Error = RecordError;

    fn try_from(stored: StoredPolicy) -> Result<Self, RecordError> {
        let stale = stored.dismiss_stale_approvals;
        let (nightly, mention_on_nightly_failure) = match stored.nightly {
            Some(nightly) => nightly.read()?,
            None => (Nightly::default(), None),
        };
        Ok(Self {
            mergeable: Mergeable {
                approvals: stored.approvals,
                block_on_changes_requested: stored.block_on_changes_requested,
                stale_approvals: if stale { StaleApprovals::Dismiss } else { StaleApprovals::Keep },
                code_owners: stored.code_owners,
                optional: stored.optional,
                required: job_ids(&stored.required)?,
            },
            base_moved: if stored.rerun_on_moved_base { BaseMoved::Rerun } else { BaseMoved::Keep },
            branches: stored.branches,
            ignore: stored.ignore,
            unowned: if stored.unowned_is_all { Unowned::All } else { Unowned::None },
            forks: match stored.forks {
                StoredForks::Never => Forks::Never,
                StoredForks::AfterApproval => Forks::AfterApproval,
                StoredForks::Always => Forks::Always,
            },
            secrets: stored
                .secrets
                .into_iter()
                .map(|(name, expose)| {
                    let expose = match expose {
                        StoredExpose::Branches => Expose::Branches,
                        StoredExpose::Internal => Expose::Internal,
                    };
                    (name, expose)
                })
                .collect(),
            sandbox: stored.sandbox.map_or(Self::default().sandbox, Into::into),
            nightly,
            mention_on_nightly_failure,
        })
    }
}

fn texts<T: ToString>(items: &BTreeSet<T>) -> BTreeSet<String> {
    items.iter().map(ToString::to_string).collect()
}

fn job_ids<'a, C: FromIterator<JobId>>(
    texts: impl IntoIterator<Item = &'a String>,
) -> Result<C, RecordError> {
    Ok(texts.into_iter().map(|text| text.parse()).collect::<Result<C, _>>()?)
}
