//! Supervisors with a fixed order of children.

mod builder;
mod handle;
mod run;
mod state;

pub use self::builder::{Supervisor, SupervisorBuilder};
pub use self::handle::SupervisorRef;
use self::run::Msg;
