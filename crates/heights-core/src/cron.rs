//! The times of a cron expression.
//!
//! Five fields, as everywhere: minute, hour, day of the month, month, day of the week. Each is a
//! list of values, ranges and steps; months and days of the week have names.
//!
//! | expression | runs |
//! |---|---|
//! | `30 3 * * *` | at half past three |
//! | `*/15 8-18 * * MON-FRI` | each quarter of an hour at work |
//! | `0 0 1,15 * *` | on two days of each month |
//! | `0 0 13 * FRI` | on the 13th, *and* on Fridays: two restricted day fields add up |
//! | `@hourly` `@daily` `@midnight` `@weekly` `@monthly` `@yearly` `@annually` | as they say |
//!
//! Twice a year most clocks are set. What then happens is decided here, by whether the expression
//! names hours or runs in every hour:
//!
//! | the clock | hours named (`30 2 * * *`) | every hour (`*/15 * * * *`) |
//! |---|---|---|
//! | skips the time | runs once, when the clock goes on | the time does not exist, nothing is lost |
//! | shows the time twice | runs the first time only | runs both times |

mod error;
mod field;

use std::str::FromStr;

pub use self::error::{CronError, CronErrorKind, CronField};
use self::field::Field;
use crate::{Civil, Moment};

/// How far to look for the next time: longer than the longest wait for a 29th of February on a
/// given day of the week, which is 40 years.
const HORIZON_YEARS: i16 = 50;

/// How far before a time that a clock shows twice to look for candidates: longer than any clock is
/// set back.
const FOLD: Moment = Moment::from_secs(3 * 3600);

/// The minutes that a cron expression stands for.
///
/// ```
/// use heights_core::{Civil, Cron};
///
/// let payday: Cron = "0 9 1,15 * *".parse()?;
/// let after = Civil { year: 2027, month: 2, day: 20, hour: 12, minute: 0 };
/// let next = payday.next_civil(after).ok_or("there is always another")?;
/// assert_eq!((next.month, next.day, next.hour), (3, 1, 9));
///
/// let error = "0 24 * * *".parse::<Cron>().unwrap_err();
/// assert_eq!(error.to_string(), "read the cron expression at column 3: 24 is no hour, which is 0 to 23");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// What clocks in one place show; moments count from the start of 1970 in UTC.
pub trait Zone {
    /// What the clock shows.
    fn civil(&self, at: Moment) -> Civil;

    /// When the clock shows it.
    fn shown(&self, civil: Civil) -> Shown;
}

/// When a clock shows a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As on most days.
    Once(Moment),
    /// The clock was set back in between.
    Twice(Moment, Moment),
    /// The clock skips it; this is the first moment after the skip.
    Skipped(Moment),
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let spelled_out = field::spell_out(text)?;
        let [minutes, hours, days, months, weekdays] = field::split(spelled_out)?;
        let cron = Self {
            minutes: Field::parse(CronField::Minute, minutes)?,
            hours: Field::parse(CronField::Hour, hours)?,
            days: Field::parse(CronField::Day, days)?,
            months: Field::parse(CronField::Month, months)?,
            weekdays: Field::parse(CronField::Weekday, weekdays)?,
        };
        // Any start will do; this one is before a leap day.
        let start = Civil { year: 2000, month: 1, day: 1, hour: 0, minute: 0 };
        match cron.next_civil(start) {
            Some(_) => Ok(cron),
            None => Err(CronError { position: days.0, kind: CronErrorKind::Never }),
        }
    }
}

impl Cron {
    /// Returns the first time after this one, by the calendar alone.
    pub fn next_civil(&self, after: Civil) -> Option<Civil> {
        let mut at = after.next_minute();
        while at.year <= after.year.saturating_add(HORIZON_YEARS) {
            at = if !self.months.has(at.month) {
                at.next_month()
            } else if !self.has_day(at) {
                at.next_day()
            } else if !self.hours.has(at.hour) {
                at.next_hour()
            } else if !self.minutes.has(at.minute) {
                at.next_minute()
            } else {
                return Some(at);
            };
        }
        None
    }

    /// Returns the first moment after this one, in a place where clocks may be set.
    pub fn next_after(&self, after: Moment, zone: &impl Zone) -> Option<Moment> {
        let mut candidate = zone.civil(after);
        if let Shown::Twice(..) = zone.shown(candidate) {
            // The second showing of an earlier time may still come.
            candidate = zone.civil(after.saturating_sub(FOLD));
        }
        let mut best: Option<Moment> = None;
        loop {
            let Some(next_candidate) = self.next_civil(candidate) else { return best };
            candidate = next_candidate;
            let (first, second) = self.runs_at(zone.shown(candidate));
            if best.is_some_and(|best| first.is_some_and(|first| first > best)) {
                return best;
            }
            let next = [first, second].into_iter().flatten().filter(|at| *at > after).min();
            best = best.into_iter().chain(next).min();
            // Only what is shown twice can come before a first showing that has been found.
            if second.is_none() && best.is_some() {
                return best;
            }
        }
    }

    /// Applies the table above.
    fn runs_at(&self, shown: Shown) -> (Option<Moment>, Option<Moment>) {
        match shown {
            Shown::Once(at) => (Some(at), None),
            Shown::Twice(first, second) => (Some(first), self.runs_hourly().then_some(second)),
            Shown::Skipped(end) => ((!self.runs_hourly()).then_some(end), None),
        }
    }

    fn runs_hourly(&self) -> bool {
        (0..24).all(|hour| self.hours.has(hour))
    }

    /// Two restricted day fields add up; one that starts with a star does not restrict.
    fn has_day(&self, at: Civil) -> bool {
        let (day, weekday) = (self.days.has(at.day), self.weekdays.has(at.weekday()));
        if self.days.starts_with_star() || self.weekdays.starts_with_star() {
            day && weekday
        } else {
            day || weekday
        }
    }
}

#[cfg(test)]
mod tests;
