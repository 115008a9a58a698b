//! How everything that lasts learns that the server ends.

use tokio::sync::watch;

/// Told once, when the server is about to end.
#[derive(Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

/// The side that tells. Dropping it tells, too.
pub(crate) struct Stop(watch::Sender<bool>);

/// Makes both sides.
pub(crate) fn pair() -> (Stop, Stopping) {
    let (sender, receiver) = watch::channel(false);
    (Stop(sender), Stopping(receiver))
}

impl Stop {
    pub(crate) fn tell(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Waits until the server is about to end.
    pub(crate) async fn told(&mut self) {
        // A sender that is gone is a server that is gone.
        let _gone = self.0.wait_for(|stopping| *stopping).await.map(|_guard| ());
    }

    /// Whether the server is about to end.
    pub(crate) fn is_told(&self) -> bool {
        *self.0.borrow()
    }
}
