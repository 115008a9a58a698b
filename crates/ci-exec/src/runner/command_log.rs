//! Where the output of one command goes: through the mask into its log.

use std::io;
use std::path::Path;

use super::log_file::LogFile;
use crate::mask::{Mask, Masker};

/// The log of a command that runs. Nothing of a secret ever gets into it.
pub(super) struct CommandLog {
    masker: Masker,
    file: LogFile,
}

impl CommandLog {
    /// Makes an empty log that will keep about `limit` bytes at most.
    pub(super) fn create(path: &Path, limit: u64, mask: &Mask) -> io::Result<Self> {
        Ok(Self { masker: mask.masker(), file: LogFile::create(path, limit)? })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Takes what the command wrote.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.masker.push(bytes, &mut |bytes| self.file.write(bytes))
    }

    /// Ends the log and returns its final length, what was not kept included.
    pub(super) fn finish(&mut self) -> io::Result<u64> {
        self.masker.finish(&mut |bytes| self.file.write(bytes))?;
        Ok(self.file.length())
    }
}
