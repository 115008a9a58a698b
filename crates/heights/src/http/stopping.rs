//! How what lasts learns that its server stops.

use tokio::sync::watch;

/// Tells a handler that its server stops: take it as `Extension<Stopping>` where an answer may last,
/// such as a stream of events or a long poll.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Receiver<bool>);

/// The side that tells; dropping it tells, too.
#[derive(Debug)]
pub(super) struct Stop(watch::Sender<bool>);

pub(super) fn pair() -> (Stop, Stopping) {
    let (stop, stopping) = watch::channel(false);
    (Stop(stop), Stopping(stopping))
}

impl Stop {
    pub(super) fn tell(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Waits until the server stops; the answer should end soon after.
    pub async fn told(&self) {
        let mut stopping = self.0.clone();
        // A sender that is gone is a server that is gone.
        let _gone = stopping.wait_for(|stopping| *stopping).await.map(|_stopping| ());
    }
}
