//! The moment at which something is checked: named on the command line, or now.

use tanba_eds::Time;

use crate::clock;

/// Reads `2026-09-01T00:00:00Z`.
pub(super) fn parse_moment(text: &str) -> Result<Time, String> {
    Time::from_text(text).map_err(|_| "a moment is written 2026-09-01T00:00:00Z".to_owned())
}

/// The moment named, or this second.
pub(super) fn or_now(named: Option<Time>) -> Time {
    named.unwrap_or_else(|| Time::from_unix_s((clock::now().0 / 1_000).cast_signed()))
}
