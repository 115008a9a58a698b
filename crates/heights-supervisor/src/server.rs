//! Servers: processes that own a state and handle one message at a time.

mod behavior;

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::exit::{Exit, Fault};
use crate::hub::Hub;
use crate::inspect::StateView;
use crate::last_message::LastMessage;
use crate::mailbox::Mailbox;
use crate::process::{Down, MonitorId, Process, ProcessId};
use crate::queue::Origin;
use crate::reference::Ref;
use crate::timer::{TimerId, Timers};

pub(crate) use self::behavior::{Cradle, ServerBehavior};

/// What a server does after a message.
#[derive(Debug, Clone)]
pub enum Flow {
    /// Takes the next message.
    Continue,
    /// Ends with this exit, after `terminate`; messages that still wait are dropped.
    Stop(Exit),
}

/// A process that owns a state and handles one message at a time.
///
/// The value of the type is the state: `init` makes it, `handle` changes it, and it is dropped
/// before the next life begins.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Context, Exit, Fault, Flow, Mailbox, Overflow, Reply, Server, Supervisor};
///
/// struct Till {
///     cents: u64,
/// }
///
/// enum Msg {
///     Pay(u64),
///     Total(Reply<u64>),
///     Close,
/// }
///
/// impl Server for Till {
///     type Args = u64;
///     type Msg = Msg;
///
///     const MAILBOX: Mailbox = Mailbox::bounded(1_000, Overflow::Reject);
///
///     async fn init(cents: u64, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
///         Ok(Self { cents })
///     }
///
///     async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
///         match msg {
///             // Broken is broken: the next life begins with what it was given.
///             Msg::Pay(cents) => self.cents = self.cents.checked_add(cents).ok_or("the till is full")?,
///             Msg::Total(reply) => reply.send(self.cents),
///             Msg::Close => return Ok(Flow::Stop(Exit::Normal)),
///         }
///         Ok(Flow::Continue)
///     }
///
///     async fn terminate(&mut self, exit: &Exit) {
///         println!("{} cents at the end: {exit}", self.cents);
///     }
///
///     fn label(msg: &Msg) -> &'static str {
///         match msg {
///             Msg::Pay(_) => "pay",
///             Msg::Total(_) => "total",
///             Msg::Close => "close",
///         }
///     }
/// }
///
/// let (spec, till) = ChildSpec::server::<Till>("till", || 1_000);
/// let root = Supervisor::builder("shop").child(spec).start().await?;
/// till.cast(Msg::Pay(250))?;
/// assert_eq!(till.call(Msg::Total).await?, 1_250);
///
/// let life = till.running().await;
/// till.cast(Msg::Close)?;
/// life.process().gone().await;
/// till.running().await;
/// assert_eq!(till.call(Msg::Total).await?, 1_000);
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub trait Server: Sized + Send + 'static {
    /// What a life is started with; made anew for each by the child spec.
    type Args: Send + 'static;
    /// What it understands.
    type Msg: Send + 'static;

    /// How many messages may wait, and what becomes of those that are too many.
    const MAILBOX: Mailbox = Mailbox::unbounded();

    /// What the report of a crash says about the message that was being handled, beside its label.
    const LAST_MESSAGE: LastMessage<Self::Msg> = LastMessage::label();

    /// What can be seen of the state from outside: by default nothing.
    const STATE: StateView<Self> = StateView::hidden();

    /// Starts a life. The supervisor waits for it, and siblings start after it.
    ///
    /// Messages sent from here to oneself are the first ones handled.
    fn init(
        args: Self::Args,
        cx: &mut Context<Self::Msg>,
    ) -> impl Future<Output = Result<Self, Fault>> + Send;

    /// Handles one message.
    fn handle(
        &mut self,
        msg: Self::Msg,
        cx: &mut Context<Self::Msg>,
    ) -> impl Future<Output = Result<Flow, Fault>> + Send;

    /// Says goodbye: on a normal exit, a shutdown, a fault and a panic, but never when killed.
    fn terminate(&mut self, _exit: &Exit) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Names the kind of a message, for counters and for whoever looks in.
    fn label(_msg: &Self::Msg) -> &'static str {
        "message"
    }
}

