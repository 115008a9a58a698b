//! Decides whether to go on calling something that fails.
//!
//! ```text
//!              too many failures                  open time over
//!   Closed ────────────────────────► Open ────────────────────────► HalfOpen
//!     ▲                               ▲                              │    │
//!     │                               └───── a probe has failed ─────┘    │
//!     └──────────────────────── all probes have succeeded ────────────────┘
//! ```
//!
//! Closed lets every call through and open none; half open lets as many through as there are
//! probes, and each counts. What a call tells after the state has changed is old news and ignored.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Moment;

/// Says how many failures are too many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trip {
    /// So many in a row, all within the window.
    Consecutive(u32),
    /// This share (0 to 1) of the calls in the window, once there are at least so many.
    Rate {
        /// The share.
        share: f64,
        /// How many calls it takes to tell.
        least: u32,
    },
}

/// Says when a breaker opens and closes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerPlan {
    /// How many failures are too many.
    pub trip: Trip,
    /// How long a call counts.
    pub window: Duration,
    /// How long the breaker stays open.
    pub open_for: Duration,
    /// How many calls have to succeed, and are let through at most, while it is half open.
    pub probes: u32,
}

/// Shows what a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Lets them through.
    Closed,
    /// Refuses them, until this moment at least.
    Open(Moment),
    /// Lets a few through to see.
    HalfOpen,
}

/// Stands for a call that was let through; says later how it went.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a pass that tells nothing occupies a probe"]
pub struct Pass(u64);

/// Says how a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Success,
    /// Not as it should.
    Failure,
    /// Nobody knows, because it was given up.
    Unknown,
}

/// A breaker without a clock.
///
/// ```
/// use std::time::Duration;
/// use heights_core::{BreakerMachine, BreakerPlan, BreakerState, Moment, Outcome, Trip};
///
/// const SECOND: Duration = Duration::from_secs(1);
///
/// let trip = Trip::Consecutive(1);
/// let plan = BreakerPlan { trip, window: 60 * SECOND, open_for: SECOND, probes: 1 };
/// let mut breaker = BreakerMachine::new(plan);
/// let call = breaker.admit(Moment::ZERO).expect("it is closed");
/// breaker.tell(Moment::ZERO, &call, Outcome::Failure);
/// assert_eq!(breaker.admit(SECOND / 4), Err(SECOND * 3 / 4));
/// let probe = breaker.admit(SECOND).expect("it is half open");
/// breaker.tell(SECOND, &probe, Outcome::Success);
/// assert_eq!(breaker.state(), BreakerState::Closed);
/// ```
#[derive(Debug)]
pub struct BreakerMachine {
    plan: BreakerPlan,
    state: BreakerState,
    /// Counts the changes of state, so that old news is known as such.
    era: u64,
    /// Recent calls and whether they failed, the oldest first; only while closed.
    recent: VecDeque<(Moment, bool)>,
    failures: usize,
    probing: u32,
    proven: u32,
}

impl BreakerMachine {
    /// Makes a closed breaker; no probes are read as one.
    pub fn new(plan: BreakerPlan) -> Self {
        let plan = BreakerPlan { probes: plan.probes.max(1), ..plan };
        Self {
            plan,
            state: BreakerState::Closed,
            era: 0,
            recent: VecDeque::new(),
            failures: 0,
            probing: 0,
            proven: 0,
        }
    }

    /// Lets a call through, or tells how long it is until one may try again; while others probe
    /// that is not known and zero.
    pub fn admit(&mut self, now: Moment) -> Result<Pass, Duration> {
        if let BreakerState::Open(until) = self.state {
            if now < until {
                return Err(until.saturating_sub(now));
            }
            self.change(BreakerState::HalfOpen);
        }
        if self.state == BreakerState::HalfOpen {
            if self.probing + self.proven >= self.plan.probes {
                return Err(Duration::ZERO);
            }
            self.probing += 1;
        }
        Ok(Pass(self.era))
    }

    /// Takes note of how a call went.
    pub fn tell(&mut self, now: Moment, pass: &Pass, outcome: Outcome) {
        if pass.0 != self.era {
            return;
        }
        match self.state {
            BreakerState::Closed => self.count(now, outcome),
            BreakerState::HalfOpen => self.probed(now, outcome),
            BreakerState::Open(_) => {}
        }
    }

    /// Opens it, whatever the counts say.
    pub fn open(&mut self, now: Moment) {
        self.change(BreakerState::Open(now.saturating_add(self.plan.open_for)));
    }

    /// Closes it, whatever the counts say.
    pub fn close(&mut self) {
        self.change(BreakerState::Closed);
    }

    /// Returns the state, as far as calls have brought it.
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// Returns how many calls of the window have failed, of how many.
    pub fn counts(&self, now: Moment) -> (usize, usize) {
        let recent = self.recent.iter().filter(|(at, _)| self.is_recent(*at, now));
        recent.fold((0, 0), |(failed, all), (_, fails)| (failed + usize::from(*fails), all + 1))
    }

    fn count(&mut self, now: Moment, outcome: Outcome) {
        let fails = match outcome {
            Outcome::Success => false,
            Outcome::Failure => true,
            Outcome::Unknown => return,
        };
        while self.recent.front().is_some_and(|(at, _)| !self.is_recent(*at, now)) {
            let gone = self.recent.pop_front();
            self.failures -= usize::from(gone.is_some_and(|(_, fails)| fails));
        }
        if !fails && matches!(self.plan.trip, Trip::Consecutive(_)) {
            // A success ends the row.
            self.recent.clear();
            self.failures = 0;
            return;
        }
        self.recent.push_back((now, fails));
        self.failures += usize::from(fails);
        if fails && self.is_too_much() {
            self.open(now);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 calls in a window")]
    fn is_too_much(&self) -> bool {
        match self.plan.trip {
            Trip::Consecutive(most) => self.failures >= most as usize,
            Trip::Rate { share, least } => {
                self.recent.len() >= least as usize
                    && self.failures as f64 >= share * self.recent.len() as f64
            }
        }
    }

    fn probed(&mut self, now: Moment, outcome: Outcome) {
        self.probing = self.probing.saturating_sub(1);
        match outcome {
            Outcome::Success => self.proven += 1,
            Outcome::Failure => return self.open(now),
            Outcome::Unknown => {}
        }
        if self.proven >= self.plan.probes {
            self.change(BreakerState::Closed);
        }
    }

    fn is_recent(&self, at: Moment, now: Moment) -> bool {
        now.saturating_sub(at) < self.plan.window
    }

    fn change(&mut self, state: BreakerState) {
        self.state = state;
        self.era += 1;
        self.recent.clear();
        (self.failures, self.probing, self.proven) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests;
