//! One process per folder.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::OpenError;

/// How often a lock is tried that we ourselves have held, and the pause between two tries.
const OWN_TRIES: u32 = 100;
const OWN_PAUSE: Duration = Duration::from_millis(10);

/// The process that holds a folder, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pid(pub Option<u32>);

/// Holds a folder for this process. The system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock file `path`, or says who has it.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Folder { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(failed)?;
        for _ in 0..OWN_TRIES {
            match file.try_lock() {
                Ok(()) => {
                    write_pid(&mut file).map_err(failed)?;
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) if holder(path) == Some(std::process::id()) => {
                    pause();
                }
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(OpenError::Locked { path: path.to_owned(), pid: Pid(holder(path)) })
    }
}

/// A lock that we ourselves let go of is held on by a child that was forked meanwhile, until it runs its
/// own program.
#[expect(clippy::disallowed_methods, reason = "opening blocks a thread anyway, and nobody tells")]
fn pause() {
    std::thread::sleep(OWN_PAUSE);
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// The pid in the lock file; its holder may not have written it yet.
fn holder(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("another process"),
        }
    }
}
