//! The life of a program, from its first signal handler to its last process.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use heights_supervisor::{Exit, Hub, Process, shielded};
use heights_vitals::{Inspector, InspectorBuilder};
use tokio::time::{sleep, timeout};

use super::builder::{AppBuilder, Stop};
use super::end::{AppEnd, Forced};
use super::signals::Signals;
use super::trouble::Trouble;

/// How long killed processes may take to be gone before the program ends without them.
const KILL_GRACE: Duration = Duration::from_secs(2);

impl AppBuilder {
    pub(super) async fn start_and_stop(self) -> AppEnd {
        if let Some(limit) = self.limit
            && let Err(error) = super::bound::check(&self.root, limit)
        {
            return AppEnd::NotStarted(Arc::new(error));
        }
        let budget = self.limit.map_or(self.budget, |limit| limit.min(self.budget));
        let hub = Hub::new();
        let trouble = Trouble::watch(&hub);
        let mut signals = match Signals::listen(self.hangup) {
            Ok(signals) => signals,
            Err(error) => return AppEnd::NotStarted(Arc::new(error)),
        };
        // It is dropped last: one can look inside until nothing is left to see.
        let _inspector = self.vitals.and_then(|configure| {
            start_inspector(configure(Inspector::builder(self.name, &hub).version(self.version)))
        });
        let started = tokio::select! {
            started = self.root.hub(hub.clone()).start_root() => started,
            () = signals.stop() => return give_up_start(&hub, budget).await,
        };
        match started {
            Err(error) => AppEnd::NotStarted(Arc::new(error)),
            Ok((_root, process)) => {
                let run = Run { root: process, hub, budget, trouble };
                run.until_the_end(signals, self.stop, self.before_stop).await
            }
        }
    }
}

/// A program that is up.
struct Run {
    root: Process,
    hub: Hub,
    budget: Duration,
    trouble: Trouble,
}

impl Run {
    async fn until_the_end(self, mut signals: Signals, stop: Stop, before: Stop) -> AppEnd {
        tokio::select! {
            exit = self.root.gone() => AppEnd::of_itself(exit, &self.trouble),
            () = caught("what says when to stop", stop) => self.stop(signals, before).await,
            () = signals.stop() => self.stop(signals, before).await,
        }
    }

    /// Stops the tree in order; kills what is left when the budget is spent or someone insists.
    async fn stop(&self, mut signals: Signals, before: Stop) -> AppEnd {
        let forced = Forced::watch(&self.hub);
        let in_order = async {
            caught("what prepares the stop", before).await;
            self.root.stop();
            self.root.gone().await
        };
        tokio::select! {
            exit = in_order => return AppEnd::of_stop(exit, forced.paths()),
            () = sleep(self.budget) => log(|| tracing::error!(budget = ?self.budget, "the tree did not stop in time")),
            () = signals.stop() => log(|| tracing::warn!("told twice to stop: the tree is killed")),
        }
        forced.add_all(&self.hub);
        self.root.kill();
        if timeout(KILL_GRACE, self.root.gone()).await.is_err() {
            log(|| tracing::error!("killed processes do not end: the program ends without them"));
        }
        AppEnd::Forced(forced.paths())
    }
}

/// Runs code of the program outside its tree; where that panics, the tree is stopped in order still.
async fn caught(what: &str, code: Stop) {
    if AssertUnwindSafe(code).catch_unwind().await.is_err() {
        log(|| tracing::error!("{what} panicked"));
    }
}

/// Whoever writes the log may panic, and the tree is stopped in order still.
fn log(said: impl FnOnce()) {
    shielded("the log", said);
}

/// Ends a program that was told to stop while it came up.
async fn give_up_start(hub: &Hub, budget: Duration) -> AppEnd {
    // Whoever gives up on a start has thereby told the root to stop.
    let root = hub.snapshot().processes.first().and_then(|root| hub.process(root.pid));
    let Some(root) = root else { return AppEnd::Clean };
    let forced = Forced::watch(hub);
    if timeout(budget, root.gone()).await.is_err() {
        forced.add_all(hub);
    }
    AppEnd::of_stop(Exit::Normal, forced.paths())
}

/// A program that cannot be looked into still works, so this is no reason not to start.
fn start_inspector(inspector: InspectorBuilder) -> Option<Inspector> {
    match inspector.start() {
        Ok(inspector) => Some(inspector),
        Err(heights_vitals::StartError::TurnedOff) => None,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            log(|| tracing::warn!(error, "there will be no looking inside"));
            None
        }
    }
}
