//! What is known of a job outside of its process, and who asked for runs.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// Asks for runs of a job and shows how they went; survives restarts.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::periodic::{RunEnd, on_demand};
/// use heights::prelude::*;
///
/// let (spec, cleaning) = on_demand(|| async { Err("no broom".into()) }).child_with_ref("cleaning");
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// let end = cleaning.tick().await?;
/// assert!(matches!(end, RunEnd::Failed(_)));
/// let info = cleaning.info();
/// assert_eq!((info.started, info.failed, info.next_in), (1, 1, None));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PeriodicRef(Arc<Board>);

/// Shows a job as it is now.
#[derive(Debug, Clone, Default)]
pub struct PeriodicInfo {
    /// How long until the next time comes, if one will.
    pub next_in: Option<Duration>,
    /// How long each run that is under way has taken so far.
    pub running: Vec<Duration>,
    /// Runs that have started.
    pub started: u64,
    /// Runs that have failed, by an error or by taking too long.
    pub failed: u64,
    /// Times that were passed over because a run was under way.
    pub overlapped: u64,
    /// Times that were missed and had no run.
    pub missed: u64,
    /// How the last run that ended did so.
    pub last: Option<RunEnd>,
}

/// Says how a run ended.
#[derive(Debug, Clone)]
pub enum RunEnd {
    /// It did what it had to do.
    Done,
    /// It returned an error.
    Failed(Arc<dyn Error + Send + Sync>),
    /// It took longer than it may.
    TimedOut(Duration),
    /// It was stopped for the next one.
    Replaced,
}

/// Says why a run that was asked for did not come to its end.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::periodic::{TickError, on_demand};
/// use heights::prelude::Supervisor;
///
/// let (spec, cleaning) = on_demand(|| async { Ok(()) }).child_with_ref("cleaning");
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// root.stop().await;
/// assert!(matches!(cleaning.tick().await, Err(TickError::NotRunning)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TickError {
    /// The job is not running: it was stopped, or is about to be restarted.
    #[error("ask for a run of a job that is not there")]
    NotRunning,
    /// Another run is under way and the job ignores overlaps.
    #[error("start a run beside another")]
    Overlapped,
    /// The job's process ended before the run did.
    #[error("finish a run before the end of its process")]
    Down,
}

/// How the asked-for run ended.
pub(super) type Answer = oneshot::Sender<Result<RunEnd, TickError>>;

#[derive(Default)]
pub(super) struct Board {
    state: Mutex<State>,
    asked: Notify,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) life: Life,
    pub(super) requests: VecDeque<Answer>,
    pub(super) next_at: Option<Instant>,
    pub(super) running: Vec<Instant>,
    /// The rest of it.
    pub(super) counts: PeriodicInfo,
}

#[derive(Default, PartialEq, Eq)]
pub(super) enum Life {
    /// The process is still to start; it will find the requests.
    #[default]
    Awaited,
    Running,
    Ended,
}

impl PeriodicRef {
    pub(super) fn new(board: Arc<Board>) -> Self {
        Self(board)
    }

    /// Asks for a run, besides those whose time comes, and waits for its end.
    ///
    /// The guard is not asked, but overlaps are handled as ever. Dropping the future does not stop
    /// the run.
    pub async fn tick(&self) -> Result<RunEnd, TickError> {
        let (answer, end) = oneshot::channel();
        {
            let mut state = self.0.state();
            if state.life == Life::Ended {
                return Err(TickError::NotRunning);
            }
            state.requests.push_back(answer);
        }
        self.0.asked.notify_one();
        end.await.unwrap_or(Err(TickError::Down))
    }

    /// Shows the job as it is now.
    pub fn info(&self) -> PeriodicInfo {
        let (state, now) = (self.0.state(), Instant::now());
        PeriodicInfo {
            next_in: state.next_at.map(|at| at.saturating_duration_since(now)),
            running: state.running.iter().map(|since| now - *since).collect(),
            ..state.counts.clone()
        }
    }
}

impl Board {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until somebody asks for a run.
    pub(super) async fn request(&self) -> Answer {
        loop {
            let request = self.state().requests.pop_front();
            match request {
                Some(answer) => return answer,
                None => self.asked.notified().await,
            }
        }
    }
}

impl RunEnd {
    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::TimedOut(_))
    }
}

impl fmt::Debug for PeriodicRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PeriodicRef").field(&self.info()).finish()
    }
}

impl fmt::Display for RunEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::TimedOut(longest) => write!(f, "took longer than {longest:?}"),
            Self::Replaced => f.write_str("stopped for the next run"),
        }
    }
}
