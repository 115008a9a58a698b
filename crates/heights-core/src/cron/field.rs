//! One field of a cron expression: `*/5`, `1-10/3,20`, `MON-FRI`.

use super::{CronError, CronErrorKind, CronField};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A piece of an expression, and how many characters come before it.
pub(super) type Piece<'a> = (usize, &'a str);

/// The values of a field, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    values: u64,
    starts_with_star: bool,
}

/// Says a word like `@daily` in five fields; anything else is left as it is.
pub(super) fn spell_out(text: &str) -> Result<&str, CronError> {
    let word = text.trim();
    match word.to_ascii_lowercase().as_str() {
        "@hourly" => Ok("0 * * * *"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@monthly" => Ok("0 0 1 * *"),
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        unknown if unknown.starts_with('@') => {
            let position = text.chars().take_while(|c| c.is_whitespace()).count();
            Err(CronError { position, kind: CronErrorKind::UnknownWord(word.to_owned()) })
        }
        _ => Ok(text),
    }
}

/// Returns the five fields with their positions.
pub(super) fn split(text: &str) -> Result<[Piece<'_>; 5], CronError> {
    let fields: Vec<_> = pieces((0, text), char::is_whitespace)
        .into_iter()
        .filter(|(_, field)| !field.is_empty())
        .collect();
    fields.try_into().map_err(|fields: Vec<Piece<'_>>| {
        let position = fields.get(5).map_or(text.chars().count(), |(position, _)| *position);
        CronError { position, kind: CronErrorKind::FieldCount(fields.len()) }
    })
}

/// Splits a piece and keeps count of the characters.
fn pieces<'a>((mut position, text): Piece<'a>, at: impl Fn(char) -> bool) -> Vec<Piece<'a>> {
    let piece = |text: &'a str| {
        let piece = (position, text);
        position += text.chars().count() + 1;
        piece
    };
    text.split(at).map(piece).collect()
}

impl Field {
    pub(super) fn parse(field: CronField, piece: Piece<'_>) -> Result<Self, CronError> {
        let mut values = 0;
        for item in pieces(piece, |c| c == ',') {
            values |= item_values(field, item)?;
        }
        if field == CronField::Weekday {
            // Both 0 and 7 are Sunday.
            values |= (values >> 7) & 1;
        }
        Ok(Self { values, starts_with_star: piece.1.starts_with('*') })
    }

    pub(super) fn has(self, value: u8) -> bool {
        self.values & (1 << value) != 0
    }

    pub(super) fn starts_with_star(self) -> bool {
        self.starts_with_star
    }
}

/// Reads `*`, `a`, `a-b`, each with or without `/step`.
fn item_values(field: CronField, (position, text): Piece<'_>) -> Result<u64, CronError> {
    let (span, step) = match text.split_once('/') {
        None => (text, None),
        Some((span, step)) => {
            (span, Some(number(field, (position + span.chars().count() + 1, step))?))
        }
    };
    if step == Some(0) {
        return Err(CronError { position, kind: CronErrorKind::ZeroStep });
    }
    let (start, end) = bounds(field, (position, span), step.is_some())?;
    let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
    Ok((start..=end).step_by(step).fold(0, |values, value| values | 1 << value))
}

/// Reads what comes before a step: one value with a step runs to the end of the field.
fn bounds(
    field: CronField,
    (position, text): Piece<'_>,
    has_step: bool,
) -> Result<(u32, u32), CronError> {
    let (min, max) = field.bounds();
    if text == "*" {
        return Ok((min, max));
    }
    let Some((start, end)) = text.split_once('-') else {
        let only = value(field, (position, text))?;
        return Ok((only, if has_step { max } else { only }));
    };
    let after_dash = position + start.chars().count() + 1;
    let (start, end) = (value(field, (position, start))?, value(field, (after_dash, end))?);
    // A week that ends on Sunday.
    let end = if field == CronField::Weekday && end == 0 && start > 0 { 7 } else { end };
    if start > end {
        return Err(CronError { position, kind: CronErrorKind::Backwards(start, end) });
    }
    Ok((start, end))
}

/// Reads a number or a name and checks that the field has it.
fn value(field: CronField, piece: Piece<'_>) -> Result<u32, CronError> {
    let named = |names: &[&str]| names.iter().position(|name| piece.1.eq_ignore_ascii_case(name));
    let name = match field {
        CronField::Month => named(&MONTHS).map(|index| index + 1),
        CronField::Weekday => named(&WEEKDAYS),
        CronField::Minute | CronField::Hour | CronField::Day => None,
    };
    if let Some(value) = name.and_then(|value| u32::try_from(value).ok()) {
        return Ok(value);
    }
    let value = number(field, piece)?;
    let (min, max) = field.bounds();
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(CronError { position: piece.0, kind: CronErrorKind::OutOfRange(field, value) })
}

fn number(field: CronField, (position, text): Piece<'_>) -> Result<u32, CronError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(number),
        _ => Err(CronError { position, kind: CronErrorKind::NotAValue(field, text.to_owned()) }),
    }
}
