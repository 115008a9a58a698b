//! Deliveries on disk: what each said, and which have had their effect.

use std::collections::BTreeMap;

use ci_domain::forge::{
    Comment, CommentId, ForgeEvent, PullComment, PullFacts, PullNews, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_store::{Record, Replay};
use heights::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::intake::remembered::Remembered;
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

/// Every delivery that is remembered.
#[derive(Debug)]
pub(super) struct IntakeState {
    pending: BTreeMap<String, Entry>,
    seen: Remembered,
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
    },
    Repository {
        was: Option<String>,
    },
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

impl IntakeState {
    /// Folds what is on record. What does not say when it came is taken to have come `now`.
    pub(super) fn replay(replay: &Replay, now: Timestamp) -> Result<Self, Fault> {
        let mut state = Self { pending: BTreeMap::new(), seen: Remembered::new() };
        if let Some(snapshot) = &replay.snapshot {
            state.recall(serde_json::from_value(snapshot.body.clone())?, now)?;
        }
        for (_, record) in &replay.records {
            match record.kind.as_str() {
                "received" => state.take(record::body(record)?, now)?,
                "finished" => state.finish(&record::body::<FinishedAlone>(record)?.delivery),
                "all-finished" => {
                    let Finished { deliveries } = record::body(record)?;
                    deliveries.iter().for_each(|delivery| state.finish(delivery));
                }
                _ => return Err(record::unknown(record).into()),
            }
        }
        Ok(state)
    }

    fn recall(&mut self, stored: StoredState, now: Timestamp) -> Result<(), RecordError> {
        for StoredHour { at, seen } in stored.hours {
            seen.iter().for_each(|delivery| self.seen.note(delivery, Timestamp(at)));
        }
        stored.seen.iter().for_each(|delivery| self.seen.note(delivery, now));
        stored.pending.into_iter().try_for_each(|entry| self.take(entry, now))
    }

    fn take(&mut self, stored: StoredEntry, now: Timestamp) -> Result<(), RecordError> {
        let entry = Entry::try_from(stored)?;
        let at = if entry.at == Timestamp(0) { now } else { entry.at };
        self.receive(Entry { at, ..entry });
        Ok(())
    }

    pub(super) fn has(&self, delivery: &str) -> bool {
        self.seen.has(delivery)
    }

    /// How many deliveries are remembered.
    pub(super) fn remembered(&self) -> usize {
        self.seen.len()
    }

    /// How many deliveries have not had their effect.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn is_pending(&self, delivery: &str) -> bool {
        self.pending.contains_key(delivery)
    }

    /// Those that have not had their effect.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.pending.values()
    }

    pub(super) fn receive(&mut self, entry: Entry) {
        self.seen.note(&entry.delivery, entry.at);
        self.pending.insert(entry.delivery.clone(), entry);
    }

    pub(super) fn finish(&mut self, delivery: &str) {
        self.pending.remove(delivery);
    }

    /// The whole of it, for a snapshot.
    pub(super) fn snapshot(&self) -> Result<Value, serde_json::Error> {
        let pending = self.pending.values().map(StoredEntry::from).collect();
        let hours = self.seen.by_hour().map(|(at, seen)| StoredHour { at: at.0, seen }).collect();
        serde_json::to_value(StoredState { pending, seen: Vec::new(), hours })
    }
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
            ForgeEvent::Pushed { branch, sha } => StoredEvent::Pushed {
                branch: branch.to_string(),
                sha: sha.as_ref().map(ToString::to_string),
            },
            ForgeEvent::Commented(PullComment { pull, comment }) => StoredEvent::Commented {
                pull: pull.0,
                id: comment.id.0,
                author: comment.author.to_string(),
                body: comment.body.clone(),
                created_at: comment.created_at.0,
            },
            ForgeEvent::Rerequested { sha, by } => {
                StoredEvent::Rerequested { sha: sha.to_string(), by: by.to_string() }
            }
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
            StoredEvent::Pushed { branch, sha } => ForgeEvent::Pushed {
                branch: BranchName::new(branch)?,
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
            StoredEvent::Rerequested { sha, by } => {
                ForgeEvent::Rerequested { sha: CommitSha::new(sha)?, by: Login::new(by)? }
            }
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
