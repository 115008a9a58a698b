//! How a child is treated: what can be said of a spec beyond what it starts.

use std::time::Duration;

use heights_core::{Backoff, ChildId, GiveUp, Intensity, Restart, RestartLimit, Shutdown};

use super::{ChildSpec, Limits};
use crate::zombie::ZombiePolicy;

impl ChildSpec {
    /// Sets when the child is restarted.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.plan_mut().restart = restart;
        self
    }

    /// Sets how the child is stopped.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.plan_mut().shutdown = shutdown;
        self
    }

    /// Sets how long the child may take to come up; a start that takes longer is cancelled.
    #[must_use]
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.set_limits(|limits| limits.start_timeout = Some(limit));
        self
    }

    /// Sets how long the child may take to be gone once it has been killed.
    ///
    /// One that takes longer is reported as a zombie, and nobody waits for it any longer; only a
    /// handler that does not yield can take long.
    #[must_use]
    pub fn kill_grace(mut self, grace: Duration) -> Self {
        self.set_limits(|limits| limits.kill_grace = grace);
        self
    }

    /// Sets what happens when the child does not end although it was killed.
    #[must_use]
    pub fn on_zombie(mut self, policy: ZombiePolicy) -> Self {
        self.set_limits(|limits| limits.zombie_policy = policy);
        self
    }

    /// Delays restarts of this child.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.plan_mut().backoff = Some(Box::new(backoff));
        self
    }

    /// Allows at most `restarts` of this child in any `period`, whatever its supervisor allows;
    /// `then` says what one more leads to.
    #[must_use]
    pub fn restart_limit(mut self, restarts: u32, period: Duration, then: GiveUp) -> Self {
        let intensity = Intensity::new(restarts, period);
        self.plan_mut().limit = Some(Box::new(RestartLimit { intensity, then }));
        self
    }

    /// Makes the end of this child matter to its supervisor, which says how by its
    /// [`AutoShutdown`](crate::AutoShutdown); a significant child may not be permanent.
    #[must_use]
    pub fn significant(mut self) -> Self {
        self.plan_mut().significant = true;
        self
    }

    /// Binds the child to elder siblings that it cannot do without.
    ///
    /// When one of them is stopped or fails, whatever the strategy, the child is stopped first;
    /// when that one is started again, so is the child, after it. It is never started without
    /// them. Those that are bound to the child share that fate, and so on.
    ///
    /// ```
    /// # use heights_supervisor::ChildSpec;
    /// # fn child(id: &'static str) -> ChildSpec {
    /// #     ChildSpec::task(id, |cx| async move { Ok(cx.shutdown().await) })
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let root = heights_supervisor::Supervisor::builder("root")
    ///     .child(child("database"))
    ///     .child(child("clock"))
    ///     .child(child("orders").binds_to(["database"]))
    ///     .start()
    ///     .await?;
    /// root.terminate_child("database").await?;
    /// assert_eq!(root.count_children().await.active, 1);
    /// root.restart_child("database").await?;
    /// assert_eq!(root.count_children().await.active, 3);
    /// # root.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn binds_to<I: Into<ChildId>>(mut self, siblings: impl IntoIterator<Item = I>) -> Self {
        self.plan_mut().binds_to = siblings.into_iter().map(Into::into).collect();
        self
    }

    fn set_limits(&mut self, change: impl FnOnce(&mut Limits)) {
        self.patience.set(self.plan.kind, change);
    }
}
