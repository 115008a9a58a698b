//! Deliveries on disk: what each said, and which have had their effect.

use std::sync::Arc;

use ci_domain::forge::{
    CheckAgain, Comment, CommentId, ForgeEvent, FormerTip, PullComment, PullFacts, PullNews,
    Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_store::Record;
use heights::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::{self, Facts, RecordError};

/// A delivery that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) delivery: String,
    pub(super) repo: RepoName,
    pub(super) event: ForgeEvent,
    /// When it came.
    pub(super) at: Timestamp,
}

/// What one record says.
pub(super) enum Line {
    /// A delivery came.
    Received(Box<Entry>),
    /// Deliveries have had their effect.
    Finished(Vec<String>),
}

/// What a snapshot says.
pub(super) struct Remembered {
    pub(super) pending: Vec<Entry>,
    /// The ids of those that came, also of those that are pending, and when.
    pub(super) seen: Vec<(String, Timestamp)>,
}

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    delivery: String,
    repo: String,
    event: StoredEvent,
    /// Earlier programs did not write it down.
    #[serde(default)]
    at: u64,
}

#[derive(Serialize, Deserialize)]
struct Finished {
    deliveries: Vec<String>,
}

/// Earlier programs wrote one record for each.
#[derive(Deserialize)]
struct FinishedAlone {
    delivery: String,
}

#[derive(Serialize, Deserialize)]
struct StoredState {
    pending: Vec<StoredEntry>,
    /// From programs that remembered by number, not by time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<String>,
    #[serde(default)]
    hours: Vec<StoredHour>,
}

#[derive(Serialize, Deserialize)]
struct StoredHour {
    at: u64,
    seen: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredEvent {
    Pull {
        number: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        as_of: Option<u64>,
    },
    Facts(Box<Facts>),
    Pushed {
        branch: String,
        /// Where the branch was before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// Whether it was nowhere before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_new: bool,
        sha: Option<String>,
    },
    Commented {
        pull: u64,
        id: u64,
        author: String,
        body: String,
        created_at: u64,
    },
    Rerequested {
        sha: String,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check: Option<StoredCheckAgain>,
    },
    Repository {
        was: Option<String>,
    },
}

/// A check run that is wanted again.
#[derive(Serialize, Deserialize)]
struct StoredCheckAgain {
    name: String,
    reference: String,
    afresh: bool,
}

impl Entry {
    /// The record of having received it.
    pub(super) fn record(&self) -> Record {
        record::record("received", &StoredEntry::from(self))
    }
}

/// The record of deliveries that have had their effect.
pub(super) fn finished(deliveries: &[String]) -> Record {
    record::record("all-finished", &Finished { deliveries: deliveries.to_vec() })
}

/// Reads a record. What does not say when it came is taken to have come `now`.
pub(super) fn line(record: &Record, now: Timestamp) -> Result<Line, RecordError> {
    Ok(match record.kind.as_str() {
        "received" => Line::Received(Box::new(entry(record::body(record)?, now)?)),
        "finished" => Line::Finished(vec![record::body::<FinishedAlone>(record)?.delivery]),
        "all-finished" => Line::Finished(record::body::<Finished>(record)?.deliveries),
        _ => return Err(record::unknown(record)),
    })
}

/// Reads a snapshot, in the same way.
pub(super) fn recall(body: &Value, now: Timestamp) -> Result<Remembered, Fault> {
    let stored = StoredState::deserialize(body)?;
    let in_hour = |StoredHour { at, seen }| seen.into_iter().map(move |id| (id, Timestamp(at)));
    let by_hour = stored.hours.into_iter().flat_map(in_hour);
    let seen = by_hour.chain(stored.seen.into_iter().map(|id| (id, now))).collect();
    let pending = stored.pending.into_iter().map(|stored| entry(stored, now));
    Ok(Remembered { pending: pending.collect::<Result<_, _>>()?, seen })
}

/// A snapshot of deliveries of which the last came `at` a time.
pub(super) fn snapshot<'a>(
    pending: impl Iterator<Item = &'a Entry>,
    ids: &[Arc<str>],
    at: Timestamp,
) -> Result<Value, serde_json::Error> {
    let seen: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let hours = if seen.is_empty() { Vec::new() } else { vec![StoredHour { at: at.0, seen }] };
    let pending = pending.map(StoredEntry::from).collect();
    serde_json::to_value(StoredState { pending, seen: Vec::new(), hours })
}

