//! A commit status as the book has it.

use ci_domain::forge::{StatusState, StatusWrite};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct StatusRecord {
    pub(super) context: String,
    state: StatusStateWord,
    description: String,
    target_url: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum StatusStateWord {
    Pending,
    Success,
    Failure,
    Error,
}

impl From<&StatusWrite> for StatusRecord {
    fn from(status: &StatusWrite) -> Self {
        Self {
            context: status.context.clone(),
            state: match status.state {
                StatusState::Pending => StatusStateWord::Pending,
                StatusState::Success => StatusStateWord::Success,
                StatusState::Failure => StatusStateWord::Failure,
                StatusState::Error => StatusStateWord::Error,
            },
            description: status.description.clone(),
            target_url: status.target_url.clone(),
        }
    }
}

impl From<&StatusRecord> for StatusWrite {
    fn from(record: &StatusRecord) -> Self {
        Self {
            context: record.context.clone(),
            state: match record.state {
                StatusStateWord::Pending => StatusState::Pending,
                StatusStateWord::Success => StatusState::Success,
                StatusStateWord::Failure => StatusState::Failure,
                StatusStateWord::Error => StatusState::Error,
            },
            description: record.description.clone(),
            target_url: record.target_url.clone(),
        }
    }
}
