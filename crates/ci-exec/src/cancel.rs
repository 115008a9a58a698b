//! Cancelling a run, and being sure that nothing of it is left.

use std::io;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, timeout_at};

use crate::control::{self, Request};
use crate::fact::ExitRecord;
use crate::follower::{FollowError, follow};
use crate::journal::{JournalError, JournalOffset};
use crate::processes::{Rule, Scope, Survivors};
use crate::run_dir::{OpenError, RunDir, RunState};
use crate::sweep::{SweepError, sweep};
use crate::swept::Swept;

/// What a runner may take beyond two graces, one for its commands and one for what escaped them:
/// the kernel's time to kill, twice, and its own work on a busy machine.
const MARGIN: Duration = Duration::from_secs(15);

/// How a run stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The runner ended the job. It was not cancelled where it had just ended by itself.
    Ended(ExitRecord),
    /// The runner was dead already; what it had left is gone, in all so much.
    Swept(Swept),
    /// There was no runner.
    NotStarted,
}

/// A run that could not be cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// Time is over and these processes of it are alive.
    #[error("cancel within {limit:?}: {left}")]
    StillAlive {
        /// How long it was waited for.
        limit: Duration,
        /// What is left.
        left: Survivors,
    },
    /// The runner was dead, and what it left could not be swept.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// The run directory cannot be read.
    #[error(transparent)]
    RunDir(#[from] OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The runner cannot be asked.
    #[error("ask the runner to cancel")]
    Io(#[from] io::Error),
}

/// Ends the job in `dir` and returns when no process of it is left.
///
/// # Errors
/// Names what is left where that takes longer than the graces allow.
pub async fn cancel(dir: &RunDir) -> Result<Stopped, CancelError> {
    let limit = dir.spec()?.grace * 2 + MARGIN;
    cancel_within(dir, limit).await
}

/// Like [`cancel`], with a limit of the caller's own.
///
/// # Errors
/// Names what is left when time is over; the runner goes on ending it.
pub async fn cancel_within(dir: &RunDir, limit: Duration) -> Result<Stopped, CancelError> {
    match dir.state()? {
        RunState::NotStarted => Ok(Stopped::NotStarted),
        RunState::Finished(record) => Ok(Stopped::Ended(record)),
        RunState::Lost => Ok(Stopped::Swept(sweep(dir).await?)),
        RunState::Running(_) => cancel_running(dir, limit).await,
    }
}

async fn cancel_running(dir: &RunDir, limit: Duration) -> Result<Stopped, CancelError> {
    let deadline = Instant::now() + limit;
    request_cancel(dir).await?;
    match timeout_at(deadline, wait_for_end(dir)).await {
        Ok(stopped) => stopped,
        Err(_) => Err(CancelError::StillAlive { limit, left: survivors(dir)? }),
    }
}

/// Asks over the socket; a runner whose socket is gone gets a signal that means the same.
async fn request_cancel(dir: &RunDir) -> Result<(), CancelError> {
    if control::ask(dir, Request::Cancel).await.is_ok() {
        return Ok(());
    }
    if let Some(identity) = dir.identity()? {
        identity.signal(Signal::USR1)?;
    }
    Ok(())
}

async fn wait_for_end(dir: &RunDir) -> Result<Stopped, CancelError> {
    let mut follower = follow(dir, JournalOffset(0));
    loop {
        match follower.next().await {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(FollowError::Lost) => return Ok(Stopped::Swept(sweep(dir).await?)),
            Err(FollowError::Journal(error)) => return Err(error.into()),
            Err(FollowError::RunDir(error)) => return Err(error.into()),
            Err(FollowError::Io(error)) => return Err(error.into()),
        }
    }
    match dir.exit_record()? {
        Some(record) => Ok(Stopped::Ended(record)),
        None => Err(OpenError::Missing(dir.path().to_owned()).into()),
    }
}

fn survivors(dir: &RunDir) -> Result<Survivors, CancelError> {
    let marker = dir.spec()?.marker();
    Ok(Scope::new(Rule::LeftBy { session: None, marker }).look()?.names())
}
