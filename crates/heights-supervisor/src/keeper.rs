//! The keeper: one small task beside each process that sees it from its first breath to the last.
//!
//! It starts the process, carries out the stop that was ordered, waits for the task to be gone,
//! reaps whatever a killed supervisor left below it, and only then lets everyone know, in this
//! order: slot, hub, owner, parent, waiters, monitors, supervisor. Nobody can act on the end of a
//! process while any part of it still exists.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use heights_core::{ChildKind, Shutdown};
use heights_registry::OwnerEnd;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::exit::Exit;
use crate::launch::{News, OnGone};
use crate::panic::{catch, shielded};
use crate::process::Process;
use crate::zombie::Zombie;

/// Starts one life of a child.
pub(crate) trait Starter: Send + Sync + 'static {
    /// Resolves to the task of the process; on failure the process has settled its exit.
    fn start(&self, process: Process) -> Starting;
}

/// Where the references to a child look for its current life.
pub(crate) trait Place: Send + Sync + 'static {
    /// Empties the slot of the child if this life holds it; tells whether another is expected.
    fn vacate(&self, process: &Process, restarting: bool);

    /// Notes in the slot whether the next life is about to be started.
    fn set_restarting(&self, soon: bool);
}

pub(crate) type Starting = Pin<Box<dyn Future<Output = Option<JoinHandle<()>>> + Send>>;

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

/// Sees one process through its life.
pub(crate) struct Keeper {
    process: Process,
    place: Arc<dyn Place>,
    /// Taken when the process is gone.
    end: Option<OwnerEnd>,
}

/// A process that is up.
struct Running {
    keeper: Keeper,
    task: JoinHandle<()>,
    on_gone: OnGone,
}

impl Keeper {
    pub(crate) fn new(process: Process, place: Arc<dyn Place>, end: OwnerEnd) -> Self {
        Self { process, place, end: Some(end) }
    }

    /// Starts the process and returns when it is gone and everybody knows.
    ///
    /// Most of the time this only waits for the task, so whatever else it does is on the heap,
    /// and only for as long as it takes.
    pub(crate) fn keep(
        self,
        spawning: Starting,
        limit: Option<Duration>,
        news: News,
    ) -> impl Future<Output = ()> + Send + 'static {
        let coming_up = Box::pin(self.bring_up(spawning, limit, news));
        async move {
            let Some(mut running) = coming_up.await else { return };
            let told_to_end = tokio::select! {
                biased;
                // A join error is a cancelled runtime; the process is as gone as it can be.
                _ended = &mut running.task => false,
                () = running.keeper.process.keeper_needed() => true,
            };
            if told_to_end {
                Box::pin(running.end()).await;
            }
            Box::pin(running.see_off()).await;
        }
    }

    async fn bring_up(
        mut self,
        spawning: Starting,
        limit: Option<Duration>,
        news: News,
    ) -> Option<Box<Running>> {
        match self.start(spawning, limit).await {
            Ok(task) => {
                self.process.hub().started(&self.process);
                (news.on_started)(Ok(()));
                Some(Box::new(Running { keeper: self, task, on_gone: news.on_gone }))
            }
            Err(failure) => {
                self.process.settle(failure.to_exit());
                self.bury().await;
                (news.on_started)(Err(failure));
                None
            }
        }
    }

    async fn start(
        &self,
        spawning: Starting,
        limit: Option<Duration>,
    ) -> Result<JoinHandle<()>, StartFailure> {
        let starting = async {
            match catch(&self.process, spawning).await {
                Ok(Some(task)) => Ok(task),
                Ok(None) => Err(match self.process.exit() {
                    Some(Exit::Normal) => StartFailure::Ignored,
                    exit => StartFailure::Exit(exit.unwrap_or(Exit::Killed)),
                }),
                Err(panic) => Err(StartFailure::Exit(Exit::Panic(panic))),
            }
        };
        let limited = async {
            match limit {
                None => starting.await,
                Some(limit) => match timeout(limit, starting).await {
                    Ok(outcome) => outcome,
                    Err(_elapsed) => Err(StartFailure::Timeout(limit)),
                },
            }
        };
        tokio::select! {
            biased;
            outcome = limited => outcome,
            () = self.start_given_up() => Err(StartFailure::Stopped),
        }
    }

    /// Waits until the start is to be broken off.
    ///
    /// A supervisor that is told to stop breaks off by itself and stops what it has started.
    async fn start_given_up(&self) {
        let process = &self.process;
        let orderly = process.kind() == ChildKind::Supervisor;
        let asked = async {
            process.stop_requested().await;
            if orderly {
                std::future::pending::<()>().await;
            }
        };
        let ordered = async {
            let shutdown = process.shutdown_ordered().await;
            if orderly && shutdown != Shutdown::Brutal {
                process.stop();
                elapsed(shutdown).await;
            }
        };
        tokio::select! {
            () = process.kill_requested() => {}
            () = ordered => {}
            () = asked => {}
        }
    }

    /// Settles everything about a process whose task is gone.
    async fn bury(&mut self) -> Exit {
        reap(&self.process).await;
        let process = &self.process;
        let exit = process.settle(Exit::Killed);
        self.place.vacate(process, process.expects_restart(&exit));
        process.hub().leave(process, &exit);
        let end = self.end.take();
        // Those two run code of others, and nothing that it does may keep the news from arriving.
        shielded("a hook at the end of an owner", move || drop(end));
        if let Some(parent) = process.parent() {
            parent.disown(process.pid());
        }
        process.set_gone();
        process.tell_downs(&exit);
        exit
    }
}

