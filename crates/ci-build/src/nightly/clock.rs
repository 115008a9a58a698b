//! Which night it is: the policy's window by the clocks of its time zone.
//!
//! Where the clocks skip the beginning or the end of the window, that moves as far as the clocks do; where
//! they show it twice, the window is as long as both. So there is a window in each night, and a moment is
//! in at most one.

use std::time::SystemTime;

use ci_domain::nightly::{Day, TimeOfDay, Tonight, WindowState};
use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};

use super::NightRules;

/// Why it cannot be said which night it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClockError {
    /// No database of time zones has it.
    #[error("find the time zone {0:?}")]
    NoZone(String),
    /// The clock of the machine is thousands of years off.
    #[error("read the calendar")]
    Calendar(#[from] jiff::Error),
}

/// Says which night it is at `now`.
pub(super) fn tonight(rules: &NightRules, now: SystemTime) -> Result<Tonight, ClockError> {
    let zone = zone(&rules.nightly.timezone)?;
    let now = Timestamp::try_from(now)?;
    let today = zone.to_datetime(now).date();
    let mut open = None;
    // The latest first: an hour that clocks show twice can be in two windows.
    for date in [today.tomorrow()?, today, today.yesterday()?] {
        let (begins, ends) = window(rules, &zone, date)?;
        if open.is_none() && (begins..ends).contains(&now) {
            open = Some(date);
        }
    }
    let window = if open.is_some() { WindowState::Open } else { WindowState::Shut };
    Ok(Tonight { day: day(open.unwrap_or(today)), window, mention: rules.mention.clone() })
}

/// The moments at which the window that opens on `date` begins and has ended.
fn window(
    rules: &NightRules,
    zone: &TimeZone,
    date: Date,
) -> Result<(Timestamp, Timestamp), ClockError> {
    let window = rules.nightly.between;
    let end_date = if window.is_over_midnight() { date.tomorrow()? } else { date };
    let shown = |date: Date, at| zone.to_ambiguous_timestamp(date.to_datetime(time(at)));
    let begins = shown(date, window.from()).compatible()?;
    let last_minute = shown(end_date, window.last_minute()).later()?;
    Ok((begins, last_minute.checked_add(Span::new().minutes(1))?))
}

/// The system's database is asked first, so that its updates count.
fn zone(name: &str) -> Result<TimeZone, ClockError> {
    let built_in = || TimeZoneDatabase::bundled().get(name);
    TimeZone::get(name).or_else(|_| built_in()).map_err(|_| ClockError::NoZone(name.to_owned()))
}

fn time(at: TimeOfDay) -> Time {
    Time::constant(at.hour().cast_signed(), at.minute().cast_signed(), 0, 0)
}

fn day(date: Date) -> Day {
    let small = |number: i8| number.unsigned_abs();
    Day::new(date.year(), small(date.month()), small(date.day()))
        .expect("both have the days of the same calendar")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(between: &str, timezone: &str) -> NightRules {
        let nightly = ci_domain::nightly::Nightly {
            between: between.parse().unwrap(),
            timezone: timezone.to_owned(),
        };
        NightRules { nightly, mention: None }
    }

    /// Says of each moment the day of the window that is open, or the day on which it is shut.
    #[track_caller]
    fn check(between: &str, timezone: &str, expected: &[(&str, &str)]) {
        let rules = rules(between, timezone);
        for (at, said) in expected {
            let at: Timestamp = at.parse().unwrap();
            let tonight = tonight(&rules, at.into()).unwrap();
            let word = match tonight.window {
                WindowState::Open => "open",
                WindowState::Shut => "shut",
            };
            assert_eq!(format!("{} {word}", tonight.day), *said, "{between} {timezone} at {at}");
        }
    }

    #[test]
    fn a_window_has_its_first_minute_and_not_its_last() {
        check(
            "00:00-05:00",
            "UTC",
            &[
                ("2026-11-22T23:59:59Z", "2026-11-22 shut"),
                ("2026-11-23T00:00:00Z", "2026-11-23 open"),
                ("2026-11-23T04:59:59Z", "2026-11-23 open"),
                ("2026-11-23T05:00:00Z", "2026-11-23 shut"),
            ],
        );
        check("00:00-24:00", "UTC", &[("2026-11-23T23:59:59Z", "2026-11-23 open")]);
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        check(
            "22:00-04:00",
            "Europe/Berlin",
            &[
                ("2026-11-23T20:59:59Z", "2026-11-23 shut"),
                ("2026-11-23T21:00:00Z", "2026-11-23 open"),
                ("2026-11-24T02:59:59Z", "2026-11-23 open"),
                ("2026-11-24T03:00:00Z", "2026-11-24 shut"),
            ],
        );
    }

    #[test]
    fn where_clocks_skip_an_hour_the_window_moves_with_them() {
        // In Berlin 02:00 to 03:00 of 28 March 2027 are not shown: 01:00Z is 03:00.
        let skipped = [
            ("2027-03-28T00:59:59Z", "2027-03-28 shut"),
            ("2027-03-28T01:00:00Z", "2027-03-28 open"),
            ("2027-03-28T01:59:59Z", "2027-03-28 open"),
            ("2027-03-28T02:00:00Z", "2027-03-28 shut"),
        ];
        check("02:00-03:00", "Europe/Berlin", &skipped);
        check("02:00-04:00", "Europe/Berlin", &skipped);
        check("01:00-02:30", "Europe/Berlin", &[("2027-03-28T01:29:59Z", "2027-03-28 open")]);
    }

    #[test]
    fn where_clocks_show_an_hour_twice_the_window_has_both() {
        // In Berlin 02:00 to 03:00 of 25 October 2026 are shown from 00:00Z and again from 01:00Z.
        check(
            "02:00-03:00",
            "Europe/Berlin",
            &[
                ("2026-10-24T23:59:59Z", "2026-10-25 shut"),
                ("2026-10-25T00:00:00Z", "2026-10-25 open"),
                ("2026-10-25T01:59:59Z", "2026-10-25 open"),
                ("2026-10-25T02:00:00Z", "2026-10-25 shut"),
            ],
        );
        check(
            "02:30-02:29",
            "Europe/Berlin",
            &[
                ("2026-10-25T00:29:00Z", "2026-10-24 open"),
                ("2026-10-25T00:30:00Z", "2026-10-25 open"),
                ("2026-10-25T01:28:00Z", "2026-10-25 open"),
                ("2026-10-25T01:30:00Z", "2026-10-25 open"),
            ],
        );
    }

    #[test]
    fn days_are_those_of_the_zone() {
        check("00:00-05:00", "Pacific/Auckland", &[("2026-11-22T11:00:00Z", "2026-11-23 open")]);
        check("20:00-23:00", "America/New_York", &[("2026-11-24T01:30:00Z", "2026-11-23 open")]);
        assert!(tonight(&rules("00:00-05:00", "Middle/Earth"), SystemTime::UNIX_EPOCH).is_err());
    }
}
