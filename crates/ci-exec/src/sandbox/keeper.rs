//! The runner's side of a sandbox: makes it, has shells started in it, and ends it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use futures_util::future::pending;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, pidfd_send_signal};
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::arguments::arguments;
use super::channel::{Channel, News, Order, WrittenScript, pid_of};
use super::init;
use super::system::System;
use crate::container::Unspeakable;
use crate::fact::Exit;
use crate::script::Script;
use crate::spec::Namespaces;

/// How long a sandbox may take until its init is there; a busy machine is slow, not stuck.
pub(crate) const ENTER_LIMIT: Duration = Duration::from_secs(30);
/// The most that is repeated of what bubblewrap says.
const MAX_COMPLAINT: u64 = 1000;

/// A sandbox that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnterError {
    /// There is no such program, or it cannot be started.
    #[error("start {}", program.display())]
    Start { program: PathBuf, source: io::Error },
    /// Whoever was to make it gave up, and said this.
    #[error("{0}")]
    Refused(String),
    /// No word from inside.
    #[error("enter it within {ENTER_LIMIT:?}")]
    TimedOut,
    /// It cannot be told what to show.
    #[error(transparent)]
    Unspeakable(#[from] Unspeakable),
    /// This machine does not let us prepare it.
    #[error("prepare it")]
    Io(#[from] io::Error),
}

/// A sandbox, from the outside.
#[derive(Debug)]
pub(crate) struct Keeper {
    channel: Channel,
    init: Pid,
    init_fd: OwnedFd,
    waiting: RefCell<BTreeMap<u32, Waiting>>,
    next: Cell<u32>,
}

/// Those who wait for news of one shell.
#[derive(Debug)]
struct Waiting {
    started: Option<oneshot::Sender<io::Result<Pid>>>,
    ended: oneshot::Sender<Exit>,
}

/// A shell in a sandbox.
#[derive(Debug)]
pub(crate) struct Inmate {
    pid: Pid,
    session: Pid,
    exit: Option<Exit>,
    ended: oneshot::Receiver<Exit>,
}

impl Keeper {
    /// Makes a sandbox; its processes outside carry `marker`, a variable and its value.
    ///
    /// The program that is to be init comes in as standard output: so it is the very image that runs
    /// here, wherever it lay and whatever lies there now. The socket is standard input.
    pub(crate) async fn enter(
        namespaces: &Namespaces,
        marker: (&str, &str),
    ) -> Result<Self, EnterError> {
        let system = System::of(namespaces)?;
        let (ours, theirs) = Channel::pair()?;
        let (complaints, stderr) = io::pipe()?;
        let program = &namespaces.bubblewrap;
        let _monitor = Command::new(program)
            .args(arguments(namespaces, &system))
            .arg("/proc/self/fd/1")
            .args(own_arguments())
            .arg(init::argument(namespaces.pids))
            .env_clear()
            .env(marker.0, marker.1)
            .stdin(theirs)
            .stdout(File::open("/proc/self/exe")?)
            .stderr(stderr)
            .spawn()
            .map_err(|source| EnterError::Start { program: program.clone(), source })?;
        match Self::meet(ours).await? {
            Some(keeper) => Ok(keeper),
            None => Err(EnterError::Refused(complaint(complaints)?)),
        }
    }

    /// Waits for the first word of an init that has the other end of `socket`; `None` where it has ended.
    pub(crate) async fn meet(socket: OwnedFd) -> Result<Option<Self>, EnterError> {
        let channel = Channel::new(socket)?;
        let ready = timeout(ENTER_LIMIT, channel.receive()).await;
        match ready.map_err(|_| EnterError::TimedOut)?? {
            Some((News::Ready, mut files)) if files.len() == 1 => {
                let init_fd = files.remove(0);
                let init = pid_of(&init_fd)?;
                let (waiting, next) = (RefCell::default(), Cell::new(0));
                Ok(Some(Self { channel, init, init_fd, waiting, next }))
            }
            _ => Ok(None),
        }
    }

    /// Starts a shell, and returns what it and its children write.
    pub(crate) async fn start(&self, script: &Script<'_>) -> io::Result<(Inmate, PipeReader)> {
        let number = self.next.replace(self.next.get().wrapping_add(1));
        let (output, input) = io::pipe()?;
        let written = WrittenScript::write(script)?;
        let (started, has_started) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        self.waiting.borrow_mut().insert(number, Waiting { started: Some(started), ended });
        self.channel.send(&Order::Start { number }, &[written.as_fd(), input.as_fd()]).await?;
        drop(input);
        let pid = has_started.await.map_err(|_| gone())??;
        Ok((Inmate { pid, session: self.init, exit: None, ended: has_ended }, output))
    }

    /// Passes on what init tells. It goes on for as long as it is polled.
    pub(crate) async fn listen(&self) -> std::convert::Infallible {
        while let Ok(Some((news, files))) = self.channel.receive().await {
            if self.note(news, files).await.is_err() {
                break;
            }
        }
        // Whoever waits hears by this that the sandbox is gone.
        self.waiting.borrow_mut().clear();
        pending().await
    }

    /// The first process in it, which is none of the job's, and of which all others descend.
    pub(crate) fn init(&self) -> Pid {
        self.init
    }

    /// Waits until init has ended: the kernel has ended everything else in the sandbox by then.
    pub(crate) async fn ended(&self) -> io::Result<()> {
        #[expect(deprecated, reason = "sound for an OwnedFd, and its successor is unsafe to call")]
        let init = AsyncFd::new(self.init_fd.try_clone()?)?;
        init.readable().await.map(drop)
    }

    /// Kills init, and with it everything in the sandbox.
    pub(crate) fn end(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.init_fd, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn note(&self, news: News, files: Vec<OwnedFd>) -> io::Result<()> {
        match news {
            News::Ready => {}
            News::Started { number } => {
                let pid = files.first().ok_or_else(gone).and_then(pid_of);
                self.channel.send(&Order::Seen, &[]).await?;
                self.answer(number, pid);
            }
            News::Refused { number, errno, reason } => {
                let error =
                    errno.map_or_else(|| io::Error::other(reason), io::Error::from_raw_os_error);
                self.answer(number, Err(error));
                self.waiting.borrow_mut().remove(&number);
            }
            News::Ended { number, code, signal } => {
                let exit = code.map(Exit::Code).or(signal.map(Exit::Signal));
                let waiting = self.waiting.borrow_mut().remove(&number);
                if let (Some(waiting), Some(exit)) = (waiting, exit) {
                    // Nobody may be left who wants to know.
                    let _unheard = waiting.ended.send(exit);
                }
            }
        }
        Ok(())
    }

    fn answer(&self, number: u32, answer: io::Result<Pid>) {
        let mut waiting = self.waiting.borrow_mut();
        if let Some(started) = waiting.get_mut(&number).and_then(|one| one.started.take()) {
            drop(started.send(answer));
        }
    }
}

impl Inmate {
    /// Its pid out here, and the number of its group.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// The session of all shells in its sandbox, which init leads.
    pub(crate) fn session(&self) -> Pid {
        self.session
    }

    /// Waits until it has ended and is reaped.
    pub(crate) async fn ended(&mut self) -> io::Result<Exit> {
        if let Some(exit) = self.exit {
            return Ok(exit);
        }
        let exit = (&mut self.ended).await.map_err(|_| gone())?;
        self.exit = Some(exit);
        Ok(exit)
    }
}

/// What this process was started with, but for the run directory at the end.
pub(crate) fn own_arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    arguments.pop();
    arguments
}

/// What bubblewrap has written, now that it has ended.
fn complaint(complaints: PipeReader) -> io::Result<String> {
    let mut text = String::new();
    complaints.take(MAX_COMPLAINT).read_to_string(&mut text)?;
    let text = text.trim();
    Ok(if text.is_empty() { "it ended without a word".to_owned() } else { text.to_owned() })
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the sandbox has ended")
}
