//! Reading a journal, while it grows and after its writer was killed in the middle of a record.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::{FORMAT, JournalOffset, PREFIX, VERSION};
use crate::fact::{Fact, WireFact};

/// How much is read at once; most journals are shorter.
const CHUNK: usize = 16 * 1024;
/// No first line of a journal is longer.
const MAX_HEADER: usize = 64;

/// A journal that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be read.
    #[error("read the journal {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its first line is not that of a journal which this program knows.
    #[error("read the journal {}: unknown format", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// It was written by a later program.
    #[error("read the journal {}: it has version {found}, this program knows {VERSION}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// What its first line says.
        found: u32,
    },
    /// A record is whole and tells something that this program does not know, as a later one may.
    #[error("read the journal {}: unknown fact at {}", path.display(), offset.0)]
    Unknown {
        /// Which file.
        path: PathBuf,
        /// Where the record begins.
        offset: JournalOffset,
    },
    /// A record is damaged.
    #[error("read the journal {}: damaged record at {}", path.display(), offset.0)]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where the record begins.
        offset: JournalOffset,
    },
}

/// Reads the facts of a journal that are there, and again those that have come since.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    file: Option<File>,
    /// Where the first byte of `buffer` stands in the file.
    offset: JournalOffset,
    buffer: Vec<u8>,
}

/// What the beginning of the buffer holds.
enum Parsed {
    /// This many bytes that tell nothing.
    Skip(usize),
    /// A record of this many bytes.
    Record(usize, Fact),
    /// The beginning of something.
    Incomplete,
    /// Something that cannot be read.
    Trouble(Trouble),
}

/// Why the beginning of the buffer cannot be read.
enum Trouble {
    /// A header of something else.
    Format,
    /// A header of a later version.
    Version(u32),
    /// A whole record that tells something unknown.
    UnknownFact,
    /// Something that no writer wrote.
    Damaged,
}

impl JournalReader {
    pub(crate) fn new(path: PathBuf, from: JournalOffset) -> Self {
        Self { path, file: None, offset: from, buffer: Vec::new() }
    }

    /// The next fact and the offset after it; `None` where the journal has no more for now.
    ///
    /// # Errors
    /// A journal that does not exist yet has no facts; one that is damaged is an error.
    pub fn next_fact(&mut self) -> Result<Option<(JournalOffset, Fact)>, JournalError> {
        loop {
            match parse(self.offset, &self.buffer) {
                Parsed::Skip(length) => self.consume(length),
                Parsed::Record(length, fact) => {
                    self.consume(length);
                    return Ok(Some((self.offset, fact)));
                }
                Parsed::Incomplete => {
                    if self.fill()? == 0 {
                        return Ok(None);
                    }
                }
                Parsed::Trouble(trouble) => return Err(self.error(trouble)),
            }
        }
    }

    fn error(&self, trouble: Trouble) -> JournalError {
        let (path, offset) = (self.path.clone(), self.offset);
        match trouble {
            Trouble::Format => JournalError::Format { path },
            Trouble::Version(found) => JournalError::Version { path, found },
            Trouble::UnknownFact => JournalError::Unknown { path, offset },
            Trouble::Damaged => JournalError::Damaged { path, offset },
        }
    }

    /// Where the next fact will be read.
    pub(crate) fn offset(&self) -> JournalOffset {
        self.offset
    }

    fn consume(&mut self, length: usize) {
        self.buffer.drain(..length);
        self.offset.0 += length as u64;
    }

    /// Reads what follows the buffer; 0 where there is nothing yet.
    fn fill(&mut self) -> Result<usize, JournalError> {
        self.try_fill().map_err(|source| JournalError::Io { path: self.path.clone(), source })
    }

    fn try_fill(&mut self) -> io::Result<usize> {
        let file = match &self.file {
            Some(file) => file,
            None => match File::open(&self.path) {
                Ok(file) => self.file.insert(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(error),
            },
        };
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK, 0);
        let read = file.read_at(&mut self.buffer[held..], self.offset.0 + held as u64);
        self.buffer.truncate(held + read.as_ref().copied().unwrap_or_default());
        read
    }
}

fn parse(offset: JournalOffset, bytes: &[u8]) -> Parsed {
    if offset.0 == 0 {
        return parse_header(bytes);
    }
    let Some(prefix) = bytes.get(..PREFIX) else { return Parsed::Incomplete };
    let (Some(length), Some(checksum)) = (number(&prefix[..9]), number(&prefix[9..])) else {
        return Parsed::Trouble(Trouble::Damaged);
    };
    let end = PREFIX + length as usize;
    let Some(text) = bytes.get(PREFIX..end) else {
        // A text has no line breaks, so one that came before the end of the text was to end it: the
        // length is wrong, and what it asks for would be waited for in vain.
        let is_torn = !bytes[PREFIX..].contains(&b'\n');
        return if is_torn { Parsed::Incomplete } else { Parsed::Trouble(Trouble::Damaged) };
    };
    match bytes.get(end) {
        None => Parsed::Incomplete,
        Some(b'\n') if crc32fast::hash(text) == checksum => match decode(text) {
            Some(fact) => Parsed::Record(end + 1, fact),
            None => Parsed::Trouble(Trouble::UnknownFact),
        },
        Some(_) => Parsed::Trouble(Trouble::Damaged),
    }
}

fn parse_header(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.iter().take(MAX_HEADER).position(|byte| *byte == b'\n') else {
        let may_go_on = bytes.len() < MAX_HEADER
            && bytes.iter().zip(FORMAT.as_bytes()).all(|(byte, expected)| byte == expected);
        return if may_go_on { Parsed::Incomplete } else { Parsed::Trouble(Trouble::Format) };
    };
    let line = std::str::from_utf8(&bytes[..end]).ok();
    match line.and_then(|line| line.strip_prefix(FORMAT)?.parse().ok()) {
        Some(version) if version <= VERSION => Parsed::Skip(end + 1),
        Some(version) => Parsed::Trouble(Trouble::Version(version)),
        None => Parsed::Trouble(Trouble::Format),
    }
}

/// Eight hexadecimal digits and a space.
fn number(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?.strip_suffix(' ')?;
    u32::from_str_radix(digits, 16).ok()
}

fn decode(text: &[u8]) -> Option<Fact> {
    serde_json::from_slice::<WireFact>(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
