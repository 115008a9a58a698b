//! Trees behind real sockets, and what can be seen and done there.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

mod acting;
mod blocked;
mod crashes;
mod draining;
mod events;
mod hostile;
mod names;
mod place;
mod schema;
mod state;
mod trace;
mod tree;
