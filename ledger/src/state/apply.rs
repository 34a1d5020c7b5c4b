//! Judges a block: pure, deterministic, and the same on every node for ever. A block is valid as a whole or
//! not at all; one refused transaction makes it invalid.

use tanba_crypto::{Canonical, Hash, Verified, planted};

use super::{BlockState, Delta, Room, Tip, Weight, room::fit};
use crate::{
    Bin, BlockHash, ChainId, Header, Height, Timestamp, Transaction, TransactionId, View,
    block::HEADER_VERSION,
    merkle::{NodeReader, ReadError, tree},
    rules::{CheckError, Context, Refusal, check_transaction},
};

/// Why a block was not applied.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BlockError {
    /// The block is invalid: its proposer is at fault.
    #[error(transparent)]
    Invalid(#[from] InvalidBlock),
    /// The state could not be read: our disk is at fault, and nothing is known about the block.
    #[error("the state could not be read: {0}")]
    Read(#[from] ReadError),
}

/// What is wrong with a block.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidBlock {
    /// Written by other rules than ours.
    #[error("the header has version {0}, this ledger writes {HEADER_VERSION}")]
    Version(u16),
    /// Of another network.
    #[error("the block is of network {found}, this is {expected}")]
    WrongChain {
        /// The network it names.
        found: ChainId,
        /// Ours.
        expected: ChainId,
    },
    /// Not the next block.
    #[error("the block has height {found}, the next is {expected}")]
    WrongHeight {
        /// The height it names.
        found: Height,
        /// The height after the head.
        expected: Height,
    },
    /// It extends another block.
    #[error("the block extends {parent}, the head is {head}")]
    WrongParent {
        /// The block it extends.
        parent: BlockHash,
        /// The head.
        head: BlockHash,
    },
    /// Not later than its parent.
    #[error("the block's time {} ms is not after its parent's {} ms", time.0, parent.0)]
    TimeNotAfterParent {
        /// Its time.
        time: Timestamp,
        /// Its parent's.
        parent: Timestamp,
    },
    /// Empty before a heartbeat is due.
    #[error(
        "the block is empty {elapsed_ms} ms after its parent, a heartbeat is due after {heartbeat_ms} ms"
    )]
    EmptyTooEarly {
        /// Since the parent.
        elapsed_ms: u64,
        /// The parameter.
        heartbeat_ms: u64,
    },
    /// Built by nobody who may.
    #[error("the block names no validator of its height as proposer: {0:?}")]
    ProposerNotValidator(Option<Bin>),
    /// The header counts wrongly.
    #[error("the header counts {found} transactions, there are {expected}")]
    WrongCount {
        /// What the header says.
        found: u32,
        /// How many there are.
        expected: usize,
    },
    /// More than a block may hold.
    #[error(
        "the block exceeds {bytes_max} bytes, {units_max} verification units or {transactions_max} transactions"
    )]
    TooLarge {
        /// Bytes allowed.
        bytes_max: u64,
        /// Units allowed.
        units_max: u64,
        /// Transactions allowed.
        transactions_max: usize,
    },
    /// A root or name in the header is not what follows from parent and transactions.
    #[error("the header's {field} is {found}, it must be {expected}")]
    WrongHash {
        /// Which field.
        field: &'static str,
        /// What the header says.
        found: Hash,
        /// What follows.
        expected: Hash,
    },
    /// A transaction breaks a rule.
    #[error("transaction {index} ({id}) is refused: {refusal}")]
    Refused {
        /// Its place, from 0.
        index: usize,
        /// Its name.
        id: TransactionId,
        /// The rule.
        refusal: Refusal,
    },
}

