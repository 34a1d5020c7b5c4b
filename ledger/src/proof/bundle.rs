//! The two things a node hands out, and the files a verifier keeps: the status of one diploma, and a bucket of
//! tokens among which the asker's own stays hidden.

use tanba_crypto::{
    Canonical, DecodeError,
    canonical::{Decode, Encode},
};

use super::{
    At, BUNDLE_BYTES_MAX, Evidence, Head, HeadProof, Part, ProofFailure, Question, RecordProof, Status,
};
use crate::{
    Height, Timestamp,
    merkle::{Leaf, MapBucket},
    record::Table,
};

/// The status of one diploma. The node that makes it sees the fingerprint.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct StatusProof {
    /// The head it rests on.
    pub head: HeadProof,
    /// The token or its absence, with versions back to the moment asked about.
    pub token: RecordProof,
    /// What the token rests on.
    pub evidence: Evidence,
}

/// All tokens whose record keys share a prefix. Whoever asks for it shows no more than the prefix.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct BucketProof {
    /// The head it rests on.
    pub head: HeadProof,
    /// The length of the prefix.
    pub bits: u16,
    /// The tokens.
    pub tokens: MapBucket,
    /// What they rest on.
    pub evidence: Evidence,
}

/// A proof, as files and answers carry it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bundle {
    /// Of one diploma.
    Status(StatusProof),
    /// Of a bucket.
    Bucket(BucketProof),
}
tanba_crypto::canonical_enum!(Bundle { 1 = Status(proof), 2 = Bucket(proof) });

/// A bundle that would be refused by whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the proof has {length} bytes, the limit is {BUNDLE_BYTES_MAX}; ask with a longer prefix or an earlier checkpoint"
)]
pub struct BundleError {
    /// Its length in bytes.
    pub length: usize,
}

impl Bundle {
    /// The canonical bytes, if they are few enough to be read again.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        let bytes = self.to_canonical();
        if bytes.len() > BUNDLE_BYTES_MAX { Err(BundleError { length: bytes.len() }) } else { Ok(bytes) }
    }

    /// Reads bytes from anywhere. What they prove is for [`verify`](super::verify) to say.
    pub fn from_bytes(bytes: &[u8]) -> Result<Bundle, DecodeError> {
        Bundle::from_canonical(bytes, BUNDLE_BYTES_MAX)
    }

    /// The head the bundle says it rests on.
    pub const fn head(&self) -> &HeadProof {
        match self {
            Bundle::Status(proof) => &proof.head,
            Bundle::Bucket(proof) => &proof.head,
        }
    }

    /// Answers from a head that was proven, this bundle's or any other: the hashes must lead there.
    pub fn answer(&self, head: &Head, question: &Question) -> Result<Status, ProofFailure> {
        match self {
            Bundle::Status(proof) => proof.answer(head, question),
            Bundle::Bucket(proof) => proof.answer(head, question),
        }
    }
}

impl StatusProof {
    /// Answers from a proven head.
    pub fn answer(&self, head: &Head, question: &Question) -> Result<Status, ProofFailure> {
        let at = match question.at {
            At::Head => head.header().height,
            At::Height(height) if height > head.header().height => return Err(ProofFailure::AfterHead),
            At::Height(height) => height,
            At::Time(time) => self.evidence.height_at(head, time)?,
        };
        let key = question.record_key();
        let versions = self.token.verify(&head.roots().of(Table::Tokens), &key.key, Part::Token)?;
        let at_time = self.evidence.time_of(head, at)?;
        let status = answer(&self.evidence, head, question, versions.at(at)?, (at, at_time))?;
        // A single status always shows when the diploma was recorded, so that the licence's days are checked.
        if status.recorded.as_ref().is_some_and(|recorded| recorded.issued_time.is_none()) {
            return Err(ProofFailure::Missing(Part::PastHeader));
        }
        Ok(status)
    }
}

impl BucketProof {
    /// Answers from a proven head, for any diploma whose key has the bucket's prefix.
    pub fn answer(&self, head: &Head, question: &Question) -> Result<Status, ProofFailure> {
        match question.at {
            At::Head => {}
            At::Height(height) if height == head.header().height => {}
            At::Height(_) | At::Time(_) => return Err(ProofFailure::BucketAtPast),
        }
        let key = question.record_key();
        let root = head.roots().of(Table::Tokens);
        let leaves = self.tokens.verify(&root, &key.key, self.bits);
        let leaves = leaves.map_err(|flaw| ProofFailure::Path { part: Part::Bucket, flaw })?;
        let leaf = leaves.binary_search_by(|leaf| leaf.key.cmp(&key.key)).ok().map(|at| &leaves[at]);
        let at = (head.header().height, Some(head.header().time));
        answer(&self.evidence, head, question, leaf, at)
    }
}

fn answer(
    evidence: &Evidence,
    head: &Head,
    question: &Question,
    leaf: Option<&Leaf>,
    (at, at_time): (Height, Option<Timestamp>),
) -> Result<Status, ProofFailure> {
    let key = question.record_key();
    let recorded = match leaf {
        Some(leaf) => Some(Box::new(evidence.recorded(head, &key, question.issuer, leaf)?)),
        None => None,
    };
    Ok(Status { question: *question, head: *head.checkpoint(), at, at_time, recorded })
}
