//! The result of a task, for the one who waits for it.

use std::time::Duration;

use heights_core::Shutdown;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::exit::Exit;
use crate::keeper;
use crate::process::{Process, ProcessId};

/// A running task and the place where its result arrives.
///
/// Dropping it leaves the task running and its result unread.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights_supervisor::{TaskError, TaskSupervisor};
///
/// let tasks = TaskSupervisor::builder("tasks").start().await?;
/// let (answer, question) = tokio::sync::oneshot::channel::<u32>();
/// let mut slow = tasks.async_nolink("slow", |_cx| async move { question.await.ok() }).await?;
/// assert!(slow.yield_within(Duration::from_millis(5)).await.is_none(), "not yet");
/// answer.send(42).map_err(|_| "it waits")?;
/// assert_eq!(slow.join().await?, Some(42));
///
/// let endless = tasks.async_nolink("endless", |_cx| std::future::pending::<()>()).await?;
/// let end = endless.join_within(Duration::from_millis(5)).await;
/// assert!(matches!(end, Err(TaskError::Timeout(_))), "and it is killed");
/// tasks.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Task<R> {
    process: Process,
    /// Gone once the result has been handed over.
    result: Option<oneshot::Receiver<R>>,
}

/// Why a task has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TaskError {
    /// It ended without one.
    #[error("the task ended without a result ({0})")]
    Down(Exit),
    /// It did not have one in time; it has been killed.
    #[error("the task had no result within {0:?}")]
    Timeout(Duration),
}

impl<R> Task<R> {
    pub(super) const fn new(process: Process, result: oneshot::Receiver<R>) -> Self {
        Self { process, result: Some(result) }
    }

    /// Returns the id of the task.
    pub fn pid(&self) -> ProcessId {
        self.process.pid()
    }

    /// Returns the process of the task.
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Waits for the result, however long it takes.
    pub async fn join(mut self) -> Result<R, TaskError> {
        self.result().await
    }

    /// Waits for the result, for at most `limit`; after that the task is killed.
    pub async fn join_within(mut self, limit: Duration) -> Result<R, TaskError> {
        match self.yield_within(limit).await {
            Some(outcome) => outcome,
            None => {
                self.process.kill();
                Err(TaskError::Timeout(limit))
            }
        }
    }

    /// Waits for the result for a while; `None` if it is not there yet, and may be asked for again.
    ///
    /// A result is handed over once; after that only how the task ended is left to say.
    pub async fn yield_within(&mut self, limit: Duration) -> Option<Result<R, TaskError>> {
        timeout(limit, self.result()).await.ok()
    }

    /// Stops the task and returns its result if there is one already, else how it ended.
    pub async fn shutdown(mut self, shutdown: Shutdown) -> Result<R, TaskError> {
        keeper::end(&self.process, shutdown);
        let exit = self.process.gone().await;
        let result = self.result.take().and_then(|mut result| result.try_recv().ok());
        result.ok_or(TaskError::Down(exit))
    }

    /// Waits for the result or the end; may be given up on and begun again.
    pub(super) async fn result(&mut self) -> Result<R, TaskError> {
        if let Some(receiver) = &mut self.result {
            let received = receiver.await;
            self.result = None;
            if let Ok(result) = received {
                return Ok(result);
            }
        }
        Err(TaskError::Down(self.process.gone().await))
    }
}
