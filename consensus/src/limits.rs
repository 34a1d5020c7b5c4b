//! Limits that keep an engine's memory small whatever its peers send. They protect a node and decide nothing
//! about validity; limits that do live in the ledger.

use tanba_ledger::limits::VALIDATORS_MAX;

/// Votes and proposals are kept for views up to so many above ours. Certificates are kept for any view: each
/// costs its sender f + 1 honest signatures.
pub const VIEWS_AHEAD_MAX: u32 = 64;

/// Votes are kept for so many views below ours. A certificate that an older vote would have completed still
/// arrives whole from whoever has it.
pub const VIEWS_BEHIND_MAX: u32 = 256;

/// Certificates in one page of a justification.
pub const PAGE_CERTIFICATES_MAX: usize = 32;

/// Votes in one [`Standing`](crate::message::Standing): two of the present view and the last `Finalize`.
pub const STANDING_VOTES_MAX: usize = 4;

/// Canonical bytes of the largest signature, with its scheme byte: GOST R 34.10-2012 512.
const SIGNATURE_BYTES_MAX: usize = 1 + 128;

/// Canonical bytes of one certificate: a vote (kind, slot, block), a bitmap, a quorum of signatures.
pub const CERTIFICATE_BYTES_MAX: usize =
    (1 + 12 + 32) + (8 + VALIDATORS_MAX.div_ceil(8)) + (8 + VALIDATORS_MAX * SIGNATURE_BYTES_MAX);

/// Canonical bytes of one page of a justification.
pub const PAGE_BYTES_MAX: usize = 8 + PAGE_CERTIFICATES_MAX * CERTIFICATE_BYTES_MAX;

/// Canonical bytes of one signed proposal or signed vote.
pub const SIGNED_BYTES_MAX: usize = 64 + SIGNATURE_BYTES_MAX;

/// Canonical bytes of one [`Standing`](crate::message::Standing).
pub const STANDING_BYTES_MAX: usize =
    12 + 1 + SIGNED_BYTES_MAX + 8 + STANDING_VOTES_MAX * SIGNED_BYTES_MAX + PAGE_BYTES_MAX;

/// Canonical bytes of one journal record: a certificate is the largest.
pub const RECORD_BYTES_MAX: usize = 1 + CERTIFICATE_BYTES_MAX;

// A page must hold what lifts a peer at least one view: a notarization, or a nullification.
const _: () = assert!(PAGE_CERTIFICATES_MAX >= 2);
