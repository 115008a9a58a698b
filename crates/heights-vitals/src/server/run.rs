//! The thread of the inspector, and what goes on there.

use std::io;
use std::os::unix::net::UnixListener;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use super::crash_file::Unwritten;
use super::shared::Shared;
use super::{routes, serve, turns};

/// What the thread is started with.
pub(super) struct Run {
    pub(super) listener: UnixListener,
    pub(super) shared: Shared,
    pub(super) unwritten: Option<Unwritten>,
}

impl Run {
    /// Starts the thread, which goes on until the sender of `stopped` is dropped.
    pub(super) fn spawn(self, stopped: oneshot::Receiver<()>) -> io::Result<JoinHandle<()>> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        thread::Builder::new().name("heights-vitals".to_owned()).spawn(move || {
            if let Err(error) = runtime.block_on(self.until(stopped)) {
                tracing::error!(%error, "the inspector stopped serving");
            }
        })
    }

    async fn until(self, stopped: oneshot::Receiver<()>) -> io::Result<()> {
        let Self { listener, shared, mut unwritten } = self;
        let listener = tokio::net::UnixListener::from_std(listener)?;
        let (routes, meter) = (routes::router(shared.clone()), shared.meter());
        let writing = async {
            if let Some(unwritten) = &mut unwritten {
                unwritten.write().await;
            }
            // Without a file, or a tree that could tell, there is nothing to write.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = serve::serve(listener, routes, meter) => {}
            () = look_at_threads(&shared) => {}
            () = writing => {}
            // The sender is only ever dropped. Clients that are still connected are cut off.
            _dropped = stopped => {}
        }
        if let Some(unwritten) = &mut unwritten {
            unwritten.write_the_rest();
        }
        Ok(())
    }
}

async fn look_at_threads(shared: &Shared) {
    let mut clock = interval(turns::INTERVAL);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        shared.look_at_threads();
    }
}
