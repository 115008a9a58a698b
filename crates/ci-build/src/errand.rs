//! Work that a server has done for it by a child of a task supervisor, with exactly one answer.

use std::future::Future;

use heights::{Fault, TaskSupervisorRef};

/// The child that did the work ended without an answer: it crashed, was killed, or was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work was lost with the process that did it")]
pub(crate) struct Lost;

/// Starts `work` as a child of `tasks` and returns at once; `tell` is called exactly once, with what
/// came of it or with the news that it was lost.
///
/// # Errors
/// The child could not be started; `tell` has been called all the same.
pub(crate) async fn errand<T: Send + 'static>(
    tasks: &TaskSupervisorRef,
    name: &'static str,
    work: impl Future<Output = T> + Send + 'static,
    tell: impl FnOnce(Result<T, Lost>) + Send + 'static,
) -> Result<(), Fault> {
    let answer = Answer(Some(tell), std::marker::PhantomData);
    let task = move |_cx| async move { answer.give(work.await) };
    // The answer reaches us through `tell`; nobody joins the task.
    let _task = tasks.async_nolink(name, task).await?;
    Ok(())
}

/// Tells what came of the work, or, dropped before that, that it was lost.
struct Answer<T, F: FnOnce(Result<T, Lost>)>(Option<F>, std::marker::PhantomData<fn(T)>);

impl<T, F: FnOnce(Result<T, Lost>)> Answer<T, F> {
    fn give(mut self, result: T) {
        if let Some(tell) = self.0.take() {
            tell(Ok(result));
        }
    }
}

impl<T, F: FnOnce(Result<T, Lost>)> Drop for Answer<T, F> {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(Err(Lost));
        }
    }
}
