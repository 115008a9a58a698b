//! A flag that is set once and can be waited for by any number of tasks.

use tokio::sync::Semaphore;

/// Closing a semaphore without permits wakes all that wait for it, now and later.
pub(crate) struct Latch(Semaphore);

impl Latch {
    pub(crate) const fn new() -> Self {
        Self(Semaphore::const_new(0))
    }

    pub(crate) fn set(&self) {
        self.0.close();
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_closed()
    }

    pub(crate) async fn wait(&self) {
        // There are no permits, so this returns only when the latch is set.
        let _closed = self.0.acquire().await;
    }
}
