//! Ending processes, and waiting until they are gone, for no longer than they may take.

use futures_util::future::join_all;
use heights_core::Shutdown;
use tokio::time::timeout;

use crate::exit::Exit;
use crate::process::Process;
use crate::zombie::Zombie;

/// Orders a process to end and sees to it, whether or not anybody waits for that.
pub(crate) fn end(process: &Process, shutdown: Shutdown) {
    process.order_shutdown(shutdown);
    if let Shutdown::Timeout(limit) = shutdown {
        let process = process.clone();
        let seeing_to_it = async move {
            if timeout(limit, process.gone()).await.is_err() {
                process.kill();
            }
        };
        #[expect(clippy::disallowed_methods, reason = "it may outlive whoever gave the order")]
        drop(tokio::spawn(seeing_to_it));
    }
}

/// Waits until the limit of a shutdown has passed.
pub(super) async fn elapsed(shutdown: Shutdown) {
    match shutdown {
        Shutdown::Brutal => {}
        Shutdown::Timeout(limit) => tokio::time::sleep(limit).await,
        Shutdown::Infinity => std::future::pending().await,
    }
}

/// Lists what a process has left below it.
pub(super) fn orphans_of(process: &Process) -> Vec<Process> {
    let mut orphans = process.children();
    // A zombie has had its time already.
    orphans.retain(|orphan| !orphan.is_zombie());
    orphans
}

/// Kills orphans and waits, within bounds, until they are gone.
pub(super) async fn reap(orphans: Vec<Process>) {
    for orphan in orphans.iter().rev() {
        orphan.kill();
    }
    join_all(orphans.iter().map(|orphan| gone_within(orphan, Shutdown::Brutal))).await;
}

/// Waits for a process that was told to end: as long as its shutdown allows, and when it has been
/// killed then, for the kill grace.
///
/// A process that is still there after that is reported as a zombie.
pub(crate) async fn gone_within(process: &Process, shutdown: Shutdown) -> Result<Exit, Zombie> {
    let too_late = async {
        match shutdown {
            Shutdown::Brutal => {}
            Shutdown::Timeout(limit) => {
                tokio::time::sleep(limit).await;
                process.kill();
            }
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
