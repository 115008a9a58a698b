//! Webhook deliveries that failed: they are asked for again when the node has come back, and every hour.
//!
//! A poll sees what they told of pull requests and branches. That somebody wants checks run again, only
//! a delivery tells.

use std::time::Duration;

use ci_domain::forge::Timestamp;
use heights::Fault;
use tracing::{debug, info};

use crate::errand::errand;
use crate::queues::FORGE_WRITE;
use crate::watcher::Watcher;
use crate::watcher::reads::refused;

/// How often is asked.
const INTERVAL: Duration = Duration::from_secs(3600);
/// How far back: GitHub forgets deliveries after three days.
const REACH: Duration = Duration::from_secs(3 * 24 * 3600);
/// Where the forge delivers to, below the address of the dashboard.
const PATH: &str = "/webhooks/github";

impl Watcher {
    /// Asks for deliveries that failed, unless that was done within the hour.
    pub(super) async fn ask_for_lost_deliveries(&mut self) -> Result<(), Fault> {
        let now = (self.args.now)();
        if self.asked_for_lost.is_some_and(|at| now.0 < at.0 + INTERVAL.as_secs()) {
            return Ok(());
        }
        self.asked_for_lost = Some(now);
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let queue = self.args.elders.queues.required(FORGE_WRITE);
        let url = format!("{}{PATH}", self.args.elders.voice.public_url);
        let since = Timestamp(now.0.saturating_sub(REACH.as_secs()));
        let name = repo.clone();
        errand(
            &self.args.elders.errands,
            "redeliver",
            async move {
                let _turn = queue.acquire().await.map_err(refused)?;
                forge.redeliver(&repo, &url, since).await
            },
            move |result| match result {
                Ok(Ok(0)) | Err(_) => {}
                Ok(Ok(count)) => info!(repo = %name, count, "asked for failed deliveries again"),
                // Most tokens may not look at webhooks, and need not.
                Ok(Err(error)) => debug!(repo = %name, %error, "failed to look for deliveries"),
            },
        )
        .await
    }
}
