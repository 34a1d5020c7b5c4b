//! The small words of the ledger: numbers and names that must never be mixed up, each a type of its own.

use std::fmt;

use tanba_crypto::{
    Hash,
    canonical::{Decode, Encode},
};

/// A block's number. Genesis is 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode)]
pub struct Height(pub u64);

impl Height {
    /// The height of genesis.
    pub const GENESIS: Height = Height(0);

    /// The next height. Panics at `u64::MAX`, which no chain reaches.
    pub fn next(self) -> Height {
        Height(self.0.checked_add(1).expect("heights do not run out"))
    }

    /// The height before, or `None` at genesis.
    pub fn previous(self) -> Option<Height> {
        self.0.checked_sub(1).map(Height)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An attempt to agree within one height. Starts at 1; 0 means "no view".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode)]
pub struct View(pub u32);

impl View {
    /// No view: the parent view of a fresh proposal.
    pub const NONE: View = View(0);
    /// The first view of a height.
    pub const FIRST: View = View(1);

    /// The next view. Panics at `u32::MAX`; callers refuse views above their window long before.
    pub fn next(self) -> View {
        View(self.0.checked_add(1).expect("views do not run out"))
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A moment: milliseconds since 1970-01-01T00:00:00Z. On the ledger it comes from blocks, never from a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This moment plus `ms` milliseconds; stays at the end of time instead of wrapping.
    pub fn saturating_add_ms(self, ms: u64) -> Timestamp {
        Timestamp(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment, 0 if it is not earlier.
    pub fn saturating_ms_since(self, earlier: Timestamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The civil day in Kazakhstan (UTC+5 throughout since 1 March 2024).
    pub fn day(self) -> Day {
        const FIVE_HOURS_MS: u64 = 5 * 3_600_000;
        const DAY_MS: u64 = 24 * 3_600_000;
        Day((self.0.saturating_add(FIVE_HOURS_MS) / DAY_MS).min(u64::from(u32::MAX)) as u32)
    }
}

/// A civil day: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode)]
pub struct Day(pub u32);

impl Day {
    /// The day of a Gregorian date, or `None` if there is no such date between 1970 and 9999.
    pub fn from_date(year: u16, month: u8, day: u8) -> Option<Day> {
        let month_of = Month::new(year, month)?;
        let first = month_of.first_day();
        let candidate = Day(first.0 + u32::from(day).checked_sub(1)?);
        (candidate <= month_of.last_day()).then_some(candidate)
    }

    /// Year, month and day of the Gregorian calendar.
    pub fn date(self) -> (u16, u8, u8) {
        // Civil-from-days over 400-year eras that begin on 1 March.
        let z = u64::from(self.0) + 719_468;
        let (era, of_era) = (z / 146_097, z % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u8;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u8;
        let year = (year_of_era + era * 400 + u64::from(month <= 2)) as u16;
        (year, month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A calendar month: `year * 12 + (month - 1)`. Diplomas carry their month of award, not their day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode)]
pub struct Month(u32);

impl Month {
    /// A month between January 1970 and December 9999, month counted from 1.
    pub fn new(year: u16, month: u8) -> Option<Month> {
        ((1970..=9999).contains(&year) && (1..=12).contains(&month))
            .then(|| Month(u32::from(year) * 12 + u32::from(month) - 1))
    }

    /// Its first day.
    pub fn first_day(self) -> Day {
        // Days-from-civil over 400-year eras that begin on 1 March.
        let (year, month) = (u64::from(self.0 / 12), u64::from(self.0 % 12 + 1));
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (shifted_year / 400, shifted_year % 400);
        let shifted_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted_month + 2) / 5;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Day((era * 146_097 + day_of_era - 719_468) as u32)
    }

    /// Its last day.
    pub fn last_day(self) -> Day {
        Day(Month(self.0 + 1).first_day().0 - 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

tanba_crypto::canonical_checked!(
    Month,
    u32,
    |months| Month::new(u16::try_from(months / 12).ok()?, (months % 12 + 1) as u8),
    "no such month"
);

/// Why a text is not a BIN.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BinError {
    /// Not 12 decimal digits.
    #[error("a BIN has 12 digits")]
    Digits,
    /// The twelfth digit does not follow from the first eleven.
    #[error("the control digit of the BIN is wrong: a digit is mistyped")]
    Control,
}

/// A business identification number: the 12 digits that name a legal person in Kazakhstan. Public.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
pub struct Bin(u64);

impl Bin {
    /// Reads 12 digits and checks the control digit.
    pub fn parse(text: &str) -> Result<Bin, BinError> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BinError::Digits);
        }
        Bin::from_number(text.parse().map_err(|_| BinError::Digits)?)
    }

    /// The BIN whose first eleven digits are `prefix`, or `None` where no control digit exists for them.
    pub fn with_control_digit(prefix: u64) -> Option<Bin> {
        if prefix >= 100_000_000_000 {
            return None;
        }
        let control = control_digit(prefix)?;
        Some(Bin(prefix * 10 + control))
    }

    fn from_number(number: u64) -> Result<Bin, BinError> {
        if number >= 1_000_000_000_000 {
            return Err(BinError::Digits);
        }
        if control_digit(number / 10) != Some(number % 10) {
            return Err(BinError::Control);
        }
        Ok(Bin(number))
    }

    /// The twelve digits as a number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Weights 1 to 11 modulo 11; where that gives 10, weights 3 to 11, 1, 2; where that gives 10 too, no number
/// is assigned. The rule of IIN and BIN (Government Decree 853 of 22 May 2007 and its successors).
fn control_digit(eleven_digits: u64) -> Option<u64> {
    let digit = |i: u32| eleven_digits / 10u64.pow(10 - i) % 10;
    let sum = |shift: u64| (0..11).map(|i| digit(i) * ((u64::from(i) + shift) % 11 + 1)).sum::<u64>() % 11;
    [sum(0), sum(2)].into_iter().find(|s| *s < 10)
}

tanba_crypto::canonical_checked!(Bin, u64, |number| Bin::from_number(number).ok(), "not a BIN");

impl fmt::Display for Bin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for Bin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// F: the salted fingerprint of a diploma. With the issuer's BIN it names a token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Fingerprint(pub Hash);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The code of an educational programme, as the ministry's classifier writes it (`6B06101`): 1 to 16 of
/// `A-Z`, `0-9`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode)]
pub struct Programme(String);

impl Programme {
    /// Checks length and alphabet.
    pub fn new(code: &str) -> Option<Programme> {
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        ((1..=16).contains(&code.len()) && code.bytes().all(allowed)).then(|| Programme(code.to_owned()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

tanba_crypto::canonical_checked!(Programme, String, |code| Programme::new(&code), "not a programme code");

/// A level of the national qualifications framework, 5 to 8: 6 bachelor, 7 master, 8 doctor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode)]
pub struct Level(u8);

impl Level {
    /// A level between 5 and 8.
    pub fn new(level: u8) -> Option<Level> {
        (5..=8).contains(&level).then_some(Level(level))
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

tanba_crypto::canonical_checked!(Level, u8, Level::new, "no such level");

/// What an accreditation covers: one programme at one level.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Scope {
    /// The programme.
    pub programme: Programme,
    /// The level.
    pub level: Level,
}

#[cfg(test)]
mod tests {
    use tanba_crypto::Canonical;

    use super::*;

    #[test]
    fn a_bin_with_a_mistyped_digit_is_refused() {
        // The BIN of the national certification authority's operator, from its public certificates' OU.
        let bin = Bin::with_control_digit(12_345_678_901).expect("has a control digit");
        assert_eq!(Bin::parse(&bin.to_string()), Ok(bin));
        let mistyped = format!("{:012}", bin.number() + 100_000);
        assert_eq!(Bin::parse(&mistyped), Err(BinError::Control));
        assert_eq!(Bin::parse("12345"), Err(BinError::Digits));
        assert_eq!(Bin::parse("12345678901a"), Err(BinError::Digits));
    }

    #[test]
    fn bytes_that_are_no_bin_do_not_decode() {
        let bin = Bin::with_control_digit(12_345_678_901).expect("has a control digit");
        assert_eq!(Bin::from_canonical(&bin.to_canonical(), 8), Ok(bin));
        assert!(Bin::from_canonical(&(bin.number() + 1).to_canonical(), 8).is_err());
        assert!(Bin::from_canonical(&u64::MAX.to_canonical(), 8).is_err());
    }

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(Day::from_date(1970, 1, 1), Some(Day(0)));
        assert_eq!(Day::from_date(2026, 6, 30), Some(Day(20_634)));
        assert_eq!(Day(20_634).to_string(), "2026-06-30");
        assert_eq!(Day::from_date(2024, 2, 29).map(Day::date), Some((2024, 2, 29)));
        assert_eq!(Day::from_date(2026, 2, 29), None);
        assert_eq!(Day::from_date(2026, 4, 0), None);
        for day in (0..100_000).step_by(13) {
            let (year, month, of_month) = Day(day).date();
            assert_eq!(Day::from_date(year, month, of_month), Some(Day(day)));
        }
    }

    #[test]
    fn a_day_in_kazakhstan_begins_five_hours_before_utc() {
        let midnight_utc = Timestamp(20_634 * 86_400_000);
        assert_eq!(midnight_utc.day(), Day(20_634));
        assert_eq!(Timestamp(midnight_utc.0 - 5 * 3_600_000).day(), Day(20_634));
        assert_eq!(Timestamp(midnight_utc.0 - 5 * 3_600_000 - 1).day(), Day(20_633));
    }

    #[test]
    fn months_outside_the_calendar_do_not_exist() {
        assert_eq!(Month::new(2026, 13), None);
        assert_eq!(Month::new(1969, 12), None);
        let june = Month::new(2026, 6).expect("June");
        assert_eq!(
            (june.first_day().to_string(), june.last_day().to_string()),
            ("2026-06-01".into(), "2026-06-30".into())
        );
        assert!(Month::from_canonical(&u32::MAX.to_canonical(), 4).is_err());
    }
}
