//! Minutes of the calendar, as a clock on the wall shows them.

/// A minute of the Gregorian calendar, in no zone in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Civil {
    /// The year.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
}

impl Civil {
    /// Returns the day of the week; Sunday is 0.
    pub fn weekday(self) -> u8 {
        // How far the first of each month is ahead of a Sunday in a year that starts in March, so
        // that a leap day comes last.
        const AHEAD: [i32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = i32::from(self.year) - i32::from(self.month < 3);
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let ahead = AHEAD[usize::from(self.month - 1)];
        let days = year + leap_days + ahead + i32::from(self.day);
        u8::try_from(days.rem_euclid(7)).expect("a remainder of seven is small")
    }

    pub(crate) fn next_minute(self) -> Self {
        if self.minute < 59 { Self { minute: self.minute + 1, ..self } } else { self.next_hour() }
    }

    pub(crate) fn next_hour(self) -> Self {
        let hour = Self { minute: 0, ..self };
        if self.hour < 23 { Self { hour: self.hour + 1, ..hour } } else { self.next_day() }
    }

    pub(crate) fn next_day(self) -> Self {
        let midnight = Self { hour: 0, minute: 0, ..self };
        if self.day < days_in(self.year, self.month) {
            Self { day: self.day + 1, ..midnight }
        } else {
            self.next_month()
        }
    }

    pub(crate) fn next_month(self) -> Self {
        let first = Self { day: 1, hour: 0, minute: 0, ..self };
        if self.month < 12 {
            Self { month: self.month + 1, ..first }
        } else {
            Self { year: self.year.saturating_add(1), month: 1, ..first }
        }
    }
}

fn days_in(year: i16, month: u8) -> u8 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i16, month: u8, day: u8) -> Civil {
        Civil { year, month, day, hour: 0, minute: 0 }
    }

    #[test]
    fn knows_the_days_of_the_week_over_leap_days_and_centuries() {
        let known = [(1970, 1, 1, 4), (2000, 2, 29, 2), (2000, 3, 1, 3), (2026, 11, 23, 1)];
        for (year, month, date, weekday) in known {
            assert_eq!(day(year, month, date).weekday(), weekday, "{year}-{month}-{date}");
        }
    }

    #[test]
    fn a_week_later_is_the_same_day_of_the_week_for_four_centuries() {
        let (mut date, mut weekday) = (day(1900, 1, 1), 1);
        while date.year < 2300 {
            assert_eq!(date.weekday(), weekday, "{date:?}");
            (date, weekday) = (date.next_day(), (weekday + 1) % 7);
        }
    }

    #[test]
    fn the_last_minute_of_a_year_is_followed_by_the_first_of_the_next() {
        let last = Civil { year: 2027, month: 12, day: 31, hour: 23, minute: 59 };
        assert_eq!(last.next_minute(), day(2028, 1, 1));
        assert_eq!(day(2028, 2, 29).next_day(), day(2028, 3, 1));
        assert_eq!(day(2100, 2, 28).next_day(), day(2100, 3, 1));
    }
}
