//! Moments in whole seconds of UTC, and the two texts that DER has for them. There is no clock here: the moment that
//! counts as now comes in as an argument.

use std::fmt;

use crate::Error;

const DAY_S: i64 = 86_400;

/// A moment: seconds since 1970-01-01 00:00:00 UTC, from the year 1950 through 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// 1950-01-01 00:00:00, where UTCTime begins (RFC 5280, section 4.1.2.5.1).
    pub const MIN: Time = Time(-631_152_000);
    /// 2050-01-01 00:00:00, where GeneralizedTime takes over.
    pub const YEAR_2050: Time = Time(2_524_608_000);
    /// 9999-12-31 23:59:59.
    pub const MAX: Time = Time(253_402_300_799);

    /// The moment `seconds` after 1970; the nearest one in range where it lies outside.
    pub const fn from_unix_s(seconds: i64) -> Time {
        if seconds < Time::MIN.0 {
            Time::MIN
        } else if seconds > Time::MAX.0 {
            Time::MAX
        } else {
            Time(seconds)
        }
    }

    /// Seconds since 1970.
    pub const fn unix_s(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later, or earlier if negative.
    pub const fn plus_s(self, seconds: i64) -> Time {
        Time::from_unix_s(self.0.saturating_add(seconds))
    }

    /// Reads `YYYY-MM-DDTHH:MM:SSZ`, as [`Time`] prints it.
    pub fn from_text(text: &str) -> Result<Time, Error> {
        let bytes = text.as_bytes();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
        if bytes.len() != 20 || marks.iter().any(|(at, mark)| bytes[*at] != *mark) {
            return Err(Error::DerTime);
        }
        let digits: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_digit).collect();
        Time::from_digits(&digits)
    }

    /// `YYMMDDHHMMSSZ`, of the years 1950 to 2049 (RFC 5280, section 4.1.2.5.1).
    pub(crate) fn from_utc_time(content: &[u8]) -> Result<Time, Error> {
        let [digits @ .., b'Z'] = content else { return Err(Error::DerTime) };
        let century: &[u8] = if digits.first().is_some_and(|first| *first >= b'5') { b"19" } else { b"20" };
        Time::from_digits(&[century, digits].concat())
    }

    /// `YYYYMMDDHHMMSSZ` (RFC 5280, section 4.1.2.5.2).
    pub(crate) fn from_generalized_time(content: &[u8]) -> Result<Time, Error> {
        let [digits @ .., b'Z'] = content else { return Err(Error::DerTime) };
        Time::from_digits(digits)
    }

    /// `YYYYMMDDHHMMSS`. There is no second 60: the authority's clocks do not write one.
    fn from_digits(digits: &[u8]) -> Result<Time, Error> {
        if digits.len() != 14 || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Error::DerTime);
        }
        let number = |from: usize, to: usize| {
            digits[from..to].iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
        };
        let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
        let (hour, minute, second) = (number(8, 10), number(10, 12), number(12, 14));
        let days = days_from_date(year, month, day);
        let is_date = (1..=12).contains(&month) && day >= 1 && date_from_days(days) == (year, month, day);
        if !is_date || year < 1950 || hour > 23 || minute > 59 || second > 59 {
            return Err(Error::DerTime);
        }
        Ok(Time(days * DAY_S + hour * 3600 + minute * 60 + second))
    }

    /// `YYYYMMDDHHMMSSZ`.
    pub(crate) fn to_generalized_time(self) -> String {
        self.to_string().chars().filter(|c| !"-:T".contains(*c)).collect()
    }
}

/// Days since 1970 of a date of the Gregorian calendar (counted in years from March, with eras of 400).
fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day since 1970.
fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_from_days(self.0.div_euclid(DAY_S));
        let second = self.0.rem_euclid(DAY_S);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_moments_and_back() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-11-23T16:43:19Z", 1_795_452_199),
            ("1950-01-01T00:00:00Z", Time::MIN.0),
            ("2050-01-01T00:00:00Z", Time::YEAR_2050.0),
            ("9999-12-31T23:59:59Z", Time::MAX.0),
        ] {
            assert_eq!(Time::from_text(text), Ok(Time(seconds)), "{text}");
            assert_eq!(Time(seconds).to_string(), text);
        }
        assert_eq!(Time::from_utc_time(b"500101000000Z"), Ok(Time::MIN));
        assert_eq!(Time::from_utc_time(b"491231235959Z"), Ok(Time(Time::YEAR_2050.0 - 1)));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for bad in [
            "230229000000Z",
            "231301000000Z",
            "230100000000Z",
            "230101240000Z",
            "230101006000Z",
            "230101000060Z",
            "2301010000Z",
            "230101000000",
            "230101000000+0000",
            "23 101000000Z",
            "",
        ] {
            assert_eq!(Time::from_utc_time(bad.as_bytes()), Err(Error::DerTime), "{bad}");
        }
    }
}
