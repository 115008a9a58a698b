//! Waiting for facts: look again and again, and say what was missed when it does not come.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The ceiling of most waits: much more than a slow machine needs.
pub const LIMIT: Duration = Duration::from_secs(60);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until there is an answer.
pub async fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain for: {what}");
        sleep(PAUSE).await;
    }
}
