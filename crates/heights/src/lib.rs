//! Supervised actors for services that must not fall over: OTP's supervision trees on `ractor`.
//!
//! A program is a tree of processes. Supervisors only supervise; they start their children in
//! order, stop them in reverse, and restart those that fail by rules that are stated up front.
//! Everything else is a [`Server`], a plain ractor actor, or a future.
//!
//! ```
//! use heights::prelude::*;
//!
//! struct Greeter;
//!
//! enum Msg {
//!     Greet(&'static str, Reply<String>),
//! }
//!
//! impl Server for Greeter {
//!     type Args = ();
//!     type Msg = Msg;
//!
//!     async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
//!         Ok(Self)
//!     }
//!
//!     async fn handle(&mut self, Msg::Greet(whom, reply): Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
//!         reply.send(format!("good morning, {whom}"));
//!         Ok(Flow::Continue)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (spec, greeter) = ChildSpec::server::<Greeter>("greeter", || ());
//! let root = Supervisor::builder("hello").child(spec).start().await?;
//! let greeting = greeter.call(|reply| Msg::Greet("heights", reply)).await?;
//! assert_eq!(greeting, "good morning, heights");
//! root.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! | module | is for |
//! |---|---|
//! | [`app`] | a whole program: signals, ordered stop within a budget, exit code, inspector |
//! | [`regulator`] | how much happens at once, and how often |
//! | [`breaker`] | what is not called while it would fail |
//! | [`periodic`] | what happens again and again |
//! | [`registry`] | who answers to which name |
//! | [`bus`] | who hears what happens |
//! | [`flow`] | streams through stages, no faster than their slowest reader |
//! | [`table`] | what outlives who works with it |
//! | `http` | web servers as children, with the feature `http` |
//! | [`vitals`] | looking inside while it runs |

#![warn(missing_docs)]

pub mod app;
pub mod breaker;
pub mod bus;
pub mod flow;
#[cfg(feature = "http")]
pub mod http;
pub mod periodic;
pub mod prelude;
pub mod registry;
pub mod regulator;
pub mod table;

pub use heights_supervisor::*;
/// The actors below: for plain ones, which [`ChildSpec::actor`] supervises unchanged.
pub use ractor;

pub use self::app::App;
pub use self::periodic::{cron, every};
pub use self::registry::Registry;
pub use self::regulator::Regulator;
pub use self::table::Table;

/// Looking inside a running tree.
pub mod vitals {
    pub use heights_vitals::{
        ActorSpans, Client, ClientError, Condition, ConditionError, Feed, Inspector,
        InspectorBuilder, StartError, Tier, Trace, Watch, wire,
    };
}

/// The code of the guides, compiled and run.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/guides/bus.md")]
    mod bus {}
    #[doc = include_str!("../../../docs/guides/flows.md")]
    mod flows {}
    #[doc = include_str!("../../../docs/guides/periodic.md")]
    mod periodic {}
    #[doc = include_str!("../../../docs/guides/registry.md")]
    mod registry {}
    #[doc = include_str!("../../../docs/guides/regulation.md")]
    mod regulation {}
    #[cfg(feature = "sled")]
    #[doc = include_str!("../../../docs/guides/service.md")]
    mod service {}
    #[doc = include_str!("../../../docs/guides/tables.md")]
    mod tables {}
    #[cfg(feature = "http")]
    #[doc = include_str!("../../../docs/guides/web.md")]
    mod web {}
}
