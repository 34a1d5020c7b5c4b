//! The receipt of a transaction: that it is final, and where. Whoever submitted it keeps this.

use tanba_crypto::canonical::{Decode, Encode};

use super::{
    ChainReader, Checkpoint, Head, HeadProof, Part, PastHeader, ProofFailure, ProveError, prove::past_header,
};
use crate::{
    Block, Height, Timestamp, Transaction, TransactionId,
    merkle::{
        InclusionProof,
        tree::{leaf_hash, prove_inclusion_among},
    },
};

/// A transaction with its path to a block, and the block's to a head.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Receipt {
    /// The head it rests on.
    pub head: HeadProof,
    /// The header of the block, if it is not the head.
    pub past: Option<PastHeader>,
    /// The transaction with the approvals under which it became final: they may be other ones than the holder
    /// of the receipt submitted.
    pub transaction: Transaction,
    /// Its path in the tree over the block's transactions.
    pub inclusion: InclusionProof,
}

/// What a receipt proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Included {
    /// The head it rests on, as good a checkpoint as the one the proof began with.
    pub head: Checkpoint,
    /// The block that holds the transaction.
    pub height: Height,
    /// The block's time.
    pub time: Timestamp,
    /// The transaction's place in the block, from 0.
    pub index: u32,
}

impl Receipt {
    /// Checks from a proven head that transaction `id` is final.
    pub fn answer(&self, head: &Head, id: &TransactionId) -> Result<Included, ProofFailure> {
        if self.transaction.id() != *id {
            return Err(ProofFailure::Missing(Part::Transaction));
        }
        let header = match &self.past {
            Some(past) => {
                past.verify(head)?;
                &past.header
            }
            None => head.header(),
        };
        let flaw = |flaw| ProofFailure::Path { part: Part::Transaction, flaw };
        let bounds = flaw(crate::merkle::ProofError::Bounds);
        if self.inclusion.size != u64::from(header.count) {
            return Err(bounds);
        }
        let index = u32::try_from(self.inclusion.index).map_err(|_| bounds)?;
        let leaf = leaf_hash(&tanba_crypto::Canonical::to_canonical(&self.transaction));
        self.inclusion.verify(&leaf, &header.transactions).map_err(flaw)?;
        Ok(Included { head: *head.checkpoint(), height: header.height, time: header.time, index })
    }
}

/// Makes the receipt of transaction `index` of `block`, a final block at or below `head`.
pub fn prove_receipt<R: ChainReader>(
    reader: &R,
    head: HeadProof,
    block: &Block,
    index: u32,
) -> Result<Receipt, ProveError> {
    let (top, height) = (head.header().height, block.header.height);
    if height > top {
        return Err(ProveError::AboveHead { head: top, asked: height });
    }
    let past = if height == top { None } else { Some(past_header(reader, height, top)?) };
    let outside = ProveError::Damaged("a block holds fewer transactions than its index says");
    let transaction = block.transactions.get(index as usize).cloned().ok_or(outside.clone())?;
    let bytes = block.transactions.iter().map(tanba_crypto::Canonical::to_canonical);
    let leaves: Vec<_> = bytes.map(|bytes| leaf_hash(&bytes)).collect();
    let inclusion = prove_inclusion_among(&leaves, index as usize).ok_or(outside)?;
    Ok(Receipt { head, past, transaction, inclusion })
}
