//! Building what the rest of this module checks, from any node's store.

use std::collections::BTreeMap;

use tanba_crypto::{Canonical, Hash};

use super::{
    At, BUCKET_TOKENS_MAX, BucketProof, Evidence, HeadProof, PastHeader, Question, RecordProof, StatusProof,
    VERSIONS_MAX,
};
use crate::{
    Certificate, Header, Height, Timestamp, TransactionId,
    merkle::{
        BucketError, Leaf, Node, NodeReader, ReadError, bucket, map_proof,
        tree::{BuildError, prove_inclusion},
    },
    operation::Basis,
    record::{Batch, RecordKey, Table, Token},
};

/// What proofs are built from: state nodes, final headers, their certificates, and the history tree.
///
/// A storage reader implements it, or a thin adapter around one. The names differ from those of a store's own
/// methods on purpose, so that a type may have both.
pub trait ChainReader: NodeReader {
    /// The header at `height`; `None` above the head.
    fn final_header(&self, height: Height) -> Result<Option<Header>, ReadError>;

    /// The certificate that made the block at `height` final; `None` for genesis and above the head.
    fn certificate_of(&self, height: Height) -> Result<Option<Certificate>, ReadError>;

    /// The hash of a complete subtree of the history tree, as a block's delta gave it.
    fn history_subtree(&self, level: u8, index: u64) -> Result<Option<Hash>, ReadError>;
}

impl<R: ChainReader + ?Sized> ChainReader for &R {
    fn final_header(&self, height: Height) -> Result<Option<Header>, ReadError> {
        (**self).final_header(height)
    }

    fn certificate_of(&self, height: Height) -> Result<Option<Certificate>, ReadError> {
        (**self).certificate_of(height)
    }

    fn history_subtree(&self, level: u8, index: u64) -> Result<Option<Hash>, ReadError> {
        (**self).history_subtree(level, index)
    }
}

/// Why a proof could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// The asker's checkpoint, or the moment asked about, is above this node's head.
    #[error("this node's head is {head}, it cannot speak of {asked}")]
    AboveHead {
        /// The head.
        head: Height,
        /// What was asked for.
        asked: Height,
    },
    /// The moment asked about lies after the head or before genesis.
    #[error("the chain reaches from {from} to {to} (milliseconds since 1970), {asked} lies outside")]
    OutsideChain {
        /// The time of genesis.
        from: u64,
        /// The time of the head.
        to: u64,
        /// The moment asked about.
        asked: u64,
    },
    /// A record has more versions since that moment than a proof may carry.
    #[error("the record changed more than {VERSIONS_MAX} times since then")]
    VersionsMany,
    /// The checkpoint is too many changes of validators ago.
    #[error("the checkpoint is more than {max} links away, take a newer one", max = super::LINKS_MAX)]
    LinksMany,
    /// The bucket is too full.
    #[error("the bucket holds more than {BUCKET_TOKENS_MAX} tokens, ask with a longer prefix")]
    BucketFull,
    /// A prefix longer than a key.
    #[error("a prefix has at most 256 bits, not {0}")]
    Prefix(u16),
    /// The store failed: nobody's fault but this node's.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Something final is not in the store, or not what its name says.
    #[error("the store is damaged: {0}")]
    Damaged(&'static str),
}

/// How far back the versions of a record go in a proof.
#[derive(Clone, Copy)]
enum Reach {
    /// The newest alone.
    Head,
    /// To the one after the block at this height.
    At(Height),
    /// To the one before the block at this height.
    Within(Height),
}

