//! Decides when a periodic job runs.
//!
//! A schedule is told the time, and when runs end; it answers with [`Step`]s. Times that are due
//! are counted from the first one, never from when somebody got around to it, so nothing drifts.
//!
//! | when a time comes | and a run is under way | then |
//! |---|---|---|
//! | in time | no | a run starts |
//! | in time | yes | [`Overlap`] decides |
//! | too late, or several at once | | [`Missed`] decides how many runs that makes; the first starts as above, each other when none is under way |
//! | any | but the guard says no | nothing happens |

use std::fmt;
use std::time::Duration;

use crate::{Dice, Moment};

/// How late a time may be noticed and still count as in time: the resolution of a calendar.
const LATE: Duration = Duration::from_secs(60);

/// How many missed times of a calendar are counted at most; the rest is passed over.
const COUNTED: u32 = 10_000;

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

/// Says what happens to times that passed unnoticed, because the machine slept or was too busy.
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

/// Names a run of one schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u64);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A run starts.
    Start(RunId),
    /// A run is stopped, for the one that starts next.
    Stop(RunId),
    /// A time is passed over because a run is under way.
    Overlapped,
    /// So many times were missed and have no run.
    Missed(u64),
}

/// Keeps a job to its plan.
#[derive(Debug)]
pub struct Schedule {
    plan: Plan,
    dice: Dice,
    next: Option<Due>,
    /// Missed times that still have their run to come.
    backlog: u32,
    running: Vec<RunId>,
    runs: u64,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    at: Moment,
    put_off: Duration,
}

impl Due {
    fn starts(self) -> Moment {
        self.at.saturating_add(self.put_off)
    }
}

impl Schedule {
    /// Starts the schedule; `dice` are for the jitter.
    pub fn new(plan: Plan, start: Moment, dice: Dice) -> Self {
        let first = start.saturating_add(plan.initial_delay);
        let mut schedule =
            Self { plan, dice, next: None, backlog: 0, running: Vec::new(), runs: 0 };
        schedule.next = match &schedule.plan.timetable {
            Timetable::Regular(_) | Timetable::Shifted(_) => schedule.due(Some(first)),
            Timetable::Calendar(next) => {
                let first = next(first);
                schedule.due(first)
            }
            Timetable::Manual => None,
        };
        schedule
    }

    /// Does what the time asks for; the guard is asked once, before a run would start.
    pub fn wake(&mut self, now: Moment, guard: impl FnOnce() -> bool) -> Vec<Step> {
        let Some(due) = self.next.filter(|due| due.starts() <= now) else { return Vec::new() };
        let (latest, missed) = self.missed(due.at, now);
        self.next = self.following(latest, now);
        let is_late = now.saturating_sub(latest) > LATE.saturating_add(due.put_off);
        let owed = match self.plan.missed {
            Missed::Skip => u32::from(!is_late),
            Missed::RunOnce => 1,
            Missed::RunAll(most) => missed.saturating_add(1).min(most.max(1)),
        };
        let mut steps = Vec::new();
        let passed_over = u64::from(missed) + 1 - u64::from(owed);
        if passed_over > 0 {
            steps.push(Step::Missed(passed_over));
        }
        if owed > 0 && guard() {
            self.backlog = self.backlog.max(owed - 1);
            self.start(&mut steps);
        }
        steps
    }

    /// Takes note that a run has ended; the next that is owed starts if the guard lets it.
    pub fn ended(&mut self, run: RunId, now: Moment, guard: impl FnOnce() -> bool) -> Vec<Step> {
        self.running.retain(|running| *running != run);
        if !self.running.is_empty() {
            return Vec::new();
        }
        if let Timetable::Shifted(interval) = self.plan.timetable {
            self.next = self.due(Some(now.saturating_add(interval)));
        }
        if self.backlog == 0 {
            return Vec::new();
        }
        if !guard() {
            self.backlog = 0;
            return Vec::new();
        }
        self.backlog -= 1;
        vec![Step::Start(self.enter())]
    }

    /// Starts a run that somebody asked for, by the same rules as one whose time has come.
    pub fn ask(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.start(&mut steps);
        steps
    }

    /// Returns when to wake it next.
    pub fn next_event(&self) -> Option<Moment> {
        self.next.map(Due::starts)
    }

    fn start(&mut self, steps: &mut Vec<Step>) {
        match self.plan.overlap {
            Overlap::Ignore if !self.running.is_empty() => return steps.push(Step::Overlapped),
            Overlap::StopPrevious => steps.extend(self.running.drain(..).map(Step::Stop)),
            Overlap::Ignore | Overlap::Run => {}
        }
        steps.push(Step::Start(self.enter()));
    }

    fn enter(&mut self) -> RunId {
        self.runs += 1;
        self.running.push(RunId(self.runs));
        RunId(self.runs)
    }

    /// Returns the last time that has come, and how many came before it, from `due` on.
    fn missed(&self, due: Moment, now: Moment) -> (Moment, u32) {
        match &self.plan.timetable {
            Timetable::Regular(interval) => {
                let missed = (now.saturating_sub(due)).as_nanos() / interval.as_nanos().max(1);
                let missed = u32::try_from(missed).unwrap_or(u32::MAX);
                (due.saturating_add(interval.saturating_mul(missed)), missed)
            }
            Timetable::Calendar(next) => {
                let times = std::iter::successors(Some(due), |at| next(*at));
                let come = times.take_while(|at| *at <= now).zip(0..COUNTED);
                come.last().unwrap_or((due, 0))
            }
            Timetable::Shifted(_) | Timetable::Manual => (due, 0),
        }
    }

    /// Returns the time after `latest`; one that follows a run comes with its end.
    fn following(&mut self, latest: Moment, now: Moment) -> Option<Due> {
        let next = match &self.plan.timetable {
            Timetable::Regular(interval) => Some(latest.saturating_add(*interval)),
            // In case there is no run: then it is as if there had been a short one.
            Timetable::Shifted(interval) => Some(now.saturating_add(*interval)),
            Timetable::Calendar(next) => next(latest.max(now)),
            Timetable::Manual => None,
        };
        self.due(next)
    }

    fn due(&mut self, at: Option<Moment>) -> Option<Due> {
        let put_off = self.plan.jitter.mul_f64(self.dice.roll());
        at.map(|at| Due { at, put_off })
    }
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

#[cfg(test)]
mod tests;
