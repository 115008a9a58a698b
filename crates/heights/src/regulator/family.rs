//! A tree of queues behind one lock, and the clock that moves them.
//!
//! Every change settles the queues at once, on the thread that made it: no process has to be asked.
//! Only what time alone does (a rate that lets the next one in, a waiter whose patience ends) needs
//! someone who watches the clock. That is the family's process while it runs, else the waiters.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heights_core::{
    Admission, Decision, Grant, Key, Limits, Moment, QueueId, QueueView, RefusalKind, Request,
    Ticket,
};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::Claim;

/// How a wait ends.
type End = Result<Grant, RefusalKind>;

/// Queues that share limits.
pub(super) struct Family {
    origin: Instant,
    state: Mutex<State>,
    /// Rung when the next event has moved, for those who watch the clock.
    moved: Notify,
    /// How many processes watch the clock.
    drivers: watch::Sender<usize>,
}

/// A place in line; dropping it leaves the line.
pub(super) struct Place<'a> {
    family: &'a Family,
    queue: QueueId,
    ticket: Ticket,
    max_wait: Option<Duration>,
    /// There until the wait has ended.
    end: Option<oneshot::Receiver<End>>,
}

/// Counts a process among those that watch the clock for as long as it lives.
pub(super) struct Driving<'a>(&'a Family);

struct State {
    admission: Admission<oneshot::Sender<End>>,
    names: HashMap<QueueId, Arc<str>>,
    next_event: Option<Moment>,
}

impl Family {
    pub(super) fn new() -> Self {
        let state =
            State { admission: Admission::default(), names: HashMap::new(), next_event: None };
        Self {
            origin: Instant::now(),
            state: Mutex::new(state),
            moved: Notify::new(),
            drivers: watch::Sender::new(0),
        }
    }

    pub(super) fn add(&self, parent: Option<QueueId>, limits: Limits, name: &Arc<str>) -> QueueId {
        let mut state = self.state();
        let queue = state.admission.add(parent, limits);
        state.names.insert(queue, Arc::clone(name));
        queue
    }

    pub(super) fn try_take(&self, queue: QueueId) -> Option<Grant> {
        self.state().admission.try_take(queue, self.now(), None)
    }

    pub(super) fn adopt(&self, queue: QueueId) -> Grant {
        self.state().admission.adopt(queue, self.now(), None)
    }

    pub(super) fn release(&self, grant: Grant) {
        let mut state = self.state();
        state.admission.release(grant);
        if state.admission.is_waited_for() {
            self.settle(state);
        }
    }

    pub(super) fn hold(&self, queue: QueueId) {
        self.state().admission.hold(queue);
    }

    pub(super) fn unhold(&self, queue: QueueId) {
        let mut state = self.state();
        state.admission.unhold(queue);
        self.settle(state);
    }

    pub(super) fn reconfigure(&self, queue: QueueId, limits: Limits) {
        let mut state = self.state();
        state.admission.reconfigure(queue, limits, self.now());
        self.settle(state);
    }

    pub(super) fn view(&self, queue: QueueId) -> QueueView {
        self.state().admission.view(queue, self.now())
    }

    pub(super) fn holders(&self, queue: QueueId) -> Vec<Claim> {
        let state = self.state();
        state.named(state.admission.holders(queue, self.now()))
    }

    pub(super) fn waiters(&self, queue: QueueId) -> Vec<Claim> {
        let state = self.state();
        state.named(state.admission.waiters(queue, self.now()))
    }

    /// Says that the caller will poll [`Self::drive`] until it drops this.
    pub(super) fn driving(&self) -> Driving<'_> {
        self.drivers.send_modify(|drivers| *drivers += 1);
        Driving(self)
    }

    /// Lets time do its part for as long as it is polled.
    pub(super) async fn drive(&self) -> Infallible {
        loop {
            let mut moved = pin!(self.moved.notified());
            // Listening starts before looking, so that no change falls between the two.
            moved.as_mut().enable();
            match self.settle(self.state()) {
                None => moved.await,
                Some(next_event) => tokio::select! {
                    () = moved => {}
                    () = sleep_until(self.origin + next_event) => {}
                },
            }
        }
    }

    /// Watches the clock only while no process does.
    async fn drive_if_nobody_does(&self) -> Infallible {
        let mut drivers = self.drivers.subscribe();
        let gone = "the family that the caller borrows owns the sender";
        loop {
            drivers.wait_for(|drivers| *drivers == 0).await.expect(gone);
            tokio::select! {
                never = self.drive() => match never {},
                driven = drivers.wait_for(|drivers| *drivers > 0) => drop(driven.expect(gone)),
            }
        }
    }

    /// Ends all waits that end now, and returns when time will end more.
    fn settle(&self, mut state: MutexGuard<'_, State>) -> Option<Moment> {
        let now = self.now();
        while let Some(decision) = state.admission.decide(now) {
            let untaken = match decision {
                Decision::Admit(grant, waiter) => waiter.send(Ok(grant)),
                Decision::Refuse(why, waiter) => waiter.send(Err(why)),
            };
            if let Err(Ok(grant)) = untaken {
                state.admission.release(grant);
            }
        }
        let next_event = state.admission.next_event(now);
        if state.next_event != next_event {
            state.next_event = next_event;
            self.moved.notify_waiters();
        }
        next_event
    }

    fn now(&self) -> Moment {
        self.origin.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn named(&self, claims: Vec<heights_core::Claim>) -> Vec<Claim> {
        let named = |heights_core::Claim { queue, key, age }| Claim {
            queue: Arc::clone(&self.names[&queue]),
            key,
            age,
        };
        claims.into_iter().map(named).collect()
    }
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        self.0.drivers.send_modify(|drivers| *drivers -= 1);
    }
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
        Err(Self { family, queue, ticket, max_wait, end: Some(end) })
    }

    /// How long the wait may last.
    pub(super) fn max_wait(&self) -> Option<Duration> {
        self.max_wait
    }

    /// Waits for the end of the wait.
    pub(super) async fn end(mut self) -> End {
        let waiting = self.end.as_mut().expect("only this function, which runs once, takes it");
        let end = tokio::select! {
            biased;
            end = waiting => end.expect("a waiter is only ever dropped with its answer"),
            never = self.family.drive_if_nobody_does() => match never {},
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
