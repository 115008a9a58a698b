//! The forge: where pull requests live and where the node's words are read.
//!
//! [`Forge`] is the port; [`webhook`] reads what GitHub sends.
//!
//! One call is one attempt. Retrying, ordering and pacing belong to the caller.

mod forge;
mod log_only;
mod moment;
mod secret;
pub mod webhook;

pub use forge::{Budget, Forge, ForgeError, ForgeFuture, Window};
pub use log_only::LogOnly;
pub use moment::{InvalidTimestamp, TimestampParser};
pub use secret::Secret;
