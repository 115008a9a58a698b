//! Futures as children that run once and hand over a result.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heights_core::{ChildId, Restart, Shutdown};
use tokio::sync::oneshot;

use super::{Task, TaskSupervisorRef};
use crate::admin::StartChildError;
use crate::exit::Fault;
use crate::keeper::gone_within;
use crate::process::Process;
use crate::spec::ChildSpec;
use crate::task::{MakeTask, TaskContext};

/// How long a task may take to stop, as in Elixir's `Task.Supervisor`.
const TASK_SHUTDOWN: Shutdown = Shutdown::Timeout(Duration::from_secs(5));

/// Whether a task goes on when nobody waits for its result any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    ToItsEnd,
    WhileAwaited,
}

impl TaskSupervisorRef {
    pub(super) async fn start<F, Fut>(
        &self,
        id: ChildId,
        runs: Runs,
        run: F,
    ) -> Result<Task<Fut::Output>, StartChildError>
    where
        F: FnOnce(TaskContext) -> Fut + Send + 'static,
        Fut: Future<Output: Send + 'static> + Send + 'static,
    {
        let (mut sender, result) = oneshot::channel();
        let make: MakeTask = Box::new(move |context| {
            Box::pin(async move {
                let running = async { run(context).await };
                let outcome = match runs {
                    Runs::ToItsEnd => Some(running.await),
                    Runs::WhileAwaited => tokio::select! {
                        biased;
                        outcome = running => Some(outcome),
                        () = sender.closed() => None,
                    },
                };
                if let Some(outcome) = outcome {
                    // The result of a task that nobody waits for is dropped.
                    let _nobody = sender.send(outcome);
                }
                Ok(())
            })
        });
        let started = self.as_dynamic().start_child(once(id, make)).await?;
        Ok(Task::new(started.process, result))
    }

    /// Waits until a task that is over, or was killed, is no child any more.
    pub(super) async fn vacated(&self, process: &Process) {
        // A zombie has been reported, and nobody waits for it any longer.
        let Ok(_exit) = gone_within(process, Shutdown::Infinity).await else { return };
        let pid = process.pid();
        while self.as_dynamic().get_child_spec(&pid).await.is_ok() {
            // The news is under way.
            tokio::task::yield_now().await;
        }
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
