//! The machine's processes as `/proc` shows them, and how to be sure that some of them are gone.

mod scope;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

pub(crate) use scope::{Rule, Scope};

/// The flags of a process that runs no program: `PF_KTHREAD`, part of the kernel, and `PF_EXITING`.
const NO_PROGRAM: u64 = 0x0020_0000 | 0x4;

/// A process at the moment when `/proc` was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// In clock ticks since boot; tells a process from a later one with the same pid.
    pub(crate) start_time: u64,
    /// That of its first thread.
    state: char,
    /// How many threads it has, with the first, be that one ended or not.
    threads: u32,
    /// Whether there is no program that could start anything: a kernel thread, or one at its end.
    has_no_program: bool,
    /// Whether it has a place for an environment, which may be empty.
    has_environment: bool,
    name: String,
}

/// An answer that depends on the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// Not to be told now; ask again in a moment.
    Unknown,
}

/// A process as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessName {
    /// The process id.
    pub pid: i32,
    /// The short name of its program.
    pub name: String,
    /// What it was about when it was looked at.
    pub state: ProcessState,
}

/// What a process is about, as far as it matters to whoever wants it to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It works, or waits for something that a signal interrupts.
    Awake,
    /// It waits in the kernel for something that no signal interrupts: a disk or a network file system
    /// that does not answer, or its control group to be thawed.
    Uninterruptible,
    /// Somebody has stopped it.
    Stopped,
}

/// Processes that were killed and yet did not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Survivors(pub Vec<ProcessName>);

impl Process {
    /// Every process of the machine that this user can see, and none is missed.
    ///
    /// A list of `/proc` is old when it is read: a process in it can have had a child and ended
    /// since. So the ids that the kernel gave away meanwhile are looked at too, until none is new.
    pub(crate) fn all() -> io::Result<Vec<Self>> {
        let mut newest = newest_pid()?;
        let mut found = Self::listed()?;
        loop {
            let now = newest_pid()?;
            if now == newest {
                return Ok(found.into_values().collect());
            }
            if now < newest {
                // The numbers began again from below.
                found.extend(Self::listed()?);
            }
            for number in newest + 1..=now {
                found.extend(Self::leading(number)?);
            }
            newest = now;
        }
    }

    /// The processes in the list of `/proc`, by their ids.
    fn listed() -> io::Result<BTreeMap<i32, Self>> {
        let mut processes = BTreeMap::new();
        for entry in fs::read_dir("/proc")? {
            let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok())
            else {
                continue;
            };
            if let Some(process) = Pid::from_raw(number).map(Self::read).transpose()?.flatten() {
                processes.insert(number, process);
            }
        }
        Ok(processes)
    }

    /// The process with this id, unless the id is that of a thread only.
    fn leading(number: i32) -> io::Result<Option<(i32, Self)>> {
        let status = gone_is_none(fs::read(format!("/proc/{number}/status")))?.unwrap_or_default();
        let leader = format!("Tgid:\t{number}\n");
        if !String::from_utf8_lossy(&status).contains(&leader) {
            return Ok(None);
        }
        let process = Pid::from_raw(number).map(Self::read).transpose()?.flatten();
        Ok(process.map(|process| (number, process)))
    }

    /// The process with this id; `None` where there is none.
    pub(crate) fn read(pid: Pid) -> io::Result<Option<Self>> {
        Self::read_in(&folder(pid), pid)
    }

    fn read_in(folder: &Path, pid: Pid) -> io::Result<Option<Self>> {
        let stat = gone_is_none(fs::read(folder.join("stat")))?;
        Ok(stat.and_then(|stat| Self::parse(pid, &String::from_utf8_lossy(&stat))))
    }

    /// Reads `pid (name) state ppid pgrp session … flags … num_threads … starttime … env_end …`; the name may hold
    /// anything.
    fn parse(pid: Pid, stat: &str) -> Option<Self> {
        let (head, tail) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            threads: fields.get(17)?.parse().ok()?,
            start_time: fields.get(19)?.parse().ok()?,
            has_no_program: fields.get(6)?.parse::<u64>().ok()? & NO_PROGRAM != 0,
            has_environment: *fields.get(48)? != "0",
            name: head.split_once('(')?.1.to_owned(),
        })
    }

    /// Whether it can still do anything; one that waits to be reaped cannot, unless only its first
    /// thread has ended: such a process looks like one that waits, and goes on in its other threads.
    pub(crate) fn is_living(&self) -> bool {
        self.has_first_thread() || self.threads > 1
    }

    fn has_first_thread(&self) -> bool {
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
    pub(crate) fn was_started_with(&self, entry: &str) -> io::Result<Answer> {
        let folder = folder(self.pid);
        if self.has_first_thread() || !self.is_living() {
            return self.has_variable(&folder, entry);
        }
        // The first thread took what it knew with it; the others know the same.
        let mut answer = Answer::No;
        for thread in gone_is_none(fs::read_dir(folder.join("task")))?.into_iter().flatten() {
            let Some(folder) = gone_is_none(thread)?.map(|thread| thread.path()) else { continue };
            match Self::read_in(&folder, self.pid)?
                .map(|thread| thread.has_variable(&folder, entry))
            {
                Some(Ok(Answer::No)) | None => {}
                Some(Ok(Answer::Unknown)) => answer = Answer::Unknown,
                Some(found) => return found,
            }
        }
        Ok(answer)
    }

    /// Whether the environment in `folder`, of this process or one of its threads, has the variable `entry`.
    fn has_variable(&self, folder: &Path, entry: &str) -> io::Result<Answer> {
        if self.has_no_program || !self.has_first_thread() {
            return Ok(Answer::No);
        }
        let environ = match fs::read(folder.join("environ")) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Answer::No),
            other => gone_is_none(other)?.unwrap_or_default(),
        };
        if environ.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes()) {
            return Ok(Answer::Yes);
        }
        // A process that is about to become another program has no environment for a moment.
        let now = Self::read_in(folder, self.pid)?.filter(|now| now.start_time == self.start_time);
        let is_between = now.is_some_and(|now| {
            let has_none = environ.is_empty() && !now.has_environment;
            has_none && !now.has_no_program && now.has_first_thread()
        });
        Ok(if is_between { Answer::Unknown } else { Answer::No })
    }

    pub(crate) fn name(&self) -> ProcessName {
        let state = match self.state {
            'D' => ProcessState::Uninterruptible,
            'T' | 't' => ProcessState::Stopped,
            _ => ProcessState::Awake,
        };
        ProcessName { pid: self.pid.as_raw_nonzero().get(), name: self.name.clone(), state }
    }
}

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            ProcessState::Awake => "",
            ProcessState::Uninterruptible => ", in uninterruptible sleep",
            ProcessState::Stopped => ", stopped",
        };
        write!(f, "{} ({}{state})", self.pid, self.name)
    }
}

