//! Domain events as they are stored: types of their own, converted by hand, so that neither the domain
//! nor the disk dictates the shape of the other.
//!
//! A stored record has a kind, a version and a JSON body. A record that this program cannot read is an
//! error that names it; nothing is skipped.

mod branch;
mod build;
mod facts;
mod memory;
mod night;
mod owners;
mod prepared;
mod pull;
mod sandbox;

use ci_domain::ids::InvalidId;
use ci_store::Record;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use branch::{branch_event, branch_record, branch_snapshot, recalled_branch};
pub(crate) use build::{build_event, build_record};
pub(crate) use facts::Facts;
pub(crate) use memory::{memory_snapshot, recalled};
pub(crate) use prepared::{policy_record, recorded_policy};
pub(crate) use pull::{pull_event, pull_record};

/// The version that this program writes; it reads this one.
const VERSION: u16 = 1;

/// A stored record that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Another program wrote it.
    #[error("record {kind:?} of version {version} is not known to this program")]
    Unknown {
        /// The record's kind.
        kind: String,
        /// Its version.
        version: u16,
    },
    /// Its body does not fit its kind.
    #[error("record {kind:?} does not read")]
    Body {
        /// The record's kind.
        kind: String,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// A name in it is not valid.
    #[error("a record holds a name that is not valid")]
    Id(#[from] InvalidId),
    /// A part of it makes no sense.
    #[error("a record holds {0}")]
    Value(String),
}

/// Makes a record of `body`.
pub(crate) fn record(kind: &str, body: &impl Serialize) -> Record {
    let body = serde_json::to_value(body).expect("stored types are plain data with text keys");
    Record { kind: kind.to_owned(), version: VERSION, body }
}

/// Reads the body of `record`.
///
/// # Errors
/// The record is of another version, or its body does not fit `T`.
pub(crate) fn body<T: DeserializeOwned>(record: &Record) -> Result<T, RecordError> {
    if record.version != VERSION {
        return Err(unknown(record));
    }
    serde_json::from_value(record.body.clone())
        .map_err(|source| RecordError::Body { kind: record.kind.clone(), source })
}

/// The error of a record of an unknown kind.
pub(crate) fn unknown(record: &Record) -> RecordError {
    RecordError::Unknown { kind: record.kind.clone(), version: record.version }
}

#[cfg(test)]
mod tests;
