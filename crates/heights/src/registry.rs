//! Typed names for processes, and addresses that are looked up when something is sent.
//!
//! A server registers itself in its `init` and is found until its task has ended. Who holds a
//! [`Via`] never holds a reference that is out of date:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use heights::prelude::*;
//! use heights::registry::Via;
//!
//! type Names = Registry<&'static str, Ref<Ask>>;
//! struct Ask(Reply<u32>);
//! struct Oracle;
//!
//! impl Server for Oracle {
//!     type Args = Names;
//!     type Msg = Ask;
//!
//!     async fn init(names: Names, cx: &mut Context<Ask>) -> Result<Self, Fault> {
//!         names.register("oracle", cx.myself(), cx.owner())?;
//!         Ok(Self)
//!     }
//!
//!     async fn handle(&mut self, Ask(reply): Ask, _cx: &mut Context<Ask>) -> Result<Flow, Fault> {
//!         reply.send(42);
//!         Ok(Flow::Continue)
//!     }
//! }
//!
//! let names = Names::unique();
//! let oracle = Via::name(&names, "oracle");
//! assert!(matches!(oracle.call(Ask).await, Err(CallError::NoProc)));
//! let args = names.clone();
//! let (spec, _) = ChildSpec::server::<Oracle>("oracle", move || args.clone());
//! let root = Supervisor::builder("root").child(spec).start().await?;
//! assert_eq!(oracle.call(Ask).await?, 42);
//! root.stop().await;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use heights_supervisor::{CALL_DEADLINE, CallError, NoProc, Recipient, Ref, Reply};

pub use heights_registry::{
    AlreadyRegistered, Change, DispatchPanic, Dispatched, Owner, Registry, RegistryBuilder,
};

/// An address that is looked up each time something is sent to it.
///
/// ```
/// use std::sync::Arc;
/// use heights::prelude::*;
/// use heights::registry::Via;
///
/// /// What a registry holds may be more than a reference.
/// #[derive(Clone)]
/// struct Room {
///     seats: u32,
///     door: Ref<&'static str>,
/// }
///
/// let rooms: Registry<String, Room> = Registry::unique();
/// let names = rooms.clone();
/// let largest = Via::new(move || {
///     let rooms = names.lookup_all(&"hall".to_owned());
///     rooms.into_iter().max_by_key(|room| room.seats).map(|room| room.door)
/// });
/// assert!(largest.resolve().is_none());
/// assert!(largest.cast("knock").is_err());
/// ```
pub struct Via<M>(Arc<dyn Fn() -> Option<Ref<M>> + Send + Sync>);

impl<M: Send + 'static> Via<M> {
    /// Looks a name up in a registry of references.
    pub fn name<K>(names: &Registry<K, Ref<M>>, key: K) -> Self
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
    {
        let names = names.clone();
        Self::new(move || names.lookup(&key))
    }

    /// Finds the server in a way of one's own, such as in a registry whose values hold more.
    pub fn new(resolve: impl Fn() -> Option<Ref<M>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(resolve))
    }

    /// Returns who answers to the address at this moment.
    pub fn resolve(&self) -> Option<Ref<M>> {
        (self.0)()
    }

    /// Sends a message to who answers to the address now; `NoProc` if nobody does.
    pub fn cast(&self, message: M) -> Result<(), NoProc> {
        self.resolve().ok_or(NoProc)?.cast(message)
    }

    /// Asks who answers to the address now, for at most [`CALL_DEADLINE`].
    pub async fn call<R: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        self.call_within(CALL_DEADLINE, message).await
    }

    /// Asks who answers to the address now, for at most `limit`.
    pub async fn call_within<R: Send + 'static>(
        &self,
        limit: Duration,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        let server = self.resolve().ok_or(CallError::NoProc)?;
        server.call_within(limit, message).await
    }

    /// Narrows the address to one kind of fact; it is looked up for each.
    pub fn recipient<F: Send + 'static>(
        &self,
        wrap: impl Fn(F) -> M + Send + Sync + 'static,
    ) -> Recipient<F> {
        let this = self.clone();
        Recipient::new(move |fact| this.cast(wrap(fact)))
    }
}

impl<M> Clone for Via<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> fmt::Debug for Via<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Via")
    }
}
