//! Blocks that agreement asks about before they are decided: what is known of each, and what is missing.

use std::collections::{BTreeMap, BTreeSet};

use tanba_consensus::input::Purpose;
use tanba_crypto::{Hash, PublicKey, Verified};
use tanba_ledger::{
    Block, BlockHash, Header, Transaction, View,
    state::{Delta, InvalidBlock},
};

use super::{event::RequestId, mempool::Mempool};
use crate::message::Outline;

/// Blocks kept in memory for one height, beside those that agreement waits for. Honest leaders propose one a view; more
/// come from dishonest ones. What was forgotten is taken from the journal or a peer again if it is ever needed.
pub(crate) const BLOCKS_MAX: usize = 16;

/// What is known of one block.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    outline: Option<Outline>,
    transactions: Vec<Option<Verified<Transaction>>>,
    outline_refused: bool,
    /// What came of applying it; `None` before its body is complete.
    pub(crate) judged: Option<Result<Delta, InvalidBlock>>,
    /// What agreement wants to know of it.
    pub(crate) purposes: BTreeSet<Purpose>,
    /// Who should have the body.
    pub(crate) holders: Vec<PublicKey>,
    /// How often a holder was asked.
    pub(crate) asked: usize,
    /// The question under way.
    pub(crate) request: Option<RequestId>,
    /// When it was last needed, by the count of such moments; 0 if it never was.
    needed: u64,
}

impl Pending {
    /// The header, once it is known.
    pub(crate) fn header(&self) -> Option<&Header> {
        self.outline.as_ref().map(|outline| &outline.header)
    }

    /// Header and names of the transactions, for a proposal.
    pub(crate) fn outline(&self) -> Option<&Outline> {
        self.outline.as_ref()
    }

    /// Takes the outline, unless one is known or was found wrong. The caller has seen that the header hashes to
    /// the block; that the names are the block's own, nobody knows before it is judged.
    pub(crate) fn set_outline(&mut self, outline: Outline) {
        if self.outline.is_none() && !self.outline_refused {
            self.transactions = vec![None; outline.transactions.len()];
            self.outline = Some(outline);
        }
    }

    /// Takes a whole body.
    pub(crate) fn set_body(&mut self, header: Header, transactions: Vec<Verified<Transaction>>) {
        let names = transactions.iter().map(|transaction| transaction.bytes_hash()).collect();
        self.outline = Some(Outline { header, transactions: names });
        self.transactions = transactions.into_iter().map(Some).collect();
    }

    /// Forgets a body that is not the block's own; from now on only a whole one is taken.
    pub(crate) fn clear_body(&mut self) {
        self.outline = None;
        self.transactions.clear();
        self.outline_refused = true;
    }

    /// Takes what waits here already.
    pub(crate) fn fill_from(&mut self, mempool: &Mempool) {
        let Some(outline) = &self.outline else { return };
        for (slot, name) in self.transactions.iter_mut().zip(&outline.transactions) {
            if slot.is_none() {
                *slot = mempool.by_bytes(name).map(|waiting| (*waiting.transaction).clone());
            }
        }
    }

    /// Takes what a peer gave.
    pub(crate) fn fill_with(&mut self, given: Vec<Verified<Transaction>>) {
        let Some(outline) = &self.outline else { return };
        let mut by_name: BTreeMap<Hash, Verified<Transaction>> =
            given.into_iter().map(|transaction| (transaction.bytes_hash(), transaction)).collect();
        for (slot, name) in self.transactions.iter_mut().zip(&outline.transactions) {
            if slot.is_none() {
                *slot = by_name.remove(name);
            }
        }
    }

    /// The names of the transactions that are missing; empty without an outline too.
    pub(crate) fn missing(&self) -> Vec<Hash> {
        let Some(outline) = &self.outline else { return Vec::new() };
        let missing = self.transactions.iter().zip(&outline.transactions).filter(|(held, _)| held.is_none());
        missing.map(|(_, name)| *name).collect()
    }

