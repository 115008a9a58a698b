//! Looks inside a running system: what its tree is made of, what each process does, and, where
//! that is allowed, ends one.
//!
//! ```text
//!   the application's runtime            a thread of its own
//!   supervisors ── figures ──► Hub ◄──── Inspector ◄── HTTP/1.1 + JSON ── Client (vitals, curl)
//!                                            Unix socket in a directory that only its owner enters
//! ```
//!
//! The [`Inspector`] reads what the guards of all processes count anyway. It asks nobody, so it
//! answers however busy, stuck or blocked the application's runtime is.
//!
//! | tier | allows |
//! |---|---|
//! | `read` | looking |
//! | `trace` | looking at messages |
//! | `control` | ending processes |
//!
//! The embedder sets the ceiling. Only the process's own user and root are let in.
//! `HEIGHTS_VITALS=off` in the environment turns the inspector off.
//!
//! Numbers that cannot be known are absent (`null`), never zero. Fields are only ever added to the
//! wire format; readers ignore those that they do not know.

#![warn(missing_docs)]

mod client;
mod condition;
mod crash;
mod foresee;
mod metrics;
mod picture;
mod place;
mod server;
mod spans;
mod target;
mod view;
mod why;
pub mod wire;

pub use client::{Client, ClientError, Feed, Trace, Watch};
pub use condition::{Condition, ConditionError};
pub use place::{Announcement, Place, PlaceError, Presence, known_directories, processes};
pub use server::{Inspector, InspectorBuilder, StartError};
pub use spans::ActorSpans;
pub use wire::Tier;
