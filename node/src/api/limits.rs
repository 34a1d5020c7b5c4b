//! What protects the gRPC server: every bound on what a stranger can make it hold, in one place. None of these
//! decides validity; those limits are the ledger's own ([`tanba_ledger::limits`]).

use std::time::Duration;

use tanba_ledger::{
    limits::{BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX},
    proof::BUNDLE_BYTES_MAX,
};

// --- connections

/// Connections at once.
pub const CONNECTIONS_MAX: usize = 512;

/// Connections at once from one address (one IPv4 address, one IPv6 /64).
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 64;

/// A new connection must have shown that it speaks HTTP/2 within this.
pub const PREFACE_WITHIN: Duration = Duration::from_secs(5);

/// After this a connection takes no new calls (GOAWAY); the client opens another.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_secs(600);

/// A quiet connection is pinged so often.
pub const PING_EVERY: Duration = Duration::from_secs(30);

/// A ping must be answered within this, or the connection is cut.
pub const PONG_WITHIN: Duration = Duration::from_secs(10);

/// When the node stops, calls under way and streams have so long to end; then every connection is cut. One that is kept
/// alive by a reader who takes nothing would else keep the store open.
pub const PARTING_WITHIN: Duration = Duration::from_secs(2);

/// Calls at once on one connection.
pub const CALLS_PER_CONNECTION_MAX: u32 = 64;

/// Header list of one call, in bytes.
pub const HEADERS_BYTES_MAX: u32 = 16 * 1024;

/// Streams a client may open and reset before the server has looked at them: what a rapid-reset attack
/// (CVE-2023-44487) lives on.
pub const RESETS_PENDING_MAX: usize = 32;

/// Flow-control window of one connection: what a client may send ahead, in bytes.
pub const WINDOW_CONNECTION_BYTES: u32 = 1024 * 1024;

/// Flow-control window of one call, in bytes.
pub const WINDOW_CALL_BYTES: u32 = 256 * 1024;

// --- calls

/// Calls with one answer, at once. An answer counts until it is fully taken or dropped, so that this also
/// bounds the bytes waiting for slow readers.
pub const CALLS_MAX: usize = 128;

/// Calls with one answer, at once, from one address.
pub const CALLS_PER_ADDRESS_MAX: usize = 96;

/// Streams at once.
pub const STREAMS_MAX: usize = 512;

/// Streams at once from one address.
pub const STREAMS_PER_ADDRESS_MAX: usize = 384;

/// A call with one answer is given up after this.
pub const CALL_WITHIN: Duration = Duration::from_secs(10);

/// A client that was turned away is told to come back after this.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Signature checks and proofs on the blocking threads at once. The rest waits in its call.
pub const HEAVY_AT_ONCE_MAX: usize = 4;

// --- streams

/// A stream says something at least so often. The contract promises 15 s; the rest is for the way.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);

/// A stream ends after this, and the client resumes: so no stream holds its place for ever.
pub const STREAM_AGE_MAX: Duration = Duration::from_secs(3_600);

/// A reader that takes nothing, or a writer that sends nothing, for this long loses its stream.
pub const STREAM_STALLED_AFTER: Duration = Duration::from_secs(60);

/// Messages waiting for a reader of a stream; a block each, at worst.
pub const STREAM_QUEUE: usize = 2;

// --- messages, in bytes

/// A request to the registrar: one transaction, and its envelope.
pub const SUBMIT_BYTES_MAX: usize = TRANSACTION_BYTES_MAX + 1024;

/// A request to the verifier: [`BATCH_MAX`] queries of at most 64 bytes, and their envelope.
pub const QUERY_BYTES_MAX: usize = BATCH_MAX * 64 + 1024;

/// A request to the ledger: a height.
pub const READ_BYTES_MAX: usize = 1024;

/// An answer: the largest bundle of proofs, or the largest block with its certificate, and the envelope.
pub const ANSWER_BYTES_MAX: usize = BUNDLE_BYTES_MAX + 64 * 1024;

/// Queries of one batch.
pub const BATCH_MAX: usize = 256;

// --- proofs

/// Proven heads kept, one for each checkpoint that clients of the present head came with.
pub const HEADS_KEPT_MAX: usize = 8;

/// A proof is begun anew so often if the head it rests on is left behind while it is made.
pub const PROVE_TRIES_MAX: usize = 3;

/// Tokens a bucket holds on average, at least. Record keys are hashes, so buckets fill evenly: with this mean
/// one of fewer than 256 lies eleven standard deviations away.
pub const BUCKET_TOKENS_MEAN_MIN: u64 = 512;

/// Institutions whose quotas are added up to know how many tokens there are.
pub const INSTITUTIONS_MAX: usize = 4_096;

// --- submissions

/// A submission waits so long for room in the replica's queue.
pub const SUBMIT_WITHIN: Duration = Duration::from_secs(2);

/// The replica says within this whether it admits a submission.
pub const ADMIT_WITHIN: Duration = Duration::from_secs(5);

/// Transactions followed at once; above it the oldest that are decided are forgotten.
pub const TRACKED_MAX: usize = 16_384;

const _: () = assert!(BLOCK_BYTES_MAX + 64 * 1024 <= ANSWER_BYTES_MAX, "the largest block fits an answer");
const _: () = assert!(SUBMIT_BYTES_MAX <= WINDOW_CALL_BYTES as usize, "a submission is one flight");
const _: () = assert!(CONNECTIONS_PER_ADDRESS_MAX <= CONNECTIONS_MAX);
const _: () = assert!(CALLS_PER_ADDRESS_MAX < CALLS_MAX, "one address cannot shut out the others");
const _: () = assert!(STREAMS_PER_ADDRESS_MAX < STREAMS_MAX, "one address cannot shut out the others");
const _: () = assert!(HEARTBEAT_EVERY.as_secs() < 15, "the contract promises 15 s");
const _: () = assert!(SUBMIT_WITHIN.as_secs() + ADMIT_WITHIN.as_secs() < CALL_WITHIN.as_secs());
