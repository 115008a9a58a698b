//! What outlives the program: which time of a job was the last that was dealt with.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heights_core::Moment;
use heights_supervisor::Fault;

use crate::table::Table;

/// Remembers, beyond the end of the program, how far jobs got.
///
/// A [`Table`] does, if it is stored: give it a place before the jobs in the tree, so that it is
/// loaded when they start. An error ends the process of the job, and its supervisor decides.
/// Neither function may block for long: they run between two runs of the job.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use std::time::SystemTime;
/// use heights::Fault;
/// use heights::periodic::{LastRuns, cron};
///
/// /// Remembers for as long as the program runs: for tests, or over restarts of the child.
/// #[derive(Default)]
/// struct Notebook(Mutex<HashMap<String, SystemTime>>);
///
/// impl LastRuns for Notebook {
///     fn last(&self, job: &str) -> Result<Option<SystemTime>, Fault> {
///         let notes = self.0.lock().map_err(|_| "a page is torn")?;
///         Ok(notes.get(job).copied())
///     }
///
///     fn note(&self, job: &str, time: SystemTime) -> Result<(), Fault> {
///         let mut notes = self.0.lock().map_err(|_| "a page is torn")?;
///         notes.insert(job.to_owned(), time);
///         Ok(())
///     }
/// }
///
/// let nightly = cron("@daily", || async { Ok(()) })?.remembered("nightly", Notebook::default());
/// # drop(nightly);
/// # Ok::<(), heights::periodic::ScheduleError>(())
/// ```
pub trait LastRuns: Send + Sync + 'static {
    /// Returns the last time of this job that was noted.
    fn last(&self, job: &str) -> Result<Option<SystemTime>, Fault>;

    /// Notes a time of this job, before the run that it makes, if any.
    fn note(&self, job: &str, time: SystemTime) -> Result<(), Fault>;
}

/// Times are kept in milliseconds since the start of 1970.
impl LastRuns for Table<String, u64> {
    fn last(&self, job: &str) -> Result<Option<SystemTime>, Fault> {
        let time = |millis| UNIX_EPOCH.checked_add(Duration::from_millis(millis));
        Ok(self.get(&job.to_owned()).and_then(time))
    }

    fn note(&self, job: &str, time: SystemTime) -> Result<(), Fault> {
        let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        self.insert(job.to_owned(), u64::try_from(millis)?);
        Ok(())
    }
}

/// The name of one job, and who remembers it.
#[derive(Clone)]
pub(super) struct Memory {
    pub(super) job: Arc<str>,
    pub(super) runs: Arc<dyn LastRuns>,
}

impl Memory {
    /// Returns the last time that was noted, since the start of 1970.
    pub(super) fn last(&self) -> Result<Option<Moment>, Fault> {
        let last = self.runs.last(&self.job)?;
        Ok(last.map(|last| last.duration_since(UNIX_EPOCH).unwrap_or_default()))
    }

    pub(super) fn note(&self, time: SystemTime) -> Result<(), Fault> {
        self.runs.note(&self.job, time)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memory").field(&self.job).finish()
    }
}