/// Proves the status that `question` asks for, at `head`, whose nodes `reader` must still hold.
pub fn prove_status<R: ChainReader>(
    reader: &R,
    head: HeadProof,
    question: &Question,
) -> Result<StatusProof, ProveError> {
    let mut gather = Gather::new(reader, &head);
    let top = head.header().height;
    let at = match question.at {
        At::Head => top,
        At::Height(height) if height > top => {
            return Err(ProveError::AboveHead { head: top, asked: height });
        }
        At::Height(height) => height,
        At::Time(time) => gather.height_at(time)?,
    };
    gather.add_past(at)?;
    if let At::Time(_) = question.at
        && at < top
    {
        gather.add_past(at.next())?;
    }
    let token = gather.record(&question.record_key(), Reach::At(at))?;
    if let Some(leaf) = &token.current.leaf
        && leaf.key == question.record_key().key
    {
        let issued_at = gather.add_issue(leaf)?;
        gather.add_past(issued_at)?;
    }
    let evidence = gather.into_evidence()?;
    Ok(StatusProof { head, token, evidence })
}

/// Proves the bucket of all tokens whose record keys share their first `bits` bits with `prefix`. The times of
/// issue are left out; they would double its size.
pub fn prove_bucket<R: ChainReader>(
    reader: &R,
    head: HeadProof,
    prefix: &Hash,
    bits: u16,
) -> Result<BucketProof, ProveError> {
    if bits > crate::merkle::map::KEY_BITS {
        return Err(ProveError::Prefix(bits));
    }
    let mut gather = Gather::new(reader, &head);
    let root = head.roots.of(Table::Tokens);
    let tokens =
        bucket::bucket(reader, &root, prefix, bits, BUCKET_TOKENS_MAX).map_err(|error| match error {
            BucketError::Read(error) => ProveError::Read(error),
            BucketError::TooLarge(_) => ProveError::BucketFull,
        })?;
    let is_inside = |leaf: &&Leaf| leaf.key.first_difference(prefix).is_none_or(|bit| bit >= bits);
    for leaf in tokens.leaves.iter().filter(is_inside) {
        gather.add_issue(leaf)?;
    }
    let evidence = gather.into_evidence()?;
    Ok(BucketProof { head, bits, tokens, evidence })
}

/// The evidence while it is collected: every record and header once.
struct Gather<'a, R> {
    reader: &'a R,
    head: &'a HeadProof,
    /// Batches by id, with the height that issued them.
    batches: BTreeMap<TransactionId, (RecordProof, Height)>,
    /// Institutions and accreditations, with the lowest height they must reach back to.
    reaches: BTreeMap<RecordKey, Height>,
    past: BTreeMap<Height, PastHeader>,
}

