//! Durations, sizes and rates as people write them.

use std::num::NonZeroU32;
use std::time::Duration;

/// Longer durations are refused: adding them to a point in time could overflow.
const MAX_DURATION: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// How a duration is written.
pub(crate) const DURATION_HINT: &str =
    "write whole numbers with d, h, m, s or ms, the largest first";
/// How a size is written.
pub(crate) const SIZE_HINT: &str = "write a whole number with B, KiB, MiB, GiB or TiB";

/// How a number of processors is written.
pub(crate) const PROCESSORS_HINT: &str =
    "write a number such as 2 or 1.5, without quotes: 0.01 at least, three decimals at most";

const DURATION_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const SIZE_UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// So many in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how much time.
    pub per: Duration,
}

/// Reads a duration such as `30s` or `1h30m`: whole numbers with units, the largest first.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("{text:?} is no duration such as 30s, 20m or 1h30m");
    let mut rest = text;
    let mut units = DURATION_UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = leading_number(rest).ok_or_else(expected)?;
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let (_, millis) = units.find(|(name, _)| *name == unit).ok_or_else(expected)?;
        let part = number.checked_mul(*millis).ok_or_else(expected)?;
        total = total.checked_add(part).ok_or_else(expected)?;
        rest = next;
    }
    match Duration::from_millis(total) {
        _ if text.is_empty() => Err(expected()),
        Duration::ZERO => Err(format!("{text:?} is no time at all")),
        duration if duration > MAX_DURATION => Err(format!("{text:?} is longer than ten years")),
        duration => Ok(duration),
    }
}

/// Reads a size in bytes such as `256MiB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let expected = || format!("{text:?} is no size such as 256MiB or 4GiB");
    let (number, unit) = leading_number(text).ok_or_else(expected)?;
    let (_, bytes) = SIZE_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?;
    number.checked_mul(*bytes).ok_or_else(|| format!("{text:?} is more than can be counted"))
}

/// Reads a size in bytes that is more than nothing.
pub(crate) fn some_size(text: &str) -> Result<u64, String> {
    match size(text)? {
        0 => Err(format!("{text:?} is no room at all")),
        bytes => Ok(bytes),
    }
}

/// Reads a rate such as `1/s` or `5000/h`.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    let read = || {
        let (count, unit) = text.split_once('/')?;
        let (_, millis) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
        let (number, "") = leading_number(count)? else { return None };
        let count = NonZeroU32::new(u32::try_from(number).ok()?)?;
        Some(Rate { count, per: Duration::from_millis(*millis) })
    };
    read().ok_or_else(|| format!("{text:?} is no rate such as 1/s or 5000/h"))
}

/// Reads a number of processors such as `1.5`, in thousandths of one; the kernel divides no finer than
/// hundredths.
pub(crate) fn processors(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || !(1..=3).contains(&decimals.len()) {
        return None;
    }
    let whole = whole.parse::<u32>().ok()?.checked_mul(1000)?;
    let thousandths = format!("{decimals:0<3}").parse::<u32>().ok()?;
    whole.checked_add(thousandths).filter(|milli| *milli >= 10)
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        let check = |text, expected: Option<u64>| {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_millis), "{text}");
        };
        check("30s", Some(30_000));
        check("20m", Some(1_200_000));
        check("1h30m", Some(5_400_000));
        check("30d", Some(30 * 86_400_000));
        check("1s500ms", Some(1_500));
        for bad in ["", "30", "s", "1.5h", "30m1h", "1h1h", "0s", "-1s", "1w", "1 h", "1H", " 1h"] {
            check(bad, None);
        }
        check("99999999999999999999s", None);
        check("9999999999999d", None);
        check("3651d", None);
    }

    #[test]
    fn reads_processors() {
        let check = |text, expected| assert_eq!(processors(text), expected, "{text}");
        check("2", Some(2000));
        check("1.5", Some(1500));
        check("0.25", Some(250));
        check("64.125", Some(64_125));
        check("0.01", Some(10));
        for bad in ["", ".", "1.", ".5", "0", "0.001", "1.2345", "-1", "1e3", "inf", "5000000000"] {
            check(bad, None);
        }
    }

    #[test]
    fn reads_sizes() {
        let check = |text, expected| assert_eq!(size(text).ok(), expected, "{text}");
        check("256MiB", Some(256 << 20));
        check("4GiB", Some(4 << 30));
        check("5GB", Some(5_000_000_000));
        check("0B", Some(0));
        assert_eq!((some_size("0KiB").is_ok(), some_size("1B")), (false, Ok(1)));
        for bad in ["", "4", "GiB", "4G", "1.5GiB", "4 GiB", "99999999999TiB", "-1B"] {
            check(bad, None);
        }
    }

    #[test]
    fn reads_rates() {
        let check = |text, expected: Option<(u32, u64)>| {
            let found = rate(text).ok().map(|rate| (rate.count.get(), rate.per.as_secs()));
            assert_eq!(found, expected, "{text}");
        };
        check("1/s", Some((1, 1)));
        check("5000/h", Some((5000, 3600)));
        for bad in ["", "1", "0/s", "1/", "/s", "1/w", "1.5/s", "1/s/s"] {
            check(bad, None);
        }
    }
}
