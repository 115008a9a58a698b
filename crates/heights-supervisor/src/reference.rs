//! References to servers: to one life of a server, or to the child through all its lives.

use std::fmt;
use std::time::Duration;

use ractor::ActorRef;
use tokio::time::{Instant, timeout_at};

use crate::process::{Process, ProcessId};
use crate::recipient::Recipient;
use crate::reply::{CallError, NoProc, Reply};
use crate::slot::Slot;
use crate::timer::TimerId;

/// How long a call waits for its answer unless told otherwise: the default of `GenServer.call`.
pub const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// A message on its way: when it was sent and by whom is what the figures of a server are made of.
pub(crate) struct Envelope<M> {
    pub(crate) message: M,
    pub(crate) sent: Instant,
    pub(crate) from: Option<ProcessId>,
    pub(crate) timer: Option<TimerId>,
}

/// A reference to one life of a server; a restarted server is reached through a [`ChildRef`].
pub struct Ref<M> {
    actor: ActorRef<Envelope<M>>,
    process: Process,
    limit: u64,
}

impl<M: Send + 'static> Ref<M> {
    pub(crate) fn new(process: Process, actor: ActorRef<Envelope<M>>, limit: u64) -> Self {
        Self { actor, process, limit }
    }

    /// Sends a message and does not wait for anything.
    ///
    /// `Ok` means that the server existed, not that it will live to handle the message.
    pub fn cast(&self, message: M) -> Result<(), NoProc> {
        let from = Process::current().map(|process| process.pid());
        self.post(Envelope { message, sent: Instant::now(), from, timer: None })
    }

    /// Asks and waits for the answer, for at most [`CALL_DEADLINE`].
    pub async fn call<R: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        self.call_within(CALL_DEADLINE, message).await
    }

    /// Asks and waits for the answer, for at most `limit`.
    ///
    /// Giving up, by deadline or by dropping the future, does no harm to the server.
    pub async fn call_within<R: Send + 'static>(
        &self,
        limit: Duration,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        if self.mailbox_len() >= self.limit {
            return Err(CallError::Overloaded);
        }
        let deadline = Instant::now() + limit;
        let (reply, answer) = Reply::new();
        let _waiting = Waiting::for_answer_of(&self.process);
        self.cast(message(reply)).map_err(|NoProc| CallError::NoProc)?;
        match timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            // The reply was dropped: the server is ending, or has forgotten about it.
            Ok(Err(_dropped)) => match timeout_at(deadline, self.process.gone()).await {
                Ok(exit) => Err(CallError::Down(exit)),
                Err(_elapsed) => Err(CallError::Timeout(limit)),
            },
            Err(_elapsed) => Err(CallError::Timeout(limit)),
        }
    }

    /// Narrows this reference to one kind of fact.
    pub fn recipient<F: Send + 'static>(
        &self,
        wrap: impl Fn(F) -> M + Send + Sync + 'static,
    ) -> Recipient<F> {
        let this = self.clone();
        Recipient::new(move |fact| this.cast(wrap(fact)))
    }

    pub(crate) fn post(&self, envelope: Envelope<M>) -> Result<(), NoProc> {
        self.process.activity().enqueued();
        self.actor.send_message(envelope).map_err(|_refused| {
            self.process.activity().dequeued();
            NoProc
        })
    }
}

impl<M> Ref<M> {
    /// Returns how many messages wait.
    pub fn mailbox_len(&self) -> u64 {
        self.process.activity().queued()
    }

    /// Tells whether this life of the server has not ended yet.
    pub fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// Returns the id of this life.
    pub fn pid(&self) -> ProcessId {
        self.process.pid()
    }

    /// Returns the process: to monitor it, to stop it, to wait for its end.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

impl<M> Clone for Ref<M> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), process: self.process.clone(), limit: self.limit }
    }
}

impl<M> fmt::Debug for Ref<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({:?})", self.process)
    }
}

/// A reference to a child that stays valid when the child is restarted.
///
/// It points at nothing before the first start, between two lives, and after the last.
pub struct ChildRef<M>(pub(crate) Slot<Ref<M>>);

impl<M: Send + 'static> ChildRef<M> {
    /// Sends a message to the current life; `NoProc` if there is none.
    pub fn cast(&self, message: M) -> Result<(), NoProc> {
        self.current().ok_or(NoProc)?.cast(message)
    }

    /// Asks the current life and waits for the answer, for at most [`CALL_DEADLINE`].
    pub async fn call<R: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        self.call_within(CALL_DEADLINE, message).await
    }

    /// Asks the current life and waits for the answer, for at most `limit`.
    pub async fn call_within<R: Send + 'static>(
        &self,
        limit: Duration,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        match self.current() {
            Some(current) => current.call_within(limit, message).await,
            None if self.0.is_restarting() => Err(CallError::Restarting),
            None => Err(CallError::NoProc),
        }
    }

    /// Narrows this reference to one kind of fact; it follows the child through its lives.
    pub fn recipient<F: Send + 'static>(
        &self,
        wrap: impl Fn(F) -> M + Send + Sync + 'static,
    ) -> Recipient<F> {
        let this = self.clone();
        Recipient::new(move |fact| this.cast(wrap(fact)))
    }

    /// Returns the current life.
    pub fn current(&self) -> Option<Ref<M>> {
        self.0.current()
    }

    /// Waits until there is a life and returns it.
    pub async fn running(&self) -> Ref<M> {
        self.0.occupied().await
    }

    /// Returns how many messages wait for the current life.
    pub fn mailbox_len(&self) -> u64 {
        self.current().map_or(0, |current| current.mailbox_len())
    }

    /// Tells whether there is a life.
    pub fn is_alive(&self) -> bool {
        self.current().is_some_and(|current| current.is_alive())
    }
}

impl<M> Clone for ChildRef<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for ChildRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChildRef({:?})", self.0)
    }
}

/// Shows, for as long as it lives, whom the calling process waits for.
struct Waiting(Option<Process>);

impl Waiting {
    fn for_answer_of(callee: &Process) -> Self {
        let caller = Process::current();
        if let Some(caller) = &caller {
            caller.activity().waits_for(Some(callee.pid()));
        }
        Self(caller)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(caller) = &self.0 {
            caller.activity().waits_for(None);
        }
    }
}
