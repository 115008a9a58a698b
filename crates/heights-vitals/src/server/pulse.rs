//! Whether the application's runtime still lives, seen from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::cost::spent;
use crate::view::millis;
use crate::wire::Runtime;

/// How often the runtime gives a sign of life.
const BEAT: Duration = Duration::from_millis(100);

/// Knows when the runtime last ran a task of ours.
#[derive(Debug)]
pub(crate) struct Pulse {
    runtime: Handle,
    since: Instant,
    /// When the latest beat was, in milliseconds after `since`.
    latest: Arc<AtomicU64>,
    beating: AbortHandle,
}

impl Pulse {
    /// Starts to listen to the runtime that the caller runs on; `None` if it runs on none.
    pub(crate) fn of_this_runtime() -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let (since, latest) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let beats = Arc::clone(&latest);
        let beating = runtime.spawn(async move {
            let mut clock = tokio::time::interval(BEAT);
            clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                clock.tick().await;
                beats.store(millis(since.elapsed()), Ordering::Relaxed);
            }
        });
        Some(Self { runtime, since, latest, beating: beating.abort_handle() })
    }

    pub(crate) fn read(&self) -> Runtime {
        let metrics = self.runtime.metrics();
        let latest = self.latest.load(Ordering::Relaxed);
        Runtime {
            workers: metrics.num_workers(),
            tasks: metrics.num_alive_tasks(),
            queued: metrics.global_queue_depth(),
            silent_ms: millis(self.since.elapsed()).saturating_sub(latest),
            inspector_cpu_us: u64::try_from(spent().as_micros()).ok(),
            ..Runtime::default()
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.beating.abort();
    }
}
