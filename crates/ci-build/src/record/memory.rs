//! All that a pull request remembers, as stored in place of a long stream.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::forge::CommentId;
use ci_domain::ids::{CommitSha, JobId};
use ci_domain::pull::{ActiveBuild, Memory};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RecordError;
use super::build::{StoredOrder, StoredOutcome, StoredSpec};
use super::owners::{StoredAnswer, answers, stored_answers};
use super::prepared::StoredPrepared;
use super::pull::Observed;

/// The version of the form below.
const VERSION: u16 = 1;

#[derive(Serialize, Deserialize)]
struct StoredMemory {
    version: u16,
    observation: Option<Observed>,
    silent: BTreeSet<String>,
    prepared: Option<StoredPrepared>,
    outcomes: Vec<(String, BTreeMap<String, StoredOutcome>)>,
    discarded: Vec<(String, Option<String>)>,
    forced: BTreeSet<String>,
    approved_to_run: BTreeSet<String>,
    heeded: BTreeSet<u64>,
    reseed: bool,
    build: Option<StoredBuild>,
    builds: u64,
    quarantine: Option<String>,
    /// Not there in snapshots of earlier programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    belonging: Vec<StoredAnswer>,
}

#[derive(Serialize, Deserialize)]
struct StoredBuild {
    spec: StoredSpec,
    orders: Vec<StoredOrder>,
    superseded: bool,
    abandoned: bool,
    pending: BTreeSet<String>,
}

/// Writes what a pull request remembers.
pub(crate) fn memory_snapshot(memory: &Memory) -> Value {
    let stored = StoredMemory {
        version: VERSION,
        observation: memory.observation.as_ref().map(Into::into),
        silent: texts(&memory.silent),
        prepared: memory.prepared.as_ref().map(Into::into),
        outcomes: memory
            .outcomes
            .iter()
            .map(|(head, of)| (head.to_string(), outcomes(of)))
            .collect(),
        discarded: memory
            .discarded
            .iter()
            .map(|(job, attempt)| (job.to_string(), attempt.as_ref().map(ToString::to_string)))
            .collect(),
        forced: texts(&memory.forced),
        approved_to_run: texts(&memory.approved_to_run),
        heeded: memory.heeded.iter().map(|comment| comment.0).collect(),
        reseed: memory.reseed,
        build: memory.build.as_ref().map(Into::into),
        builds: memory.builds,
        quarantine: memory.quarantine.clone(),
        belonging: stored_answers(&memory.belonging),
    };
    serde_json::to_value(stored).expect("stored types are plain data with text keys")
}

/// Reads what a pull request remembers.
///
/// # Errors
/// Another program wrote it, or a part of it makes no sense.
pub(crate) fn recalled(body: &Value) -> Result<Memory, RecordError> {
    let kind = || "snapshot of a pull request".to_owned();
    let stored: StoredMemory = serde_json::from_value(body.clone())
        .map_err(|source| RecordError::Body { kind: kind(), source })?;
    if stored.version != VERSION {
        return Err(RecordError::Unknown { kind: kind(), version: stored.version });
    }
    let outcomes = |(head, of): (String, BTreeMap<String, StoredOutcome>)| {
        let of = of.into_iter().map(|(job, outcome)| Ok((job.parse()?, outcome.try_into()?)));
        Ok::<_, RecordError>((CommitSha::new(head)?, of.collect::<Result<_, RecordError>>()?))
    };
    let discarded = |(job, attempt): (String, Option<String>)| {
        let attempt = attempt.map(|attempt| attempt.parse()).transpose()?;
        Ok::<_, RecordError>((job.parse()?, attempt))
    };
    Ok(Memory {
        observation: stored.observation.map(TryInto::try_into).transpose()?,
        silent: parsed(&stored.silent)?,
        prepared: stored.prepared.map(TryInto::try_into).transpose()?,
        outcomes: stored.outcomes.into_iter().map(outcomes).collect::<Result<_, _>>()?,
        discarded: stored.discarded.into_iter().map(discarded).collect::<Result<_, _>>()?,
        forced: parsed(&stored.forced)?,
        approved_to_run: parsed(&stored.approved_to_run)?,
        heeded: stored.heeded.into_iter().map(CommentId).collect(),
        reseed: stored.reseed,
        build: stored.build.map(TryInto::try_into).transpose()?,
        builds: stored.builds,
        quarantine: stored.quarantine,
        belonging: answers(stored.belonging)?,
    })
}

impl From<&ActiveBuild> for StoredBuild {
    fn from(build: &ActiveBuild) -> Self {
        Self {
            spec: (&build.spec).into(),
            orders: build.orders.iter().map(Into::into).collect(),
            superseded: build.superseded,
            abandoned: build.abandoned,
            pending: texts(&build.pending),
        }
    }
}

impl TryFrom<StoredBuild> for ActiveBuild {
    type Error = RecordError;

    fn try_from(stored: StoredBuild) -> Result<Self, RecordError> {
        let orders = stored.orders.into_iter().map(TryInto::try_into);
        Ok(Self {
            spec: stored.spec.try_into()?,
            orders: orders.collect::<Result<_, _>>()?,
            superseded: stored.superseded,
            abandoned: stored.abandoned,
            pending: parsed(&stored.pending)?,
        })
    }
}

pub(super) fn outcomes(
    of: &BTreeMap<JobId, ci_domain::outcome::Outcome>,
) -> BTreeMap<String, StoredOutcome> {
    of.iter().map(|(job, outcome)| (job.to_string(), outcome.into())).collect()
}

pub(super) fn texts<T: ToString>(items: &BTreeSet<T>) -> BTreeSet<String> {
    items.iter().map(ToString::to_string).collect()
}

pub(super) fn parsed<T>(texts: &BTreeSet<String>) -> Result<BTreeSet<T>, RecordError>
where
    T: std::str::FromStr<Err = ci_domain::ids::InvalidId> + Ord,
{
    Ok(texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?)
}
