//! What can be seen of a family of queues.

use heights_core::QueueView;
use heights_supervisor::{Inspect, View};

use super::family::Family;

/// One queue, as it is shown.
struct Queue(QueueView);

impl Inspect for Queue {
    fn inspect(&self, view: View<'_>) {
        let queue = &self.0;
        view.record(|shown| {
            shown
                .field("concurrency", &queue.limits.concurrency)
                .field("held", &queue.held)
                .field("waiting", &queue.waiting)
                .field("oldest_wait", &queue.oldest_wait)
                .field("granted", &queue.granted)
                .field("expired", &queue.expired)
                .field("on_hold", &queue.on_hold)
        });
    }
}

impl Family {
    /// Shows all queues by name.
    pub(super) fn show(&self, view: View<'_>) {
        let queues: Vec<_> =
            self.views().into_iter().map(|(name, queue)| (name, Queue(queue))).collect();
        view.map(queues.iter().map(|(name, queue)| (name, queue)));
    }
}
