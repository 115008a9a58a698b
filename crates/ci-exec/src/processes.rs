//! The machine's processes as `/proc` shows them, and how to be sure that some of them are gone.

mod scope;

use std::fmt;
use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

pub(crate) use scope::{Rule, Scope};

/// A process at the moment when `/proc` was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// In clock ticks since boot; tells a process from a later one with the same pid.
    pub(crate) start_time: u64,
    state: char,
    name: String,
}

/// A process as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessName {
    /// The process id.
    pub pid: i32,
    /// The short name of its program.
    pub name: String,
}

/// Processes that were killed and yet did not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Survivors(pub Vec<ProcessName>);

impl Process {
    /// Every process of the machine that this user can see.
    pub(crate) fn all() -> io::Result<Vec<Self>> {
        let mut processes = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if let Some(pid) = Pid::from_raw(pid) {
                processes.extend(Self::read(pid)?);
            }
        }
        Ok(processes)
    }

    /// The process with this id; `None` where there is none.
    pub(crate) fn read(pid: Pid) -> io::Result<Option<Self>> {
        let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        Ok(gone_is_none(stat)?.and_then(|stat| Self::parse(pid, &String::from_utf8_lossy(&stat))))
    }

    /// Reads `pid (name) state ppid pgrp session … starttime …`; the name may hold anything.
    fn parse(pid: Pid, stat: &str) -> Option<Self> {
        let (head, tail) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            start_time: fields.get(19)?.parse().ok()?,
            name: head.split_once('(')?.1.to_owned(),
        })
    }

    /// Whether it can still do anything; one that waits to be reaped cannot.
    pub(crate) fn is_living(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// Sends `signal` to this process and to no later one with its pid; to none where it is gone.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let pidfd = match pidfd_open(self.pid, PidfdFlags::empty()) {
            Err(Errno::SRCH) => return Ok(()),
            other => other?,
        };
        let same = Self::read(self.pid)?.is_some_and(|now| now.start_time == self.start_time);
        if !same {
            return Ok(());
        }
        match pidfd_send_signal(pidfd, signal) {
            // Not ours to end, like a set-user-id program; it shows up among the survivors.
            Ok(()) | Err(Errno::SRCH | Errno::PERM) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the environment that it was started with has the variable `entry`, `NAME=value`.
    pub(crate) fn was_started_with(&self, entry: &str) -> io::Result<bool> {
        let environ = fs::read(format!("/proc/{}/environ", self.pid.as_raw_nonzero()));
        let environ = match environ {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
            other => gone_is_none(other)?.unwrap_or_default(),
        };
        Ok(environ.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes()))
    }

    pub(crate) fn name(&self) -> ProcessName {
        ProcessName { pid: self.pid.as_raw_nonzero().get(), name: self.name.clone() }
    }
}

impl fmt::Display for Survivors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("end")?;
        for (position, process) in self.0.iter().enumerate() {
            let separator = if position == 0 { ' ' } else { ',' };
            write!(f, "{separator}{} ({})", process.pid, process.name)?;
        }
        Ok(())
    }
}

/// A process can end between being listed and being read.
fn gone_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let pid = Pid::from_raw(42).unwrap();
        let stat = "42 (a) S 1 (b) R 7 8 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 555 0";
        let process = Process::parse(pid, stat).unwrap();
        assert_eq!(process.name, "a) S 1 (b");
        assert_eq!((process.parent, process.group, process.session), (7, 8, 9));
        assert_eq!((process.start_time, process.is_living()), (555, true));
    }

    #[test]
    fn this_process_is_listed_as_itself() {
        let pid = rustix::process::getpid();
        let own = Process::read(pid).unwrap().unwrap();
        let all = Process::all().unwrap();
        assert!(all.iter().any(|one| (one.pid, one.start_time) == (pid, own.start_time)));
    }
}
