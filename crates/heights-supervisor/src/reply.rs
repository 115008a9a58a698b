//! The answering side of a call, and what can become of a call.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::RecvError;
use tokio::task::yield_now;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use crate::exit::Exit;

/// Answers one call; dropping it unanswered leaves the caller to its deadline.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Context, Fault, Flow, Reply, Server, Supervisor};
///
/// /// Lets everybody wait until somebody opens.
/// #[derive(Default)]
/// struct Gate(Vec<Reply<()>>);
///
/// enum Msg {
///     Pass(Reply<()>),
///     Open,
/// }
///
/// impl Server for Gate {
///     type Args = ();
///     type Msg = Msg;
///
///     async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
///         Ok(Self::default())
///     }
///
///     async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
///         match msg {
///             Msg::Pass(reply) => self.0.push(reply),
///             Msg::Open => self.0.drain(..).for_each(|reply| reply.send(())),
///         }
///         Ok(Flow::Continue)
///     }
/// }
///
/// let (spec, gate) = ChildSpec::server::<Gate>("gate", || ());
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// let (one, other, opened) = tokio::join!(
///     gate.call(Msg::Pass),
///     gate.call(Msg::Pass),
///     async { gate.cast(Msg::Open) },
/// );
/// (one?, other?, opened?);
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reply<R> {
    sender: oneshot::Sender<R>,
}

impl<R> Reply<R> {
    pub(crate) fn new() -> (Self, oneshot::Receiver<R>) {
        let (sender, receiver) = oneshot::channel();
        (Self { sender }, receiver)
    }

    /// Answers; a caller that has given up is none of the server's concern.
    pub fn send(self, answer: R) {
        // The value comes back when the caller is gone, and nobody else wants it.
        let _unwanted = self.sender.send(answer);
    }

    /// Tells whether the caller has given up, so that the work can be skipped.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// Waits for an answer until `deadline`.
///
/// Others run once before a timer is set: an answer that comes at once needs none.
pub(crate) async fn answered_by<R>(
    deadline: Instant,
    mut answer: oneshot::Receiver<R>,
) -> Result<Result<R, RecvError>, Elapsed> {
    tokio::select! {
        biased;
        answer = &mut answer => return Ok(answer),
        () = yield_now() => {}
    }
    timeout_at(deadline, answer).await
}

/// Why a call has no answer.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights_supervisor::CallError;
/// # use heights_supervisor::{ChildSpec, Context, Fault, Flow, Reply, Server, Supervisor};
/// # struct Oracle;
/// # enum Msg {
/// #     Ask(Reply<u32>),
/// #     Offend(Reply<u32>),
/// # }
/// # impl Server for Oracle {
/// #     type Args = ();
/// #     type Msg = Msg;
/// #     async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
/// #         Ok(Self)
/// #     }
/// #     async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
/// #         match msg {
/// #             Msg::Ask(_) => std::future::pending().await,
/// #             Msg::Offend(_) => Err("offended".into()),
/// #         }
/// #     }
/// # }
///
/// let (spec, oracle) = ChildSpec::server::<Oracle>("oracle", || ());
/// assert!(matches!(oracle.call(Msg::Ask).await, Err(CallError::NoProc)), "not started yet");
///
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// // An answer that was not given is told with how the server ended.
/// let error = oracle.call(Msg::Offend).await.unwrap_err();
/// assert!(matches!(&error, CallError::Down(exit) if exit.is_abnormal()));
///
/// oracle.running().await;
/// let error = oracle.call_within(Duration::from_millis(5), Msg::Ask).await.unwrap_err();
/// assert!(matches!(error, CallError::Timeout(_)));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// A process asks itself, and would wait for itself: OTP's `calling_self`.
    #[error("the process is calling itself")]
    CallingSelf,
    /// There was no process to ask.
    #[error("no such process")]
    NoProc,
    /// The process ended before it answered.
    #[error("the process ended before it answered ({0})")]
    Down(Exit),
    /// The answer did not come in time; it is dropped if it still comes.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The process has more waiting than it takes.
    #[error("the process has too much waiting")]
    Overloaded,
    /// The process is being restarted; later there may be one.
    #[error("the process is being restarted")]
    Restarting,
}

/// There is no process to take the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such process")]
pub struct NoProc;
