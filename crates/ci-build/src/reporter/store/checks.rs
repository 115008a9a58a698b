//! What has been told about check runs, on disk.

use ci_domain::forge::{CheckId, CheckState};
use ci_domain::ids::CommitSha;
use serde::{Deserialize, Serialize};

use crate::record::RecordError;
use crate::reporter::book::{CheckKey, ToldCheck, ToldChecks};

/// Which check run.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredKey {
    sha: String,
    name: String,
}

/// What it was told last.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredCheck {
    sha: String,
    name: String,
    id: u64,
    reference: String,
    state: String,
    marks: usize,
    complete: bool,
}

/// All of it, for a snapshot.
pub(super) fn stored(told: &ToldChecks) -> Vec<StoredCheck> {
    let of_commit = told.standing.iter().flat_map(|(sha, of)| {
        of.iter().map(move |(name, told)| StoredCheck::from((&(sha.clone(), name.clone()), told)))
    });
    of_commit.collect()
}

impl From<&CheckKey> for StoredKey {
    fn from((sha, name): &CheckKey) -> Self {
        Self { sha: sha.to_string(), name: name.clone() }
    }
}

impl TryFrom<StoredKey> for CheckKey {
    type Error = RecordError;

    fn try_from(StoredKey { sha, name }: StoredKey) -> Result<Self, RecordError> {
        Ok((CommitSha::new(sha)?, name))
    }
}

impl From<(&CheckKey, &ToldCheck)> for StoredCheck {
    fn from((key, told): (&CheckKey, &ToldCheck)) -> Self {
        Self {
            sha: key.0.to_string(),
            name: key.1.clone(),
            id: told.id.0,
            reference: told.reference.clone(),
            state: told.state.as_str().to_owned(),
            marks: told.marks,
            complete: told.is_complete,
        }
    }
}

impl TryFrom<StoredCheck> for (CheckKey, ToldCheck) {
    type Error = RecordError;

    fn try_from(stored: StoredCheck) -> Result<Self, RecordError> {
        let StoredCheck { sha, name, id, reference, state, marks, complete } = stored;
        let state = CheckState::from_word(&state)
            .ok_or_else(|| RecordError::Value(format!("the state {state:?} of a check run")))?;
        let told = ToldCheck { id: CheckId(id), reference, state, marks, is_complete: complete };
        Ok(((CommitSha::new(sha)?, name), told))
    }
}