    /// Whether nobody waits for anything of it.
    fn is_idle(&self) -> bool {
        self.purposes.is_empty() && self.request.is_none()
    }

    /// Header and transactions, once all are there.
    pub(crate) fn body(&self) -> Option<(Header, Vec<Verified<Transaction>>)> {
        let header = self.header()?.clone();
        let transactions = self.transactions.iter().cloned().collect::<Option<Vec<_>>>()?;
        Some((header, transactions))
    }

    /// The whole block, once all of it is there.
    pub(crate) fn block(&self) -> Option<Block> {
        let (header, transactions) = self.body()?;
        Some(Block { header, transactions: transactions.into_iter().map(Verified::into_inner).collect() })
    }

    /// Those of `names` that are held, for a peer that pulls.
    pub(crate) fn held(&self, names: &[Hash]) -> Vec<Transaction> {
        let Some(outline) = &self.outline else { return Vec::new() };
        let wanted: BTreeSet<&Hash> = names.iter().collect();
        let held = self.transactions.iter().zip(&outline.transactions);
        held.filter(|(_, name)| wanted.contains(name))
            .filter_map(|(transaction, _)| transaction.clone().map(Verified::into_inner))
            .collect()
    }
}

/// The blocks of the present height.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pending: BTreeMap<BlockHash, Pending>,
    /// How often agreement needed one.
    needs: u64,
}

impl Blocks {
    /// What is known of a block.
    pub(crate) fn get(&self, block: &BlockHash) -> Option<&Pending> {
        self.pending.get(block)
    }

    /// What is known of a block, to add to it.
    pub(crate) fn get_mut(&mut self, block: &BlockHash) -> Option<&mut Pending> {
        self.pending.get_mut(block)
    }

    /// How many are in memory.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Notes the outline that came with a leader's signed proposal. Dropped if it is another block's, or if
    /// there is no room beside those that were needed; whoever needs that one fetches it.
    pub(crate) fn note(&mut self, block: BlockHash, outline: Outline) {
        if outline.header.hash() != block {
            return;
        }
        self.make_room(&block, |pending| pending.needed == 0);
        if self.pending.contains_key(&block) || self.pending.len() < BLOCKS_MAX {
            self.pending.entry(block).or_default().set_outline(outline);
        }
    }

    /// A block that agreement needs: there is always room for it.
    pub(crate) fn wanted(&mut self, block: BlockHash) -> &mut Pending {
        self.make_room(&block, Pending::is_idle);
        self.needs += 1;
        let pending = self.pending.entry(block).or_default();
        pending.needed = self.needs;
        pending
    }

    /// Forgets those that may be forgotten, the longest unneeded first, until there is room for `block`.
    fn make_room(&mut self, block: &BlockHash, may_go: impl Fn(&Pending) -> bool) {
        while self.pending.len() >= BLOCKS_MAX && !self.pending.contains_key(block) {
            let idle = self.pending.iter().filter(|(_, pending)| may_go(pending));
            let Some(oldest) = idle.min_by_key(|(_, pending)| pending.needed).map(|(block, _)| *block) else {
                return;
            };
            self.pending.remove(&oldest);
        }
    }

    /// Agreement is in `view`: what was asked for fresh blocks of earlier ones decides nothing any more.
    pub(crate) fn enter(&mut self, view: View) {
        for pending in self.pending.values_mut() {
            pending.purposes.retain(|purpose| match purpose {
                Purpose::Fresh(slot) => slot.view >= view,
                Purpose::Notarized => true,
            });
        }
    }

    /// Forgets all: the height is decided. Gives back the one that was decided.
    pub(crate) fn decide(&mut self, block: &BlockHash) -> Option<Pending> {
        let decided = self.pending.remove(block);
        self.pending.clear();
        decided
    }
}
