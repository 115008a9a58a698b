//! Serves the clients of a runner, and knows how many follow it.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::record::Recorder;
use super::stop::{Stop, StopSource};
use crate::control::{OK, Request, receive};

/// The pause after a connection could not be taken, which is when there are no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves clients for as long as the job lasts.
pub(super) struct ControlServer<'a> {
    pub(super) recorder: &'a Recorder,
    pub(super) job: &'a StopSource,
    /// How many clients follow.
    pub(super) followers: watch::Sender<usize>,
}

/// Counts one follower for as long as it exists.
struct Following<'a>(&'a watch::Sender<usize>);

impl ControlServer<'_> {
    pub(super) async fn serve(&self, listener: UnixListener) -> Infallible {
        let mut clients: FuturesUnordered<LocalBoxFuture<'_, io::Result<()>>> =
            FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => clients.push(self.client(stream).boxed_local()),
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
                // What goes wrong with one client is over with its connection, on which it sees it.
                Some(_) = clients.next() => {}
            }
        }
    }

    /// Waits until nobody has followed for `limit`.
    pub(super) async fn orphaned(&self, limit: Duration) {
        let mut followers = self.followers.subscribe();
        loop {
            let is_followed = *followers.borrow_and_update() > 0;
            tokio::select! {
                () = sleep(limit), if !is_followed => return,
                changed = followers.changed() => changed.expect("the server holds the sender"),
            }
        }
    }

    async fn client(&self, mut stream: UnixStream) -> io::Result<()> {
        match receive(&mut stream).await? {
            Some(Request::Attach) => self.wake(&stream).await,
            Some(Request::Cancel) => {
                self.job.stop(Stop::Cancelled);
                stream.write_all(OK).await
            }
            Some(Request::Ping) => stream.write_all(OK).await,
            None => Ok(()),
        }
    }

    /// Sends a byte for each time that the journal has grown, until the client hangs up.
    async fn wake(&self, stream: &UnixStream) -> io::Result<()> {
        let _following = Following::new(&self.followers);
        let mut bell = self.recorder.bell();
        // What was appended before this client was known has rung for others only.
        bell.mark_changed();
        loop {
            tokio::select! {
                rung = bell.changed() => {
                    rung.map_err(io::Error::other)?;
                    match stream.try_write(b".") {
                        // It has as many wakes to read as fit; one more tells it nothing.
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        written => drop(written?),
                    }
                }
                readable = stream.readable() => {
                    readable?;
                    match stream.try_read(&mut [0; 64]) {
                        Ok(0) => return Ok(()),
                        Ok(_) => {}
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }
}

impl<'a> Following<'a> {
    fn new(followers: &'a watch::Sender<usize>) -> Self {
        followers.send_modify(|count| *count += 1);
        Self(followers)
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
