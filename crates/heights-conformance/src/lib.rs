//! What OTP promises of supervision, as lines that any implementation can be scored by.
//!
//! A [`Peer`] is an implementation behind the few verbs that all of them have. Its children are
//! [`Puppet`]s: they do as they are told and write down what happens to them, and that writing is
//! all that a line looks at. A line that an implementation cannot even say is *missing*, one that
//! it says and does not keep *fails*; [`score`] runs them all, each in a runtime of its own whose
//! clock is paused.
//!
//! The lines are those of the conformance list that can be put to anybody; heights' own suite, in
//! `heights-supervisor/tests/conformance`, has the rest.

#![warn(missing_docs)]

mod heights;
mod lines;
mod peer;
#[cfg(feature = "peers")]
mod peers;
mod puppet;
mod score;
mod table;

pub use self::heights::Heights;
pub use self::lines::{Line, lines};
pub use self::peer::{
    AutoShutdown, Child, End, Missing, Peer, Plan, Refusal, Restart, StopRule, Strategy,
};
#[cfg(feature = "peers")]
pub use self::peers::{Kameo, RactorSupervisor};
pub use self::puppet::{Begin, Life, Log, Puppet};
pub use self::score::{Score, Verdict, Why, score};
pub use self::table::{scores, table};
