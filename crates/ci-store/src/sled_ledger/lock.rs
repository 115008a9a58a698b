//! One process per folder.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::OpenError;

/// How often a lock is tried that its holder let go of, and the pause between two tries.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

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
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => {
                    write_pid(&mut file).map_err(failed)?;
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) if holder(path).is_some_and(was_let_go) => pause(),
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(OpenError::Locked { path: path.to_owned(), pid: Pid(holder(path)) })
    }
}

/// Whether the process that took the lock does not hold it any more, so that a child of it does, which
/// was forked meanwhile and has not yet come to run its own program.
fn was_let_go(pid: u32) -> bool {
    let of_other = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let is_gone = |pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
    pid == std::process::id() || of_other.is_some_and(is_gone)
}

#[expect(clippy::disallowed_methods, reason = "opening blocks a thread anyway, and nobody tells")]
fn pause() {
    std::thread::sleep(PAUSE);
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn who_ended_has_let_go_and_who_lives_has_not() {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(was_let_go(child.id()));
        assert!(was_let_go(std::process::id()));
        let mut child = Command::new("sleep").arg("100").spawn().unwrap();
        assert!(!was_let_go(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
