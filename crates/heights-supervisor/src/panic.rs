//! Panics as values: message, place and backtrace of a panic inside a process.
//!
//! The place is only known to the panic hook, so a hook is put before the one that is installed.
//! It takes notes only while code of a process runs on the thread, and always calls the next hook.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::pin::pin;
use std::sync::{Arc, Once};
use std::task::Poll;

use crate::process::{Process, ProcessId};

/// What is known about a panic.
pub struct PanicInfo {
    /// The text of the panic.
    pub message: String,
    /// The source position, `file:line:column`.
    pub location: Option<String>,
    /// The name of the thread it happened on.
    pub thread: Option<String>,
    /// The stack, resolved when it is printed.
    pub backtrace: Option<Backtrace>,
}

impl fmt::Display for PanicInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panic: {}", self.message)?;
        match &self.location {
            Some(location) => write!(f, " at {location}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PanicInfo {
    /// Leaves the stack out: it is long, and printing it resolves it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanicInfo")
            .field("message", &self.message)
            .field("location", &self.location)
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

thread_local! {
    static RUNNING: RefCell<Option<Process>> = const { RefCell::new(None) };
    static NOTES: RefCell<Option<PanicInfo>> = const { RefCell::new(None) };
}

/// Returns the process whose code runs on this thread right now.
pub(crate) fn running_process() -> Option<Process> {
    // The thread may be ending, and its storage gone.
    RUNNING.try_with(|running| running.borrow().clone()).ok().flatten()
}

/// Returns the id of that process.
pub(crate) fn current_pid() -> Option<ProcessId> {
    let pid = RUNNING.try_with(|running| running.borrow().as_ref().map(Process::pid));
    pid.ok().flatten()
}

/// Runs a future as code of `process`; a panic becomes a value.
pub(crate) async fn catch<F: Future>(
    process: &Process,
    future: F,
) -> Result<F::Output, Arc<PanicInfo>> {
    install_hook();
    let mut future = pin!(future);
    poll_fn(|context| match run(process, || future.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// Runs code of `process` that does not wait; a panic becomes a value.
pub(crate) fn catch_now<T>(
    process: &Process,
    code: impl FnOnce() -> T,
) -> Result<T, Arc<PanicInfo>> {
    install_hook();
    run(process, code)
}

fn run<T>(process: &Process, code: impl FnOnce() -> T) -> Result<T, Arc<PanicInfo>> {
    let previous = RUNNING.replace(Some(process.clone()));
    let site = process.site().enter(process.pid());
    let outcome = panic::catch_unwind(AssertUnwindSafe(code));
    process.site().leave(site);
    drop(RUNNING.replace(previous));
    outcome.map_err(|payload| {
        let notes = take_notes(payload.as_ref());
        discard(payload);
        notes
    })
}

/// Runs code of others that must not take the caller down; a panic is logged.
///
/// Whoever writes the log is code of others, too. Where that panics there is nobody left to tell:
/// the panic hook has told of both.
pub fn shielded(what: &str, run: impl FnOnce()) {
    let Err(payload) = panic::catch_unwind(AssertUnwindSafe(run)) else { return };
    let logging = || tracing::error!(panic = text_of(payload.as_ref()), "{what} panicked");
    let logged = panic::catch_unwind(AssertUnwindSafe(logging));
    discard(payload);
    if let Err(another) = logged {
        discard(another);
    }
}

/// Drops the value of a panic, which may panic once more; what that leaves is not looked at.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

fn take_notes(payload: &(dyn Any + Send)) -> Arc<PanicInfo> {
    // `resume_unwind` passes no hook, so there may be no notes.
    Arc::new(NOTES.take().unwrap_or_else(|| PanicInfo {
        message: text_of(payload),
        location: None,
        thread: None,
        backtrace: None,
    }))
}

fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let inside = RUNNING
                .try_with(|running| running.try_borrow().is_ok_and(|process| process.is_some()));
            if inside == Ok(true) {
                NOTES.set(Some(note(info)));
            }
            next(info);
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) -> PanicInfo {
    PanicInfo {
        message: text_of(info.payload()),
        location: info.location().map(ToString::to_string),
        thread: std::thread::current().name().map(str::to_owned),
        backtrace: Some(Backtrace::force_capture()),
    }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic value that is not text".to_owned())
}
