//! The only reader of the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use tanba_ledger::Timestamp;

/// The time now. A clock set before 1970 reads as 1970: blocks of such a node are refused by all others.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
