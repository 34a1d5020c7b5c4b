//! How much a block may hold, and how much a transaction weighs.
//!
//! The full limits decide validity for ever. A *fresh* block of a later view may use less, so that a block too
//! slow for this network's machines shrinks until it is fast enough; the view is no part of a block, so that
//! limit is checked apart, by whoever is asked to vote on a fresh proposal.

use tanba_crypto::{Canonical, Scheme};

use super::InvalidBlock;
use crate::{
    Transaction, View,
    limits::{
        BLOCK_BYTES_MAX, BLOCK_UNITS_MAX, LOADED_VIEW_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_UNITS_MAX,
        TRANSACTIONS_MAX, in_view,
    },
};

/// What a transaction takes of a block's room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Weight {
    /// Canonical bytes.
    pub bytes: u64,
    /// Verification units.
    pub units: u64,
}

impl Weight {
    /// Weighs a transaction whose canonical bytes are at hand.
    pub fn of_bytes(transaction: &Transaction, bytes: &[u8]) -> Weight {
        let units = transaction.approvals.iter().map(|approval| units(approval.key().scheme())).sum();
        Weight { bytes: bytes.len() as u64, units }
    }

    /// Weighs a transaction.
    pub fn of(transaction: &Transaction) -> Weight {
        Weight::of_bytes(transaction, &transaction.to_canonical())
    }
}

/// What checking one signature costs, in verification units ([`BLOCK_UNITS_MAX`]).
const fn units(scheme: Scheme) -> u64 {
    match scheme {
        Scheme::Ed25519 => 1,
        Scheme::Gost256 => 30,
        Scheme::Gost512 => 230,
    }
}

/// What a block may still take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// Canonical bytes.
    pub bytes: u64,
    /// Verification units.
    pub units: u64,
    /// Transactions.
    pub transactions: usize,
}

impl Room {
    /// The room of a fresh block of `view`; view 1 has all that is ever valid, and a view above
    /// [`LOADED_VIEW_MAX`] none.
    pub const fn in_view(view: View) -> Room {
        Room {
            bytes: in_view(BLOCK_BYTES_MAX as u64, TRANSACTION_BYTES_MAX as u64, view.0),
            units: in_view(BLOCK_UNITS_MAX, TRANSACTION_UNITS_MAX, view.0),
            transactions: if view.0 <= LOADED_VIEW_MAX { TRANSACTIONS_MAX } else { 0 },
        }
    }

    /// The room that is left after one more transaction, or `None` if it does not fit.
    pub fn less(self, weight: Weight) -> Option<Room> {
        Some(Room {
            bytes: self.bytes.checked_sub(weight.bytes)?,
            units: self.units.checked_sub(weight.units)?,
            transactions: self.transactions.checked_sub(1)?,
        })
    }
}

/// Whether a fresh block of `view` may hold these transactions. Re-proposals and certified blocks are exempt:
/// for them [`apply`](super::apply()) holds the full limits alone.
pub fn check_room<'a>(
    transactions: impl IntoIterator<Item = &'a Transaction>,
    view: View,
) -> Result<(), InvalidBlock> {
    fit(Room::in_view(view), transactions.into_iter().map(Weight::of))
}

/// Whether transactions of these weights fit into `room` together.
pub(super) fn fit(room: Room, weights: impl IntoIterator<Item = Weight>) -> Result<(), InvalidBlock> {
    let mut left = room;
    for weight in weights {
        left = left.less(weight).ok_or(InvalidBlock::TooLarge {
            bytes_max: room.bytes,
            units_max: room.units,
            transactions_max: room.transactions,
        })?;
    }
    Ok(())
}
