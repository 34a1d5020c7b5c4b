//! Errors at the edge: one mapping from what went wrong to a gRPC status with google.rpc details.
//!
//! Every status carries an `ErrorInfo` with a stable reason and the domain `tanba`, a message for people that
//! ends in the next step, and where it helps the field or the time to wait. Nothing a client sent is echoed,
//! and nothing of another client's either. A negative verdict is an answer and never comes here.

use std::{collections::HashMap, time::Duration};

use tanba_ledger::Height;
use tanba_proto::FieldError;
use tanba_storage::StoreError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::limits::RETRY_AFTER;
use crate::handle::Refusal;

/// The domain of every `ErrorInfo` of this API.
pub const DOMAIN: &str = "tanba";

/// Why a call is not answered. The reasons are listed at [`ApiError::reason`].
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ApiError {
    /// A field of the request.
    #[error("{0}; correct the field and ask again")]
    Field(#[from] FieldError),
    /// A signature of a submitted transaction, or what surrounds it.
    #[error("the transaction's approvals do not hold: {0}; have it approved again and submit it anew")]
    Approvals(tanba_crypto::SignatureError),
    /// The replica's word on a submission.
    #[error("{}; {}", .0.message, .0.next_step)]
    Refused(Refusal),
    /// Neither final nor submitted here.
    #[error(
        "this node knows no transaction of that name; submit it here, or ask the node it was submitted to"
    )]
    TransactionUnknown,
    /// A height that is not final yet.
    #[error("the head of this node is {head}; ask for a height up to it, or wait")]
    AboveHead {
        /// The node's head.
        head: Height,
    },
    /// A checkpoint, or an earlier height, that the head's proof cannot start from.
    #[error("{0}; name another checkpoint or moment")]
    OutOfRange(String),
    /// A bucket of another size than this node serves.
    #[error(
        "buckets are asked for by {bits} bits now, or one less; read bucket_bits from GetNodeInfo and ask again"
    )]
    BucketBits {
        /// d.
        bits: u16,
    },
    /// Too much at once, for the node or for one address.
    #[error("{0}; wait a second and try again with fewer calls at once")]
    Overloaded(&'static str),
    /// A stream had its time, or its other end went silent.
    #[error("{0}; open it again where it ended")]
    StreamEnded(&'static str),
    /// The node is on its way out.
    #[error("the node is stopping; try another node, or this one when it is back")]
    Stopping,
    /// The disk failed or lied. The node stops; its operator finds the details in the log.
    #[error("the node cannot read its own store and is stopping; ask another node")]
    Store,
    /// The node's own answer did not verify, and was withheld.
    #[error("the node withheld an answer that did not verify; ask another node and tell this one's operator")]
    Unproven,
}

impl ApiError {
    /// The stable code of the error, `UPPER_SNAKE`, as `ErrorInfo.reason` carries it.
    pub fn reason(&self) -> &'static str {
        match self {
            ApiError::Field(_) => "INVALID_FIELD",
            ApiError::Approvals(_) => "INVALID_APPROVALS",
            ApiError::Refused(refusal) => refusal.code,
            ApiError::TransactionUnknown => "TRANSACTION_UNKNOWN",
            ApiError::AboveHead { .. } => "ABOVE_HEAD",
            ApiError::OutOfRange(_) => "OUT_OF_RANGE",
            ApiError::BucketBits { .. } => "BUCKET_BITS",
            ApiError::Overloaded(_) => "OVERLOADED",
            ApiError::StreamEnded(_) => "STREAM_ENDED",
            ApiError::Stopping => "STOPPING",
            ApiError::Store => "STORE_FAILED",
            ApiError::Unproven => "UNPROVEN",
        }
    }

    /// The canonical gRPC code.
    pub fn code(&self) -> Code {
        match self {
            ApiError::Field(_) | ApiError::Approvals(_) => Code::InvalidArgument,
            ApiError::Refused(refusal) if refusal.retry => Code::Unavailable,
            ApiError::Refused(_) | ApiError::BucketBits { .. } => Code::FailedPrecondition,
            ApiError::TransactionUnknown => Code::NotFound,
            ApiError::AboveHead { .. } | ApiError::OutOfRange(_) => Code::OutOfRange,
            ApiError::Overloaded(_) => Code::ResourceExhausted,
            ApiError::StreamEnded(_) => Code::Aborted,
            ApiError::Stopping => Code::Unavailable,
            ApiError::Store => Code::DataLoss,
            ApiError::Unproven => Code::Internal,
        }
    }

    /// When the same call may succeed without being changed.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            ApiError::Refused(refusal) => refusal.retry.then_some(RETRY_AFTER),
            ApiError::AboveHead { .. } | ApiError::Overloaded(_) | ApiError::Stopping => Some(RETRY_AFTER),
            ApiError::StreamEnded(_) => Some(Duration::ZERO),
            _ => None,
        }
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Status {
        let mut metadata = HashMap::new();
        match &error {
            ApiError::Refused(refusal) => {
                metadata.insert("next_step".to_owned(), refusal.next_step.clone());
            }
            ApiError::AboveHead { head } => {
                metadata.insert("head".to_owned(), head.to_string());
            }
            ApiError::BucketBits { bits } => {
                metadata.insert("bucket_bits".to_owned(), bits.to_string());
            }
            _ => {}
        }
        let mut details = ErrorDetails::with_error_info(error.reason(), DOMAIN, metadata);
        if let ApiError::Field(field) = &error {
            details.set_bad_request(vec![FieldViolation::new(&field.path, &field.why)]);
        }
        if let Some(delay) = error.retry_after() {
            details.set_retry_info(Some(delay));
        }
        Status::with_error_details(error.code(), error.to_string(), details)
    }
}

/// The operator's log has the details; the client learns that this node cannot answer.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        tracing::error!(%error, "a read for the API failed");
        ApiError::Store
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_field_comes_with_reason_domain_and_place() {
        let status = Status::from(ApiError::Field(FieldError::new("query.issuer", "a BIN has 12 digits")));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let info = details.error_info().expect("an ErrorInfo");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("INVALID_FIELD", "tanba"));
        let violations = &details.bad_request().expect("a BadRequest").field_violations;
        assert_eq!(violations[0].field, "query.issuer");
        assert!(details.retry_info().is_none(), "the same bytes will not do better");
    }

    #[test]
    fn a_refusal_keeps_its_code_and_its_next_step() {
        let refusal = |retry| Refusal {
            code: "MEMPOOL_FULL",
            message: "the mempool is full".into(),
            next_step: "wait".into(),
            retry,
        };
        let status = Status::from(ApiError::Refused(refusal(true)));
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "the mempool is full; wait"));
        let details = status.get_error_details();
        assert_eq!(details.error_info().expect("an ErrorInfo").metadata["next_step"], "wait");
        assert!(details.retry_info().is_some());
        assert_eq!(Status::from(ApiError::Refused(refusal(false))).code(), Code::FailedPrecondition);
    }
}
