//! Supervised futures with a result.

mod handle;
mod once;
mod result;
mod stream;

use std::time::Duration;

use heights_core::ChildId;

pub use self::handle::TaskSupervisorRef;
pub use self::result::{Task, TaskError};
pub use self::stream::{
    AsyncStream, AsyncStreamError, OnTimeout, StreamExit, StreamFailure, TaskStream,
};
use crate::admin::StartError;
use crate::dynamic::{DynamicBuilder, DynamicSupervisor};
use crate::hub::Hub;
use crate::recipient::Recipient;
use crate::report::Report;
use crate::spec::ChildSpec;

/// A process whose children are futures: each runs once, and its result goes to whoever waits.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{Exit, TaskError, TaskSupervisor};
///
/// let tasks = TaskSupervisor::builder("tasks").max_children(10).start().await?;
/// let sum = tasks.async_nolink("sum", |_cx| async { 40 + 2 }).await?;
/// let slip = tasks.async_nolink("slip", |_cx| async { panic!("no harm done") }).await?;
/// assert_eq!(sum.join().await?, 42);
///
/// let end: Result<(), TaskError> = slip.join().await;
/// assert!(matches!(end, Err(TaskError::Down(Exit::Panic(_)))));
/// tasks.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TaskSupervisor;

impl TaskSupervisor {
    /// Begins the description of a task supervisor.
    pub fn builder(name: impl Into<ChildId>) -> TaskSupervisorBuilder {
        TaskSupervisorBuilder { inner: DynamicSupervisor::builder(name) }
    }
}

/// Describes a task supervisor: by default any number of tasks.
#[derive(Debug, Clone)]
#[must_use]
pub struct TaskSupervisorBuilder {
    inner: DynamicBuilder,
}

impl TaskSupervisorBuilder {
    /// Allows at most this many tasks at once.
    pub fn max_children(mut self, most: usize) -> Self {
        self.inner = self.inner.max_children(most);
        self
    }

    /// Allows at most `restarts` in any `period`, for tasks that are restarted.
    pub fn intensity(mut self, restarts: u32, period: Duration) -> Self {
        self.inner = self.inner.intensity(restarts, period);
        self
    }

    /// Tells the reports of this supervisor to `recipient`.
    pub fn on_report(mut self, recipient: Recipient<Report>) -> Self {
        self.inner = self.inner.on_report(recipient);
        self
    }

    /// Uses this hub if the supervisor is a root; below a root, the root's hub is used.
    pub fn hub(mut self, hub: Hub) -> Self {
        self.inner = self.inner.hub(hub);
        self
    }

    /// Starts the supervisor as a root, without tasks.
    pub async fn start(self) -> Result<TaskSupervisorRef, StartError> {
        self.inner.start().await.map(TaskSupervisorRef::new)
    }

    /// Makes the supervisor a child of another; the reference survives its restarts.
    pub fn child_spec(self) -> (ChildSpec, TaskSupervisorRef) {
        let (spec, reference) = self.inner.child_spec();
        (spec, TaskSupervisorRef::new(reference))
    }
}
