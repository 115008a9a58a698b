//! Many tasks, one for each input, whose results arrive as a stream.

use std::fmt;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread::available_parallelism;
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt, iter};
use heights_core::ChildId;

use super::once::Runs;
use super::{Task, TaskError, TaskSupervisorRef};
use crate::admin::StartChildError;
use crate::task::TaskContext;

/// How long a task may take, as in Elixir's `Task.async_stream`.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What becomes of a stream when one of its tasks takes too long.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use futures_util::StreamExt;
/// use heights_supervisor::{OnTimeout, StreamFailure, TaskError, TaskSupervisor};
///
/// let tasks = TaskSupervisor::builder("tasks").start().await?;
/// let wait = async |seconds| tokio::time::sleep(Duration::from_secs(seconds)).await;
/// let waits = tasks
///     .async_stream("wait", [0, 3600, 0], move |_cx, seconds| async move { wait(seconds).await })
///     .timeout(Duration::from_millis(5))
///     .on_timeout(OnTimeout::KillTask)
///     .stream()?;
/// let ends: Vec<_> = waits.collect().await;
/// // The others are waited for; by default the stream would have ended with that error.
/// assert!(matches!(ends[1].as_ref().unwrap_err().cause, StreamFailure::Task(TaskError::Timeout(_))));
/// assert!(ends[0].is_ok() && ends[2].is_ok());
/// tasks.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTimeout {
    /// The stream ends with that error, and the tasks that still run are cancelled.
    #[default]
    Exit,
    /// Only that task is killed, and the stream goes on.
    KillTask,
}

/// Why a stream of tasks cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AsyncStreamError {
    /// Not even one task may run at once.
    #[error("max_concurrency is zero")]
    ZeroConcurrency,
}

/// What a stream yields for an input that came to nothing.
#[derive(Debug, Clone)]
pub struct StreamExit<I = ()> {
    /// The input, if the stream was asked for it by [`AsyncStream::zip_input_on_exit`].
    pub input: I,
    /// Why there is no result.
    pub cause: StreamFailure,
}

/// Why an input of a stream has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StreamFailure {
    /// Its task was not started; the stream ends.
    #[error(transparent)]
    NotStarted(#[from] StartChildError),
    /// Its task ended without one or took too long.
    #[error(transparent)]
    Task(#[from] TaskError),
}

impl<I> fmt::Display for StreamExit<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

impl<I: fmt::Debug> std::error::Error for StreamExit<I> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.cause)
    }
}

/// Describes a stream of tasks: by default ordered, as many at once as there are processors, five
/// seconds for each, and a timeout ends the stream.
#[must_use]
pub struct AsyncStream<Inputs: IntoIterator, F, I = ()> {
    supervisor: TaskSupervisorRef,
    id: ChildId,
    inputs: Inputs,
    run: F,
    keep: fn(&Inputs::Item) -> I,
    terms: Terms,
}

#[derive(Debug, Clone, Copy)]
struct Terms {
    max_concurrency: usize,
    ordered: bool,
    limit: Option<Duration>,
    on_timeout: OnTimeout,
}

impl<Inputs: IntoIterator, F> AsyncStream<Inputs, F> {
    pub(super) fn new(supervisor: TaskSupervisorRef, id: ChildId, inputs: Inputs, run: F) -> Self {
        let terms = Terms {
            max_concurrency: available_parallelism().map_or(1, NonZero::get),
            ordered: true,
            limit: Some(TIMEOUT),
            on_timeout: OnTimeout::default(),
        };
        Self { supervisor, id, inputs, run, keep: |_input| (), terms }
    }

    /// Has the stream yield the input together with the reason for which it came to nothing.
    pub fn zip_input_on_exit(self) -> AsyncStream<Inputs, F, Inputs::Item>
    where
        Inputs::Item: Clone,
    {
        let Self { supervisor, id, inputs, run, keep: _, terms } = self;
        AsyncStream { supervisor, id, inputs, run, keep: Clone::clone, terms }
    }
}

impl<Inputs: IntoIterator, F, I> AsyncStream<Inputs, F, I> {
    /// Allows at most this many tasks at once, results that wait to be taken in order included.
    pub fn max_concurrency(mut self, most: usize) -> Self {
        self.terms.max_concurrency = most;
        self
    }

