//! A tree of queues behind one lock, and the clock that moves them.
//!
//! Every change settles the queues at once, on the thread that made it: no process has to be asked.
//! Only what time alone does (a rate that lets the next one in, a waiter whose patience ends) needs
//! someone who watches the clock. That is the family's process while it runs, else the waiters.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heights_core::{Admission, Limits, Moment, QueueId, QueueView, Ticket};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until};

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
    family: &'a Arc<Family>,
    queue: QueueId,
    ticket: Ticket,
    turn: oneshot::Receiver<()>,
}

/// Counts a process among those that watch the clock for as long as it lives.
pub(super) struct Driving<'a>(&'a Family);

struct State {
    admission: Admission<oneshot::Sender<()>>,
    next_event: Option<Moment>,
}

impl Family {
    pub(super) fn new() -> Self {
        Self {
            origin: Instant::now(),
            state: Mutex::new(State { admission: Admission::default(), next_event: None }),
            moved: Notify::new(),
            drivers: watch::Sender::new(0),
        }
    }

    pub(super) fn add(&self, parent: Option<QueueId>, limits: Limits) -> QueueId {
        self.state().admission.add(parent, limits)
    }

    pub(super) fn adopt(&self, queue: QueueId) {
        self.state().admission.adopt(queue);
    }

    pub(super) fn release(&self, queue: QueueId) {
        self.change(|admission, _| admission.release(queue));
    }

    pub(super) fn hold(&self, queue: QueueId) {
        self.state().admission.hold(queue);
    }

    pub(super) fn unhold(&self, queue: QueueId) {
        self.change(|admission, _| admission.unhold(queue));
    }

    pub(super) fn reconfigure(&self, queue: QueueId, limits: Limits) {
        self.change(|admission, now| admission.reconfigure(queue, limits, now));
    }

    pub(super) fn view(&self, queue: QueueId) -> QueueView {
        self.state().admission.view(queue, self.now())
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
            match self.change(|_, _| ()) {
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

    /// Changes something, admits all who may now pass, and returns when time will change more.
    fn change(
        &self,
        change: impl FnOnce(&mut Admission<oneshot::Sender<()>>, Moment),
    ) -> Option<Moment> {
        let now = self.now();
        let mut state = self.state();
        change(&mut state.admission, now);
        // A sender that is dropped tells its waiter that the time is up.
        drop(state.admission.expire(now));
        while let Some((queue, waiter)) = state.admission.admit(now) {
            if waiter.send(()).is_err() {
                state.admission.release(queue);
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

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        self.0.drivers.send_modify(|drivers| *drivers -= 1);
    }
}

impl<'a> Place<'a> {
    /// Joins the end of the line.
    pub(super) fn take(
        family: &'a Arc<Family>,
        queue: QueueId,
        max_wait: Option<Duration>,
    ) -> Self {
        let (call, turn) = oneshot::channel();
        let mut ticket = None;
        family
            .change(|admission, now| ticket = Some(admission.enqueue(queue, now, max_wait, call)));
        let ticket = ticket.expect("the change above has run");
        Self { family, queue, ticket, turn }
    }

    /// Waits for one's turn; `None` when the time was up first.
    pub(super) async fn turn(mut self) -> Option<()> {
        tokio::select! {
            biased;
            turn = &mut self.turn => turn.ok(),
            never = self.family.drive_if_nobody_does() => match never {},
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.turn.close();
        // A turn that came but was never taken goes to the next in line.
        let untaken = self.turn.try_recv().is_ok();
        let (queue, ticket) = (self.queue, self.ticket);
        self.family.change(|admission, _| {
            if untaken { admission.release(queue) } else { admission.abandon(queue, ticket) }
        });
    }
}
