//! Which process a runner is: a pid alone is used again, a pid with its start time is not.

use std::io;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::processes::Process;

/// The version of `identity.json` that this program writes.
pub(crate) const IDENTITY_VERSION: u32 = 1;

/// A process, told apart from every other one that had or will have its pid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The process id.
    pub pid: i32,
    /// When it started, in the kernel's clock ticks since boot.
    pub start_time: u64,
    /// The boot during which it started.
    pub boot_id: String,
}

/// An [`Identity`] as `identity.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireIdentity {
    version: u32,
    pid: i32,
    start_time: u64,
    boot_id: String,
}

impl Identity {
    /// The process that calls.
    pub(crate) fn own() -> io::Result<Self> {
        let pid = rustix::process::getpid();
        let process = Process::read(pid)?
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "/proc is not mounted"))?;
        Ok(Self {
            pid: pid.as_raw_nonzero().get(),
            start_time: process.start_time,
            boot_id: boot_id()?,
        })
    }

    /// Whether this machine still runs the boot in which the process started.
    pub(crate) fn is_of_this_boot(&self) -> io::Result<bool> {
        Ok(self.boot_id == boot_id()?)
    }

    /// Whether the process still runs.
    ///
    /// # Errors
    /// Fails where `/proc` cannot be read.
    pub fn is_alive(&self) -> io::Result<bool> {
        Ok(self.is_of_this_boot()? && self.process()?.is_some())
    }

    /// Sends `signal` to exactly this process; to none where it is gone.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        if !self.is_of_this_boot()? {
            return Ok(());
        }
        match self.process()? {
            Some(process) => process.signal(signal),
            None => Ok(()),
        }
    }

    fn process(&self) -> io::Result<Option<Process>> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(None) };
        let process = Process::read(pid)?;
        Ok(process.filter(|process| process.start_time == self.start_time && process.is_living()))
    }
}

impl From<&Identity> for WireIdentity {
    fn from(identity: &Identity) -> Self {
        Self {
            version: IDENTITY_VERSION,
            pid: identity.pid,
            start_time: identity.start_time,
            boot_id: identity.boot_id.clone(),
        }
    }
}

impl From<WireIdentity> for Identity {
    fn from(wire: WireIdentity) -> Self {
        Self { pid: wire.pid, start_time: wire.start_time, boot_id: wire.boot_id }
    }
}

fn boot_id() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}
