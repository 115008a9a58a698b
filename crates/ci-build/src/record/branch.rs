//! Events of a branch, and all that it remembers, as stored.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::branch::{BranchBuild, BranchEvent, BranchMemory, Tip};
use ci_domain::ids::{BuildNumber, CommitSha, JobId, Login};
use ci_domain::may_run::Head;
use ci_domain::merge_queue::Queued;
use ci_domain::outcome::Outcome;
use ci_store::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::build::{StoredOutcome, StoredSpec};
use super::memory::{outcomes, parsed, texts};
use super::night::{StoredNight, StoredNights};
use super::prepared::StoredPrepared;
use super::{RecordError, body, record, unknown};

/// The version of the snapshot below.
const VERSION: u16 = 1;

#[derive(Serialize, Deserialize)]
struct StoredTip {
    commit: String,
    policy: String,
    preexisting: bool,
    /// Only heads of the merge queue have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queued: Option<StoredQueued>,
}

#[derive(Serialize, Deserialize)]
struct StoredQueued {
    base: Option<String>,
    own: bool,
}

#[derive(Serialize, Deserialize)]
struct JobFinished {
    head: String,
    job: String,
    outcome: StoredOutcome,
}

#[derive(Serialize, Deserialize)]
struct BuildFinished {
    build: u64,
}

#[derive(Serialize, Deserialize)]
struct Forced {
    jobs: BTreeSet<String>,
    by: String,
}

#[derive(Serialize, Deserialize)]
struct Reseed {
    by: String,
}

#[derive(Serialize, Deserialize)]
struct NightDecided {
    spec: StoredSpec,
    night: StoredNight,
}

#[derive(Serialize, Deserialize)]
struct StoredMemory {
    version: u16,
    tip: Option<StoredTip>,
    gone: bool,
    prepared: Option<StoredPrepared>,
    outcomes: BTreeMap<String, StoredOutcome>,
    forced: BTreeSet<String>,
    build: Option<StoredBuild>,
    builds: u64,
    built: Option<String>,
    /// Snapshots of earlier programs have none.
    #[serde(default)]
    nights: StoredNights,
    /// Nor this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reseed: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredBuild {
    spec: StoredSpec,
    superseded: bool,
    abandoned: bool,
    stale: BTreeSet<String>,
    /// Nor this.
    #[serde(default)]
    night: Option<StoredNight>,
}

/// Makes the record of a branch's event.
pub(crate) fn branch_record(event: &BranchEvent) -> Record {
    match event {
        BranchEvent::Observed(tip) => record("observed", &StoredTip::from(tip)),
        BranchEvent::Gone => record("gone", &()),
        BranchEvent::Prepared(prepared) => record("prepared", &StoredPrepared::from(&**prepared)),
        BranchEvent::BuildDecided(spec) => record("build-decided", &StoredSpec::from(spec)),
        BranchEvent::NightDecided(spec, night) => {
            record("night-decided", &NightDecided { spec: spec.into(), night: night.into() })
        }
        BranchEvent::SupersedeDecided => record("supersede-decided", &()),
        BranchEvent::JobFinished { head, job, outcome } => record(
            "job-finished",
            &JobFinished { head: head.to_string(), job: job.to_string(), outcome: outcome.into() },
        ),
        BranchEvent::BuildFinished(build) => {
            record("build-finished", &BuildFinished { build: build.0 })
        }
        BranchEvent::Forced { jobs, by } => {
            record("forced", &Forced { jobs: texts(jobs), by: by.to_string() })
        }
        BranchEvent::Reseed { by } => record("reseed", &Reseed { by: by.to_string() }),
        BranchEvent::NightForced { jobs, by } => {
            record("night-forced", &Forced { jobs: texts(jobs), by: by.to_string() })
        }
        BranchEvent::GivenUp => record("given-up", &()),
        BranchEvent::PrepareFailed { .. } | BranchEvent::BuildResumed(_) => {
            unreachable!("the machine never asks for these to be recorded")
        }
    }
}

