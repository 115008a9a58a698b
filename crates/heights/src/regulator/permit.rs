//! What is given back by dropping it.

use heights_core::Grant;

use super::Regulator;

/// Allows one piece of work; dropping it lets the next in line go on.
///
/// It goes where the work goes: into a future, a task, or the state of a server.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), heights::Fault> {
/// # let jobs = heights::Regulator::builder("jobs").concurrency(1).build();
/// let permit = jobs.acquire().await?;
/// let work = tokio::task::spawn_blocking(move || {
///     let _permit = permit;
///     2 + 2
/// });
/// assert_eq!(work.await?, 4);
/// assert_eq!(jobs.info().held, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the permit is given back when it is dropped"]
pub struct Permit {
    regulator: Regulator,
    /// There until it is given back.
    grant: Option<Grant>,
}

/// Keeps a queue from admitting anything new; dropping it lets admission go on.
///
/// ```
/// # let jobs = heights::Regulator::builder("jobs").concurrency(1).build();
/// let starting = jobs.hold();
/// assert!(jobs.try_acquire().is_none());
/// let found_running = jobs.adopt();
/// starting.resume();
/// assert!(jobs.try_acquire().is_none(), "what was found counts");
/// drop(found_running);
/// assert!(jobs.try_acquire().is_some());
/// ```
#[derive(Debug)]
#[must_use = "admission goes on when the hold is dropped"]
pub struct Hold(Regulator);

impl Permit {
    pub(super) fn new(regulator: Regulator, grant: Grant) -> Self {
        Self { regulator, grant: Some(grant) }
    }

    /// Returns the queue that gave the permit.
    pub fn regulator(&self) -> &Regulator {
        &self.regulator
    }
}

impl Hold {
    pub(super) fn new(regulator: Regulator) -> Self {
        Self(regulator)
    }

    /// Lets admission go on, the same as dropping the hold.
    pub fn resume(self) {
        drop(self);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take() {
            self.regulator.0.family.release(grant);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let member = &self.0.0;
        member.family.unhold(member.queue);
    }
}
