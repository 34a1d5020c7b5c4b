//! Limits that decide validity, with the reasons that tie them together. No clock: a block that is valid today
//! is valid in ten years. Limits that only protect a node (queues, connections) are the node's own.

/// Validators of one height.
pub const VALIDATORS_MAX: usize = 256;

/// Diplomas in one `Issue`.
pub const ENTRIES_MAX: usize = 1_000;

/// Tokens in one change of standing.
pub const CHANGES_MAX: usize = 1_000;

/// Scopes in one `Issue`.
pub const SCOPES_MAX: usize = 64;

/// Approvals of one transaction.
pub const APPROVALS_MAX: usize = 4;

/// Nodes of one institution.
pub const PEERS_MAX: usize = 16;

/// Below so many entries a batch is small, and its holders must have been told.
pub const SMALL_BATCH: usize = 20;

/// A holder's acts on one token a day.
pub const HOLDER_ACTS_DAILY_MAX: u8 = 4;

/// Canonical bytes of one transaction.
pub const TRANSACTION_BYTES_MAX: usize = 128 * 1024;

/// Transactions of one block.
pub const TRANSACTIONS_MAX: usize = 4_096;

/// Canonical bytes of one block's transactions, together.
pub const BLOCK_BYTES_MAX: usize = 1024 * 1024;

/// Verification units of one block: Ed25519 counts 1, GOST-256 30, GOST-512 230; a unit is about 45 us.
pub const BLOCK_UNITS_MAX: u64 = 2 * TRANSACTIONS_MAX as u64;

/// Verification units of the dearest legal transaction: four GOST-512 approvals.
pub const TRANSACTION_UNITS_MAX: u64 = 230 * APPROVALS_MAX as u64;

/// In views above this one a fresh block is empty: a height that nobody can decide must not fill the validators' disks
/// with what its leaders would put there. Where every view takes its longest wait of 20 s they come after 85 minutes;
/// an empty block is due within the hour that a heartbeat may take.
pub const LOADED_VIEW_MAX: u32 = 256;

/// From a block's time to the expiry of a transaction in it, at most: a day, in milliseconds.
pub const EXPIRY_MS_MAX: u64 = 24 * 3_600_000;

/// A live proposal may lie so far ahead of a validator's clock, in milliseconds.
pub const CLOCK_AHEAD_MS_MAX: u64 = 2_000;

/// A live proposal may lie so far behind a validator's clock, in milliseconds.
pub const CLOCK_BEHIND_MS_MAX: u64 = 30_000;

/// Outside devnets an empty block is due after so long, at least: five minutes, in milliseconds. Heartbeats
/// are kept for ever.
pub const HEARTBEAT_MS_MIN: u64 = 5 * 60_000;

/// Outside devnets a new officer waits so long before the first act, at least: a day, in milliseconds.
pub const OFFICER_DELAY_MS_MIN: u64 = 24 * 3_600_000;

/// A checkpoint older than this proves nothing: 180 days, in milliseconds. Keys retired before may have leaked.
pub const TRUST_PERIOD_MS: u64 = 180 * 24 * 3_600_000;

/// What a fresh block of `view` may use of `limit`: half as much in each further view, but always `room` for
/// the largest legal transaction, so that no legal block is too slow ever to be voted for.
pub const fn in_view(limit: u64, room: u64, view: u32) -> u64 {
    let halvings = view.saturating_sub(1);
    let halved = if halvings < 64 { limit >> halvings } else { 0 };
    if halved > room { halved } else { room }
}

// The largest legal transaction (1,000 entries of 96 bytes, every scope, every approval) fits its limit, and a
// block always has room for one.
const _: () =
    assert!(ENTRIES_MAX * 96 + SCOPES_MAX * 32 + APPROVALS_MAX * 110 + 512 <= TRANSACTION_BYTES_MAX);
const _: () = assert!(TRANSACTION_BYTES_MAX <= BLOCK_BYTES_MAX);
const _: () = assert!(TRANSACTION_UNITS_MAX <= BLOCK_UNITS_MAX);
const _: () = assert!(VALIDATORS_MAX <= u16::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_leaders_of_one_height_may_have_kept_is_bounded() {
        let loaded = 1..=LOADED_VIEW_MAX;
        let bytes = loaded.map(|view| in_view(BLOCK_BYTES_MAX as u64, TRANSACTION_BYTES_MAX as u64, view));
        assert!(bytes.sum::<u64>() < 36 << 20);
    }

    #[test]
    fn later_views_shrink_blocks_but_never_below_one_transaction() {
        let bytes = |view| in_view(BLOCK_BYTES_MAX as u64, TRANSACTION_BYTES_MAX as u64, view);
        assert_eq!(bytes(1), BLOCK_BYTES_MAX as u64);
        assert_eq!(bytes(2), BLOCK_BYTES_MAX as u64 / 2);
        assert_eq!(bytes(u32::MAX), TRANSACTION_BYTES_MAX as u64);
    }
}
