//! References to a child, whichever of its lives it is in.

use std::fmt;
use std::time::Duration;

use super::{CALL_DEADLINE, Ref, taken};
use crate::mailbox::{SendError, Sent};
use crate::recipient::Recipient;
use crate::reply::{CallError, NoProc, Reply};
use crate::slot::Slot;

/// A reference to a child that stays valid when the child is restarted.
///
/// It points at nothing before the first start, between two lives, and after the last.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
/// assert!(!echo.is_alive());
/// let root = Supervisor::builder("root").child(spec).start().await?;
///
/// let first = echo.running().await;
/// first.process().kill();
/// first.process().gone().await;
/// // The supervisor starts the next life; until then a call says `Restarting`.
/// echo.running().await;
/// assert_eq!(echo.call(|reply| Msg::Say("hello again", reply)).await?, "hello again");
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct ChildRef<M>(pub(crate) Slot<Ref<M>>);

impl<M: Send + 'static> ChildRef<M> {
    /// Sends a message to the current life; `NoProc` if there is none.
    pub fn cast(&self, message: M) -> Result<(), NoProc> {
        self.current().ok_or(NoProc)?.cast(message)
    }

    /// Sends a message to the current life if there is room for it; see [`Ref::try_send`].
    pub fn try_send(&self, message: M) -> Result<Sent, SendError<M>> {
        match self.current() {
            Some(current) => current.try_send(message),
            None => Err(SendError::NoProc(message)),
        }
    }

    /// Sends a message to the current life, and may wait for room; see [`Ref::send`].
    pub async fn send(&self, message: M) -> Result<Sent, SendError<M>> {
        match self.current() {
            Some(current) => current.send(message).await,
            None => Err(SendError::NoProc(message)),
        }
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
        Recipient::new(move |fact| taken(this.try_send(wrap(fact))))
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
