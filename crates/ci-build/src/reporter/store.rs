//! What the reporter has told the forge, on disk.

mod checks;

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::forge::{CommentId, StatusState, StatusWrite};
use ci_domain::ids::{CommitSha, RepoName};
use ci_store::{Record, Seq};
use heights::Fault;
use serde::{Deserialize, Serialize};

use crate::ledger::{LedgerHandle, reporter_stream};
use crate::record::{self, RecordError};
use crate::reporter::book::{CheckKey, Posted, Told};
use crate::reporter::store::checks::{StoredCheck, StoredKey};
use crate::reporter::write::Written;

/// Records after which the stream is folded into a snapshot.
const RECORDS_PER_SNAPSHOT: u64 = 256;

/// Reads and writes what has been told.
pub(super) struct ReporterStore {
    ledger: LedgerHandle,
    last: BTreeMap<RepoName, (Seq, u64)>,
}

#[derive(Serialize, Deserialize)]
struct StoredStatus {
    sha: String,
    context: String,
    state: String,
    description: String,
    target_url: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredComment {
    marker: String,
    id: u64,
    content: String,
}

#[derive(Serialize, Deserialize)]
struct Attempted {
    marker: String,
}

#[derive(Serialize, Deserialize)]
struct Begun {
    sha: String,
}

/// The whole of what has been told.
#[derive(Serialize, Deserialize)]
struct StoredTold {
    statuses: Vec<StoredStatus>,
    comments: Vec<StoredComment>,
    attempted: BTreeSet<String>,
    /// The commits on which statuses may have been written, the one to be forgotten first at the
    /// beginning; those with one on record count anyway.
    #[serde(default)]
    begun: Vec<String>,
    /// Those of them of which the last write has had no answer.
    #[serde(default)]
    unanswered: Vec<String>,
    #[serde(default)]
    checks: Vec<StoredCheck>,
    /// Check runs of which a write has had no answer.
    #[serde(default)]
    checks_begun: Vec<StoredKey>,
}

impl ReporterStore {
    pub(super) fn new(ledger: LedgerHandle) -> Self {
        Self { ledger, last: BTreeMap::new() }
    }

    /// Reads what has been told in `repo`.
    pub(super) async fn load(&mut self, repo: &RepoName) -> Result<Told, Fault> {
        let replay = self.ledger.read(&reporter_stream(repo)).await?;
        let mut told = match &replay.snapshot {
            Some(snapshot) => {
                let stored: StoredTold = serde_json::from_value(snapshot.body.clone())?;
                stored.try_into()?
            }
            None => Told::default(),
        };
        self.last.insert(repo.clone(), (replay.last(), replay.records.len() as u64));
        for (_, record) in &replay.records {
            fold(&mut told, record)?;
        }
        Ok(told)
    }

    /// Records that a comment is about to be posted.
    pub(super) async fn attempted(&mut self, repo: &RepoName, marker: &str) -> Result<(), Fault> {
        let body = Attempted { marker: marker.to_owned() };
        self.append(repo, vec![record::record("attempted", &body)]).await
    }

    /// Records that a status is about to be written on a commit.
    pub(super) async fn begun(&mut self, repo: &RepoName, sha: &CommitSha) -> Result<(), Fault> {
        let body = Begun { sha: sha.to_string() };
        self.append(repo, vec![record::record("begun", &body)]).await
    }

    /// Records that a check run is about to be written.
    pub(super) async fn check_begun(
        &mut self,
        repo: &RepoName,
        key: &CheckKey,
    ) -> Result<(), Fault> {
        self.append(repo, vec![record::record("check-begun", &StoredKey::from(key))]).await
    }

    /// Records that these were written.
    pub(super) async fn written(
        &mut self,
        repo: &RepoName,
        written: &[Written],
    ) -> Result<(), Fault> {
        let record = |written: &Written| match written {
            Written::Status { sha, status } => {
                record::record("status", &stored_status(sha, status))
            }
            Written::Comment { marker, posted } => {
                record::record("comment", &stored_comment(marker, posted))
            }
            Written::Check { key, told } => {
                record::record("check", &StoredCheck::from((key, told)))
            }
        };
        match written {
            [] => Ok(()),
            _ => self.append(repo, written.iter().map(record).collect()).await,
        }
    }

