//! Moments and durations, for programs and for people.

use std::time::{Duration, SystemTime};

use ci_domain::forge::Timestamp;
use ci_github::TimestampParser;
use ci_store::Stamp;

/// Milliseconds since 1970; a clock before that counts as 1970.
pub(crate) fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A duration in milliseconds.
pub(crate) fn duration_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A moment for people, such as `2026-01-31 10:15:00 UTC`.
pub(crate) fn date(at_ms: u64) -> String {
    let text = TimestampParser::format(Timestamp(at_ms / 1000));
    text.replace('T', " ").replace('Z', " UTC")
}

/// The time of the day, in UTC, such as `10:15:00`.
pub(crate) fn clock(at_ms: u64) -> String {
    let seconds = at_ms / 1000 % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The present moment, as an export names it.
pub(crate) fn stamp() -> Stamp {
    let text = TimestampParser::format(Timestamp(millis(SystemTime::now()) / 1000));
    let digits: String = text.chars().filter(|char| !matches!(char, '-' | ':')).collect();
    Stamp::new(digits).expect("a moment without its punctuation is a stamp")
}

/// A duration for people: two units at most, and no more digits than they read.
pub(crate) fn words(duration_ms: u64) -> String {
    let seconds = duration_ms / 1000;
    match seconds {
        0 => format!("{duration_ms} ms"),
        1..60 => format!("{seconds}.{} s", duration_ms % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let check = |millis, expected| assert_eq!(words(millis), expected);
        check(0, "0 ms");
        check(999, "999 ms");
        check(3_270, "3.2 s");
        check(61_000, "1 min 1 s");
        check(7_260_000, "2 h 1 min");
        check(90_000_000, "1 d 1 h");
    }

    #[test]
    fn a_moment_is_a_date_and_a_stamp() {
        assert_eq!(date(1_769_854_500_123), "2026-01-31 10:15:00 UTC");
        assert_eq!(stamp().as_str().len(), "20260131T101500Z".len());
    }
}
