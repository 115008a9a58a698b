//! Why there is no permit.

use std::sync::Arc;
use std::time::Duration;

use heights_core::RefusalKind;

/// Says why there is no permit.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), heights::Fault> {
/// use heights::regulator::{Refused, Regulator};
///
/// let full = Regulator::builder("api").concurrency(0).max_len(0).build();
/// let refused = full.acquire().await.unwrap_err();
/// assert_eq!(refused, Refused::Full { queue: "api".into() });
/// assert_eq!(refused.to_string(), "get a permit from queue api, where too many wait");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The queue did not move fast enough.
    #[error("get a permit from queue {queue} within {waited:?}")]
    TimedOut {
        /// The name of the queue.
        queue: Arc<str>,
        /// How long the caller was willing to wait.
        waited: Duration,
    },
    /// The queue stands, and the caller had waited longer than its target.
    #[error("get a permit from queue {queue}, which is overloaded")]
    Shed {
        /// The name of the queue.
        queue: Arc<str>,
    },
    /// Too many wait already.
    #[error("get a permit from queue {queue}, where too many wait")]
    Full {
        /// The name of the queue.
        queue: Arc<str>,
    },
}

impl Refused {
    pub(super) fn by(queue: Arc<str>, why: RefusalKind, max_wait: Option<Duration>) -> Self {
        match why {
            RefusalKind::Expired => Self::TimedOut { queue, waited: max_wait.unwrap_or_default() },
            RefusalKind::Shed => Self::Shed { queue },
            RefusalKind::Full => Self::Full { queue },
        }
    }
}
