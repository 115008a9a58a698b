//! What can be wrong with a cron expression, and where.

use std::fmt;

/// Says what is wrong with a cron expression and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronError {
    /// How many characters come before the mistake.
    pub position: usize,
    /// What it is.
    pub kind: CronErrorKind,
}

/// Says what is wrong with a cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CronErrorKind {
    /// There are not five fields.
    FieldCount(usize),
    /// There is no such `@` word.
    UnknownWord(String),
    /// This is neither a number nor a name that the field knows.
    NotAValue(CronField, String),
    /// The field has no such value.
    OutOfRange(CronField, u32),
    /// The range ends before it starts.
    Backwards(u32, u32),
    /// A step of zero never gets anywhere.
    ZeroStep,
    /// No month has such a day.
    Never,
}

/// Names a field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CronField {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    Day,
    /// 1 to 12, or the first three letters of its English name.
    Month,
    /// 0 to 7, both ends Sunday, or the first three letters of its English name.
    Weekday,
}

impl CronField {
    pub(super) fn bounds(self) -> (u32, u32) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 7),
        }
    }
}

impl fmt::Display for CronField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of the month",
            Self::Month => "month",
            Self::Weekday => "day of the week",
        })
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read the cron expression at column {}: ", self.position + 1)?;
        match &self.kind {
            CronErrorKind::FieldCount(found) => write!(f, "it has {found} fields instead of five"),
            CronErrorKind::UnknownWord(word) => write!(f, "there is no {word}"),
            CronErrorKind::NotAValue(field, text) => write!(f, "{text:?} is no {field}"),
            CronErrorKind::OutOfRange(field, value) => {
                let (min, max) = field.bounds();
                write!(f, "{value} is no {field}, which is {min} to {max}")
            }
            CronErrorKind::Backwards(start, end) => write!(f, "{start}-{end} runs backwards"),
            CronErrorKind::ZeroStep => f.write_str("a step is at least one"),
            CronErrorKind::Never => f.write_str("no such day ever comes"),
        }
    }
}

impl std::error::Error for CronError {}
