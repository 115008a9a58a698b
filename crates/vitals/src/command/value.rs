//! The values that options take.

use std::time::Duration;

use clap::ValueEnum;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people; lines of lists are cut at the width of a terminal.
    Table,
    /// For people, nothing is cut.
    Wide,
    /// For programs: one document.
    Json,
    /// For programs: one document a line, for lists one a row.
    Jsonl,
    /// Only the names, one a line, for lists.
    Name,
}

impl Format {
    /// Returns the word that stands for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Name => "name",
        }
    }
}

/// When to color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Coloring {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

/// What the busiest actors have most of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Messages that wait.
    Mailbox,
    /// Time in the current message; with --window, the part of it spent in handlers.
    Busy,
    /// Messages handled in a second.
    Rate,
    /// Time that the oldest message has waited.
    Wait,
    /// Restarts.
    Restarts,
    /// Youth: the latest started first.
    Age,
}

/// Reads a time: a number, and a unit that may be left out for seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time such as 250ms, 5s, 2m or 1h".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let seconds = match &text[digits.len()..] {
        "ms" => number / 1_000.0,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3_600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// Reads a pace, `50/s` or `50`: so many in a second.
pub fn pace(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    number.parse().map_err(|_| "expected a pace such as 50/s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_seconds_need_none() {
        assert_eq!(time("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(time("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["soon", "-1", "5x", "", "s", "1e999"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pace_is_per_second() {
        assert_eq!((pace("50/s"), pace("7")), (Ok(50), Ok(7)));
        for wrong in ["", "/s", "-1/s", "5/m", "many"] {
            assert!(pace(wrong).is_err(), "{wrong}");
        }
    }
}
