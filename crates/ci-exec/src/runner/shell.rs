//! One shell: a process that leads a process group, and is waited for without a race for its pid.

use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::process::Child;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, WaitOptions, getsid, pidfd_open, test_kill_process_group, waitpgid,
};
use tokio::io::unix::AsyncFd;

use crate::fact::Exit;
use crate::sandbox::{Inmate, Keeper};
use crate::script::{Script, exit_of};

/// A shell that has not been reaped.
pub(super) enum Shell {
    /// A child of this process.
    Own(Box<OwnShell>),
    /// A process in a sandbox, which is waited for there.
    Inside(Inmate),
}

/// A shell that is a child of this process. Until it is reaped its pid and group are nobody else's.
pub(super) struct OwnShell {
    child: Child,
    pidfd: AsyncFd<OwnedFd>,
}

/// What is left of a process group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Nothing.
    Empty,
    /// Processes, if only some that wait to be reaped by a parent of theirs.
    Inhabited,
}

impl Shell {
    /// Starts a shell in a process group of its own, and returns what it and its children write.
    pub(super) fn spawn(script: &Script<'_>) -> io::Result<(Self, PipeReader)> {
        let (output, input) = io::pipe()?;
        let child = script.command(input)?.spawn()?;
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::NONBLOCK)?;
        #[expect(deprecated, reason = "sound for an OwnedFd, and its successor is unsafe to call")]
        let pidfd = AsyncFd::new(pidfd)?;
        Ok((Self::Own(Box::new(OwnShell { child, pidfd })), output))
    }

    /// The same in the sandbox that `keeper` has.
    pub(super) async fn spawn_inside(
        keeper: &Keeper,
        script: &Script<'_>,
    ) -> io::Result<(Self, PipeReader)> {
        let (inmate, output) = keeper.start(script).await?;
        Ok((Self::Inside(inmate), output))
    }

    /// Its pid, and the number of its group.
    pub(super) fn pid(&self) -> Pid {
        match self {
            Self::Own(own) => Pid::from_child(&own.child),
            Self::Inside(inmate) => inmate.pid(),
        }
    }

    /// The session that its group belongs to.
    pub(super) fn session(&self) -> io::Result<Pid> {
        match self {
            Self::Own(_) => Ok(getsid(None)?),
            Self::Inside(inmate) => Ok(inmate.session()),
        }
    }

    /// Waits until it has ended; a child of ours is left to be reaped.
    pub(super) async fn ended(&mut self) -> io::Result<()> {
        match self {
            Self::Own(own) => own.pidfd.readable().await.map(drop),
            Self::Inside(inmate) => inmate.ended().await.map(drop),
        }
    }

    /// Reaps the shell, which has ended or is about to.
    pub(super) async fn reap(&mut self) -> io::Result<Exit> {
        match self {
            Self::Own(own) => Ok(exit_of(own.child.wait()?)),
            Self::Inside(inmate) => inmate.ended().await,
        }
    }
}

/// Reaps the members of a shell's group that have ended and came to us; the shell is reaped before.
pub(super) fn reap_group(group: Pid) -> io::Result<Group> {
    loop {
        match waitpgid(group, WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) | Err(Errno::CHILD) => break,
            Err(error) => return Err(error.into()),
        }
    }
    match test_kill_process_group(group) {
        Err(Errno::SRCH) => Ok(Group::Empty),
        Ok(()) | Err(Errno::PERM) => Ok(Group::Inhabited),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    fn check_refused(shell: &str, working_dir: &str) {
        let (shell, working_dir) = (Path::new(shell), Path::new(working_dir));
        let script = Script { shell, text: "true", working_dir, env: BTreeMap::new() };
        let error = Shell::spawn(&script).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn without_a_shell_or_a_folder_nothing_starts() {
        check_refused("/nonexistent/sh", "/");
        check_refused("/bin/sh", "/nonexistent");
    }
}
