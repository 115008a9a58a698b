//! A place to tell facts to, whoever listens there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::panic::shielded;
use crate::reply::NoProc;

/// Takes facts of one kind; hides who receives them and what else that one understands.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{
///     ChildSpec, Context, Fault, Flow, Recipient, Reply, Server, Supervisor,
/// };
///
/// /// Knows that somebody wants to hear of prices, not who.
/// fn quote(market: &Recipient<u32>) {
///     market.tell(42);
/// }
///
/// struct Board(u32);
///
/// enum Msg {
///     Price(u32),
///     Latest(Reply<u32>),
/// }
///
/// impl Server for Board {
///     type Args = ();
///     type Msg = Msg;
///
///     async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
///         Ok(Self(0))
///     }
///
///     async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
///         match msg {
///             Msg::Price(price) => self.0 = price,
///             Msg::Latest(reply) => reply.send(self.0),
///         }
///         Ok(Flow::Continue)
///     }
/// }
///
/// let (spec, board) = ChildSpec::server::<Board>("board", || ());
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// quote(&board.recipient(Msg::Price));
/// assert_eq!(board.call(Msg::Latest).await?, 42);
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct Recipient<F>(Arc<Inner<F>>);

struct Inner<F> {
    deliver: Box<dyn Fn(F) -> Result<(), NoProc> + Send + Sync>,
    undelivered: AtomicU64,
}

impl<F> Recipient<F> {
    /// Makes a recipient that delivers by calling `deliver`.
    pub fn new(deliver: impl Fn(F) -> Result<(), NoProc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { deliver: Box::new(deliver), undelivered: AtomicU64::new(0) }))
    }

    /// Makes a recipient from a function that takes every fact.
    pub fn from_fn(take: impl Fn(F) + Send + Sync + 'static) -> Self {
        Self::new(move |fact| {
            take(fact);
            Ok(())
        })
    }

    /// Tells a fact; if nobody is there to take it, or taking it panics, it is counted and dropped.
    pub fn tell(&self, fact: F) {
        let mut delivered = false;
        // The sender of a fact cannot do anything about a receiver that is gone, or broken.
        shielded("a recipient", || delivered = (self.0.deliver)(fact).is_ok());
        if !delivered {
            self.0.undelivered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many facts nobody was there for, or able to take.
    pub fn undelivered(&self) -> u64 {
        self.0.undelivered.load(Ordering::Relaxed)
    }
}

impl<F> Clone for Recipient<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F> fmt::Debug for Recipient<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").field("undelivered", &self.undelivered()).finish()
    }
}
