//! How a periodic job is to run.

use std::fmt;
use std::time::Duration;

use crate::Moment;

/// Says which times are due.
pub enum Timetable {
    /// Every interval from the first time on, however long the runs take.
    Regular(Duration),
    /// An interval after the end of each run.
    Shifted(Duration),
    /// The times that a calendar names: the first after a given moment.
    Calendar(Box<dyn Fn(Moment) -> Option<Moment> + Send>),
    /// None; runs are asked for.
    Manual,
}

/// Says what happens to a run whose time comes while another is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// It is skipped.
    #[default]
    Ignore,
    /// It runs beside the other.
    Run,
    /// The other is stopped first.
    StopPrevious,
}

/// Says what happens to times that passed unnoticed, because the machine slept or was too busy, or
/// between two lives of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// They are passed over, the last one too if it is more than a minute ago.
    Skip,
    /// One run stands for all of them.
    #[default]
    RunOnce,
    /// Each has its run, one after another, for the latest of them up to this many.
    RunAll(u32),
}

/// Says how a job is to run.
#[derive(Debug)]
pub struct Plan {
    /// Which times are due.
    pub timetable: Timetable,
    /// How long to wait before the first of them.
    pub initial_delay: Duration,
    /// By how much each is put off at most, at random.
    pub jitter: Duration,
    /// What happens to a run whose time comes while another is under way.
    pub overlap: Overlap,
    /// What happens to times that passed unnoticed.
    pub missed: Missed,
}

impl fmt::Debug for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Regular(interval) => write!(f, "Regular({interval:?})"),
            Self::Shifted(interval) => write!(f, "Shifted({interval:?})"),
            Self::Calendar(_) => f.write_str("Calendar"),
            Self::Manual => f.write_str("Manual"),
        }
    }
}
