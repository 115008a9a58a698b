//! A node to ask, and how to ask it.

pub mod browser;
pub mod contract;
pub mod http;
pub mod hub;
pub mod ledger;
pub mod node;
pub mod origin;
mod runner;

use std::time::Duration;

/// No single wait of a test takes longer, with all cores busy.
pub const CEILING: Duration = Duration::from_secs(90);

/// Waits until `look` sees something, and says what it waited for if it never does.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let seen = tokio::time::timeout(CEILING, wait).await;
    seen.unwrap_or_else(|_| panic!("waited for {what}"))
}
