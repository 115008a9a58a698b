//! One shell: a process that leads a process group, and is waited for without a race for its pid.

use std::collections::BTreeMap;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, WaitOptions, pidfd_open, test_kill_process_group, waitpgid,
};
use tokio::io::unix::AsyncFd;

use crate::fact::Exit;

/// What is told to a shell.
pub(super) struct Script<'a> {
    /// The program that reads it, with `-c` before the text.
    pub(super) shell: &'a Path,
    pub(super) text: &'a str,
    pub(super) working_dir: &'a Path,
    /// The whole environment.
    pub(super) env: BTreeMap<&'a str, &'a str>,
}

/// A shell that has not been reaped. Until then its pid and group are nobody else's.
pub(super) struct Shell {
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
        let child = Command::new(script.shell)
            .arg("-c")
            .arg(script.text)
            .current_dir(script.working_dir)
            .env_clear()
            .envs(&script.env)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(input.try_clone()?)
            .stderr(input)
            .spawn()?;
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::NONBLOCK)?;
        #[expect(deprecated, reason = "sound for an OwnedFd, and its successor is unsafe to call")]
        let pidfd = AsyncFd::new(pidfd)?;
        Ok((Self { child, pidfd }, output))
    }

    /// Its pid, and the number of its group.
    pub(super) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it has ended, and leaves it to be reaped.
    pub(super) async fn ended(&self) -> io::Result<()> {
        self.pidfd.readable().await.map(drop)
    }

    /// Reaps the shell, which has ended.
    pub(super) fn reap(&mut self) -> io::Result<Exit> {
        Ok(exit_of(self.child.wait()?))
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

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => unreachable!("a process that was waited for has a code or a signal"),
    }
}

#[cfg(test)]
mod tests {
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
