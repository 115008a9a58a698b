//! References to servers: to one life of a server, or to the child through all its lives.

mod child;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

pub use self::child::ChildRef;
use crate::mailbox::{SendError, Sent};
use crate::panic::current_pid;
use crate::process::{Process, ProcessId};
use crate::queue::{Envelope, Origin, Queue};
use crate::recipient::Recipient;
use crate::reply::{CallError, NoProc, Reply, answered_by};
use crate::timer::instant_after;

/// How long a call waits for its answer unless told otherwise: the default of `GenServer.call`.
pub const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// A reference to one life of a server; a restarted server is reached through a [`ChildRef`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// # use heights_supervisor::{CallError, ChildSpec, Context, Fault, Flow, Reply, Server, Supervisor};
/// # struct Echo;
/// # enum Msg {
/// #     Say(&'static str, Reply<&'static str>),
/// # }
/// # impl Server for Echo {
/// #     type Args = ();
/// #     type Msg = Msg;
/// #     async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
/// #         Ok(Self)
/// #     }
/// #     async fn handle(&mut self, Msg::Say(what, reply): Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
/// #         reply.send(what);
/// #         Ok(Flow::Continue)
/// #     }
/// # }
///
/// let (spec, echo) = ChildSpec::server::<Echo>("echo", || ());
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// let life = echo.running().await;
/// assert_eq!(life.call(|reply| Msg::Say("hello", reply)).await?, "hello");
/// let answer = life.call_within(Duration::from_secs(60), |reply| Msg::Say("still there?", reply));
/// assert_eq!(answer.await?, "still there?");
///
/// root.stop().await;
/// assert!(matches!(life.call(|reply| Msg::Say("hello?", reply)).await, Err(CallError::NoProc)));
/// # Ok(())
/// # }
/// ```
pub struct Ref<M> {
    process: Process,
    queue: Arc<Queue<M>>,
}

impl<M: Send + 'static> Ref<M> {
    pub(crate) const fn new(process: Process, queue: Arc<Queue<M>>) -> Self {
        Self { process, queue }
    }

    /// Sends a message and does not wait for anything.
    ///
    /// `Ok` means that the server existed, not that it will live to handle the message. What a
    /// full [`Mailbox`](crate::Mailbox) has no room for is dropped, and counted.
    pub fn cast(&self, message: M) -> Result<(), NoProc> {
        match self.try_send(message) {
            Err(SendError::NoProc(_)) => Err(NoProc),
            Err(SendError::Full(_)) => {
                self.queue.note_dropped();
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// Sends a message if there is room for it, and tells what became of it.
    pub fn try_send(&self, message: M) -> Result<Sent, SendError<M>> {
        self.post(message, current_pid(), Origin::Sender)
    }

    /// Sends a message, and waits for room if the mailbox is one where senders wait.
    ///
    /// Giving up, by dropping the future, leaves the message unsent. A server never waits for room
    /// in its own mailbox: that is `Full`.
    pub async fn send(&self, message: M) -> Result<Sent, SendError<M>> {
        let envelope = Envelope::new(message, current_pid(), Origin::Sender);
        self.push(envelope).await.map_err(opened)
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
        let from = current_pid();
        if from == Some(self.process.pid()) {
            return Err(CallError::CallingSelf);
        }
        let now = Instant::now();
        let deadline = instant_after(now, limit);
        let (reply, answer) = Reply::new();
        let _waiting = Waiting::for_answer_of(&self.process);
        let envelope =
            Envelope { message: message(reply), sent: now, from, origin: Origin::Sender };
        let activity = self.process.activity();
        let sent = match self.queue.push(envelope, activity) {
            Err(SendError::Full(envelope)) if self.queue.senders_wait() => {
                let waiting = self.queue.push_when_there_is_room(envelope, activity);
                let timed = timeout_at(deadline, waiting).await;
                timed.map_err(|_elapsed| CallError::Timeout(limit))?
            }
            outcome => outcome,
        };
        match sent {
            Ok(Sent::Queued | Sent::Displaced) => {}
            Ok(Sent::Dropped) | Err(SendError::Full(_)) => return Err(CallError::Overloaded),
            Err(SendError::NoProc(_)) => return Err(CallError::NoProc),
        }
        match answered_by(deadline, answer).await {
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
        Recipient::new(move |fact| taken(this.try_send(wrap(fact))))
    }

    pub(crate) fn post(
        &self,
        message: M,
        from: Option<ProcessId>,
        origin: Origin,
    ) -> Result<Sent, SendError<M>> {
        let envelope = Envelope::new(message, from, origin);
        self.queue.push(envelope, self.process.activity()).map_err(opened)
    }

    async fn push(&self, envelope: Envelope<M>) -> Result<Sent, SendError<Envelope<M>>> {
        let activity = self.process.activity();
        // Whoever waits for room in its own mailbox waits for itself.
        let oneself = envelope.from == Some(self.process.pid());
        match self.queue.push(envelope, activity) {
            Err(SendError::Full(envelope)) if self.queue.senders_wait() && !oneself => {
                self.queue.push_when_there_is_room(envelope, activity).await
            }
            outcome => outcome,
        }
    }
}

impl<M> Ref<M> {
    /// Returns how many messages wait.
    pub fn mailbox_len(&self) -> u64 {
        self.process.figures().queued.unwrap_or(0)
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
        Self { process: self.process.clone(), queue: Arc::clone(&self.queue) }
    }
}

impl<M> fmt::Debug for Ref<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({:?})", self.process)
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

/// Gives the message back without its envelope.
fn opened<M>(error: SendError<Envelope<M>>) -> SendError<M> {
    match error {
        SendError::NoProc(envelope) => SendError::NoProc(envelope.message),
        SendError::Full(envelope) => SendError::Full(envelope.message),
    }
}

/// What the teller of a fact counts as undelivered is all that nobody will ever handle.
fn taken<M>(outcome: Result<Sent, SendError<M>>) -> Result<(), NoProc> {
    match outcome {
        Ok(Sent::Queued | Sent::Displaced) => Ok(()),
        Ok(Sent::Dropped) | Err(_) => Err(NoProc),
    }
}
