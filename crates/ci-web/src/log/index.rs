//! Where the lines of a log begin: an index that grows with the log, so that any of a million lines is
//! found without reading those before it.

use std::io;

use ci_exec::{LogReader, UnixMillis};

/// Lines of one block: what is shown at once, and the distance between two marks of the index.
pub(crate) const BLOCK: u64 = 1000;
/// The most bytes that are read at once.
const CHUNK: usize = 256 * 1024;
/// Bytes of one block that are shown; what is longer is for those who download it.
const MOST: usize = 2 * 1024 * 1024;
/// Bytes before a block in which a color may have been switched on that is still on.
pub(crate) const LOOK_BACK: usize = 8 * 1024;

/// The beginnings of the blocks of a log.
#[derive(Debug)]
pub(crate) struct LineIndex {
    reader: LogReader,
    /// Where some lines begin: always the first, and where it is known every [`BLOCK`]th after it.
    marks: Vec<Mark>,
    /// What follows the last line feed.
    rest: Mark,
    read: u64,
}

/// The beginning of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The number of the line; the first one is 1.
    pub(crate) line: u64,
    /// Where it begins.
    pub(crate) offset: u64,
}

impl Mark {
    /// The beginning of a log.
    pub(crate) const FIRST: Self = Self { line: 1, offset: 0 };
}

/// Lines of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    /// Where they begin.
    pub(crate) from: Mark,
    /// What was printed just before, for the colors that are on.
    pub(crate) before: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    /// When bytes were printed, by their offsets.
    pub(crate) times: Vec<(u64, UnixMillis)>,
}

impl LineIndex {
    /// An index of nothing yet.
    pub(crate) fn new(reader: LogReader) -> Self {
        Self { reader, marks: vec![Mark::FIRST], rest: Mark::FIRST, read: 0 }
    }

    /// The log.
    pub(crate) fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// Reads what has come since the last time. Blocks for as long as that takes.
    pub(crate) fn catch_up(&mut self) -> io::Result<()> {
        loop {
            let piece = self.reader.read_at(self.read, CHUNK)?;
            if piece.bytes.is_empty() {
                return Ok(());
            }
            // Where bytes were left out, offsets within the piece say nothing.
            let is_exact = piece.next - self.read == piece.bytes.len() as u64;
            for at in memchr::memchr_iter(b'\n', &piece.bytes) {
                self.rest.line += 1;
                // What follows the last of them has no gap before the end.
                self.rest.offset = piece.next - (piece.bytes.len() - at - 1) as u64;
                if self.rest.line % BLOCK == 1 && is_exact {
                    self.marks.push(self.rest);
                }
            }
            self.read = piece.next;
        }
    }

    /// How many lines there are, the unfinished one at the end among them.
    pub(crate) fn lines(&self) -> u64 {
        self.rest.line - u64::from(self.rest.offset == self.read)
    }

    /// Where the line begins that is not finished yet, or the next one.
    pub(crate) fn rest(&self) -> Mark {
        self.rest
    }

    /// Where the log was read to.
    pub(crate) fn read_to(&self) -> u64 {
        self.read
    }

    /// Up to `count` lines from line `from` on, as far as they are indexed. Blocks for as long as that takes.
    pub(crate) fn lines_from(&self, from: u64, count: u64) -> io::Result<Lines> {
        let from = from.max(1);
        let at = self.marks.partition_point(|mark| mark.line <= from);
        let mut mark = self.marks[at.saturating_sub(1)];
        let mut bytes = Vec::new();
        let mut wanted = count;
        let mut read = mark.offset;
        while read < self.read && wanted > 0 && bytes.len() < MOST {
            let piece = self.reader.read_at(read, CHUNK)?;
            if piece.bytes.is_empty() {
                break;
            }
            let mut start = 0;
            for at in memchr::memchr_iter(b'\n', &piece.bytes) {
                if mark.line < from {
                    mark = Mark { line: mark.line + 1, offset: read + at as u64 + 1 };
                    start = at + 1;
                } else {
                    wanted -= 1;
                }
                if wanted == 0 {
                    bytes.extend_from_slice(&piece.bytes[start..=at]);
                    break;
                }
            }
            if wanted > 0 && mark.line == from {
                bytes.extend_from_slice(&piece.bytes[start..]);
            }
            read = piece.next;
        }
        let before = before(&self.reader, mark.offset)?;
        Ok(Lines { from: mark, before, bytes, times: self.reader.times()? })
    }
}

/// What was printed just before `offset`.
pub(crate) fn before(reader: &LogReader, offset: u64) -> io::Result<Vec<u8>> {
    let from = offset.saturating_sub(LOOK_BACK as u64);
    let length = usize::try_from(offset - from).unwrap_or_default();
    if length == 0 {
        return Ok(Vec::new());
    }
    Ok(reader.read_at(from, length)?.bytes)
}

#[cfg(test)]
mod tests;
