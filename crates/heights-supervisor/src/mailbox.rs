//! How many messages may wait for a server, and what becomes of those that are too many.

/// How much may wait for a server; the value of [`Server::MAILBOX`](crate::Server::MAILBOX).
///
/// | when it is full | `try_send` | `send` | a call | `cast`, a recipient |
/// |---|---|---|---|---|
/// | [`Overflow::Block`] | `Full` | waits for room | waits for room, until its deadline | is dropped |
/// | [`Overflow::Reject`] | `Full` | `Full` | `Overloaded` | is dropped |
/// | [`Overflow::DropOldest`] | `Displaced` | `Displaced` | is taken | is taken |
/// | [`Overflow::DropNewest`] | `Dropped` | `Dropped` | `Overloaded` | is dropped |
///
/// What is dropped is counted in [`Figures::dropped`](crate::Figures::dropped). A call that is
/// dropped while it waits ends at its deadline. Timers and monitors are one's own messages: they
/// are always taken, and never dropped to make room.
///
/// ```
/// use heights_supervisor::{
///     ChildSpec, Context, Fault, Flow, Mailbox, Overflow, SendError, Sent, Server, Supervisor,
/// };
///
/// /// Shows the latest few readings; older ones are of no use.
/// struct Display;
///
/// impl Server for Display {
///     type Args = ();
///     type Msg = f64;
///
///     const MAILBOX: Mailbox = Mailbox::bounded(2, Overflow::DropOldest);
///
///     async fn init((): (), _cx: &mut Context<f64>) -> Result<Self, Fault> {
///         Ok(Self)
///     }
///
///     async fn handle(&mut self, reading: f64, _cx: &mut Context<f64>) -> Result<Flow, Fault> {
///         println!("{reading}");
///         Ok(Flow::Continue)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (spec, display) = ChildSpec::server::<Display>("display", || ());
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// let display = display.running().await;
/// display.process().suspend();
/// assert_eq!(display.try_send(1.0), Ok(Sent::Queued));
/// assert_eq!(display.try_send(2.0), Ok(Sent::Queued));
/// assert_eq!(display.try_send(3.0), Ok(Sent::Displaced));
/// assert_eq!(display.mailbox_len(), 2);
/// root.stop().await;
/// assert_eq!(display.try_send(4.0), Err(SendError::NoProc(4.0)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mailbox {
    pub(crate) bound: Option<(usize, Overflow)>,
    pub(crate) survives: bool,
}

/// What becomes of a message that a full mailbox has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// Whoever can wait waits for room.
    Block,
    /// It is refused.
    Reject,
    /// The message that has waited longest makes room for it.
    DropOldest,
    /// It is dropped.
    DropNewest,
}

impl Mailbox {
    /// Takes whatever comes: load is limited where it enters. This is the default.
    pub const fn unbounded() -> Self {
        Self { bound: None, survives: false }
    }

    /// Lets at most `most` messages wait, not counting the one that is being handled.
    ///
    /// # Panics
    ///
    /// With no room at all; as the constant of a server, for which it is made, that does not
    /// compile:
    ///
    /// ```compile_fail
    /// # use heights_supervisor::{Mailbox, Overflow};
    /// const MAILBOX: Mailbox = Mailbox::bounded(0, Overflow::Block);
    /// ```
    pub const fn bounded(most: usize, overflow: Overflow) -> Self {
        assert!(most > 0, "a mailbox without room takes no message at all");
        Self { bound: Some((most, overflow)), survives: false }
    }

    /// Keeps what waits when a life ends, however it ends, for the next life, in its order and
    /// behind whatever that life sends to itself from `init`.
    ///
    /// The message that was being handled is not among it, so a message that kills its server
    /// kills it once. Timers and monitors end with the life that set them.
    #[must_use]
    pub const fn surviving(self) -> Self {
        Self { survives: true, ..self }
    }
}

/// What became of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It waits for the server.
    Queued,
    /// It waits for the server, and the one that had waited longest was dropped.
    Displaced,
    /// It was dropped, because the mailbox was full.
    Dropped,
}

/// Why a message was not sent; it comes back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError<M> {
    /// There is no process to take it.
    #[error("no such process")]
    NoProc(M),
    /// The mailbox is full.
    #[error("the mailbox is full")]
    Full(M),
}
