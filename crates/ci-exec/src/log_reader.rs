//! Reading the log of a command, live, by byte offset.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Reads one log. Its first byte is offset 0; a byte that was read once is never changed or moved.
#[derive(Clone, Debug)]
pub struct LogReader {
    path: PathBuf,
}

impl LogReader {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where the log is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads up to `limit` bytes that begin at `offset`; none where there are no more for now.
    ///
    /// A log is complete once [`Fact::CommandExited`](crate::Fact::CommandExited) told its length.
    /// The call reads from a local file and blocks for as long as that takes.
    ///
    /// # Errors
    /// A command that has not started yet has an empty log; any other failure to read is an error.
    pub fn read_at(&self, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let Some(file) = self.open()? else { return Ok(Vec::new()) };
        let available = file.metadata()?.len().saturating_sub(offset);
        let length = usize::try_from(available).unwrap_or(usize::MAX).min(limit);
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match file.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// How many bytes there are for now.
    ///
    /// # Errors
    /// Fails where the file exists and cannot be looked at.
    pub fn length(&self) -> io::Result<u64> {
        self.open()?.map_or(Ok(0), |file| Ok(file.metadata()?.len()))
    }

    fn open(&self) -> io::Result<Option<File>> {
        match File::open(&self.path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
