//! Checks which minutes an expression stands for, what is said about bad ones, and set clocks.

use super::*;
use proptest::prelude::*;

fn cron(text: &str) -> Cron {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn at(text: &str) -> Civil {
    let numbers: Vec<_> = text.split(['-', ' ', ':']).collect();
    let number = |index: usize| numbers[index].parse().unwrap();
    let year = numbers[0].parse().unwrap();
    Civil { year, month: number(1), day: number(2), hour: number(3), minute: number(4) }
}

fn show(civil: Civil) -> String {
    let Civil { year, month, day, hour, minute } = civil;
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

fn next(expression: &str, after: &str, count: usize) -> Vec<String> {
    let cron = cron(expression);
    let times = std::iter::successors(Some(at(after)), |after| cron.next_civil(*after));
    times.skip(1).take(count).map(show).collect()
}

#[test]
fn m111_cron_lists_ranges_steps_names_and_words() {
    // A Monday.
    let check = |expression, expected: &[&str]| {
        assert_eq!(next(expression, "2026-11-23 08:30", expected.len()), expected, "{expression}");
    };
    check("30 3 * * *", &["2026-11-24 03:30", "2026-11-25 03:30"]);
    check("*/20 8 * * *", &["2026-11-23 08:40", "2026-11-24 08:00"]);
    check("50/5 * * * *", &["2026-11-23 08:50", "2026-11-23 08:55", "2026-11-23 09:50"]);
    check("0 9-17/4,20 * * *", &["2026-11-23 09:00", "2026-11-23 13:00", "2026-11-23 17:00"]);
    check("0 0 * * sat-Sun", &["2026-11-28 00:00", "2026-11-29 00:00", "2026-12-05 00:00"]);
    check("0 0 * FEB,apr 7", &["2027-02-07 00:00", "2027-02-14 00:00"]);
    check("0 0 29 2 *", &["2028-02-29 00:00", "2032-02-29 00:00"]);
    check("0 0 31 * *", &["2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00"]);
    check("@hourly", &["2026-11-23 09:00", "2026-11-23 10:00"]);
    check(" @Daily ", &["2026-11-24 00:00"]);
    check("@weekly", &["2026-11-29 00:00"]);
    check("@monthly", &["2026-12-01 00:00"]);
    check("@yearly", &["2027-01-01 00:00"]);
}

#[test]
fn m111_two_restricted_day_fields_add_up_and_a_star_does_not_restrict() {
    let friday_or_13th = ["2026-11-27 00:00", "2026-12-04 00:00", "2026-12-11 00:00"];
    assert_eq!(next("0 0 13 * FRI", "2026-11-23 08:30", 3), friday_or_13th);
    assert_eq!(next("0 0 13 * FRI", "2026-12-11 00:00", 1), ["2026-12-13 00:00"]);
    assert_eq!(
        next("0 0 */2 * MON", "2026-11-23 08:30", 2),
        ["2026-12-07 00:00", "2026-12-21 00:00"]
    );
}

#[test]
fn m111_a_bad_cron_expression_says_what_and_where() {
    let check = |expression: &str, expected: &str| {
        assert_eq!(expression.parse::<Cron>().unwrap_err().to_string(), expected, "{expression}");
    };
    let at =
        |column: usize, what: &str| format!("read the cron expression at column {column}: {what}");
    check("", &at(1, "it has 0 fields instead of five"));
    check("* * * *", &at(8, "it has 4 fields instead of five"));
    check("* * * * * 2026", &at(11, "it has 6 fields instead of five"));
    check("61 * * * *", &at(1, "61 is no minute, which is 0 to 59"));
    check("*  24 * * *", &at(4, "24 is no hour, which is 0 to 23"));
    check("0 0 0 * *", &at(5, "0 is no day of the month, which is 1 to 31"));
    check("0 0 * jan,foo *", &at(11, "\"foo\" is no month"));
    check("0 0 * * mon-fry", &at(13, "\"fry\" is no day of the week"));
    check("0 0 1-é * *", &at(7, "\"é\" is no day of the month"));
    check("5-1 * * * *", &at(1, "5-1 runs backwards"));
    check("1,*/0 * * * *", &at(3, "a step is at least one"));
    check("*/x * * * *", &at(3, "\"x\" is no minute"));
    check("+5 * * * *", &at(1, "\"+5\" is no minute"));
    check("0 0 , * *", &at(5, "\"\" is no day of the month"));
    check("0 0 30 2 *", &at(5, "no such day ever comes"));
    check(" @reboot", &at(2, "there is no @reboot"));
}

/// A place whose clock is set from 2:00 to 3:00 at hour 26 and from 3:00 back to 2:00 at hour 50,
/// counted from a midnight in UTC.
struct Setting;

const HOUR: u64 = 3600;

impl Setting {
    fn offset(hour: u64) -> u64 {
        u64::from((26..50).contains(&hour))
    }
}

impl Zone for Setting {
    fn civil(&self, at: Moment) -> Civil {
        let hours = at.as_secs() / HOUR;
        let local = hours + Self::offset(hours);
        let minute = u8::try_from(at.as_secs() % HOUR / 60).unwrap();
        let (day, hour) =
            (u8::try_from(local / 24 + 1).unwrap(), u8::try_from(local % 24).unwrap());
        Civil { year: 1970, month: 1, day, hour, minute }
    }

    fn shown(&self, civil: Civil) -> Shown {
        let hours = u64::from(civil.day - 1) * 24 + u64::from(civil.hour);
        let moment = |hours: u64| Moment::from_secs(hours * HOUR + u64::from(civil.minute) * 60);
        match hours {
            26 => Shown::Skipped(Moment::from_secs(26 * HOUR)),
            50 => Shown::Twice(moment(49), moment(50)),
            27..50 => Shown::Once(moment(hours - 1)),
            _ => Shown::Once(moment(hours)),
        }
    }
}

/// Minutes since the first midnight, and what the clock then shows.
fn runs(expression: &str, from_hour: u64, until_hour: u64) -> Vec<(u64, String)> {
    let (cron, start) = (cron(expression), Moment::from_secs(from_hour * HOUR - 1));
    let times = std::iter::successors(Some(start), |after| cron.next_after(*after, &Setting));
    let until = times.skip(1).take_while(|at| at.as_secs() < until_hour * HOUR);
    until.map(|at| (at.as_secs() / 60, show(Setting.civil(at))[8..].to_owned())).collect()
}

fn owned(runs: &[(u64, &str)]) -> Vec<(u64, String)> {
    runs.iter().map(|(at, shown)| (*at, (*shown).to_owned())).collect()
}

#[test]
fn m111_a_named_hour_that_the_clock_skips_runs_once_when_the_clock_goes_on() {
    assert_eq!(runs("30 2 * * *", 24, 48), owned(&[(26 * 60, "02 03:00")]));
    assert_eq!(runs("*/15 2 * * *", 24, 48), owned(&[(26 * 60, "02 03:00")]));
}

#[test]
fn m111_a_named_hour_that_the_clock_shows_twice_runs_once() {
    assert_eq!(runs("30 2 * * *", 48, 72), owned(&[(49 * 60 + 30, "03 02:30")]));
    assert_eq!(
        runs("0,30 2,3 * * *", 48, 72),
        owned(&[
            (49 * 60, "03 02:00"),
            (49 * 60 + 30, "03 02:30"),
            (51 * 60, "03 03:00"),
            (51 * 60 + 30, "03 03:30"),
        ])
    );
}

#[test]
fn m111_every_hour_is_every_hour_that_passes_whatever_the_clock_shows() {
    let minutes: Vec<_> = runs("0,30 * * * *", 24, 54).into_iter().map(|(at, _)| at).collect();
    let expected: Vec<_> = (24 * 2..54 * 2).map(|half| half * 30).collect();
    assert_eq!(minutes, expected);
}

proptest! {
    /// The next time is the first minute that matches, found by trying them all.
    #[test]
    fn m111_no_minute_is_passed_over(
        minute in 0u8..60, hour in 0u8..24, day in 1u8..29, weekday in 0u8..7, shape in 0usize..5,
    ) {
        let text = match shape {
            0 => format!("{minute} {hour} * * *"),
            1 => format!("{minute} */5 {day} * *"),
            2 => format!("*/7 {hour} * * {weekday}"),
            3 => format!("{minute} {hour} {day} * {weekday}"),
            _ => format!("{minute}-59/13 * * 2,12 *"),
        };
        let cron = cron(&text);
        let start = Civil { year: 2027, month: 1, day, hour, minute };
        let found = cron.next_civil(start).unwrap();
        let mut tried = start.next_minute();
        let matches = |at: Civil| {
            let in_day = match shape {
                0 => true,
                1 => at.day == day,
                2 => at.weekday() == weekday,
                3 => at.day == day || at.weekday() == weekday,
                _ => at.month == 2 || at.month == 12,
            };
            let in_hour = match shape { 1 => at.hour.is_multiple_of(5), 4 => true, _ => at.hour == hour };
            let in_minute = match shape {
                2 => at.minute.is_multiple_of(7),
                4 => at.minute >= minute && (at.minute - minute).is_multiple_of(13),
                _ => at.minute == minute,
            };
            in_day && in_hour && in_minute
        };
        while !matches(tried) {
            tried = tried.next_minute();
        }
        prop_assert_eq!(found, tried);
    }
}