/// Checks the block of `header` and `transactions` on `parent`, and says what it changes.
///
/// `reader` gives the nodes under `parent`'s roots. Whether the proposer was the leader, and what a fresh
/// proposal may weigh or which time it may bear, are not part of validity: see [`check_room`](super::check_room)
/// and [`check_live`](super::check_live).
pub fn apply(
    header: &Header,
    transactions: &[Verified<Transaction>],
    parent: &Tip,
    reader: &impl NodeReader,
) -> Result<Delta, BlockError> {
    check_header(header, parent)?;
    check_body(header, transactions, parent)?;
    let mut state = BlockState::new(&parent.roots, reader, header.height);
    let context = Context::on(parent, header.time);
    let mut ids = Vec::with_capacity(transactions.len());
    for (index, transaction) in transactions.iter().enumerate() {
        let id = transaction.id();
        match check_transaction(&state, transaction, &context) {
            Ok(changes) => state.write(changes)?,
            Err(CheckError::Refused(refusal)) => {
                return Err(InvalidBlock::Refused { index, id, refusal }.into());
            }
            Err(CheckError::Read(error)) => return Err(error.into()),
        }
        ids.push(id);
    }
    let update = state.finish()?;
    planted!(StateUnchecked => (), same("state", header.state, update.roots.root())?);
    let (validators, params) = (parent.validators.clone(), parent.params.clone());
    Ok(update.into_delta(header.clone(), &parent.history, validators, params, ids))
}

/// The header that a block of these transactions has on `parent`; all that [`apply`] will ask of it, provided
/// time and proposer are good.
pub(super) fn header_on(
    parent: &Tip,
    time: Timestamp,
    proposer: Bin,
    (transactions, count): (Hash, usize),
    state: Hash,
) -> Header {
    let set = parent.validators.hash();
    Header {
        version: HEADER_VERSION,
        chain: parent.chain(),
        height: parent.header.height.next(),
        time,
        parent: parent.hash,
        proposer: Some(proposer),
        transactions,
        count: u32::try_from(count).expect("a block's room bounds its count"),
        state,
        history: parent.history.root(),
        validators: set,
        // No operation of the table changes the set yet.
        next_validators: set,
    }
}

/// All that can be said of a header without its transactions.
fn check_header(header: &Header, parent: &Tip) -> Result<(), InvalidBlock> {
    if header.version != HEADER_VERSION {
        return Err(InvalidBlock::Version(header.version));
    }
    let (chain, height) = (parent.chain(), parent.header.height.next());
    if header.chain != chain {
        return Err(InvalidBlock::WrongChain { found: header.chain, expected: chain });
    }
    if header.height != height {
        return Err(InvalidBlock::WrongHeight { found: header.height, expected: height });
    }
    if header.parent != parent.hash {
        return Err(InvalidBlock::WrongParent { parent: header.parent, head: parent.hash });
    }
    if header.time <= parent.header.time {
        return Err(InvalidBlock::TimeNotAfterParent { time: header.time, parent: parent.header.time });
    }
    let is_validator = |bin: Bin| parent.validators.members().iter().any(|member| member.bin == bin);
    if !header.proposer.is_some_and(is_validator) {
        return Err(InvalidBlock::ProposerNotValidator(header.proposer));
    }
    let set = parent.validators.hash();
    same("history", header.history, parent.history.root())?;
    same("validators", header.validators, set)?;
    same("next_validators", header.next_validators, set)
}

/// Count, room and root of the transactions.
fn check_body(
    header: &Header,
    transactions: &[Verified<Transaction>],
    parent: &Tip,
) -> Result<(), InvalidBlock> {
    if header.count as usize != transactions.len() {
        return Err(InvalidBlock::WrongCount { found: header.count, expected: transactions.len() });
    }
    let elapsed_ms = header.time.saturating_ms_since(parent.header.time);
    if transactions.is_empty() && elapsed_ms < parent.params.heartbeat_ms {
        return Err(InvalidBlock::EmptyTooEarly { elapsed_ms, heartbeat_ms: parent.params.heartbeat_ms });
    }
    let mut weights = Vec::with_capacity(transactions.len());
    let root = tree::root(transactions.iter().map(|transaction| {
        let bytes = transaction.to_canonical();
        weights.push(Weight::of_bytes(transaction, &bytes));
        bytes
    }));
    // The root first: transactions that are not the header's own say nothing about the header.
    same("transactions", header.transactions, root)?;
    fit(Room::in_view(View::FIRST), weights)
}

fn same(field: &'static str, found: Hash, expected: Hash) -> Result<(), InvalidBlock> {
    if found == expected { Ok(()) } else { Err(InvalidBlock::WrongHash { field, found, expected }) }
}
