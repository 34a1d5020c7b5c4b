//! The one rule that looks at a clock. It is asked only about a *fresh live* proposal, decides only our own
//! vote, and never whether a block is valid: re-proposals and catch-up do not come here.

use super::Tip;
use crate::{
    Header, Timestamp,
    limits::{CLOCK_AHEAD_MS_MAX, CLOCK_BEHIND_MS_MAX},
};

/// Whether a fresh proposal's time lets us vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Live {
    /// Vote now.
    Now,
    /// The proposer's clock is ahead of ours: hold the vote until our clock shows this moment.
    HoldUntil(Timestamp),
    /// The time lies too far in the past: refuse.
    Stale {
        /// The earliest time we would have voted for.
        earliest: Timestamp,
    },
}

/// Compares a fresh proposal's time with our clock.
///
/// The time may lie [`CLOCK_AHEAD_MS_MAX`] ahead and [`CLOCK_BEHIND_MS_MAX`] behind. One millisecond after the
/// parent is always good enough: if the parent's own time ran ahead of all clocks, nothing earlier is valid.
pub fn check_live(header: &Header, parent: &Tip, now: Timestamp) -> Live {
    let soonest = parent.header.time.saturating_add_ms(1);
    let earliest = Timestamp(now.0.saturating_sub(CLOCK_BEHIND_MS_MAX)).max(soonest);
    let latest = now.saturating_add_ms(CLOCK_AHEAD_MS_MAX).max(soonest);
    if header.time < earliest {
        Live::Stale { earliest }
    } else if header.time > latest {
        Live::HoldUntil(Timestamp(header.time.0.saturating_sub(CLOCK_AHEAD_MS_MAX)))
    } else {
        Live::Now
    }
}
