//! The first process of a sandbox or container: starts shells as it is told, and reaps what has ended.
//!
//! It runs among the commands, as the same user. So it knows nothing that they must not know, holds
//! nothing open but its socket, and cannot be looked into; all it could be made to lie about is how
//! the commands of its own job have ended.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, PipeWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Resource, Rlimit, WaitOptions, getpid, getrlimit,
    pidfd_open, set_dumpable_behavior, setrlimit, wait,
};
use tokio::signal::unix::{SignalKind, signal};

use super::channel::{Channel, News, Order, WrittenScript};
use crate::container::meet;
use crate::script::exit_of;

/// What the program is given instead of a run directory; the limit of processes follows.
const CALLED: &str = "@init:";
/// The same in a container.
pub(crate) const CALLED_CONTAINED: &str = "@contained";

/// How this process was started to be an init.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calling {
    /// In a sandbox: the runner's socket is standard input, and init itself keeps the limit of processes.
    Sandboxed(u32),
    /// In a container: the runner waits at the gate, and the engine has set the limits.
    Contained,
}

/// What the init of a sandbox is started with, besides what a runner is.
pub(super) fn argument(pids: u32) -> String {
    format!("{CALLED}{pids}")
}

/// How this process was called, where it was started to be an init.
pub(crate) fn called_with(argument: &Path) -> Option<Calling> {
    let argument = argument.to_str()?;
    if argument == CALLED_CONTAINED {
        return Some(Calling::Contained);
    }
    argument.strip_prefix(CALLED)?.parse().ok().map(Calling::Sandboxed)
}

/// Makes this process the init of a sandbox; it returns when the runner is gone.
pub(crate) fn init_main(calling: Calling) -> ExitCode {
    match set_up(calling).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Who made the sandbox repeats it; there is nobody else to tell.
            drop(writeln!(io::stderr(), "the first process failed to begin: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Takes the socket from where it is, and leaves nothing there that commands could use.
fn set_up(calling: Calling) -> io::Result<OwnedFd> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_name(c"ci-init")?;
    let socket = match calling {
        Calling::Sandboxed(pids) => {
            limit_processes(pids)?;
            rustix::stdio::stdin().try_clone_to_owned()?
        }
        Calling::Contained => meet()?,
    };
    let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    Ok(socket)
}

fn limit_processes(pids: u32) -> io::Result<()> {
    let before = getrlimit(Resource::Nproc);
    let most = before.maximum.map_or(u64::from(pids), |most| most.min(pids.into()));
    Ok(setrlimit(Resource::Nproc, Rlimit { current: Some(most), maximum: Some(most) })?)
}

fn run(socket: OwnedFd) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let channel = Channel::new(socket)?;
        let init = Init { channel, shells: BTreeMap::new(), unseen: 0 };
        init.serve().await
    })
}

struct Init {
    channel: Channel,
    /// The shells that have not been reaped, by their pids here.
    shells: BTreeMap<i32, u32>,
    /// How many shells there are whose pids the runner does not know yet. Nothing is reaped meanwhile,
    /// so that the pids are nobody else's.
    unseen: u32,
}

impl Init {
    async fn serve(mut self) -> io::Result<()> {
        let mut ends = signal(SignalKind::child())?;
        let own = pidfd_open(getpid(), PidfdFlags::empty())?;
        self.channel.send(&News::Ready, &[own.as_fd()]).await?;
        loop {
            tokio::select! {
                order = self.channel.receive() => match order? {
                    Some((Order::Start { number }, files)) => self.start(number, files).await?,
                    Some((Order::Seen, _)) => self.unseen = self.unseen.saturating_sub(1),
                    None => return Ok(()),
                },
                _ = ends.recv() => {}
            }
            if self.unseen == 0 {
                self.reap().await?;
            }
        }
    }

    async fn start(&mut self, number: u32, files: Vec<OwnedFd>) -> io::Result<()> {
        match spawn(files) {
            Ok(pid) => {
                let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
                self.shells.insert(pid.as_raw_nonzero().get(), number);
                self.unseen += 1;
                self.channel.send(&News::Started { number }, &[pidfd.as_fd()]).await
            }
            Err(error) => self.channel.send(&News::refused(number, &error), &[]).await,
        }
    }

    /// Reaps all that has ended: shells, and whatever has lost its parent.
    async fn reap(&mut self) -> io::Result<()> {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let number = self.shells.remove(&pid.as_raw_nonzero().get());
                    if let Some(number) = number {
                        let exit = exit_of(ExitStatus::from_raw(status.as_raw()));
                        self.channel.send(&News::ended(number, exit), &[]).await?;
                    }
                }
                Ok(None) | Err(Errno::CHILD) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Starts a shell, which is then waited for like every other child.
fn spawn(files: Vec<OwnedFd>) -> io::Result<Pid> {
    let Ok([script, output]) = <[OwnedFd; 2]>::try_from(files) else {
        return Err(io::Error::other("a script and a pipe go along with an order"));
    };
    let written = WrittenScript::read(script)?;
    let child = written.script().command(PipeWriter::from(output))?.spawn()?;
    Ok(Pid::from_child(&child))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_knows_how_it_was_called() {
        let check = |argument: &str, calling| {
            assert_eq!(called_with(Path::new(argument)), calling, "{argument}");
        };
        check(&argument(7), Some(Calling::Sandboxed(7)));
        check(CALLED_CONTAINED, Some(Calling::Contained));
        for other in ["/d/run", "@init:", "@init:x", "@contained:x", "@other:1"] {
            check(other, None);
        }
    }
}
