//! When to look at a log again, and when to give up.

use std::io;
use std::time::Duration;

use ci_build::Runs;
use ci_domain::ids::AttemptId;
use tokio::time::Instant;

use crate::stopping::Stopping;

/// How soon what was printed is seen. Runners write to files that nobody tells us about.
const LOOK: Duration = Duration::from_millis(250);
/// How long a log may stay as it is before we make sure that its runner lives: one that was killed leaves
/// a log without an end.
const DOUBT: Duration = Duration::from_secs(30);

/// Waits between two looks at what an attempt writes.
pub(super) struct Pulse {
    runs: Runs,
    attempt: AttemptId,
    doubt_at: Instant,
    stopping: Stopping,
}

impl Pulse {
    pub(super) fn new(runs: &Runs, attempt: &AttemptId, stopping: Stopping) -> Self {
        let doubt_at = Instant::now() + DOUBT;
        Self { runs: runs.clone(), attempt: attempt.clone(), doubt_at, stopping }
    }

    /// Notes a sign of life.
    pub(super) fn heard(&mut self) {
        self.doubt_at = Instant::now() + DOUBT;
    }

    /// Waits until it is time to look again; `false` where nothing more will come.
    pub(super) async fn wait(&mut self) -> io::Result<bool> {
        tokio::select! {
            () = self.stopping.told() => return Ok(false),
            () = tokio::time::sleep(LOOK) => {}
        }
        if Instant::now() < self.doubt_at {
            return Ok(true);
        }
        self.heard();
        let runs = self.runs.clone();
        let at_work = tokio::task::spawn_blocking(move || runs.at_work()).await??;
        Ok(at_work.contains(&self.attempt))
    }
}