/// Reads a branch's event.
///
/// # Errors
/// The record is of another program or does not fit its kind.
pub(crate) fn branch_event(stored: &Record) -> Result<BranchEvent, RecordError> {
    Ok(match stored.kind.as_str() {
        "observed" => BranchEvent::Observed(body::<StoredTip>(stored)?.try_into()?),
        "gone" => BranchEvent::Gone,
        "prepared" => BranchEvent::Prepared(Box::new(body::<StoredPrepared>(stored)?.try_into()?)),
        "build-decided" => BranchEvent::BuildDecided(body::<StoredSpec>(stored)?.try_into()?),
        "night-decided" => {
            let NightDecided { spec, night } = body(stored)?;
            BranchEvent::NightDecided(spec.try_into()?, night.try_into()?)
        }
        "night-forced" => {
            let Forced { jobs, by } = body(stored)?;
            BranchEvent::NightForced { jobs: parsed(&jobs)?, by: Login::new(by)? }
        }
        "supersede-decided" => BranchEvent::SupersedeDecided,
        "job-finished" => {
            let JobFinished { head, job, outcome } = body(stored)?;
            let (head, job, outcome) = (CommitSha::new(head)?, job.parse()?, outcome.try_into()?);
            BranchEvent::JobFinished { head, job, outcome }
        }
        "build-finished" => {
            BranchEvent::BuildFinished(BuildNumber(body::<BuildFinished>(stored)?.build))
        }
        "forced" => {
            let Forced { jobs, by } = body(stored)?;
            BranchEvent::Forced { jobs: parsed(&jobs)?, by: Login::new(by)? }
        }
        "reseed" => BranchEvent::Reseed { by: Login::new(body::<Reseed>(stored)?.by)? },
        "given-up" => BranchEvent::GivenUp,
        _ => return Err(unknown(stored)),
    })
}

/// Writes what a branch remembers.
pub(crate) fn branch_snapshot(memory: &BranchMemory) -> Value {
    let stored = StoredMemory {
        version: VERSION,
        tip: memory.tip.as_ref().map(Into::into),
        gone: memory.gone,
        prepared: memory.prepared.as_ref().map(Into::into),
        outcomes: outcomes(&memory.outcomes),
        forced: texts(&memory.forced),
        build: memory.build.as_ref().map(Into::into),
        builds: memory.builds,
        built: memory.built.as_ref().map(ToString::to_string),
        nights: (&memory.nights).into(),
        reseed: memory.reseed,
    };
    serde_json::to_value(stored).expect("stored types are plain data with text keys")
}

/// Reads what a branch remembers.
///
/// # Errors
/// Another program wrote it, or a part of it makes no sense.
pub(crate) fn recalled_branch(body: &Value) -> Result<BranchMemory, RecordError> {
    let kind = || "snapshot of a branch".to_owned();
    let stored: StoredMemory = serde_json::from_value(body.clone())
        .map_err(|source| RecordError::Body { kind: kind(), source })?;
    if stored.version != VERSION {
        return Err(RecordError::Unknown { kind: kind(), version: stored.version });
    }
    let outcome = |(job, outcome): (String, StoredOutcome)| {
        Ok::<(JobId, Outcome), RecordError>((job.parse()?, outcome.try_into()?))
    };
    Ok(BranchMemory {
        tip: stored.tip.map(TryInto::try_into).transpose()?,
        gone: stored.gone,
        prepared: stored.prepared.map(TryInto::try_into).transpose()?,
        outcomes: stored.outcomes.into_iter().map(outcome).collect::<Result<_, _>>()?,
        forced: parsed(&stored.forced)?,
        build: stored.build.map(TryInto::try_into).transpose()?,
        builds: stored.builds,
        built: stored.built.map(CommitSha::new).transpose()?,
        nights: stored.nights.try_into()?,
        reseed: stored.reseed,
    })
}

impl From<&Tip> for StoredTip {
    fn from(tip: &Tip) -> Self {
        let (commit, policy) = (tip.commit.to_string(), tip.policy.to_string());
        let queued = tip.queued.as_ref().map(|queued| StoredQueued {
            base: queued.base.as_ref().map(ToString::to_string),
            own: queued.head == Head::Own,
        });
        Self { commit, policy, preexisting: tip.preexisting, queued }
    }
}

impl TryFrom<StoredTip> for Tip {
    type Error = RecordError;

    fn try_from(stored: StoredTip) -> Result<Self, RecordError> {
        let StoredTip { commit, policy, preexisting, queued } = stored;
        let (commit, policy) = (CommitSha::new(commit)?, CommitSha::new(policy)?);
        let queued = queued.map(TryInto::try_into).transpose()?;
        Ok(Self { commit, policy, preexisting, queued })
    }
}

impl TryFrom<StoredQueued> for Queued {
    type Error = RecordError;

    fn try_from(stored: StoredQueued) -> Result<Self, RecordError> {
        let head = if stored.own { Head::Own } else { Head::ForkApproved };
        Ok(Self { base: stored.base.map(CommitSha::new).transpose()?, head })
    }
}

impl From<&BranchBuild> for StoredBuild {
    fn from(build: &BranchBuild) -> Self {
        Self {
            spec: (&build.spec).into(),
            superseded: build.superseded,
            abandoned: build.abandoned,
            stale: texts(&build.stale),
            night: build.night.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<StoredBuild> for BranchBuild {
    type Error = RecordError;

    fn try_from(stored: StoredBuild) -> Result<Self, RecordError> {
        Ok(Self {
            spec: stored.spec.try_into()?,
            superseded: stored.superseded,
            abandoned: stored.abandoned,
            stale: parsed(&stored.stale)?,
            night: stored.night.map(TryInto::try_into).transpose()?,
        })
    }
}
