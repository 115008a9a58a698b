//! Carries what a command writes from its pipe into its log.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::pending;
use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;

use super::command_log::CommandLog;

/// How much a pipe holds; more than the default means fewer turns between command and runner.
const PIPE_SIZE: usize = 256 * 1024;

/// A log that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write the log {}", path.display())]
pub(super) struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// The reading end of a command's output.
pub(super) struct Pump {
    /// `None` once everybody has closed the other end.
    pipe: Option<Receiver>,
    log: CommandLog,
    buffer: Vec<u8>,
}

impl Pump {
    pub(super) fn new(pipe: impl Into<OwnedFd>, log: CommandLog) -> io::Result<Self> {
        let pipe = pipe.into();
        // A user with many pipes gets small ones only, which is slower and nothing else.
        let size = fcntl_setpipe_size(&pipe, PIPE_SIZE).unwrap_or(PIPE_SIZE);
        Ok(Self { pipe: Some(Receiver::from_owned_fd(pipe)?), log, buffer: vec![0; size] })
    }

    /// Pumps until `future` is ready.
    pub(super) async fn during<F: Future>(&mut self, future: F) -> Result<F::Output, LogError> {
        let pumping = async {
            match self.until_closed().await {
                Ok(()) => pending().await,
                Err(error) => error,
            }
        };
        tokio::select! {
            biased;
            output = future => Ok(output),
            error = pumping => Err(error),
        }
    }

    /// Pumps until everybody has closed the other end, but no longer than `limit`.
    pub(super) async fn until_closed_within(&mut self, limit: Duration) -> Result<(), LogError> {
        timeout(limit, self.until_closed()).await.unwrap_or(Ok(()))
    }

    /// Takes what is in the pipe now, closes it, and returns the final length of the log.
    pub(super) fn finish(mut self) -> Result<u64, LogError> {
        self.take_rest().and_then(|()| self.log.finish()).map_err(|source| self.error(source))
    }

    /// Asks the kernel and not the runtime, which hears only later that there is something to read.
    fn take_rest(&mut self) -> io::Result<()> {
        let Some(pipe) = self.pipe.take() else { return Ok(()) };
        let pipe = pipe.into_nonblocking_fd()?;
        // One pipe full is all that the dead can have written; somebody who lives may write for ever.
        let mut left = self.buffer.len();
        while left > 0 {
            match rustix::io::read(&pipe, &mut self.buffer) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(count) => {
                    self.log.write(&self.buffer[..count])?;
                    left = left.saturating_sub(count);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn until_closed(&mut self) -> Result<(), LogError> {
        while let Some(pipe) = &self.pipe {
            pipe.readable().await.map_err(|source| self.error(source))?;
            self.pump_once().map_err(|source| self.error(source))?;
            // A command that never pauses must not keep the runner from its clients.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Moves what one read brings.
    fn pump_once(&mut self) -> io::Result<()> {
        let Some(pipe) = &self.pipe else { return Ok(()) };
        match pipe.try_read(&mut self.buffer) {
            Ok(0) => self.pipe = None,
            Ok(count) => self.log.write(&self.buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn error(&self, source: io::Error) -> LogError {
        LogError { path: self.log.path().to_owned(), source }
    }
}