fn entry(stored: StoredEntry, now: Timestamp) -> Result<Entry, RecordError> {
    let entry = Entry::try_from(stored)?;
    let at = if entry.at == Timestamp(0) { now } else { entry.at };
    Ok(Entry { at, ..entry })
}

impl From<&Entry> for StoredEntry {
    fn from(entry: &Entry) -> Self {
        let event = match &entry.event {
            ForgeEvent::PullChanged { number, news: PullNews::Hint { as_of } } => {
                StoredEvent::Pull { number: number.0, as_of: as_of.map(|at| at.0) }
            }
            ForgeEvent::PullChanged { news: PullNews::Facts(facts), .. } => {
                StoredEvent::Facts(Box::new(Facts::from(&**facts)))
            }
            ForgeEvent::Pushed { branch, former, sha } => StoredEvent::Pushed {
                branch: branch.to_string(),
                before: former.commit().map(ToString::to_string),
                is_new: *former == FormerTip::Absent,
                sha: sha.as_ref().map(ToString::to_string),
            },
            ForgeEvent::Commented(PullComment { pull, comment }) => StoredEvent::Commented {
                pull: pull.0,
                id: comment.id.0,
                author: comment.author.to_string(),
                body: comment.body.clone(),
                created_at: comment.created_at.0,
            },
            ForgeEvent::Rerequested { sha, by, check } => StoredEvent::Rerequested {
                sha: sha.to_string(),
                by: by.to_string(),
                check: check.clone().map(|CheckAgain { name, reference, afresh }| {
                    StoredCheckAgain { name, reference, afresh }
                }),
            },
            ForgeEvent::RepositoryChanged { was } => {
                StoredEvent::Repository { was: was.as_ref().map(ToString::to_string) }
            }
            ForgeEvent::Ping | ForgeEvent::Ignored { .. } => {
                unreachable!("events of no interest are not taken")
            }
        };
        let (delivery, repo) = (entry.delivery.clone(), entry.repo.to_string());
        Self { delivery, repo, event, at: entry.at.0 }
    }
}

impl TryFrom<StoredEntry> for Entry {
    type Error = RecordError;

    fn try_from(stored: StoredEntry) -> Result<Self, RecordError> {
        let event = match stored.event {
            StoredEvent::Pull { number, as_of } => {
                let news = PullNews::Hint { as_of: as_of.map(Timestamp) };
                ForgeEvent::PullChanged { number: PullNumber(number), news }
            }
            StoredEvent::Facts(facts) => ForgeEvent::read(PullFacts::try_from(*facts)?),
            StoredEvent::Pushed { branch, before, is_new, sha } => ForgeEvent::Pushed {
                branch: BranchName::new(branch)?,
                former: match before {
                    Some(before) => FormerTip::At(CommitSha::new(before)?),
                    None if is_new => FormerTip::Absent,
                    None => FormerTip::Unsaid,
                },
                sha: sha.map(CommitSha::new).transpose()?,
            },
            StoredEvent::Commented { pull, id, author, body, created_at } => {
                let comment = Comment {
                    id: CommentId(id),
                    author: Login::new(author)?,
                    body,
                    created_at: Timestamp(created_at),
                };
                ForgeEvent::Commented(PullComment { pull: PullNumber(pull), comment })
            }
            StoredEvent::Rerequested { sha, by, check } => ForgeEvent::Rerequested {
                sha: CommitSha::new(sha)?,
                by: Login::new(by)?,
                check: check.map(|StoredCheckAgain { name, reference, afresh }| CheckAgain {
                    name,
                    reference,
                    afresh,
                }),
            },
            StoredEvent::Repository { was } => {
                ForgeEvent::RepositoryChanged { was: was.map(RepoName::new).transpose()? }
            }
        };
        let (repo, at) = (RepoName::new(stored.repo)?, Timestamp(stored.at));
        Ok(Self { delivery: stored.delivery, repo, event, at })
    }
}

#[cfg(test)]
mod tests;
