//! Following a runner: its facts in order, from any offset, until its last word or its death.

use std::io;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::sleep;

use crate::control;
use crate::fact::Fact;
use crate::journal::{JournalError, JournalOffset, JournalReader};
use crate::run_dir::{OpenError, RunDir, RunState};

/// The first pause before asking again for a runner that cannot be reached.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// The longest pause before asking again for a runner that cannot be reached.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Yields the facts of a run as they happen.
///
/// From the first call of [`next`](Self::next) until it is dropped, the runner counts as followed.
#[derive(Debug)]
pub struct Follower {
    dir: RunDir,
    journal: JournalReader,
    /// The connection on which the runner says that there is more.
    wakes: Option<UnixStream>,
    /// Whether the runner has said anything on that connection.
    is_greeted: bool,
    /// Whether it has ever tried to connect.
    has_reached: bool,
    pause: Duration,
    ended: bool,
}

/// A run that cannot be followed to its end.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The runner died without a last word: sweep what it left, then make a new attempt.
    #[error("follow the runner: it died")]
    Lost,
    /// What it wrote cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run directory cannot be read.
    #[error(transparent)]
    RunDir(#[from] OpenError),
    /// The connection to the runner failed.
    #[error("follow the runner")]
    Io(#[from] io::Error),
}

/// What is next when all facts that are there have been read.
enum Next {
    Look,
    End(Fact),
}

/// Follows the run in `dir` from an offset that an earlier follower has reached, or from 0.
#[must_use]
pub fn follow(dir: &RunDir, from: JournalOffset) -> Follower {
    Follower {
        journal: dir.journal(from),
        dir: dir.clone(),
        wakes: None,
        is_greeted: false,
        has_reached: false,
        pause: FIRST_PAUSE,
        ended: false,
    }
}

impl Follower {
    /// Waits for the next fact; `None` after the last one.
    ///
    /// It waits for a runner that is yet to start. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`FollowError::Lost`] where the runner died before its last fact; otherwise what it wrote
    /// cannot be read.
    pub async fn next(&mut self) -> Result<Option<(JournalOffset, Fact)>, FollowError> {
        if !self.has_reached {
            // Connecting comes before reading, so that a runner is adopted however much there is to
            // read. A runner that cannot be reached yet is tried again once all is read.
            self.wakes = control::attach(&self.dir).await.ok();
            self.has_reached = true;
        }
        while !self.ended {
            if let Some((offset, fact)) = self.look()? {
                self.ended = fact.is_last();
                return Ok(Some((offset, fact)));
            }
            if let Next::End(fact) = self.wait().await? {
                self.ended = true;
                return Ok(Some((self.journal.offset(), fact)));
            }
        }
        Ok(None)
    }

    /// Reads the next fact that is there. A dead runner may have left a damaged end.
    fn look(&mut self) -> Result<Option<(JournalOffset, Fact)>, FollowError> {
        match self.journal.next_fact() {
            Err(JournalError::Damaged { .. } | JournalError::Unknown { .. })
                if self.dir.state()? == RunState::Lost =>
            {
                Err(FollowError::Lost)
            }
            other => Ok(other?),
        }
    }

    /// Waits until looking into the journal again may be worth it.
    async fn wait(&mut self) -> Result<Next, FollowError> {
        let Some(wakes) = &self.wakes else { return self.reach().await };
        wakes.readable().await?;
        let mut bytes = [0; 64];
        match wakes.try_read(&mut bytes) {
            Ok(0) => self.hung_up().await,
            Ok(_) => {
                self.is_greeted = true;
                self.pause = FIRST_PAUSE;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // The runner ended with our request unread.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => self.hung_up().await,
            Err(error) => return Err(error.into()),
        }
        Ok(Next::Look)
    }

    /// Forgets a connection. A runner rings at once, so one that never did has not understood us, and is
    /// not asked again in a hurry.
    async fn hung_up(&mut self) {
        self.wakes = None;
        if !std::mem::take(&mut self.is_greeted) {
            self.rest().await;
        }
    }

    async fn rest(&mut self) {
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Finds out why there is no connection, and makes one where there can be.
    async fn reach(&mut self) -> Result<Next, FollowError> {
        match self.dir.state()? {
            RunState::Finished(record) => {
                // What a runner wrote before its exit record has been read only now for sure.
                let rest = self.dir.journal(self.journal.offset()).next_fact()?;
                let end = Fact::JobEnded { outcome: record.outcome, at: record.at };
                return Ok(if rest.is_some() { Next::Look } else { Next::End(end) });
            }
            RunState::Lost => {
                let rest = self.dir.journal(self.journal.offset()).next_fact()?;
                return if rest.is_some() { Ok(Next::Look) } else { Err(FollowError::Lost) };
            }
            RunState::Running(_) => {
                if let Ok(stream) = control::attach(&self.dir).await {
                    self.wakes = Some(stream);
                    return Ok(Next::Look);
                }
            }
            RunState::NotStarted => {}
        }
        self.rest().await;
        Ok(Next::Look)
    }
}
