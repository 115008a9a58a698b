//! What the answers say about limits and time, and which calls are therefore not worth sending.
//!
//! GitHub counts reads and writes in one window. Reads leave the last tenth of it to writes: a status
//! that is late is worse than a poll that is. A call that would be refused is not sent: whoever goes on
//! knocking is locked out for longer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ci_domain::forge::Timestamp;

use crate::forge::{Budget, ForgeError, Window};
use crate::moment::now;

/// Reads stop when less than this part of a window is left.
const WRITERS_PART: u64 = 10;
/// No limit of GitHub's lasts longer; a later end is a mistake of somebody's clock, in seconds.
const LONGEST: u64 = 3600;
/// Answers are slow; a difference within this is none, in seconds.
const TOLERANCE: i64 = 5;

/// Which limit a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A REST call that changes nothing.
    Read,
    /// Any other REST call.
    Write,
    /// A GraphQL query.
    Graphql,
    /// A call of an app as itself, which has a limit of its own.
    App,
}

/// What is known of limits, and of GitHub's clock.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    budget: Budget,
    /// Until when nothing is let in.
    closed: Option<Timestamp>,
    /// How far GitHub's clock is ahead of ours, in seconds.
    skew: i64,
}

impl Pace {
    pub(super) fn budget(&self) -> Budget {
        self.state().budget
    }

    /// The time by GitHub's clock.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp(now().0.saturating_add_signed(self.state().skew))
    }

    /// Whether a call is worth sending.
    pub(super) fn admit(&self, kind: Kind) -> Result<(), ForgeError> {
        let now = self.now();
        let mut state = self.state();
        state.closed = state.closed.filter(|until| *until > now);
        let spent =
            state.window(kind).filter(|window| window.reset_at > now && window.is_spent(kind));
        match state.closed.or(spent.map(|window| window.reset_at)) {
            Some(until) => Err(ForgeError::RateLimited { until: earlier(until, now) }),
            None => Ok(()),
        }
    }

    /// Notes how many calls are left.
    pub(super) fn note(&self, kind: Kind, window: Window) {
        let mut state = self.state();
        match kind {
            Kind::Read | Kind::Write => state.budget.rest = Some(window),
            Kind::Graphql => state.budget.graphql = Some(window),
            Kind::App => {}
        }
    }

    /// Notes that GitHub wants to be left alone, where that is not for a spent window.
    pub(super) fn close(&self, kind: Kind, until: Timestamp) {
        let now = self.now();
        let mut state = self.state();
        let is_spent = state.window(kind).is_some_and(|window| window.remaining == 0);
        if !is_spent {
            state.closed = state.closed.max(Some(earlier(until, now)));
        }
    }

    /// Notes what time it is at GitHub; answers whether that is news.
    pub(super) fn note_time(&self, theirs: Timestamp) -> bool {
        let skew = signed(theirs) - signed(now());
        let mut state = self.state();
        let is_news = skew.abs_diff(state.skew) > TOLERANCE.unsigned_abs();
        if is_news {
            state.skew = if skew.abs() > TOLERANCE { skew } else { 0 };
        }
        is_news
    }

    /// Forgets the limits, which are those of the credentials.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        (state.budget, state.closed) = (Budget::default(), None);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn window(&self, kind: Kind) -> Option<Window> {
        match kind {
            Kind::Read | Kind::Write => self.budget.rest,
            Kind::Graphql => self.budget.graphql,
            Kind::App => None,
        }
    }
}

impl Window {
    fn is_spent(&self, kind: Kind) -> bool {
        match kind {
            Kind::Read => self.remaining < self.limit / WRITERS_PART,
            _ => self.remaining == 0,
        }
    }
}

fn earlier(until: Timestamp, now: Timestamp) -> Timestamp {
    until.min(Timestamp(now.0.saturating_add(LONGEST)))
}

fn signed(moment: Timestamp) -> i64 {
    i64::try_from(moment.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(remaining: u64) -> Window {
        Window { limit: 5000, remaining, reset_at: Timestamp(now().0 + 600) }
    }

    fn admitted(pace: &Pace) -> [bool; 4] {
        [Kind::Read, Kind::Write, Kind::Graphql, Kind::App].map(|kind| pace.admit(kind).is_ok())
    }

    #[test]
    fn reads_leave_the_last_calls_to_writes() {
        let pace = Pace::default();
        assert_eq!(admitted(&pace), [true; 4]);
        for (remaining, expected) in [
            (500, [true, true, true, true]),
            (499, [false, true, true, true]),
            (0, [false, false, true, true]),
        ] {
            pace.note(Kind::Read, window(remaining));
            assert_eq!(admitted(&pace), expected, "{remaining}");
        }
        pace.note(Kind::Graphql, window(1));
        assert_eq!(admitted(&pace), [false, false, true, true]);
        pace.note(Kind::Graphql, window(0));
        assert_eq!(admitted(&pace), [false, false, false, true]);
        pace.note(Kind::Write, Window { reset_at: Timestamp(now().0), ..window(0) });
        assert_eq!(admitted(&pace), [true, true, false, true], "a new window has begun");
    }

    #[test]
    fn who_is_asked_to_wait_sends_nothing_for_an_hour_at_most() {
        let pace = Pace::default();
        pace.close(Kind::Write, Timestamp(now().0 + 60));
        assert_eq!(admitted(&pace), [false; 4]);
        pace.close(Kind::Write, Timestamp(u64::MAX));
        let Err(ForgeError::RateLimited { until }) = pace.admit(Kind::Graphql) else { panic!() };
        assert!(until.0 <= now().0 + LONGEST, "{until:?}");
        pace.forget();
        assert_eq!(admitted(&pace), [true; 4]);
    }

    #[test]
    fn a_spent_window_closes_only_its_own_kind() {
        let pace = Pace::default();
        pace.note(Kind::Graphql, window(0));
        pace.close(Kind::Graphql, Timestamp(now().0 + 600));
        assert_eq!(admitted(&pace), [true, true, false, true]);
    }

    #[test]
    fn a_clock_that_is_off_is_set_right_and_a_slow_answer_changes_nothing() {
        let pace = Pace::default();
        assert!(!pace.note_time(Timestamp(now().0 + 3)));
        assert!(pace.note_time(Timestamp(now().0 + 500)));
        assert!(pace.now().0.abs_diff(now().0 + 500) <= 1);
        assert!(!pace.note_time(Timestamp(now().0 + 498)));
        assert!(pace.note_time(now()));
        assert!(pace.now().0.abs_diff(now().0) <= 1);
    }
}