impl<'a, R: ChainReader> Gather<'a, R> {
    fn new(reader: &'a R, head: &'a HeadProof) -> Gather<'a, R> {
        let (batches, reaches, past) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Gather { reader, head, batches, reaches, past }
    }

    /// Adds what a token rests on; returns the height that issued it.
    fn add_issue(&mut self, token: &Leaf) -> Result<Height, ProveError> {
        let id = read::<Token>(token)?.batch;
        if let Some((_, issued_at)) = self.batches.get(&id) {
            return Ok(*issued_at);
        }
        let proof = self.record(&RecordKey::batch(id), Reach::Head)?;
        let leaf = proof.current.leaf.as_ref().filter(|leaf| leaf.key == RecordKey::batch(id).key);
        let leaf = leaf.ok_or(ProveError::Damaged("a token's batch is not recorded"))?;
        let (batch, issued_at) = (read::<Batch>(leaf)?, leaf.changed_at);
        self.reach(RecordKey::institution(batch.issuer), issued_at);
        if batch.basis == Basis::Award {
            for scope in &batch.scopes {
                self.reach(RecordKey::accreditation(batch.issuer, scope), issued_at);
            }
        }
        self.batches.insert(id, (proof, issued_at));
        Ok(issued_at)
    }

    fn reach(&mut self, key: RecordKey, height: Height) {
        let lowest = self.reaches.entry(key).or_insert(height);
        *lowest = height.min(*lowest);
    }

    /// Adds the header at `height`, unless it is the head itself.
    fn add_past(&mut self, height: Height) -> Result<(), ProveError> {
        let top = self.head.header().height;
        if height == top || self.past.contains_key(&height) {
            return Ok(());
        }
        let past = past_header(self.reader, height, top)?;
        self.past.insert(height, past);
        Ok(())
    }

    /// The last height whose time is not after `time`.
    fn height_at(&self, time: Timestamp) -> Result<Height, ProveError> {
        let head = self.head.header();
        let genesis = header_at(self.reader, Height::GENESIS)?.time;
        if time < genesis || time > head.time {
            return Err(ProveError::OutsideChain { from: genesis.0, to: head.time.0, asked: time.0 });
        }
        // Times increase with height: `low` is never after `time`, `high` always.
        let (mut low, mut high) = (0, head.height.0 + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if header_at(self.reader, Height(middle))?.time <= time { low = middle } else { high = middle }
        }
        Ok(Height(low))
    }

    fn record(&self, key: &RecordKey, reach: Reach) -> Result<RecordProof, ProveError> {
        let current = map_proof::prove(self.reader, &self.head.roots.of(key.table), &key.key)?;
        let mut earlier: Vec<Leaf> = Vec::new();
        let newest = current.leaf.as_ref().filter(|leaf| leaf.key == key.key);
        while let Some(oldest) = earlier.last().or(newest)
            && oldest.previous != Hash::ZERO
            && reach.goes_before(oldest)
        {
            if earlier.len() == VERSIONS_MAX {
                return Err(ProveError::VersionsMany);
            }
            earlier.push(leaf_named(self.reader, &oldest.previous)?);
        }
        Ok(RecordProof { current, earlier })
    }

    fn into_evidence(self) -> Result<Evidence, ProveError> {
        let (mut institutions, mut accreditations) = (Vec::new(), Vec::new());
        for (key, height) in &self.reaches {
            let proof = self.record(key, Reach::Within(*height))?;
            if key.table == Table::Institutions {
                institutions.push(proof)
            } else {
                accreditations.push(proof)
            }
        }
        let batches = self.batches.into_values().map(|(proof, _)| proof).collect();
        let past = self.past.into_values().collect();
        Ok(Evidence { batches, institutions, accreditations, past })
    }
}

impl Reach {
    /// Whether the version before `leaf` is needed too.
    fn goes_before(self, leaf: &Leaf) -> bool {
        match self {
            Reach::Head => false,
            Reach::At(height) => leaf.changed_at > height,
            Reach::Within(height) => leaf.changed_at >= height,
        }
    }
}

/// The header at `height` with its path in the history that the head at `top`, above it, commits to.
pub(super) fn past_header<R: ChainReader>(
    reader: &R,
    height: Height,
    top: Height,
) -> Result<PastHeader, ProveError> {
    let header = header_at(reader, height)?;
    let subtree = |level, index| reader.history_subtree(level, index);
    let inclusion = prove_inclusion(height.0, top.0, subtree).map_err(|error| match error {
        BuildError::Store(error) => ProveError::Read(error),
        BuildError::Missing { .. } => ProveError::Damaged("a subtree of the history tree is missing"),
        BuildError::Bounds { .. } => ProveError::AboveHead { head: top, asked: height },
    })?;
    Ok(PastHeader { header, inclusion })
}

/// A header that must be there: it is below the head.
pub(super) fn header_at<R: ChainReader>(reader: &R, height: Height) -> Result<Header, ProveError> {
    reader.final_header(height)?.ok_or(ProveError::Damaged("a header below the head is missing"))
}

/// An earlier version of a record, by the hash that the next one names. Leaves are never dropped.
pub(super) fn leaf_named<R: NodeReader>(reader: &R, hash: &Hash) -> Result<Leaf, ProveError> {
    match reader.node(hash)? {
        Node::Leaf(leaf) => Ok(leaf),
        Node::Branch(_) => Err(ReadError::Damaged(*hash).into()),
    }
}

/// Reads a value of our own state.
pub(super) fn read<T: Canonical>(leaf: &Leaf) -> Result<T, ProveError> {
    let value = T::from_canonical(&leaf.value, leaf.value.len());
    value.map_err(|_| ReadError::Damaged(leaf.hash()).into())
}
