//! Why a bundle answers nothing. No failure says anything about a diploma.

use std::fmt;

use tanba_crypto::SignatureError;

use crate::merkle::ProofError;

/// Why a question could not be answered from a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFailure {
    /// The checkpoint is too old to begin from: keys retired since may have leaked.
    #[error("the checkpoint is {age_ms} ms old, take a newer one")]
    CheckpointStale {
        /// Its age.
        age_ms: u64,
    },
    /// The head is older than the verifier accepts: the standing may have changed since.
    #[error("the proof is {age_ms} ms old, ask for a newer one")]
    Stale {
        /// Its age.
        age_ms: u64,
    },
    /// A proven block lies in the verifier's future.
    #[error("this clock is at least {ahead_ms} ms slow, set it first")]
    ClockBehind {
        /// How far the block is ahead.
        ahead_ms: u64,
    },
    /// The bundle begins at another block than the checkpoint.
    #[error("the proof does not begin at the checkpoint")]
    OtherCheckpoint,
    /// More links than a bundle may have.
    #[error("the proof holds {0} links, the limit is {max}", max = super::LINKS_MAX)]
    LinksMany(usize),
    /// A link does not lead from the trusted header before it to its own.
    #[error("link {at} (counted from 0): {flaw}")]
    Link {
        /// Which link.
        at: usize,
        /// What is wrong with it.
        flaw: LinkFlaw,
    },
    /// The table roots are not those of the head.
    #[error("the table roots do not belong to the head")]
    Roots,
    /// A path does not lead to its root.
    #[error("{part}: {flaw}")]
    Path {
        /// What the path is about.
        part: Part,
        /// What is wrong with it.
        flaw: ProofError,
    },
    /// Earlier versions are not the ones a record names, or do not reach back far enough.
    #[error("{0}: the earlier versions do not reach back to the moment asked about")]
    Versions(Part),
    /// Something the answer rests on is not in the bundle.
    #[error("{0} is not in the proof")]
    Missing(Part),
    /// Proven bytes that this version cannot read.
    #[error("{0}: proven, but written in a form this version does not know")]
    Malformed(Part),
    /// The ledger holds what its own rules forbid. Everything was proven, so a quorum would have had to agree
    /// to it; a verifier believes none of it.
    #[error("the ledger contradicts its rules: {0}")]
    Contradiction(&'static str),
    /// The moment asked about is later than the head.
    #[error("the moment asked about lies after the head of the proof")]
    AfterHead,
    /// A bucket answers for its head alone.
    #[error("a bucket proves the present alone, ask for the status at an earlier moment singly")]
    BucketAtPast,
}

/// What is wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkFlaw {
    /// A header of a format this version does not know.
    #[error("header version {0} is unknown here")]
    Version(u16),
    /// Another network's header.
    #[error("the header belongs to another network")]
    Chain,
    /// Height or time does not increase.
    #[error("height and time must increase")]
    Order,
    /// The next block, but on another parent.
    #[error("the header has another parent")]
    Parent,
    /// The validators shown are not those of the header.
    #[error("the header names another validator set")]
    Validators,
    /// The next block, but under another set than the trusted header announced.
    #[error("the set is not the one announced for this height")]
    Unannounced,
    /// A bridge is missing, not needed, or not the set that the trusted header announced.
    #[error("the set announced by the trusted header is not shown, or shown without need")]
    Bridge,
    /// Too few signers hold a key that the trusted header vouches for.
    #[error("{trusted} trusted keys signed, {needed} are needed")]
    Untrusted {
        /// How many did.
        trusted: usize,
        /// How many must.
        needed: usize,
    },
    /// The votes are not finalizations of this header.
    #[error("the votes are not for this header")]
    Votes,
    /// The certificate does not verify.
    #[error("certificate: {0}")]
    Certificate(String),
}

impl From<SignatureError> for LinkFlaw {
    fn from(error: SignatureError) -> LinkFlaw {
        LinkFlaw::Certificate(error.to_string())
    }
}

/// A part of a bundle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// The diploma's token.
    Token,
    /// The bucket the token belongs to.
    Bucket,
    /// The batch it was issued in.
    Batch,
    /// The issuer.
    Institution,
    /// An accreditation of the issuer.
    Accreditation,
    /// A header below the head.
    PastHeader,
    /// A transaction of a block.
    Transaction,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Token => "the token",
            Part::Bucket => "the bucket",
            Part::Batch => "the batch",
            Part::Institution => "the issuer's record",
            Part::Accreditation => "an accreditation",
            Part::PastHeader => "an earlier header",
            Part::Transaction => "the transaction",
        })
    }
}

impl ProofFailure {
    /// The failure's code, for machines: `UPPER_SNAKE`, stable.
    pub const fn code(&self) -> &'static str {
        match self {
            ProofFailure::CheckpointStale { .. } => "CHECKPOINT_STALE",
            ProofFailure::Stale { .. } => "STALE",
            ProofFailure::ClockBehind { .. } => "CLOCK_BEHIND",
            ProofFailure::OtherCheckpoint => "OTHER_CHECKPOINT",
            ProofFailure::LinksMany(_) => "LINKS_MANY",
            ProofFailure::Link { .. } => "LINK_BROKEN",
            ProofFailure::Roots => "ROOTS_BROKEN",
            ProofFailure::Path { .. } => "PATH_BROKEN",
            ProofFailure::Versions(_) => "VERSIONS_BROKEN",
            ProofFailure::Missing(_) => "PART_MISSING",
            ProofFailure::Malformed(_) => "PART_UNKNOWN",
            ProofFailure::Contradiction(_) => "LEDGER_CONTRADICTION",
            ProofFailure::AfterHead => "AFTER_HEAD",
            ProofFailure::BucketAtPast => "BUCKET_AT_PAST",
        }
    }
}