    /// Has the stream yield results as they arrive, not in the order of their inputs.
    pub fn unordered(mut self) -> Self {
        self.terms.ordered = false;
        self
    }

    /// Sets how long each task may take once it runs; `None` means as long as it takes.
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.terms.limit = limit.into();
        self
    }

    /// Sets what becomes of the stream when a task takes longer.
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.terms.on_timeout = on_timeout;
        self
    }

    /// Makes the stream; nothing is started before it is polled.
    pub fn stream<Fut, R>(self) -> Result<TaskStream<R, I>, AsyncStreamError>
    where
        Inputs::IntoIter: Send + 'static,
        Inputs::Item: Send + 'static,
        F: Fn(TaskContext, Inputs::Item) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
        I: Send + 'static,
    {
        let Self { supervisor, id, inputs, run, keep, terms } = self;
        if terms.max_concurrency == 0 {
            return Err(AsyncStreamError::ZeroConcurrency);
        }
        let run = Arc::new(run);
        let outcomes = iter(inputs).map(move |input| {
            let (supervisor, id, run) = (supervisor.clone(), id.clone(), Arc::clone(&run));
            let kept = keep(&input);
            async move {
                let outcome = outcome(&supervisor, id, terms.limit, move |cx| run(cx, input)).await;
                outcome.map_err(|cause| StreamExit { input: kept, cause })
            }
        });
        let outcomes: Outcomes<R, I> = if terms.ordered {
            Box::pin(outcomes.buffered(terms.max_concurrency))
        } else {
            Box::pin(outcomes.buffer_unordered(terms.max_concurrency))
        };
        Ok(TaskStream { outcomes: Some(outcomes), on_timeout: terms.on_timeout })
    }
}

/// Runs one task to its end. Whoever drops this cancels the task.
async fn outcome<Fut>(
    supervisor: &TaskSupervisorRef,
    id: ChildId,
    limit: Option<Duration>,
    run: impl FnOnce(TaskContext) -> Fut + Send + 'static,
) -> Result<Fut::Output, StreamFailure>
where
    Fut: Future<Output: Send + 'static> + Send + 'static,
{
    let mut task: Task<Fut::Output> = supervisor.start(id, Runs::WhileAwaited, run).await?;
    let outcome = match limit {
        None => task.result().await,
        Some(limit) => match task.yield_within(limit).await {
            Some(outcome) => outcome,
            None => {
                task.process().kill();
                Err(TaskError::Timeout(limit))
            }
        },
    };
    // Whoever takes its place finds it free.
    supervisor.vacated(task.process()).await;
    Ok(outcome?)
}

type Outcomes<R, I> = Pin<Box<dyn Stream<Item = Result<R, StreamExit<I>>> + Send>>;

/// The results of tasks, one for each input; dropping it cancels the tasks that still run.
///
/// It keeps nothing of the task that made it, so any other may consume it.
pub struct TaskStream<R, I = ()> {
    /// Gone once the stream has ended.
    outcomes: Option<Outcomes<R, I>>,
    on_timeout: OnTimeout,
}

impl<R, I> TaskStream<R, I> {
    fn is_last(&self, outcome: &Result<R, StreamExit<I>>) -> bool {
        let Err(StreamExit { cause, .. }) = outcome else { return false };
        match cause {
            StreamFailure::NotStarted(_) => true,
            StreamFailure::Task(TaskError::Timeout(_)) => self.on_timeout == OnTimeout::Exit,
            StreamFailure::Task(TaskError::Down(_)) => false,
        }
    }
}

impl<R, I> Stream for TaskStream<R, I> {
    type Item = Result<R, StreamExit<I>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(outcomes) = &mut self.outcomes else { return Poll::Ready(None) };
        let outcome = ready!(outcomes.as_mut().poll_next(cx));
        if outcome.as_ref().is_none_or(|outcome| self.is_last(outcome)) {
            self.outcomes = None;
        }
        Poll::Ready(outcome)
    }
}

impl<R, I> fmt::Debug for TaskStream<R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.outcomes.is_none();
        f.debug_struct("TaskStream").field("ended", &ended).finish_non_exhaustive()
    }
}

impl<Inputs: IntoIterator, F, I> fmt::Debug for AsyncStream<Inputs, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AsyncStream");
        shown.field("id", &self.id).field("terms", &self.terms).finish_non_exhaustive()
    }
}