/// What a server has of its own process.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights_supervisor::{ChildSpec, Context, Down, Fault, Flow, Process, Reply, Server, Supervisor};
///
/// /// Waits for the end of another process, but not for ever.
/// struct Watcher(Option<Reply<&'static str>>);
///
/// enum Msg {
///     Watch(Process, Reply<&'static str>),
///     Ended(Down),
///     Enough,
/// }
///
/// impl Server for Watcher {
///     type Args = ();
///     type Msg = Msg;
///
///     async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
///         Ok(Self(None))
///     }
///
///     async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
///         match msg {
///             Msg::Watch(process, reply) => {
///                 self.0 = Some(reply);
///                 cx.monitor(&process, Msg::Ended);
///                 cx.send_after(Duration::from_secs(60), Msg::Enough);
///             }
///             Msg::Ended(_down) => self.answer("it has ended"),
///             Msg::Enough => self.answer("it goes on and on"),
///         }
///         Ok(Flow::Continue)
///     }
/// }
///
/// impl Watcher {
///     fn answer(&mut self, answer: &'static str) {
///         if let Some(reply) = self.0.take() {
///             reply.send(answer);
///         }
///     }
/// }
///
/// let (spec, watcher) = ChildSpec::server::<Watcher>("watcher", || ());
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// let short = ChildSpec::task("short", |_cx| async { Ok(()) });
/// let short = short.restart(heights_supervisor::Restart::Temporary);
/// let short = root.start_child(short).await?.process;
/// let seen = watcher.call(|reply| Msg::Watch(short, reply)).await?;
/// assert_eq!(seen, "it has ended");
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Context<M> {
    myself: Ref<M>,
    /// Made with the first timer.
    timers: Option<Box<Timers>>,
}

impl<M: Send + 'static> Context<M> {
    /// Returns a reference to this life.
    pub fn myself(&self) -> Ref<M> {
        self.myself.clone()
    }

    /// Sends a message to oneself after a while; nothing is sent once this life is over.
    pub fn send_after(&mut self, after: Duration, message: M) -> TimerId {
        let myself = self.myself.clone();
        self.timers.get_or_insert_default().arm(after, move |timer| {
            // A timer whose process is gone has nothing left to do.
            let _gone = myself.post(message, Some(myself.pid()), Origin::Timer(timer));
        })
    }

    /// Tells whether a message comes from a timer that has been cancelled since.
    fn has_cancelled(&mut self, origin: Origin) -> bool {
        let Origin::Timer(timer) = origin else { return false };
        !self.timers.as_mut().is_some_and(|timers| timers.take(timer))
    }

    /// Cancels a timer: its message is not handled any more, even if it waits in the mailbox.
    pub fn cancel(&mut self, timer: TimerId) {
        if let Some(timers) = &mut self.timers {
            timers.cancel(timer);
        }
    }

    /// Tells whoever started this life something, once and from `init` on: the extra info of
    /// OTP's `{ok, Pid, Info}`, read by [`ChildStarted::info`](crate::ChildStarted::info).
    pub fn inform_starter(&self, info: impl Any + Send + Sync) {
        self.process().inform_starter(Arc::new(info));
    }

    /// Turns the end of another process into a message to oneself, exactly one.
    pub fn monitor(
        &self,
        process: &Process,
        wrap: impl FnOnce(Down) -> M + Send + 'static,
    ) -> MonitorId {
        let myself = self.myself.clone();
        process.monitor(move |down| {
            // Who is gone itself needs no news.
            let _gone = myself.post(wrap(down), None, Origin::Monitor);
        })
    }
}

impl<M> Context<M> {
    /// Returns the path of this process in the tree.
    pub fn name(&self) -> &str {
        self.process().path()
    }

    /// Returns the id of this life.
    pub fn pid(&self) -> ProcessId {
        self.process().pid()
    }

    /// Returns this process.
    pub fn process(&self) -> &Process {
        self.myself.process()
    }

    /// Returns the token that ends when the task of this process has ended.
    pub fn owner(&self) -> &heights_registry::Owner {
        self.process().owner()
    }

    /// Returns the hub of the tree.
    pub fn hub(&self) -> &Hub {
        self.process().hub()
    }
}
