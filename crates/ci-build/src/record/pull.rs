//! Events of a pull request, as stored.

use ci_domain::forge::{CommentId, ForceTarget};
use ci_domain::ids::{BuildNumber, CommitSha, Login};
use ci_domain::pull::{Observation, PullEvent, Request};
use ci_store::Record;
use serde::{Deserialize, Serialize};

use super::build::{StoredOrder, StoredOutcome, StoredSpec};
use super::owners::{StoredAnswer, answers, stored_answers};
use super::prepared::StoredPrepared;
use super::{Facts, RecordError, body, record, unknown};

#[derive(Serialize, Deserialize)]
pub(super) struct Observed {
    facts: Facts,
    policy: String,
    preexisting: bool,
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
    orders: u64,
}

#[derive(Serialize, Deserialize)]
struct Requested {
    request: StoredRequest,
    by: String,
    comment: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredRequest {
    Retry(Option<String>),
    ForceJob(String),
    ForceAll,
    Cancel(Option<String>),
    ApproveRun(String),
    Reseed,
}

#[derive(Serialize, Deserialize)]
struct Reason {
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Belonging {
    answers: Vec<StoredAnswer>,
}

/// Makes the record of a pull request's event.
pub(crate) fn pull_record(event: &PullEvent) -> Record {
    match event {
        PullEvent::Observed(observation) => record("observed", &Observed::from(observation)),
        PullEvent::Prepared(prepared) => record("prepared", &StoredPrepared::from(&**prepared)),
        PullEvent::BuildDecided(spec) => record("build-decided", &StoredSpec::from(spec)),
        PullEvent::OrderDecided(order) => record("order-decided", &StoredOrder::from(order)),
        PullEvent::SupersedeDecided => record("supersede-decided", &()),
        PullEvent::JobFinished { head, job, outcome } => record(
            "job-finished",
            &JobFinished { head: head.to_string(), job: job.to_string(), outcome: outcome.into() },
        ),
        PullEvent::BuildFinished { build, orders } => {
            record("build-finished", &BuildFinished { build: build.0, orders: *orders })
        }
        PullEvent::Requested { request, by, comment } => {
            let comment = comment.map(|comment| comment.0);
            record("requested", &Requested { request: request.into(), by: by.to_string(), comment })
        }
        PullEvent::Quarantined { reason } => {
            record("quarantined", &Reason { reason: reason.clone() })
        }
        PullEvent::Lifted => record("lifted", &()),
        PullEvent::BelongingRead(answers) => {
            record("belonging-read", &Belonging { answers: stored_answers(answers) })
        }
        PullEvent::PrepareFailed { .. } | PullEvent::BuildResumed { .. } => {
            unreachable!("the machine never asks for these to be recorded")
        }
    }
}

/// Reads a pull request's event.
///
/// # Errors
/// The record is of another program or does not fit its kind.
pub(crate) fn pull_event(stored: &Record) -> Result<PullEvent, RecordError> {
    Ok(match stored.kind.as_str() {
        "observed" => PullEvent::Observed(body::<Observed>(stored)?.try_into()?),
        "prepared" => PullEvent::Prepared(Box::new(body::<StoredPrepared>(stored)?.try_into()?)),
        "build-decided" => PullEvent::BuildDecided(body::<StoredSpec>(stored)?.try_into()?),
        "order-decided" => PullEvent::OrderDecided(body::<StoredOrder>(stored)?.try_into()?),
        "supersede-decided" => PullEvent::SupersedeDecided,
        "job-finished" => {
            let JobFinished { head, job, outcome } = body(stored)?;
            PullEvent::JobFinished {
                head: CommitSha::new(head)?,
                job: job.parse()?,
                outcome: outcome.try_into()?,
            }
        }
        "build-finished" => {
            let BuildFinished { build, orders } = body(stored)?;
            PullEvent::BuildFinished { build: BuildNumber(build), orders }
        }
        "requested" => {
            let Requested { request, by, comment } = body(stored)?;
            let (request, by) = (request.try_into()?, Login::new(by)?);
            PullEvent::Requested { request, by, comment: comment.map(CommentId) }
        }
        "quarantined" => PullEvent::Quarantined { reason: body::<Reason>(stored)?.reason },
        "lifted" => PullEvent::Lifted,
        "belonging-read" => PullEvent::BelongingRead(answers(body::<Belonging>(stored)?.answers)?),
        _ => return Err(unknown(stored)),
    })
}

impl From<&Observation> for Observed {
    fn from(observation: &Observation) -> Self {
        Self {
            facts: (&observation.facts).into(),
            policy: observation.policy.to_string(),
            preexisting: observation.preexisting,
        }
    }
}

impl TryFrom<Observed> for Observation {
    type Error = RecordError;

    fn try_from(stored: Observed) -> Result<Self, RecordError> {
        let Observed { facts, policy, preexisting } = stored;
        Ok(Self { facts: facts.try_into()?, policy: CommitSha::new(policy)?, preexisting })
    }
}

impl From<&Request> for StoredRequest {
    fn from(request: &Request) -> Self {
        match request {
            Request::Retry(job) => Self::Retry(job.as_ref().map(ToString::to_string)),
            Request::Force(ForceTarget::Job(job)) => Self::ForceJob(job.to_string()),
            Request::Force(ForceTarget::All) => Self::ForceAll,
            Request::Cancel(job) => Self::Cancel(job.as_ref().map(ToString::to_string)),
            Request::ApproveRun(commit) => Self::ApproveRun(commit.to_string()),
            Request::Reseed => Self::Reseed,
        }
    }
}

impl TryFrom<StoredRequest> for Request {
    type Error = RecordError;

    fn try_from(stored: StoredRequest) -> Result<Self, RecordError> {
        Ok(match stored {
            StoredRequest::Retry(job) => Self::Retry(job.map(|job| job.parse()).transpose()?),
            StoredRequest::ForceJob(job) => Self::Force(ForceTarget::Job(job.parse()?)),
            StoredRequest::ForceAll => Self::Force(ForceTarget::All),
            StoredRequest::Cancel(job) => Self::Cancel(job.map(|job| job.parse()).transpose()?),
            StoredRequest::ApproveRun(commit) => Self::ApproveRun(CommitSha::new(commit)?),
            StoredRequest::Reseed => Self::Reseed,
        })
    }
}
