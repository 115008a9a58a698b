//! Git processes that stay to answer one question after another: starting one takes longer than most
//! answers do.
//!
//! They take no lock along, as commands that write otherwise do: they end when the node does, because
//! nobody asks them any more.

use std::io;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::command::{Command, CommandError, Judge};
use crate::process::Running;

/// A process that has answered this often gives way to a new one, which holds neither the packs that
/// were deleted meanwhile nor an ever longer list of complaints.
const MOST_ANSWERS: u32 = 1000;

/// Something to ask a git process that stays.
pub(crate) trait Question: Sync {
    /// What it answers.
    type Answer: Send;

    /// Asks, and reads the answer to its end. It may be asked twice, when the first process fails.
    fn ask(&self, git: &mut Running) -> impl Future<Output = io::Result<Self::Answer>> + Send;
}

/// A place for one command, which sits there once it was needed; clones are the same place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seat(Arc<Mutex<Option<Sitting>>>);

/// A running command, between two questions; dropping it kills it.
#[derive(Debug)]
struct Sitting {
    git: Running,
    judge: Judge,
    answers: u32,
}

impl Seat {
    /// Asks what sits here, or else `command`, which sits here then. One that sat here and fails is
    /// replaced.
    pub(crate) async fn ask<Q: Question>(
        &self,
        command: Command,
        question: &Q,
    ) -> Result<Q::Answer, CommandError> {
        let mut seat = self.0.lock().await;
        // It is not in its place while it is asked: a question that is given up half-way takes git with
        // it, and the answers that nobody has read.
        let seated = seat.take().filter(|sitting| sitting.answers < MOST_ANSWERS);
        if let Some(mut sitting) = seated {
            match sitting.exchange(question).await {
                Ok(answer) => {
                    *seat = Some(sitting);
                    return Ok(answer);
                }
                Err(error @ CommandError::TimedOut { .. }) => return Err(error),
                Err(error) => tracing::warn!(%error, "starts it again"),
            }
        }
        let mut sitting = Sitting::start(command)?;
        let answer = sitting.exchange(question).await?;
        *seat = Some(sitting);
        Ok(answer)
    }

    /// Ends what sits here; the next question starts another.
    pub(crate) async fn clear(&self) {
        self.0.lock().await.take();
    }
}

impl Sitting {
    fn start(command: Command) -> Result<Self, CommandError> {
        let (git, judge) = command.input([]).start()?;
        Ok(Self { git, judge, answers: 0 })
    }

    /// Asks one question, within the time limit of the command. After an error the process is gone.
    async fn exchange<Q: Question>(&mut self, question: &Q) -> Result<Q::Answer, CommandError> {
        self.answers += 1;
        match tokio::time::timeout(self.judge.limit(), question.ask(&mut self.git)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.last_words(error).await),
            Err(_elapsed) => {
                self.git.kill().await;
                Err(self.judge.timed_out())
            }
        }
    }

    /// Why git hung up, if it did; what was read is not to the point then.
    async fn last_words(&mut self, error: io::Error) -> CommandError {
        let hung_up =
            matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe);
        if !hung_up {
            self.git.kill().await;
            return self.judge.broken(error);
        }
        match tokio::time::timeout(self.judge.limit(), self.git.finish(&[])).await {
            Ok(Ok(finished)) => match self.judge.ruling(finished) {
                Ok(_) => self.judge.broken(error),
                Err(failed) => failed,
            },
            Ok(Err(_)) | Err(_) => {
                self.git.kill().await;
                self.judge.broken(error)
            }
        }
    }
}
