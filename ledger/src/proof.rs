//! What a verifier checks without trusting anyone: that a diploma is recorded, with which standing, by an
//! issuer that was licensed and accredited for it when it issued, or that it is not recorded at all.
//!
//! A [`Bundle`] is all that is needed beside the question, a checkpoint and a clock. It is checked from the
//! outside in: the [`HeadProof`] leads from the checkpoint to a later final header (signatures), that header
//! to the roots of the state, and the roots to records (hashes alone). Everything here is pure and offline;
//! node, command line and web page run this same code, the node on its own answers.
//!
//! What is assumed: no more than f of the keys that a checkpoint names for the next block fall into wrong
//! hands within [`TRUST_PERIOD_MS`](crate::limits::TRUST_PERIOD_MS), retired keys included. Whatever lies below
//! a checkpoint is therefore proven by hashes from a header at or above it, never by old signatures.
//!
//! Read in this order: [`question`], [`checkpoint`], [`head`], [`record`], [`evidence`], [`bundle`],
//! [`verdict`]; [`prove`] builds what these check. A [`receipt`] proves that a transaction is final.

pub mod bundle;
pub mod checkpoint;
pub mod evidence;
pub mod failure;
pub mod head;
pub mod links;
pub mod prove;
pub mod question;
pub mod receipt;
pub mod record;
pub mod verdict;

pub use bundle::{BucketProof, Bundle, BundleError, StatusProof};
pub use checkpoint::{Checkpoint, Cosignature, CosignedCheckpoint, WitnessPolicy};
pub use evidence::{Evidence, PastHeader};
pub use failure::{LinkFlaw, Part, ProofFailure};
pub use head::{Head, HeadProof, Link};
pub use links::prove_head;
pub use prove::{ChainReader, ProveError, prove_bucket, prove_status};
pub use question::{At, Question, Recorded, Status};
pub use receipt::{Included, Receipt, prove_receipt};
pub use record::{RecordProof, Versions};
pub use verdict::{Hidden, Verdict};

use crate::Timestamp;

/// Links from a checkpoint to a head, at most. Within a trust period one or two are usual.
pub const LINKS_MAX: usize = 32;

/// Earlier versions that a proof carries of one record, at most.
pub const VERSIONS_MAX: usize = 1_024;

/// Tokens in one bucket, at most.
pub const BUCKET_TOKENS_MAX: usize = 4_096;

/// Canonical bytes of a bundle, at most.
pub const BUNDLE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A proof may be so far ahead of the verifier's clock, in milliseconds, before the clock is called wrong.
pub const CLOCK_TOLERANCE_MS: u64 = 5 * 60_000;

// The longest chain of links leaves three quarters of a bundle to what it proves.
const _: () = {
    use crate::limits::VALIDATORS_MAX;
    const SET: usize = 8 + VALIDATORS_MAX * (8 + 33);
    const CERTIFICATE: usize = 64 + 8 + VALIDATORS_MAX / 8 + 8 + VALIDATORS_MAX * 65;
    assert!(LINKS_MAX * (512 + 2 * SET + CERTIFICATE) <= BUNDLE_BYTES_MAX / 3);
};

/// Checks `bundle` from `checkpoint` and answers `question`, for a verifier whose clock says `now` and who
/// accepts a head at most `max_age_ms` old.
///
/// A status is returned only if everything it rests on was proven; a failure says nothing about the diploma.
pub fn verify(
    bundle: &Bundle,
    question: &Question,
    checkpoint: &Checkpoint,
    now: Timestamp,
    max_age_ms: u64,
) -> Result<Status, ProofFailure> {
    let head = bundle.head().verify(checkpoint, now, max_age_ms)?;
    bundle.answer(&head, question)
}

#[cfg(test)]
mod tests;
