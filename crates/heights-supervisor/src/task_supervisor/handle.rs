//! The reference to a task supervisor.

use std::future::Future;

use heights_core::{ChildId, Counts};

use super::once::Runs;
use super::{AsyncStream, Task};
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError};
use crate::dynamic::DynamicRef;
use crate::exit::Exit;
use crate::process::{Process, ProcessId};
use crate::spec::ChildSpec;
use crate::task::TaskContext;

/// A reference to a task supervisor that stays valid when it is restarted.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Restart, TaskSupervisor};
///
/// let tasks = TaskSupervisor::builder("tasks").start().await?;
/// let sum = tasks.async_nolink("sum", |_cx| async { 40 + 2 }).await?;
/// assert_eq!(sum.join().await?, 42);
///
/// // One that is bound to a process ends with it.
/// let owner = ChildSpec::task("owner", |cx| async move { Ok(cx.shutdown().await) });
/// let owner = tasks.start_child(owner.restart(Restart::Temporary)).await?;
/// let bound = tasks.async_(&owner.process, "bound", |_cx| std::future::pending::<()>()).await?;
/// tasks.terminate_child(&owner.pid).await?;
/// assert!(bound.join().await.is_err());
/// tasks.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TaskSupervisorRef(DynamicRef);

impl TaskSupervisorRef {
    pub(super) const fn new(inner: DynamicRef) -> Self {
        Self(inner)
    }

    /// Runs a future as a child, bound to `owner`: when the owner is gone, the task is killed.
    ///
    /// The other way round there is no bond: how the task ends, the owner learns by waiting for it.
    pub async fn async_<F, Fut, R>(
        &self,
        owner: &Process,
        id: impl Into<ChildId>,
        run: F,
    ) -> Result<Task<R>, StartChildError>
    where
        F: FnOnce(TaskContext) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        let task = self.async_nolink(id, run).await?;
        let process = task.process().clone();
        let bond = owner.monitor(move |_down| process.kill());
        let owner = owner.clone();
        // The bond ends with the task, so that owners do not collect bonds to the dead.
        task.process().monitor(move |_down| owner.demonitor(bond));
        Ok(task)
    }

    /// Runs a future as a child that nobody's end takes down but the supervisor's.
    pub async fn async_nolink<F, Fut, R>(
        &self,
        id: impl Into<ChildId>,
        run: F,
    ) -> Result<Task<R>, StartChildError>
    where
        F: FnOnce(TaskContext) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        self.start(id.into(), Runs::ToItsEnd, run).await
    }

    /// Runs one task for each input and yields their results as a [`Stream`].
    ///
    /// Inputs are taken when there is room for their tasks. A task that fails is an item of the
    /// stream and no reason to end it. Dropping the stream cancels what still runs.
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use heights_supervisor::TaskSupervisor;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tasks = TaskSupervisor::builder("tasks").start().await?;
    /// let quotients = tasks
    ///     .async_stream("divide", [5, 2, 0, 1], |_cx, by| async move { 100 / by })
    ///     .max_concurrency(2)
    ///     .zip_input_on_exit()
    ///     .stream()?;
    /// let quotients: Vec<_> = quotients.map(|q| q.map_err(|exit| exit.input)).collect().await;
    /// assert_eq!(quotients, [Ok(20), Ok(50), Err(0), Ok(100)]);
    /// tasks.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Stream`]: futures_util::Stream
    pub fn async_stream<Inputs, F, Fut, R>(
        &self,
        id: impl Into<ChildId>,
        inputs: Inputs,
        run: F,
    ) -> AsyncStream<Inputs, F>
    where
        Inputs: IntoIterator,
        F: Fn(TaskContext, Inputs::Item) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
    {
        AsyncStream::new(self.clone(), id.into(), inputs, run)
    }

    /// Starts a task for its effect, by a spec that may say to restart it.
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ChildStarted, StartChildError> {
        self.0.start_child(spec).await
    }

    /// Stops a task; see [`DynamicRef::terminate_child`].
    pub async fn terminate_child(&self, pid: &ProcessId) -> Result<(), AdminError> {
        self.0.terminate_child(pid).await
    }

    /// Lists the tasks, the oldest first.
    pub async fn which_children(&self) -> Vec<ChildInfo> {
        self.0.which_children().await
    }

    /// Counts the tasks.
    pub async fn count_children(&self) -> Counts {
        self.0.count_children().await
    }

    /// Stops the supervisor and returns once all tasks are gone; any number may ask.
    pub async fn stop(&self) -> Exit {
        self.0.stop().await
    }

    /// Returns the reference to the dynamic supervisor that this is.
    pub const fn as_dynamic(&self) -> &DynamicRef {
        &self.0
    }
}
