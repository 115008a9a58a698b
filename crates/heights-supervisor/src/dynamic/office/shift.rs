//! Turns at work: whoever has one has the state of the supervisor.

use std::sync::MutexGuard;

use super::{Line, Office, Room};
use crate::dynamic::run::Msg;
use crate::dynamic::state::State;
use crate::exit::Exit;
use crate::guard::Receipt;
use crate::process::{Batch, Process};

/// Says that the office is open; held by the supervisor's own task.
pub(in crate::dynamic) struct Sign {
    office: Office,
    process: Process,
}

impl Sign {
    pub(super) const fn new(office: Office, process: Process) -> Self {
        Self { office, process }
    }

    pub(in crate::dynamic) fn process(&self) -> &Process {
        &self.process
    }

    /// Goes to work as the supervisor itself, once whoever came by has finished.
    pub(in crate::dynamic) async fn shift(&self) -> Shift<'_> {
        let room = &self.office.0;
        loop {
            // Made before the state is looked for, so that no return in between is missed.
            let back = room.back.notified();
            if let Some(shift) = room.claim() {
                return shift;
            }
            back.await;
        }
    }

    /// Takes no more messages; those that wait are dropped.
    pub(in crate::dynamic) fn close(&self) {
        let mut line = self.office.line();
        let left = (line.door.take(), std::mem::take(&mut line.waiting));
        drop(line);
        drop(left);
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        self.close();
        let mut line = self.office.line();
        line.cleared = true;
        let state = line.state.take();
        drop(line);
        drop(state);
    }
}

/// A turn at work: until it ends, nobody else has the state.
pub(in crate::dynamic) struct Shift<'a> {
    room: &'a Room,
    state: Option<Box<State>>,
}

impl<'a> Shift<'a> {
    pub(super) const fn new(room: &'a Room, state: Option<Box<State>>) -> Self {
        Self { room, state }
    }

    pub(in crate::dynamic) fn state(&mut self) -> &mut State {
        self.state.as_mut().expect("given back only at the end")
    }

    /// Returns what somebody who came by found out to be the end of the supervisor.
    pub(in crate::dynamic) fn end_found(&self) -> Option<Exit> {
        self.room.line().end.take()
    }

    /// Returns what is next for the supervisor itself. If that is nothing, others may be at work;
    /// if the supervisor is to stop, nobody may.
    pub(in crate::dynamic) fn next(&mut self) -> Option<Msg> {
        let mut line = self.room.line();
        if self.state().process().is_held_back() {
            return None;
        }
        let message = line.waiting.pop_front();
        if message.is_none() {
            line.reserved = false;
            self.put_back(line);
        }
        message
    }

    /// Deals with a message; returns the exit of the supervisor if that is its end.
    pub(in crate::dynamic) fn handle(&mut self, message: Msg) -> Option<Exit> {
        let state = self.state();
        state.process().activity().begin(Receipt::of(message.label()), Batch::default());
        state.handle(message).map(Exit::from)
    }

    pub(super) fn put_back(&mut self, mut line: MutexGuard<'_, Line>) {
        let state = self.state.take();
        if line.cleared {
            // Not under the lock, as with it goes all that the supervisor had.
            drop(line);
            return drop(state);
        }
        line.state = state;
        let awaited = line.reserved;
        drop(line);
        if awaited {
            self.room.back.notify_waiters();
        }
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        if self.state.is_some() {
            self.put_back(self.room.line());
        }
    }
}
