//! The keeper: the part of a process that is dropped last, whichever way the process ends.
//!
//! It lives in the task of the process, beside the state and whatever else is the user's, and
//! goes when nothing of that is left. Then it reaps what a killed supervisor left below it, and
//! only then lets everyone know, in this order: slot, hub, owner, parent, waiters, monitors,
//! supervisor. Nobody can act on the end of a process while any part of it still exists.

mod ending;

use std::sync::Arc;
use std::time::Duration;

use heights_core::ChildKind;
use ractor::ActorCell;
use tokio::runtime::Handle;

use self::ending::{elapsed, orphans_of, reap};
pub(crate) use self::ending::{end, gone_within};
use crate::exit::{Exit, Ignore};
use crate::panic::shielded;
use crate::process::Process;
use crate::spec::ChildSpec;

/// Starts lives of a child.
pub(crate) trait Starter: Send + Sync + 'static {
    /// Starts the task of a process, which brings itself up. Nothing of the user's runs in here.
    fn start(self: Arc<Self>, keeper: Keeper);
}

/// Where the references to a child look for its current life.
pub(crate) trait Place: Send + Sync + 'static {
    /// Empties the slot of the child if this life holds it; tells whether another is expected.
    fn vacate(&self, process: &Process, restarting: bool);

    /// Notes in the slot whether the next life is about to be started.
    fn set_restarting(&self, soon: bool);
}

/// Why a child did not come up.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StartFailure {
    /// It ended before it was up.
    #[error("{0}")]
    Exit(Exit),
    /// It took longer than its start timeout.
    #[error("not up within {0:?}")]
    Timeout(Duration),
    /// It found nothing to do.
    #[error("nothing to do")]
    Ignored,
    /// It was told to stop before it was up.
    #[error("stopped before it was up")]
    Stopped,
    /// The life before it is still there and cannot be killed.
    #[error("the life before it does not end")]
    Zombie,
}

impl StartFailure {
    /// Puts the failure into the words of an exit.
    pub(crate) fn to_exit(&self) -> Exit {
        match self {
            Self::Exit(exit) => exit.clone(),
            Self::Ignored => Exit::Normal,
            other => Exit::Error(Arc::new(other.clone())),
        }
    }
}

/// Whoever launched processes, told when one is up, or did not come up, and when it is gone.
pub(crate) trait News: Send + Sync + 'static {
    /// It is up, or did not come up and nothing is left of it. Told once; waiting for
    /// [`Process::up`] tells the same.
    fn started(&self, _process: &Process, _outcome: Result<(), StartFailure>) {}

    /// It was up and is gone.
    fn gone(&self, process: &Process, exit: Exit);
}

/// Sees one process through its life.
pub(crate) struct Keeper {
    /// Taken only when this is dropped.
    burial: Option<Burial>,
}

impl Keeper {
    pub(crate) fn new(process: Process, spec: &ChildSpec, news: Arc<dyn News>) -> Self {
        let burial = Burial { process, place: Arc::clone(&spec.place), news };
        Self { burial: Some(burial) }
    }

    pub(crate) const fn process(&self) -> &Process {
        &self.burial().process
    }

    const fn burial(&self) -> &Burial {
        self.burial.as_ref().expect("taken only when this is dropped")
    }

    /// Lets others find the process: from now on it can be told to end.
    pub(crate) fn present(&self, cell: ActorCell) {
        let process = self.process();
        process.attach(cell);
        if let Some(parent) = process.parent() {
            parent.adopt(process.clone());
        }
        process.hub().enter(process);
    }

    /// Brings the process up by `starting`, unless that takes too long or is given up.
    pub(crate) async fn bring_up<T>(
        &self,
        starting: impl Future<Output = Result<T, Exit>>,
    ) -> Result<T, StartFailure> {
        let too_long = async {
            match self.process().start_timeout() {
                None => std::future::pending().await,
                Some(limit) => {
                    tokio::time::sleep(limit).await;
                    StartFailure::Timeout(limit)
                }
            }
        };
        tokio::select! {
            biased;
            outcome = starting => outcome.map_err(|exit| match exit {
                Exit::Error(error) if error.is::<Ignore>() => StartFailure::Ignored,
                exit => StartFailure::Exit(exit),
            }),
            failure = too_long => Err(failure),
            () = self.start_given_up() => Err(StartFailure::Stopped),
        }
    }

    /// Notes whether the process is up. Who waits for one that is not hears of it at its end.
    pub(crate) fn note_start(&self, outcome: Result<(), StartFailure>) {
        let Burial { process, news, .. } = self.burial();
        match outcome {
            Ok(()) => {
                process.set_up();
                news.started(process, Ok(()));
            }
            Err(failure) => {
                process.settle(failure.to_exit());
                process.set_start_failure(failure);
            }
        }
    }

    /// Waits until the start is to be broken off.
    ///
    /// A supervisor that is told to stop breaks off by itself and stops what it has started.
    async fn start_given_up(&self) {
        let process = self.process();
        let orderly = process.kind() == ChildKind::Supervisor;
        let asked = async {
            process.stop_requested().await;
            if orderly {
                std::future::pending::<()>().await;
            }
        };
        let ordered = async {
            let shutdown = process.shutdown_ordered().await;
            if orderly {
                elapsed(shutdown).await;
            }
        };
        tokio::select! {
            () = process.kill_requested() => {}
            () = ordered => {}
            () = asked => {}
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let orphans = orphans_of(self.process());
        if orphans.is_empty() {
            return;
        }
        let burial = self.burial.take();
        let reaping = async move {
            reap(orphans).await;
            drop(burial);
        };
        // Without a runtime, which is gone then, nothing is left to be reaped either.
        if let Ok(runtime) = Handle::try_current() {
            // Without a parent, as what it waits for has lost its own.
            drop(runtime.spawn(reaping));
        }
    }
}

/// What is left to do when a process is gone; it is done when this is dropped.
struct Burial {
    process: Process,
    place: Arc<dyn Place>,
    news: Arc<dyn News>,
}

impl Drop for Burial {
    fn drop(&mut self) {
        let process = &self.process;
        // One that was killed on its way up has not failed.
        let failure = (!process.is_up()).then(|| process.start_failure());
        let exit = process.settle(failure.as_ref().map_or(Exit::Killed, StartFailure::to_exit));
        self.place.vacate(process, process.expects_restart(&exit));
        process.hub().leave(process, &exit);
        // Those two run code of others, and nothing that it does may keep the news from arriving.
        shielded("a hook at the end of an owner", || process.end_ownership());
        if let Some(parent) = process.parent() {
            parent.disown(process.pid());
        }
        process.set_gone();
        process.tell_downs(&exit);
        match failure {
            None => self.news.gone(process, exit),
            Some(failure) => {
                process.set_failed();
                self.news.started(process, Err(failure));
            }
        }
    }
}
