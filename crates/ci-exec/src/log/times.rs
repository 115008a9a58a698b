//! When something was written to a log: a file of pairs, each an offset and the time at which bytes were
//! written there, two numbers of eight bytes, the lowest first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::fact::UnixMillis;

/// People read times to the second; a log of a day needs a megabyte at most.
const STEP: Duration = Duration::from_secs(1);
/// The length of a pair.
const PAIR: usize = 16;

/// Writes the times of a log that grows.
#[derive(Debug)]
pub(crate) struct TimesWriter {
    path: PathBuf,
    file: Option<File>,
    last: Option<Instant>,
}

impl TimesWriter {
    pub(crate) fn of(log: &Path) -> Self {
        Self { path: path(log), file: None, last: None }
    }

    /// Notes that bytes are about to be written at `offset`.
    pub(crate) fn note(&mut self, offset: u64) -> io::Result<()> {
        if self.last.is_some_and(|last| last.elapsed() < STEP) {
            return Ok(());
        }
        self.last = Some(Instant::now());
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                self.file.insert(OpenOptions::new().append(true).create(true).open(&self.path)?)
            }
        };
        let mut pair = [0; PAIR];
        pair[..8].copy_from_slice(&offset.to_le_bytes());
        pair[8..].copy_from_slice(&UnixMillis::now().0.to_le_bytes());
        file.write_all(&pair)
    }
}

/// Reads the times of a log; a pair whose writer was killed half way is left out.
pub(super) fn read(log: &Path) -> io::Result<Vec<(u64, UnixMillis)>> {
    let bytes = match fs::read(path(log)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let (pairs, _torn) = bytes.as_chunks::<PAIR>();
    Ok(pairs.iter().map(|pair| (number(&pair[..8]), UnixMillis(number(&pair[8..])))).collect())
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn path(log: &Path) -> PathBuf {
    log.with_extension("times")
}
