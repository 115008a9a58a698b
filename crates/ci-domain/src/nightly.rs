//! When nightly jobs run: the days of the calendar, the window that the policy opens in each night, and
//! whom to call where one fails.
//!
//! No clock and no time zone is read here: whoever has them says which [`Tonight`] it is.

use std::fmt;
use std::str::FromStr;

/// Of a day.
const MINUTES: u16 = 24 * 60;

/// What the policy says of nightly jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nightly {
    /// When they may start.
    pub between: Window,
    /// By the clocks of which zone: a name of the time zone database.
    pub timezone: String,
}

/// A part of each day or night, up to the minute, by the clocks on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: TimeOfDay,
    until: TimeOfDay,
}

/// A minute that clocks show; 24:00 is the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: i16,
    month: u8,
    day: u8,
}

/// Which night it is, and what the policy says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tonight {
    /// The day on which the window opened; where it is shut, the present day.
    pub day: Day,
    /// Whether nightly jobs may start now.
    pub window: WindowState,
    /// Who is called where one fails.
    pub mention: Option<Mention>,
}

/// Whether nightly jobs may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowState {
    /// They may.
    Open,
    /// Only those that somebody asks for.
    Shut,
}

/// A person or a team as a comment calls them: `@ada`, `@acme/dev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention(String);

/// A text that is no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    /// Something else was written.
    #[error("{0:?} is no time of day and another, such as 00:00-05:00")]
    Form(String),
    /// It is never open.
    #[error("{0:?} begins when it ends")]
    Empty(String),
}

/// A text that is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no day, such as 2026-03-29")]
pub struct InvalidDay(String);

/// A text that calls nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is nobody who can be mentioned, such as @ada or @acme/dev")]
pub struct InvalidMention(String);

impl Window {
    /// When it opens.
    #[must_use]
    pub fn from(self) -> TimeOfDay {
        self.from
    }

    /// The last minute in which it is open.
    #[must_use]
    pub fn last_minute(self) -> TimeOfDay {
        TimeOfDay(self.until.0 - 1)
    }

    /// Whether it shuts on the day after the one on which it opens.
    #[must_use]
    pub fn is_over_midnight(self) -> bool {
        self.until <= self.from
    }
}

impl TimeOfDay {
    /// The hour, from 0 on.
    #[must_use]
    pub fn hour(self) -> u8 {
        u8::try_from(self.0 / 60).expect("a day has 24 hours")
    }

    /// The minute of the hour.
    #[must_use]
    pub fn minute(self) -> u8 {
        u8::try_from(self.0 % 60).expect("an hour has 60 minutes")
    }
}

impl Day {
    /// A day, by the numbers of the calendar.
    ///
    /// # Errors
    /// There is no such month, or the month has no such day.
    pub fn new(year: i16, month: u8, day: u8) -> Result<Self, InvalidDay> {
        let made = Self { year, month, day };
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + u8::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let is_there = (1..=12).contains(&month) && (1..=last).contains(&day);
        is_there.then_some(made).ok_or_else(|| InvalidDay(made.to_string()))
    }
}

impl Mention {
    /// The text that calls them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Window {
    type Err = InvalidWindow;

    fn from_str(text: &str) -> Result<Self, InvalidWindow> {
        let form = || InvalidWindow::Form(text.to_owned());
        let (from, until) = text.split_once('-').ok_or_else(form)?;
        let parse = |text: &str| text.parse::<TimeOfDay>().map_err(|()| form());
        let (from, until) = (parse(from)?, parse(until)?);
        // What is open until midnight shuts at the end of the same day.
        let until = if until.0 == 0 { TimeOfDay(MINUTES) } else { until };
        if from.0 == MINUTES {
            return Err(form());
        }
        let is_empty = from == until;
        if is_empty { Err(InvalidWindow::Empty(text.to_owned())) } else { Ok(Self { from, until }) }
    }
}

impl FromStr for TimeOfDay {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|_| is_number)
        };
        let (hour, minute) = text.split_once(':').ok_or(())?;
        let (hour, minute) = (number(hour).ok_or(())?, number(minute).ok_or(())?);
        let minutes = hour * 60 + minute;
        if minute < 60 && minutes <= MINUTES { Ok(Self(minutes)) } else { Err(()) }
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let invalid = || InvalidDay(text.to_owned());
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or_else(invalid);
        let (year, month, day) = (next()?, next()?, next()?);
        let year = year.parse().map_err(|_| invalid())?;
        let small = |text: &str| text.parse().map_err(|_| invalid());
        Self::new(year, small(month)?, small(day)?)
    }
}

impl FromStr for Mention {
    type Err = InvalidMention;

    fn from_str(text: &str) -> Result<Self, InvalidMention> {
        let is_name = |name: &str, more: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte);
            !name.is_empty() && name.bytes().all(fits) && !name.starts_with('-')
        };
        let is_someone = text.strip_prefix('@').is_some_and(|name| match name.split_once('/') {
            Some((owner, team)) => is_name(owner, "-") && is_name(team, "-_"),
            None => is_name(name, "-"),
        });
        let mention = || Self(text.to_owned());
        is_someone.then(mention).ok_or_else(|| InvalidMention(text.to_owned()))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.until)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for Nightly {
    /// The hours in which the fewest wait for a machine.
    fn default() -> Self {
        let between = Window { from: TimeOfDay(0), until: TimeOfDay(5 * 60) };
        Self { between, timezone: "UTC".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_read_as_it_is_written() {
        for text in ["00:00-05:00", "22:30-04:15", "00:00-24:00", "23:59-00:01"] {
            assert_eq!(text.parse::<Window>().unwrap().to_string(), text);
        }
        let late: Window = "20:00-00:00".parse().unwrap();
        assert!(!late.is_over_midnight() && late.last_minute().to_string() == "23:59");
        assert!("22:00-21:59".parse::<Window>().unwrap().is_over_midnight());
        for bad in ["", "5", "0:00-05:00", "00:00", "24:00-01:00", "00:60-01:00", "25:00-26:00"] {
            assert_eq!(bad.parse::<Window>(), Err(InvalidWindow::Form(bad.to_owned())));
        }
        let empty = "05:00-05:00";
        assert_eq!(empty.parse::<Window>(), Err(InvalidWindow::Empty(empty.to_owned())));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for text in ["2026-11-23", "2028-02-29", "2000-02-29", "0999-12-31"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for bad in
            ["2026-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-01", "x", "1-2"]
        {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mention_calls_one_person_or_team_and_formats_nothing() {
        for text in ["@ada", "@acme/dev", "@acme-inc/night_watch"] {
            assert_eq!(text.parse::<Mention>().unwrap().as_str(), text);
        }
        for bad in ["ada", "@", "@/dev", "@acme/", "@a b", "@a/b/c", "@a\n", "@-a", "@a](x)"] {
            assert!(bad.parse::<Mention>().is_err(), "{bad}");
        }
    }
}
