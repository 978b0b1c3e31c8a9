//! Days and months of UTC as people write them.

use selvedge_primitives_math::bill::Day;
use std::{fmt, ops::Range, str::FromStr};

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The date of a day; `None` beyond the year 9999.
    ///
    /// Howard Hinnant, `chrono`-Compatible Low-Level Date Algorithms: years begin in March, so that the day that is not in every
    /// year is the last one.
    pub fn of(day: Day) -> Option<Self> {
        let days = day.0.checked_add(719_468)?;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let date = Self {
            year: u16::try_from(year).ok().filter(|year| *year <= 9_999)?,
            month: month as u8,
            day: (of_year - (153 * from_march + 2) / 5 + 1) as u8,
        };
        Some(date)
    }

    /// The day of the date.
    pub fn day(self) -> Day {
        let (year, month, day) = (self.year.into(), u64::from(self.month), u64::from(self.day));
        let year: u64 = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (year / 400, year % 400);
        let from_march = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * from_march + 2) / 5 + day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        Day(era * 146_097 + of_era - 719_468)
    }

    fn first(year: u16, month: u8) -> Option<Self> {
        ((1970..=9_999).contains(&year) && (1..=12).contains(&month)).then_some(Self {
            year,
            month,
            day: 1,
        })
    }
}

/// Numbers of fixed width between dashes.
fn numbers<const N: usize>(text: &str, widths: [usize; N]) -> Option<[u16; N]> {
    let mut parts = text.split('-');
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width)?;
        let is_plain = part.bytes().all(|byte| byte.is_ascii_digit());
        *number = part.parse().ok().filter(|_| is_plain)?;
    }
    parts.next().is_none().then_some(numbers)
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let [year, month, day] = numbers(text, [4, 2, 2])?;
            let date = Self {
                day: day as u8,
                ..Self::first(year, month as u8)?
            };
            // A day that its month does not have is another date.
            (day > 0 && Self::of(date.day()) == Some(date)).then_some(date)
        };
        read().ok_or_else(|| format!("{text:?} is not a day: write it as 2026-11-30"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    year: u16,
    month: u8,
}

impl Month {
    /// Its days.
    pub fn days(self) -> Range<Day> {
        let (year, month) = if self.month == 12 {
            (self.year + 1, 1)
        } else {
            (self.year, self.month + 1)
        };
        let first = |year, month| {
            let day = 1;
            Date { year, month, day }.day()
        };
        first(self.year, self.month)..first(year, month)
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let [year, month] = numbers(text, [4, 2])?;
            let Date { year, month, .. } = Date::first(year, month as u8)?;
            Some(Self { year, month })
        };
        read().ok_or_else(|| format!("{text:?} is not a month: write it as 2026-11"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn well_known_days_have_their_numbers() {
        for (text, day) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2026-11-30", 20_787),
            ("2100-03-01", 47_541),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.day(), Day(day), "{text}");
            assert_eq!(Date::of(Day(day)).unwrap().to_string(), text);
        }
    }

    #[test]
    fn months_have_their_lengths() {
        for (text, length) in [
            ("2026-11", 30),
            ("2026-12", 31),
            ("2027-02", 28),
            ("2028-02", 29),
            ("2100-02", 28),
        ] {
            let days = text.parse::<Month>().unwrap().days();
            assert_eq!(days.end.0 - days.start.0, length, "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for bad in [
            "",
            "2026-11",
            "2026-11-31",
            "2027-02-29",
            "2026-00-01",
            "2026-1-01",
            "1969-12-31",
            "2026-11-00",
            "+026-11-01",
            "2026-11-01-",
        ] {
            assert!(bad.parse::<Date>().is_err(), "{bad:?}");
        }
        for bad in ["2026", "2026-13", "2026-11-01", "26-11"] {
            assert!(bad.parse::<Month>().is_err(), "{bad:?}");
        }
        assert_eq!(Date::of(Day(u64::MAX)), None);
    }

    proptest! {
        #[test]
        fn dates_follow_each_other(day in 0u64..2_932_000) {
            let (one, two) = (Date::of(Day(day)).unwrap(), Date::of(Day(day + 1)).unwrap());
            prop_assert_eq!(one.day(), Day(day));
            prop_assert!(one < two);
            prop_assert_eq!(one.to_string().parse(), Ok(one));
        }
    }
}
