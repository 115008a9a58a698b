//! A git process that answers more than one question.

use std::io;

use crate::command::{Command, CommandError, Judge};
use crate::process::Running;

/// A running command, between two questions; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Sitting {
    git: Running,
    judge: Judge,
    answers: u32,
}

impl Sitting {
    /// Starts `command` with a pipe for questions.
    pub(crate) fn start(command: Command) -> Result<Self, CommandError> {
        let (git, judge) = command.input([]).start()?;
        Ok(Self { git, judge, answers: 0 })
    }

    /// How many questions it has answered.
    pub(crate) fn answers(&self) -> u32 {
        self.answers
    }

    /// Asks one question, within the time limit of the command. After an error the process is gone.
    pub(crate) async fn exchange<T>(
        &mut self,
        talk: impl AsyncFnOnce(&mut Running) -> io::Result<T>,
    ) -> Result<T, CommandError> {
        self.answers += 1;
        match tokio::time::timeout(self.judge.limit(), talk(&mut self.git)).await {
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
