//! What waits for one life of a server.
//!
//! Senders put envelopes in line, and wake the server if it is not at work already; the server
//! takes all that waits at once, or one by one if there is a bound. So the mailbox of the actor
//! itself carries nothing but that wake-up, and what waits can be counted, bounded, held back
//! and handed on to the next life.

mod envelope;
mod seat;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ractor::ActorRef;
use tokio::sync::Notify;

pub(crate) use self::envelope::{Envelope, Origin, Wake};
pub(crate) use self::seat::{Locker, Seat};
use crate::mailbox::{Mailbox, Overflow, SendError, Sent};
use crate::process::{Activity, Backlog, Mailroom};

/// How many bytes of room an idle server keeps for what will wait.
const KEPT_ROOM: usize = 256;

pub(crate) struct Queue<M> {
    mailbox: &'static Mailbox,
    line: Mutex<Line<M>>,
    /// Where senders wait for room, if they do.
    room: Option<Box<Notify>>,
}

struct Line<M> {
    waiting: VecDeque<Envelope<M>>,
    /// Where to wake the server; there is none before it is started and once it is ending.
    door: Option<ActorRef<Wake>>,
    /// Whether it has been woken and has not said since that it goes to sleep.
    awake: bool,
    /// Whether nothing more is taken: the server ends when it has handled what waits.
    draining: bool,
    /// How many the server took out last.
    taken: usize,
    peak: usize,
    dropped: u64,
    /// How many were still waiting when it ended, behind those it had taken.
    left_behind: usize,
}

impl<M: Send + 'static> Queue<M> {
    pub(crate) fn new(mailbox: &'static Mailbox) -> Self {
        let line = Line {
            waiting: VecDeque::new(),
            door: None,
            awake: false,
            draining: false,
            taken: 0,
            peak: 0,
            dropped: 0,
            left_behind: 0,
        };
        let senders_wait = matches!(mailbox.bound, Some((_, Overflow::Block)));
        Self { mailbox, line: Mutex::new(line), room: senders_wait.then(Box::default) }
    }

    /// Tells whether senders wait for room.
    pub(crate) const fn senders_wait(&self) -> bool {
        self.room.is_some()
    }

    /// Notes that a sender that could not wait has dropped its message.
    pub(crate) fn note_dropped(&self) {
        self.line().dropped += 1;
    }

    /// Begins to take messages.
    pub(crate) fn open(&self, door: ActorRef<Wake>) {
        self.line().door = Some(door);
    }

    /// Puts an envelope in line, if there is room; `activity` is that of the server.
    pub(crate) fn push(
        &self,
        envelope: Envelope<M>,
        activity: &Activity,
    ) -> Result<Sent, SendError<Envelope<M>>> {
        let mut line = self.line();
        if line.door.is_none() || line.draining {
            return Err(SendError::NoProc(envelope));
        }
        let mut sent = Sent::Queued;
        let mut displaced = None;
        if envelope.origin == Origin::Sender
            && let Some((most, overflow)) = self.mailbox.bound
            && line.waiting.len() >= most
        {
            match overflow {
                Overflow::Block | Overflow::Reject => return Err(SendError::Full(envelope)),
                Overflow::DropOldest => displaced = line.take_oldest(),
                Overflow::DropNewest => {}
            }
            line.dropped += 1;
            if displaced.is_none() {
                return Ok(Sent::Dropped);
            }
            sent = Sent::Displaced;
        }
        line.waiting.push_back(envelope);
        line.note_peak(activity);
        let sleeper = line.wake();
        drop(line);
        drop(displaced);
        rouse(sleeper);
        Ok(sent)
    }

    /// Waits until there may be room.
    pub(crate) async fn push_when_there_is_room(
        &self,
        mut envelope: Envelope<M>,
        activity: &Activity,
    ) -> Result<Sent, SendError<Envelope<M>>> {
        let Some(room) = &self.room else { return self.push(envelope, activity) };
        loop {
            // Made before the attempt, so that no room that comes in between is missed.
            let room = room.notified();
            match self.push(envelope, activity) {
                Err(SendError::Full(back)) => envelope = back,
                outcome => return outcome,
            }
            room.await;
        }
    }

    /// Fills an empty batch with what waits; `false` if that is nothing, and the server sleeps.
    pub(crate) fn take(&self, batch: &mut VecDeque<Envelope<M>>) -> bool {
        let mut line = self.line();
        line.taken = 0;
        if line.waiting.is_empty() {
            line.awake = false;
            release(&mut line.waiting);
            release(batch);
            return false;
        }
        if self.mailbox.bound.is_none() {
            std::mem::swap(&mut line.waiting, batch);
            line.taken = batch.len();
        } else {
            batch.extend(line.waiting.pop_front());
            drop(line);
            if let Some(room) = &self.room {
                room.notify_one();
            }
        }
        true
    }

    /// Tells whether nothing waits and nothing more will.
    pub(crate) fn is_drained(&self) -> bool {
        let line = self.line();
        line.draining && line.waiting.is_empty()
    }

    /// Notes that the server goes to sleep although something may wait.
    pub(crate) fn sleep(&self) {
        self.line().awake = false;
    }

    /// Puts what another life left behind in line.
    pub(crate) fn inherit(&self, left: VecDeque<Envelope<M>>) {
        if left.is_empty() {
            return;
        }
        let mut line = self.line();
        line.waiting.extend(left);
        line.peak = line.peak.max(line.waiting.len());
        let sleeper = line.wake();
        drop(line);
        rouse(sleeper);
    }

    /// Takes no more messages, and gives back all that wait behind the batch.
    pub(crate) fn close(&self, batch: VecDeque<Envelope<M>>) -> VecDeque<Envelope<M>> {
        let mut left = batch;
        let mut line = self.line();
        if line.door.take().is_some() {
            line.left_behind = line.waiting.len();
        }
        left.append(&mut line.waiting);
        drop(line);
        if let Some(room) = &self.room {
            room.notify_waiters();
        }
        left
    }
}

