//! The decisions of a supervision tree, without a runtime.
//!
//! Nothing here knows about tasks, clocks or IO: time comes in as a [`Moment`], effects go out as
//! actions. A [`Machine`] decides for a supervisor with a fixed order of children, a
//! [`DynamicMachine`] for one whose children come and go. What the `heights-supervisor` crate does
//! on top is to perform the actions and to report back what happened.
//!
//! ```
//! use heights_core::{Action, ChildPlan, Event, Flags, Machine, Moment, Strategy};
//!
//! let plans = vec![ChildPlan::worker("clock"), ChildPlan::worker("bell")];
//! let mut machine = Machine::new(Strategy::OneForOne, Flags::default(), plans)?;
//! let actions = machine.step(Moment::ZERO, Event::Boot);
//! assert!(matches!(&actions[..], [Action::Start(child)] if child.id.as_str() == "clock"));
//! # Ok::<(), heights_core::SpecError>(())
//! ```

#![warn(missing_docs)]

mod admission;
mod backoff;
mod breaker;
mod bucket;
mod civil;
mod codel;
mod cron;
mod dynamic;
mod machine;
mod queue;
mod rows;
mod schedule;
mod spec;
mod window;

pub use admission::{
    Admission, Claim, Decision, Grant, Limits, QueueId, QueueView, RefusalKind, Request,
};
pub use backoff::{Backoff, Dice};
pub use breaker::{BreakerMachine, BreakerPlan, BreakerState, Outcome, Pass, Trip};
pub use bucket::{Rate, TokenBucket};
pub use civil::Civil;
pub use codel::CoDel;
pub use cron::{Cron, CronError, CronErrorKind, CronField, Shown, Zone};
pub use dynamic::{ChildKey, DynamicAction, DynamicEvent, DynamicMachine, DynamicRefusal};
pub use machine::{
    Action, Answer, ChildRun, ChildState, ChildView, Event, Incarnation, Machine, Refusal, Verdict,
};
pub use queue::{Discipline, Key, Queue, Ticket, TicketCounter, Waiter};
pub use rows::Rows;
pub use schedule::{Missed, Overlap, Plan, RunId, Schedule, Step, Timetable};
pub use spec::{
    AutoShutdown, ChildId, ChildKind, ChildPlan, Counts, ExitClass, Flags, GiveUp, Restart,
    RestartLimit, Shutdown, SpecError, Strategy, check_child_plans,
};
pub use window::{Intensity, Moment, RestartWindow};
