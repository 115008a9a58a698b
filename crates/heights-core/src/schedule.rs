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
//!
//! A schedule whose [latest](Schedule::latest) time somebody kept is [resumed](Schedule::resume) in
//! a later life of the program; the times in between are then late like any others.

mod plan;

use std::time::Duration;

pub use self::plan::{Missed, Overlap, Plan, Timetable};
use crate::{Dice, Moment};

/// How late a time may be noticed and still count as in time: the resolution of a calendar.
const LATE: Duration = Duration::from_secs(60);

/// How many missed times of a calendar are counted at most; the rest is passed over.
const COUNTED: u32 = 10_000;

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
///
/// ```
/// use std::time::Duration;
/// use heights_core::{Dice, Missed, Overlap, Plan, Schedule, Step, Timetable};
///
/// let minute = Duration::from_secs(60);
/// let plan = Plan {
///     timetable: Timetable::Regular(10 * minute),
///     initial_delay: minute,
///     jitter: Duration::ZERO,
///     overlap: Overlap::Ignore,
///     missed: Missed::RunOnce,
/// };
/// let mut schedule = Schedule::new(plan, Duration::ZERO, Dice::new(7));
/// assert_eq!(schedule.next_event(), Some(minute));
/// let steps = schedule.wake(minute, || true);
/// let [Step::Start(run)] = steps[..] else { return Err(format!("{steps:?}")) };
///
/// // The run is still under way when the next time comes.
/// assert_eq!(schedule.wake(11 * minute, || true), [Step::Overlapped]);
/// assert_eq!(schedule.ended(run, 12 * minute, || true), []);
/// assert_eq!(schedule.next_event(), Some(21 * minute));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Schedule {
    plan: Plan,
    dice: Dice,
    next: Option<Due>,
    /// The last time that was dealt with.
    latest: Option<Moment>,
    /// When it may be woken at all.
    opens: Moment,
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
        let opens = start.saturating_add(plan.initial_delay);
        let first = match &plan.timetable {
            Timetable::Regular(_) | Timetable::Shifted(_) => Some(opens),
            Timetable::Calendar(next) => next(opens),
            Timetable::Manual => None,
        };
        Self::starting_at(first, opens, plan, dice)
    }

    /// Goes on after the last time that an earlier schedule has dealt with.
    ///
    /// That time may lie in the future if the clock was set back since; then it counts as now.
    pub fn resume(plan: Plan, latest: Moment, start: Moment, dice: Dice) -> Self {
        let (opens, latest) = (start.saturating_add(plan.initial_delay), latest.min(start));
        let next = match &plan.timetable {
            Timetable::Regular(interval) | Timetable::Shifted(interval) => {
                Some(latest.saturating_add(*interval))
            }
            Timetable::Calendar(next) => next(latest),
            Timetable::Manual => None,
        };
        Self::starting_at(next, opens, plan, dice)
    }

    fn starting_at(first: Option<Moment>, opens: Moment, plan: Plan, dice: Dice) -> Self {
        let (latest, backlog, running, runs) = (None, 0, Vec::new(), 0);
        let mut schedule = Self { plan, dice, next: None, latest, opens, backlog, running, runs };
        schedule.next = schedule.due(first);
        schedule
    }

    /// Does what the time asks for; the guard is asked once, before a run would start.
    pub fn wake(&mut self, now: Moment, guard: impl FnOnce() -> bool) -> Vec<Step> {
        let is_due = |due: &Due| due.starts().max(self.opens) <= now;
        let Some(due) = self.next.filter(is_due) else { return Vec::new() };
        let (latest, missed) = self.missed(due.at, now);
        self.latest = Some(latest);
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
            self.latest = Some(now);
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
        self.next.map(|due| due.starts().max(self.opens))
    }

    /// Returns the last time that it has dealt with, whether or not that made a run: the one to go
    /// on from in a later life of the program.
    pub fn latest(&self) -> Option<Moment> {
        self.latest
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

#[cfg(test)]
mod tests;
