//! Builds the leader's block from what waits: everything in it will pass [`apply`](super::apply()), and nobody
//! who floods the queue can keep another institution out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tanba_crypto::{Canonical, Verified};

use super::{BlockState, Delta, Room, Tip, Weight, apply::header_on};
use crate::{
    Bin, Block, Timestamp, Transaction, TransactionId,
    merkle::{NodeReader, ReadError, tree},
    rules::{CheckError, Context, Refusal, check_transaction},
};

/// What the leader can propose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// The block and what it changes. `None` if nothing can go in and no heartbeat is due.
    pub block: Option<(Block, Delta)>,
    /// The candidates that are not in it, and why, in the order in which they were tried.
    pub left_out: Vec<(TransactionId, LeftOut)>,
}

/// Why a candidate is not in the block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LeftOut {
    /// It breaks a rule on this parent, after the transactions before it.
    Refused(Refusal),
    /// The block is full; its turn comes with the next one.
    NoRoom,
}

/// Builds a block on `parent` at `time`, at most as large as `room` ([`Room::in_view`]).
///
/// `candidates` come oldest first. Each turn goes to the institution that has the fewest bytes in the block so
/// far, the oldest candidate first among equals; an institution's own candidates keep their order, and once
/// one of them finds no room the rest wait behind it, since they may build on it. Refused candidates are left
/// out and cost nothing.
///
/// Panics unless `time` is after the parent's and `proposer` is a validator: the caller's own mistakes.
pub fn build<'a>(
    parent: &Tip,
    reader: &impl NodeReader,
    time: Timestamp,
    proposer: Bin,
    room: Room,
    candidates: impl IntoIterator<Item = &'a Verified<Transaction>>,
) -> Result<Built, ReadError> {
    assert!(time > parent.header.time, "a block is built after its parent");
    assert!(parent.validators.members().iter().any(|member| member.bin == proposer), "a validator builds");

    let mut state = BlockState::new(&parent.roots, reader, parent.header.height.next());
    let context = Context::on(parent, time);
    let mut queue = Queue::new(candidates);
    let mut left = room;
    let (mut taken, mut bytes_taken, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(turn) = queue.next() {
        let bytes = turn.transaction.to_canonical();
        let weight = Weight::of_bytes(turn.transaction, &bytes);
        let Some(less) = left.less(weight) else {
            left_out.extend(queue.give_up(turn).map(|id| (id, LeftOut::NoRoom)));
            continue;
        };
        match check_transaction(&state, turn.transaction, &context) {
            Ok(changes) => {
                state.write(changes)?;
                left = less;
                taken.push(turn.transaction.clone());
                bytes_taken.push(bytes);
                queue.put_back(turn, weight.bytes);
            }
            Err(CheckError::Refused(refusal)) => {
                left_out.push((turn.transaction.id(), LeftOut::Refused(refusal)));
                queue.put_back(turn, 0);
            }
            Err(CheckError::Read(error)) => return Err(error),
        }
    }

    let elapsed_ms = time.saturating_ms_since(parent.header.time);
    if taken.is_empty() && elapsed_ms < parent.params.heartbeat_ms {
        return Ok(Built { block: None, left_out });
    }
    let update = state.finish()?;
    let transactions = (tree::root(&bytes_taken), taken.len());
    let header = header_on(parent, time, proposer, transactions, update.roots.root());
    let ids = taken.iter().map(|transaction| transaction.id()).collect();
    let (validators, params) = (parent.validators.clone(), parent.params.clone());
    let delta = update.into_delta(header.clone(), &parent.history, validators, params, ids);
    let block = Block { header, transactions: taken.into_iter().map(Verified::into_inner).collect() };
    Ok(Built { block: Some((block, delta)), left_out })
}

/// Whose turn it is: institutions by bytes taken, then by the age of their oldest candidate.
struct Queue<'a> {
    turns: BTreeSet<(u64, usize, Bin)>,
    waiting: BTreeMap<Bin, VecDeque<(usize, &'a Verified<Transaction>)>>,
}

/// One institution's turn, with its oldest candidate.
struct Turn<'a> {
    bin: Bin,
    bytes_taken: u64,
    transaction: &'a Verified<Transaction>,
}

impl<'a> Queue<'a> {
    fn new(candidates: impl IntoIterator<Item = &'a Verified<Transaction>>) -> Queue<'a> {
        let mut waiting: BTreeMap<Bin, VecDeque<_>> = BTreeMap::new();
        for (age, candidate) in candidates.into_iter().enumerate() {
            waiting.entry(candidate.body.institution).or_default().push_back((age, candidate));
        }
        let turns = waiting.iter().filter_map(|(bin, own)| own.front().map(|(age, _)| (0, *age, *bin)));
        Queue { turns: turns.collect(), waiting }
    }

    fn next(&mut self) -> Option<Turn<'a>> {
        let (bytes_taken, _, bin) = self.turns.pop_first()?;
        let own = self.waiting.get_mut(&bin).expect("whose turn it is has candidates");
        let (_, transaction) = own.pop_front().expect("whose turn it is has candidates");
        Some(Turn { bin, bytes_taken, transaction })
    }

    /// Gives the institution its next turn after `bytes` more were taken of it.
    fn put_back(&mut self, turn: Turn<'a>, bytes: u64) {
        if let Some((age, _)) = self.waiting.get(&turn.bin).and_then(VecDeque::front) {
            self.turns.insert((turn.bytes_taken + bytes, *age, turn.bin));
        }
    }

    /// Ends the institution's turns; gives the names of this and all later candidates of it.
    fn give_up(&mut self, turn: Turn<'a>) -> impl Iterator<Item = TransactionId> + use<'a> {
        let rest = self.waiting.remove(&turn.bin).unwrap_or_default();
        std::iter::once(turn.transaction).chain(rest.into_iter().map(|(_, later)| later)).map(|tx| tx.id())
    }
}
