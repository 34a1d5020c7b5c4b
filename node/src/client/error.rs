//! Why a client got no answer it can use: each with whose fault it is and what to do next.

use std::{error::Error, time::Duration};

use tanba_ledger::{Height, proof::ProofFailure};
use tanba_proto::FieldError;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::api::status::DOMAIN;

/// A broken connection is set up again after this.
pub(super) const RECONNECT_AFTER: Duration = Duration::from_millis(500);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Not an address.
    #[error("`{0}` is not an address of a node: write HOST:PORT, for example 127.0.0.1:7001")]
    Address(String),
    /// No connection, or it broke.
    #[error("cannot reach {address}: is the node running? Start it with `tanba run`, or name another node")]
    Unreachable {
        /// The node.
        address: String,
    },
    /// The node answered with an error of this API.
    #[error("{0}")]
    Refused(Refused),
    /// The node, or something between, answered with an error that is not of this API.
    #[error("{address} answered {code:?}: {message}; is it a Tanba node of this version?")]
    Foreign {
        /// The node.
        address: String,
        /// The gRPC code.
        code: Code,
        /// Its words.
        message: String,
    },
    /// The answer does not follow the contract.
    #[error("the node's answer does not follow the contract ({0}): ask another node")]
    Malformed(#[from] FieldError),
    /// A proof that proves nothing, or not what was asked. It says nothing about the diploma.
    #[error("could not check ({failure}): {}", next_step(.failure))]
    Proof {
        /// Why.
        failure: ProofFailure,
    },
    /// The chain of another network.
    #[error("{address} serves network {found}, not {expected}: name a node of the right network")]
    WrongNetwork {
        /// The node.
        address: String,
        /// What it serves.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A stream left a block out, or repeated one.
    #[error("the node sent block {found} where {expected} was due: ask another node")]
    OutOfOrder {
        /// Due.
        expected: Height,
        /// Sent.
        found: Height,
    },
    /// A stream ended, or went silent, before it said what it was asked for.
    #[error("{address} ended its answer early: ask again, or ask another node")]
    Ended {
        /// The node.
        address: String,
    },
}

impl From<&ProofFailure> for ClientError {
    fn from(failure: &ProofFailure) -> ClientError {
        ClientError::Proof { failure: failure.clone() }
    }
}

/// What a person does about a proof that does not hold.
fn next_step(failure: &ProofFailure) -> &'static str {
    match failure {
        ProofFailure::CheckpointStale { .. } => "get a newer checkpoint from the witnesses",
        ProofFailure::Stale { .. } => "the node is behind; ask another node, or accept an older answer",
        ProofFailure::ClockBehind { .. } => "set this machine's clock and ask again",
        ProofFailure::OtherCheckpoint => {
            "the node serves another chain than the checkpoint's; ask another node"
        }
        ProofFailure::AfterHead => "ask for an earlier moment, or wait",
        ProofFailure::BucketAtPast => "ask for the status itself",
        ProofFailure::Malformed(_) => "update this software",
        ProofFailure::LinksMany(_)
        | ProofFailure::Link { .. }
        | ProofFailure::Roots
        | ProofFailure::Path { .. }
        | ProofFailure::Versions(_)
        | ProofFailure::Missing(_)
        | ProofFailure::Contradiction(_) => "do not rely on this node; ask another",
    }
}

/// An error of the API, as a node sends it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The gRPC code.
    pub code: Code,
    /// Stable, for machines: `UPPER_SNAKE`.
    pub reason: String,
    /// For people, with the next step.
    pub message: String,
    /// The field at fault, and what it should be.
    pub field: Option<FieldError>,
    /// When the same call may succeed.
    pub retry_after: Option<Duration>,
}

impl ClientError {
    /// Reads a status of the node at `address`.
    pub(super) fn from_status(address: &str, status: &Status) -> ClientError {
        let details = status.get_error_details();
        if let Some(info) = details.error_info()
            && info.domain == DOMAIN
        {
            let violation = details.bad_request().and_then(|bad| bad.field_violations.first());
            return ClientError::Refused(Refused {
                code: status.code(),
                reason: info.reason.clone(),
                message: status.message().to_owned(),
                field: violation.map(|found| FieldError::new(&found.field, &found.description)),
                retry_after: details.retry_info().and_then(|info| info.retry_delay),
            });
        }
        // A status that this side made up has a source; one that was received has none.
        if status.source().is_some() {
            return ClientError::Unreachable { address: address.to_owned() };
        }
        ClientError::Foreign {
            address: address.to_owned(),
            code: status.code(),
            message: status.message().to_owned(),
        }
    }

    /// The stable reason, if the node gave one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            ClientError::Refused(refused) => Some(&refused.reason),
            _ => None,
        }
    }

    /// Whether the node does not know the transaction that was asked about.
    pub(super) fn is_unknown(&self) -> bool {
        self.reason() == Some("TRANSACTION_UNKNOWN")
    }

    /// Whether a stream that ended so may be opened again where it stood, and after what time.
    pub(super) fn resume_after(&self) -> Option<Duration> {
        match self {
            ClientError::Unreachable { .. } | ClientError::Ended { .. } => Some(RECONNECT_AFTER),
            ClientError::Refused(refused) => match refused.reason.as_str() {
                "STREAM_ENDED" | "OVERLOADED" | "STOPPING" => refused.retry_after,
                _ => None,
            },
            _ => None,
        }
    }
}
