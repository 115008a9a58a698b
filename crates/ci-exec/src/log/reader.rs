//! Reading the log of a command by byte offset: while it grows, above its limit, and once it is packed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::packed::Packed;
use super::plain::{self, Found};
use super::{packed_path, times};
use crate::fact::UnixMillis;

/// Reads one log. Its first byte is offset 0; a byte that was read once is never changed or moved.
#[derive(Clone, Debug)]
pub struct LogReader {
    path: PathBuf,
    packed: Arc<OnceLock<Packed>>,
}

/// Bytes of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPiece {
    /// The bytes. A line that says so stands for bytes that were not kept.
    pub bytes: Vec<u8>,
    /// Where to read on: the offset of the byte after these.
    pub next: u64,
}

impl LogReader {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, packed: Arc::default() }
    }

    /// Where the log is, or its beginning, until it is packed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads up to `limit` bytes that begin at `offset`; none where there are no more for now.
    ///
    /// Of a log above its limit the beginning and the end are kept. What is read in the gap between
    /// them is one line that says how much was left out.
    ///
    /// A log is complete once [`Fact::CommandExited`](crate::Fact::CommandExited) told its length.
    /// The call reads from local files and blocks for as long as that takes.
    ///
    /// # Errors
    /// A command that has not started yet has an empty log; any other failure to read is an error.
    pub fn read_at(&self, offset: u64, limit: usize) -> io::Result<LogPiece> {
        let mut piece = LogPiece { bytes: Vec::new(), next: offset };
        // Where the line for a gap begins, in the piece and in the log, while nothing follows it.
        let mut open_gap = None;
        while piece.bytes.len() < limit {
            match self.find(piece.next, limit - piece.bytes.len())? {
                Found::Nothing => break,
                Found::Bytes(bytes) => {
                    piece.next += bytes.len() as u64;
                    piece.bytes.extend(bytes);
                    open_gap = None;
                }
                Found::Gap(end) => {
                    // What ended a gap a moment ago may be gone by now: then it is one, and longer.
                    let (at, from) = open_gap.unwrap_or((piece.bytes.len(), piece.next));
                    let line = gap(end - from);
                    if at > 0 && at + line.len() > limit {
                        break;
                    }
                    piece.bytes.truncate(at);
                    piece.bytes.extend_from_slice(line.as_bytes());
                    piece.next = end;
                    open_gap = Some((at, from));
                }
            }
        }
        Ok(piece)
    }

    /// The offset after the last byte that there is for now.
    ///
    /// # Errors
    /// Fails where the files exist and cannot be looked at.
    pub fn length(&self) -> io::Result<u64> {
        if let Some(packed) = self.packed()? {
            return Ok(packed.length());
        }
        let length = plain::length(&self.path)?;
        // What is being packed is removed piece by piece.
        Ok(self.packed()?.map_or(length, Packed::length))
    }

    /// When bytes were written: offsets with the time of the first byte at or after each, in order.
    ///
    /// # Errors
    /// Fails where the file exists and cannot be read.
    pub fn times(&self) -> io::Result<Vec<(u64, UnixMillis)>> {
        times::read(&self.path)
    }

    fn find(&self, offset: u64, limit: usize) -> io::Result<Found> {
        if let Some(packed) = self.packed()? {
            return packed.read_at(offset, limit);
        }
        let found = plain::read_at(&self.path, offset, limit)?;
        if matches!(found, Found::Bytes(_)) {
            return Ok(found);
        }
        // What is missing may have been packed and removed meanwhile.
        self.packed()?.map_or(Ok(found), |packed| packed.read_at(offset, limit))
    }

    /// The packed log, once there is one.
    fn packed(&self) -> io::Result<Option<&Packed>> {
        if self.packed.get().is_none()
            && let Some(packed) = Packed::open(&packed_path(&self.path))?
        {
            // Another clone may have been faster; both have found the same.
            let _same = self.packed.set(packed);
        }
        Ok(self.packed.get())
    }
}

/// What stands in a log where bytes were left out.
fn gap(left_out: u64) -> String {
    format!("\n[{left_out} bytes left out here: the log is longer than its limit]\n")
}
