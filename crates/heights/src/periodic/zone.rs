//! What clocks show in the time zones of the world.
//!
//! The system's database of time zones is asked first, so that its updates count; the one that is
//! built in helps where there is none, as in a bare container.

use heights_core::{Civil, Moment, Shown, Zone};
use heights_supervisor::Fault;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// A time zone of the database.
#[derive(Debug, Clone)]
pub(super) struct TzZone(TimeZone);

impl TzZone {
    pub(super) fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    pub(super) fn named(name: &str) -> Result<Self, Fault> {
        Ok(Self(TimeZone::get(name)?))
    }

    /// The first moment after the clock skips this time.
    fn end_of_skip(&self, skipped: DateTime, before: Offset, after: Offset) -> Moment {
        let not_later = moment(skipped, after);
        let transition = self.0.following(timestamp(not_later)).next();
        transition.map_or_else(
            || moment(skipped, before),
            |transition| since_epoch(transition.timestamp()),
        )
    }
}

impl Zone for TzZone {
    fn civil(&self, at: Moment) -> Civil {
        let shown = self.0.to_datetime(timestamp(at));
        let small = |number: i8| u8::try_from(number).expect("parts of a date are not negative");
        Civil {
            year: shown.year(),
            month: small(shown.month()),
            day: small(shown.day()),
            hour: small(shown.hour()),
            minute: small(shown.minute()),
        }
    }

    fn shown(&self, civil: Civil) -> Shown {
        let Civil { year, month, day, hour, minute } = civil;
        let [month, day, hour, minute] = [month, day, hour, minute].map(u8::cast_signed);
        // Only a year beyond the calendar is no date; it is as far away as can be.
        let shown = DateTime::new(year, month, day, hour, minute, 0, 0).unwrap_or(DateTime::MAX);
        match self.0.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => Shown::Once(moment(shown, offset)),
            AmbiguousOffset::Fold { before, after } => {
                Shown::Twice(moment(shown, before), moment(shown, after))
            }
            AmbiguousOffset::Gap { before, after } => {
                Shown::Skipped(self.end_of_skip(shown, before, after))
            }
        }
    }
}

fn moment(shown: DateTime, offset: Offset) -> Moment {
    since_epoch(offset.to_timestamp(shown).unwrap_or(Timestamp::MAX))
}

fn since_epoch(timestamp: Timestamp) -> Moment {
    // Nothing is planned before 1970.
    timestamp.duration_since(Timestamp::UNIX_EPOCH).try_into().unwrap_or_default()
}

fn timestamp(at: Moment) -> Timestamp {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heights_core::Cron;

    /// Returns when the expression runs in Berlin, in UTC.
    fn runs(expression: &str, after: &str, count: usize) -> Vec<String> {
        let (cron, zone): (Cron, _) =
            (expression.parse().unwrap(), TzZone::named("Europe/Berlin").unwrap());
        let start = since_epoch(after.parse().unwrap());
        let times = std::iter::successors(Some(start), |at| cron.next_after(*at, &zone));
        times.skip(1).take(count).map(|at| timestamp(at).to_string()).collect()
    }

    #[test]
    fn m111_berlin_skips_an_hour_in_spring() {
        let nightly = ["2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"];
        assert_eq!(runs("30 2 * * *", "2027-03-26T12:00:00Z", 3), nightly);
        let hourly = ["2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"];
        assert_eq!(runs("30 * * * *", "2027-03-28T00:00:00Z", 2), hourly);
    }

    #[test]
    fn m111_berlin_shows_an_hour_twice_in_autumn() {
        let nightly = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        assert_eq!(runs("30 2 * * *", "2026-10-24T12:00:00Z", 2), nightly);
        let hourly = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"];
        assert_eq!(runs("30 * * * *", "2026-10-25T00:00:00Z", 3), hourly);
    }
}
