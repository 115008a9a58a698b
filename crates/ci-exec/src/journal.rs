//! The journal: an append-only file of facts that says of each record whether it is whole.
//!
//! The first line names the format and its version. Each record is one line: the length of its text
//! and the checksum of its text, eight hexadecimal digits each, then the text, one JSON object.

mod reader;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::fact::{Fact, WireFact};

pub use reader::{JournalError, JournalReader};

/// The version of the format that this program writes, and the newest that it reads.
const VERSION: u32 = 1;
/// The first line of every journal, but for the version at its end.
const FORMAT: &str = "ci-exec journal ";
/// The first line of a journal that this program writes.
const HEADER: &[u8] = b"ci-exec journal 1\n";
/// What comes before the text of a record: two numbers of eight digits, a space after each.
const PREFIX: usize = 18;

/// A position in a journal: the end of a record, or 0 for the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalOffset(pub u64);

/// The writing end, held by the runner alone.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// Starts the journal at `path`, which must not exist.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().append(true).create_new(true).open(path)?;
        file.write_all(HEADER)?;
        Ok(Self { file })
    }

    /// Appends `fact` by one write, so that a reader sees all of it or a torn end.
    pub(crate) fn append(&mut self, fact: &Fact) -> io::Result<()> {
        self.file.write_all(&encode(fact))
    }

    /// Waits until all records are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// One record as it stands in the file.
fn encode(fact: &Fact) -> Vec<u8> {
    let text = serde_json::to_vec(&WireFact::from(fact)).expect("facts have only text keys");
    let mut record = format!("{:08x} {:08x} ", text.len(), crc32fast::hash(&text)).into_bytes();
    record.extend_from_slice(&text);
    record.push(b'\n');
    record
}