impl fmt::Display for Survivors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("end")?;
        for (position, process) in self.0.iter().enumerate() {
            let separator = if position == 0 { " " } else { ", " };
            write!(f, "{separator}{process}")?;
        }
        Ok(())
    }
}

/// Where the kernel tells of the process with this id.
fn folder(pid: Pid) -> PathBuf {
    PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()))
}

/// The id that the kernel gave away last.
fn newest_pid() -> io::Result<i32> {
    let load = fs::read_to_string("/proc/loadavg")?;
    let newest = load.split_ascii_whitespace().last().and_then(|number| number.parse().ok());
    newest.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/loadavg is unreadable"))
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
        let tail = " 0".repeat(28);
        let stat = format!("42 (a) S 1 (b) R 7 8 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 555{tail} 99 0");
        let process = Process::parse(pid, &stat).unwrap();
        assert_eq!(process.name, "a) S 1 (b");
        assert_eq!((process.parent, process.group, process.session), (7, 8, 9));
        assert_eq!((process.start_time, process.is_living()), (555, true));
        assert_eq!((process.has_environment, process.has_no_program), (true, false));
    }

    #[test]
    fn what_has_lost_its_first_thread_lives_in_the_others() {
        let lives = |state: char, threads: u32| {
            let (before, after) = (" 0".repeat(13), " 0".repeat(31));
            let stat = format!("7 (server) {state} 1 7 7{before} {threads}{after}");
            Process::parse(Pid::from_raw(7).unwrap(), &stat).unwrap().is_living()
        };
        let found = [('S', 1), ('Z', 1), ('Z', 2), ('X', 1)].map(|(state, of)| lives(state, of));
        assert_eq!(found, [true, false, true, false]);
    }

    #[test]
    fn what_does_not_end_is_named_with_its_state() {
        let name = |letter: char| {
            let stat = format!("7 (sleep) {letter} 1 7 7{}", " 0".repeat(46));
            Process::parse(Pid::from_raw(7).unwrap(), &stat).unwrap().name()
        };
        let survivors = Survivors(['S', 'D', 'T'].map(name).to_vec());
        let said = "end 7 (sleep), 7 (sleep, in uninterruptible sleep), 7 (sleep, stopped)";
        assert_eq!(survivors.to_string(), said);
    }

    #[test]
    fn this_process_is_listed_as_itself() {
        let pid = rustix::process::getpid();
        let own = Process::read(pid).unwrap().unwrap();
        let all = Process::all().unwrap();
        assert!(all.iter().any(|one| (one.pid, one.start_time) == (pid, own.start_time)));
        assert!(own.has_environment && !own.has_no_program);
    }
}
