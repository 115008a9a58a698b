//! The runner process: holds the run directory, works through the tree, and leaves its last word.
//!
//! It runs on one thread. Each part is a future of one task: the tree with its commands, the server
//! for clients, and what can end the job from outside.

mod command_log;
mod contained;
mod control_server;
mod job;
mod keep;
mod log_file;
mod pump;
mod record;
mod shell;
mod shells;
mod stop;
mod tree;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{getpid, set_child_subreaper, setsid};

use crate::fact::{ExitRecord, Fact, Leftovers, Outcome, UnixMillis};
use crate::identity::Identity;
use crate::journal::Journal;
use crate::mask::Mask;
use crate::run_dir::{OpenError, RunDir};
use crate::sandbox;
use crate::secrets::Secrets;
use crate::spec::RunSpec;
use record::Recorder;

/// What a runner says on its standard output once it holds its directory.
pub(crate) const READY: &[u8] = b"ready\n";

/// How a runner process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunnerExit {
    /// The outcome of the job is recorded, whatever it is.
    Done,
    /// Another runner holds the directory.
    AlreadyRunning,
    /// A runner has been at work in the directory before.
    AlreadyRan,
    /// The directory or its spec cannot be used; nothing was run.
    Refused,
    /// The job ended and its outcome could not be written.
    Unrecorded,
    /// The machine told it to end: all commands were ended, and the job has no outcome.
    Terminated,
}

/// Why a runner did not begin.
#[derive(Debug, thiserror::Error)]
enum SetupError {
    #[error("hold the run directory: another runner does")]
    AlreadyRunning,
    #[error("use the run directory: a runner has been at work in it")]
    AlreadyRan,
    #[error(transparent)]
    RunDir(#[from] OpenError),
    #[error("set up the runner")]
    Io(#[from] io::Error),
}

/// A run directory that this process holds.
struct Held {
    dir: RunDir,
    /// The lock goes when *any* handle on its file is closed in this process, so the runner opens
    /// it once and never asks for the state of its own directory.
    _lock: File,
    spec: RunSpec,
    secrets: Secrets,
    listener: UnixListener,
    recorder: Recorder,
}

impl RunnerExit {
    /// The exit code of the process.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::AlreadyRunning => 10,
            Self::AlreadyRan => 11,
            Self::Refused => 12,
            Self::Unrecorded => 13,
            Self::Terminated => 14,
        }
    }
}

/// Makes this process the runner of `run_dir` and returns when the job has ended.
///
/// It must be called before the process starts any thread or runtime, and from a process that
/// [`Launcher`](crate::Launcher) started.
#[must_use]
pub fn runner_main(run_dir: &Path) -> ExitCode {
    // A runner starts this program once more inside a sandbox, and says so in the place of a path.
    if let Some(calling) = sandbox::called_with(run_dir) {
        return sandbox::init_main(calling);
    }
    let exit = match set_up(run_dir) {
        Ok(held) => held.work().unwrap_or_else(|error| {
            report(&error);
            RunnerExit::Unrecorded
        }),
        Err(error) => {
            report(&error);
            match error {
                SetupError::AlreadyRunning => RunnerExit::AlreadyRunning,
                SetupError::AlreadyRan => RunnerExit::AlreadyRan,
                SetupError::RunDir(_) | SetupError::Io(_) => RunnerExit::Refused,
            }
        }
    };
    ExitCode::from(exit.code())
}

/// Leaves the session of the starter, takes hold of the directory, and lets the starter go.
///
/// What can fail comes before the journal as far as possible: without one, the attempt can be
/// started again.
fn set_up(run_dir: &Path) -> Result<Held, SetupError> {
    setsid().map_err(io::Error::from)?;
    set_child_subreaper(Some(getpid())).map_err(io::Error::from)?;
    let secrets = Secrets::receive()?;
    let mask = Mask::new(&secrets);
    let dir = RunDir::open(run_dir)?;
    let lock = lock(&dir)?;
    if dir.journal_path().exists() {
        return Err(SetupError::AlreadyRan);
    }
    let spec = dir.spec()?;
    let listener = crate::control::listen(&dir)?;
    let identity = Identity::own()?;
    dir.write_identity(&identity)?;
    let recorder = Recorder::new(Journal::create(&dir.journal_path())?, mask);
    recorder.append(Fact::RunnerStarted { identity, at: UnixMillis::now() })?;
    announce(&dir)?;
    Ok(Held { dir, _lock: lock, spec, secrets, listener, recorder })
}

fn lock(dir: &RunDir) -> Result<File, SetupError> {
    let path = dir.lock_path();
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::AGAIN | Errno::ACCESS) => Err(SetupError::AlreadyRunning),
        Err(errno) => Err(io::Error::from(errno).into()),
    }
}

/// Tells the starter that it may go, and keeps no tie to it.
fn announce(dir: &RunDir) -> io::Result<()> {
    let log = dir.log_of_runner()?;
    // The starter may be dead already, which is nothing to stop for.
    match io::stdout().write_all(READY).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        _ => {}
    }
    rustix::stdio::dup2_stdout(&log)?;
    rustix::stdio::dup2_stderr(&log)?;
    Ok(())
}

impl Held {
    /// Runs the job and leaves the outcome, or nothing at all where it must not count.
    fn work(self) -> Result<RunnerExit, SetupError> {
        let Self { dir, _lock, spec, secrets, listener, recorder } = self;
        let job = job::Job { spec: &spec, secrets: &secrets, dir: &dir, recorder: &recorder };
        let end = match run(&job, listener) {
            Ok(Some(end)) => end,
            Ok(None) => return Ok(RunnerExit::Terminated),
            Err(error) => job::End {
                outcome: Outcome::Crashed { reason: in_full(&error) },
                leftovers: Leftovers::default(),
            },
        };
        record(&dir, &recorder, end)?;
        Ok(RunnerExit::Done)
    }
}

fn run(job: &job::Job<'_>, listener: UnixListener) -> io::Result<Option<job::End>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(job.run(listener))
}

/// Writes the outcome, the exit record first: whoever reads the last fact can rely on the record.
fn record(dir: &RunDir, recorder: &Recorder, end: job::End) -> Result<(), SetupError> {
    let job::End { outcome, leftovers } = end;
    let at = UnixMillis::now();
    let outcome = match recorder.sync() {
        Ok(()) => outcome,
        Err(error) => Outcome::Crashed { reason: format!("keep the journal: {error}") },
    };
    let outcome = recorder.masked(outcome);
    dir.write_exit_record(&ExitRecord { outcome: outcome.clone(), at, leftovers })?;
    Ok(recorder.append(Fact::JobEnded { outcome, at })?)
}

/// Says on standard output what went wrong: to the starter, and later into `runner.log`.
fn report(error: &SetupError) {
    // Nobody may be there to read it, and there is nobody else to tell.
    drop(writeln!(io::stdout(), "{}", in_full(error)));
}

/// An error with its causes, as one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
