//! How what lasts learns that its server stops.

use tokio::sync::watch;

/// Tells a handler that its server stops: take it as `Extension<Stopping>` where an answer may last,
/// such as a stream of events or a long poll.
///
/// ```
/// use axum::{Extension, Router, routing::get};
/// use heights::http::Stopping;
///
/// /// A long poll: answers when there is news, or when there will be none any more.
/// async fn news(Extension(stopping): Extension<Stopping>) -> &'static str {
///     tokio::select! {
///         () = stopping.told() => "ask again, somebody else will answer",
///         () = std::future::pending() => "news",
///     }
/// }
///
/// let routes: Router = Router::new().route("/news", get(news));
/// # drop(routes);
/// ```
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
