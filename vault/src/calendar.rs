//! Working days, as data: which days of which years are worked is decided by decree every year, so the caller brings
//! them. A day the calendar does not cover gives no deadline at all rather than a wrong one.

use std::collections::BTreeSet;

use crate::{VaultError, name::Time};

const DAY_S: i64 = 24 * 3600;

/// The calendar of a country. Days are counted from 1970-01-01, which was a Thursday.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// The first day it knows.
    pub first: i64,
    /// The last day it knows.
    pub last: i64,
    /// Weekdays that are free: public holidays, and days off moved to them.
    pub free: BTreeSet<i64>,
    /// Saturdays and Sundays that are worked.
    pub worked: BTreeSet<i64>,
    /// What local time is ahead of UTC, in seconds: 18,000 in Kazakhstan since 1 March 2024.
    pub local_ahead_s: i32,
}

impl Calendar {
    /// Whether `day` is worked.
    ///
    /// # Errors
    /// [`VaultError::CalendarEnds`] for a day it does not know.
    pub fn is_worked(&self, day: i64) -> Result<bool, VaultError> {
        if !(self.first..=self.last).contains(&day) {
            return Err(VaultError::CalendarEnds(day));
        }
        // Monday is 0.
        let weekend = (day + 3).rem_euclid(7) >= 5;
        Ok(if weekend { self.worked.contains(&day) } else { !self.free.contains(&day) })
    }

    /// When `days` working days have gone by: the local midnight that ends the last. The day of receipt does not
    /// count.
    ///
    /// # Errors
    /// [`VaultError::CalendarEnds`] if that lies beyond what it knows.
    pub fn deadline(&self, received: Time, days: u32) -> Result<Time, VaultError> {
        let mut day = local_day(received, self.local_ahead_s);
        let mut left = days;
        while left > 0 {
            day += 1;
            left -= u32::from(self.is_worked(day)?);
        }
        let end_s = (day + 1) * DAY_S - i64::from(self.local_ahead_s);
        u64::try_from(end_s).map(Time).map_err(|_| VaultError::CalendarEnds(day))
    }
}

/// The local day of an instant.
pub(crate) fn local_day(at: Time, local_ahead_s: i32) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX).saturating_add(local_ahead_s.into()).div_euclid(DAY_S)
}
