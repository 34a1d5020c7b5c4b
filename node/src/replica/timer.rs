//! The moments a replica asks to be woken at.

use tanba_consensus::input::Timeout;
use tanba_ledger::{BlockHash, Height};

/// Why the replica wants to be woken. A timer that is no longer wanted is ignored when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Agreement asked.
    Consensus(Timeout),
    /// A heartbeat may be due at this height.
    Heartbeat(Height),
    /// A proposal's time is near ours now.
    Live(BlockHash),
    /// Ask for a body again.
    Fetch(BlockHash),
    /// Whoever is still behind this height fetches blocks.
    CatchUp(Height),
    /// Ask those again who have not told yet what they remember.
    Recovery,
}
