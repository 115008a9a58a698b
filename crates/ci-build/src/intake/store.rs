//! Deliveries on disk: what each said, and which have had their effect.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ci_domain::forge::{
    Comment, CommentId, ForgeEvent, PullComment, PullFacts, PullNews, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_store::{Record, Replay};
use heights::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::{self, Facts, RecordError};

/// Deliveries that are remembered to know a duplicate; a week of a busy repository.
const REMEMBERED: usize = 20_000;

/// A delivery that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) delivery: String,
    pub(super) repo: RepoName,
    pub(super) event: ForgeEvent,
}

/// Every delivery that is remembered.
#[derive(Debug, Default)]
pub(super) struct IntakeState {
    pending: BTreeMap<String, Entry>,
    order: VecDeque<String>,
    seen: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    delivery: String,
    repo: String,
    event: StoredEvent,
}

#[derive(Serialize, Deserialize)]
struct Finished {
    delivery: String,
}

#[derive(Serialize, Deserialize)]
struct StoredState {
    pending: Vec<StoredEntry>,
    seen: VecDeque<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredEvent {
    Pull { number: u64 },
    Facts(Box<Facts>),
    Pushed { branch: String, sha: Option<String> },
    Commented { pull: u64, id: u64, author: String, body: String, created_at: u64 },
}

impl Entry {
    /// The record of having received it.
    pub(super) fn record(&self) -> Record {
        record::record("received", &StoredEntry::from(self))
    }
}

/// The record of a delivery that has had its effect.
pub(super) fn finished(delivery: &str) -> Record {
    record::record("finished", &Finished { delivery: delivery.to_owned() })
}

impl IntakeState {
    /// Folds what is on record.
    pub(super) fn replay(replay: &Replay) -> Result<Self, Fault> {
        let mut state = Self::default();
        if let Some(snapshot) = &replay.snapshot {
            let stored: StoredState = serde_json::from_value(snapshot.body.clone())?;
            for delivery in stored.seen {
                state.remember(delivery);
            }
            for entry in stored.pending {
                state.receive(entry.try_into()?);
            }
        }
        for (_, record) in &replay.records {
            match record.kind.as_str() {
                "received" => state.receive(record::body::<StoredEntry>(record)?.try_into()?),
                "finished" => state.finish(&record::body::<Finished>(record)?.delivery),
                _ => return Err(record::unknown(record).into()),
            }
        }
        Ok(state)
    }

    pub(super) fn has(&self, delivery: &str) -> bool {
        self.seen.contains(delivery)
    }

    pub(super) fn is_pending(&self, delivery: &str) -> bool {
        self.pending.contains_key(delivery)
    }

    /// Those that have not had their effect.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.pending.values()
    }

    pub(super) fn receive(&mut self, entry: Entry) {
        self.remember(entry.delivery.clone());
        self.pending.insert(entry.delivery.clone(), entry);
    }

    pub(super) fn finish(&mut self, delivery: &str) {
        self.pending.remove(delivery);
    }

    /// The whole of it, for a snapshot.
    pub(super) fn snapshot(&self) -> Result<Value, serde_json::Error> {
        let pending = self.pending.values().map(StoredEntry::from).collect();
        serde_json::to_value(StoredState { pending, seen: self.order.clone() })
    }

    fn remember(&mut self, delivery: String) {
        if self.seen.insert(delivery.clone()) {
            self.order.push_back(delivery);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }
}

impl From<&Entry> for StoredEntry {
    fn from(entry: &Entry) -> Self {
        let event = match &entry.event {
            ForgeEvent::PullChanged { number, news: PullNews::Hint } => {
                StoredEvent::Pull { number: number.0 }
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
            ForgeEvent::Ping | ForgeEvent::Ignored { .. } => {
                unreachable!("events of no interest are not taken")
            }
        };
        Self { delivery: entry.delivery.clone(), repo: entry.repo.to_string(), event }
    }
}

impl TryFrom<StoredEntry> for Entry {
    type Error = RecordError;

    fn try_from(stored: StoredEntry) -> Result<Self, RecordError> {
        let event = match stored.event {
            StoredEvent::Pull { number } => {
                ForgeEvent::PullChanged { number: PullNumber(number), news: PullNews::Hint }
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
        };
        Ok(Self { delivery: stored.delivery, repo: RepoName::new(stored.repo)?, event })
    }
}