    /// Folds the stream into a snapshot when it has grown long.
    pub(super) async fn condense(&mut self, repo: &RepoName, told: &Told) -> Result<(), Fault> {
        match self.last.get_mut(repo) {
            Some((seq, since)) if *since >= RECORDS_PER_SNAPSHOT => {
                *since = 0;
                let body = serde_json::to_value(StoredTold::from(told))?;
                self.ledger.snapshot(&reporter_stream(repo), *seq, body).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn append(&mut self, repo: &RepoName, records: Vec<Record>) -> Result<(), Fault> {
        let count = records.len() as u64;
        let seq = self.ledger.append(&reporter_stream(repo), records).await?;
        let last = self.last.entry(repo.clone()).or_insert((seq, 0));
        *last = (seq, last.1 + count);
        Ok(())
    }
}

fn fold(told: &mut Told, record: &Record) -> Result<(), RecordError> {
    match record.kind.as_str() {
        "attempted" => {
            told.attempted.insert(record::body::<Attempted>(record)?.marker);
        }
        "begun" => told.begin(CommitSha::new(record::body::<Begun>(record)?.sha)?),
        "status" => {
            let (sha, status) = record::body::<StoredStatus>(record)?.try_into()?;
            told.note(Written::Status { sha, status });
        }
        "comment" => {
            let (marker, posted) = record::body::<StoredComment>(record)?.into();
            told.note(Written::Comment { marker, posted });
        }
        "check-begun" => {
            let key = record::body::<StoredKey>(record)?.try_into()?;
            told.checks.unanswered.insert(key);
        }
        "check" => {
            let (key, shown) = record::body::<StoredCheck>(record)?.try_into()?;
            told.note(Written::Check { key, told: shown });
        }
        _ => return Err(record::unknown(record)),
    }
    Ok(())
}

fn stored_status(sha: &CommitSha, status: &StatusWrite) -> StoredStatus {
    StoredStatus {
        sha: sha.to_string(),
        context: status.context.clone(),
        state: status.state.as_str().to_owned(),
        description: status.description.clone(),
        target_url: status.target_url.clone(),
    }
}

fn stored_comment(marker: &str, posted: &Posted) -> StoredComment {
    StoredComment { marker: marker.to_owned(), id: posted.id.0, content: posted.content.clone() }
}

impl TryFrom<StoredStatus> for (CommitSha, StatusWrite) {
    type Error = RecordError;

    fn try_from(stored: StoredStatus) -> Result<Self, RecordError> {
        let state = StatusState::from_word(&stored.state)
            .ok_or_else(|| RecordError::Value(format!("the status state {:?}", stored.state)))?;
        let StoredStatus { sha, context, description, target_url, .. } = stored;
        Ok((CommitSha::new(sha)?, StatusWrite { context, state, description, target_url }))
    }
}

impl From<StoredComment> for (String, Posted) {
    fn from(stored: StoredComment) -> Self {
        (stored.marker, Posted { id: CommentId(stored.id), content: stored.content })
    }
}

impl From<&Told> for StoredTold {
    fn from(told: &Told) -> Self {
        let statuses = told.statuses.iter();
        Self {
            statuses: statuses
                .flat_map(|(sha, of)| of.iter().map(move |status| stored_status(sha, status)))
                .collect(),
            comments: told
                .order
                .iter()
                .filter_map(|marker| Some(stored_comment(marker, told.comments.get(marker)?)))
                .collect(),
            attempted: told.attempted.clone(),
            begun: told.heads.iter().map(CommitSha::to_string).collect(),
            unanswered: told.unanswered.iter().map(CommitSha::to_string).collect(),
            checks: checks::stored(&told.checks),
            checks_begun: told.checks.unanswered.iter().map(StoredKey::from).collect(),
        }
    }
}

impl TryFrom<StoredTold> for Told {
    type Error = RecordError;

    fn try_from(stored: StoredTold) -> Result<Self, RecordError> {
        let mut told = Self { attempted: stored.attempted, ..Self::default() };
        for sha in stored.begun {
            told.know(CommitSha::new(sha)?);
        }
        for status in stored.statuses {
            let (sha, status) = status.try_into()?;
            told.note(Written::Status { sha, status });
        }
        for comment in stored.comments {
            let (marker, posted) = comment.into();
            told.note(Written::Comment { marker, posted });
        }
        for sha in stored.unanswered {
            told.begin(CommitSha::new(sha)?);
        }
        for check in stored.checks {
            let (key, shown) = check.try_into()?;
            told.note(Written::Check { key, told: shown });
        }
        for key in stored.checks_begun {
            told.checks.unanswered.insert(key.try_into()?);
        }
        Ok(told)
    }
}
