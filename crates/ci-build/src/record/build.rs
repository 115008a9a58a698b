//! Events of a build, as stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ci_domain::build::{AttemptEnd, BuildEvent, BuildSpec, JobRequest, Order};
use ci_domain::ids::{AttemptId, BuildNumber, CommitSha, JobId};
use ci_domain::outcome::{JobResult, Outcome};
use ci_store::Record;
use serde::{Deserialize, Serialize};

use super::{RecordError, body, record, unknown};

/// Jobs to run, by name.
type StoredRequests = BTreeMap<String, StoredRequest>;

#[derive(Serialize, Deserialize)]
pub(super) struct StoredSpec {
    number: u64,
    head: String,
    merge: String,
    prefix: String,
    reseed: bool,
    jobs: StoredRequests,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredRequest {
    needs: BTreeSet<String>,
    digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredOrder {
    Run(StoredRequests),
    Cancel(Option<String>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredResult {
    Passed,
    Failed,
    Crashed { reason: String },
    Cancelled,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredOutcome {
    result: StoredResult,
    attempt: Option<String>,
    build: u64,
    digest: String,
    duration_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct WorkspaceFailed {
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Ordered {
    index: u64,
    order: StoredOrder,
}

#[derive(Serialize, Deserialize)]
struct AttemptDecided {
    job: String,
    attempt: String,
}

#[derive(Serialize, Deserialize)]
struct AttemptEnded {
    attempt: String,
    /// Missing where there is none: the runner was lost, or interrupted.
    result: Option<StoredResult>,
    #[serde(default, skip_serializing_if = "is_false")]
    interrupted: bool,
    duration_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Makes the record of a build's event.
pub(crate) fn build_record(event: &BuildEvent) -> Record {
    match event {
        BuildEvent::Began(spec) => record("began", &StoredSpec::from(spec)),
        BuildEvent::WorkspaceReady => record("workspace-ready", &()),
        BuildEvent::WorkspaceFailed { reason } => {
            record("workspace-failed", &WorkspaceFailed { reason: reason.clone() })
        }
        BuildEvent::Ordered { index, order } => {
            record("ordered", &Ordered { index: *index, order: order.into() })
        }
        BuildEvent::AttemptDecided { job, attempt } => record(
            "attempt-decided",
            &AttemptDecided { job: job.to_string(), attempt: attempt.to_string() },
        ),
        BuildEvent::AttemptEnded { attempt, end } => {
            let (result, duration) = match end {
                AttemptEnd::Finished { result, duration } => (Some(result.into()), *duration),
                AttemptEnd::Lost | AttemptEnd::Interrupted => (None, Duration::ZERO),
            };
            let interrupted = *end == AttemptEnd::Interrupted;
            let (attempt, duration_ms) = (attempt.to_string(), millis(duration));
            record("attempt-ended", &AttemptEnded { attempt, result, interrupted, duration_ms })
        }
        BuildEvent::Superseded => record("superseded", &()),
    }
}

/// Reads a build's event.
///
/// # Errors
/// The record is of another program or does not fit its kind.
pub(crate) fn build_event(stored: &Record) -> Result<BuildEvent, RecordError> {
    Ok(match stored.kind.as_str() {
        "began" => BuildEvent::Began(body::<StoredSpec>(stored)?.try_into()?),
        "workspace-ready" => BuildEvent::WorkspaceReady,
        "workspace-failed" => {
            BuildEvent::WorkspaceFailed { reason: body::<WorkspaceFailed>(stored)?.reason }
        }
        "ordered" => {
            let Ordered { index, order } = body(stored)?;
            BuildEvent::Ordered { index, order: order.try_into()? }
        }
        "attempt-decided" => {
            let AttemptDecided { job, attempt } = body(stored)?;
            BuildEvent::AttemptDecided { job: job.parse()?, attempt: attempt.parse()? }
        }
        "attempt-ended" => {
            let AttemptEnded { attempt, result, interrupted, duration_ms } = body(stored)?;
            let duration = Duration::from_millis(duration_ms);
            let end = match result {
                Some(result) => AttemptEnd::Finished { result: result.into(), duration },
                None if interrupted => AttemptEnd::Interrupted,
                None => AttemptEnd::Lost,
            };
            BuildEvent::AttemptEnded { attempt: AttemptId::new(attempt)?, end }
        }
        "superseded" => BuildEvent::Superseded,
        _ => return Err(unknown(stored)),
    })
}

impl From<&BuildSpec> for StoredSpec {
    fn from(spec: &BuildSpec) -> Self {
        Self {
            number: spec.number.0,
            head: spec.head.to_string(),
            merge: spec.merge.to_string(),
            prefix: spec.prefix.clone(),
            reseed: spec.reseed,
            jobs: stored_requests(&spec.jobs),
        }
    }
}

impl TryFrom<StoredSpec> for BuildSpec {
    type Error = RecordError;

    fn try_from(stored: StoredSpec) -> Result<Self, RecordError> {
        Ok(Self {
            number: BuildNumber(stored.number),
            head: CommitSha::new(stored.head)?,
            merge: CommitSha::new(stored.merge)?,
            prefix: stored.prefix,
            reseed: stored.reseed,
            jobs: requests(stored.jobs)?,
        })
    }
}

impl From<&Order> for StoredOrder {
    fn from(order: &Order) -> Self {
        match order {
            Order::Run(jobs) => Self::Run(stored_requests(jobs)),
            Order::Cancel(job) => Self::Cancel(job.as_ref().map(ToString::to_string)),
        }
    }
}

impl TryFrom<StoredOrder> for Order {
    type Error = RecordError;

    fn try_from(stored: StoredOrder) -> Result<Self, RecordError> {
        Ok(match stored {
            StoredOrder::Run(jobs) => Self::Run(requests(jobs)?),
            StoredOrder::Cancel(job) => Self::Cancel(job.map(|job| job.parse()).transpose()?),
        })
    }
}

impl From<&JobResult> for StoredResult {
    fn from(result: &JobResult) -> Self {
        match result {
            JobResult::Passed => Self::Passed,
            JobResult::Failed => Self::Failed,
            JobResult::Crashed { reason } => Self::Crashed { reason: reason.clone() },
            JobResult::Cancelled => Self::Cancelled,
        }
    }
}

impl From<StoredResult> for JobResult {
    fn from(stored: StoredResult) -> Self {
        match stored {
            StoredResult::Passed => Self::Passed,
            StoredResult::Failed => Self::Failed,
            StoredResult::Crashed { reason } => Self::Crashed { reason },
            StoredResult::Cancelled => Self::Cancelled,
        }
    }
}

impl From<&Outcome> for StoredOutcome {
    fn from(outcome: &Outcome) -> Self {
        Self {
            result: (&outcome.result).into(),
            attempt: outcome.attempt.as_ref().map(ToString::to_string),
            build: outcome.build.0,
            digest: outcome.digest.clone(),
            duration_ms: millis(outcome.duration),
        }
    }
}

impl TryFrom<StoredOutcome> for Outcome {
    type Error = RecordError;

    fn try_from(stored: StoredOutcome) -> Result<Self, RecordError> {
        Ok(Self {
            result: stored.result.into(),
            attempt: stored.attempt.map(AttemptId::new).transpose()?,
            build: BuildNumber(stored.build),
            digest: stored.digest,
            duration: Duration::from_millis(stored.duration_ms),
        })
    }
}

fn stored_requests(jobs: &BTreeMap<JobId, JobRequest>) -> StoredRequests {
    let stored = |request: &JobRequest| StoredRequest {
        needs: request.needs.iter().map(ToString::to_string).collect(),
        digest: request.digest.clone(),
    };
    jobs.iter().map(|(id, request)| (id.to_string(), stored(request))).collect()
}

fn requests(stored: StoredRequests) -> Result<BTreeMap<JobId, JobRequest>, RecordError> {
    stored
        .into_iter()
        .map(|(id, StoredRequest { needs, digest })| {
            let needs = needs.iter().map(|need| need.parse()).collect::<Result<_, _>>()?;
            Ok((id.parse()?, JobRequest { needs, digest }))
        })
        .collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