impl<M> Queue<M> {
    fn line(&self) -> MutexGuard<'_, Line<M>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Line<M> {
    /// Marks the server as awake; returns where to wake it if it sleeps.
    fn wake(&mut self) -> Option<ActorRef<Wake>> {
        let sleeps = !std::mem::replace(&mut self.awake, true);
        if sleeps { self.door.clone() } else { None }
    }

    fn note_peak(&mut self, activity: &Activity) {
        // How much of it is left is read only if there might be a new peak: it changes all the
        // time, on another core.
        if self.waiting.len() + self.taken > self.peak {
            self.peak = self.peak.max(self.waiting.len() + activity.left());
        }
    }

    fn take_oldest(&mut self) -> Option<Envelope<M>> {
        let oldest = self.waiting.iter().position(|one| one.origin == Origin::Sender)?;
        self.waiting.remove(oldest)
    }
}

impl<M: Send + 'static> Mailroom for Queue<M> {
    fn backlog(&self) -> Backlog {
        let line = self.line();
        Backlog {
            length: if line.door.is_some() { line.waiting.len() } else { line.left_behind },
            peak: line.peak,
            dropped: line.dropped,
            oldest: line.waiting.front().map(|envelope| envelope.sent),
        }
    }

    fn wake(&self) {
        let sleeper = self.line().wake();
        rouse(sleeper);
    }

    fn drain(&self) {
        let mut line = self.line();
        line.draining = true;
        let sleeper = line.wake();
        drop(line);
        rouse(sleeper);
        if let Some(room) = &self.room {
            // Who waits for room waits for nothing.
            room.notify_waiters();
        }
    }

    fn is_draining(&self) -> bool {
        self.line().draining
    }
}

/// Wakes a server, if it sleeps; not under the lock, as it makes it run.
fn rouse(sleeper: Option<ActorRef<Wake>>) {
    if let Some(actor) = sleeper {
        // One that is ending takes nothing any more, and closes its queue in a moment.
        let _ending = actor.send_message(Wake);
    }
}

/// Gives room back that only a crowd needed.
fn release<M>(room: &mut VecDeque<Envelope<M>>) {
    if room.capacity() * size_of::<Envelope<M>>() > KEPT_ROOM {
        *room = VecDeque::new();
    }
}