impl Running {
    /// Stops or kills the process, whichever it was told to, and waits until the task is gone.
    async fn end(&mut self) {
        let (process, task) = (&self.keeper.process, &mut self.task);
        tokio::select! {
            biased;
            _ended = &mut *task => return,
            () = process.kill_requested() => {}
            shutdown = process.shutdown_ordered() => {
                if stop_in_order(process, shutdown, task).await {
                    return;
                }
            }
        }
        if let Some(cell) = process.cell() {
            cell.kill();
        }
        let _ended = task.await;
    }

    async fn see_off(mut self: Box<Self>) {
        let exit = self.keeper.bury().await;
        let process = self.keeper.process.clone();
        (self.on_gone)(process, exit);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Only a keeper that was cancelled with its runtime still has the end in its hands.
        if self.end.is_some() {
            self.process.hub().forget(&self.process);
        }
    }
}

/// Asks the process to stop; `false` if it has to be killed.
async fn stop_in_order(process: &Process, shutdown: Shutdown, task: &mut JoinHandle<()>) -> bool {
    if shutdown == Shutdown::Brutal {
        return false;
    }
    process.stop();
    tokio::select! {
        biased;
        _ended = task => true,
        () = process.kill_requested() => false,
        () = elapsed(shutdown) => false,
    }
}

/// Waits until the limit of a shutdown has passed.
async fn elapsed(shutdown: Shutdown) {
    match shutdown {
        Shutdown::Brutal => {}
        Shutdown::Timeout(limit) => tokio::time::sleep(limit).await,
        Shutdown::Infinity => std::future::pending().await,
    }
}

/// Kills what a process left below it and waits, within bounds, until it is gone.
async fn reap(process: &Process) {
    let mut orphans = process.children();
    // A zombie has had its time already.
    orphans.retain(|orphan| !orphan.is_zombie());
    for orphan in orphans.iter().rev() {
        orphan.kill();
    }
    join_all(orphans.iter().map(|orphan| gone_within(orphan, Shutdown::Brutal))).await;
}

/// Waits for a process that was told to end: as long as its shutdown allows, plus the kill grace.
///
/// A process that is still there after that is reported as a zombie.
pub(crate) async fn gone_within(process: &Process, shutdown: Shutdown) -> Result<Exit, Zombie> {
    let too_late = async {
        match shutdown {
            Shutdown::Brutal => {}
            Shutdown::Timeout(limit) => tokio::time::sleep(limit).await,
            Shutdown::Infinity => process.kill_requested().await,
        }
        tokio::time::sleep(process.kill_grace()).await;
    };
    tokio::select! {
        biased;
        exit = process.gone() => Ok(exit),
        () = too_late => {
            Err(Zombie::report(process))
        }
    }
}
