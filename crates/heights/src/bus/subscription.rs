//! A subscription as a stream.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;

use super::queue::Queue;
use super::{Bus, Heard, SubscriptionId, Topic};

/// The events of a topic, from when it was made; dropping it ends the subscription.
///
/// As a stream it never ends by itself.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::StreamExt;
/// use heights::bus::{Bus, Heard, Topic};
///
/// const FINISHED: Topic<u32> = Topic::new("finished");
///
/// let bus = Bus::new();
/// let finished = bus.stream(&FINISHED, 10);
/// for build in 1..=3 {
///     bus.publish(&FINISHED, build);
/// }
/// let heard: Vec<Heard<u32>> = finished.take(3).collect().await;
/// assert_eq!(heard, [1, 2, 3].map(Heard::Event));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the subscription"]
pub struct Subscription<E: Clone + Send + Sync + 'static> {
    pub(super) bus: Bus,
    pub(super) topic: Topic<E>,
    pub(super) id: SubscriptionId,
    pub(super) queue: Arc<Queue<E>>,
}

impl<E: Clone + Send + Sync + 'static> Subscription<E> {
    /// Waits for what is heard next; giving up loses nothing.
    pub async fn next(&mut self) -> Heard<E> {
        poll_fn(|cx| self.queue.poll(cx)).await
    }
}

impl<E: Clone + Send + Sync + 'static> Stream for Subscription<E> {
    type Item = Heard<E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Heard<E>>> {
        self.queue.poll(cx).map(Some)
    }
}

impl<E: Clone + Send + Sync + 'static> Drop for Subscription<E> {
    fn drop(&mut self) {
        self.bus.unsubscribe(&self.topic, self.id);
    }
}
