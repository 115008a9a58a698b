//! Futures as children.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ractor::ActorRef;

use crate::exit::{Exit, Fault};
use crate::guard::{Behavior, Receipt};
use crate::inspect::{View, Window};
use crate::keeper::Keeper;
use crate::process::{Process, ProcessId};
use crate::server::Flow;

/// What a task has of its own process.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights_supervisor::{ChildSpec, Shutdown, Supervisor};
///
/// let flushing = ChildSpec::task("writer", |cx| async move {
///     tokio::select! {
///         () = cx.shutdown() => println!("{} says goodbye", cx.name()),
///         () = std::future::pending() => {}
///     }
///     Ok(())
/// });
/// let patient = flushing.shutdown(Shutdown::Timeout(Duration::from_secs(30)));
/// let root = Supervisor::builder("root").child(patient).start().await?;
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TaskContext(Process);

impl TaskContext {
    /// Waits until the task is asked to stop; it should then end soon, or it is killed.
    pub async fn shutdown(&self) {
        self.0.stop_requested().await;
    }

    /// Tells whether the task has been asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.is_stopping()
    }

    /// Returns the path of this process in the tree.
    pub fn name(&self) -> &str {
        self.0.path()
    }

    /// Returns the id of this life.
    pub fn pid(&self) -> ProcessId {
        self.0.pid()
    }

    /// Returns this process.
    pub fn process(&self) -> &Process {
        &self.0
    }

    /// Shows something of what the task is at, whenever somebody looks, however busy it is.
    ///
    /// It runs on the thread of whoever looks, so it must not wait for the task.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use heights_supervisor::{ChildSpec, Supervisor};
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// let copying = ChildSpec::task("copying", |cx| async move {
    ///     let files = Arc::new(AtomicU64::new(0));
    ///     let shown = Arc::clone(&files);
    ///     cx.show(move |view| view.record(|state| state.field("files", &shown.load(Ordering::Relaxed))));
    ///     files.store(7, Ordering::Relaxed);
    ///     cx.shutdown().await;
    ///     Ok(())
    /// });
    /// # let root = Supervisor::builder("root").child(copying).start().await?;
    /// # root.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn show(&self, shows: impl Fn(View<'_>) + Send + Sync + 'static) {
        self.0.activity().open(Window::new(shows));
    }

    /// Returns the token that ends when this task has ended.
    pub fn owner(&self) -> &heights_registry::Owner {
        self.0.owner()
    }
}

pub(crate) type TaskFuture = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;
pub(crate) type MakeTask = Box<dyn FnOnce(TaskContext) -> TaskFuture + Send>;

/// Runs a future inside the guard. A task that is asked to stop is told through its context, so
/// the future is polled by a message handler that only ends with it.
pub(crate) struct TaskBehavior;

/// The only message of a task: run.
pub(crate) struct Run;

pub(crate) struct TaskState {
    future: Option<TaskFuture>,
}

impl Behavior for TaskBehavior {
    type Msg = Run;
    type State = TaskState;
    type Args = MakeTask;

    async fn start(
        &self,
        myself: ActorRef<Run>,
        make: MakeTask,
        keeper: &Arc<Keeper>,
    ) -> Result<TaskState, Fault> {
        let future = make(TaskContext(keeper.process().clone()));
        myself.send_message(Run)?;
        Ok(TaskState { future: Some(future) })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Run>,
        Run: Run,
        state: &mut TaskState,
    ) -> Result<Flow, Fault> {
        if let Some(future) = state.future.take() {
            future.await?;
        }
        Ok(Flow::Stop(Exit::Normal))
    }

    async fn terminate(
        &self,
        _myself: ActorRef<Run>,
        _state: &mut TaskState,
        _exit: &Exit,
    ) -> Result<(), Fault> {
        Ok(())
    }

    fn receive(&self, Run: &Run, _process: &Process) -> Receipt {
        Receipt::of("run")
    }
}
