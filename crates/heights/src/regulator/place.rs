//! A place in line.

use std::time::Duration;

use heights_core::{Grant, Key, Moment, QueueId, RefusalKind, Request, Ticket};
use tokio::sync::oneshot;

use super::family::Family;

/// How a wait ends.
pub(super) type End = Result<Grant, RefusalKind>;

/// A place in line; dropping it leaves the line.
pub(super) struct Place<'a> {
    family: &'a Family,
    queue: QueueId,
    ticket: Ticket,
    since: Moment,
    max_wait: Option<Duration>,
    /// There until the wait has ended.
    end: Option<oneshot::Receiver<End>>,
}

impl<'a> Place<'a> {
    /// Takes a permit at once, or joins the line.
    pub(super) fn take(
        family: &'a Family,
        queue: QueueId,
        key: Option<Key>,
        max_wait: Option<Duration>,
    ) -> Result<Grant, Self> {
        let mut state = family.state();
        let now = family.now();
        if let Some(grant) = state.admission.try_take(queue, now, key.as_ref()) {
            return Ok(grant);
        }
        let max_wait = max_wait.or_else(|| state.admission.max_wait(queue));
        let (call, end) = oneshot::channel();
        let ticket = state.admission.enqueue(queue, now, Request { key, max_wait }, call);
        family.settle(state);
        Err(Self { family, queue, ticket, since: now, max_wait, end: Some(end) })
    }

    /// How long the wait may last.
    pub(super) fn max_wait(&self) -> Option<Duration> {
        self.max_wait
    }

    /// Waits for the end of the wait.
    pub(super) async fn end(mut self) -> End {
        let deadline = self.max_wait.map(|max_wait| self.since.saturating_add(max_wait));
        let waiting = self.end.as_mut().expect("only this function, which runs once, takes it");
        let end = tokio::select! {
            biased;
            end = waiting => end.expect("a waiter is only ever dropped with its answer"),
            never = self.family.attend(self.queue, deadline) => match never {},
        };
        self.end = None;
        end
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(mut end) = self.end.take() else { return };
        end.close();
        match end.try_recv() {
            // A turn that came but was never taken goes to the next in line.
            Ok(Ok(grant)) => self.family.release(grant),
            Ok(Err(_)) => {}
            Err(_) => {
                let mut state = self.family.state();
                state.admission.abandon(self.queue, self.family.now(), self.ticket);
                self.family.settle(state);
            }
        }
    }
}
