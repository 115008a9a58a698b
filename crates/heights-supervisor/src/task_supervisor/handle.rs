//! The reference to a task supervisor.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use heights_core::{ChildId, Counts, Restart, Shutdown};
use tokio::sync::oneshot;

use super::Task;
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError};
use crate::dynamic::DynamicRef;
use crate::exit::{Exit, Fault};
use crate::process::{Process, ProcessId};
use crate::spec::ChildSpec;
use crate::task::{MakeTask, TaskContext};

/// A reference to a task supervisor that stays valid when it is restarted.
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
        let (sender, result) = oneshot::channel();
        let make: MakeTask = Box::new(move |context| {
            let run = run(context);
            Box::pin(async move {
                // The result of a task that nobody waits for is dropped.
                let _nobody = sender.send(run.await);
                Ok(())
            })
        });
        let spec = once(id.into(), make);
        let started = self.0.start_child(spec).await?;
        Ok(Task::new(started.process, result))
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

/// A task that has been used up; a temporary child is never started twice.
#[derive(Debug, thiserror::Error)]
#[error("a task runs only once")]
struct UsedUp;

fn once(id: ChildId, make: MakeTask) -> ChildSpec {
    let make = Arc::new(Mutex::new(Some(make)));
    let spec = ChildSpec::futures(id, move || {
        let taken = make.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| Box::new(|_| Box::pin(async { Err(Fault::from(UsedUp)) })))
    });
    spec.restart(Restart::Temporary).shutdown(TASK_SHUTDOWN)
}

/// How long a task may take to stop, as in Elixir's `Task.Supervisor`.
const TASK_SHUTDOWN: Shutdown = Shutdown::Timeout(std::time::Duration::from_secs(5));
