//! Where the requests and the news of a dynamic supervisor are dealt with, one by one.
//!
//! Dealing with one takes no waiting. So whoever brings one does it at once if nobody else is at
//! it, rather than waking the task of the supervisor and waiting for its turn: who asks for a
//! child launches it, and the child itself takes note that it is up, and that it is gone if it
//! was told to end. Whatever may begin another life of a child, and the end of the supervisor,
//! is left to the supervisor's own task; while that is at work nobody else is.

mod shift;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ractor::ActorRef;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use self::shift::Shift;
pub(super) use self::shift::Sign;
use super::run::Msg;
use super::state::State;
use crate::desk::Inbox;
use crate::exit::Exit;
use crate::keeper::{News, StartFailure};
use crate::panic::catch_now;
use crate::process::Process;
use crate::queue::Wake;
use crate::reply::NoProc;

/// How many messages one who came by deals with before the rest is left to the supervisor's own
/// task: enough for what gathers meanwhile, and no burden to anybody.
const MOST_BY_OTHERS: usize = 32;

/// One life of a dynamic supervisor, as a place to bring messages to. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Office(Arc<Room>);

#[derive(Default)]
struct Room {
    line: Mutex<Line>,
    /// Rung when the state is back, for the supervisor's own task.
    back: Notify,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Msg>,
    /// What everything is decided by; not here while somebody is at work.
    state: Option<Box<State>>,
    /// Whether only the supervisor's own task may be at work next.
    reserved: bool,
    /// What somebody who came by found out to be the end of the supervisor.
    end: Option<Exit>,
    /// There is none before the supervisor is up and once it is ending.
    door: Option<Arc<Door>>,
    /// Whether the supervisor is gone, so that the state is of no more use.
    cleared: bool,
}

/// Whose office it is.
struct Door {
    process: Process,
    actor: ActorRef<Wake>,
    /// Where the children run.
    runtime: Handle,
}

impl Office {
    /// Begins to take messages. When the sign is dropped the office is closed and cleared.
    pub(super) fn open(&self, actor: ActorRef<Wake>, state: State) -> Sign {
        let process = state.process().clone();
        let door = Door { process: process.clone(), actor, runtime: Handle::current() };
        let mut line = self.line();
        line.state = Some(Box::new(state));
        line.door = Some(Arc::new(door));
        drop(line);
        Sign::new(self.clone(), process)
    }

    /// Returns what its children tell their news to.
    pub(super) fn into_news(self) -> Arc<dyn News> {
        self.0
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line()
    }
}

impl Inbox for Office {
    type Msg = Msg;

    fn deliver(&self, message: Msg) -> Result<(), NoProc> {
        self.0.deliver(message)
    }
}

impl Room {
    /// Deals with a message at once, and with what gathers meanwhile; if somebody else is at work,
    /// or only the supervisor may be, it is put in line.
    fn deliver(&self, message: Msg) -> Result<(), NoProc> {
        let mut line = self.line();
        let Some(door) = &line.door else { return Err(NoProc) };
        if line.reserved || line.state.is_none() {
            line.waiting.push_back(message);
            return Ok(());
        }
        // Nothing waits, or else nobody would have gone.
        let (door, state) = (Arc::clone(door), line.state.take());
        drop(line);
        self.help_out(Shift::new(self, state), &door, message);
        Ok(())
    }

    /// Deals with messages, as somebody who came by, and leaves to the supervisor what is its.
    fn help_out(&self, mut shift: Shift<'_>, door: &Door, first: Msg) {
        let mut next = Some(first);
        let mut end = None;
        for _ in 0..MOST_BY_OTHERS {
            let ours = |message: &mut Msg| message.is_for_anyone() && !door.process.is_stopping();
            let Some(message) = next.take_if(ours) else { break };
            // Entering it takes longer than looking whether there is a need.
            let _there = message.sets_tasks_up().then(|| door.runtime.enter());
            let outcome = catch_now(&door.process, || shift.handle(message));
            door.process.activity().finish(outcome.is_ok());
            end = match outcome {
                Ok(None) => None,
                Ok(Some(exit)) => Some(exit),
                Err(panic) => Some(Exit::Panic(panic)),
            };
            if end.is_some() || shift.state().is_ending() {
                break;
            }
            let mut line = self.line();
            next = line.waiting.pop_front();
            if next.is_none() {
                return shift.put_back(line);
            }
        }
        self.leave_to_supervisor(next, end);
        drop(shift);
        // One that is ending takes nothing any more, and closes its office in a moment.
        let _ending = door.actor.send_message(Wake);
    }

    /// Reserves the state for the supervisor's own task, which goes on with this message.
    fn leave_to_supervisor(&self, next: Option<Msg>, end: Option<Exit>) {
        let mut line = self.line();
        line.reserved = true;
        line.end = end.or(line.end.take());
        // One that has closed meanwhile has dropped the others that waited.
        let unwanted = match next {
            Some(message) if line.door.is_some() => {
                line.waiting.push_front(message);
                None
            }
            other => other,
        };
        drop(line);
        drop(unwanted);
    }

    /// Reserves the state for the supervisor's own task, and takes it unless somebody is at work.
    fn claim(&self) -> Option<Shift<'_>> {
        let mut line = self.line();
        line.reserved = true;
        let state = line.state.take()?;
        Some(Shift::new(self, Some(state)))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Children tell of themselves; a supervisor that is gone has no use for it.
impl News for Room {
    fn started(&self, process: &Process, outcome: Result<(), StartFailure>) {
        let _nobody = self.deliver(Msg::Started(process.pid(), outcome));
    }

    fn gone(&self, process: &Process, exit: Exit) {
        let (pid, as_told) = (process.pid(), process.was_told_to_end());
        let _nobody = self.deliver(Msg::Exited { pid, exit, as_told });
    }
}
