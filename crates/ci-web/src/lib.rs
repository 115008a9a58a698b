//! The node over HTTP: webhooks in, pages and JSON out, and the admin socket of the command line.
//!
//! Nothing is decided here: handlers ask the [`ci_build::NodeHandle`] and show what it says.
//!
//! ```text
//! 127.0.0.1:8080 ─────► connections ─┐           ┌─ webhook          the forge
//!                                    ├─► routes ─┼─ api              programs, with a token
//! admin.sock ─► uid ──► connections ─┘           ├─ page             people, with a cookie
//!                                                └─ health, metrics  whoever watches the watcher
//! ```

#![warn(missing_docs)]

mod admin_socket;
mod connections;
mod occupancy;
mod routes;
mod seen;
mod server;
mod site;
mod stopping;

mod access;
mod audit;
mod body;
mod gate;
mod problem;
mod sessions;
mod throttle;
mod tokens;

mod api;
mod health;
mod metrics;
mod page;
mod webhook;

mod ask;
mod log;
mod moment;

pub mod client;
pub mod wire;

pub use gate::Gate;
pub use server::{PATIENCE, ReadAccess, WebArgs, start};
pub use throttle::{Limit, Limits};
