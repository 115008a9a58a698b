//! Moments as GitHub writes them, `2026-01-31T12:00:00Z`, and the present one.

use std::time::SystemTime;

use ci_domain::forge::Timestamp;

/// Reads and writes RFC 3339 moments.
#[derive(Clone, Copy, Debug)]
pub struct TimestampParser;

/// A text that is not a moment since 1970.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {text:?} as an RFC 3339 time since 1970")]
pub struct InvalidTimestamp {
    /// The text as it came.
    pub text: String,
}

impl TimestampParser {
    /// Reads a moment; fractions of a second are dropped.
    ///
    /// # Errors
    /// `text` is no RFC 3339 time, or lies before 1970.
    pub fn parse(text: &str) -> Result<Timestamp, InvalidTimestamp> {
        let invalid = || InvalidTimestamp { text: text.chars().take(40).collect() };
        let moment: jiff::Timestamp = text.parse().map_err(|_| invalid())?;
        u64::try_from(moment.as_second()).map(Timestamp).map_err(|_| invalid())
    }

    /// Writes a moment in UTC, to the second. Moments after the year 9999 are written as its end.
    #[must_use]
    pub fn format(timestamp: Timestamp) -> String {
        let seconds = i64::try_from(timestamp.0).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds)
            .unwrap_or(jiff::Timestamp::MAX)
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    }
}

/// The time by this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since_1970.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_any_zone() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-31T12:00:00Z", 1_769_860_800),
            ("2026-01-31T13:00:00.789+01:00", 1_769_860_800),
        ] {
            assert_eq!(TimestampParser::parse(text), Ok(Timestamp(seconds)), "{text}");
        }
        for text in ["", "yesterday", "1969-12-31T23:59:59Z", "2026-01-31", "2026-13-01T00:00:00Z"]
        {
            assert!(TimestampParser::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_written_in_utc() {
        assert_eq!(TimestampParser::format(Timestamp(1_769_860_800)), "2026-01-31T12:00:00Z");
        assert!(TimestampParser::format(Timestamp(u64::MAX)).starts_with("9999-12-3"));
    }
}
