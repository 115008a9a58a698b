//! Starting children under a younger sibling, which comes up only after the one that uses it.

use std::time::Duration;

use heights::{ChildSpec, ChildStarted, DynamicRef, Fault};
use tokio::time::{Instant, sleep};

/// How long the sibling may take: it starts right after us. A stop of both waits for this, too.
const LIMIT: Duration = Duration::from_secs(1);
/// How often it is looked for.
const PAUSE: Duration = Duration::from_millis(1);

/// Starts a child under `sibling` as soon as that is there.
///
/// # Errors
/// The sibling does not come up, or the child does not.
pub(crate) async fn start_child(
    sibling: &DynamicRef,
    spec: ChildSpec,
) -> Result<ChildStarted, Fault> {
    let end = Instant::now() + LIMIT;
    while sibling.process().is_none() && Instant::now() < end {
        sleep(PAUSE).await;
    }
    Ok(sibling.start_child(spec).await?)
}
