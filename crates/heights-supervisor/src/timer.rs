//! Messages to oneself, later.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::process::Process;
use crate::zombie::all_gone;

/// Longer than any program runs.
const AGES: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Returns when so much time will have passed; what is too long to reckon with is ages away.
pub(crate) fn instant_after(now: Instant, delay: Duration) -> Instant {
    now.checked_add(delay).unwrap_or_else(|| now + AGES)
}

/// Names a timer of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimerId(u64);

/// Things to do later; dropped together with their owner.
#[derive(Debug, Default)]
pub(crate) struct Alarms(JoinSet<()>);

impl Alarms {
    /// Rings when these processes are gone and then some time has passed; at once if it can.
    pub(crate) fn set_after(
        &mut self,
        processes: Vec<Process>,
        after: Duration,
        ring: impl FnOnce() + Send + 'static,
    ) {
        if processes.is_empty() && after.is_zero() {
            return ring();
        }
        self.watch(async move {
            all_gone(processes).await;
            sleep(after).await;
            ring();
        });
    }

    /// Runs something beside the process, for as long as the process lives.
    pub(crate) fn watch(&mut self, watch: impl Future<Output = ()> + Send + 'static) {
        self.spawn(watch);
    }

    fn add(&mut self, after: Duration, ring: impl FnOnce() + Send + 'static) -> AbortHandle {
        self.spawn(async move {
            sleep(after).await;
            ring();
        })
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        // The set keeps alarms that have rung until they are collected.
        while self.0.try_join_next().is_some() {}
        self.0.spawn(task)
    }
}

/// The timers of one process: they die with it and never keep it alive.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    last: u64,
    alarms: Alarms,
    armed: HashMap<TimerId, AbortHandle>,
}

impl Timers {
    pub(crate) fn arm(
        &mut self,
        after: Duration,
        fire: impl FnOnce(TimerId) + Send + 'static,
    ) -> TimerId {
        self.last += 1;
        let id = TimerId(self.last);
        let alarm = self.alarms.add(after, move || fire(id));
        self.armed.insert(id, alarm);
        id
    }

    pub(crate) fn cancel(&mut self, id: TimerId) {
        if let Some(alarm) = self.armed.remove(&id) {
            alarm.abort();
        }
    }

    /// Tells whether a message of this timer is still wanted, and forgets the timer.
    pub(crate) fn take(&mut self, id: TimerId) -> bool {
        self.armed.remove(&id).is_some()
    }
}
